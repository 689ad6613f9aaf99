//! What ignore rules do to a comparison, and what the switches of the built-in ones do.

use crate::objects;
use driftdeck::cluster::builtin;
use driftdeck::config::ignore::{REPOSITORY_FILE, read_repository_file};
use driftdeck::drift::{Autoscaled, Context, IgnoreRules, Managers, judge};
use driftdeck::model::{BuiltIn, BuiltIns, Judgement, Value, Verdict};
use driftdeck::text::yaml::read_documents;

fn yaml(text: &str) -> Value {
    read_documents(text.as_bytes()).remove(0).expect("the test's own YAML").value
}

fn rules(text: &str, off: &[BuiltIn]) -> IgnoreRules {
    let (rules, mistakes) = read_repository_file(text.as_bytes(), REPOSITORY_FILE);
    assert_eq!(mistakes, [], "{text}");
    IgnoreRules::new(rules, None, BuiltIns::without(off))
}

fn judged(desired: Option<&str>, live: &str, rules: &IgnoreRules) -> Judgement {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let live = objects::live(yaml(live)).expect("the test's own object");
    let mut context = Context::new(&schema, &managers, &autoscaled);
    context.rules = rules;
    judge(desired.map(|text| objects::desired(yaml(text))).as_ref(), Some(&live), &context)
}

/// Prints the changes: path, class, whether it counts, and the rule's line with the class that it hides.
fn changes(judgement: &Judgement) -> Vec<String> {
    let rule = |i: &driftdeck::model::Ignored| {
        format!(" by line {} ({})", i.rule.declared.line.unwrap_or(0), i.class.word())
    };
    let each = judgement.changes.iter().map(|c| {
        let hidden = c.ignored.as_deref().map(rule).unwrap_or_default();
        format!("{} {}{}{hidden}", c.path, c.class.word(), if c.counts { " counts" } else { "" })
    });
    each.collect()
}

const DESIRED: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: payments}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: 'web:1', command: [run]}
";

const LIVE: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {team: payments}
  annotations: {example.com/a: "1", example.com/b: "2"}
  managedFields:
  - manager: kubectl-client-side-apply
    operation: Update
    apiVersion: apps/v1
    time: '2026-01-01T00:00:00Z'
    fieldsV1: {'f:metadata': {'f:labels': {'.': {}, 'f:team': {}}}}
  - manager: reloader
    operation: Update
    apiVersion: apps/v1
    time: '2026-01-02T00:00:00Z'
    fieldsV1: {'f:spec': {'f:replicas': {}}}
  - manager: kubectl-edit
    operation: Update
    apiVersion: apps/v1
    time: '2026-01-03T00:00:00Z'
    fieldsV1:
      f:metadata: {'f:annotations': {'.': {}, 'f:example.com/a': {}, 'f:example.com/b': {}}}
      f:spec:
        f:template:
          f:spec:
            f:containers:
              'k:{"name":"app"}': {'f:image': {}, 'f:command': {}}
              'k:{"name":"debug"}': {'.': {}, 'f:name': {}, 'f:image': {}}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: 'web:2', command: [run, fast]}
      - {name: debug, image: 'busybox'}
"#;

const ANNOTATIONS: &str = ".metadata.annotations.example.com/a";
const APP: &str = r#".spec.template.spec.containers[name="app"]"#;
const DEBUG: &str = r#".spec.template.spec.containers[name="debug"]"#;

#[test]
fn without_a_rule_everything_counts() {
    let expected = [
        format!("{ANNOTATIONS} foreign counts"),
        ".metadata.annotations.example.com/b foreign counts".to_owned(),
        ".spec.replicas contended counts".to_owned(),
        format!("{APP}.command changed counts"),
        format!("{APP}.image changed counts"),
        format!("{DEBUG} foreign counts"),
    ];
    assert_eq!(changes(&judged(Some(DESIRED), LIVE, IgnoreRules::none())), expected);
}

