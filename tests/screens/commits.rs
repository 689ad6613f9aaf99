//! The screen of a plan of a commit: what would be in it, what would come of it, its message, and what became of it.

use crate::typist::Typist;
use crate::world::{COMMIT, OLDER, app_id, cluster_id, fleet, hotfix, judged, resource};
use driftdeck::deck::commit_view::{CommitRequest, CommitWhat};
use driftdeck::deck::{Effect, Message, Ticket};
use driftdeck::model::commit_plan::{
    ChangedFile, CommitAction, CommitPlan, CommitStep, FileChange, Hidden, Identity, Included, Landing,
    Publish, Reach,
};
use driftdeck::model::confirm::Ask;
use driftdeck::model::history::Step;
use driftdeck::model::{
    Class, Health, HealthStatus, History, Key, Notice, Oid, PastCommit, Signature, StepOutcome, Verdict,
};
use driftdeck::text::hostile::STRINGS;
use driftdeck::ui::Depth;
use jiff::SignedDuration;

fn past(id: &str) -> PastCommit {
    PastCommit {
        id: Oid(id.to_owned()),
        author: "Ana".to_owned(),
        email: "ana@example.com".to_owned(),
        authored: None,
        subject: "Release".to_owned(),
        files: vec!["apps/web/deployment.yaml".to_owned()],
        pull_request: None,
        signature: Signature::None,
    }
}

fn file(path: &str, kind: FileChange, lines: Option<(usize, usize)>) -> ChangedFile {
    ChangedFile { path: path.to_owned(), kind, lines }
}

fn plan() -> CommitPlan {
    let ana = Identity { name: "Ana Lindqvist".to_owned(), email: "ana@example.com".to_owned() };
    let mut changes = hotfix();
    changes.truncate(1);
    let differing = resource(
        "web",
        "prod-eu",
        "apps/v1",
        "Deployment",
        "web",
        judged(Verdict::Drifted, changes, Health::of(HealthStatus::Healthy)),
    );
    let note = "on main, which is checked out: its files change with it".to_owned();
    CommitPlan {
        id: "20261124T024400Z-aaaaaa".to_owned(),
        command: "revert",
        app: app_id("web"),
        repo: fleet(),
        repo_name: "fleet".to_owned(),
        location: "/src/fleet".to_owned(),
        cluster: Some((cluster_id("prod-eu"), "prod-eu".to_owned())),
        namespace: Some("shop".to_owned()),
        base: Oid(COMMIT.to_owned()),
        landing: Landing::CheckedOut { branch: "main".to_owned(), keeps: Vec::new() },
        files: vec![
            file("apps/web/config.yaml", FileChange::Removed, Some((0, 9))),
            file("apps/web/deployment.yaml", FileChange::Changed, Some((1, 2))),
        ],
        included: vec![Included { path: "base/web.yaml".to_owned(), ticked: false }],
        message:
            "Revert web to 9c1f07e\n\nThe release was bad.\n\nDriftdeck-Action: revert web to 9c1f07e; x\n"
                .to_owned(),
        author: ana.clone(),
        committer: ana,
        signed: Some("ssh".to_owned()),
        steps: vec![CommitStep::planned(CommitAction::Commit, Some(note))],
        effect: Ok(vec![differing.clone()]),
        rendered: Ok(vec![differing]),
        shared_with: vec!["api".to_owned()],
        hides: None,
        to: None,
        asks: None,
        will_not: vec!["push it: git push does, or --push".to_owned()],
        remarks: Vec::new(),
        headless: "driftdeck revert web 9c1f07e --context prod-eu".to_owned(),
        bound_to: "b".to_owned(),
        commit: None,
        request: None,
        notices: Vec::new(),
    }
}

