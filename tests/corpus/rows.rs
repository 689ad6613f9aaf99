//! The rows of the drift catalogue that need no server: what Git declares, what the cluster holds, and what is reported.

use crate::objects;
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Deployer, Managers, deployer, judge};
use driftdeck::model::manifest::BodyLines;
use driftdeck::model::{Judgement, Value, Verdict};
use driftdeck::text::yaml::read_documents;

fn yaml(text: &str) -> Value {
    read_documents(text.as_bytes()).remove(0).expect("the test's own YAML").value
}

fn judged(desired: &str, live: &str) -> Judgement {
    let (schema, managers) = (builtin::schema(), Managers::built_in());
    let live = objects::live(yaml(live)).expect("the test's own object");
    let autoscaled = Autoscaled::default();
    judge(Some(&objects::desired(yaml(desired))), Some(&live), &Context::new(&schema, &managers, &autoscaled))
}

/// Prints the changes: path, class, whether it counts, cause, manager, note.
fn changes(judgement: &Judgement) -> Vec<String> {
    judgement
        .changes
        .iter()
        .map(|c| {
            let by = c.writer.as_ref().map_or("-", |w| w.manager.as_str());
            let counts = if c.counts { "counts" } else { "shown" };
            let note = c.note.as_deref().map(|n| format!(" ({n})")).unwrap_or_default();
            format!("{} {} {counts} {} {by}{note}", c.path, c.class.word(), c.cause.word())
        })
        .collect()
}

fn is_in_sync(desired: &str, live: &str) {
    let judgement = judged(desired, live);
    assert_eq!((judgement.verdict.clone(), changes(&judgement)), (Verdict::InSync, Vec::new()), "{desired}");
}

fn drifts(desired: &str, live: &str, expected: &[&str]) {
    let judgement = judged(desired, live);
    assert_eq!(changes(&judgement), expected, "{desired}");
    assert_eq!(judgement.verdict, Verdict::Drifted, "{desired}");
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1', ports: [{containerPort: 80}], env: [{name: A, value: a}]}
";

const LIVE: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, uid: u, resourceVersion: '7', generation: 2, creationTimestamp: '2026-01-01T00:00:00Z', annotations: {deployment.kubernetes.io/revision: '1'}}
spec:
  progressDeadlineSeconds: 600
  replicas: 1
  revisionHistoryLimit: 10
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
  template:
    metadata: {creationTimestamp: null, labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        imagePullPolicy: IfNotPresent
        ports: [{containerPort: 80, protocol: TCP}]
        env: [{name: A, value: a}]
        resources: {}
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      securityContext: {}
      terminationGracePeriodSeconds: 30
status: {replicas: 1}
";

/// Adds an entry of managed fields to a live object's YAML.
fn owned(live: &str, entries: &str) -> String {
    live.replacen("metadata: {", &format!("metadata: {{managedFields: [{entries}], "), 1)
}

const APPLIED: &str = "{manager: deployer, operation: Apply, apiVersion: apps/v1, time: '2026-01-01T00:00:00Z', fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:selector': {}, 'f:template': {'f:metadata': {'f:labels': {'f:app': {}}}, 'f:spec': {'f:containers': {'k:{\"name\":\"web\"}': {.: {}, 'f:image': {}, 'f:name': {}}}}}}}}";

#[test]
fn a_live_object_with_everything_that_the_server_fills_in_is_in_sync() {
    is_in_sync(DEPLOYMENT, LIVE);
}

#[test]
fn quantities_empty_values_and_unset_zeroes_are_the_same() {
    is_in_sync(
        &DEPLOYMENT
            .replace("image: 'web:1'", "image: 'web:1', resources: {limits: {cpu: 1000m, memory: 1Gi}}"),
        &LIVE.replace("resources: {}", "resources: {limits: {cpu: '1', memory: 1024Mi}}"),
    );
    is_in_sync(
        &DEPLOYMENT.replace(
            "metadata: {name: web}",
            "metadata: {name: web, annotations: null, creationTimestamp: null}\nstatus: {}",
        ),
        LIVE,
    );
    is_in_sync(
        &DEPLOYMENT.replace("template:\n", "minReadySeconds: 0\n  paused: false\n  template:\n"),
        LIVE,
    );
    is_in_sync(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: []}",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: null}",
    );
}

