//! What changed anywhere: from managed fields, repositories, and what watches showed.

use crate::ground::{Told, applied, noon, read, setup};
use crate::scripted::{Script, Scripted};
use crate::support::Repository;
use driftdeck::action::journal::Journal;
use driftdeck::action::sync;
use driftdeck::cluster::Cluster;
use driftdeck::cluster::offline::{Offline, Target};
use driftdeck::cluster::{Patch, Propagation, Write};
use driftdeck::model::{
    Blind, GroupVersionKind, HappeningKind, Past, Plan, Timestamp, Value, Where, confirm,
};
use driftdeck::pipeline::changes::Ground;
use driftdeck::pipeline::{acting, changes};
use driftdeck::value;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {mode: fast}\n";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cluster(name: &str) -> Offline {
    let namespace = value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let clock = Arc::new(|| at("2026-02-28T09:00:00Z"));
    Offline::builder(name, clock).object(&namespace).object(&applied(MAP)).build()
}

fn map() -> Target {
    Target {
        kind: GroupVersionKind::new("", "v1", "ConfigMap"),
        namespace: Some("shop".into()),
        name: "web".into(),
    }
}

fn deletion(cluster: &Offline) -> Write {
    Write::Delete {
        kind: cluster.served(&map().kind).unwrap(),
        namespace: Some("shop".into()),
        name: "web".into(),
        uid: None,
        resource_version: None,
        propagation: Propagation::Background,
    }
}

fn edit(cluster: &Offline, mode: &str, manager: &str, time: &str) {
    let patch = Patch::Merge(value!({"data": {"mode": mode}}));
    cluster.edit(&map(), patch, manager, None, at(time)).unwrap();
}

/// What changed since this time.
async fn changed(told: &Told, since: &str) -> Past {
    changed_by(told, None, since).await
}

async fn changed_by(told: &Told, journal: Option<&Journal>, since: &str) -> Past {
    let ground = told.handle.ground().await.unwrap();
    let (since, now) = (at(since), at("2026-03-01T12:00:00Z"));
    let known = changes::known(&ground, journal, since, &CancellationToken::new());
    let asked = changes::asked(&ground, &known, since, now).await;
    Past::joined([known.past, asked])
}

