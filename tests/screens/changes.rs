//! The screen "what changed".

use crate::typist::Typist;
use crate::world::{at, deployment_id, fleet, resource_id};
use driftdeck::deck::{Effect, Message, Ticket};
use driftdeck::model::update::Update;
use driftdeck::model::{Blind, By, Happening, HappeningKind, Notice, Oid, Past, ResourceId, Where, Who};
use driftdeck::text::hostile::STRINGS;
use driftdeck::ui::Depth;
use jiff::SignedDuration;

fn who(name: &str, called: Option<&str>, by: By) -> Who {
    Who { name: Some(name.to_owned()), called: called.map(str::to_owned), by }
}

fn happening(
    time: &str,
    context: &str,
    app: &str,
    resource: Option<ResourceId>,
    (kind, what): (HappeningKind, &str),
    who: Who,
) -> Happening {
    let deployment = Some(deployment_id(app, context));
    let at_place = Where::Cluster { context: context.to_owned(), called: context.to_owned(), deployment };
    Happening { time: at(time), kind, at: at_place, resource, path: None, what: what.to_owned(), who }
}

fn edit(time: &str, what: &str) -> Happening {
    let web = resource_id("prod-eu", "apps/v1", "Deployment", "web");
    let by = who("kubectl-edit", Some("kubectl edit"), By::Hand);
    happening(time, "prod-eu", "web", Some(web), (HappeningKind::Field, what), by)
}

/// What is known, and what clusters tell when they are asked.
fn night() -> [Past; 2] {
    let config = resource_id("prod-us", "v1", "ConfigMap", "cart");
    let set = resource_id("prod-eu", "apps/v1", "ReplicaSet", "web-7c9");
    let pod = resource_id("prod-eu", "v1", "Pod", "web-7c9-x2x4z");
    let commit = Where::Repo {
        id: fleet(),
        name: "fleet".to_owned(),
        asked: "main".to_owned(),
        commit: Oid("3f2c1d9000000000000000000000000000000000".to_owned()),
    };
    let known = vec![
        edit("02:41", "image, env DEBUG"),
        happening(
            "02:36",
            "prod-us",
            "cart",
            Some(config),
            (HappeningKind::Deleted, "deleted"),
            Who::unknown(),
        ),
        happening(
            "02:38",
            "prod-us",
            "cart",
            None,
            (HappeningKind::Sync, "24 objects applied"),
            who("kustomize-controller", Some("Flux kustomize-controller"), By::Deployer),
        ),
        Happening {
            time: at("02:31"),
            kind: HappeningKind::Commit,
            at: commit,
            resource: None,
            path: None,
            what: "3f2c1d9 \"Raise memory of web\"".to_owned(),
            who: who("Ana", None, By::Author),
        },
    ];
    let asked = vec![
        happening(
            "02:39",
            "prod-eu",
            "web",
            Some(set),
            (HappeningKind::Rollout, "ReplicaSet web-7c9 created"),
            who("rollout", None, By::Unknown),
        ),
        happening(
            "02:40",
            "prod-eu",
            "web",
            Some(pod),
            (HappeningKind::Event, "BackOff: Back-off pulling image \"web:1.4.3-hotfix\" (3 times)"),
            who("kubelet", None, By::Unknown),
        ),
    ];
    let denied = "warning events in namespace cart of prod-us: not allowed to list events in namespace cart";
    [
        Past { happenings: known, blind: vec![Blind::Before(at("02:30"))], notices: Vec::new() },
        Past { happenings: asked, blind: vec![Blind::Said(denied.to_owned())], notices: Vec::new() },
    ]
}

fn answer(typist: &mut Typist, ticket: Ticket, [known, asked]: [Past; 2]) {
    for (past, asked) in [(known, false), (asked, true)] {
        let at = typist.now;
        typist.send(Message::Changes { at, ticket, past: Box::new(past), asked, last: asked });
    }
}

/// Opens the screen and answers what it asks.
fn opened(width: u16, height: u16) -> Typist {
    let mut typist = Typist::at(width, height);
    typist.keys("t");
    let ticket = asked(&mut typist, true);
    answer(&mut typist, ticket, night());
    typist
}

/// Takes the one question for what changed.
#[track_caller]
fn asked(typist: &mut Typist, asks: bool) -> Ticket {
    let effects = typist.effects();
    let questions = effects.iter().filter_map(|effect| match effect {
        Effect::LoadChanges { ticket, ask, .. } if *ask == asks => Some(*ticket),
        _ => None,
    });
    let questions: Vec<Ticket> = questions.collect();
    assert_eq!(questions.len(), 1, "{effects:?}");
    questions[0]
}

#[test]
fn it_names_what_happened_everywhere_newest_first_with_who() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        insta::assert_snapshot!(format!("changes_{width}x{height}"), opened(width, height).screen());
    }
}

#[test]
fn what_is_known_is_shown_before_the_clusters_have_answered() {
    let mut typist = Typist::at(120, 40);
    typist.keys("t");
    let ticket = asked(&mut typist, true);
    assert!(typist.screen().contains("looking"), "{}", typist.screen());
    let [known, _] = night();
    let at = typist.now;
    typist.send(Message::Changes { at, ticket, past: Box::new(known), asked: false, last: false });
    let screen = typist.screen();
    assert!(screen.contains("image, env DEBUG") && screen.contains("asking clusters"), "{screen}");
}

