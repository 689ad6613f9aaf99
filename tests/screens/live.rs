//! What happens on the screen when the world changes under it.

use crate::typist::Typist;
use crate::world::{app_id, change, deployment, deployment_id, healthy, hotfix, judged, resource, web};
use driftdeck::deck::Options;
use driftdeck::model::status::{ClusterState, ResourceStatus};
use driftdeck::model::update::Update;
use driftdeck::model::{Class, Engine, Verdict};
use driftdeck::value;
use jiff::SignedDuration;

fn changed(resources: Vec<ResourceStatus>) -> Update {
    Update::Resources { deployment: resources[0].deployment.clone(), changed: resources, gone: Vec::new() }
}

/// A person scales the web Service's neighbour.
fn more_drift(name: &str) -> Update {
    let port = change(".spec.replicas", Class::Changed, Some(value!(3)), Some(value!(5)));
    let judgement = judged(Verdict::Drifted, vec![port], healthy());
    changed(vec![resource("web", "prod-eu", "v1", "Service", name, judgement)])
}

fn at_web() -> Typist {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4");
    typist
}

#[test]
fn what_was_there_at_the_start_is_not_new() {
    assert_eq!(Typist::at(120, 40).state.unseen.count(), 0);
}

#[test]
fn a_change_is_new_until_it_was_under_the_cursor() {
    let mut typist = at_web();
    typist.tell(vec![more_drift("web-07")]);
    assert_eq!(typist.state.unseen.count(), 2, "the resource and its field");
    assert!(typist.screen().contains("2 new"));
    assert!(typist.line_with("shop/web-07").starts_with('▌'));
    typist.keys("u");
    assert_eq!(typist.state.unseen.count(), 1);
    typist.keys("u");
    assert_eq!(typist.state.unseen.count(), 0);
    assert!(!typist.screen().contains("new"));
}

#[test]
fn the_same_verdict_again_is_not_new() {
    let mut typist = at_web();
    typist.tell(vec![changed(web())]);
    assert_eq!(typist.state.unseen.count(), 0);
}

#[test]
fn what_comes_back_after_a_silence_as_it_was_is_not_new() {
    let mut typist = at_web();
    let unknown = judged(Verdict::Unknown(driftdeck::model::Why::new("stale")), Vec::new(), healthy());
    typist.tell(vec![changed(vec![resource("web", "prod-eu", "apps/v1", "Deployment", "web", unknown)])]);
    typist.tell(vec![changed(vec![web().remove(0)])]);
    assert_eq!(typist.state.unseen.count(), 0);
}

#[test]
fn another_value_of_the_same_field_is_new() {
    let mut typist = at_web();
    let mut changes = hotfix();
    changes[0].live = Some(value!("registry.example.com/shop/web:1.4.4"));
    let judgement = judged(Verdict::Drifted, changes, healthy());
    typist.tell(vec![changed(vec![resource("web", "prod-eu", "apps/v1", "Deployment", "web", judgement)])]);
    assert_eq!(typist.state.unseen.count(), 1);
}

#[test]
fn nothing_moves_under_the_cursor_and_sorting_waits() {
    let mut typist = at_web();
    typist.keys("j j j");
    let row = typist.state.drift.current().cloned();
    let line = typist.state.drift.cursor_line();
    typist.tell(vec![more_drift("aaa")]);
    assert_eq!((typist.state.drift.current().cloned(), typist.state.drift.cursor_line()), (row, line));
}

#[test]
fn an_app_that_gets_worse_moves_up_only_once_the_list_is_left_alone() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j j");
    let before: Vec<_> = typist.state.apps.rows().to_vec();
    let drifted = [resource(
        "search",
        "prod-eu",
        "v1",
        "Service",
        "search-00",
        judged(Verdict::Missing, Vec::new(), healthy()),
    )];
    typist.tell(vec![Update::Deployment(deployment("search", "prod-eu", Engine::Helm, &drifted))]);
    assert_eq!(typist.state.apps.rows(), before);
    assert!(typist.screen().contains("sorting waits"));
    let current = typist.state.selected_app().cloned();
    typist.wait(SignedDuration::from_secs(4));
    assert_ne!(typist.state.apps.rows(), before);
    assert_eq!(typist.state.selected_app(), current.as_ref());
    assert!(!typist.screen().contains("sorting waits"));
}

