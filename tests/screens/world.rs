//! A made-up world: a fleet of apps on three clusters that have drifted in several ways.

use driftdeck::model::app::HelmSpec;
use driftdeck::model::status::{
    AppStatus, ClusterState, ClusterStatus, DeploymentStatus, RepoStatus, ResourceStatus,
};
use driftdeck::model::story::{EarlierValue, Event, FieldStory};
use driftdeck::model::update::Update;
use driftdeck::model::{
    App, AppId, Asked, Cause, Class, ClusterId, Counts, Declared, DeclaringCommit, DeploymentId, Engine,
    FieldChange, FieldPath, GroupVersionKind, Health, HealthStatus, Identity, Judgement, Notice, Oid,
    Operation, Origin, RenderSpec, RepoId, ResourceId, Revision, Sealed, Story, Timestamp, Told, Value,
    Verdict, Why, Writer,
};
use driftdeck::value;
use std::sync::Arc;

pub const COMMIT: &str = "3f2c1d9a0b4e5f6071829304a5b6c7d8e9f00112";
pub const OLDER: &str = "9c1f07e1b4e5f6071829304a5b6c7d8e9f001122";

/// The night of the incident, 02:44.
pub fn now() -> Timestamp {
    at("02:44:00")
}

/// A time of that night.
pub fn at(clock: &str) -> Timestamp {
    format!("2026-11-21T{clock}Z").parse().unwrap()
}

pub fn day(text: &str) -> Timestamp {
    format!("{text}T12:00:00Z").parse().unwrap()
}

pub fn fleet() -> RepoId {
    RepoId("https://git.example.com/acme/fleet".into())
}

pub fn app_id(name: &str) -> AppId {
    AppId { repo: fleet(), name: name.to_owned() }
}

pub fn cluster_id(context: &str) -> ClusterId {
    ClusterId(format!("uid-of-{context}").into())
}

pub fn deployment_id(app: &str, context: &str) -> DeploymentId {
    DeploymentId::new(app_id(app), cluster_id(context))
}

pub fn repo(name: &str, asked: Asked, commit: &str, authored: Timestamp) -> RepoStatus {
    RepoStatus {
        id: RepoId(format!("https://git.example.com/acme/{name}").into()),
        name: name.to_owned(),
        location: format!("https://git.example.com/acme/{name}"),
        upstream: None,
        revision: Some(Revision {
            asked,
            commit: Some(Oid(commit.to_owned())),
            dirty: false,
            behind: 0,
            ahead: 0,
        }),
        author: Some("Ana".to_owned()),
        subject: Some("Raise memory of web".to_owned()),
        authored: Some(authored),
        fetched: Some(at("02:42:30")),
        fetching: None,
        notice: None,
    }
}

pub fn branch(name: &str) -> Asked {
    Asked::WorkingFolder { branch: Some(name.to_owned()) }
}

pub fn app(name: &str, spec: RenderSpec) -> AppStatus {
    AppStatus {
        app: App {
            id: app_id(name),
            path: format!("apps/{name}"),
            spec,
            engine: Engine::None,
            namespace: None,
            contexts: Vec::new(),
            revision: None,
            declared: Origin { file: format!("apps/{name}/kustomization.yaml"), document: 0, line: Some(1) },
            expected: false,
        },
        notice: None,
    }
}

pub fn cluster(context: &str, state: ClusterState, protected: bool) -> ClusterStatus {
    ClusterStatus {
        id: cluster_id(context),
        context: context.to_owned(),
        name: context.to_owned(),
        version: Some("1.36".to_owned()),
        user: Some("ana".to_owned()),
        state,
        protected,
        read_only: false,
        has_login: false,
    }
}

pub fn deployment(
    app: &str,
    context: &str,
    engine: Engine,
    resources: &[ResourceStatus],
) -> DeploymentStatus {
    let mut counts = Counts::default();
    for resource in resources {
        counts.add(resource.verdict());
    }
    DeploymentStatus {
        id: deployment_id(app, context),
        namespace: Some("shop".to_owned()),
        engine,
        path: format!("apps/{app}"),
        revision: Revision {
            asked: branch("main"),
            commit: Some(Oid(COMMIT.to_owned())),
            dirty: false,
            behind: 14,
            ahead: 0,
        },
        verdict: counts.verdict(),
        health: resources.iter().map(|r| r.health().status).max().unwrap_or(HealthStatus::Healthy),
        counts,
        hidden: resources.iter().map(|r| r.judgement.hidden()).sum(),
        notices: Vec::new(),
        as_at: None,
    }
}

