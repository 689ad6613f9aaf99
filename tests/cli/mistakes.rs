//! What a user may type wrong, and what is said of it: to people on stderr, to programs as the one document on stdout.

use crate::support::{Home, Repository, Run};
use serde_json::json;

/// A home whose kubeconfig leads to a server that is not there.
fn home_without_a_cluster() -> Home {
    let home = Home::new();
    home.write(
        "kubeconfig",
        "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n\
         clusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]\nusers: [{name: u, user: {token: t}}]\n\
         contexts: [{name: nowhere, context: {cluster: c, user: u}}]\n",
    );
    home
}

fn repository() -> Repository {
    let repository = Repository::new();
    for app in ["web", "cart"] {
        let manifest = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {app}}}\n");
        repository.write(&format!("{app}/a.yaml"), manifest);
    }
    repository.commit("Add two apps");
    repository
}

#[test]
fn a_command_that_could_not_begin_gives_its_document_all_the_same() {
    let (home, repository) = (Home::new(), repository());
    for (command, empty) in [
        ("check", json!({"verdict": "unknown", "complete": false, "apps": [], "resources": []})),
        ("diff", json!({"verdict": "unknown", "complete": false, "apps": [], "resources": []})),
        ("sync", json!({"plan": null, "verdict": null, "commit": null, "branch": null, "pullRequest": null})),
    ] {
        let words = if command == "sync" { vec!["sync", "web"] } else { vec![command] };
        let run = home.driftdeck_in(repository.path(), words.into_iter().chain(["-o", "json"]), "").exits(2);
        let document = run.json();
        assert_eq!(document["schema"], "driftdeck/v1");
        assert_eq!(document["command"], command);
        for (field, value) in empty.as_object().unwrap() {
            assert_eq!(&document[field], value, "{command}: {field}");
        }
        assert_eq!(document["notices"][0]["level"], "error");
        assert_eq!(document["notices"][0]["title"], "no kubeconfig was found");
        assert_eq!(run.stderr, "", "it is said once");
    }
}

#[test]
fn a_comma_at_the_end_of_no_proxy_is_no_mistake() {
    let (mut home, repository) = (home_without_a_cluster(), repository());
    home.set("HTTPS_PROXY", "http://proxy.invalid:8080");
    home.set("NO_PROXY", "internal.example.com,127.0.0.1,");
    let run = home.driftdeck_in(repository.path(), ["check", "-o", "json"], "").exits(3);
    let document = run.json();
    let causes: Vec<_> = document["notices"].as_array().unwrap().iter().map(|n| &n["cause"]).collect();
    assert_eq!(causes.len(), 1, "{document:#}");
    assert!(causes[0].as_str().unwrap().starts_with("https://127.0.0.1:9 does not answer"), "{causes:?}");
}

#[test]
fn a_command_line_that_cannot_be_understood_gives_a_document_where_one_was_asked_for() {
    let home = Home::new();
    let run = home.driftdeck(["check", "--nonsense", "-o", "json"]).exits(2);
    assert_eq!(run.json()["command"], "check");
    assert_eq!(run.json()["notices"][0]["title"], "unexpected argument found");
    assert!(run.stderr.contains("--nonsense"), "{}", run.stderr);
    let run = home.driftdeck(["check", "--nonsense"]).exits(2);
    assert_eq!(run.stdout, "");
    home.driftdeck(["--help", "-o", "json"]).exits(0);
}

#[test]
fn a_misspelled_command_is_not_taken_for_a_repository() {
    let run = Home::new().driftdeck(["chek"]).exits(2);
    assert_eq!(
        run.stderr,
        "error: there is no path and no command chek\n  hint: did you mean driftdeck check?\n"
    );
}

#[test]
fn an_app_that_is_not_there_is_said_with_those_that_are() {
    let (home, repository) = (home_without_a_cluster(), repository());
    for command in ["check", "diff"] {
        let run = home.driftdeck_in(repository.path(), [command, "--app", "wbe", "-o", "json"], "").exits(2);
        let document = run.json();
        assert_eq!(document["complete"], false);
        let notices = document["notices"].as_array().unwrap();
        let said = notices.iter().find(|notice| notice["title"] == "there is no app wbe");
        let said = said.unwrap_or_else(|| panic!("{notices:?}"));
        assert_eq!((&said["level"], &said["hint"]), (&json!("error"), &json!("there are cart, web")));
    }
}