/// Each change in a line.
fn lines(past: &Past) -> Vec<String> {
    let line = |h: &driftdeck::model::Happening| {
        let place = match &h.at {
            Where::Cluster { context, deployment, .. } => {
                format!("{context} {}", deployment.as_ref().map_or("-", |d| &d.app.name))
            }
            Where::Repo { asked, .. } => format!("repo {asked}"),
        };
        let what = match (&h.resource, h.kind) {
            (_, HappeningKind::Commit) => {
                h.what.split_once(' ').map_or("", |(_, subject)| subject).to_owned()
            }
            (Some(id), _) => format!("{id} {}", h.what),
            (None, _) => h.what.clone(),
        };
        format!("{} {} {place} {what} by {}", h.time.strftime("%d %H:%M:%S"), h.kind.word(), h.who.words())
    };
    past.happenings.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_edits_by_hand_in_five_clusters_are_named_in_order_on_a_cold_start() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    let clusters: Vec<Offline> = ["a", "b", "c", "d", "e"].iter().map(|name| cluster(name)).collect();
    for (number, place) in [(1, 2), (2, 0), (3, 4), (4, 1), (5, 3)] {
        edit(&clusters[place], "odd", "kubectl-edit", &format!("2026-03-01T11:0{number}:00Z"));
    }
    let clusters: Vec<Arc<dyn Cluster>> =
        clusters.into_iter().map(|c| Arc::new(c) as Arc<dyn Cluster>).collect();
    let mut told = Told::start(setup(&repository, clusters, false));
    told.until_settled().await;
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    let edits: Vec<String> = lines(&past).into_iter().filter(|line| line.contains(" field ")).collect();
    assert_eq!(
        edits,
        [("05", "d"), ("04", "b"), ("03", "e"), ("02", "a"), ("01", "c")].map(|(minute, place)| format!(
            "01 11:{minute}:00 field {place} web ConfigMap/shop/web data mode by by hand, kubectl edit"
        ))
    );
    let path = past.happenings.iter().find(|h| h.kind == HappeningKind::Field).unwrap().path.clone();
    assert_eq!(path.as_deref(), Some(".data.mode"));
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_told_and_what_cannot_be_known_is_said() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    repository.write("web/all.yaml", MAP.replace("fast", "faster")).commit("Be faster");
    let told = Told::once(&repository, cluster("prod")).await;
    let past = changed(&told, "2000-01-01T00:00:00Z").await;
    let commits: Vec<&str> = past
        .happenings
        .iter()
        .filter(|h| h.kind == HappeningKind::Commit)
        .filter_map(|h| h.what.split_once(' ').map(|(_, subject)| subject))
        .collect();
    assert_eq!(commits, ["\"Be faster\"", "\"Add web\""]);
    let blind: Vec<String> = past.blind.iter().map(|blind| blind.words(|at| at.to_string())).collect();
    assert_eq!(past.blind[..2], [Blind::Before(at("2026-03-01T12:00:00Z")), Blind::Earlier]);
    assert!(
        blind.iter().any(|words| words.contains("warning events of more than about an hour")),
        "{blind:?}"
    );
    let later = changed(&told, "2100-01-01T00:00:00Z").await;
    assert_eq!(later.happenings, [], "nothing is older than it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_and_overwritten_writes_are_told_as_the_watch_showed_them() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    let prod = cluster("prod");
    edit(&prod, "odd", "kubectl-edit", "2026-03-01T11:01:00Z");
    let mut told = Told::following(&repository, prod.clone()).await;
    let drifted = |told: &Told| told.verdicts().iter().any(|line| line.ends_with("drifted"));
    told.until("the edit is seen", drifted).await;
    edit(&prod, "fast", "k9s", "2026-03-01T11:02:00Z");
    told.until("it is as declared again", |told| !drifted(told)).await;
    prod.act(&deletion(&prod), at("2026-03-01T11:03:00Z")).unwrap();
    told.until("it is missing", |told| told.verdicts().iter().any(|line| line.ends_with("missing"))).await;
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    let told: Vec<String> = lines(&past).into_iter().filter(|line| line.contains("ConfigMap")).collect();
    assert_eq!(
        told,
        [
            // The watch showed it at noon, the time of this test's clock.
            "01 12:00:00 deleted prod web ConfigMap/shop/web deleted by not recorded",
            "01 11:02:00 field prod web ConfigMap/shop/web data mode by by hand, K9s",
            "01 11:01:00 field prod web ConfigMap/shop/web data mode, overwritten since by by hand, kubectl edit",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_asked_for_warnings_rollouts_releases_and_syncs() {
    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n\
        spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}\n";
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{MAP}---\n{DEPLOYMENT}")).commit("Add web");
    let mut helmed = applied(DEPLOYMENT);
    let metadata = helmed.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
    metadata.insert("labels".to_owned(), value!({"app.kubernetes.io/managed-by": "Helm"}));
    metadata.get_mut("annotations").unwrap().as_map_mut().unwrap().extend([
        ("meta.helm.sh/release-name".to_owned(), value!("web")),
        ("meta.helm.sh/release-namespace".to_owned(), value!("shop")),
    ]);
    let objects = [
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: api-7c9, namespace: shop, creationTimestamp: '2026-03-01T11:10:00Z', \
         ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: api, uid: u, controller: true}]}\n",
        "apiVersion: v1\nkind: Event\nmetadata: {name: e1, namespace: shop}\ntype: Warning\nreason: BackOff\ncount: 3\n\
         message: \"Back-off\\npassword: hunter2\"\nlastTimestamp: '2026-03-01T11:20:00Z'\nsource: {component: kubelet}\n\
         involvedObject: {apiVersion: v1, kind: Pod, namespace: shop, name: api-7c9-x2}\n",
        "apiVersion: v1\nkind: Event\nmetadata: {name: e2, namespace: shop}\ntype: Normal\nreason: Pulled\n\
         lastTimestamp: '2026-03-01T11:21:00Z'\ninvolvedObject: {kind: Pod, namespace: shop, name: api-7c9-x2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: sh.helm.release.v1.web.v4, namespace: shop, creationTimestamp: '2026-03-01T11:30:00Z', \
         labels: {owner: helm, name: web, version: '4', status: deployed}}\n",
    ];
    let builder = Offline::builder("prod", Arc::new(|| at("2026-02-28T09:00:00Z")));
    let builder = builder.object(&read("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"));
    let builder = builder.object(&applied(MAP)).object(&helmed);
    let prod = objects.iter().fold(builder, |builder, object| builder.object(&read(object))).build();
    let told = Told::once(&repository, prod).await;
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    let asked: Vec<String> = lines(&past).into_iter().filter(|line| !line.contains(" commit ")).collect();
    assert_eq!(
        asked,
        [
            "01 11:30:00 release prod web Secret/shop/sh.helm.release.v1.web.v4 release web revision 4, deployed by Helm",
            "01 11:20:00 event prod web Pod/shop/api-7c9-x2 BackOff: Back-off <hidden: it looks like a secret> (3 times) by kubelet",
            "01 11:10:00 rollout prod web ReplicaSet.apps/shop/api-7c9 ReplicaSet api-7c9 created by rollout",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_denies_is_said_and_the_rest_is_told() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    let builder = Offline::builder("prod", Arc::new(|| at("2026-02-28T09:00:00Z")));
    let builder = builder.object(&read("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"));
    let prod = builder.object(&applied(MAP)).deny(driftdeck::model::GroupKind::new("", "Event")).build();
    edit(&prod, "odd", "kubectl-edit", "2026-03-01T11:01:00Z");
    let told = Told::once(&repository, prod).await;
    let past =
        tokio::time::timeout(Duration::from_secs(60), changed(&told, "2026-03-01T11:00:00Z")).await.unwrap();
    assert!(lines(&past).iter().any(|line| line.contains("kubectl edit")));
    let blind: Vec<String> = past.blind.iter().map(|blind| blind.words(|at| at.to_string())).collect();
    let denied = |words: &String| {
        words.contains("warning events in namespace shop of prod: not allowed to list events")
    };
    assert!(blind.iter().any(denied), "{blind:?}");
}

#[tokio::test]
async fn a_cluster_that_stops_answering_is_waited_for_once_and_holds_up_no_other() {
    let spaces: Vec<String> = (0..50).map(|n| format!("s{n}")).collect();
    let maps: Vec<String> =
        spaces.iter().map(|space| MAP.replace("namespace: shop", &format!("namespace: {space}"))).collect();
    let repository = Repository::new();
    repository.write("web/all.yaml", maps.join("---\n")).commit("Add web");
    let build = |name: &str| {
        let builder = Offline::builder(name, Arc::new(|| at("2026-02-28T09:00:00Z")));
        let objects = spaces
            .iter()
            .map(|space| format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n"));
        let objects = objects.map(|object| read(&object)).chain(maps.iter().map(|map| applied(map)));
        let event = "apiVersion: v1\nkind: Event\nmetadata: {name: e1, namespace: s7}\ntype: Warning\nreason: BackOff\n\
             message: no\nlastTimestamp: '2026-03-01T11:20:00Z'\ninvolvedObject: {apiVersion: v1, kind: ConfigMap, namespace: s7, name: web}\n";
        objects.chain([read(event)]).fold(builder, |builder, object| builder.object(&object)).build()
    };
    let mute = ["Event", "ReplicaSet"].map(str::to_owned).to_vec();
    let mute = Scripted::new(build("mute"), Script { mute, ..Script::default() });
    let mut told = Told::start(setup(&repository, vec![Arc::new(mute), Arc::new(build("prod"))], false));
    told.until_settled().await;
    let ground = told.handle.ground().await.unwrap();
    let (since, now) = (at("2026-03-01T11:00:00Z"), at("2026-03-01T12:00:00Z"));
    let known = changes::known(&ground, None, since, &CancellationToken::new());
    let asking = changes::asking(&ground, &known, since, now, Duration::from_secs(2));
    let parts: Vec<_> = asking.map(|past| (past.happenings.len(), past.blind)).collect().await;
    let no_answer = "warnings, rollouts, releases and syncs of mute: no answer within 2s";
    assert_eq!(parts, [(0, vec![]), (1, vec![]), (0, vec![Blind::Said(no_answer.to_owned())])]);
}

/// Waits until so much of what watches show is kept.
async fn until_seen(told: &Told, what: &str, holds: impl Fn(&Ground) -> bool) {
    let seen = async {
        while !holds(&told.handle.ground().await.unwrap()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), seen).await.is_ok(), "waited in vain until {what}");
}

/// The lines about one kind.
fn lines_of(past: &Past, kind: &str) -> Vec<String> {
    lines(past).into_iter().filter(|line| line.contains(&format!("{kind}/shop/"))).collect()
}

const LIMITED: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n\
    spec: {replicas: 3, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, \
    spec: {containers: [{name: a, image: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]}}}\n";

/// The Deployment with so many replicas, scaled the way that kubectl does, which leaves no time.
fn scaled(replicas: &str, limits: &str) -> Value {
    let text = LIMITED.replace("replicas: 3", &format!("replicas: {replicas}"));
    let mut object = applied(&text.replace("cpu: 1, memory: 1Gi", limits));
    let metadata = object.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
    let entries = value!([
        {"manager": "kubectl", "operation": "Update", "apiVersion": "apps/v1", "subresource": "scale",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-01T08:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:selector": {}}}}]);
    metadata.insert("managedFields".to_owned(), entries);
    metadata.insert("creationTimestamp".to_owned(), Value::string("2026-03-01T08:00:00Z"));
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_it_is_watched_is_told_though_managed_fields_do_not_tell_it() {
    let repository = Repository::new();
    repository.write("web/all.yaml", LIMITED).commit("Add web");
    let builder = Offline::builder("prod", Arc::new(|| at("2026-02-28T09:00:00Z")));
    let builder = builder.object(&read("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"));
    let prod = builder.object(&scaled("3", "cpu: 1, memory: 1Gi")).build();
    let told = Told::following(&repository, prod.clone()).await;
    let undated = |past: &Past| {
        let words = past.blind.iter().map(|blind| blind.words(|at| at.to_string()));
        words.filter(|words| words.contains("keeps no time")).collect::<Vec<_>>()
    };
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    assert_eq!(lines_of(&past, "Deployment.apps"), [""; 0]);
    assert_eq!(
        undated(&past),
        ["when kubectl wrote replicas of Deployment.apps/shop/api: the API server keeps no time of it"]
    );
    for (count, (replicas, limits)) in
        [("6", "cpu: 1, memory: 1Gi"), ("3", "cpu: 1, memory: 1Gi"), ("3", "memory: 1Gi")].iter().enumerate()
    {
        prod.put(&scaled(replicas, limits), at("2026-03-01T12:00:00Z"));
        until_seen(&told, "the change is seen", |ground| ground.edits.len() > count).await;
    }
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    assert_eq!(
        lines_of(&past, "Deployment.apps"),
        [
            "01 12:00:00 field prod web Deployment.apps/shop/api replicas by by hand, kubectl",
            "01 12:00:00 field prod web Deployment.apps/shop/api replicas, overwritten since by by hand, kubectl",
            "01 12:00:00 field prod web Deployment.apps/shop/api removed limits cpu by not recorded",
        ]
    );
    assert_eq!(undated(&past), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_a_writer_owns_only_what_it_changed_is_told_and_the_rest_is_not_overwritten() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    let prod = cluster("prod");
    let label = |name: &str, time: &str| {
        let mut labels = value!({"metadata": {"labels": {}}});
        let path = ["metadata", "labels"];
        let named = path.iter().try_fold(&mut labels, |v, name| v.as_map_mut()?.get_mut(*name)).unwrap();
        named.as_map_mut().unwrap().insert(name.to_owned(), Value::string("x"));
        prod.edit(&map(), Patch::Merge(labels), "kubectl-label", None, at(time)).unwrap();
    };
    label("team", "2026-03-01T11:01:00Z");
    let told = Told::following(&repository, prod.clone()).await;
    label("zz", "2026-03-01T11:02:00Z");
    until_seen(&told, "the label is seen", |ground| !ground.edits.is_empty()).await;
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    assert_eq!(
        lines_of(&past, "ConfigMap"),
        [
            "01 11:02:00 field prod web ConfigMap/shop/web label zz by by hand, kubectl label",
            "01 11:01:00 field prod web ConfigMap/shop/web label team by by hand, kubectl label",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_was_deleted_and_made_anew_is_told_as_made_last() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    let prod = cluster("prod");
    let told = Told::following(&repository, prod.clone()).await;
    prod.act(&deletion(&prod), at("2026-03-01T11:59:59Z")).unwrap();
    until_seen(&told, "it is gone", |ground| !ground.seen.is_empty()).await;
    let anew = "metadata: {name: web, namespace: shop, uid: other, creationTimestamp: '2026-03-01T11:59:59Z', managedFields: [\
        {manager: kubectl-create, operation: Update, time: '2026-03-01T11:59:59Z', fieldsType: FieldsV1, fieldsV1: {'f:data': {'f:mode': {}}}}]}";
    prod.put(&read(&MAP.replace("metadata: {name: web, namespace: shop}", anew)), at("2026-03-01T11:59:59Z"));
    until_seen(&told, "it is back", |ground| !ground.held.is_empty()).await;
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    assert_eq!(
        lines_of(&past, "ConfigMap"),
        [
            "01 11:59:59 field prod web ConfigMap/shop/web created by by hand, kubectl create",
            "01 11:59:59 deleted prod web ConfigMap/shop/web deleted by not recorded",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_that_was_made_of_late_is_told_as_created_whoever_wrote_it_since() {
    let repository = Repository::new();
    let other = MAP.replace("name: web", "name: other");
    repository.write("web/all.yaml", format!("{MAP}---\n{other}")).commit("Add web");
    let made = |manifest: &str, name: &str, time: &str| {
        let entry = "fieldsType: FieldsV1, fieldsV1: {'f:data': {'f:mode': {}}}";
        let metadata = format!(
            "metadata: {{name: {name}, namespace: shop, creationTimestamp: '2026-03-01T11:10:00Z', managedFields: [\
             {{manager: kubectl-client-side-apply, operation: Update, time: '{time}', {entry}}}]}}"
        );
        read(&manifest.replace(&format!("metadata: {{name: {name}, namespace: shop}}"), &metadata))
    };
    let builder = Offline::builder("prod", Arc::new(|| at("2026-02-28T09:00:00Z")));
    let builder = builder.object(&read("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"));
    let builder = builder.object(&made(MAP, "web", "2026-03-01T11:09:59Z"));
    let prod = builder.object(&made(&other, "other", "2026-03-01T11:20:00Z")).build();
    let told = Told::once(&repository, prod).await;
    let past = changed(&told, "2026-03-01T11:00:00Z").await;
    let syncs: Vec<String> = lines(&past).into_iter().filter(|line| line.contains(" sync ")).collect();
    assert_eq!(
        syncs,
        [
            "01 11:20:00 sync prod web ConfigMap/shop/other applied by kubectl apply",
            "01 11:10:00 sync prod web 2 objects created by kubectl apply",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_driftdeck_itself_wrote_is_told_from_its_journal_and_not_as_the_deployers() {
    let repository = Repository::new();
    repository.write("web/all.yaml", MAP).commit("Add web");
    let builder = Offline::builder("prod", noon()).user("ana");
    let builder = builder.object(&read("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"));
    let mut slow = applied(&MAP.replace("fast", "slow"));
    let metadata = slow.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
    metadata.insert("creationTimestamp".to_owned(), Value::string("2026-03-01T08:00:00Z"));
    let prod = builder.object(&slow).build();
    let told = Told::following(&repository, prod.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let id = told.deployments.keys().next().unwrap().clone();
    let deployed = told.handle.deployed(id).await.unwrap();
    let plan = acting::plan_sync(&deployed, &sync::Options::default(), noon()()).await.unwrap();
    let answers: Vec<String> = confirm::asks(&plan).into_iter().flat_map(|ask| ask.words).collect();
    let (cancel, mut progress) = (CancellationToken::new(), |_: &Plan| {});
    let done = acting::carry_out(plan, &deployed, &journal, &noon(), &answers, &cancel, &mut progress).await;
    assert_eq!(done.unwrap().steps.len(), 1);
    until_seen(&told, "the sync is seen", |ground| !ground.seen.is_empty()).await;
    let told_of = async |journal| {
        let past = changed_by(&told, journal, "2026-03-01T11:30:00Z").await;
        let of_commits = |line: &String| !line.contains(" commit ");
        lines(&past).into_iter().filter(of_commits).collect::<Vec<_>>()
    };
    assert_eq!(
        told_of(Some(&journal)).await,
        ["01 12:00:00 sync prod web 1 object synced by driftdeck, ana"]
    );
    assert_eq!(
        told_of(None).await,
        ["01 12:00:00 sync prod web ConfigMap/shop/web applied by kubectl apply"],
        "on another machine nobody knows better than managed fields"
    );
    edit(&prod, "odd", "kubectl-client-side-apply", "2026-03-01T12:00:30Z");
    until_seen(&told, "another write is seen", |ground| ground.seen.len() > 1).await;
    let later = "01 12:00:30 sync prod web ConfigMap/shop/web applied by kubectl apply";
    assert_eq!(told_of(Some(&journal)).await[0], later);
}