pub fn resource_id(context: &str, api: &str, kind: &str, name: &str) -> ResourceId {
    ResourceId::from(Identity {
        cluster: cluster_id(context),
        kind: GroupVersionKind::from_api_version(api, kind).group_kind(),
        namespace: Some("shop".to_owned()),
        name: Some(name.to_owned()),
    })
}

pub fn resource(
    app: &str,
    context: &str,
    api: &str,
    kind: &str,
    name: &str,
    judgement: Judgement,
) -> ResourceStatus {
    let file = format!("apps/{app}/{}.yaml", kind.to_lowercase());
    let origin = (judgement.verdict != Verdict::Extra).then_some(Origin { file, document: 0, line: Some(1) });
    ResourceStatus {
        deployment: deployment_id(app, context),
        id: resource_id(context, api, kind, name),
        kind: GroupVersionKind::from_api_version(api, kind),
        origin,
        judgement: Arc::new(judgement),
    }
}

pub fn judged(verdict: Verdict, changes: Vec<FieldChange>, health: Health) -> Judgement {
    Judgement { changes, ..Judgement::plain(verdict, health) }
}

pub fn healthy() -> Health {
    Health::of(HealthStatus::Healthy)
}

pub fn change(path: &str, class: Class, desired: Option<Value>, live: Option<Value>) -> FieldChange {
    FieldChange {
        counts: !matches!(class, Class::Ignored | Class::Delegated | Class::Order),
        desired,
        live,
        ..FieldChange::new(FieldPath::parse(path).unwrap(), class)
    }
}

fn writer(manager: &str, time: Timestamp) -> Writer {
    Writer {
        manager: manager.to_owned(),
        called: None,
        operation: Operation::Update,
        subresource: None,
        time: Some(time),
    }
}

/// The hotfix that somebody made by hand at 02:41.
pub fn hotfix() -> Vec<FieldChange> {
    let image = FieldChange {
        cause: Cause::ByHand,
        writer: Some(writer("kubectl-edit", at("02:41:00"))),
        origin: Some(Origin { file: "apps/web/deployment.yaml".to_owned(), document: 0, line: Some(24) }),
        declared: Some(Declared::By(DeclaringCommit {
            commit: Oid(OLDER.to_owned()),
            author: "Ana".to_owned(),
            authored: Some(day("2026-11-20")),
            subject: "Release 1.4.2".to_owned(),
            told: Told::Line,
            or_earlier: false,
        })),
        ..change(
            r#".spec.template.spec.containers[name="app"].image"#,
            Class::Changed,
            Some(value!("registry.example.com/shop/web:1.4.2")),
            Some(value!("registry.example.com/shop/web:1.4.3-hotfix")),
        )
    };
    let debug = FieldChange {
        cause: Cause::ByHand,
        writer: Some(writer("kubectl-edit", at("02:41:00"))),
        ..change(
            r#".spec.template.spec.containers[name="app"].env[name="DEBUG"]"#,
            Class::Foreign,
            None,
            Some(value!({"name": "DEBUG", "value": "1"})),
        )
    };
    let rollout = FieldChange {
        counts: false,
        cause: Cause::Controller,
        writer: Some(writer("kube-controller-manager", at("02:41:10"))),
        ..change(".metadata.annotations.rollout", Class::Foreign, None, Some(value!("7")))
    };
    vec![image, debug, rollout]
}

fn contended() -> Vec<FieldChange> {
    let lines = |middle: &str| {
        let mut text: Vec<String> = (1..=14).map(|n| format!("key{n}={n}")).collect();
        text[6] = format!("{middle}1");
        text[7] = format!("{middle}2");
        value!(text.join("\n"))
    };
    vec![FieldChange {
        cause: Cause::Controller,
        writer: Some(writer("reloader", day("2026-11-20"))),
        ..change(".data.app.properties", Class::Contended, Some(lines("a")), Some(lines("b")))
    }]
}

