//! What the API server is asked, and what becomes of its answers: when it is asked unasked, and until when they count.

use crate::ground::{Told, applied, cluster, read, setup};
use crate::scripted::{Script, Scripted};
use crate::support::Repository;
use driftdeck::action::exact::{Subject, ask};
use driftdeck::cluster::{ClusterError, Propagation, Write, builtin};
use driftdeck::model::{GroupVersionKind, Timestamp};
use driftdeck::pipeline::run::Request;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Its selector is compared as a whole: only the server can settle it.
const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
";
const WEBHOOK: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: pins}
webhooks:
- name: pins.example.com
  clientConfig: {url: 'https://127.0.0.1:1/'}
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [services], operations: [CREATE, UPDATE]}]
  sideEffects: None
  admissionReviewVersions: [v1]
";

/// A repository that declares the Service, and a cluster in which it selects something else.
fn drifted(script: Script) -> (Repository, Scripted) {
    let repository = Repository::new();
    repository.write("web/app.yaml", SERVICE).commit("Add web");
    let live = cluster(&[applied(&SERVICE.replace("app: web", "app: other")), read(WEBHOOK)]);
    (repository, Scripted::new(live, script))
}

/// Returns the verdict of the only resource, and whether it is exact.
fn verdict(told: &Told) -> Option<(&'static str, bool)> {
    let status = told.resources.values().next()?;
    Some((status.verdict().word(), status.judgement.exact.is_some()))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_at_a_time_is_asked_about_unasked_however_long_it_takes_and_however_it_ends() {
    let (answer, held) = oneshot::channel();
    let (repository, live) = drifted(Script { held: Some(held), ..Script::default() });
    // A hundred a second.
    let budget = driftdeck::pipeline::setup::Setup {
        exact_background: 6000,
        ..setup(&repository, vec![Arc::new(live.clone())], true)
    };
    let mut told = Told::start(budget);
    let dry_runs = || live.script.lock().unwrap().dry_runs;
    told.until("the verdict is drifted", |told| verdict(told) == Some(("drifted", false))).await;
    while dry_runs() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(dry_runs(), 1, "the first has not ended");
    answer.send(()).unwrap();
    told.until("it was asked again", |told| verdict(told) == Some(("drifted", true))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_moved_and_cannot_be_read_again_has_an_answer_of_its_own_unless_the_server_is_busy() {
    let (repository, live) = drifted(Script::default());
    let told = Told::following(&repository, live.clone()).await;
    let (deployment, id) = told.resources.keys().next().unwrap().clone();
    let inspected = told.handle.inspect(deployment, id).await.unwrap();
    // It is written to after it was read.
    live.inner.put(&applied(&SERVICE.replace("app: web", "app: another")), Timestamp::UNIX_EPOCH);
    let schema = builtin::schema();
    let ask = async |error| {
        live.script.lock().unwrap().gets.push_back(error);
        let subject = Subject {
            desired: inspected.desired.clone().unwrap(),
            live: inspected.live.clone(),
            ignored: Vec::new(),
            engine: None,
        };
        ask(&live, &inspected.facts, &schema, subject, Timestamp::UNIX_EPOCH).await
    };
    let denied = ClusterError::Denied {
        verb: "get".into(),
        resource: "services".into(),
        namespace: Some("shop".into()),
        reason: "forbidden".into(),
    };
    let answer = ask(denied).await.unwrap();
    let why = "you may not get services in namespace shop, so no dry run can be had";
    assert_eq!(answer.why_silent(), Some(why));
    let busy = ClusterError::Busy { after: Duration::from_secs(1) };
    assert!(matches!(ask(busy).await, Err(ClusterError::Busy { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_said_does_not_count_once_a_webhook_is_gone() {
    let (repository, live) = drifted(Script { keeps: true, ..Script::default() });
    let mut told = Told::following(&repository, live.clone()).await;
    assert_eq!(verdict(&told), Some(("drifted", false)));
    let deployment = told.deployments.keys().next().unwrap().clone();
    let cancel = CancellationToken::new();
    told.handle.check_exactly(deployment, Vec::new(), &cancel, &mut |_, _| {}).await.unwrap();
    told.until("the server has said that nothing changes", |told| verdict(told) == Some(("in-sync", true)))
        .await;
    let kind = GroupVersionKind::new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration");
    let write = Write::Delete {
        kind: live.inner.served(&kind).unwrap(),
        namespace: None,
        name: "pins".into(),
        uid: None,
        resource_version: None,
        propagation: Propagation::Background,
    };
    live.inner.act(&write, Timestamp::UNIX_EPOCH).unwrap();
    told.handle.requests.send(Request::Refresh).await.unwrap();
    told.until("the verdict is local", |told| verdict(told) == Some(("drifted", false))).await;
}