#[test]
fn what_is_degraded_is_listed_although_it_is_in_sync() {
    use driftdeck::model::{Health, HealthStatus};
    let mut typist = Typist::at(120, 40);
    let crashing = Health::with(HealthStatus::Degraded, "CrashLoopBackOff");
    let mut cart = crate::world::in_sync("cart", "prod-eu", 3);
    cart[1].judgement = std::sync::Arc::new(judged(Verdict::InSync, Vec::new(), crashing));
    typist.tell(vec![Update::Deployment(deployment("cart", "prod-eu", Engine::Flux, &cart)), changed(cart)]);
    typist.keys("2 / 'cart enter");
    assert!(typist.line_with("✓ cart").contains("3 in sync, Degraded"));
    assert!(typist.line_with("cart-01").contains("Degraded, CrashLoopBackOff"));
    typist.line_with("✓ 2 resources in sync");
    typist.keys("esc f");
    let rows: Vec<_> = typist.state.apps.rows().iter().map(|app| app.name.as_str()).collect();
    assert_eq!(rows, ["api", "web", "billing", "cart"], "it needs a person");
}

/// The line of the screen on which the cursor of the open view stands, with its text.
fn under_the_cursor(typist: &Typist) -> (usize, String) {
    let Some(driftdeck::deck::Layer::Resource(view)) = typist.state.layers.last() else {
        panic!("a view is open");
    };
    let line = view.cursor - view.top + 3;
    (line, typist.screen().lines().nth(line).unwrap().to_owned())
}

#[test]
fn the_cursor_of_a_view_stays_on_its_field_when_changes_come_and_go() {
    for many in [1, 6] {
        let mut typist = Typist::at(120, 16);
        typist.keys("j 3 j 4 enter ] ] j");
        typist.tell(vec![replicas_too(many)]);
        let before = under_the_cursor(&typist);
        assert!(before.1.contains("desired"), "{before:?}");
        let field = typist.state.field().map(|(_, path)| path.to_string()).unwrap();
        typist.tell(vec![replicas_too(0)]);
        assert_eq!(typist.state.field().map(|(_, path)| path.to_string()).unwrap(), field);
        assert_eq!(under_the_cursor(&typist).1, before.1);
        typist.tell(vec![replicas_too(9)]);
        let at = under_the_cursor(&typist);
        typist.tell(vec![replicas_too(12)]);
        assert_eq!(under_the_cursor(&typist), at, "where there is something above, it keeps its line too");
    }
}

/// web's Deployment with so many more fields changed before the others.
fn replicas_too(more: usize) -> Update {
    let ours = |n: usize| {
        change(&format!(".metadata.annotations.a{n:02}"), Class::Changed, Some(value!(3)), Some(value!(5)))
    };
    let changes = (0..more).map(ours).chain(hotfix()).collect();
    let judgement = judged(Verdict::Drifted, changes, healthy());
    changed(vec![resource("web", "prod-eu", "apps/v1", "Deployment", "web", judgement)])
}

