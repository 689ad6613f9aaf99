//! Rows 10, 24 and 53, and what else a CustomResourceDefinition may say of its objects: defaults, list and map types,
//! quantities, unknown fields that are kept, embedded objects, several versions.

use super::{Stage, WAYS, Way};
use serde_json::json;

/// A definition of this test run's own, with the given schema of `spec`.
struct Definition {
    group: String,
    plural: String,
    kind: &'static str,
}

impl Definition {
    fn new(subject: &str, kind: &'static str) -> Self {
        let group = format!("{subject}-{}.example.com", std::process::id());
        Self { group, plural: format!("{}s", kind.to_lowercase()), kind }
    }

    fn manifest(&self, versions: &str) -> String {
        let Self { group, plural, kind } = self;
        format!(
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: {plural}, kind: {kind}}}
  versions:
{versions}"
        )
    }

    fn one_version(&self, spec: &str) -> String {
        self.manifest(&version("v1", true, spec))
    }

    fn object(&self, spec: &str) -> String {
        self.object_as("v1", spec)
    }

    fn object_as(&self, version: &str, spec: &str) -> String {
        let Self { group, kind, .. } = self;
        format!("apiVersion: {group}/{version}\nkind: {kind}\nmetadata: {{name: it}}\nspec: {spec}\n")
    }

    /// Declares an object, serves its kind, and applies it.
    #[track_caller]
    fn stage(&self, way: Way, definition: &str, object: &str) -> Stage {
        let stage = Stage::declared("crd", way, object);
        stage.namespace.apply(definition);
        let name = format!("crd/{}.{}", self.plural, self.group);
        stage.namespace.plane.established(&[&name]);
        stage.apply(object);
        stage
    }

    fn live(&self) -> String {
        format!("{}.{}/it", self.plural, self.group)
    }
}

fn version(name: &str, storage: bool, spec: &str) -> String {
    format!(
        "  - name: {name}
    served: true
    storage: {storage}
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {spec}}}}}}}
"
    )
}

/// Every feature of a structural schema that decides about a comparison.
const SPEC: &str = r"{type: object, properties: {
      replicas: {type: integer, default: 1},
      enabled: {type: boolean, default: true},
      idle: {type: boolean},
      tags: {type: array, items: {type: string}},
      none: {type: array, items: {type: string}, default: []},
      nested: {type: object, default: {}, properties: {level: {type: string, default: info}, more: {type: string}}},
      ports: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [port, protocol], items: {type: object, required: [port], properties: {port: {type: integer}, protocol: {type: string, default: TCP}, weight: {type: integer, default: 5}}}},
      names: {type: array, x-kubernetes-list-type: set, items: {type: string}},
      steps: {type: array, x-kubernetes-list-type: atomic, items: {type: object, properties: {run: {type: string}, retry: {type: integer, default: 3}}}},
      choice: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}, b: {type: string}}},
      labels: {type: object, additionalProperties: {type: string}},
      size: {anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true, pattern: '^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$'},
      target: {x-kubernetes-int-or-string: true},
      free: {type: object, x-kubernetes-preserve-unknown-fields: true},
      partly: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: string, default: yes-of-course}}},
      template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true},
      maybe: {type: string, nullable: true},
      ratio: {type: number},
      when: {type: string, format: date-time}}}";

