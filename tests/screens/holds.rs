//! Pausing an app's engine and letting it go on: the prompt, the plan, and how a pause is shown.

use crate::typist::Typist;
use crate::world::{app_id, cluster_id, deployment_id};
use driftdeck::deck::{Effect, HoldRequest, Message, Pause, PlanRequest, Ticket};
use driftdeck::model::plan::{Bound, LastApplied, Plan, Step, StepAction, StepOutcome, Way};
use driftdeck::model::recorded::{RecordedAction, RecordedStep};
use driftdeck::model::{
    Asked, Automation, Class, Engine, FieldChange, FieldPath, GroupKind, GroupVersionKind, Hold, Identity,
    Notice, ResourceId, Revision,
};
use driftdeck::value;
use jiff::SignedDuration;

fn kustomization() -> ResourceId {
    ResourceId::from(Identity {
        cluster: cluster_id("prod-eu"),
        kind: GroupKind::new("kustomize.toolkit.fluxcd.io", "Kustomization"),
        namespace: Some("flux-system".into()),
        name: Some("web".into()),
    })
}

fn hold(typist: &Typist, minutes: i64) -> Hold {
    Hold {
        engine: Engine::Flux,
        object: kustomization(),
        ours: true,
        owner: Some("ana".into()),
        reason: Some("rolling back 1.4.3".into()),
        since: Some(typist.now - SignedDuration::from_mins(10)),
        until: Some(typist.now + SignedDuration::from_mins(minutes)),
        by: Some("driftdeck".into()),
        at: Some(typist.now - SignedDuration::from_mins(10)),
    }
}

/// The deck at web on prod-eu, once its engine has told this.
fn at_web(width: u16, height: u16, told: impl FnOnce(&Typist) -> Automation) -> Typist {
    let mut typist = Typist::at(width, height);
    typist.keys("2 j 3 j");
    typist.effects();
    tell(&mut typist, told);
    typist
}

fn tell(typist: &mut Typist, told: impl FnOnce(&Typist) -> Automation) {
    let result = Ok(told(typist));
    let deployment = deployment_id("web", "prod-eu");
    typist.send(Message::Automation { at: typist.now, deployment, result });
}

fn plan() -> Plan {
    let path = |text: &str| FieldPath::parse(text).unwrap();
    let change =
        |at: &str, desired, live| FieldChange { desired, live, ..FieldChange::new(path(at), Class::Changed) };
    let step = Step {
        resource: kustomization(),
        kind: GroupVersionKind::new("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"),
        action: StepAction::Engine,
        manager: "driftdeck".into(),
        changes: vec![
            change(".spec.suspend", Some(value!(true)), None),
            change(
                ".metadata.annotations.driftdeck.dev/hold-reason",
                Some(value!("rolling back 1.4.3")),
                None,
            ),
        ],
        takes_over_from: Vec::new(),
        note: None,
        ticked: true,
        outcome: StepOutcome::Planned,
        way: Way::Patch { last_applied: LastApplied::Untouched },
        desired: None,
        bound: Bound::default(),
        effect: Some(Vec::new()),
    };
    Plan {
        id: "01J".into(),
        command: "hold",
        undoes: None,
        app: app_id("web"),
        cluster: cluster_id("prod-eu"),
        context: "prod-eu".into(),
        namespace: Some("shop".into()),
        revision: Revision { asked: Asked::Name("main".into()), commit: None, dirty: false, behind: 0, ahead: 0 },
        manager: "driftdeck".into(),
        steps: vec![step],
        rendered: String::new(),
        bound_to: String::new(),
        protected: true,
        will_not: Vec::new(),
        no_pruning: Vec::new(),
        objects: 1,
        remarks: vec![
            "nothing ends the hold by itself: from 2026-11-20T03:44:00Z on it is shown as expired".into(),
            "Flux's Kustomization flux-system/root deploys this Kustomization: if Git declares its spec.suspend, it undoes it when it next reconciles".into(),
        ],
        headless: "driftdeck hold web --reason 'rolling back 1.4.3' --for 1h --context prod-eu --confirm prod-eu".into(),
        notices: Vec::new(),
    }
}

#[test]
fn the_engine_is_asked_once_when_its_app_is_looked_at() {
    let mut typist = Typist::at(120, 40);
    typist.effects.clear();
    typist.keys("2 j 3 j j k j");
    let asked = |typist: &mut Typist| {
        let effects = std::mem::take(&mut typist.effects);
        let to = effects.into_iter().filter_map(|effect| match effect {
            Effect::LoadAutomation { deployment } => Some(deployment),
            _ => None,
        });
        to.filter(|of| *of == deployment_id("web", "prod-eu")).count()
    };
    assert_eq!(asked(&mut typist), 1);
    typist.keys("k");
    tell(&mut typist, |_| Automation::Running);
    assert_eq!(asked(&mut typist), 0);
    typist.keys("ctrl-r j k");
    assert!(asked(&mut typist) <= 1);
}

#[test]
fn how_long_and_why_is_asked_and_then_planned() {
    let mut typist = at_web(120, 40, |_| Automation::Running);
    typist.keys("H");
    typist.keys("'rolling space 'back");
    insta::assert_snapshot!("hold_prompt_120x40", typist.screen());
    typist.keys("ctrl-u enter");
    assert_eq!(typist.said(), "how long comes first, such as 30m or 2h");
    typist.keys("'2h enter");
    assert_eq!(typist.said(), "why comes after how long: colleagues read it");
    assert!(typist.effects().is_empty());
    typist.keys("space 'fix enter");
    let pause = Some(Pause { reason: "fix".into(), lasting: SignedDuration::from_hours(2) });
    let request = HoldRequest { deployment: deployment_id("web", "prod-eu"), pause };
    assert_eq!(typist.effects(), [Effect::Plan { ticket: Ticket(1), request: PlanRequest::Hold(request) }]);
}

