//! `driftdeck ignore` against a real API server: what a rule would hide is shown first, in every app that it reaches, and the
//! commit then hides exactly that.

use crate::support::{Namespace, Repository, Terminal};
use serde_json::{Value, json};

fn map(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{colour: blue, shape: round}}\n"
    )
}

/// Two apps of one map each; somebody painted both, and bent one.
fn painted(subject: &str) -> (Namespace, Repository) {
    let (namespace, repository) = (Namespace::new(subject), Repository::new());
    repository.write("web/a.yaml", map("web")).write("api/a.yaml", map("api")).commit("Add both");
    for app in ["web", "api"] {
        namespace.apply_path(repository.path().join(app));
        namespace.patch(&format!("configmap/{app}"), "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    }
    namespace.patch("configmap/web", "merge", r#"{"data":{"shape":"square"}}"#, "kubectl-edit");
    (namespace, repository)
}

fn hidden(document: &Value) -> Vec<(String, String)> {
    let hides = document["plan"]["hides"].as_array().unwrap().iter();
    let of = |hidden: &Value| {
        (hidden["app"].as_str().unwrap().to_owned(), hidden["path"].as_str().unwrap().to_owned())
    };
    hides.map(of).collect()
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_rule_hides_what_the_plan_said_in_every_app_that_it_reaches() {
    let (namespace, repository) = painted("ignore");
    let home = namespace.home();
    home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    let run = |words: &[&str], code: i32| home.driftdeck_in(repository.path(), words, "").exits(code);
    let base = ["ignore", "web", "--only", "ConfigMap/web", "-o", "json"];
    let plan = |words: &[&str]| run(&[&base[..], words].concat(), 0).json();
    let colour = |app: &str| (app.to_owned(), ".data.colour".to_owned());

    let own = plan(&["--field", "/data/colour", "--dry-run"]);
    assert_eq!(hidden(&own), [colour("web")]);
    let everywhere = plan(&["--field", ".data.colour", "--for", "kind", "--dry-run"]);
    assert_eq!(hidden(&everywhere), [colour("api"), colour("web")]);
    assert_eq!(everywhere["plan"]["files"][0]["path"], ".driftdeck.yaml");
    let run_wrong = run(&["ignore", "web", "--only", "ConfigMap/web", "--field", ".data.size"], 2);
    assert!(run_wrong.stderr.contains("what differs: .data.colour, .data.shape"), "{}", run_wrong.stderr);

    let reason = "the painters' union's";
    let done = plan(&["--field", ".data.colour", "--for", "kind", "--reason", reason, "--yes"]);
    assert!(done["commit"].is_string());
    let text = std::fs::read_to_string(repository.path().join(".driftdeck.yaml")).unwrap();
    assert!(text.contains("kind: ConfigMap") && text.contains(reason), "{text}");
    let said = repository.git(&["log", "-1", "--format=%B"]);
    assert!(said.starts_with("Ignore .data.colour of every ConfigMap\n\nthe painters"), "{said}");
    let check = run(&["check", "-o", "json"], 1).json();
    let counted: Vec<_> = check["resources"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|resource| resource["changes"].as_array().unwrap())
        .filter(|change| change["counts"] == true)
        .map(|change| change["path"].clone())
        .collect();
    assert_eq!(counted, [json!(".data.shape")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_rule_is_made_from_the_line_under_the_cursor() {
    let (namespace, repository) = painted("ignore-deck");
    let home = namespace.home();
    home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let words = ["--app", "web"];
    let mut deck = Terminal::start(&home, repository.path(), program, &words, 150, 40);
    deck.await_text(".data.shape");
    deck.keys("4");
    deck.keys("jj");
    deck.keys("X");
    deck.await_text("Ignore .data.shape of ConfigMap");
    let screen = deck.await_text("hides now, between desired and live: 1 difference");
    assert!(screen.contains(".driftdeck.yaml"), "{screen}");
    // Keys that come at once are taken to be meant for what was there before.
    let rest = || crate::support::patience::rest(std::time::Duration::from_millis(600));
    rest();
    deck.keys("v");
    deck.await_text("of every ConfigMap");
    deck.await_text("hides now, between desired and live: 1 difference");
    rest();
    deck.keys("A");
    deck.await_text("1 of 1 as planned");
    deck.keys("<esc>");
    deck.await_text("1 field, 1 ignored");
}
