//! The screen of what runs: pods, events, last lines.

use crate::typist::Typist;
use crate::world::{at, resource_id};
use driftdeck::deck::{Effect, Message, Ticket};
use driftdeck::model::running::{Log, Pod, TheirEvent};
use driftdeck::model::story::Event;
use driftdeck::model::{Health, HealthStatus, Notice, ResourceId, Running};
use driftdeck::text::hostile::STRINGS;
use driftdeck::ui::Depth;

fn pod(name: &str, status: &str, ready: usize, restarts: u64, health: Health) -> Pod {
    Pod {
        id: resource_id("prod-eu", "v1", "Pod", name),
        health,
        status: status.to_owned(),
        ready,
        containers: 2,
        restarts,
        created: Some(at("02:41:30")),
        node: (status != "Pending").then(|| "ip-10-0-12-7.eu-central-1.compute.internal".to_owned()),
    }
}

/// What runs of web: one pod that crashes, one that waits, one that is well.
fn night() -> Running {
    let backing_off =
        "app: CrashLoopBackOff: back-off 5m0s restarting failed container=app pod=web-7c9f6d5b8-x2x4z_shop";
    let unplaced = "Unschedulable: 0/3 nodes are available: 3 Insufficient memory.";
    let event = |about: &str, time: &str, warning, reason: &str, message: &str, by: &str, count| TheirEvent {
        about: about.to_owned(),
        event: Event {
            at: Some(at(time)),
            warning,
            reason: reason.to_owned(),
            message: message.to_owned(),
            by: by.to_owned(),
            count,
        },
    };
    Running {
        pods: vec![
            pod(
                "web-7c9f6d5b8-x2x4z",
                "CrashLoopBackOff",
                1,
                5,
                Health::with(HealthStatus::Degraded, backing_off),
            ),
            pod("web-7c9f6d5b8-hhw8k", "Pending", 0, 0, Health::with(HealthStatus::Progressing, unplaced)),
            pod("web-5d8c4b7f9-l6tqp", "Running", 2, 0, Health::of(HealthStatus::Healthy)),
        ],
        events: vec![
            event(
                "Pod web-7c9f6d5b8-x2x4z",
                "02:43:10",
                true,
                "BackOff",
                "Back-off restarting failed container",
                "kubelet",
                12,
            ),
            event(
                "ReplicaSet web-7c9f6d5b8",
                "02:41:30",
                false,
                "SuccessfulCreate",
                "Created pod: web-7c9f6d5b8-x2x4z",
                "replicaset-controller",
                1,
            ),
        ],
        logs: vec![
            Log {
                pod: "web-7c9f6d5b8-x2x4z".to_owned(),
                container: "app".to_owned(),
                previous: true,
                lines: Ok(vec![
                    "listening on :8080".to_owned(),
                    "images: cannot map 2147483648 bytes: out of memory".to_owned(),
                ]),
            },
            Log {
                pod: "web-5d8c4b7f9-l6tqp".to_owned(),
                container: "app".to_owned(),
                previous: false,
                lines: Err("not allowed to get pods/log in namespace shop: forbidden".to_owned()),
            },
        ],
        gaps: vec!["events of namespace shop beyond the first 2000".to_owned()],
    }
}

/// Takes the one question for what runs.
#[track_caller]
fn asked(typist: &mut Typist) -> (Ticket, Option<ResourceId>) {
    let effects = typist.effects();
    let mut questions = effects.iter().filter_map(|effect| match effect {
        Effect::LoadRunning { ticket, resource, .. } => Some((*ticket, resource.clone())),
        _ => None,
    });
    let question = questions.next().unwrap_or_else(|| panic!("{effects:?}"));
    assert_eq!(questions.next(), None);
    question
}

fn answer(typist: &mut Typist, ticket: Ticket, running: Running, last: bool) {
    let at = typist.now;
    typist.send(Message::Running { at, ticket, result: Ok(Box::new(running)), last });
}