#[test]
fn a_pointers_zero_is_a_value() {
    drifts(
        &DEPLOYMENT.replace("template:\n", "replicas: 0\n  template:\n"),
        LIVE,
        &[".spec.replicas changed counts unknown -"],
    );
    drifts(
        &DEPLOYMENT.replace("    spec:\n", "    spec:\n      automountServiceAccountToken: false\n"),
        LIVE,
        &[
            ".spec.template.spec.automountServiceAccountToken deleted counts unknown - (the actor is not recorded)",
        ],
    );
    drifts(
        &DEPLOYMENT.replace("template:\n", "strategy: {rollingUpdate: {maxUnavailable: 0}}\n  template:\n"),
        LIVE,
        &[".spec.strategy.rollingUpdate.maxUnavailable changed counts unknown -"],
    );
}

#[test]
fn a_key_that_somebody_chose_is_there_or_not_whatever_its_value() {
    let config =
        |data: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: it}}\ndata: {data}\n");
    let secret = |data: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: it}}\ndata: {data}\n");
    let deleted = [".data.a deleted counts unknown - (the actor is not recorded)"];
    drifts(&config("{a: '', b: c}"), &config("{b: c}"), &deleted);
    drifts(&secret("{a: '', b: Yw==}"), &secret("{b: Yw==}"), &deleted);
    let added = judged(&config("{b: c}"), &config("{a: '', b: c}"));
    assert_eq!(added.changes.iter().map(|c| c.path.to_string()).collect::<Vec<_>>(), [".data.a"]);
    is_in_sync(&config("{a: null}"), &config("{a: ''}"));
}

#[test]
fn a_secrets_text_is_its_data_and_null_is_empty() {
    is_in_sync(
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {p: hello, e: ''}}",
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {p: aGVsbG8=, e: null}, type: Opaque}",
    );
    drifts(
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {p: hello}}",
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {p: aGVsbG8h}, type: Opaque}",
        &[".data.p changed counts unknown -"],
    );
}

#[test]
fn one_port_for_tcp_and_udp_is_two_items_and_their_order_does_not_count() {
    let service = |ports: &str| {
        format!("{{apiVersion: v1, kind: Service, metadata: {{name: s}}, spec: {{ports: [{ports}]}}}}")
    };
    let (tcp, udp) = (
        "{name: a, port: 53, protocol: TCP, targetPort: 53}",
        "{name: b, port: 53, protocol: UDP, targetPort: 53}",
    );
    let declared = service("{name: a, port: 53}, {name: b, port: 53, protocol: UDP}");
    is_in_sync(&declared, &service(&format!("{tcp}, {udp}")));
    let reordered = judged(&declared, &service(&format!("{udp}, {tcp}")));
    assert_eq!(changes(&reordered), [".spec.ports order shown unknown - (another order)"]);
    assert_eq!(reordered.verdict, Verdict::InSync);
    drifts(
        &declared,
        &service(tcp),
        &[r#".spec.ports[port=53,protocol="UDP"] deleted counts unknown - (the actor is not recorded)"#],
    );
}

#[test]
fn the_order_of_init_containers_and_of_variables_that_use_others_is_drift_at_the_list() {
    let pod = |env: &str, init: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: c, image: 'i:1', env: [{env}]}}], initContainers: [{init}]}}}}"
        )
    };
    let (a, b) = ("{name: a, image: 'i:1'}", "{name: b, image: 'i:1'}");
    drifts(
        &pod("", &format!("{a}, {b}")),
        &pod("", &format!("{b}, {a}")),
        &[".spec.initContainers changed counts unknown - (another order)"],
    );
    drifts(
        &pod("{name: X, value: x}, {name: Y, value: $(X)}", ""),
        &pod("{name: Y, value: $(X)}, {name: X, value: x}", ""),
        &[r#".spec.containers[name="c"].env changed counts unknown - (another order)"#],
    );
    let plain = judged(
        &pod("{name: X, value: x}, {name: Y, value: y}", ""),
        &pod("{name: Y, value: y}, {name: X, value: x}", ""),
    );
    assert_eq!(plain.verdict, Verdict::InSync);
}

