//! Who declared what differs, and what it was before: over real repositories.

use crate::ground::{Told, applied, cluster, read};
use crate::scripted::{Script, Scripted};
use crate::support::{Repository, canary};
use driftdeck::cluster::Cluster as _;
use driftdeck::model::story::{EarlierValue, FieldStory};
use driftdeck::model::{ClusterId, Declared, LiveObject, Story, Value};
use driftdeck::pipeline::failed_sync::Engines;
use driftdeck::pipeline::story::{Blames, story};
use driftdeck::value;
use std::sync::Arc;

const FILE: &str = "web/all.yaml";

fn map(mode: &str, level: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\ndata:\n  mode: {mode}\n  level: {level}\n"
    )
}

/// The story of the one object that differs.
async fn told(repository: &Repository, live: Value, whole: bool) -> Story {
    let told = Told::once(repository, cluster(&[live])).await;
    let (deployment, id) = told.resources.keys().next().cloned().unwrap();
    let inspected = told.handle.inspect(deployment, id).await.unwrap();
    story(inspected, Arc::new(Blames::default()), &Engines::default(), whole).await
}

fn by(declared: Option<&Declared>) -> String {
    match declared {
        Some(declared @ Declared::By(commit)) => format!("{} ({})", commit.subject, declared.word()),
        Some(other) => other.word().to_owned(),
        None => "-".to_owned(),
    }
}

