//! The way from a key to a write: plan, ticks, the guard against stray keys, the name of a protected cluster, outcomes.

use crate::typist::Typist;
use crate::world::{app_id, cluster_id, deployment_id, hotfix, resource_id};
use driftdeck::deck::message::OpenSync;
use driftdeck::deck::{Effect, Layer, Message, PlanRequest, SyncRequest, Ticket, UndoRequest};
use driftdeck::model::update::Update;
use driftdeck::model::{
    Asked, Bound, GroupVersionKind, LastApplied, Notice, Oid, Operation, Plan, Revision, Step, StepAction,
    StepOutcome, Verdict, Way, Writer,
};
use jiff::SignedDuration;

fn step(api: &str, kind: &str, name: &str, action: StepAction, ticked: bool) -> Step {
    Step {
        resource: resource_id("prod-eu", api, kind, name),
        kind: GroupVersionKind::from_api_version(api, kind),
        action,
        manager: "kubectl-client-side-apply".to_owned(),
        changes: Vec::new(),
        takes_over_from: Vec::new(),
        note: None,
        ticked,
        outcome: StepOutcome::Planned,
        way: if action == StepAction::Delete {
            Way::Delete
        } else {
            Way::Patch { last_applied: LastApplied::Declared }
        },
        desired: None,
        bound: Bound::default(),
        effect: Some(Vec::new()),
    }
}

fn plan() -> Plan {
    let mut web = step("apps/v1", "Deployment", "web", StepAction::Patch, true);
    web.changes = hotfix().into_iter().take(2).collect();
    web.takes_over_from = vec![Writer {
        manager: "kubectl-edit".to_owned(),
        called: None,
        operation: Operation::Update,
        subresource: None,
        time: None,
    }];
    web.note = Some("the template changes: a rollout of 3 replicas follows".to_owned());
    let mut config = step("v1", "ConfigMap", "web-config", StepAction::Patch, false);
    config.note = Some("contended with reloader, left alone".to_owned());
    Plan {
        id: "01J".to_owned(),
        command: "sync",
        undoes: None,
        app: app_id("web"),
        cluster: cluster_id("prod-eu"),
        context: "prod-eu".to_owned(),
        namespace: Some("shop".to_owned()),
        revision: Revision {
            asked: Asked::Name("main".to_owned()),
            commit: Some(Oid(crate::world::COMMIT.to_owned())),
            dirty: false,
            behind: 14,
            ahead: 0,
        },
        manager: "kubectl-client-side-apply".to_owned(),
        steps: vec![web, config, step("batch/v1", "Job", "web-migrate-7", StepAction::Delete, false)],
        bound_to: "digest".to_owned(),
        protected: true,
        will_not: vec!["delete Job shop/web-migrate-7, extra, unless it is ticked".to_owned()],
        no_pruning: Vec::new(),
        objects: 3,
        remarks: vec!["Flux had not done this itself: the Kustomization is suspended".to_owned()],
        headless: "driftdeck sync web --context prod-eu --confirm prod-eu".to_owned(),
        notices: Vec::new(),
        rendered: String::new(),
    }
}

fn asked() -> Typist {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j S");
    typist
}

fn ready() -> Typist {
    let mut typist = asked();
    typist.effects();
    typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()) });
    typist.wait(SignedDuration::from_secs(1));
    typist
}

fn confirmed() -> Typist {
    let mut typist = ready();
    typist.keys("A 'prod-eu enter");
    typist
}

#[test]
fn a_key_asks_for_a_plan_and_writes_nothing() {
    let mut typist = asked();
    let request = SyncRequest {
        deployment: deployment_id("web", "prod-eu"),
        only: Vec::new(),
        dirty: false,
        deployers: Vec::new(),
    };
    assert_eq!(typist.effects(), [Effect::Plan { ticket: Ticket(1), request: PlanRequest::Sync(request) }]);
    assert!(typist.screen().contains("planning"));
}

#[test]
fn the_resource_under_the_cursor_or_the_ticked_ones_are_synced_alone() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 j S");
    let only = vec![resource_id("prod-eu", "apps/v1", "Deployment", "web")];
    let request = SyncRequest {
        deployment: deployment_id("web", "prod-eu"),
        only,
        dirty: false,
        deployers: Vec::new(),
    };
    assert_eq!(typist.effects(), [Effect::Plan { ticket: Ticket(1), request: PlanRequest::Sync(request) }]);
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 * S");
    match typist.effects().as_slice() {
        [Effect::Plan { request: PlanRequest::Sync(request), .. }] => assert_eq!(request.only.len(), 2),
        other => panic!("{other:?}"),
    }
}

