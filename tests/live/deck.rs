//! The deck in a terminal of its own, on a real repository and a real API server.

use crate::support::{
    Access, Fault, FaultProxy, Home, Matching, Namespace, Repository, Terminal, never_within,
};
use rustix::process::Signal;
use std::time::Duration;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: registry.invalid/web:1
";

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue, shape: round}
";

/// A repository with the app `web`, deployed as declared, and a way into the cluster through a fault proxy.
struct Stage {
    namespace: Namespace,
    proxy: FaultProxy,
    repository: Repository,
    home: Home,
}

impl Stage {
    fn new(subject: &str) -> Self {
        Self::reached_by(subject, |access| access)
    }

    fn reached_by(subject: &str, way: impl FnOnce(Access) -> Access) -> Self {
        let namespace = Namespace::new(subject);
        let repository = Repository::new();
        repository.write("web/deployment.yaml", WEB).write("web/settings.yaml", SETTINGS).commit("Add web");
        namespace.apply_path(repository.path().join("web"));
        let proxy = FaultProxy::in_front_of(&namespace.plane);
        let home = Home::new();
        way(proxy.through(namespace.access())).write_into(&home);
        Self { namespace, proxy, repository, home }
    }

    /// Opens the deck on the repository.
    fn open(&self) -> Terminal {
        self.open_at(150, 40)
    }

    fn open_at(&self, columns: u16, rows: u16) -> Terminal {
        let program = env!("CARGO_BIN_EXE_driftdeck");
        Terminal::start::<&str>(&self.home, self.repository.path(), program, &[], columns, rows)
    }

    fn scale(&self, replicas: u32) {
        self.namespace.kubectl(&["scale", "deployment/web", &format!("--replicas={replicas}")]);
    }

    fn replicas(&self) -> u64 {
        self.namespace.get("deployment/web").expect("it is there")["spec"]["replicas"]
            .as_u64()
            .expect("a number")
    }

    fn writes(&self) -> usize {
        self.proxy.seen_matching(&Matching::writes()).len()
    }
}

/// Waits until one line of the screen holds all these parts.
#[track_caller]
fn await_line(terminal: &Terminal, parts: &[&str]) {
    terminal.await_screen(&format!("a line with {parts:?}"), |screen| {
        screen.contents().lines().any(|line| parts.iter().all(|part| line.contains(part)))
    });
}