#[test]
fn each_kind_of_rule_hides_what_it_names_and_nothing_else() {
    for (rule, hidden) in [
        ("{fields: .spec.replicas}", vec![".spec.replicas"]),
        ("{kind: Deployment, name: 'w*', namespace: shop, fields: .spec.replicas}", vec![".spec.replicas"]),
        ("{kind: StatefulSet, fields: .spec.replicas}", vec![]),
        ("{name: cart, fields: .spec.replicas}", vec![]),
        ("{labels: {team: payments}, fields: .spec.replicas}", vec![".spec.replicas"]),
        ("{labels: {team: other}, fields: .spec.replicas}", vec![]),
        ("{group: '', fields: .spec.replicas}", vec![]),
        ("{pointers: /spec/replicas}", vec![".spec.replicas"]),
        ("{pointers: /spec/template/spec/containers/0/image}", vec!["app.image"]),
        ("{pointers: /metadata/annotations/example.com~1a}", vec![ANNOTATIONS]),
        ("{fields: '.metadata.annotations.example.com/*'}", vec![ANNOTATIONS, "example.com/b"]),
        ("{fields: '.spec.template.spec.containers[*].image'}", vec!["app.image"]),
        (r#"{fields: '.spec.template.spec.containers[name="debug"]'}"#, vec!["debug"]),
        (r#"{fields: '.spec.template.spec.containers[name="app"].command[1]'}"#, vec!["app.command"]),
        (r#"{fields: '.spec.template.spec.containers[name="app"].command[0]'}"#, vec![]),
        ("{managers: reloader}", vec![".spec.replicas"]),
        ("{managers: 'kubectl-*', fields: .spec}", vec!["app.command", "app.image", "debug"]),
        ("{fields: .}", vec!["a", "b", "app.command", "app.image", "debug", ".spec.replicas"]),
    ] {
        let rules = rules(&format!("ignore:\n- {rule}\n"), &[]);
        let judgement = judged(Some(DESIRED), LIVE, &rules);
        let found: Vec<_> = changes(&judgement).into_iter().filter(|c| c.contains("by line 2")).collect();
        assert_eq!(found.len(), hidden.len(), "{rule}: {found:?}");
        let total = judgement.changes.len();
        assert_eq!(
            (judgement.counted().count(), judgement.ignored()),
            (total - hidden.len(), hidden.len()),
            "{rule}"
        );
        for path in hidden {
            assert!(
                found.iter().any(|c| c
                    .replace(r#"[name="app"]"#, "app")
                    .replace(r#"[name="debug"]"#, "debug")
                    .contains(path)),
                "{rule} {path}: {found:?}"
            );
        }
        let verdict = if judgement.counted().count() > 0 { Verdict::Drifted } else { Verdict::InSync };
        assert_eq!(judgement.verdict, verdict, "{rule}");
    }
}

#[test]
fn an_ignored_change_says_by_which_rule_and_what_it_would_be() {
    let rules = rules("ignore:\n- {fields: .spec.replicas, reason: scaled by hand}\n", &[]);
    let judgement = judged(Some(DESIRED), LIVE, &rules);
    let change = judgement.changes.iter().find(|c| c.ignored.is_some()).expect("it is there");
    assert_eq!(change.note.as_deref(), Some("ignored by .driftdeck.yaml:2: scaled by hand"));
    assert!(changes(&judgement).contains(&".spec.replicas ignored by line 2 (contended)".to_owned()));
    let used = &judgement.rules[0];
    assert_eq!((used.names, used.hides, used.failed.as_deref()), (true, 1, None));
}

#[test]
fn a_rule_that_names_nothing_says_so_and_a_jq_rule_that_cannot_run_hides_nothing() {
    let rules = rules("ignore:\n- {kind: Deployment, fields: .spec.replicsa}\n- {jq: .spec.replicas}\n", &[]);
    let judgement = judged(Some(DESIRED), LIVE, &rules);
    assert_eq!((judgement.rules[0].names, judgement.rules[0].hides), (false, 0));
    assert_eq!(judgement.rules[1].failed.as_deref(), Some("jq expressions cannot be run here"));
    assert_eq!(judgement.ignored(), 0);
}

#[test]
fn an_extra_object_is_none_where_a_rule_names_the_whole_object() {
    let whole = rules("ignore:\n- {kind: Deployment, fields: .}\n", &[]);
    let judgement = judged(None, LIVE, &whole);
    assert_eq!(judgement.verdict.why(), Some("ignored by .driftdeck.yaml:2"));
    let part = rules("ignore:\n- {kind: Deployment, fields: .spec}\n", &[]);
    assert_eq!(judged(None, LIVE, &part).verdict, Verdict::Extra);
}

#[test]
fn a_built_in_rule_that_is_switched_off_hides_nothing_any_more() {
    let config_map = |marks: &str| {
        format!(
            "
apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  {marks}
  managedFields:
  - manager: kubectl-edit
    operation: Update
    apiVersion: v1
    time: '2026-01-03T00:00:00Z'
    fieldsV1:
      f:metadata:
        f:labels: {{'f:app.kubernetes.io/managed-by': {{}}}}
        f:annotations:
          f:kubectl.kubernetes.io/restartedAt: {{}}
          f:deployment.kubernetes.io/revision: {{}}
data: {{a: b}}
"
        )
    };
    let desired = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}";
    for (rule, marks) in [
        (BuiltIn::TrackingMarks, "labels: {app.kubernetes.io/managed-by: Helm}"),
        (BuiltIn::ServerMarks, "annotations: {deployment.kubernetes.io/revision: '3'}"),
        (BuiltIn::RolloutRestart, "annotations: {kubectl.kubernetes.io/restartedAt: now}"),
    ] {
        let live = config_map(marks);
        assert_eq!(judged(Some(desired), &live, IgnoreRules::none()).verdict, Verdict::InSync, "{marks}");
        let judgement = judged(Some(desired), &live, &rules("", &[rule]));
        assert_eq!(judgement.verdict, Verdict::Drifted, "{marks}");
    }
    let hook = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {helm.sh/hook: test}}, data: {a: b}}";
    let judgement = judged(Some(hook), hook, &rules("", &[BuiltIn::Hooks]));
    assert_eq!(judgement.verdict, Verdict::InSync);
    let skip = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}}";
    assert!(matches!(judged(Some(skip), skip, IgnoreRules::none()).verdict, Verdict::Excluded(_)));
    assert_eq!(judged(Some(skip), skip, &rules("", &[BuiltIn::EngineAnnotations])).verdict, Verdict::InSync);
}

#[test]
fn a_path_that_takes_too_much_work_on_an_object_hides_nothing_and_says_so() {
    let map = |value: &str| {
        let keys = (0..1000).map(|n| format!("  k{n}{}: {value}\n", ".a".repeat(120)));
        let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata:\n";
        head.to_owned() + &keys.collect::<String>()
    };
    let rules = rules(&format!("ignore:\n- fields: '{}'\n", ".*".repeat(400)), &[]);
    let judgement = judged(Some(&map("a")), &map("b"), &rules);
    let used = &judgement.rules[0];
    assert_eq!((used.hides, used.failed.as_deref()), (0, Some("its paths take too much work on an object")));
    assert_eq!((judgement.counted().count(), judgement.ignored()), (1000, 0));
}
