//! The screen "history", and what one commit is against something.

use crate::typist::Typist;
use crate::world::{COMMIT, OLDER, app_id, at, cluster_id, day, hotfix, judged, resource};
use driftdeck::deck::{Effect, Message, Ticket};
use driftdeck::model::history::{Against, Step};
use driftdeck::model::{Health, HealthStatus, History, Notice, Oid, PastCommit, Signature, Verdict};
use driftdeck::text::hostile::STRINGS;
use driftdeck::ui::Depth;
use std::collections::HashMap;

const OLDEST: &str = "40be1aa7b4e5f6071829304a5b6c7d8e9f001122";

fn commit(id: &str, author: &str, authored: &str, subject: &str, number: Option<&str>) -> PastCommit {
    PastCommit {
        id: Oid(id.to_owned()),
        author: author.to_owned(),
        email: format!("{}@example.com", author.to_lowercase()),
        authored: Some(if authored.contains(':') { at(authored) } else { day(authored) }),
        subject: subject.to_owned(),
        files: vec!["apps/web/deployment.yaml".to_owned(), "apps/web/config.yaml".to_owned()],
        pull_request: number.map(str::to_owned),
        signature: Signature::None,
    }
}

fn commits() -> History {
    let mut commits = vec![
        commit(COMMIT, "Ana Lindqvist", "00:41:00", "Raise memory of web", Some("#412")),
        commit(OLDER, "Ana Lindqvist", "2026-11-20", "Release 1.4.2", Some("#409")),
        commit(
            OLDEST,
            "Jonas",
            "2026-11-18",
            "Release 1.4.1, which keeps the image cache within its memory for good",
            None,
        ),
    ];
    commits[1].signature = Signature::Unchecked;
    History { commits, more: false, of: Some(2310), gap: None }
}

/// Takes the one question for a history.
#[track_caller]
fn asked(typist: &mut Typist) -> Ticket {
    let effects = typist.effects();
    let mut questions = effects.iter().filter_map(|effect| match effect {
        Effect::LoadHistory { ticket, app, cluster } => {
            assert_eq!((app, cluster), (&app_id("web"), &Some(cluster_id("prod-eu"))));
            Some(*ticket)
        }
        _ => None,
    });
    let ticket = questions.next().unwrap_or_else(|| panic!("{effects:?}"));
    assert_eq!(questions.next(), None);
    ticket
}

fn tell(typist: &mut Typist, ticket: Ticket, steps: Vec<Step>) {
    let at = typist.now;
    for step in steps {
        typist.send(Message::HistoryStep { at, ticket, step: Ok(Box::new(step)) });
    }
}

fn distances() -> Vec<Step> {
    let of = |id: &str, distance| Step::Distance(Oid(id.to_owned()), distance);
    vec![of(COMMIT, Ok(3)), of(OLDER, Ok(1)), of(OLDEST, Err("it cannot be rendered whole".to_owned()))]
}

fn opened(width: u16, height: u16) -> Typist {
    let mut typist = Typist::at(width, height);
    typist.keys("2 / 'web enter 4 c");
    let ticket = asked(&mut typist);
    tell(&mut typist, ticket, vec![Step::Commits(commits())]);
    tell(
        &mut typist,
        ticket,
        vec![Step::Signatures(HashMap::from([(Oid(OLDER.to_owned()), Signature::Good)]))],
    );
    tell(&mut typist, ticket, distances());
    let at = typist.now;
    typist.send(Message::HistoryEnded { at, ticket });
    typist
}

/// Takes the one question for what a commit is against something.
#[track_caller]
fn effect_asked(typist: &mut Typist) -> (Ticket, String, Against) {
    let effects = typist.effects();
    let mut questions = effects.iter().filter_map(|effect| match effect {
        Effect::LoadEffect { ticket, commit, against, .. } => {
            Some((*ticket, commit.short().to_owned(), against.clone()))
        }
        _ => None,
    });
    questions.next().unwrap_or_else(|| panic!("{effects:?}"))
}

#[test]
fn it_lists_the_commits_with_how_far_the_cluster_is_off_each() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        insta::assert_snapshot!(format!("history_{width}x{height}"), opened(width, height).screen());
    }
}