/// Types a key that is dropped for half a second after a plan appears, once that time is over.
#[track_caller]
fn key_after_the_guard(terminal: &mut Terminal, key: &str) {
    terminal.await_silence(Duration::from_millis(700));
    terminal.keys(key);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn each_change_appears_by_itself_at_its_path_with_its_manager() {
    let stage = Stage::new("deck-changes");
    let deck = stage.open();
    deck.await_text("all in sync");
    deck.await_text("web");

    stage.scale(3);
    await_line(&deck, &[".spec.replicas", "1 → 3", "by hand", "kubectl"]);
    stage.namespace.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    await_line(&deck, &[".data.colour", "blue → red", "by hand, kubectl edit"]);
    stage.namespace.kubectl(&["label", "configmap", "settings", "team=night"]);
    await_line(&deck, &[".metadata.labels", "night", "kubectl label"]);

    stage.namespace.kubectl(&["delete", "configmap", "settings"]);
    await_line(&deck, &["ConfigMap", "settings", "missing"]);
    stage.namespace.apply(SETTINGS);
    deck.await_screen("the ConfigMap is in sync again", |screen| !screen.contents().contains("missing"));

    stage.repository.write("web/deployment.yaml", WEB.replace("web:1", "web:2"));
    await_line(&deck, &["image", "web:2 → web:1"]);
    await_line(&deck, &["uncommitted changes"]);
    let commit = stage.repository.commit("Release 2");
    await_line(&deck, &["desired", &commit[..7], "Release 2"]);
    await_line(&deck, &["image", "web:2 → web:1"]);
    assert_eq!(stage.writes(), 0, "looking writes nothing: {}", stage.proxy.listing());
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_sync_is_undone_from_the_keyboard_and_the_drift_is_back() {
    let stage = Stage::new("deck-undo");
    let mut deck = stage.open();
    deck.await_text("all in sync");
    deck.keys("U");
    deck.await_text("that is not undone");
    key_after_the_guard(&mut deck, "<esc>");
    stage.scale(3);
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    deck.keys("S");
    deck.await_text("1 of 1 ticked");
    key_after_the_guard(&mut deck, "A");
    deck.await_text("done at");
    assert_eq!(stage.replicas(), 1);
    deck.keys("<esc>");

    let before = stage.writes();
    deck.keys("U");
    deck.await_text("1 of 1 ticked");
    await_line(&deck, &["undoes the sync", " of 20"]);
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    deck.await_silence(Duration::from_millis(700));
    assert_eq!(stage.writes(), before, "a plan writes nothing: {}", stage.proxy.listing());
    key_after_the_guard(&mut deck, "A");
    deck.await_text("done at");
    assert_eq!(stage.replicas(), 3);
    deck.keys("<esc>");
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    deck.keys("U");
    deck.await_text("that is not undone");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_engine_is_paused_and_goes_on_from_the_keyboard() {
    let stage = crate::hold::Stage::flux("deck-hold");
    let kustomization = crate::hold::KUSTOMIZATION;
    let before = stage.engine(kustomization);
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&stage.home, stage.repository.path(), program, &[], 150, 40);
    deck.await_text("all in sync");
    deck.await_silence(Duration::from_millis(500));
    deck.keys("H");
    deck.await_text("how long, then why");
    deck.keys("hot fix<enter>");
    deck.await_text("1 of 1 ticked");
    await_line(&deck, &[".spec.suspend", "true"]);
    assert_eq!(stage.engine(kustomization), before, "a plan writes nothing");
    key_after_the_guard(&mut deck, "A");
    deck.await_text("done at");
    assert_eq!(stage.engine(kustomization)["spec"]["suspend"], true);
    deck.keys("<esc>");
    await_line(&deck, &["held until", ": hot fix"]);
    deck.keys("H");
    deck.await_text("1 of 1 ticked");
    key_after_the_guard(&mut deck, "A");
    deck.await_text("done at");
    assert_eq!(stage.engine(kustomization), before);
    deck.keys("<esc>");
    deck.await_screen("the hold is gone", |screen| !screen.contents().contains("held until"));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_sync_is_applied_by_its_own_key_and_the_row_is_in_sync_only_afterwards() {
    let stage = Stage::new("deck-sync");
    let mut deck = stage.open();
    deck.await_text("all in sync");
    stage.scale(3);
    await_line(&deck, &[".spec.replicas", "1 → 3"]);

    deck.keys("S");
    deck.await_text("1 of 1 ticked");
    key_after_the_guard(&mut deck, "<enter>");
    key_after_the_guard(&mut deck, "<enter>");
    deck.await_silence(Duration::from_millis(500));
    assert_eq!(stage.writes(), 0, "Enter never applies: {}", stage.proxy.listing());
    assert_eq!(stage.replicas(), 3);

    stage.proxy.always(Matching::verbs(&["patch"]).dry_run(false), Fault::Delay(Duration::from_millis(1500)));
    deck.keys("A");
    stage.proxy.await_seen(&Matching::writes().resource("deployments"), 1);
    let while_writing = deck.text();
    assert!(
        !while_writing.contains("all in sync") && !while_writing.contains("✓ applied"),
        "{while_writing}"
    );
    deck.await_text("done at");
    assert_eq!(stage.replicas(), 1);
    deck.keys("<esc>");
    deck.await_text("all in sync");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_protected_cluster_wants_its_name_typed() {
    let stage = Stage::reached_by("deck-protected", |access| access.named("prod-eu"));
    stage.scale(3);
    let mut deck = stage.open();
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    await_line(&deck, &["PROTECTED", "prod-eu"]);
    deck.keys("S");
    deck.await_text("1 of 1 ticked");
    key_after_the_guard(&mut deck, "A");
    deck.await_text("prod-eu is protected: type prod-eu");
    deck.keys("prod-us<enter>");
    deck.await_silence(Duration::from_millis(700));
    assert_eq!(stage.writes(), 0, "another name allows nothing: {}", stage.proxy.listing());
    if deck.text().contains("prod-eu is protected: type prod-eu") {
        deck.keys("<esc>");
    }
    key_after_the_guard(&mut deck, "A");
    deck.await_text("prod-eu is protected: type prod-eu");
    deck.keys("prod-eu<enter>");
    deck.await_silence(Duration::from_millis(700));
    assert_eq!(stage.writes(), 0, "the name alone writes nothing: {}", stage.proxy.listing());
    deck.keys("A");
    deck.await_text("done at");
    assert_eq!(stage.replicas(), 1);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_cluster_that_is_cut_off_is_stale_in_words_and_nothing_is_in_sync_until_it_is_back() {
    let stage = Stage::new("deck-cut");
    let deck = stage.open();
    deck.await_text("all in sync");
    stage.proxy.always(Matching::any(), Fault::DropBefore);
    stage.proxy.cut_all();
    deck.await_screen("stale, and nothing in sync", |screen| {
        let text = screen.contents();
        (text.contains("stale since") || text.contains("no answer since"))
            && !text.contains("all in sync")
            && !text.contains('✓')
    });
    stage.scale(3);
    stage.proxy.clear();
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    deck.await_screen("live again", |screen| {
        let text = screen.contents();
        !text.contains("stale since") && !text.contains("no answer since") && text.contains("live now")
    });
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_network_that_went_silent_makes_the_cluster_stale() {
    let stage = Stage::new("deck-frozen");
    let deck = stage.open();
    deck.await_text("all in sync");
    stage.proxy.freeze(true);
    deck.await_screen("stale, and nothing in sync", |screen| {
        let text = screen.contents();
        (text.contains("stale since") || text.contains("no answer since")) && !text.contains('✓')
    });
    stage.proxy.freeze(false);
    deck.await_text("all in sync");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn however_the_deck_ends_the_terminal_is_given_back() {
    let stage = Stage::new("deck-ends");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut deck = stage.open();
        deck.await_text("all in sync");
        deck.signal(signal);
        assert_eq!(deck.await_exit().1, None, "{signal:?} is answered, not suffered");
        deck.assert_given_back();
    }
    let mut deck = stage.open();
    deck.await_text("all in sync");
    deck.keys("q");
    assert_eq!(deck.await_exit(), (0, None));
    deck.assert_given_back();
    let mut deck = stage.open();
    deck.await_text("all in sync");
    deck.hang_up();
    deck.await_exit();
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_suspended_deck_gives_the_terminal_back_and_returns_as_it_was() {
    let stage = Stage::new("deck-suspend");
    let arguments = ["--norc", "--noprofile", "-i"];
    let mut shell = Terminal::start(&stage.home, stage.repository.path(), "bash", &arguments, 150, 40);
    shell.keys("PS1='ready> '<enter>");
    shell.await_text("\nready> ");
    shell.keys(&format!("{}<enter>", env!("CARGO_BIN_EXE_driftdeck")));
    shell.await_text("all in sync");
    shell.keys("<c-z>");
    shell.await_screen("the shell's own screen", |screen| {
        !screen.alternate_screen() && screen.contents().contains("Stopped")
    });
    shell.keys("echo he''re<enter>");
    shell.await_text("here");
    // The deck is not told of a size that changes while it is stopped.
    shell.resize(100, 30);
    shell.keys("fg<enter>");
    shell.await_screen("the deck again, in the new size", |screen| {
        let text = screen.contents();
        let footer = text.lines().nth(29).is_some_and(|line| line.trim_end().ends_with("? help"));
        screen.alternate_screen() && text.contains("all in sync") && footer
    });
    shell.keys("q");
    shell.await_screen("the shell again", |screen| !screen.alternate_screen());
    shell.keys("exec true<enter>");
    assert_eq!(shell.await_exit(), (0, None));
    shell.assert_given_back();
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_esc_that_comes_together_with_the_next_key_is_no_chord() {
    let stage = Stage::new("deck-esc");
    let mut deck = stage.open();
    deck.await_text("all in sync");
    deck.keys("?");
    deck.await_text("Keys of");
    deck.bytes(b"\x1b!");
    deck.await_text("Notices and log");
    deck.bytes(b"\x1bq");
    assert_eq!(deck.await_exit(), (0, None));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_deck_follows_the_terminals_size_down_and_up() {
    let stage = Stage::new("deck-sizes");
    stage.scale(3);
    let mut deck = stage.open();
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    for (columns, rows) in [(80, 24), (60, 15), (40, 12), (20, 5), (2, 1), (40, 12), (300, 90), (150, 40)] {
        deck.resize(columns, rows);
        deck.await_silence(Duration::from_millis(150));
        deck.keys("j<enter>");
        deck.await_silence(Duration::from_millis(150));
        deck.keys("<esc>");
        deck.await_silence(Duration::from_millis(150));
    }
    deck.resize(150, 40);
    await_line(&deck, &[".spec.replicas", "1 → 3"]);
    deck.keys("<esc><esc>q");
    assert_eq!(deck.await_exit(), (0, None));
    deck.assert_given_back();
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_idle_deck_writes_nothing_to_the_terminal() {
    let stage = Stage::new("deck-idle");
    let deck = stage.open();
    deck.await_text("all in sync");
    deck.await_silence(Duration::from_secs(2));
    let before = deck.written();
    never_within(Duration::from_secs(6), "a write to the terminal", || deck.written() != before);
}
