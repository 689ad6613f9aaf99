//! `driftdeck history` against a real API server: which commit the cluster is at.

use crate::support::{Namespace, Repository, Terminal};

fn map(colour: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {colour}, shape: round}}\n"
    )
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_commit_that_the_cluster_is_at_is_named_and_what_it_would_change_is_shown() {
    let namespace = Namespace::new("history");
    let repository = Repository::new();
    repository.write("web/all.yaml", map("blue")).commit("Paint it blue");
    namespace.apply_path(repository.path().join("web"));
    let second = repository.write("web/all.yaml", map("red")).commit("Paint it red (#7)");
    repository.write("other/all.yaml", "# nothing yet\n").commit("Of nobody");
    let home = namespace.home();
    let of = |words: &[&str]| {
        let all = ["history", "web", "-o", "json"].iter().chain(words);
        let document = home.driftdeck_in(repository.path(), all, "").exits(0).json();
        let commits = document["commits"].as_array().unwrap().clone();
        let distances: Vec<(String, Option<u64>)> = commits
            .iter()
            .map(|commit| (commit["subject"].as_str().unwrap().to_owned(), commit["distance"].as_u64()))
            .collect();
        (distances, document["best"].clone())
    };
    let (distances, best) = of(&[]);
    assert_eq!(distances, [("Paint it red (#7)".to_owned(), Some(1)), ("Paint it blue".to_owned(), Some(0))]);
    assert_eq!(best["distance"], 0);

    // Somebody paints it red by hand, and gives it another shape.
    let patch = r#"{"data":{"colour":"red","shape":"square"}}"#;
    namespace.patch("configmap/settings", "merge", patch, "kubectl-edit");
    let (distances, best) = of(&[]);
    assert_eq!(distances, [("Paint it red (#7)".to_owned(), Some(1)), ("Paint it blue".to_owned(), Some(2))]);
    assert_eq!(best["commit"], second.as_str());

    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&home, repository.path(), program, &[], 150, 40);
    deck.await_text(".data.shape");
    deck.keys("c");
    deck.await_text("1 field off live, best match");
    deck.await_text("2 of 3 commits");
    deck.keys("<enter>");
    let screen = deck.await_text("round → square");
    assert!(screen.contains("live now") && !screen.contains(".data.colour"), "{screen}");
    deck.keys("<esc>");
    deck.await_text("History of web");
    deck.keys("j<enter>");
    deck.await_text("blue → red");
    deck.keys("d");
    let screen = deck.await_text("desired now");
    assert!(screen.contains("Paint it blue"), "{screen}");
    deck.keys("<esc>");
    deck.await_text("History of web");
    deck.keys("<esc>");
    deck.await_text("enter open");
    deck.keys("q");
    assert_eq!(deck.await_exit(), (0, None));
}
