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