fn undoing() -> Typist {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j U");
    typist
}

fn undo_plan() -> Plan {
    let mut web = step("apps/v1", "Deployment", "web", StepAction::Patch, true);
    web.changes = hotfix().into_iter().take(1).collect();
    "driftdeck-undo".clone_into(&mut web.manager);
    web.note = Some("template changes: a rollout of 3 replicas follows".to_owned());
    Plan {
        command: "undo",
        undoes: Some("20261120T081502Z-3f2c1d".to_owned()),
        manager: "driftdeck-undo".to_owned(),
        steps: vec![web],
        will_not: vec!["undo Secret/shop/web-tls: Secrets are never stored".to_owned()],
        remarks: vec![
            "undoes the sync 20261120T081502Z-3f2c1d of 2026-11-20T08:15:02Z".to_owned(),
            "Git still declares what was written then: web drifts after this, and the next sync writes it again"
                .to_owned(),
        ],
        headless: "driftdeck undo 20261120T081502Z-3f2c1d --context prod-eu --confirm prod-eu".to_owned(),
        ..plan()
    }
}

#[test]
fn a_key_asks_for_the_undo_of_the_apps_sync_and_planned_again_it_is_the_same_one() {
    let mut typist = undoing();
    let request = |action: Option<&str>| {
        let deployment = deployment_id("web", "prod-eu");
        PlanRequest::Undo(UndoRequest { deployment, action: action.map(str::to_owned) })
    };
    assert_eq!(typist.effects(), [Effect::Plan { ticket: Ticket(1), request: request(None) }]);
    typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(undo_plan()) });
    typist.wait(SignedDuration::from_secs(1));
    typist.keys("w");
    assert_eq!(typist.said(), "only a sync takes what is not committed");
    typist.keys("r");
    let again = request(Some("20261120T081502Z-3f2c1d"));
    assert_eq!(typist.effects(), [Effect::Plan { ticket: Ticket(2), request: again }]);
}

#[test]
fn the_plan_of_an_undo_as_it_is_shown() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut typist = Typist::at(width, height);
        typist.keys("2 j 3 j U");
        typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(undo_plan()) });
        typist.wait(SignedDuration::from_secs(1));
        insta::assert_snapshot!(format!("undo_{width}x{height}"), typist.screen());
    }
}

#[test]
fn which_of_several_syncs_is_undone_is_asked() {
    let mut typist = undoing();
    typist.effects();
    let sync = |id: &str, minutes: i64, objects: &[&str]| OpenSync {
        id: id.to_owned(),
        time: typist.now - SignedDuration::from_mins(minutes),
        user: Some("ana".to_owned()),
        objects: objects.iter().map(|object| (*object).to_owned()).collect(),
    };
    let syncs = vec![
        sync("20261120T081502Z-3f2c1d", 4, &["Deployment shop/web", "ConfigMap shop/web-config"]),
        sync("20261119T221000Z-aaaaaa", 600, &["Deployment shop/web"]),
    ];
    typist.send(Message::PlanOpen { at: typist.now, ticket: Ticket(1), syncs });
    insta::assert_snapshot!("undo_which_120x40", typist.screen());
    typist.keys("down enter");
    let effects = typist.effects();
    let [Effect::Plan { ticket: Ticket(2), request: PlanRequest::Undo(request) }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(request.action.as_deref(), Some("20261119T221000Z-aaaaaa"));
}

#[test]
fn the_plan_as_it_is_shown() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut typist = Typist::at(width, height);
        typist.keys("2 j 3 j S");
        typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()) });
        typist.wait(SignedDuration::from_secs(1));
        insta::assert_snapshot!(format!("plan_{width}x{height}"), typist.screen());
    }
}

#[test]
fn what_applies_a_plan_and_the_way_out_are_offered_at_every_width() {
    for width in [120, 80, 40] {
        let mut typist = Typist::at(width, 12);
        typist.keys("2 j 3 j S");
        typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()) });
        let screen = typist.wait(SignedDuration::from_secs(1)).screen();
        let footer = screen.lines().last().unwrap();
        assert!(footer.contains("A apply") && footer.contains("esc back"), "{footer}");
    }
}