#[test]
fn the_cursor_of_a_diff_stays_on_its_line_when_lines_come_and_go() {
    for (keys, text) in [("g", "1.4.3-hotfix"), ("d g", "DEBUG"), ("g", "- name: DEBUG")] {
        let mut typist = Typist::at(120, 16);
        typist.keys("j 3 j 4 enter d");
        crate::screens::answer_diffs(&mut typist);
        typist.keys(keys);
        let on = |typist: &Typist| under_the_cursor(typist).1.contains(text);
        for _ in 0..40 {
            if on(&typist) {
                break;
            }
            typist.keys("j");
        }
        assert!(on(&typist), "{text}\n{}", typist.screen());
        let line = under_the_cursor(&typist).0;
        let mut longer = crate::screens::diff();
        let more = longer.lines[10].clone();
        longer.lines.splice(1..1, std::iter::repeat_n(more, 5));
        let (deployment, resource) = (deployment_id("web", "prod-eu"), web()[0].id.clone());
        let result = Ok(longer);
        typist.send(driftdeck::deck::Message::Diff { at: typist.now, deployment, resource, result });
        assert!(on(&typist), "{text}\n{}", typist.screen());
        assert!(under_the_cursor(&typist).0.abs_diff(line) <= 6);
    }
}

#[test]
fn a_fold_that_was_opened_stays_open_when_lines_come() {
    let mut typist = Typist::at(120, 60);
    typist.keys("j 3 j 4 enter d");
    crate::screens::answer_diffs(&mut typist);
    typist.keys("g z");
    assert!(typist.screen().contains("kind: Deployment"));
    let mut longer = crate::screens::diff();
    let more = longer.lines[10].clone();
    longer.lines.insert(10, more);
    let (deployment, resource) = (deployment_id("web", "prod-eu"), web()[0].id.clone());
    typist.send(driftdeck::deck::Message::Diff { at: typist.now, deployment, resource, result: Ok(longer) });
    assert!(typist.screen().contains("kind: Deployment"), "{}", typist.screen());
    assert!(typist.screen().contains("31 equal lines"), "the other one stays closed");
}

#[test]
fn a_resource_that_goes_leaves_no_trace() {
    let mut typist = at_web();
    typist.keys("*");
    let gone = web().iter().map(|r| r.id.clone()).collect();
    let deployment = deployment_id("web", "prod-eu");
    typist.tell(vec![Update::Resources { deployment, changed: Vec::new(), gone }]);
    assert!(typist.state.ticks.is_empty());
    assert_eq!(typist.state.unseen.count(), 0);
    typist.screen();
}

#[test]
fn a_cluster_that_answers_keeps_its_place_under_its_real_identity() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j j j");
    let mut status = typist.state.world.clusters[2].clone();
    let was = Some(status.id.clone());
    status.id = driftdeck::model::ClusterId("real".into());
    status.state = driftdeck::model::status::ClusterState::Live;
    typist.tell(vec![Update::Cluster { status: status.clone(), was }]);
    assert_eq!(typist.state.selected_cluster(), Some(&status.id));
    assert_eq!(typist.state.world.clusters.len(), 3);
}

#[test]
fn ages_are_redrawn_only_at_a_step() {
    let mut typist = Typist::at(120, 40);
    typist.wait(SignedDuration::from_secs(1));
    let before = typist.screen();
    for _ in 0..25 {
        typist.wait(SignedDuration::from_secs(1));
        assert_eq!(typist.screen(), before);
    }
    typist.wait(SignedDuration::from_secs(60));
    assert_ne!(typist.screen(), before);
}

#[test]
fn an_app_that_is_gone_hands_the_selection_on() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j");
    let repo = app_id("web").repo;
    let rest = typist.state.world.apps[&repo].iter().filter(|a| a.app.id.name != "web").cloned().collect();
    typist.tell(vec![Update::Apps { repo, apps: rest }]);
    assert!(typist.state.selected_app().is_some_and(|app| app.name != "web"));
    typist.screen();
}

/// Git was read, and the only cluster has not answered.
fn before_an_answer(width: u16, state: ClusterState, settled: bool) -> Typist {
    let mut typist = Typist::empty(width, if width == 80 { 24 } else { 40 }, Options::default());
    let of_git = |update: &Update| matches!(update, Update::Repo { .. } | Update::Apps { .. });
    let mut updates: Vec<_> = crate::world::updates().into_iter().filter(of_git).collect();
    updates.push(Update::Cluster { status: crate::world::cluster("edge-7", state, false), was: None });
    updates.extend(settled.then_some(Update::Settled));
    typist.tell(updates);
    typist
}

