//! Row 10 and the exact check: an empty value of a custom resource says something, and so does a key with an empty value.

use super::{counted, exactly, resource};
use crate::catalogue::{Stage, WAYS};
use serde_json::json;

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_empty_value_that_somebody_takes_away_is_drift_exactly_and_a_sync_brings_it_back() {
    let group = format!("empties-{}.example.com", std::process::id());
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: filters.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: filters, kind: Filter}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{
      compress: {{type: object, properties: {{level: {{type: integer}}}}}},
      hosts: {{type: array, items: {{type: string}}}}, prefix: {{type: string}}}}}}}}}}}}
"
    );
    let objects = format!(
        "apiVersion: {group}/v1\nkind: Filter\nmetadata: {{name: it}}\nspec: {{compress: {{}}, hosts: [], prefix: ''}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: flags}}\ndata: {{fast: '', slow: 'no'}}\n"
    );
    for way in WAYS {
        let stage = Stage::declared("empties", way, &objects);
        stage.namespace.apply(&definition);
        let name = format!("crd/filters.{group}");
        stage.namespace.plane.established(&[&name]);
        stage.apply(&objects);
        let is_all_in_sync =
            || assert_eq!(exactly(&stage)["verdict"], "in-sync", "{way:?}: {:#}", exactly(&stage));
        is_all_in_sync();
        let gone = r#"{"spec":{"compress":null,"hosts":null,"prefix":null}}"#;
        stage.namespace.patch(&format!("filters.{group}/it"), "merge", gone, "kubectl-edit");
        stage.namespace.patch("configmap/flags", "merge", r#"{"data":{"fast":null}}"#, "kubectl-edit");
        let document = exactly(&stage);
        let filter = resource(&document, "Filter", "it");
        assert_eq!(filter["confidence"], json!("exact"), "{filter:#}");
        let deleted =
            [".spec.compress", ".spec.hosts", ".spec.prefix"].map(|p| (p.to_owned(), "deleted".to_owned()));
        assert_eq!(counted(&filter), deleted, "{way:?}: {filter:#}");
        let flags = resource(&document, "ConfigMap", "flags");
        assert_eq!(counted(&flags), [(".data.fast".to_owned(), "deleted".to_owned())], "{way:?}: {flags:#}");
        let app = document["apps"][0]["name"].as_str().unwrap();
        stage.home.driftdeck(["sync", app, "repo", "--yes", "--dirty"]).exits(0);
        is_all_in_sync();
    }
}