#[test]
fn a_command_on_which_exact_has_no_effect_refuses_it_and_passes_the_environments_over() {
    let (home, repository) = (home_without_a_cluster(), repository());
    home.write("live.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n");
    for (command, words) in [
        ("apps", &["apps"][..]),
        ("render", &["render", "web"]),
        ("compare", &["compare", "web", "live.yaml"]),
        ("diff", &["diff", "--base", "HEAD"]),
        ("changes", &["changes"]),
        ("sync", &["sync", "web"]),
        ("undo", &["undo", "20"]),
        ("apply", &["apply", "plan.json"]),
        ("journal", &["journal"]),
        ("man", &["man"]),
    ] {
        let before = [&["--exact"], words].concat();
        for words in [before, [words, &["--exact"]].concat()] {
            let run = home.driftdeck_in(repository.path(), words.clone(), "").exits(2);
            assert_eq!(run.stdout, "", "{words:?}");
            let first = run.stderr.lines().next();
            let refused = format!(
                "error: --exact has no effect on {command}: check, diff of a cluster, doctor and the deck take it"
            );
            assert_eq!(first, Some(refused.as_str()), "{words:?}");
        }
    }
    for words in [&["apps"][..], &["render", "web"], &["journal"]] {
        let mut run = home.command(env!("CARGO_BIN_EXE_driftdeck"));
        run.current_dir(repository.path()).env("DRIFTDECK_EXACT", "1").args(words);
        Run::of(&mut run).exits(0);
    }
    let words = ["apps", "--exact", "-o", "json"];
    let document = home.driftdeck_in(repository.path(), words, "").exits(2).json();
    assert_eq!(document["command"], "apps");
}

#[test]
fn a_text_that_makes_the_parser_panic_is_refused_without_a_word_of_the_panic() {
    let run = Home::new().driftdeck_in(repository().path(), ["render", "-"], "a: [!x, y]\n").exits(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    for word in ["panic", "TODO", "scanner.rs", "It failed at", "backtrace"] {
        assert!(!run.stderr.contains(word), "{}", run.stderr);
    }
}

#[test]
fn a_cluster_that_is_not_there_makes_every_app_unknown_with_the_reason() {
    let (home, repository) = (home_without_a_cluster(), repository());
    let run = home.driftdeck_in(repository.path(), ["check", "-o", "json"], "").exits(3);
    let document = run.json();
    let apps = document["apps"].as_array().unwrap();
    assert_eq!(apps.len(), 2);
    for app in apps {
        assert_eq!(app["verdict"], "unknown");
        assert!(app["why"].as_str().unwrap().contains("127.0.0.1:9"), "{app}");
    }
}

#[test]
fn every_switch_can_be_set_and_unset_by_its_variable() {
    let repository = repository();
    for name in ["READ_ONLY", "STRICT", "EXIT_ZERO", "QUIET", "NO_COLOR", "ASCII"] {
        for value in ["1", "true", "yes", "on", "0", "false", "no", "off", ""] {
            let mut home = Home::new();
            home.set(&format!("DRIFTDECK_{name}"), value);
            let run = home.driftdeck(["apps", repository.path().to_str().unwrap()]);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}={value}");
        }
    }
    let said = |value: &str| {
        let mut home = Home::new();
        home.set("DRIFTDECK_QUIET", value);
        home.write("plain/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
        !home.driftdeck(["apps", "plain"]).exits(0).stderr.is_empty()
    };
    assert_eq!(["1", "yes", "0", "no", ""].map(said), [false, false, true, true, true]);
}

#[test]
fn a_variable_that_is_set_to_nothing_counts_as_not_set() {
    let repository = repository();
    let names = [
        "CONTEXT",
        "KUBECONFIG",
        "AS",
        "AS_GROUP",
        "NAMESPACE",
        "REVISION",
        "APP",
        "CONFIG",
        "TIMEOUT",
        "REQUEST_TIMEOUT",
        "OUTPUT",
        "LOG_FILE",
    ];
    for name in names {
        let mut home = Home::new();
        home.set(&format!("DRIFTDECK_{name}"), "");
        let run = home.driftdeck(["apps", repository.path().to_str().unwrap()]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}");
    }
    let mut home = Home::new();
    home.set("DRIFTDECK_OUTPUT", "json");
    assert_eq!(home.driftdeck(["check", "--nonsense"]).exits(2).json()["command"], "check");
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let home = Home::new();
    for words in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]] {
        let text = home.driftdeck(words).exits(0).stdout;
        for command in
            ["apps", "render", "compare", "check", "diff", "sync", "apply", "undo", "journal", "demo"]
        {
            assert!(text.contains(command), "{words:?}: {command}");
        }
    }
}

#[test]
fn the_manual_tells_every_option_the_exit_codes_and_the_files() {
    let page = Home::new().driftdeck(["man"]).exits(0).stdout;
    for part in [
        "driftdeck sync",
        "max\\-deletions",
        "show\\-secrets",
        "EXIT CODES",
        "FILES",
        "config.yaml",
        "ENVIRONMENT",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let commands = page.split(".SH COMMANDS").nth(1).unwrap();
    assert!(!commands.contains("request\\-timeout"), "what holds for all is said once");
}

#[test]
fn a_pipe_that_is_closed_ends_a_command_quietly() {
    let (home, repository) = (Home::new(), repository());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .args(["render", repository.path().to_str().unwrap()])
        .env_clear()
        .envs(home.environment().iter().cloned())
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""));
}