#[test]
fn what_git_has_is_listed_before_a_cluster_answers() {
    for width in [120, 80] {
        let typist = before_an_answer(width, ClusterState::Connecting, false);
        assert!(typist.line_with("⠋ api").contains("connecting"), "{}", typist.screen());
        assert_eq!(typist.state.world.app_counts().unknown, 0, "a moment's silence is no fault");
    }
}

#[test]
fn what_git_has_is_listed_as_unknown_with_the_reason_of_a_cluster_that_never_answered() {
    let unreachable = ClusterState::Unreachable {
        since: crate::world::at("02:35:00"),
        why: "connection refused".to_owned(),
        next_try: None,
    };
    let denied = ClusterState::Denied { why: "not logged in".to_owned(), next_try: None };
    for (state, word, why) in [
        (unreachable, "no answer", "api on edge-7: no answer since 02:35, connection refused"),
        (denied, "denied", "api on edge-7: denied, not logged in"),
    ] {
        for width in [120, 80] {
            let mut typist = before_an_answer(width, state.clone(), true);
            for app in ["api", "web", "debug-tools"] {
                let row = typist.line_with(&format!("? {app}"));
                assert!(row.contains(word), "{row}");
            }
            assert!(!typist.screen().contains("no app"), "{}", typist.screen());
            typist.keys("4");
            typist.line_with(why);
            typist.line_with("6 unknown");
        }
    }
}

/// The lines without a row above the first row of the list of apps.
fn room_above_apps(typist: &Typist) -> usize {
    (0..20).position(|line| typist.state.apps.row_at_line(line).is_some()).unwrap()
}

#[test]
fn what_the_person_changes_leaves_no_room_above_the_rows() {
    for (width, keys) in [(120, "2 G / 'web"), (80, "2 G / 'web enter"), (120, "2 G f"), (120, "2 G 3 G 2 s")]
    {
        let mut typist = Typist::at(width, 24);
        for key in keys.split(' ') {
            typist.keys(key);
            assert_eq!(room_above_apps(&typist), 0, "{keys}, {key}\n{}", typist.screen());
        }
    }
}

#[test]
fn room_above_the_rows_is_gone_once_the_list_is_left_alone() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 G");
    let repo = app_id("web").repo;
    let left: Vec<_> = typist.state.world.apps[&repo].clone();
    let left = left.into_iter().filter(|a| ["search", "debug-tools"].contains(&a.app.id.name.as_str()));
    typist.tell(vec![Update::Apps { repo, apps: left.collect() }]);
    assert_eq!(room_above_apps(&typist), 4, "nothing moves under the person's eyes");
    typist.wait(SignedDuration::from_secs(4));
    assert_eq!(room_above_apps(&typist), 0);
}

#[test]
fn the_first_line_says_at_every_width_that_a_cluster_does_not_answer() {
    let (since, why) = (crate::world::at("02:35:00"), "connection refused".to_owned());
    for (state, word) in [
        (ClusterState::Stale { since, why: why.clone() }, "stale"),
        (ClusterState::Denied { why: why.clone(), next_try: None }, "denied"),
        (ClusterState::Unreachable { since, why: why.clone(), next_try: None }, "no answer"),
    ] {
        for (width, height) in [(160, 40), (120, 40), (100, 30), (80, 24), (40, 12)] {
            let mut typist = Typist::at(width, height);
            typist.keys("2 j 3 j");
            let status = crate::world::cluster("prod-eu", state.clone(), true);
            typist.tell(vec![Update::Cluster { status, was: None }]);
            for key in ["2", "4", "enter"] {
                typist.keys(key);
                let screen = typist.screen();
                let first = screen.lines().next().unwrap();
                assert!(first.contains(word) && first.contains("PROTECTED"), "{first}");
                assert!(!screen.contains("T02:"), "times are worded\n{screen}");
            }
        }
    }
}
