//! How long it takes from the start of the program to its first picture, and until everything has been judged.

use std::time::Instant;

use crate::figures::{Times, figure, subject, words};
use crate::support::{Home, Repository, Terminal};

const STARTS: usize = 15;

pub fn measure() {
    subject("start: from the start of the process to the terminal's bytes, at 120x40");
    let home = Home::new();
    starts("the demo", &home, &["demo", "--still"]);
    let (home, repository) = own();
    starts(
        "a repository of 20 apps, its cluster not reached",
        &home,
        &[&repository.path().display().to_string()],
    );
}

fn starts(what: &str, home: &Home, arguments: &[&str]) {
    let (mut first, mut settled, mut bytes) = (Times::default(), Times::default(), 0);
    for _ in 0..STARTS {
        let began = Instant::now();
        let terminal = Terminal::driftdeck(home, arguments, 120, 40);
        terminal.await_screen("the header and the line of keys", is_whole);
        first.add(began.elapsed());
        bytes = terminal.written();
        terminal.await_screen("everything judged", |screen| !screen.contents().contains(" reading"));
        settled.add(began.elapsed());
    }
    figure(&format!("{what}: first picture"), &format!("{first}, fastest {}", words(first.fastest())));
    figure(&format!("{what}: all judged"), &format!("{settled}, {bytes} bytes in the first picture"));
}

/// Returns whether a whole frame is on the screen: its first line and its last.
fn is_whole(screen: &vt100::Screen) -> bool {
    let text = screen.contents();
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.contains("driftdeck"))
        && text.lines().count() == usize::from(screen.size().0.get())
        && text.lines().last().is_some_and(|line| line.contains("help"))
}

/// A repository with apps of plain manifests, and a kubeconfig that leads nowhere.
fn own() -> (Home, Repository) {
    let home = Home::new();
    home.write(
        "kubeconfig",
        "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n\
         clusters: [{name: nowhere, cluster: {server: 'https://127.0.0.1:1'}}]\n\
         users: [{name: nobody, user: {token: none}}]\n\
         contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]\n",
    );
    let repository = Repository::new();
    for app in 0..20 {
        for object in 0..20 {
            repository.write(
                &format!("apps/app-{app:02}/settings-{object:02}.yaml"),
                format!(
                    "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{object:02}}}\ndata: {{a: b}}\n"
                ),
            );
        }
    }
    repository.commit("Declare twenty apps");
    (home, repository)
}