#[test]
fn an_edited_value_is_drift_by_hand_at_its_path_with_its_manager() {
    let edit = "{manager: kubectl-edit, operation: Update, apiVersion: apps/v1, time: '2026-01-02T00:00:00Z', fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{\"name\":\"web\"}': {'f:image': {}}}}}}}}";
    drifts(
        DEPLOYMENT,
        &owned(&LIVE.replace("image: web:1", "image: web:2"), &format!("{APPLIED}, {edit}")),
        &[r#".spec.template.spec.containers[name="web"].image changed counts by-hand kubectl-edit"#],
    );
}

#[test]
fn a_persons_variable_label_and_changed_default_count_and_a_controllers_does_not() {
    let live = LIVE
        .replace("{name: A, value: a}", "{name: A, value: a}, {name: B, value: b}")
        .replace("revisionHistoryLimit: 10", "revisionHistoryLimit: 3")
        .replace("{name: web, uid", "{name: web, labels: {team: x}, uid")
        .replace("replicas: 1\n  rev", "replicas: 5\n  rev");
    let person = "{manager: kubectl-edit, operation: Update, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {'f:metadata': {'f:labels': {'f:team': {}}}, 'f:spec': {'f:revisionHistoryLimit': {}, 'f:template': {'f:spec': {'f:containers': {'k:{\"name\":\"web\"}': {'f:env': {'k:{\"name\":\"B\"}': {.: {}, 'f:name': {}, 'f:value': {}}}}}}}}}}";
    let controller = "{manager: kube-controller-manager, operation: Update, subresource: scale, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:replicas': {}}}}";
    drifts(
        DEPLOYMENT,
        &owned(&live, &format!("{APPLIED}, {person}, {controller}")),
        &[
            ".metadata.labels.team foreign counts by-hand kubectl-edit",
            ".spec.replicas foreign shown controller kube-controller-manager",
            ".spec.revisionHistoryLimit foreign counts by-hand kubectl-edit",
            r#".spec.template.spec.containers[name="web"].env[name="B"] foreign counts by-hand kubectl-edit"#,
        ],
    );
    let hidden = judged(DEPLOYMENT, &live);
    assert_eq!(hidden.verdict, Verdict::InSync, "a dump without managed fields cannot tell who added what");
    assert!(hidden.changes.iter().all(|c| !c.counts));
}

#[test]
fn what_was_applied_and_is_no_longer_declared_is_a_leftover() {
    let last = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","b":"2"}}"#;
    let live = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{last}'}}}}, data: {{a: '1', b: '2', c: '3'}}}}"
    );
    let declared = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1'}}";
    drifts(
        declared,
        &live,
        &[".data.b leftover counts unsynced-commit -", ".data.c foreign shown unknown -"],
    );

    let set = "{manager: deployer, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {'f:data': {'f:a': {}, 'f:b': {}}}}";
    let keeper = "{manager: other, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {'f:data': {'f:b': {}}}}";
    let live = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', b: '2'}}";
    drifts(declared, &owned(live, set), &[".data.b leftover counts unsynced-commit deployer"]);
    drifts(
        declared,
        &owned(live, &format!("{set}, {keeper}")),
        &[".data.b leftover counts unsynced-commit other (kept by other)"],
    );
}

#[test]
fn a_leftover_that_equals_the_default_is_in_sync() {
    let set = "{manager: deployer, operation: Apply, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:replicas': {}, 'f:revisionHistoryLimit': {}}}}";
    is_in_sync(DEPLOYMENT, &owned(LIVE, set));
}

