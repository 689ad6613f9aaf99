//! Autoscalers, in whichever version they are watched.

use crate::ground::{Told, applied, cluster, noon, read};
use crate::support::Repository;
use driftdeck::cluster::Patch;
use driftdeck::cluster::offline::Target;
use driftdeck::model::GroupVersionKind;
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
const AUTOSCALER: &str = "\
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_one_autoscaler_forgets_none_that_is_watched_in_another_version() {
    let elsewhere = AUTOSCALER.replace("namespace: shop", "namespace: jobs");
    let repository = Repository::new();
    repository.write("web/a.yaml", DEPLOYMENT).write("jobs/a.yaml", &elsewhere).commit("Add both");
    let scaled = DEPLOYMENT.replace("replicas: 2", "replicas: 5");
    let live = cluster(&[read(&scaled), read(AUTOSCALER), applied(&elsewhere)]);
    let mut told = Told::following(&repository, live.clone()).await;
    let web = "web Deployment.apps/shop/web in-sync".to_owned();
    assert!(told.verdicts().contains(&web), "{:#?}", told.verdicts());
    let target = Target {
        kind: GroupVersionKind::new("autoscaling", "v1", "HorizontalPodAutoscaler"),
        namespace: Some("jobs".into()),
        name: "web".into(),
    };
    let patch = Patch::Merge(value!({"spec": {"maxReplicas": 7}}));
    live.edit(&target, patch, "kubectl-edit", None, noon()()).unwrap();
    let drifted = "jobs HorizontalPodAutoscaler.autoscaling/jobs/web drifted".to_owned();
    told.until("the other autoscaler has drifted", |told| told.verdicts().contains(&drifted)).await;
    assert!(told.verdicts().contains(&web), "{:#?}", told.verdicts());
}
