//! Whole objects: those that Git does not declare, and those that the cluster does not hold.

use super::*;
use crate::value;

fn service() -> LiveObject {
    let body = value!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "extra", "namespace": "default", "uid": "u", "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"team": "shop", "argocd.argoproj.io/instance": "x"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
        },
        "spec": {
            "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "sessionAffinity": "None", "type": "ClusterIP",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "selector": {"app": "web"}
        },
        "status": {"loadBalancer": {}}
    });
    let live = LiveObject::read(&ClusterId(CLUSTER.into()), body).expect("an object");
    LiveObject { id: id_of(&live, "default"), ..live }
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: '1'\n";

#[tokio::test]
async fn an_object_that_git_does_not_declare_becomes_a_file_beside_its_neighbours() {
    let tree: Arc<dyn Tree> = Arc::new(files(&[("web/c.yaml", CONFIG)]));
    let live = service();
    let extra = Chosen { id: live.id.clone(), live: Some(live), changes: Vec::new() };
    assert_eq!(
        said(&plain("web"), &tree, std::slice::from_ref(&extra)).await,
        "\
web/extra-service.yaml
+ apiVersion: v1
+ kind: Service
+ metadata:
+   name: extra
+   labels:
+     team: shop
+ spec:
+   ports:
+   - port: 80
+   selector:
+     app: web
whole: added as web/extra-service.yaml, line 1
"
    );
}

#[tokio::test]
async fn an_object_of_another_is_not_captured() {
    let mut live = service();
    let owner = value!([{"kind": "ReplicaSet", "name": "web-1"}]);
    let metadata =
        live.body.as_map_mut().and_then(|body| body.get_mut("metadata")).and_then(Value::as_map_mut);
    metadata.expect("metadata").insert("ownerReferences".to_owned(), owner);
    let tree: Arc<dyn Tree> = Arc::new(files(&[("web/c.yaml", CONFIG)]));
    let extra = Chosen { id: live.id.clone(), live: Some(live), changes: Vec::new() };
    assert_eq!(
        said(&plain("web"), &tree, &[extra]).await,
        "whole refused: it belongs to ReplicaSet/web-1, which makes it\n"
    );
}

#[tokio::test]
async fn what_was_deleted_by_hand_goes_with_its_document_or_its_file() {
    let both = format!("{CONFIG}---\n# the other\n{}", CONFIG.replace("name: c", "name: d"));
    for (text, wanted) in [
        (
            both.as_str(),
            "web/c.yaml\n- apiVersion: v1\n- kind: ConfigMap\n- metadata:\n-   name: c\n- data:\n-   a: '1'\n- ---\nwhole: removed from web/c.yaml, line 1\n",
        ),
        (
            CONFIG,
            "web/c.yaml\n- apiVersion: v1\n- kind: ConfigMap\n- metadata:\n-   name: c\n- data:\n-   a: '1'\nwhole: web/c.yaml removed, line 1\n",
        ),
    ] {
        let tree: Arc<dyn Tree> =
            Arc::new(files(&[("web/c.yaml", text), ("web/e.yaml", &CONFIG.replace("name: c", "name: e"))]));
        let rendered =
            render::render(&plain("web"), &tree, &tools(), &context(), &CancellationToken::new()).await;
        let id = manifest(&rendered, "ConfigMap/default/c").id;
        let missing = Chosen { id, live: None, changes: Vec::new() };
        assert_eq!(said(&plain("web"), &tree, &[missing]).await, wanted);
    }
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_kustomization_names_what_comes_and_no_more_what_goes() {
    let tree: Arc<dyn Tree> = Arc::new(files(&[
        ("prod/kustomization.yaml", "namespace: default\nresources:\n  # ours\n  - c.yaml\n  - ../base\n"),
        ("prod/c.yaml", CONFIG),
        ("base/kustomization.yaml", "resources: [b.yaml]\n"),
        ("base/b.yaml", &CONFIG.replace("name: c", "name: b")),
    ]));
    let app = kustomize("prod");
    let rendered = render::render(&app, &tree, &tools(), &context(), &CancellationToken::new()).await;
    let live = service();
    let gone = |id: &str| Chosen { id: manifest(&rendered, id).id, live: None, changes: Vec::new() };
    let extra = Chosen { id: live.id.clone(), live: Some(live), changes: Vec::new() };
    assert_eq!(
        said(&app, &tree, &[extra, gone("ConfigMap/default/c"), gone("ConfigMap/default/b")]).await,
        "\
prod/c.yaml
- apiVersion: v1
- kind: ConfigMap
- metadata:
-   name: c
- data:
-   a: '1'
prod/extra-service.yaml
+ apiVersion: v1
+ kind: Service
+ metadata:
+   name: extra
+   labels:
+     team: shop
+ spec:
+   ports:
+   - port: 80
+   selector:
+     app: web
prod/kustomization.yaml
-   - c.yaml
+   - extra-service.yaml
+ patches:
+   - patch: |
+       apiVersion: v1
+       kind: ConfigMap
+       metadata:
+         name: b
+       $patch: delete
+     target:
+       kind: ConfigMap
+       name: b
whole: added as prod/extra-service.yaml, line 1
  prod/kustomization.yaml names it
whole: prod/c.yaml removed, line 1
  prod/kustomization.yaml names it no more
whole: taken away by a patch in prod/kustomization.yaml, line 7
"
    );
}