fn opened(width: u16, height: u16) -> Typist {
    let mut typist = Typist::at(width, height);
    typist.keys("2 j 4 j p");
    let (ticket, _) = asked(&mut typist);
    answer(&mut typist, ticket, night(), true);
    typist
}

#[test]
fn it_tells_which_pods_are_in_trouble_what_happened_to_them_and_what_they_said_last() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        insta::assert_snapshot!(format!("pods_{width}x{height}"), opened(width, height).screen());
    }
}

#[test]
fn it_is_about_the_resource_under_the_cursor_else_the_app() {
    let mut typist = Typist::at(120, 40);
    typist.keys("4 j p");
    let (_, resource) = asked(&mut typist);
    assert!(resource.is_some());
    typist.keys("esc 2 p");
    let (_, resource) = asked(&mut typist);
    assert_eq!(resource, None);
}

#[test]
fn the_pods_are_shown_before_events_and_lines_have_come() {
    let mut typist = Typist::at(120, 40);
    typist.keys("4 j p");
    let (ticket, _) = asked(&mut typist);
    assert!(typist.screen().contains("asking the cluster"), "{}", typist.screen());
    let pods = Running { pods: night().pods, ..Running::default() };
    answer(&mut typist, ticket, pods, false);
    let screen = typist.screen();
    assert!(screen.contains("CrashLoopBackOff") && screen.contains("asking for events"), "{screen}");
    assert!(!screen.contains("no events"), "what has not come is not said to be absent: {screen}");
}

#[test]
fn leaving_forgets_it_and_gives_up_what_is_asked() {
    let mut typist = Typist::at(120, 40);
    typist.keys("4 j p");
    let (ticket, _) = asked(&mut typist);
    typist.keys("esc");
    assert!(typist.effects().contains(&Effect::Cancel { ticket }));
    answer(&mut typist, ticket, night(), true);
    assert!(!format!("{:?}", typist.state).contains("l6tqp"), "an answer that comes too late is dropped");
    let mut typist = opened(120, 40);
    typist.keys("esc p");
    assert!(typist.screen().contains("asking the cluster"), "it is asked anew: {}", typist.screen());
}

#[test]
fn refreshing_asks_again_and_keeps_what_is_shown_until_the_answer() {
    let mut typist = opened(120, 40);
    typist.keys("ctrl-r");
    let (ticket, _) = asked(&mut typist);
    assert!(typist.screen().contains("CrashLoopBackOff"));
    let at = typist.now;
    let notice = Notice::warning("it is not known any more").hint("esc goes back");
    typist.send(Message::Running { at, ticket, result: Err(notice), last: true });
    let screen = typist.screen();
    assert!(screen.contains("it is not known any more") && screen.contains("CrashLoopBackOff"), "{screen}");
    typist.keys("ctrl-r");
    let (ticket, _) = asked(&mut typist);
    typist.keys("ctrl-c");
    assert_eq!(typist.effects(), [Effect::Cancel { ticket }]);
    assert!(typist.screen().contains("given up"), "{}", typist.screen());
}

#[test]
fn hostile_text_of_logs_and_events_never_reaches_the_screen_or_the_copy_raw() {
    let mut typist = Typist::at(120, 40);
    typist.keys("4 j p");
    let (ticket, _) = asked(&mut typist);
    let mut running = night();
    running.logs[0].lines = Ok(STRINGS.iter().map(|text| (*text).to_owned()).collect());
    running.events[0].event.message = STRINGS.concat();
    running.gaps = vec![STRINGS.concat()];
    answer(&mut typist, ticket, running, true);
    let (buffer, _) = typist.buffer("dark", Depth::True);
    for cell in buffer.content() {
        assert_eq!(driftdeck::text::terminal(cell.symbol()), cell.symbol());
    }
    typist.keys("y");
    for _ in 0..8 {
        typist.keys("j");
    }
    typist.keys("enter");
    let effects = typist.effects();
    let copied =
        effects.iter().find_map(|e| if let Effect::Copy { text, .. } = e { Some(text) } else { None });
    assert!(copied.is_some_and(|text| driftdeck::text::terminal_lines(text) == *text), "{effects:?}");
}
