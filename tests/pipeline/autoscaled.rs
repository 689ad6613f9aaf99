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

#[tokio::test(flavor = "multi_thread")]
async fn keda_and_the_vertical_autoscaler_set_what_is_no_drift() {
    const KEDA: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: shop}
spec: {scaleTargetRef: {name: web}}
";
    const VERTICAL: &str = "\
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
";
    // What KEDA's own autoscaler says while KEDA has scaled to zero.
    let disabled = AUTOSCALER
        .replace("autoscaling/v1", "autoscaling/v2")
        .replace("name: web, namespace", "name: keda-hpa-web, namespace")
        + "status: {conditions: [{type: ScalingActive, status: 'False', reason: ScalingDisabled}]}\n";
    let declared = DEPLOYMENT.replace("image: web", "image: web, resources: {requests: {cpu: 100m}}");
    let repository = Repository::new();
    repository.write("web/a.yaml", &declared).commit("Add web");
    let scaled = declared.replace("replicas: 2", "replicas: 0").replace("100m", "250m");
    for (autoscalers, verdict) in [
        (vec![&*disabled], "drifted"),
        (vec![&*disabled, KEDA], "drifted"),
        (vec![&*disabled, VERTICAL], "drifted"),
        (vec![&*disabled, KEDA, VERTICAL], "in-sync"),
    ] {
        let objects: Vec<_> = [&*scaled].into_iter().chain(autoscalers.clone()).map(read).collect();
        let told = Told::once(&repository, cluster(&objects)).await;
        assert_eq!(told.verdicts(), [format!("web Deployment.apps/shop/web {verdict}")], "{autoscalers:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_that_is_paused_lets_its_target_drift_again() {
    const KEDA: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: shop}
spec: {scaleTargetRef: {name: web}}
";
    let repository = Repository::new();
    repository.write("web/a.yaml", DEPLOYMENT).commit("Add web");
    let live = cluster(&[read(&DEPLOYMENT.replace("replicas: 2", "replicas: 0")), read(KEDA)]);
    let mut told = Told::following(&repository, live.clone()).await;
    assert_eq!(told.verdicts(), ["web Deployment.apps/shop/web in-sync"]);
    let target = Target {
        kind: GroupVersionKind::new("keda.sh", "v1alpha1", "ScaledObject"),
        namespace: Some("shop".into()),
        name: "web".into(),
    };
    let patch = Patch::Merge(value!({"metadata": {"annotations": {"autoscaling.keda.sh/paused": "true"}}}));
    live.edit(&target, patch, "kubectl-annotate", None, noon()()).unwrap();
    told.until("it drifts", |told| told.verdicts() == ["web Deployment.apps/shop/web drifted"]).await;
}