const DECLARED: &str = r#"{idle: false, tags: [], ports: [{port: 53}, {port: 53, protocol: UDP, weight: 7}], names: [b, a],
  steps: [{run: one}, {run: two, retry: 1}], choice: {a: x}, labels: {tier: front}, size: 1024Mi, target: "80",
  free: {deep: {list: [1, {x: y}], flag: false}}, partly: {extra: [1]}, maybe: null, ratio: 1.0, when: "2026-01-01T00:00:00Z",
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: inner, labels: {a: b}}, data: {k: v}}}"#;

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_custom_resource_with_every_feature_of_a_schema_is_in_sync_as_applied() {
    let definition = Definition::new("features", "Feature");
    for way in WAYS {
        let stage = definition.stage(way, &definition.one_version(SPEC), &definition.object(DECLARED));
        stage.assert_in_sync();
        let resource = stage.resource("Feature", "it");
        assert_eq!(resource["changes"], json!([]), "{way:?}");
        assert_eq!(resource["needsExact"], json!(null), "{resource:#}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_edit_at_each_kind_of_place_of_a_custom_resource_is_drift_at_exactly_that_path() {
    let definition = Definition::new("places", "Place");
    let edits: &[(&str, &str, &str)] = &[
        (r#"{"op":"replace","path":"/spec/replicas","value":2}"#, ".spec.replicas", "foreign"),
        (r#"{"op":"replace","path":"/spec/enabled","value":false}"#, ".spec.enabled", "foreign"),
        (r#"{"op":"replace","path":"/spec/nested/level","value":"debug"}"#, ".spec.nested.level", "foreign"),
        (r#"{"op":"add","path":"/spec/nested/more","value":"x"}"#, ".spec.nested.more", "foreign"),
        (r#"{"op":"remove","path":"/spec/idle"}"#, ".spec.idle", "deleted"),
        (r#"{"op":"remove","path":"/spec/tags"}"#, ".spec.tags", "deleted"),
        (r#"{"op":"replace","path":"/spec/tags","value":["x"]}"#, ".spec.tags", "changed"),
        (
            r#"{"op":"replace","path":"/spec/ports/0/weight","value":6}"#,
            r#".spec.ports[port=53,protocol="TCP"].weight"#,
            "foreign",
        ),
        (
            r#"{"op":"replace","path":"/spec/ports/1/weight","value":8}"#,
            r#".spec.ports[port=53,protocol="UDP"].weight"#,
            "changed",
        ),
        (r#"{"op":"remove","path":"/spec/ports/1"}"#, r#".spec.ports[port=53,protocol="UDP"]"#, "deleted"),
        (
            r#"{"op":"add","path":"/spec/ports/-","value":{"port":80}}"#,
            r#".spec.ports[port=80,protocol="TCP"]"#,
            "foreign",
        ),
        (r#"{"op":"add","path":"/spec/names/-","value":"c"}"#, r#".spec.names[="c"]"#, "foreign"),
        (r#"{"op":"remove","path":"/spec/names/0"}"#, r#".spec.names[="b"]"#, "deleted"),
        (r#"{"op":"replace","path":"/spec/steps/0/retry","value":9}"#, ".spec.steps", "changed"),
        (r#"{"op":"add","path":"/spec/choice/b","value":"y"}"#, ".spec.choice", "changed"),
        (r#"{"op":"add","path":"/spec/labels/by","value":"hand"}"#, ".spec.labels.by", "foreign"),
        (r#"{"op":"replace","path":"/spec/size","value":"2Gi"}"#, ".spec.size", "changed"),
        (r#"{"op":"replace","path":"/spec/target","value":80}"#, ".spec.target", "changed"),
        (r#"{"op":"replace","path":"/spec/free/deep/flag","value":true}"#, ".spec.free.deep.flag", "changed"),
        (r#"{"op":"remove","path":"/spec/free/deep/flag"}"#, ".spec.free.deep.flag", "deleted"),
        (r#"{"op":"add","path":"/spec/free/deep/new","value":0}"#, ".spec.free.deep.new", "foreign"),
        (
            r#"{"op":"replace","path":"/spec/free/deep/list/1/x","value":"z"}"#,
            ".spec.free.deep.list",
            "changed",
        ),
        (r#"{"op":"replace","path":"/spec/partly/known","value":"no"}"#, ".spec.partly.known", "foreign"),
        (
            r#"{"op":"replace","path":"/spec/template/data/k","value":"w"}"#,
            ".spec.template.data.k",
            "changed",
        ),
        (
            r#"{"op":"add","path":"/spec/template/metadata/labels/c","value":"d"}"#,
            ".spec.template.metadata.labels.c",
            "foreign",
        ),
        (r#"{"op":"replace","path":"/spec/maybe","value":"x"}"#, ".spec.maybe", "changed"),
        (r#"{"op":"replace","path":"/spec/ratio","value":1.5}"#, ".spec.ratio", "changed"),
        (r#"{"op":"replace","path":"/spec/when","value":"2027-01-01T00:00:00Z"}"#, ".spec.when", "changed"),
    ];
    for way in WAYS {
        let stage = definition.stage(way, &definition.one_version(SPEC), &definition.object(DECLARED));
        for (patch, path, class) in edits {
            stage.namespace.patch(&definition.live(), "json", &format!("[{patch}]"), "kubectl-edit");
            stage.assert_drift(&[(path, class)]);
            // The next edit begins where Git is.
            stage.namespace.kubectl(&["delete", &definition.live()]);
            stage.apply(&definition.object(DECLARED));
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_10_an_explicit_empty_list_or_false_of_a_custom_resource_is_no_absence_unless_it_is_the_default() {
    let definition = Definition::new("row10", "Empty");
    let spec = "{type: object, properties: {list: {type: array, items: {type: string}}, flag: {type: boolean}, map: {type: object, additionalProperties: {type: string}}, text: {type: string}, number: {type: integer},
      dlist: {type: array, items: {type: string}, default: []}, dflag: {type: boolean, default: false}, dmap: {type: object, additionalProperties: {type: string}, default: {}}, dtext: {type: string, default: ''}, dnumber: {type: integer, default: 0}, other: {type: string}}}";
    let explicit = "{list: [], flag: false, map: {}, text: '', number: 0}";
    for way in WAYS {
        let stage = definition.stage(way, &definition.one_version(spec), &definition.object("{other: x}"));
        stage.declare(&definition.object("{other: x, list: [], flag: false, map: {}, text: '', number: 0}"));
        stage.assert_drift(&[
            (".spec.flag", "deleted"),
            (".spec.list", "deleted"),
            (".spec.map", "deleted"),
            (".spec.number", "deleted"),
            (".spec.text", "deleted"),
        ]);
        stage.declare(
            &definition.object("{other: x, dlist: [], dflag: false, dmap: {}, dtext: '', dnumber: 0}"),
        );
        stage.assert_in_sync();
        stage.declare(&definition.object("{other: x}"));
        stage.assert_in_sync();
        // The other way round: what is there explicitly, and declared nowhere.
        stage.namespace.patch(
            &definition.live(),
            "merge",
            r#"{"spec":{"list":[],"flag":false,"map":{},"text":"","number":0}}"#,
            "kubectl-edit",
        );
        stage.assert_drift(&[
            (".spec.flag", "foreign"),
            (".spec.list", "foreign"),
            (".spec.map", "foreign"),
            (".spec.number", "foreign"),
            (".spec.text", "foreign"),
        ]);
        stage.declare(&definition.object(explicit));
        stage.apply(&definition.object(explicit));
        stage.assert_in_sync();
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_24_a_definition_that_says_preserve_unknown_fields_false_is_in_sync() {
    let definition = Definition::new("row24", "Old");
    let manifest = definition
        .one_version("{type: object, properties: {a: {type: string}}}")
        .replace("  scope: Namespaced\n", "  scope: Namespaced\n  preserveUnknownFields: false\n");
    for way in WAYS {
        let stage = Stage::applied("row-24", way, &manifest);
        stage.assert_in_sync();
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_custom_resource_without_a_known_schema_is_plain_data_and_says_so() {
    let definition = Definition::new("plain", "Plain");
    let anything = "{type: object, x-kubernetes-preserve-unknown-fields: true}";
    let object = definition.object("{size: 1024Mi, list: [{name: a}, {name: b}], idle: false}");
    for way in WAYS {
        let stage = definition.stage(way, &definition.one_version(anything), &object);
        stage.assert_in_sync();
        stage.declare(&definition.object("{size: 1Gi, list: [{name: b}, {name: a}]}"));
        // Nothing says that the size is a quantity, or that the list has keys.
        let spec = stage.resource("Plain", "it")["changes"].clone();
        let seen: Vec<_> =
            spec.as_array().unwrap().iter().map(|c| (c["path"].clone(), c["class"].clone())).collect();
        assert_eq!(
            seen,
            [
                (json!(".spec.idle"), json!("leftover")),
                (json!(".spec.list"), json!("changed")),
                (json!(".spec.size"), json!("changed"))
            ]
        );
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_object_of_two_versions_is_compared_in_the_version_that_git_declares() {
    let definition = Definition::new("versions", "Twofold");
    let spec = |mode: &str, own: &str| {
        format!(
            "{{type: object, properties: {{mode: {{type: string, default: {mode}}}, {own}: {{type: string}}, size: {{type: integer}}}}}}"
        )
    };
    let both = definition.manifest(
        &(version("v1", true, &spec("one", "first")) + &version("v1beta1", false, &spec("beta", "second"))),
    );
    for way in WAYS {
        for (declared, default) in [("v1", "one"), ("v1beta1", "beta")] {
            let object = definition.object_as(declared, "{size: 1}");
            let stage = definition.stage(way, &both, &object);
            stage.assert_in_sync();
            let resource = stage.resource("Twofold", "it");
            assert_eq!(resource["needsExact"], json!(null), "{declared}: {resource:#}");
            // The other version's object is the same one, read with this version's eyes.
            let other = if declared == "v1" { "v1beta1" } else { "v1" };
            stage.declare(&definition.object_as(other, "{size: 1}"));
            let resource = stage.resource("Twofold", "it");
            assert_eq!(resource["needsExact"], json!(null), "{other}: {resource:#}");
            let paths: Vec<_> =
                resource["changes"].as_array().unwrap().iter().map(|c| c["path"].clone()).collect();
            assert_eq!(
                paths,
                [json!(".spec.mode")],
                "stored as {default}, no default of {other}: {resource:#}"
            );
            stage.declare(&definition.object_as(other, "{size: 2}"));
            let counted = stage.check();
            assert!(super::counted(&counted).iter().any(|c| c["path"] == ".spec.size"), "{counted:#}");
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_53_text_and_a_number_are_two_values_where_both_are_valid() {
    // No built-in kind takes digits as text: the server wants a letter in a port's name, and a percent sign elsewhere.
    let definition = Definition::new("row53", "Target");
    let spec = "{type: object, properties: {port: {x-kubernetes-int-or-string: true}}}";
    for way in WAYS {
        let stage = definition.stage(way, &definition.one_version(spec), &definition.object("{port: '80'}"));
        stage.assert_in_sync();
        stage.namespace.patch(&definition.live(), "merge", r#"{"spec":{"port":80}}"#, "kubectl-edit");
        let changes = stage.assert_drift(&[(".spec.port", "changed")]);
        assert_eq!((&changes[0]["desired"], &changes[0]["live"]), (&json!("80"), &json!(80)));
    }
}
