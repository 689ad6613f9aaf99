//! `driftdeck capture` and `C` against a real API server: what a hand changed goes into the file that declares it, and the
//! verdict is in sync.

use crate::support::{Namespace, Repository, Terminal};
use serde_json::json;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the shop
spec:
  replicas: 1 # enough for now
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.invalid/web:1.4.2
";

fn deployed(subject: &str) -> (Namespace, Repository) {
    let (namespace, repository) = (Namespace::new(subject), Repository::new());
    repository.write("web/web.yaml", WEB).commit("Add web");
    namespace.apply(WEB);
    namespace.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    namespace.kubectl(&["set", "image", "deployment/web", "web=registry.invalid/web:1.4.3"]);
    (namespace, repository)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn one_field_is_captured_and_the_other_still_drifts() {
    let (namespace, repository) = deployed("captured");
    let home = namespace.home();
    home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    let run = |words: &[&str], code: i32| home.driftdeck_in(repository.path(), words, "").exits(code);
    let field = ["capture", "web", "--field", ".spec.replicas", "-o", "json"];
    let planned = run(&[&field[..], &["--dry-run"]].concat(), 0).json();
    let remarks = planned["plan"]["remarks"].as_array().unwrap();
    assert!(remarks[0].as_str().unwrap().contains("set in web/web.yaml, line 6"), "{planned:#}");
    assert_eq!(planned["plan"]["live"]["resources"][0]["changes"].as_array().unwrap().len(), 1);
    let done = run(&[&field[..], &["--yes"]].concat(), 0).json();
    assert!(done["commit"].is_string());
    let text = std::fs::read_to_string(repository.path().join("web/web.yaml")).unwrap();
    assert_eq!(text, WEB.replace("replicas: 1 #", "replicas: 3 #"));
    let said = repository.git(&["log", "-1", "--format=%B"]);
    assert!(said.starts_with("Capture web from "), "{said}");
    let check = run(&["check", "-o", "json"], 1).json();
    let changes = check["resources"][0]["changes"].as_array().unwrap();
    let counted: Vec<_> = changes.iter().filter(|c| c["counts"] == true).map(|c| &c["path"]).collect();
    assert_eq!(counted, [&json!(r#".spec.template.spec.containers[name="web"].image"#)]);

    run(&["capture", "web", "--only", "Deployment/web", "--yes"], 0);
    run(&["check"], 0);
    run(&["check", "--exact"], 0);
    let again = run(&["capture", "web"], 2);
    assert!(again.stderr.contains("nothing to capture"), "{}", again.stderr);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_line_of_the_deck_is_captured() {
    let (namespace, repository) = deployed("captured-deck");
    let home = namespace.home();
    home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&home, repository.path(), program, &[], 150, 40);
    deck.await_text(".spec.replicas");
    deck.keys("4");
    deck.keys("j");
    deck.keys("C");
    deck.await_text("Capture .spec.replicas of Deployment");
    deck.await_text("captures .spec.replicas of Deployment");
    crate::support::patience::rest(std::time::Duration::from_millis(600));
    deck.keys("A");
    deck.await_text("1 of 1 as planned");
    let text = std::fs::read_to_string(repository.path().join("web/web.yaml")).unwrap();
    assert_eq!(text, WEB.replace("replicas: 1 #", "replicas: 3 #"));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_secret_is_never_captured() {
    let (namespace, repository) = (Namespace::new("captured-secret"), Repository::new());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {pass: one}\n";
    repository.write("web/secret.yaml", secret).commit("Add a secret");
    namespace.apply(secret);
    namespace.patch("secret/keys", "merge", r#"{"stringData":{"pass":"canary-two"}}"#, "kubectl-edit");
    let home = namespace.home();
    home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    let run = home.driftdeck_in(repository.path(), ["capture", "web", "--yes"], "").exits(2);
    assert!(run.stderr.contains("is not captured"), "{}", run.stderr);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("canary"));
    assert_eq!(repository.git(&["status", "--porcelain"]).trim(), "");
}
