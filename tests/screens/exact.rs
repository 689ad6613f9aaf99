//! The exact check: asked for with `x`, told how far it is, cancelled with ctrl-c, and shown beside the verdict.

use crate::typist::Typist;
use crate::world::{self, deployment_id, resource_id};
use driftdeck::deck::{Effect, Message, Options, Ticket, possible};
use driftdeck::model::update::Update;
use driftdeck::model::{Confidence, Disagreement, Exact, Notice, ResourceId};
use std::sync::Arc;

/// The check that was asked for, as ticket and resources.
#[track_caller]
fn asked(typist: &mut Typist) -> (Ticket, Vec<ResourceId>) {
    let asked = typist.effects().into_iter().find_map(|effect| match effect {
        Effect::CheckExactly { ticket, deployment, resources } => {
            assert_eq!(deployment, deployment_id("web", "prod-eu"));
            Some((ticket, resources))
        }
        _ => None,
    });
    asked.unwrap_or_else(|| panic!("nothing is asked: {}", typist.said()))
}

fn at_web(options: Options) -> Typist {
    let mut typist = Typist::with(120, 40, options);
    typist.keys("2 j 3 j");
    typist.effects();
    typist
}

#[test]
fn x_checks_the_app_the_resource_or_what_is_ticked_read_only_too() {
    for read_only in [false, true] {
        let options = || Options { read_only, ..Options::default() };
        assert_eq!(asked(at_web(options()).keys("x")).1, [], "the whole app");
        let mut typist = at_web(options());
        typist.keys("4 j j x");
        let deployment = resource_id("prod-eu", "apps/v1", "Deployment", "web");
        assert_eq!(asked(&mut typist).1.len(), 1, "the resource under the cursor");
        let mut typist = at_web(options());
        typist.keys("4 * x");
        assert!(asked(&mut typist).1.contains(&deployment), "what is ticked");
        let mut typist = at_web(options());
        typist.keys("d x");
        assert_eq!(asked(&mut typist).1, [], "the diff of the whole app");
    }
}

#[test]
fn it_says_how_far_it_is_and_ctrl_c_cancels() {
    let mut typist = at_web(Options::default());
    typist.keys("x");
    let (ticket, _) = asked(&mut typist);
    assert!(typist.said().contains("ctrl-c cancels"), "{}", typist.said());
    typist.send(Message::ExactProgress { ticket, done: 7, total: 24 });
    assert!(typist.line_with("driftdeck").contains("exact 7/24"), "{}", typist.screen());
    typist.keys("x");
    assert_eq!(typist.said(), "an exact check runs: ctrl-c cancels it");
    typist.keys("ctrl-c");
    assert_eq!(typist.effects(), [Effect::Cancel { ticket }]);
    assert_eq!(typist.said(), "the exact check was cancelled after 7 of 24; what was answered counts");
    assert!(!typist.line_with("driftdeck").contains("exact 7/24"));
    // What still comes of it is of no interest.
    typist.send(Message::ExactDone { at: typist.now, ticket, outcome: Ok((24, 24)), silent: Vec::new() });
    assert!(typist.said().contains("cancelled"));
}

#[test]
fn a_deck_that_is_opened_exact_asks_about_every_app_that_can_be_reached_once_everything_is_known() {
    let mut typist = Typist::empty(120, 40, Options { exact: true, ..Options::default() });
    let mut updates = world::updates();
    assert_eq!(updates.pop(), Some(Update::Settled));
    typist.tell(updates);
    assert_eq!(typist.effects(), [], "not everything is known");
    typist.tell(vec![Update::Settled]);
    let mut asked = Vec::new();
    while let [Effect::CheckExactly { ticket, deployment, resources }] = typist.effects().as_slice() {
        assert_eq!(resources, &[], "the whole app");
        asked.push(deployment.clone());
        let (at, ticket) = (typist.now, *ticket);
        typist.send(Message::ExactDone { at, ticket, outcome: Ok((1, 1)), silent: Vec::new() });
    }
    let world = &typist.state.world;
    let reached = world.deployments.keys().filter(|id| possible::is_reached(&typist.state, id)).cloned();
    assert_eq!(asked, reached.collect::<Vec<_>>());
    assert!(asked.len() > 1 && asked.len() < world.deployments.len(), "{asked:?}");
    typist.tell(vec![Update::Settled]);
    assert_eq!(typist.effects(), [], "once");
}

#[test]
fn ctrl_c_ends_the_check_of_everything() {
    let mut typist = Typist::with(120, 40, Options { exact: true, ..Options::default() });
    let effects = typist.effects();
    let [Effect::CheckExactly { ticket, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    typist.keys("ctrl-c");
    assert_eq!(typist.effects(), [Effect::Cancel { ticket: *ticket }]);
}

#[test]
fn objects_that_keep_their_local_verdict_are_told_with_the_reason() {
    let mut typist = at_web(Options::default());
    typist.keys("x");
    let (ticket, _) = asked(&mut typist);
    let why = "you may not patch deployments.apps in namespace shop, so no dry run can be had";
    let silent = vec![Notice::warning("2 objects keep their local verdict").cause(why)];
    typist.send(Message::ExactDone { at: typist.now, ticket, outcome: Ok((3, 5)), silent });
    assert_eq!(typist.said(), format!("2 of 5 objects keep the local verdict: {why}"));
    assert_eq!(typist.state.notices[0].notice.title, "2 objects keep their local verdict");
}

#[test]
fn an_exact_verdict_says_so_and_when_and_where_the_comparison_here_differs() {
    let mut typist = at_web(Options::default());
    let key = resource_id("prod-eu", "apps/v1", "Deployment", "web");
    let deployment = deployment_id("web", "prod-eu");
    let mut status = typist.state.world.resources[&deployment][&key].status.clone();
    let mut judgement = (*status.judgement).clone();
    judgement.confidence = Confidence::Exact;
    let disagreement = Disagreement {
        path: ".spec.replicas".to_owned(),
        local: "changed".to_owned(),
        exact: "unchanged".to_owned(),
        shown: Confidence::Exact,
        why: "the API server has the last word on values",
    };
    let (at, contending, disagreements) = (world::now(), Vec::new(), vec![disagreement]);
    judgement.exact = Some(Exact { at, contending, disagreements });
    status.judgement = Arc::new(judgement);
    typist.tell(vec![Update::Resources { deployment, changed: vec![status], gone: Vec::new() }]);
    assert!(typist.line_with("Deployment ").contains(", exact"), "{}", typist.screen());
    typist.keys("4 j j enter");
    crate::screens::answer_diffs(&mut typist);
    insta::assert_snapshot!("exact_120x40", typist.screen());
}