#[track_caller]
fn asked(typist: &mut Typist) -> (Ticket, CommitRequest) {
    let effects = typist.effects();
    let mut asked = effects.iter().filter_map(|effect| match effect {
        Effect::PlanCommit { ticket, request } => Some((*ticket, request.clone())),
        _ => None,
    });
    let found = asked.next().unwrap_or_else(|| panic!("{effects:?}"));
    assert_eq!(asked.next(), None);
    found
}

/// The history of web on prod-eu, with the cursor on the older commit.
fn history(width: u16, height: u16) -> Typist {
    let mut typist = Typist::at(width, height);
    typist.keys("2 / 'web enter 4 R");
    assert!(typist.said().starts_with("choose the commit to go back to"), "{}", typist.said());
    let effects = typist.effects();
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::LoadHistory { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let commits = vec![past(COMMIT), past(OLDER)];
    let step = Step::Commits(History { commits, more: false, of: None, gap: None });
    let at = typist.now;
    typist.send(Message::HistoryStep { at, ticket: ticket.unwrap(), step: Ok(Box::new(step)) });
    typist.keys("j");
    typist
}

fn shown(width: u16, height: u16) -> (Typist, Ticket) {
    let mut typist = history(width, height);
    typist.keys("R");
    let (ticket, request) = asked(&mut typist);
    assert_eq!(request.what, CommitWhat::Back { to: Oid(OLDER.to_owned()) });
    assert_eq!((request.app, request.cluster), (app_id("web"), Some(cluster_id("prod-eu"))));
    let at = typist.now;
    typist.send(Message::CommitReady { at, ticket, plan: Box::new(plan()), moved: None });
    typist.wait(SignedDuration::from_secs(1));
    (typist, ticket)
}

#[test]
fn it_shows_files_effect_message_and_how_to_do_the_same() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        insta::assert_snapshot!(format!("commit_{width}x{height}"), shown(width, height).0.screen());
    }
}

#[test]
fn it_is_made_with_the_key_that_applies_and_says_what_became_of_it() {
    let (mut typist, ticket) = shown(120, 40);
    typist.keys("enter R S");
    assert!(typist.effects().iter().all(|effect| !matches!(effect, Effect::MakeCommit { .. })));
    typist.keys("A");
    let effects = typist.effects();
    assert_eq!(effects, [Effect::MakeCommit { ticket, id: plan().id }]);
    typist.keys("esc");
    assert!(typist.said().contains("being carried out"), "{}", typist.said());
    let mut done = plan();
    done.commit = Some(Oid("ab".repeat(20)));
    done.steps[0].outcome = StepOutcome::Applied;
    let at = typist.now;
    typist.send(Message::CommitDone { at, ticket, plan: Box::new(done) });
    let screen = typist.screen();
    assert!(screen.contains("is abababa on main") && screen.contains("1 of 1 as planned"), "{screen}");
    assert_eq!(typist.effects(), [Effect::Refresh], "what the repo holds now is read");
    typist.keys("A");
    assert!(typist.said().contains("was carried out"), "{}", typist.said());
}

#[test]
fn a_key_that_was_meant_for_what_was_there_before_makes_nothing() {
    let mut typist = history(120, 40);
    typist.keys("R");
    let (ticket, _) = asked(&mut typist);
    let at = typist.now;
    typist.send(Message::CommitReady { at, ticket, plan: Box::new(plan()), moved: None });
    let key = Key::char('A');
    typist.send(Message::Key { at: at + SignedDuration::from_millis(499), key });
    assert_eq!(typist.effects(), []);
    typist.send(Message::Key { at: at + SignedDuration::from_millis(500), key });
    assert_eq!(typist.effects(), [Effect::MakeCommit { ticket, id: plan().id }]);
}