#[test]
fn the_prompt_is_left_and_nothing_is_planned() {
    let mut typist = at_web(120, 40, |_| Automation::Running);
    typist.keys("H esc");
    assert!(typist.state.layers.is_empty() && typist.effects().is_empty());
}

#[test]
fn the_plan_of_a_hold_as_it_is_shown() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut typist = at_web(width, height, |_| Automation::Running);
        typist.keys("H 'fix enter");
        typist.send(Message::PlanReady { at: typist.now, ticket: Ticket(1), plan: Box::new(plan()) });
        typist.wait(SignedDuration::from_secs(1));
        insta::assert_snapshot!(format!("hold_{width}x{height}"), typist.screen());
    }
}

#[test]
fn a_hold_stands_above_the_apps_drift_and_the_same_key_ends_it() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut typist = at_web(width, height, |typist| Automation::Held(hold(typist, 60)));
        typist.keys("4");
        insta::assert_snapshot!(format!("held_{width}x{height}"), typist.screen());
        typist.keys("H");
        let request = HoldRequest { deployment: deployment_id("web", "prod-eu"), pause: None };
        let request = PlanRequest::Hold(request);
        assert_eq!(typist.effects(), [Effect::Plan { ticket: Ticket(1), request }]);
        assert!(typist.screen().contains("Resume the engine") || width == 40, "{}", typist.screen());
    }
}

#[test]
fn a_hold_whose_time_is_over_is_said_once_and_stays() {
    let mut typist = at_web(120, 40, |typist| Automation::Held(hold(typist, 1)));
    let unread = typist.state.unread;
    typist.line_with("held until");
    typist.wait(SignedDuration::from_mins(2)).wait(SignedDuration::from_mins(2));
    assert_eq!(typist.state.unread, unread + 1);
    typist.line_with("the hold of ana expired at");
    typist.keys("!");
    typist.line_with("web on prod-eu: the hold of ana expired at");
    typist.line_with("H lets its engine go on");
}

#[test]
fn what_others_paused_says_who_and_that_it_was_not_driftdeck() {
    let typist = at_web(120, 40, |typist| {
        let none = (None, None, None, None);
        let (owner, reason, since, until) = none;
        Automation::Held(Hold {
            ours: false,
            owner,
            reason,
            since,
            until,
            by: Some("flux".into()),
            ..hold(typist, 1)
        })
    });
    typist.line_with("paused by flux since 02:34, not by driftdeck");
}

#[test]
fn where_there_is_nothing_to_pause_the_key_says_why() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 / 'search enter 3 j H");
    assert_eq!(typist.said(), "driftdeck cannot pause helm, which owns search on prod-eu");
    let mut typist = at_web(120, 40, |_| Automation::Manual);
    typist.keys("H");
    assert_eq!(typist.said(), "the engine of web on prod-eu acts only when it is told to");
    let mut typist = at_web(120, 40, |_| Automation::NoEngine);
    typist.keys("H");
    assert_eq!(typist.said(), "the engine's object that owns web is not on prod-eu");
    let mut typist = at_web(120, 40, |_| Automation::Running);
    let result = Err(Notice::warning("whether the app is held is not known").cause("not allowed to get it"));
    typist.send(Message::Automation { at: typist.now, deployment: deployment_id("web", "prod-eu"), result });
    typist.keys("H");
    assert_eq!(typist.said(), "whether web on prod-eu is held is not known: not allowed to get it");
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j 3 j H");
    assert_eq!(typist.said(), "whether web on prod-eu is held is being asked");
}

#[test]
fn the_journal_is_read_in_the_deck_and_copied_as_markdown() {
    let mut typist = Typist::at(120, 40);
    typist.keys(": 'journal enter");
    assert_eq!(typist.effects(), [Effect::LoadJournal]);
    let step = RecordedStep {
        action: "engine".into(),
        object: "Kustomization flux-system/web".into(),
        paths: vec![".spec.suspend".into()],
        outcome: "applied".into(),
        notice: None,
    };
    let action = RecordedAction {
        id: "20261120T021502Z-3f2c1d".into(),
        time: "2026-11-20T02:15:02Z".into(),
        ended: None,
        user: Some("ana".into()),
        acted_as: None,
        command: "hold".into(),
        app: "web".into(),
        cluster: "prod-eu".into(),
        outcome: "applied".into(),
        steps: vec![step],
        commit: None,
        repo: None,
        branch: None,
        files: Vec::new(),
        request: None,
        headless: Some("driftdeck hold web".into()),
    };
    let markdown = action.markdown();
    typist.send(Message::Journal { at: typist.now, result: Ok(vec![action]) });
    typist.line_with("02:15  hold web on prod-eu  applied  by ana  20261120T021502Z-3f2c1d");
    typist.line_with("engine Kustomization flux-system/web (.spec.suspend)  applied");
    typist.keys("y enter");
    let text = markdown;
    assert_eq!(typist.effects(), [Effect::Copy { what: "journal, as Markdown".into(), text }]);
    typist.keys("esc");
    assert!(typist.state.layers.is_empty());
}
