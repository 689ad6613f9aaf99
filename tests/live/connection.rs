//! Every way to a real API server that a kubeconfig can ask for.

use std::sync::Arc;
use std::time::Duration;

use driftdeck::cluster::remote::{Options, Remote, Sources};
use driftdeck::cluster::{Cluster, ClusterError};
use driftdeck::model::Timestamp;

use crate::support::{Access, Home, Plane, Tunnel};

fn options() -> Options {
    let mut options = Options::new(Arc::new(|| Timestamp::UNIX_EPOCH));
    options.request_timeout = Duration::from_secs(30);
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

/// The administrator's kubeconfig with more said of its cluster.
fn home_saying(of_cluster: &str) -> Home {
    let home = Home::new();
    let config = admin().kubeconfig();
    home.write(
        "kubeconfig",
        config.replace("cluster: {server:", &format!("cluster: {{{of_cluster}, server:")),
    );
    home
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_cluster_is_reached_through_the_http_or_socks_proxy_that_its_kubeconfig_names() {
    for scheme in ["http", "socks5", "socks5h"] {
        let tunnel = Tunnel::start();
        let home = home_saying(&format!("proxy-url: '{}'", tunnel.url(scheme)));
        assert_eq!(of(&home).facts().await.unwrap().user.as_deref(), Some("admin"), "{scheme}");
        assert!(tunnel.opened() > 0, "{scheme}: not around it");
    }
    let home = home_saying("proxy-url: 'http://127.0.0.1:9'");
    assert!(matches!(of(&home).facts().await, Err(ClusterError::Unreachable { .. })), "and never around it");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn the_servers_name_is_checked_against_tls_server_name_unless_it_is_not_to_be_checked_at_all() {
    // The kubeconfig is read when it is needed: its home stays until then.
    let (home, other) =
        (home_saying("tls-server-name: localhost"), home_saying("tls-server-name: elsewhere.example.com"));
    assert_eq!(of(&home).facts().await.map(drop), Ok(()));
    let by_another = of(&other).facts().await;
    assert!(
        matches!(by_another, Err(ClusterError::Unreachable { .. })),
        "no certificate for it: {by_another:?}"
    );

    let without_authority = |more: &str| {
        let home = Home::new();
        let access = admin();
        let authority = format!(", certificate-authority: '{}'", access.authority.display());
        home.write("kubeconfig", access.kubeconfig().replace(&authority, more));
        home
    };
    let (home, unchecked) = (without_authority(""), without_authority(", insecure-skip-tls-verify: true"));
    let unvouched = of(&home).facts().await;
    assert!(matches!(unvouched, Err(ClusterError::Unreachable { .. })), "nobody vouches: {unvouched:?}");
    assert_eq!(of(&unchecked).facts().await.map(drop), Ok(()));
}