#[test]
fn what_is_included_and_what_is_uncommitted_plan_again() {
    let (mut typist, ticket) = shown(120, 40);
    typist.keys("space");
    let (second, request) = asked(&mut typist);
    assert!(request.include && second != ticket);
    let at = typist.now;
    typist.send(Message::CommitReady { at, ticket, plan: Box::new(plan()), moved: None });
    assert!(typist.screen().contains("preparing the commit"), "the answer to what was given up is dropped");
    let mut all = plan();
    all.included.clear();
    typist.send(Message::CommitReady { at, ticket: second, plan: Box::new(all), moved: None });
    typist.wait(SignedDuration::from_secs(1));
    typist.keys("space");
    assert!(typist.said().contains("includes nothing"), "{}", typist.said());
    typist.keys("w");
    let (_, request) = asked(&mut typist);
    assert!(request.dirty && request.include);
}

#[test]
fn the_message_is_written_in_the_editor_or_its_first_line_here() {
    let (mut typist, ticket) = shown(120, 40);
    typist.keys("e");
    let text = "Revert web to 9c1f07e\n\nThe release was bad.".to_owned();
    assert_eq!(typist.effects(), [Effect::EditMessage { ticket, text }]);
    let at = typist.now;
    typist.send(Message::MessageWritten { at, ticket, result: Ok("\n".to_owned()) });
    assert!(typist.said().contains("needs a first line"), "{}", typist.said());
    assert_eq!(typist.effects(), []);
    typist.send(Message::MessageWritten { at, ticket, result: Ok("Back\n\nwhy\n\n".to_owned()) });
    let (ticket, request) = asked(&mut typist);
    assert_eq!(request.message.as_deref(), Some("Back\n\nwhy"));
    typist.send(Message::CommitReady { at, ticket, plan: Box::new(plan()), moved: None });
    typist.wait(SignedDuration::from_secs(1));
    typist.keys("m");
    insta::assert_snapshot!("commit_subject_80x24", {
        let (mut small, _) = shown(80, 24);
        small.keys("m").screen()
    });
    typist.keys("ctrl-u 'Calm enter");
    let (_, request) = asked(&mut typist);
    assert_eq!(request.message.as_deref(), Some("Calm\n\nThe release was bad."));
}

#[test]
fn one_commit_alone_is_taken_out() {
    let mut typist = history(120, 40);
    typist.keys("U");
    let (ticket, request) = asked(&mut typist);
    assert_eq!(request.what, CommitWhat::Undo { commit: Oid(OLDER.to_owned()) });
    let notice =
        Notice::error("9c1f07e cannot be taken out again: a.yaml was changed in the same places since");
    let at = typist.now;
    typist.send(Message::CommitFailed { at, ticket, notice });
    assert!(typist.screen().contains("no plan: 9c1f07e cannot be taken out again"), "{}", typist.screen());
    typist.keys("esc");
    assert!(typist.screen().contains("History of web"));
}

#[test]
fn an_ignore_rule_shows_what_it_would_hide_and_can_reach_further() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 / 'web enter 4 j X");
    assert!(typist.said().starts_with("several fields differ"), "{}", typist.said());
    typist.keys("j X");
    let (ticket, request) = asked(&mut typist);
    let CommitWhat::Ignore { resource, path, reach } = &request.what else { panic!("{request:?}") };
    assert_eq!(
        (path.to_string().as_str(), *reach),
        (r#".spec.template.spec.containers[name="app"].image"#, Reach::Object)
    );
    let mut plan = plan();
    plan.command = "ignore";
    plan.files = vec![file(".driftdeck.yaml", FileChange::Added, Some((6, 0)))];
    plan.included.clear();
    plan.shared_with.clear();
    plan.hides = Some(vec![Hidden {
        app: "web".to_owned(),
        context: "prod-eu".to_owned(),
        resource: resource.clone(),
        path: path.clone(),
        class: Class::Changed,
    }]);
    let at = typist.now;
    typist.send(Message::CommitReady { at, ticket, plan: Box::new(plan), moved: None });
    typist.wait(SignedDuration::from_secs(1));
    insta::assert_snapshot!("commit_ignore_120x40", typist.screen());
    typist.keys("v");
    let (_, request) = asked(&mut typist);
    assert!(matches!(request.what, CommitWhat::Ignore { reach: Reach::Kind, .. }));
}

