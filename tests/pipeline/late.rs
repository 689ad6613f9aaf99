//! Kinds that a cluster comes to serve while it is followed.

use crate::ground::{Told, cluster, noon, read};
use crate::scripted::{Script, Scripted};
use crate::support::Repository;
use driftdeck::cluster::builtin;

const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, default: 3}, colour: {type: string}}}}
";
const WIDGET: &str = "\
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: shop}
spec: {colour: blue}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_appears_later_is_picked_up_and_its_schema_is_asked_for_until_it_is_published() {
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{DEFINITION}---\n{WIDGET}")).commit("Add a widget");
    // The documents of the schema follow a moment after the kind is served.
    let lagging = [builtin::schema(), builtin::schema(), builtin::schema()];
    let live = Scripted::new(cluster(&[]), Script { schemas: lagging.into(), ..Script::default() });
    let mut told = Told::following(&repository, live.clone()).await;
    live.inner.put(&read(DEFINITION), noon()());
    live.inner.put(&read(&WIDGET.replace("colour: blue", "colour: blue, size: 3")), noon()());
    let exact = |told: &Told| {
        let mut statuses = told.resources.values().filter(|status| status.kind.kind == "Widget");
        statuses.any(|s| s.verdict().word() == "in-sync" && s.judgement.needs_exact.is_none())
    };
    told.until("the widget is judged by its schema", exact).await;
    assert!(live.script.lock().unwrap().schemas.is_empty(), "it was asked for again");
}