/// The resources of web on prod-eu.
pub fn web() -> Vec<ResourceStatus> {
    let progressing = Health::with(HealthStatus::Progressing, "1 of 3 ready");
    let mut resources = vec![
        resource(
            "web",
            "prod-eu",
            "apps/v1",
            "Deployment",
            "web",
            judged(Verdict::Drifted, hotfix(), progressing),
        ),
        resource(
            "web",
            "prod-eu",
            "v1",
            "ConfigMap",
            "web-config",
            judged(Verdict::Drifted, contended(), healthy()),
        ),
    ];
    for n in 0..22 {
        let name = format!("web-{n:02}");
        resources.push(resource(
            "web",
            "prod-eu",
            "v1",
            "Service",
            &name,
            judged(Verdict::InSync, Vec::new(), healthy()),
        ));
    }
    resources
}

/// The resources of api on prod-eu: one of every other verdict.
pub fn api() -> Vec<ResourceStatus> {
    let missing = judged(Verdict::Missing, Vec::new(), Health::of(HealthStatus::Missing));
    let mut terminating = judged(Verdict::Terminating, Vec::new(), healthy());
    terminating.finalizers = vec!["kubernetes.io/pvc-protection".to_owned()];
    let mut invalid = judged(Verdict::Invalid, Vec::new(), healthy());
    invalid.problems = vec![driftdeck::model::Problem {
        path: ".spec.replicas".to_owned(),
        title: "duplicate key".to_owned(),
        file: Some("apps/api/statefulset.yaml".to_owned()),
        line: Some(12),
    }];
    let secret = change(
        ".data.password",
        Class::Changed,
        Some(Value::Sealed(Sealed::text("correct horse".to_owned()))),
        Some(Value::Sealed(Sealed::text("battery staple".to_owned()))),
    );
    let crashing =
        Health::with(HealthStatus::Degraded, "CrashLoopBackOff: back-off 5m0s restarting failed container");
    let row =
        |api: &str, kind: &str, name: &str, judgement| resource("api", "prod-eu", api, kind, name, judgement);
    vec![
        row("apps/v1", "Deployment", "api", judged(Verdict::InSync, Vec::new(), crashing)),
        row("v1", "Secret", "api-database", judged(Verdict::Drifted, vec![secret], healthy())),
        row("v1", "Service", "api", missing),
        row("batch/v1", "Job", "api-migrate-7", judged(Verdict::Extra, Vec::new(), healthy())),
        row("v1", "PersistentVolumeClaim", "api-data", terminating),
        row("apps/v1", "StatefulSet", "api-store", invalid),
        row(
            "example.com/v1",
            "Widget",
            "api-widget",
            judged(
                Verdict::Unknown(Why::new("the kind is not served")),
                Vec::new(),
                Health::of(HealthStatus::Unknown),
            ),
        ),
        row(
            "batch/v1",
            "Job",
            "api-hook",
            judged(Verdict::Excluded(Why::new("a hook")), Vec::new(), Health::of(HealthStatus::Unknown)),
        ),
    ]
}

pub fn in_sync(app: &str, context: &str, n: usize) -> Vec<ResourceStatus> {
    let row = |i: usize| {
        resource(
            app,
            context,
            "v1",
            "Service",
            &format!("{app}-{i:02}"),
            judged(Verdict::InSync, Vec::new(), healthy()),
        )
    };
    (0..n).map(row).collect()
}