#[test]
fn a_filter_lists_what_holds_its_words_and_escape_leaves_one_step_at_a_time() {
    let mut typist = opened(120, 40);
    typist.keys("/ 'hand enter");
    let screen = typist.screen();
    assert!(screen.contains("image, env DEBUG") && !screen.contains("24 objects applied"), "{screen}");
    assert!(screen.contains("1 of 6 changes, 1 by hand, filter hand"), "{screen}");
    typist.keys("/ esc esc");
    assert!(typist.state.layers.is_empty());
}

#[test]
fn looking_further_back_asks_anew_and_an_answer_to_the_old_question_is_dropped() {
    let mut typist = Typist::at(120, 40);
    typist.keys("t");
    let old = asked(&mut typist, true);
    typist.keys("s");
    let effects = typist.effects();
    assert!(effects.contains(&Effect::Cancel { ticket: old }), "{effects:?}");
    let since = effects.iter().find_map(|effect| match effect {
        Effect::LoadChanges { since, .. } => Some(typist.now.duration_since(*since)),
        _ => None,
    });
    assert_eq!(since, Some(SignedDuration::from_hours(2)));
    answer(&mut typist, old, night());
    assert!(!typist.screen().contains("image, env DEBUG"));
    assert!(typist.screen().contains("What changed in the last 2h, everywhere"));
    typist.keys("esc");
    assert!(matches!(typist.effects().as_slice(), [Effect::Cancel { .. }]));
}

#[test]
fn new_changes_appear_by_themselves_and_the_row_under_the_cursor_stays_where_it_is() {
    let mut typist = Typist::at(120, 16);
    typist.keys("t");
    let ticket = asked(&mut typist, true);
    // More than the screen has room for.
    let [mut known, told] = night();
    known.happenings.extend((15..31).map(|minute| edit(&format!("02:{minute}"), "paused")));
    answer(&mut typist, ticket, [known.clone(), told]);
    typist.keys("j j");
    let line = |typist: &Typist| {
        let screen = typist.screen();
        screen.lines().position(|line| line.contains("ReplicaSet web-7c9 created")).unwrap()
    };
    let before = line(&typist);
    typist.wait(SignedDuration::from_secs(3));
    assert_eq!(typist.effects(), [], "nothing has changed");
    typist.tell(vec![Update::Resources {
        deployment: deployment_id("web", "prod-eu"),
        changed: crate::world::web(),
        gone: Vec::new(),
    }]);
    typist.wait(SignedDuration::from_secs(3));
    let ticket = asked(&mut typist, false);
    known.happenings.push(edit("02:43", "replicas"));
    let at = typist.now;
    typist.send(Message::Changes { at, ticket, past: Box::new(known), asked: false, last: true });
    assert_eq!(line(&typist), before, "{}", typist.screen());
    typist.keys("g");
    assert!(typist.line_with("replicas").contains("02:43"));
    assert!(typist.screen().contains("BackOff"), "what the clusters told before is still there");
}

#[test]
fn what_has_become_older_than_the_title_says_goes_and_the_age_of_the_answers_is_said() {
    let mut typist = opened(120, 40);
    assert!(!typist.screen().contains("clusters asked at"), "{}", typist.screen());
    let asked = typist.now;
    typist.wait(SignedDuration::from_mins(20));
    let screen = typist.screen();
    assert!(screen.contains("image, env DEBUG") && !screen.contains("Raise memory of web"), "{screen}");
    let clock = asked.strftime("%H:%M").to_string();
    assert!(screen.contains(&format!("clusters asked at {clock}   5 changes, 1 by hand")), "{screen}");
    typist.wait(SignedDuration::from_mins(20));
    assert!(typist.screen().contains("nothing changed, as far as it can be known"), "{}", typist.screen());
    typist.effects();
    typist.keys("ctrl-r");
    assert!(!typist.screen().contains("clusters asked at"), "{}", typist.screen());
}

#[test]
fn enter_opens_the_resource_and_y_copies_the_list_as_markdown() {
    let mut typist = opened(120, 40);
    typist.keys("enter");
    assert!(typist.screen().contains("Deployment shop/web on prod-eu"), "{}", typist.screen());
    typist.keys("esc");
    typist.effects();
    typist.keys("y");
    let effects = typist.effects();
    let [Effect::Copy { what, text }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(what, "Markdown");
    insta::assert_snapshot!("changes_markdown", text);
}

#[test]
fn no_text_from_outside_acts_on_the_terminal() {
    for text in STRINGS {
        let mut typist = Typist::at(120, 40);
        typist.keys("t");
        let ticket = asked(&mut typist, true);
        let at_place = Where::Cluster { context: text.to_owned(), called: text.to_owned(), deployment: None };
        let hostile = Happening {
            time: at("02:41"),
            kind: HappeningKind::Event,
            at: at_place,
            resource: Some(resource_id("prod-eu", text, text, text)),
            path: Some(text.to_owned()),
            what: text.to_owned(),
            who: who(text, Some(text), By::Hand),
        };
        let past = Past {
            happenings: vec![hostile],
            blind: vec![Blind::Said(text.to_owned())],
            notices: vec![Notice::error(text)],
        };
        answer(&mut typist, ticket, [past, Past::default()]);
        let (buffer, _) = typist.buffer("dark", Depth::True);
        for cell in buffer.content() {
            assert_eq!(driftdeck::text::terminal(cell.symbol()), cell.symbol(), "{text:?}");
        }
        typist.effects();
        typist.keys("y");
        let effects = typist.effects();
        let [Effect::Copy { text: copied, .. }] = effects.as_slice() else { panic!("{effects:?}") };
        assert!(copied.chars().all(|c| c == '\n' || driftdeck::text::is_plain(c)), "{copied:?}");
    }
}