#[test]
fn no_sentence_of_a_plan_is_cut_at_any_width() {
    for (width, height) in [(120, 40), (80, 24), (40, 40)] {
        let mut typist = Typist::at(width, height);
        typist.keys("2 j 3 j S");
        typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()) });
        let screen = typist.wait(SignedDuration::from_secs(1)).screen();
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        for whole in [
            "Sync web to prod-eu",
            "PROTECTED",
            "as kubectl-client-side-apply",
            "takes over from kubectl-edit",
            "the template changes: a rollout of 3 replicas follows",
            "will not: delete Job shop/web-migrate-7, extra, unless it is ticked",
            "driftdeck sync web --context prod-eu --confirm prod-eu",
        ] {
            assert!(words.contains(whole), "{whole}\n{screen}");
        }
        typist.keys("A");
        let screen = typist.screen();
        let framed = screen.lines().filter_map(|line| line.split_once('│')?.1.rsplit_once('│'));
        let words = framed.flat_map(|(inner, _)| inner.split_whitespace()).collect::<Vec<_>>().join(" ");
        assert!(words.contains("prod-eu is protected: type prod-eu"), "{screen}");
    }
}

#[test]
fn the_prompt_for_the_name_as_it_is_shown() {
    let mut typist = ready();
    typist.keys("A 'prod-e");
    insta::assert_snapshot!("confirm_120x40", typist.screen());
}

#[test]
fn keys_that_arrive_right_after_the_plan_are_dropped() {
    let mut typist = asked();
    typist.effects();
    let shown = typist.now + SignedDuration::from_millis(700);
    typist.send(Message::PlanReady {
        at: shown,
        ticket: Ticket(1),
        plan: Box::new(Plan { protected: false, ..plan() }),
    });
    let key = driftdeck::model::Key::char('A');
    typist.send(Message::Key { at: shown + SignedDuration::from_millis(499), key });
    assert!(typist.effects().is_empty());
    typist.send(Message::Key { at: shown + SignedDuration::from_millis(500), key });
    assert!(matches!(typist.effects().as_slice(), [Effect::ApplyPlan { .. }]));
}

#[test]
fn neither_enter_nor_the_key_that_opened_applies() {
    let mut typist = ready();
    typist.keys("enter S enter S");
    assert!(typist.effects().is_empty());
}

