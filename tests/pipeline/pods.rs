//! Pods of workloads that do not come up.

use crate::ground::{Told, applied, cluster, noon, read};
use crate::support::Repository;
use driftdeck::cluster::Patch;
use driftdeck::cluster::offline::Target;
use driftdeck::model::{GroupVersionKind, Health, HealthStatus};
use driftdeck::value;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: web}]}}
";
const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web-5c9f-a
  namespace: shop
  labels: {app: web, pod-template-hash: 5c9f}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5c9f, uid: u, controller: true}]
spec: {containers: [{name: app, image: web}]}
status:
  phase: Pending
  containerStatuses: [{name: app, ready: false, state: {waiting: {reason: ImagePullBackOff}}}]
";

fn health_of(told: &Told, name: &str) -> Option<Health> {
    let of = |id: &driftdeck::model::ResourceId| id.name.as_deref() == Some(name);
    told.resources.iter().find(|((_, id), _)| of(id)).map(|(_, status)| status.judgement.health.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_does_not_come_up_says_why_its_pods_do_not_and_stops_when_they_do() {
    let repository = Repository::new();
    repository.write("web/a.yaml", DEPLOYMENT).commit("Add web");
    let live = cluster(&[applied(DEPLOYMENT), read(POD)]);
    let mut told = Told::following(&repository, live.clone()).await;
    let stuck = "0 of 2 new replicas are updated; web-5c9f-a: app: ImagePullBackOff";
    let expected = Some(Health::with(HealthStatus::Progressing, stuck));
    told.until("it says why", |told| health_of(told, "web") == expected).await;
    // Of pods nothing is judged: nobody declares them.
    assert_eq!(told.verdicts(), ["web Deployment.apps/shop/web in-sync"]);
    let pod = Target {
        kind: GroupVersionKind::new("", "v1", "Pod"),
        namespace: Some("shop".into()),
        name: "web-5c9f-a".into(),
    };
    let runs = Patch::Merge(value!({"status": {"phase": "Running", "containerStatuses": null}}));
    live.edit(&pod, runs, "kubelet", Some("status"), noon()()).unwrap();
    let expected = Some(Health::with(HealthStatus::Progressing, "0 of 2 new replicas are updated"));
    told.until("the pod is well", |told| health_of(told, "web") == expected).await;
}