#[test]
fn the_field_the_resource_or_what_is_ticked_is_captured() {
    let image = r#".spec.template.spec.containers[name="app"].image"#;
    for (keys, resources, field) in
        [("4 j C", 1, Some(image)), ("4 C", 1, None), ("4 space j j j space C", 2, None), ("C", 0, None)]
    {
        let mut typist = Typist::at(120, 40);
        typist.keys(&format!("2 / 'web enter 3 j {keys}"));
        let (_, request) = asked(&mut typist);
        let CommitWhat::Capture { resources: found, field: path } = request.what else { panic!("{keys}") };
        assert_eq!((found.len(), path.map(|p| p.to_string()).as_deref()), (resources, field), "{keys}");
    }
}

#[test]
fn it_is_planned_as_a_pull_request_or_pushed_and_a_protected_cluster_asks_for_its_name() {
    let (mut typist, _) = shown(120, 40);
    typist.keys("P");
    let (ticket, request) = asked(&mut typist);
    assert_eq!(request.publish, Publish::PullRequest);
    let at = typist.now;
    // Where it cannot be opened, the next way is still one key away.
    typist.send(Message::CommitFailed { at, ticket, notice: Notice::error("fleet has no remote") });
    typist.wait(SignedDuration::from_secs(1));
    typist.keys("P");
    let (ticket, request) = asked(&mut typist);
    assert_eq!(request.publish, Publish::Push);
    let mut pushed = plan();
    let why = "prod-eu is protected, and what is pushed there reaches it".to_owned();
    pushed.asks = Some(Ask { why, words: vec!["prod-eu".to_owned()] });
    let at = typist.now;
    typist.send(Message::CommitReady { at, ticket, plan: Box::new(pushed), moved: None });
    typist.wait(SignedDuration::from_secs(1));
    typist.keys("A");
    assert_eq!(typist.effects(), [], "the name comes first");
    typist.keys("'prod-us enter");
    assert!(typist.said().contains("that is not prod-eu"), "{}", typist.said());
    typist.keys("A 'prod-eu enter");
    assert!(typist.said().contains("prod-eu confirmed"), "{}", typist.said());
    assert_eq!(typist.effects(), []);
    typist.keys("A");
    assert_eq!(typist.effects(), [Effect::MakeCommit { ticket, id: plan().id }]);
}

#[test]
fn planning_is_given_up_when_it_is_left() {
    let mut typist = history(120, 40);
    typist.keys("R");
    let (ticket, _) = asked(&mut typist);
    typist.keys("esc");
    assert_eq!(typist.effects(), [Effect::Cancel { ticket }]);
}

#[test]
fn hostile_text_is_shown_as_what_it_is() {
    for hostile in STRINGS {
        let mut typist = history(120, 40);
        typist.keys("R");
        let (ticket, _) = asked(&mut typist);
        let mut plan = plan();
        hostile.clone_into(&mut plan.message);
        hostile.clone_into(&mut plan.files[0].path);
        hostile.clone_into(&mut plan.headless);
        plan.shared_with = vec![(*hostile).to_owned()];
        plan.landing = Landing::New { branch: (*hostile).to_owned(), why: Some((*hostile).to_owned()) };
        plan.author.name = (*hostile).to_owned();
        plan.rendered = Err((*hostile).to_owned());
        let at = typist.now;
        typist.send(Message::CommitReady {
            at,
            ticket,
            plan: Box::new(plan),
            moved: Some((*hostile).to_owned()),
        });
        let (buffer, _) = typist.buffer("dark", Depth::True);
        for cell in buffer.content() {
            assert!(!cell.symbol().chars().any(char::is_control), "{hostile:?} gave {:?}", cell.symbol());
        }
    }
}
