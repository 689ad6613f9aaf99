//! The demo in a terminal of its own, as the first command that anybody runs: without control plane, kustomize and helm.

use crate::support::{Home, Terminal};
use rustix::process::Signal;
use std::time::Duration;

/// A home whose programs are git and nothing else.
fn home_with_git_only() -> Home {
    let mut home = Home::new();
    let path = std::env::var("PATH").expect("a PATH");
    let git =
        path.split(':').map(|folder| format!("{folder}/git")).find(|file| std::fs::metadata(file).is_ok());
    home.write("bin/.keep", "");
    let bin = home.path().join("bin");
    std::os::unix::fs::symlink(git.expect("git"), bin.join("git")).expect("a link");
    home.set("PATH", bin.display().to_string());
    home.set("LANG", "C.UTF-8");
    home
}

/// The demo's folders that are still there.
fn folders(home: &Home) -> Vec<String> {
    let is_ours = |name: &String| name.starts_with("driftdeck-demo-");
    let temporary = std::fs::read_dir(home.path().join("tmp")).expect("the temporary folder");
    temporary.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(is_ours).collect()
}

/// Plans a sync of the deployment at hand, and waits until the plan takes keys.
#[track_caller]
fn plan(deck: &mut Terminal) {
    deck.keys("S");
    deck.await_text("A apply");
    deck.await_silence(Duration::from_millis(700));
}

#[test]
fn the_demo_shows_an_incident_is_put_right_by_its_keys_and_leaves_nothing_behind() {
    for (columns, rows, leave) in [(80, 24, None), (120, 40, Some(Signal::TERM))] {
        let home = home_with_git_only();
        let mut deck = Terminal::driftdeck(&home, &["demo"], columns, rows);
        deck.await_text("apps drifted");
        assert_eq!(folders(&home).len(), 1, "it lies in the temporary folder");
        deck.await_text("▌");
        // The app `web`, wherever it stands by now, on the cluster that wants no name.
        deck.keys(":web<enter>3<down><down>");
        deck.await_text("web");
        plan(&mut deck);
        deck.await_text("to prod-us");
        deck.keys("A");
        deck.await_text("done at");
        deck.keys("<esc>3<up>");
        plan(&mut deck);
        deck.await_text("PROTECTED");
        deck.keys("A");
        deck.await_text("type prod-eu");
        deck.keys("prod-eu<enter>");
        deck.await_text("prod-eu confirmed");
        deck.keys("A");
        deck.await_text("done at");
        match leave {
            Some(signal) => deck.signal(signal),
            None => deck.keys("<esc>q"),
        }
        assert_eq!(deck.await_exit(), (0, None));
        deck.assert_given_back();
        assert_eq!(folders(&home), Vec::<String>::new(), "nothing is left behind");
    }
}

#[test]
fn the_demo_names_who_changed_what() {
    let home = home_with_git_only();
    let mut deck = Terminal::driftdeck(&home, &["demo", "--still"], 120, 40);
    deck.await_text("apps drifted");
    deck.keys("t");
    deck.await_text("What changed in the last 30m, everywhere");
    deck.await_text("by hand, ");
    deck.keys("<esc>q");
    assert_eq!(deck.await_exit(), (0, None));
    deck.assert_given_back();
}

#[test]
fn the_demo_tells_what_runs_and_what_it_printed() {
    let home = home_with_git_only();
    let mut deck = Terminal::driftdeck(&home, &["demo", "--still"], 120, 40);
    deck.await_text("apps drifted");
    deck.keys("2/search<enter>3<down>p");
    let screen = deck.await_text("as of ");
    for part in ["CrashLoopBackOff", "BackOff  Pod search-", "last lines, before it ended", "expected =>"] {
        assert!(screen.contains(part), "{part} is in\n{screen}");
    }
    deck.keys("<esc>q");
    assert_eq!(deck.await_exit(), (0, None));
    deck.assert_given_back();
}

#[test]
fn an_editor_that_is_stopped_gives_the_shell_back_and_goes_on_with_the_deck() {
    let mut home = Home::new();
    let script = "#!/bin/sh\necho editing\nkill -TSTP 0\necho once more\nread line\n";
    let editor = home.write("bin/editor", script);
    let may_run = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&editor, may_run).unwrap();
    home.set("EDITOR", editor.display().to_string());
    let arguments = ["--norc", "--noprofile", "-i"];
    let mut shell = Terminal::start(&home, home.path(), "bash", &arguments, 120, 40);
    shell.keys("PS1='ready> '<enter>");
    shell.await_text("\nready> ");
    shell.keys(&format!("{} demo --still<enter>", env!("CARGO_BIN_EXE_driftdeck")));
    shell.await_text("apps drifted");
    shell.keys(":web<enter>4<down>e");
    shell.await_text("editing");
    shell.await_text("Stopped");
    shell.keys("echo he''re<enter>");
    shell.await_text("\nhere");
    shell.keys("fg<enter>");
    shell.await_text("once more");
    shell.keys("<enter>");
    shell.await_screen("the deck again", |screen| {
        screen.alternate_screen() && screen.contents().contains("apps drifted")
    });
    // The key that stopped the editor does not stop the deck.
    shell.keys("?");
    shell.await_text("Keys of lists");
    shell.keys("<esc>q");
    shell.await_screen("the shell again", |screen| !screen.alternate_screen());
    shell.keys("exec true<enter>");
    assert_eq!(shell.await_exit(), (0, None));
    shell.assert_given_back();
}