#[test]
fn a_restart_is_shown_and_does_not_count() {
    let live = LIVE.replace(
        "metadata: {creationTimestamp: null,",
        "metadata: {annotations: {kubectl.kubernetes.io/restartedAt: now}, creationTimestamp: null,",
    );
    let restart = "{manager: kubectl-rollout, operation: Update, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:template': {'f:metadata': {'f:annotations': {.: {}, 'f:kubectl.kubernetes.io/restartedAt': {}}}}}}}";
    let judgement = judged(DEPLOYMENT, &owned(&live, &format!("{APPLIED}, {restart}")));
    assert_eq!(judgement.verdict, Verdict::InSync);
    assert_eq!(
        changes(&judgement),
        [
            ".spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt foreign shown by-hand kubectl-rollout"
        ]
    );
}

#[test]
fn a_value_that_a_controller_keeps_rewriting_is_contended_and_an_active_autoscalers_does_not_count() {
    let desired = DEPLOYMENT.replace("template:\n", "replicas: 2\n  template:\n");
    let controller = "{manager: kube-controller-manager, operation: Update, subresource: scale, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:replicas': {}}}}";
    let live =
        owned(&LIVE.replace("replicas: 1\n  rev", "replicas: 5\n  rev"), &format!("{APPLIED}, {controller}"));
    drifts(&desired, &live, &[".spec.replicas contended counts controller kube-controller-manager"]);

    let scaler = objects::live(yaml(
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 9}}",
    ))
    .expect("the test's own object");
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::of([&scaler]));
    let context = Context::new(&schema, &managers, &autoscaled);
    let live = objects::live(yaml(&live)).expect("the test's own object");
    let judgement = judge(Some(&objects::desired(yaml(&desired))), Some(&live), &context);
    assert_eq!(judgement.verdict, Verdict::InSync);
    assert_eq!(
        changes(&judgement),
        [".spec.replicas contended shown controller kube-controller-manager (an active autoscaler sets it)"]
    );
}

#[test]
fn replicas_that_somebody_scaled_without_leaving_an_entry_are_drift_of_unknown_cause() {
    let live = LIVE.replace("replicas: 1\n  rev", "replicas: 5\n  rev");
    drifts(
        DEPLOYMENT,
        &owned(&live, APPLIED),
        &[".spec.replicas foreign counts unknown - (scaled: the actor is not recorded)"],
    );
}

#[test]
fn a_placeholder_for_an_injected_certificate_is_delegated() {
    let hook = |bundle: &str| {
        format!(
            "{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {{name: w}}, webhooks: [{{name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {{url: 'https://x', {bundle}}}}}]}}"
        )
    };
    let live = hook("caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==");
    is_in_sync(&hook(""), &live);
    let judgement = judged(&hook("caBundle: Cg=="), &live);
    assert_eq!(judgement.verdict, Verdict::InSync);
    assert_eq!(
        changes(&judgement),
        [r#".webhooks[name="a.b.c"].clientConfig.caBundle delegated shown unknown -"#]
    );
}

#[test]
fn an_immutable_field_needs_a_replacement_and_text_is_no_number() {
    let judgement = judged(&DEPLOYMENT.replace("matchLabels: {app: web}", "matchLabels: {app: other}"), LIVE);
    assert_eq!(changes(&judgement), [".spec.selector changed counts unknown -"]);
    assert!(judgement.needs_replace && judgement.needs_exact.is_some());
    let service = |port: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: s}}, spec: {{ports: [{{port: 80, targetPort: {port}}}]}}}}"
        )
    };
    drifts(
        &service("'80'"),
        &service("80"),
        &[r#".spec.ports[port=80,protocol="TCP"].targetPort changed counts unknown -"#],
    );
}