#[test]
fn a_protected_cluster_wants_its_name_and_then_the_key_again() {
    let mut typist = ready();
    typist.keys("A enter A 'prod-us enter");
    assert!(typist.effects().is_empty());
    assert_eq!(typist.said(), "that is not prod-eu: nothing was written");
    typist.keys("A 'prod-eu enter");
    assert!(typist.effects().is_empty(), "the name alone writes nothing");
    typist.keys("A");
    match typist.effects().as_slice() {
        [Effect::ApplyPlan { ticket: Ticket(1), plan, confirmed }] => {
            assert_eq!((plan.id.as_str(), confirmed.as_slice()), ("01J", ["prod-eu".to_owned()].as_slice()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn ticks_of_steps_go_with_the_plan() {
    let mut typist = confirmed();
    typist.keys("space j space A");
    match typist.effects().as_slice() {
        [Effect::ApplyPlan { plan, .. }] => {
            assert_eq!(plan.steps.iter().map(|s| s.ticked).collect::<Vec<_>>(), [false, true, false]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_without_a_ticked_step_applies_nothing() {
    let mut typist = confirmed();
    typist.keys("space A");
    assert_eq!(typist.said(), "no step is ticked");
    assert!(typist.effects().is_empty());
}

#[test]
fn outcomes_are_shown_step_by_step() {
    let mut typist = confirmed();
    typist.keys("j space k A");
    typist.effects();
    assert!(typist.line_with("Deployment shop/web").contains("writing"));
    typist.send(Message::StepDone { ticket: Ticket(1), step: 0, outcome: StepOutcome::Applied });
    let refused = Notice::error("the object changed since the plan").hint("plan again");
    typist.send(Message::StepDone { ticket: Ticket(1), step: 1, outcome: StepOutcome::Refused(refused) });
    typist.send(Message::PlanDone { at: typist.now, ticket: Ticket(1), verdict: Some(Verdict::Drifted) });
    insta::assert_snapshot!("outcomes_120x40", typist.screen());
    typist.keys("A");
    assert_eq!(typist.said(), "the plan was carried out: r plans again");
    assert!(typist.effects().is_empty());
    typist.keys("!");
    for line in [
        "Deployment shop/web on prod-eu: applied",
        "refused, the object changed since the plan",
        "the plan of web for prod-eu was carried out",
    ] {
        typist.line_with(line);
    }
}

#[test]
fn what_was_left_alone_is_told_with_the_verdict() {
    let mut typist = confirmed();
    typist.keys("A");
    typist.send(Message::StepDone { ticket: Ticket(1), step: 0, outcome: StepOutcome::Applied });
    typist.send(Message::PlanDone { at: typist.now, ticket: Ticket(1), verdict: Some(Verdict::Drifted) });
    typist.line_with(
        "1 of 1 as planned; 2 steps were not ticked and left alone; web on prod-eu is now drifted",
    );
}

#[test]
fn a_plan_that_is_carried_out_is_not_left_but_can_be_stopped() {
    let mut typist = confirmed();
    typist.keys("A");
    typist.effects();
    typist.keys("esc q");
    assert!(matches!(typist.state.layers.last(), Some(Layer::Plan(_))));
    assert!(typist.effects().is_empty());
    typist.keys("ctrl-c");
    assert_eq!(typist.effects(), [Effect::Cancel { ticket: Ticket(1) }]);
    assert_eq!(typist.said(), "stops before the next step");
}

/// Ways to leave everything at once for the deck.
const ALL_AT_ONCE: [&str; 5] =
    ["u", ": 'billing enter", ": 'prod-us enter", ": 'shop-charts enter", "m j enter"];

fn something_new(typist: &mut Typist) {
    let judgement = crate::world::judged(Verdict::Missing, Vec::new(), crate::world::healthy());
    let gone = crate::world::resource("cart", "prod-eu", "v1", "Service", "cart-00", judgement);
    typist.tell(vec![Update::Resources {
        deployment: gone.deployment.clone(),
        changed: vec![gone],
        gone: Vec::new(),
    }]);
}

#[test]
fn no_way_out_loses_a_plan_that_is_carried_out() {
    for way in ALL_AT_ONCE {
        for on_top in ["", "d", "w", "!"] {
            let mut typist = confirmed();
            something_new(&mut typist);
            typist.keys("A");
            typist.effects();
            typist.keys(on_top).keys(way);
            assert!(typist.state.layers.iter().any(|l| matches!(l, Layer::Plan(_))), "{on_top} {way}");
            assert_eq!(typist.said(), "the plan is being carried out: ctrl-c stops before the next step");
            assert!(!typist.effects().iter().any(|e| matches!(e, Effect::Cancel { .. })), "{on_top} {way}");
        }
    }
}

#[test]
fn every_way_out_gives_up_a_plan_that_is_being_computed() {
    for way in ALL_AT_ONCE {
        let mut typist = asked();
        something_new(&mut typist);
        typist.effects();
        typist.keys(way);
        assert!(typist.state.layers.is_empty(), "{way}");
        assert_eq!(typist.effects(), [Effect::Cancel { ticket: Ticket(1) }], "{way}");
    }
}

#[test]
fn a_second_plan_never_pushes_the_first_aside() {
    let said = |typist: &mut Typist| {
        typist.keys("d");
        typist.effects();
        typist.keys("S");
        assert!(typist.effects().is_empty());
        typist.said().to_owned()
    };
    assert_eq!(said(&mut ready()), "a plan is open below: esc leads back to it, r plans again");
    let mut applying = confirmed();
    applying.keys("A");
    assert_eq!(said(&mut applying), "a plan is being carried out");
}

#[test]
fn a_plan_that_moved_is_shown_anew_and_must_be_confirmed_again() {
    let mut typist = confirmed();
    typist.keys("A");
    typist.effects();
    let why = "Deployment shop/web was edited".to_owned();
    typist.send(Message::PlanMoved { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()), why });
    assert!(
        typist.screen().contains("nothing was written: Deployment shop/web was edited; this is the new plan")
    );
    typist.wait(SignedDuration::from_secs(1));
    typist.keys("A");
    assert!(typist.effects().is_empty());
    assert!(matches!(typist.state.layers.last(), Some(Layer::Confirm(_))));
}

fn ticks(typist: &Typist) -> Vec<bool> {
    let Some(Layer::Plan(view)) = typist.state.layers.last() else { panic!("a plan is open") };
    view.plan.iter().flat_map(|plan| &plan.steps).map(|step| step.ticked).collect()
}

#[test]
fn what_was_ticked_and_unticked_holds_for_the_plan_that_replaces_it() {
    let mut typist = ready();
    typist.keys("space j space r");
    typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(2), plan: Box::new(plan()) });
    assert_eq!(ticks(&typist), [false, true, false], "planned again");
    let why = "Deployment shop/web was edited".to_owned();
    let other = Plan { steps: plan().steps.into_iter().rev().collect(), ..plan() };
    typist.send(Message::PlanMoved { at: typist.now, ticket: Ticket(2), plan: Box::new(other), why });
    assert_eq!(ticks(&typist), [false, true, false], "in another order: it goes by resource");
    assert!(!typist.screen().contains("ticked, and"), "nothing was lost");
}

#[test]
fn a_tick_that_a_new_plan_has_no_place_for_is_told() {
    let mut typist = ready();
    typist.keys("space j space r");
    let mut other = plan();
    other.steps[0].action = StepAction::Apply;
    other.steps.remove(1);
    typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(2), plan: Box::new(other) });
    assert_eq!(ticks(&typist), [true, false]);
    typist.line_with("Deployment shop/web was unticked to patch, and is now to apply");
    typist.line_with("ConfigMap shop/web-config was ticked, and is no longer planned");
}

#[test]
fn leaving_a_plan_that_is_being_computed_gives_it_up() {
    let mut typist = asked();
    typist.effects();
    typist.keys("esc");
    assert_eq!(typist.effects(), [Effect::Cancel { ticket: Ticket(1) }]);
    typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()) });
    assert!(typist.state.layers.is_empty(), "a late plan does not come back");
}

#[test]
fn a_plan_that_failed_says_why() {
    let mut typist = asked();
    let notice = Notice::error("prod-eu denied the dry run")
        .cause("deployments.apps is forbidden")
        .hint("ask for patch");
    typist.send(Message::PlanFailed { at: typist.now, ticket: Ticket(1), notice });
    let screen = typist.screen();
    for said in ["no plan: prod-eu denied the dry run", "deployments.apps is forbidden", "ask for patch"] {
        assert!(screen.contains(said), "{screen}");
    }
}

#[test]
fn the_plan_is_copied_as_markdown() {
    let mut typist = ready();
    typist.keys("y");
    match typist.effects().as_slice() {
        [Effect::Copy { text, .. }] => insta::assert_snapshot!("plan_markdown", text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tie_opens_a_picker_and_what_is_picked_is_planned_with() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j 3 j S");
    typist.effects();
    let managers = vec!["one".to_owned(), "two".to_owned()];
    let at = typist.now;
    let resource = resource_id("prod-eu", "v1", "ConfigMap", "web");
    typist.send(Message::PlanTied { at, ticket: Ticket(1), resource: resource.clone(), managers });
    assert!(typist.screen().contains("writes ConfigMap/shop/web as this manager"), "{}", typist.screen());
    typist.keys("down enter");
    let effects = typist.effects();
    let [Effect::Plan { request: PlanRequest::Sync(request), .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(request.deployers, [(resource, "two".to_owned())]);
}

#[test]
fn what_a_tick_does_is_no_longer_said_not_to_be_done() {
    let mut plan = plan();
    let resource = &plan.steps[1].resource;
    plan.will_not = vec![
        format!("write .data.a of {resource}: contended with reloader, left alone unless ticked in the deck"),
        format!(
            "delete {}: it is not in Git; --prune, or a tick in the deck, deletes it",
            plan.steps[2].resource
        ),
    ];
    plan.steps[1].changes = vec![crate::world::change(
        ".data.a",
        driftdeck::model::Class::Contended,
        Some(driftdeck::value!("1")),
        Some(driftdeck::value!("2")),
    )];
    let mut typist = asked();
    typist.effects();
    typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan) });
    typist.wait(SignedDuration::from_secs(1));
    let before = typist.screen();
    assert!(
        before.contains("contended with reloader, left alone unless")
            && before.contains("the same from a shell: driftdeck sync"),
        "{before}"
    );
    typist.keys("j space j space");
    let after = typist.screen();
    assert!(!after.contains("left alone unless") && !after.contains("deletes it"), "{after}");
    assert!(after.contains("the same from a shell: none"), "{after}");
}