fn fields(story: &Story) -> Vec<String> {
    let line = |origin: &driftdeck::model::Origin| {
        format!("{}:{}", origin.file, origin.line.map_or_else(|| "?".to_owned(), |line| line.to_string()))
    };
    let fields = story.fields.iter();
    fields
        .map(|field| {
            let place = field.origin.as_ref().map_or_else(|| "-".to_owned(), line);
            format!("{} {place} {}", field.path, by(field.declared.as_ref()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_value_is_its_own_lines_commit_and_what_is_not_committed_says_so() {
    let repository = Repository::new();
    repository.write(FILE, map("slow", "info")).commit("Add web");
    repository.write(FILE, map("fast", "info")).commit("Be fast");
    repository.write(FILE, map("fast", "debug"));
    let said = told(&repository, applied(&map("odd", "odd")), false).await;
    assert_eq!(
        fields(&said),
        [".data.level web/all.yaml:8 uncommitted", ".data.mode web/all.yaml:7 Be fast (line)"]
    );
    assert_eq!((said.fields[1].earlier.len(), said.events.len()), (0, 0), "nobody asked for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_story_tells_the_values_that_the_field_had_before() {
    let repository = Repository::new();
    repository.write(FILE, map("slow", "info")).commit("Add web");
    repository.write(FILE, map("fast", "info")).commit("Be fast");
    repository.write(FILE, format!("# a comment\n{}", map("fast", "info"))).commit("Say something");
    repository.write(FILE, map("faster", "info")).commit("Be faster");
    let said = told(&repository, applied(&map("odd", "info")), true).await;
    assert_eq!(fields(&said), [".data.mode web/all.yaml:7 Be faster (line)"]);
    let earlier = |e: &EarlierValue| (e.commit.subject.clone(), e.value.clone());
    assert_eq!(
        said.fields[0].earlier.iter().map(earlier).collect::<Vec<_>>(),
        [("Be fast".to_owned(), Some(value!("fast"))), ("Add web".to_owned(), Some(value!("slow")))]
    );
    assert!(!said.fields[0].earlier_more);
    assert_eq!((said.events, said.no_events), (vec![], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_last_is_told_where_it_is_neither_side() {
    let repository = Repository::new();
    repository.write(FILE, map("fast", "info")).commit("Add web");
    let mut live = applied(&map("slow", "info"));
    let data = live.as_map_mut().unwrap().get_mut("data").unwrap().as_map_mut().unwrap();
    data.insert("mode".to_owned(), value!("by hand"));
    let said = told(&repository, live, true).await;
    assert_eq!(said.fields[0].applied, Some(value!("slow")));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_about_the_object_are_told_newest_first() {
    let repository = Repository::new();
    repository.write(FILE, map("fast", "info")).commit("Add web");
    let event = |name: &str, about: &str, at: &str, kind: &str| {
        read(&format!(
            "apiVersion: v1\nkind: Event\nmetadata: {{name: {name}, namespace: shop}}\ninvolvedObject: {{kind: ConfigMap, \
             name: {about}}}\ntype: {kind}\nreason: R{name}\nmessage: m\nlastTimestamp: \"{at}\"\nsource: {{component: c}}\ncount: 3\n"
        ))
    };
    let live = cluster(&[
        applied(&map("odd", "info")),
        event("a", "web", "2026-03-01T10:00:00Z", "Normal"),
        event("b", "web", "2026-03-01T11:00:00Z", "Warning"),
        event("c", "other", "2026-03-01T11:30:00Z", "Warning"),
    ]);
    let told = Told::once(&repository, live).await;
    let (deployment, id) = told.resources.keys().next().cloned().unwrap();
    let inspected = told.handle.inspect(deployment, id).await.unwrap();
    let said = story(inspected, Arc::new(Blames::default()), &Engines::default(), true).await;
    let events: Vec<_> = said.events.iter().map(|e| (e.reason.as_str(), e.warning, e.count)).collect();
    assert_eq!((events, said.no_events), (vec![("Rb", true, 3), ("Ra", false, 3)], None));
}

#[tokio::test]
async fn an_engines_object_that_does_not_answer_holds_up_no_other() {
    let object = |kind: &str| {
        let (group, kind) = kind.split_once('/').unwrap();
        read(&format!(
            "apiVersion: {group}.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: apps, namespace: shop}}\n\
             status: {{conditions: [{{type: Ready, status: 'False', reason: BuildFailed, message: bad}}]}}\n"
        ))
    };
    let workload = |group: &str| {
        let labels =
            format!("{group}.toolkit.fluxcd.io/name: apps, {group}.toolkit.fluxcd.io/namespace: shop");
        let body = read(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {group}, namespace: shop, labels: {{{labels}}}}}\n"
        ));
        LiveObject::read(&ClusterId("prod".into()), body).unwrap()
    };
    let inner = cluster(&[object("kustomize/Kustomization"), object("helm/HelmRelease")]);
    let prod = Scripted::new(inner, Script { mute: vec!["Kustomization".into()], ..Script::default() });
    let facts = prod.facts().await.unwrap();
    let engines = Engines::default();
    let (slow, fast) = (workload("kustomize"), workload("helm"));
    let said = tokio::select! {
        biased;
        _ = engines.failure(&prod, &facts, &slow) => panic!("it does not answer"),
        said = engines.failure(&prod, &facts, &fast) => said,
    };
    assert_eq!(said.as_deref(), Some("Flux's Helm release shop/apps: BuildFailed: bad"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_old_value_of_a_secret_is_told_even_where_all_stands_on_one_line() {
    let secret = |value: &str, team: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"db","namespace":"shop","labels":{{"team":"{team}"}}}},"stringData":{{"db":"{value}"}}}}"#
        )
    };
    let repository = Repository::new();
    repository.write(FILE, secret(canary::DECLARED[0], "z")).commit("Add the database");
    repository.write(FILE, secret(canary::LIVE[0], "z")).commit("Rotate");
    repository.write(FILE, secret(canary::DECLARED[2], "a")).commit("Give it to a");
    let said = told(&repository, applied(&secret(canary::DECLARED[2], "b")), true).await;
    let earlier = |field: &FieldStory| {
        field.earlier.iter().map(|e| (e.commit.subject.clone(), e.value.clone())).collect::<Vec<_>>()
    };
    let team = said.fields.iter().find(|field| field.path.to_string() == ".metadata.labels.team").unwrap();
    assert_eq!(earlier(team), [("Add the database".to_owned(), Some(value!("z")))]);
    canary::absent("a story", format!("{said:?}").as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_values_are_those_of_the_same_object_wherever_it_stood() {
    let named = |name: &str, mode: &str| map(mode, "info").replace("name: web", &format!("name: {name}"));
    let repository = Repository::new();
    repository.write(FILE, named("web", "slow")).commit("Add web");
    repository
        .write(FILE, format!("{}---\n# nothing\n---\n{}", named("another", "other"), named("web", "slow")))
        .commit("Put another before");
    repository
        .write(FILE, format!("{}---\n# nothing\n---\n{}", named("another", "other"), named("web", "fast")))
        .commit("Be fast");
    let live = cluster(&[applied(&named("another", "other")), applied(&named("web", "odd"))]);
    let told = Told::once(&repository, live).await;
    let (deployment, id) =
        told.resources.keys().find(|(_, id)| id.name.as_deref() == Some("web")).cloned().unwrap();
    let inspected = told.handle.inspect(deployment, id).await.unwrap();
    let said = story(inspected, Arc::new(Blames::default()), &Engines::default(), true).await;
    assert_eq!(fields(&said), [".data.mode web/all.yaml:18 Be fast (line)"]);
    let earlier = said.fields[0].earlier.iter().map(|e| (e.commit.subject.as_str(), e.value.clone()));
    assert_eq!(earlier.collect::<Vec<_>>(), [("Add web", Some(value!("slow")))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_an_earlier_value_of_what_is_not() {
    let repository = Repository::new();
    repository.write(FILE, map("slow", "info")).commit("Add web");
    repository.write(FILE, map("fast", "info"));
    let said = told(&repository, applied(&map("odd", "info")), true).await;
    let earlier = said.fields[0].earlier.iter().map(|e| (e.commit.subject.as_str(), e.value.clone()));
    assert_eq!(earlier.collect::<Vec<_>>(), [("Add web", Some(value!("slow")))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_over_is_the_commits_that_took_it_out_of_git() {
    let with = |more: &str| format!("{}  {more}\n", map("slow", "info"));
    let live = || applied(&with("extra: once"));
    let repository = Repository::new();
    repository.write(FILE, with("extra: once")).commit("Add web");
    repository.write(FILE, map("slow", "info"));
    assert_eq!(fields(&told(&repository, live(), false).await), [".data.extra - uncommitted"]);
    repository.commit("Take it out");
    assert_eq!(fields(&told(&repository, live(), false).await), [".data.extra - Take it out (removed)"]);
    repository.write("README.md", "of nothing").commit("Of nothing");
    repository.write(FILE, with("color: red")).commit("Later");
    let said = told(&repository, live(), false).await;
    let extra: Vec<String> = fields(&said).into_iter().filter(|line| line.contains("extra")).collect();
    assert_eq!(extra, [".data.extra - Take it out (removed)"]);
}
