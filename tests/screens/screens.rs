//! Screens as people see them, at 120x40, 80x24 and 40x12.

use crate::typist::Typist;
use crate::world;
use driftdeck::deck::{Effect, Message, Options, reading};
use driftdeck::model::text_diff::{DiffLine, Piece, Side, TextDiff, Token};

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

/// Takes a picture at each size after these keys.
fn pictures(name: &str, keys: &str) {
    for (width, height) in SIZES {
        let mut typist = Typist::at(width, height);
        typist.keys(keys);
        answer_diffs(&mut typist);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), typist.screen());
    }
}

pub fn answer_diffs(typist: &mut Typist) {
    for effect in typist.effects() {
        match effect {
            Effect::LoadDiff { deployment, resource } => {
                typist.send(Message::Diff { at: typist.now, deployment, resource, result: Ok(diff()) });
            }
            Effect::LoadStory { deployment, resource, whole } => {
                let result = Ok(world::story(whole));
                typist.send(Message::Story { at: typist.now, deployment, resource, result });
            }
            _ => {}
        }
    }
}

fn line(side: Side, text: &str, word: &str) -> DiffLine {
    let mut pieces = Vec::new();
    let (head, tail) = text.split_once(word).filter(|_| !word.is_empty()).unwrap_or((text, ""));
    let key = head.find(':').map_or(0, |at| at + 1);
    for (text, token) in [(&head[..key], Token::Key), (&head[key..], Token::Text)] {
        if !text.is_empty() {
            pieces.push(Piece { text: text.to_owned(), emphasised: false, token });
        }
    }
    if !word.is_empty() {
        pieces.push(Piece { text: word.to_owned(), emphasised: true, token: Token::Text });
        pieces.push(Piece { text: tail.to_owned(), emphasised: false, token: Token::Text });
    }
    DiffLine { side, pieces, desired_line: None, live_line: None }
}

/// The text of web's Deployment on both sides.
pub fn diff() -> TextDiff {
    let mut lines = Vec::new();
    for text in [
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata:",
        "  name: web",
        "spec:",
        "  replicas: 3",
        "  template:",
        "    spec:",
        "      containers:",
        "      - name: app",
    ] {
        lines.push(line(Side::Both, text, ""));
    }
    lines.push(line(Side::Desired, "        image: registry.example.com/shop/web:1.4.2", "1.4.2"));
    lines.push(line(Side::Live, "        image: registry.example.com/shop/web:1.4.3-hotfix", "1.4.3-hotfix"));
    for n in 0..37 {
        lines.push(line(Side::Both, &format!("        equal{n}: {n}"), ""));
    }
    lines.push(line(Side::Live, "        - name: DEBUG", "DEBUG"));
    lines.push(line(Side::Live, "          value: \"1\"", "\"1\""));
    for n in 0..5 {
        lines.push(line(Side::Both, &format!("        tail{n}: {n}"), ""));
    }
    let (mut desired, mut live) = (0, 0);
    for line in &mut lines {
        if line.side != Side::Live {
            desired += 1;
            line.desired_line = Some(desired);
        }
        if line.side != Side::Desired {
            live += 1;
            line.live_line = Some(live);
        }
    }
    TextDiff { lines, cut: false }
}

#[test]
fn before_anything_has_answered() {
    for (width, height) in SIZES {
        let typist = Typist::empty(
            width,
            height,
            Options { opening: "opening /srv/fleet".to_owned(), ..Options::default() },
        );
        insta::assert_snapshot!(format!("opening_{width}x{height}"), typist.screen());
    }
}

#[test]
fn the_deck_as_it_opens() {
    pictures("deck", "");
}

#[test]
fn the_drift_of_one_app_on_one_cluster() {
    pictures("drift_web", "j 3 j 4 j");
}

#[test]
fn every_verdict_and_what_is_ignored() {
    pictures("drift_api_all", "3 j 4 i");
}

#[test]
fn apps_one_column() {
    pictures("apps", "2 j");
}

#[test]
fn a_resource_by_its_fields() {
    pictures("fields", "j 3 j 4 enter");
}

#[test]
fn a_resource_unified() {
    pictures("unified", "j 3 j 4 enter d");
}

#[test]
fn a_resource_side_by_side() {
    for (width, height) in SIZES {
        let mut typist = Typist::at(width, height);
        typist.keys("j 3 j 4 enter d");
        answer_diffs(&mut typist);
        typist.keys("d ]");
        insta::assert_snapshot!(format!("side_by_side_{width}x{height}"), typist.screen());
    }
}