#[test]
fn a_misspelled_field_and_a_doubled_variable_are_invalid_with_their_lines() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  repicas: 2\n  template:\n    spec:\n      containers:\n      - name: a\n        env:\n        - {name: X, value: '1'}\n        - {name: X, value: '2'}\n";
    let document = read_documents(text.as_bytes()).remove(0).expect("the test's own YAML");
    let mut desired = objects::desired(document.value);
    desired.lines = BodyLines::of(&document.lines, &desired.body);
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let judgement = judge(Some(&desired), None, &Context::new(&schema, &managers, &autoscaled));
    assert_eq!(judgement.verdict, Verdict::Invalid);
    let found: Vec<_> =
        judgement.problems.iter().map(|p| (p.path.as_str(), p.title.as_str(), p.line)).collect();
    assert_eq!(
        found,
        [
            (
                ".spec.repicas",
                "unknown field `repicas`: the API server drops it; did you mean `replicas`?",
                Some(5)
            ),
            (
                r#".spec.template.spec.containers[name="a"].env[name="X"]"#,
                "another item of the list has the same name: only one of them can hold",
                Some(12)
            ),
        ]
    );
}

#[test]
fn objects_that_are_missing_extra_terminating_or_excluded_say_so() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let verdict = |desired: Option<&str>, live: Option<&str>| {
        let desired = desired.map(|d| objects::desired(yaml(d)));
        let live = live.map(|l| objects::live(yaml(l)).expect("the test's own object"));
        judge(desired.as_ref(), live.as_ref(), &context)
    };
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}";
    assert_eq!(verdict(Some(map), None).verdict, Verdict::Missing);
    assert_eq!(verdict(None, Some(map)).verdict, Verdict::Extra);
    let going =
        map.replace("name: c", "name: c, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [a/b]");
    let terminating = verdict(Some(map), Some(&going));
    assert_eq!((terminating.verdict, terminating.finalizers), (Verdict::Terminating, vec!["a/b".to_owned()]));
    for (key, value) in [("helm.sh/hook", "test"), ("argocd.argoproj.io/hook", "Sync")] {
        let hook = map.replace("name: c", &format!("name: c, annotations: {{{key}: {value}}}"));
        assert_eq!(verdict(Some(&hook), None).verdict.why(), Some(format!("{key}: {value}").as_str()));
    }
    assert_eq!(verdict(Some(&map.replace("name", "generateName")), None).verdict.why(), Some("generateName"));
}

#[test]
fn a_finalizer_that_was_declared_and_is_gone_is_drift() {
    drifts(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, finalizers: [a/b]}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}",
        &[r#".metadata.finalizers[="a/b"] deleted counts unknown - (the actor is not recorded)"#],
    );
}

#[test]
fn the_deployer_is_the_one_that_applied_most_and_a_tie_is_an_error() {
    let desired = objects::desired(yaml(DEPLOYMENT));
    let of = |live: &str, engine: Option<&str>| {
        deployer(&objects::live(yaml(live)).expect("the test's own object"), &desired, engine)
    };
    let small = APPLIED.replace("deployer", "small").replace("'f:selector': {}, ", "");
    let (both, tie) =
        (format!("{APPLIED}, {small}"), format!("{APPLIED}, {}", APPLIED.replace("deployer", "other")));
    let side = |manager: &str| Ok(Deployer::ServerSide { manager: manager.to_owned() });
    assert_eq!(of(&owned(LIVE, &both), None), side("deployer"));
    assert_eq!(of(&owned(LIVE, &both), Some("argocd-controller")), side("argocd-controller"));
    assert_eq!(of(&owned(LIVE, &tie), None).unwrap_err().managers, ["deployer", "other"]);
    assert_eq!(of(LIVE, None), Ok(Deployer::Driftdeck));
    let helm = LIVE.replace("annotations: {", "annotations: {meta.helm.sh/release-name: r, ");
    assert_eq!(of(&helm, None), Ok(Deployer::Helm));
    let client = LIVE
        .replace("annotations: {", "annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}', ");
    assert_eq!(of(&client, None), Ok(Deployer::ClientSide));
    assert_eq!(of(&client, Some("argocd-controller")), Ok(Deployer::ClientSide));
}
