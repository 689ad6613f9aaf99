//! Every way to a real API server that a kubeconfig can ask for.

use std::sync::Arc;
use std::time::Duration;

use driftdeck::cluster::remote::{Options, Remote, Sources};
use driftdeck::cluster::{Cluster, ClusterError};
use driftdeck::model::Timestamp;

use crate::support::{Access, Home, Plane};

fn options() -> Options {
    let mut options = Options::new(Arc::new(|| Timestamp::UNIX_EPOCH));
    options.request_timeout = Duration::from_secs(5);
    options
}

/// The cluster of a home's kubeconfig.
fn of(home: &Home) -> Remote {
    let sources = Sources { file: Some(home.kubeconfig()), ..Sources::default() };
    Remote::new("plane", sources, options())
}

fn admin() -> Access {
    Plane::of_this_run().access("admin")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_token_that_was_renewed_in_the_kubeconfig_is_taken_once_the_old_one_is_refused() {
    let home = Home::new();
    let good = admin();
    let over = Access { token: "is-over".to_owned(), ..good.clone() };
    over.write_into(&home);
    let cluster = of(&home);
    let refused = |facts: Result<_, ClusterError>| matches!(facts, Err(ClusterError::Unauthenticated { .. }));
    assert!(refused(cluster.facts().await.map(drop)));
    good.write_into(&home);
    assert_eq!(cluster.facts().await.unwrap().user.as_deref(), Some("admin"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_kubeconfig_that_leads_to_another_server_meanwhile_renews_nothing() {
    let home = Home::new();
    Access { token: "is-over".to_owned(), ..admin() }.write_into(&home);
    let cluster = of(&home);
    assert!(cluster.facts().await.is_err());
    Plane::second().access("admin").write_into(&home);
    assert!(matches!(cluster.facts().await, Err(ClusterError::Unauthenticated { .. })));
}