#[test]
fn a_whole_app() {
    pictures("app_diff", "j 3 j d");
}

#[test]
fn who_wrote_what() {
    pictures("who", "j 3 j 4 w");
}

#[test]
fn the_matrix() {
    pictures("matrix", "m");
}

#[test]
fn help_for_where_you_are() {
    pictures("help", "?");
}

#[test]
fn the_palette() {
    pictures("palette", ": 'so");
}

#[test]
fn notices() {
    pictures("notices", "!");
}

#[test]
fn the_copy_menu() {
    pictures("copy", "j 3 j 4 j y");
}

#[test]
fn everything_possible() {
    pictures("everything", "j 3 j 4 a");
}

#[test]
fn a_filter() {
    pictures("filter", "2 / 'ar");
}

#[test]
fn ascii_and_words_of_four_letters() {
    let ascii = Options { ascii: true, ..Options::default() };
    let mut typist = Typist::with(120, 40, ascii);
    typist.keys("j 3 j 4 j");
    let screen = typist.screen();
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!("ascii_120x40", screen);
    let words = Options { words: true, ..Options::default() };
    let mut typist = Typist::with(120, 40, words);
    typist.keys("3 j 4 i");
    insta::assert_snapshot!("words_120x40", typist.screen());
}

/// Keys that lead to every screen and overlay there is.
const EVERYWHERE: [&str; 22] = [
    "1",
    "2 j",
    "3 j",
    "4",
    "j 3 j 4",
    "j 3 j 4 enter",
    "j 3 j 4 enter d",
    "j 3 j 4 enter d d",
    "j 3 j d",
    "j 3 j 4 w",
    "j 3 j 4 y",
    "j 3 j 4 a",
    "j 3 j S",
    "j 3 j U",
    "j 3 j H",
    "m",
    "!",
    "?",
    ":",
    "/ 'a",
    "2 j 3 j j",
    "2 j 3 j j j",
];

/// A checkout that is behind, ahead and dirty.
fn far_off() -> driftdeck::model::update::Update {
    let mut fleet = world::repo("fleet", world::branch("main"), world::COMMIT, world::at("00:40:00"));
    let revision = fleet.revision.as_mut().unwrap();
    (revision.behind, revision.ahead, revision.dirty) = (14, 2, true);
    driftdeck::model::update::Update::Repo { status: fleet, was: None }
}

#[test]
fn how_far_the_checkout_is_off_is_on_every_screen_and_never_cut() {
    for (width, height) in [(160, 40), (120, 40), (100, 30), (99, 30), (80, 24), (60, 20), (40, 12)] {
        for ascii in [false, true] {
            for keys in EVERYWHERE {
                let mut typist = Typist::with(width, height, Options { ascii, ..Options::default() });
                typist.tell(vec![far_off()]);
                // The repos column chooses fleet: all of them have no one distance.
                typist.keys("1 j 2").keys(keys);
                let screen = typist.screen();
                let header = screen.lines().next().unwrap();
                let short = if ascii { "-14 +2 *" } else { "↓14 ↑2 *" };
                let words = "14 behind origin/main, 2 ahead, uncommitted changes";
                assert!(header.contains(short) || header.contains(words), "{width} {keys}\n{screen}");
                let guarded = header.contains("PROTECTED") || header.contains("edge");
                assert!(guarded, "{width} {keys}\n{screen}");
            }
        }
    }
}

#[test]
fn the_way_out_is_on_every_screen_that_lies_on_the_deck() {
    for (width, height) in SIZES {
        for keys in EVERYWHERE {
            let mut typist = Typist::at(width, height);
            typist.keys(keys);
            if typist.state.layers.is_empty() {
                continue;
            }
            let screen = typist.screen();
            let footer = screen.lines().last().unwrap();
            assert!(footer.contains("esc "), "{width} {keys}\n{screen}");
        }
    }
}