#[test]
fn a_commit_is_shown_against_live_against_desired_and_against_the_one_before() {
    let mut typist = opened(120, 40);
    typist.keys("j enter");
    let (ticket, commit, against) = effect_asked(&mut typist);
    assert_eq!((commit.as_str(), against), ("9c1f07e", Against::Live));
    assert!(typist.screen().contains("rendering it and comparing"));
    let status = resource(
        "web",
        "prod-eu",
        "apps/v1",
        "Deployment",
        "web",
        judged(Verdict::Drifted, hotfix(), Health::of(HealthStatus::Healthy)),
    );
    let missing = resource(
        "web",
        "prod-eu",
        "v1",
        "ConfigMap",
        "flags",
        judged(Verdict::Missing, vec![], Health::of(HealthStatus::Missing)),
    );
    let at = typist.now;
    typist.send(Message::CommitEffect { at, ticket, result: Ok(vec![status, missing]) });
    insta::assert_snapshot!("history_effect_120x40", typist.screen());
    typist.keys("d");
    let (_, _, against) = effect_asked(&mut typist);
    assert_eq!(against, Against::Desired);
    typist.keys("d");
    let (ticket, _, against) = effect_asked(&mut typist);
    assert_eq!(against, Against::Commit(Oid(OLDEST.to_owned())));
    let at = typist.now;
    let notice = Notice::warning("it cannot be compared").cause("it cannot be rendered whole: no such file");
    typist.send(Message::CommitEffect { at, ticket, result: Err(notice) });
    let screen = typist.screen();
    assert!(screen.contains("no such file") && screen.contains("at 40be1aa"), "{screen}");
    typist.keys("d");
    assert_eq!(effect_asked(&mut typist).2, Against::Live);
}

#[test]
fn another_commit_can_be_the_base_and_the_best_match_has_a_key() {
    let mut typist = opened(120, 40);
    typist.keys("b space");
    assert!(typist.line_with("History of web").contains("against 9c1f07e"), "{}", typist.screen());
    typist.keys("g enter");
    let (_, commit, against) = effect_asked(&mut typist);
    assert_eq!((commit.as_str(), against), ("3f2c1d9", Against::Commit(Oid(OLDER.to_owned()))));
    typist.keys("esc b space");
    assert!(typist.line_with("History of web").contains("against live"), "{}", typist.screen());
}

#[test]
fn what_is_not_known_yet_is_not_said() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 / 'web enter 4 c");
    let ticket = asked(&mut typist);
    assert!(typist.screen().contains("walking the history"), "{}", typist.screen());
    tell(&mut typist, ticket, vec![Step::Commits(commits())]);
    let screen = typist.screen();
    assert!(screen.contains("Release 1.4.2") && !screen.contains("off live"), "{screen}");
    typist.keys("b");
    assert_eq!(typist.said(), "how far the cluster is off is not known yet");
    typist.keys("esc");
    assert!(typist.effects().contains(&Effect::Cancel { ticket }), "who leaves gives it up");
}

#[test]
fn what_is_copied_and_opened_is_the_commit_under_the_cursor() {
    let mut typist = opened(120, 40);
    typist.keys("j y enter");
    let effects = typist.effects();
    assert!(
        effects.contains(&Effect::Copy { what: "commit".to_owned(), text: OLDER.to_owned() }),
        "{effects:?}"
    );
    typist.keys("o");
    let url = format!("https://git.example.com/acme/fleet/commit/{OLDER}");
    assert!(typist.effects().contains(&Effect::OpenUrl { url }));
}

#[test]
fn hostile_commits_do_nothing_to_the_terminal() {
    for text in STRINGS {
        let mut typist = Typist::at(80, 24);
        typist.keys("2 / 'web enter 4 c");
        let ticket = asked(&mut typist);
        let mut history = commits();
        for commit in &mut history.commits {
            text.clone_into(&mut commit.subject);
            text.clone_into(&mut commit.author);
            text.clone_into(&mut commit.email);
            commit.files = vec![(*text).to_owned()];
        }
        tell(&mut typist, ticket, vec![Step::Commits(history)]);
        for keys in ["", "enter"] {
            typist.keys(keys);
            let (buffer, _) = typist.buffer("dark", Depth::True);
            for cell in buffer.content() {
                assert_eq!(driftdeck::text::terminal(cell.symbol()), cell.symbol(), "{text:?}");
            }
        }
    }
}
