//! The terminal after a failure of the deck: a small deck fails in a terminal of its own, which this test's own program
//! runs when it is started again.

use crate::support::{Home, Terminal};
use driftdeck::deck::{Options, State};
use driftdeck::model::Timestamp;
use driftdeck::runtime::Logins;
use driftdeck::shell::{Wiring, hooks, run, screen::Screen, size};
use rustix::io::dup;
use rustix::stdio::{dup2_stdout, stdout};

/// The variable by which this program knows that it is to be the deck.
const WITHIN: &str = "DRIFTDECK_TEST_FAILS";

fn is_within() -> bool {
    std::env::var_os(WITHIN).is_some()
}

/// Starts the test of this name in a terminal.
fn start(test: &str) -> Terminal {
    let mut home = Home::new();
    home.set(WITHIN, "1");
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", &format!("failing::{test}"), "--nocapture", "--ignored"];
    Terminal::start(&home, home.path(), program.to_str().unwrap(), &arguments, 100, 30)
}

#[test]
fn a_deck_that_fails_gives_the_terminal_back_and_says_so_there_without_its_values() {
    let mut deck = start("within_a_terminal_the_deck_fails");
    deck.await_screen("the deck", |screen| screen.alternate_screen() && screen.contents().contains("Repos"));
    deck.keys("?");
    assert_ne!(deck.await_exit().0, 0);
    deck.assert_given_back();
    deck.await_text("driftdeck failed");
    assert!(!deck.text().contains("hunter2"), "{}", deck.text());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is run in a terminal by the test above"]
async fn within_a_terminal_the_deck_fails() {
    if !is_within() {
        return;
    }
    hooks::install();
    let (effects, _asked) = tokio::sync::mpsc::channel(8);
    let (_told, messages) = tokio::sync::mpsc::channel(8);
    let wiring = Wiring {
        effects,
        messages,
        clock: Box::new(Timestamp::now),
        state_folder: None,
        logins: Logins::default(),
    };
    let state = State::new(size(), Timestamp::now(), Options::default());
    let done = run(state, wiring, |frame, state| {
        frame.render_widget("Repos", frame.area());
        assert!(state.layers.is_empty(), "hunter2");
    });
    done.await.unwrap();
}

#[test]
fn a_terminal_that_could_only_be_taken_in_part_is_given_back() {
    let mut deck = start("within_a_terminal_the_screen_is_not_taken");
    assert_eq!(deck.await_exit(), (0, None), "{}", deck.text());
    deck.assert_given_back();
}

#[test]
#[ignore = "is run in a terminal by the test above"]
fn within_a_terminal_the_screen_is_not_taken() {
    if !is_within() {
        return;
    }
    let terminal = dup(stdout()).unwrap();
    // Raw mode is entered through the terminal, and what is drawn does not get there.
    dup2_stdout(std::fs::File::options().write(true).open("/dev/full").unwrap()).unwrap();
    let failed = Screen::take().is_err();
    dup2_stdout(terminal).unwrap();
    assert!(failed);
}