#[test]
fn nothing_that_is_read_is_cut_at_any_width() {
    let cases = [
        ("?", "plan a sync of the app, the resource or the ticked resources; writes nothing yet"),
        ("j 3 j 4 w", "Ana, 9c1f07e \"Release 1.4.2\", yesterday"),
        ("j 3 j 4 w", "kube-controller-manager (Update, 02:41)"),
        ("!", "the next try is at 02:45"),
    ];
    for (width, height) in [(80, 24), (40, 12)] {
        for (keys, whole) in cases {
            let mut typist = Typist::at(width, height);
            typist.keys(keys);
            let lines = reading::lines(&typist.state, typist.state.layers.last().unwrap());
            let text = lines.concat().iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(whole), "{whole} in {keys} at {width}\n{text}");
            assert!(!typist.keys("G").screen().lines().skip(2).any(|line| line.contains('…')));
        }
    }
}

#[test]
fn what_is_below_is_counted_until_its_end_is_seen() {
    for keys in ["?", "j 3 j 4 w", "j 3 j 4 enter", "j 3 j 4", "j 3 j 4 a"] {
        let mut typist = Typist::at(44, 10);
        typist.keys(keys);
        let below = |typist: &Typist| {
            typist
                .screen()
                .lines()
                .nth(8)
                .unwrap()
                .trim()
                .split_once(" more below")
                .map(|(n, _)| n.parse::<usize>().unwrap())
        };
        let first = below(&typist).unwrap_or_else(|| panic!("{keys}\n{}", typist.screen()));
        typist.keys("j j j j j");
        assert!(below(&typist).is_none_or(|n| n <= first));
        typist.keys("G");
        assert_eq!(below(&typist), None, "{keys}\n{}", typist.screen());
    }
}

#[test]
fn what_was_just_said_goes_before_what_stands_there_always() {
    let mut typist = Typist::at(40, 12);
    typist.keys("2 j j b");
    let screen = typist.screen();
    let status = screen.lines().nth(10).unwrap();
    assert_eq!(status, " b means nothing here; ? shows the keys");
}

#[test]
fn each_screen_says_desired_and_live_and_where_one_is() {
    for (width, height) in [(120, 40), (100, 30), (80, 24), (60, 20), (40, 12)] {
        for keys in EVERYWHERE {
            let mut typist = Typist::at(width, height);
            typist.keys("2").keys(keys);
            let screen = typist.screen();
            for word in ["desired", "live"] {
                assert!(screen.contains(word), "{word} after {keys} in\n{screen}");
            }
            assert!(screen.contains("PROTECTED") || screen.contains("edge"), "{keys}\n{screen}");
        }
    }
}

#[test]
fn the_header_and_the_guards_follow_the_cells_of_the_matrix() {
    let mut typist = Typist::at(120, 40);
    typist.keys("m");
    let names = typist.screen().lines().nth(2).unwrap().to_owned();
    assert!(names.contains("prod-eu PROTECTED  "), "{names}");
    assert!(names.trim_end().ends_with("edge-7"), "{names}");
    let header = |typist: &Typist| typist.screen().lines().next().unwrap().to_owned();
    assert!(header(&typist).ends_with("PROTECTED  prod-eu"));
    typist.keys("l");
    assert!(header(&typist).ends_with("PROTECTED  prod-us"));
    typist.keys("l");
    assert!(header(&typist).ends_with("edge-7") && !header(&typist).contains("PROTECTED"));
}

#[test]
fn how_far_a_fetch_has_come_stands_in_the_repos_row() {
    use driftdeck::model::status::Fetching;
    use driftdeck::model::update::Update;
    for (fetching, words) in [
        (Some(Fetching { percent: Some(45) }), " 45% "),
        (Some(Fetching { percent: None }), " fetch "),
        (None, " fetch "),
    ] {
        let mut typist = Typist::at(120, 40);
        let mut fleet = world::repo("fleet", world::branch("main"), world::COMMIT, world::at("00:40:00"));
        fleet.fetching = fetching;
        typist.tell(vec![Update::Repo { status: fleet, was: None }]);
        assert_eq!(typist.screen().contains(words), fetching.is_some(), "{words}: {}", typist.screen());
    }
}

#[test]
fn what_happened_is_in_the_log_behind_the_notices_key() {
    use driftdeck::model::status::ClusterState;
    use driftdeck::model::update::Update;
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j j b b");
    let mut moved = world::repo("fleet", world::branch("main"), world::OLDER, world::at("02:44:00"));
    moved.subject = Some("Release 1.4.2".to_owned());
    let mut level = moved.clone();
    level.revision.as_mut().unwrap().behind = 2;
    let dead = |next: &str| ClusterState::Unreachable {
        since: world::at("02:44:00"),
        why: "connection refused".to_owned(),
        next_try: Some(world::at(next)),
    };
    let cluster = |state| Update::Cluster { status: world::cluster("prod-us", state, true), was: None };
    typist.tell(vec![
        Update::Repo { status: moved, was: None },
        Update::Repo { status: level, was: None },
        cluster(dead("02:45:00")),
        cluster(dead("02:46:00")),
        cluster(ClusterState::Live),
    ]);
    typist.keys("!");
    insta::assert_snapshot!("log_120x40", typist.screen());
}

