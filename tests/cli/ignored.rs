//! Ignore rules of the configuration and of a repo, as `compare` shows them.

use crate::support::{Home, Repository, Run};
use serde_json::{Value, json};

const DESIRED: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a: '1', b: '2', c: '3'}
";

const LIVE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a: '9', b: '9', c: '9'}
";

/// Compares a file under a repo's rules and the user's.
fn compared(own: &str, users: &str, more: &[&str]) -> Run {
    compared_at("web.yaml", own, users, more)
}

fn compared_at(path: &str, own: &str, users: &str, more: &[&str]) -> Run {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("web.yaml", DESIRED).write(".driftdeck.yaml", own);
    repo.commit("Declare");
    home.write("config.yaml", users);
    home.write("live.yaml", LIVE);
    let path = repo.path().join(path).display().to_string();
    let words = ["compare", path.as_str(), "live.yaml", "--config", "config.yaml"];
    home.driftdeck(words.iter().chain(more).copied())
}

/// Returns the changes as path, class and the place of the rule that hides it.
fn changes(document: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = |rule: &Value| match rule["file"].as_str() {
        Some(file) => format!("{}:{}", file.rsplit('/').next().unwrap_or_default(), rule["line"]),
        None => String::new(),
    };
    let each = document["resources"][0]["changes"].as_array().unwrap().iter();
    each.map(|c| (text(&c["path"]), text(&c["class"]), place(&c["rule"]))).collect()
}

/// Returns the notices that name a file.
fn of_files(document: &Value) -> Vec<&Value> {
    document["notices"].as_array().unwrap().iter().filter(|notice| notice["file"].is_string()).collect()
}

#[test]
fn rules_of_the_repo_and_of_the_user_hide_what_they_name_and_say_where_they_stand() {
    let own = "ignore:\n- {kind: ConfigMap, fields: .data.a, reason: rotated}\n";
    let users = "ignore:\n- {name: web, jq: '.data | .b, .nothing'}\n";
    let run = compared(own, users, &["-o", "json"]).exits(1);
    let document = run.json();
    let expected = [
        (".data.a", "ignored", ".driftdeck.yaml:2"),
        (".data.b", "ignored", "config.yaml:2"),
        (".data.c", "changed", ""),
    ];
    assert_eq!(changes(&document), expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    let rule = &document["resources"][0]["changes"][0]["rule"];
    assert_eq!(
        *rule,
        json!({"source": "repository", "file": ".driftdeck.yaml", "line": 2, "says": "kind ConfigMap, .data.a",
               "reason": "rotated", "class": "changed"})
    );
    let titles: Vec<_> = of_files(&document).iter().map(|n| n["title"].clone()).collect();
    assert_eq!(titles, [json!("fleet brings an ignore rule")]);
}

#[test]
fn what_is_ignored_is_counted_in_words_and_shown_when_asked_for() {
    let own = "ignore:\n- {kind: ConfigMap, fields: ['.data.a', '.data.b', '.data.c']}\n";
    let run = compared(own, "", &["-q"]).exits(0);
    assert_eq!(run.stdout, "in-sync: 1 in sync, 3 fields ignored\n");
    let run = compared(own, "", &["-q", "--all"]).exits(0);
    assert!(run.stdout.contains("I .data.a"), "{}", run.stdout);
    assert!(run.stdout.contains("ignored by .driftdeck.yaml:2"), "{}", run.stdout);
}

#[test]
fn an_expression_that_does_not_end_or_fills_memory_hides_nothing_and_the_others_hold() {
    let own = "\
ignore:
- {jq: 'def f: f; .data.a | f'}
- {jq: '.data.c | select([range(1e12)] | length > 0)'}
- {jq: .data.b}
";
    let document = compared(own, "", &["-o", "json"]).exits(1).json();
    let classes: Vec<_> = changes(&document).into_iter().map(|(_, class, _)| class).collect();
    assert_eq!(classes, ["changed", "ignored", "changed"]);
    let failed = of_files(&document).into_iter().filter(|n| n["level"] == "warning");
    let failed: Vec<_> =
        failed.map(|n| (n["line"].clone(), n["title"].as_str().unwrap().to_owned())).collect();
    assert_eq!(failed.len(), 2, "{document:#}");
    for (line, title) in failed {
        assert!(line == 2 || line == 3, "{line}");
        assert!(title.starts_with("an ignore rule hides less than it says: jq "), "{title}");
    }
}

#[test]
fn a_rule_that_is_about_nothing_is_said_where_the_whole_repo_is_compared() {
    let own = "ignore:\n- {kind: ConfigMap, fields: .data.a}\n- {kind: Secret, fields: .}\n- {kind: ConfigMap, fields: .data.z}\n";
    let idle = |path: &str| {
        let document = compared_at(path, own, "", &["-o", "json"]).exits(1).json();
        let idle = of_files(&document).into_iter().filter(|n| n["level"] == "warning");
        idle.map(|n| (n["line"].clone(), n["title"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(
        idle(""),
        [
            (json!(3), json!("an ignore rule is about no object of this run: kind Secret, .")),
            (json!(4), json!("an ignore rule names nothing that is there: kind ConfigMap, .data.z")),
        ]
    );
    assert_eq!(idle("web.yaml"), [], "of a part of a repo nobody knows");
}

#[test]
fn a_mistake_in_a_repos_rules_names_file_and_line_and_in_the_users_key_too() {
    let run = compared("ignore:\n- {fields: data}\n", "", &["-o", "json"]).exits(1);
    let document = run.json();
    let notice = of_files(&document)[0];
    assert_eq!(
        [&notice["file"], &notice["line"], &notice["title"]],
        [
            &json!(".driftdeck.yaml"),
            &json!(2),
            &json!("ignore[0].fields: a path starts with a dot, such as .spec.replicas")
        ]
    );
    let run = compared("", "built-in-rules: {rolout-restart: false}\n", &["-o", "json"]).exits(1);
    let document = run.json();
    let notice = of_files(&document)[0];
    assert_eq!(
        [&notice["title"], &notice["hint"]],
        [
            &json!("built-in-rules.rolout-restart: there is no such key"),
            &json!("did you mean rollout-restart?")
        ]
    );
}

#[test]
fn a_rule_about_a_whole_object_hides_it_where_it_is_missing_too() {
    let own = "ignore:\n- {kind: ConfigMap, name: web, fields: .}\n";
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("web.yaml", DESIRED).write(".driftdeck.yaml", own);
    repo.commit("Declare");
    home.write("live.yaml", LIVE.replace("name: web", "name: other"));
    let path = repo.path().display().to_string();
    let document = home.driftdeck(["compare", &path, "live.yaml", "-o", "json"]).json();
    let resource = &document["resources"][0];
    assert_eq!(
        (&resource["verdict"], &resource["why"]),
        (&json!("excluded"), &json!("ignored by .driftdeck.yaml:2")),
        "{document:#}"
    );
    let said: Vec<&str> =
        of_files(&document).into_iter().filter_map(|notice| notice["title"].as_str()).collect();
    assert_eq!(said, ["fleet brings an ignore rule"], "and not that it does nothing");
}