/// Everything that the pipeline tells, in the order in which it would.
pub fn updates() -> Vec<Update> {
    let mut fleet_repo = repo("fleet", branch("main"), COMMIT, at("00:40:00"));
    if let Some(revision) = &mut fleet_repo.revision {
        revision.behind = 14;
    }
    let mut infra = repo("infra", branch("main"), "7d00e2fa0b4e5f6071829304a5b6c7d8e9f00112", at("01:40:00"));
    if let Some(revision) = &mut infra.revision {
        revision.dirty = true;
    }
    infra.fetched = Some(at("01:40:00"));
    let mut charts =
        repo("shop-charts", branch("main"), "91ab33ea0b4e5f6071829304a5b6c7d8e9f00112", at("02:20:00"));
    charts.fetched = Some(at("02:20:00"));
    let mut updates = [fleet_repo, charts, infra].map(|status| Update::Repo { status, was: None }).to_vec();
    let apps = [
        ("api", RenderSpec::Kustomize),
        ("web", RenderSpec::Kustomize),
        ("billing", RenderSpec::Kustomize),
        ("cart", RenderSpec::Plain { exclude: Vec::new() }),
        ("search", RenderSpec::Helm(HelmSpec::default())),
        ("debug-tools", RenderSpec::Plain { exclude: Vec::new() }),
    ];
    updates.push(Update::Apps { repo: fleet(), apps: apps.map(|(name, spec)| app(name, spec)).to_vec() });
    let unreachable = ClusterState::Unreachable {
        since: at("02:35:00"),
        why: "connection timed out".to_owned(),
        next_try: Some(at("02:45:00")),
    };
    let clusters = [
        ("prod-eu", ClusterState::Live, true),
        ("prod-us", ClusterState::Live, true),
        ("edge-7", unreachable, false),
    ];
    for (context, state, protected) in clusters {
        updates.push(Update::Cluster { status: cluster(context, state, protected), was: None });
    }
    let tell = |app: &str, context: &str, engine: Engine, resources: Vec<ResourceStatus>| {
        let status = deployment(app, context, engine, &resources);
        let id = status.id.clone();
        [
            Update::Deployment(status),
            Update::Resources { deployment: id, changed: resources, gone: Vec::new() },
        ]
    };
    updates.extend(tell("web", "prod-eu", Engine::Flux, web()));
    updates.extend(tell("web", "prod-us", Engine::Flux, in_sync("web", "prod-us", 24)));
    updates.extend(tell("api", "prod-eu", Engine::ArgoCd, api()));
    updates.extend(tell("cart", "prod-eu", Engine::Flux, in_sync("cart", "prod-eu", 24)));
    updates.extend(tell("search", "prod-eu", Engine::Helm, in_sync("search", "prod-eu", 11)));
    let mut failed = deployment("billing", "prod-eu", Engine::Flux, &[]);
    failed.verdict = Verdict::Unknown(Why::new("render failed"));
    failed.notices =
        vec![Notice::error("billing does not render").cause("kustomize: no such file: base/patch.yaml")];
    updates.push(Update::Deployment(failed));
    let mut absent = deployment("debug-tools", "prod-eu", Engine::None, &[]);
    absent.verdict = Verdict::Excluded(Why::not_deployed_here());
    updates.push(Update::Deployment(absent));
    let mut silent = deployment("web", "edge-7", Engine::Flux, &[]);
    silent.verdict = Verdict::Unknown(Why::new("edge-7 does not answer"));
    updates.push(Update::Deployment(silent));
    updates.push(Update::Notice(
        Notice::warning("edge-7 does not answer")
            .cause("connection timed out")
            .hint("the next try is at 02:45"),
    ));
    updates.push(Update::Settled);
    updates
}

/// What is told of web's Deployment: a commit whose author and subject are hostile, and earlier values of the image.
pub fn story(whole: bool) -> Story {
    let commit = |author: &str, subject: &str, on: &str| DeclaringCommit {
        commit: Oid(OLDER.to_owned()),
        author: author.to_owned(),
        authored: Some(day(on)),
        subject: subject.to_owned(),
        told: Told::Line,
        or_earlier: false,
    };
    let hotfix = hotfix();
    let fields = hotfix.iter().map(|change| FieldStory {
        path: change.path.clone(),
        origin: change.origin.clone(),
        declared: change.desired.as_ref().map(|_| Declared::By(commit("Ana", "Release 1.4.2", "2026-11-20"))),
        applied: change
            .desired
            .as_ref()
            .filter(|_| whole)
            .map(|_| value!("registry.example.com/shop/web:1.4.0")),
        earlier: match &change.desired {
            Some(_) if whole => vec![
                EarlierValue {
                    commit: commit("Jonas\u{1b}[31m", "Release\u{202e} 1.4.1", "2026-11-18"),
                    value: Some(value!("registry.example.com/shop/web:1.4.1")),
                },
                EarlierValue { commit: commit("Priya", "Begin without an image", "2026-11-02"), value: None },
            ],
            _ => Vec::new(),
        },
        earlier_more: false,
    });
    let events = vec![Event {
        at: Some(at("02:42:00")),
        warning: true,
        reason: "FailedCreate".to_owned(),
        message: "pods \u{1b}]0;\"web\" are forbidden".to_owned(),
        by: "replicaset-controller".to_owned(),
        count: 3,
    }];
    Story {
        failed_sync: None,
        whole,
        fields: fields.collect(),
        events: if whole { events } else { Vec::new() },
        no_events: None,
    }
}