#[test]
fn a_cluster_that_does_not_answer_says_since_when_why_and_when_it_is_tried_again() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j 3 j j j");
    typist.line_with("edge-7   02:35 connection timed out");
    typist.line_with("live, no answer since 02:35, next try 02:45");
    let mut typist = Typist::at(80, 24);
    typist.keys("3");
    typist.line_with("edge-7   no answer since 02:35, connection timed out, next try 02:45");
    let berlin = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
    let mut typist = Typist::with(80, 24, Options { zone: berlin, ..Options::default() });
    typist.keys("3");
    typist.line_with("no answer since 03:35, connection timed out, next try 03:45");
}

#[test]
fn what_differs_is_seen_however_long_what_is_equal_before_it() {
    let prefix =
        "        image: registry.example.com/a/team/with/a/long/name/and/a/long/path/to/the/shop/web:";
    for (width, height) in [(120, 40), (80, 24)] {
        for keys in ["d", "d d"] {
            let mut typist = Typist::at(width, height);
            typist.keys("j 3 j 4 enter").keys(keys);
            for effect in typist.effects() {
                let Effect::LoadDiff { deployment, resource } = effect else { continue };
                let (desired, live) = (format!("{prefix}1.4.2-rc1"), format!("{prefix}1.4.3-hotfix"));
                let desired = line(Side::Desired, &desired, "1.4.2-rc1");
                let lines = vec![desired, line(Side::Live, &live, "1.4.3-hotfix")];
                let result = Ok(TextDiff { lines, cut: false });
                typist.send(Message::Diff { at: typist.now, deployment, resource, result });
            }
            for differs in ["web:1.4.2-rc1", "web:1.4.3-hotfix"] {
                let whole = typist.line_with(differs);
                let mark = width == 120 && keys == "d" || whole.contains('…');
                assert!(mark, "{whole}");
            }
        }
    }
}

#[test]
fn below_a_hundred_columns_the_name_of_a_resource_goes_before_the_views_that_there_are() {
    let title = |width: u16| {
        let mut typist = Typist::at(width, 24);
        typist.keys("j 3 j 4 enter");
        typist.screen().lines().nth(1).unwrap().to_owned()
    };
    assert!(title(100).contains("fields │ unified │ side by side  change 1 of 2"), "{}", title(100));
    for width in [99, 80, 70] {
        let title = title(width);
        assert!(title.contains(" Deployment shop/web on prod-eu  "), "{title}");
        assert!(title.ends_with(" fields  change 1 of 2"), "{title}");
    }
}

#[test]
fn what_stands_beside_each_other_never_runs_together() {
    for (width, height) in [(120, 40), (80, 24), (60, 20), (40, 12)] {
        for keys in ["", "d", "d d"] {
            let mut typist = Typist::at(width, height);
            typist.keys("j 3 j 4 enter").keys(keys);
            let screen = typist.screen();
            let sides = screen.lines().nth(2).unwrap();
            let live = if keys == "d" { " + live  prod-eu" } else { " live  prod-eu" };
            assert!(sides.contains(live), "{width} {keys}\n{screen}");
            assert!(!sides.contains("3f2c1d9…"), "{width} {keys}\n{screen}");
        }
    }
}

#[test]
fn an_app_with_something_that_does_not_go_is_not_green_and_is_a_fault() {
    use driftdeck::model::Verdict;
    use driftdeck::model::update::Update;
    let mut updates = crate::world::updates();
    for update in &mut updates {
        if let Update::Deployment(status) = update
            && status.id.app.name == "cart"
        {
            status.verdict = Verdict::InSync;
            status.counts.terminating = 1;
        }
    }
    let mut typist = Typist::empty(120, 40, driftdeck::deck::Options::default());
    typist.tell(updates);
    for keys in ["", "f"] {
        typist.keys(keys);
        let line = typist.line_with(" cart ");
        assert!(line.contains("↓ cart") && line.contains("1 terminating"), "{line}");
    }
}
