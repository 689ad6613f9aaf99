//! What the configuration and the kubeconfig say, for what runs without a cluster.

use crate::support::{Home, Repository};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

fn config_map(name: &str, colour: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{colour: {colour}}}\n")
}

/// A repo with two apps of one object each; in its second commit both changed.
fn fleet() -> Repository {
    let repo = Repository::named("fleet");
    for colour in ["crimson", "indigo"] {
        repo.write("apps/web/a.yaml", config_map("web", colour));
        repo.write("apps/cart/a.yaml", config_map("cart", colour));
        repo.commit(&format!("Paint everything {colour}"));
    }
    repo
}

/// Puts a program of this name, a script, first on the search path of a home.
fn fake(home: &mut Home, name: &str, script: &str) {
    let file = home.write(format!("fakes/{name}"), format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    home.set("PATH", format!("{}:{path}", file.parent().unwrap().display()));
}

fn namespaces(document: &Value) -> Vec<(&str, &Value)> {
    let list = document["manifests"].as_array().unwrap().iter();
    list.map(|m| (m["name"].as_str().unwrap(), &m["namespace"])).collect()
}

#[test]
fn the_users_mask_rules_hold_without_a_cluster() {
    let (home, repo) = (Home::new(), fleet());
    home.write("config.yaml", "secrets: {mask: [colour]}\n");
    home.write("live.yaml", config_map("web", "olive"));
    let path = repo.path().join("apps/web").display().to_string();
    for words in [
        vec!["render", &path],
        vec!["compare", &path, "live.yaml"],
        vec!["diff", &path, "--base", "HEAD^", "--revision", "HEAD"],
    ] {
        for form in ["text", "json", "yaml"] {
            let told = home.driftdeck(words.iter().copied().chain(["--config", "config.yaml", "-o", form]));
            for colour in ["crimson", "indigo", "olive"] {
                assert!(!told.stdout.contains(colour), "{words:?} {form}: {}", told.stdout);
            }
            assert!(told.stdout.contains("colour"), "{words:?}: {}", told.stdout);
        }
    }
}

#[test]
fn a_configuration_that_is_not_there_is_an_error_of_every_command() {
    let (home, repo) = (Home::new(), fleet());
    let path = repo.path().to_str().unwrap();
    for words in [
        vec!["render", path],
        vec!["compare", path, path],
        vec!["diff", path, "--base", "HEAD"],
        vec!["apps", path],
        vec!["check", path],
    ] {
        let run = home.driftdeck(words.iter().copied().chain(["--config", "absent.yaml"])).exits(2);
        assert!(
            run.stderr.starts_with("error: the configuration cannot be read at absent.yaml"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_namespace_comes_from_the_command_line_then_the_configuration_then_the_context() {
    let (mut home, repo) = (Home::new(), fleet());
    let context = |name: &str, namespace: &str| {
        format!("{{name: {name}, context: {{cluster: c, user: u, namespace: {namespace}}}}}")
    };
    let kubeconfig = home.write(
        "kube",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:9'}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{}, {}]\n",
            context("here", "near"),
            context("there", "far")
        ),
    );
    home.write("config.yaml", "apps: [{name: shop, path: apps/web, namespace: shop}]\n");
    let render = |more: &[&str]| {
        let words = ["render", repo.path().to_str().unwrap(), "-o", "json", "--config", "config.yaml"];
        home.driftdeck(words.iter().chain(more)).exits(0).json()
    };
    assert_eq!(namespaces(&render(&[])), [("cart", &json!("default")), ("web", &json!("shop"))]);
    let kubeconfig = ["--kubeconfig", kubeconfig.to_str().unwrap()];
    assert_eq!(namespaces(&render(&kubeconfig)), [("cart", &json!("near")), ("web", &json!("shop"))]);
    let there = [&kubeconfig[..], &["--context", "there"]].concat();
    assert_eq!(namespaces(&render(&there)), [("cart", &json!("far")), ("web", &json!("shop"))]);
    let asked = [&kubeconfig[..], &["--namespace", "asked"]].concat();
    assert_eq!(namespaces(&render(&asked)), [("cart", &json!("asked")), ("web", &json!("asked"))]);
    let path = repo.path().join("apps/web").display().to_string();
    home.set("DRIFTDECK_CONTEXT", "nowhere");
    let run = home.driftdeck(["render", &path]).exits(2);
    assert!(run.stderr.starts_with("error: there is no context nowhere"), "{}", run.stderr);
}

#[test]
fn two_renderings_are_compared_of_the_apps_that_were_asked_for() {
    let (home, repo) = (Home::new(), fleet());
    let path = repo.path().to_str().unwrap();
    let words = ["diff", path, "--base", "HEAD^", "--revision", "HEAD", "-o", "json", "--app", "w*"];
    let document = home.driftdeck(words).exits(1).json();
    let names: Vec<_> = document["resources"].as_array().unwrap().iter().map(|r| &r["name"]).collect();
    assert_eq!(names, [&json!("web")]);
    let run = home.driftdeck(["diff", path, "--base", "HEAD^", "--app", "wab"]).exits(2);
    assert_eq!(run.stderr, "error: there is no app wab\n  hint: there are cart, web\n");
}

#[test]
fn a_remote_base_is_refused_unless_the_configuration_allows_its_host() {
    let mut home = Home::new();
    fake(
        &mut home,
        "kustomize",
        "[ \"$1\" = version ] || printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: far}\\n'",
    );
    home.write("app/kustomization.yaml", "resources: ['https://bases.example.com/a//b?ref=v1']\n");
    home.write("config.yaml", "hosts: {kustomize: [bases.example.com]}\n");
    home.write("live.yaml", config_map("far", "crimson"));
    for words in [vec!["render", "app"], vec!["compare", "app", "live.yaml"]] {
        let run = home.driftdeck(&words).exits(2);
        assert!(run.stderr.contains("bases.example.com"), "{}", run.stderr);
        home.driftdeck(words.iter().copied().chain(["--config", "config.yaml"])).exits(0);
    }
}

#[test]
fn what_takes_longer_than_the_time_for_the_whole_command_ends_with_an_error() {
    let mut home = Home::new();
    fake(&mut home, "kustomize", "while :; do :; done");
    home.write("app/kustomization.yaml", "resources: [a.yaml]\n");
    home.write("app/a.yaml", config_map("a", "crimson"));
    for words in
        [vec!["render", "app"], vec!["compare", "app", "app/a.yaml"], vec!["diff", "app", "--base", "HEAD"]]
    {
        let run = home.driftdeck(words.iter().copied().chain(["--timeout", "100ms"])).exits(2);
        assert!(run.stderr.ends_with("allow more with --timeout\n"), "{words:?}: {}", run.stderr);
    }
}

/// Returns the apps of a run in a folder under a configuration, each as name, path, revision, cluster and namespace.
fn apps(home: &Home, folder: &std::path::Path, config: &str, places: &[&str]) -> Vec<Value> {
    let config = home.write("config.yaml", config);
    let words = ["apps", "-o", "json", "--config", config.to_str().unwrap()];
    let document = home.driftdeck_in(folder, words.iter().chain(places), "").exits(0).json();
    let list = document["apps"].as_array().unwrap().iter();
    list.map(|a| json!([a["name"], a["path"], a["revision"]["asked"], a["cluster"], a["namespace"]]))
        .collect()
}

#[test]
fn a_configured_app_is_found_by_every_name_of_its_repo() {
    let (home, fleet, other) = (Home::new(), fleet(), Repository::named("other"));
    other.write("apps/far/a.yaml", config_map("far", "crimson"));
    other.commit("Add far");
    other.git(&["remote", "add", "origin", "https://git.example.com/shop/infra.git"]);
    let path = other.path().display().to_string();
    for name in ["other", "infra", "mine", "https://git.example.com/shop/infra", &path, "./link"] {
        drop(std::fs::remove_file(home.path().join("link")));
        std::os::unix::fs::symlink(other.path(), home.path().join("link")).unwrap();
        let config = format!(
            "repos: [{{path: {path}, name: mine}}]\n\
             apps: [{{name: distant, repo: '{name}', path: apps/far, contexts: [eu, us], namespace: shop}}]\n"
        );
        assert_eq!(
            apps(&home, fleet.path(), &config, &[]),
            [
                json!(["cart", "apps/cart", "main", null, null]),
                json!(["distant", "apps/far", "main", "eu", "shop"]),
                json!(["web", "apps/web", "main", null, null]),
            ],
            "{name}"
        );
    }
}

#[test]
fn a_configured_app_that_is_nowhere_is_an_error_with_its_file_and_line() {
    let (home, repo) = (Home::new(), fleet());
    for (app, cause) in [
        ("repo: nowhere, path: apps/web", "there is no repo nowhere in this run"),
        ("path: apps/absent", "there is no apps/absent"),
        ("path: apps", "it is not exactly one thing to render"),
    ] {
        let config = home.write("config.yaml", format!("discovery: true\napps:\n- {{name: shop, {app}}}\n"));
        let words = ["apps", "-o", "json", "--config", config.to_str().unwrap()];
        let document = home.driftdeck_in(repo.path(), words, "").exits(2).json();
        let notice = &document["notices"][0];
        assert_eq!(
            json!([notice["level"], notice["title"], notice["file"], notice["line"]]),
            json!(["error", "the app shop of the configuration is not there", config.to_str().unwrap(), 3])
        );
        assert!(notice["cause"].as_str().unwrap().contains(cause), "{notice}");
    }
}

#[test]
fn a_configured_app_at_a_revision_of_its_own_is_read_there_and_not_found_again() {
    let (home, repo) = (Home::new(), fleet());
    repo.git(&["branch", "release", "HEAD^"]);
    let config = "apps: [{name: web, path: apps/web, revision: release}]\n";
    let rows = |places: &[&str]| apps(&home, repo.path(), config, places);
    let cart = json!(["cart", "apps/cart", "main", null, null]);
    assert_eq!(rows(&[]), [cart, json!(["web", "apps/web", "release", null, null])]);
    assert_eq!(
        rows(&["--revision", "HEAD"]),
        [json!(["cart", "apps/cart", "HEAD", null, null]), json!(["web", "apps/web", "HEAD", null, null])],
        "what was typed wins"
    );
}

#[test]
fn without_discovery_there_are_only_configured_apps_and_what_a_path_names() {
    let (home, repo) = (Home::new(), fleet());
    let config = "discovery: false\napps: [{name: shop, path: apps/web}]\n";
    let shop = json!(["shop", "apps/web", "main", null, null]);
    assert_eq!(apps(&home, repo.path(), config, &[]), [shop]);
    let cart = json!(["cart", "apps/cart", "main", null, null]);
    assert_eq!(apps(&home, repo.path(), config, &["apps/cart"]), [cart]);
}

#[test]
fn configured_repos_are_read_beside_that_of_the_current_folder_and_each_once() {
    let (home, fleet, other) = (Home::new(), fleet(), Repository::named("other"));
    other.write("apps/far/a.yaml", config_map("far", "crimson"));
    other.commit("Add far");
    let config =
        format!("repos: [{{path: {}}}, {{path: {}}}]\n", other.path().display(), fleet.path().display());
    let names = |folder: &std::path::Path, places: &[&str]| -> Vec<String> {
        let rows = apps(&home, folder, &config, places);
        rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(fleet.path(), &[]), ["cart", "far", "web"]);
    assert_eq!(names(home.path(), &[]), ["cart", "far", "web"], "outside of a repo");
    assert_eq!(names(other.path(), &[fleet.path().to_str().unwrap()]), ["cart", "web"]);
}

#[test]
fn a_configured_chart_is_rendered_with_its_name_namespace_and_values() {
    let (mut home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    repo.write("charts/web/templates/a.yaml", config_map("web", "crimson"));
    repo.write("charts/web/values-prod.yaml", "a: 1\n");
    repo.commit("Add a chart");
    fake(
        &mut home,
        "helm",
        "[ \"$1\" = version ] || printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: said}\\ndata: {words: \"%s\"}\\n' \"$*\"",
    );
    home.write(
        "config.yaml",
        "apps: [{name: shop, path: charts/web, namespace: team, values: [charts/web/values-prod.yaml]}]\n",
    );
    let words = ["render", repo.path().to_str().unwrap(), "-o", "json", "--config", "config.yaml"];
    let document = home.driftdeck(words).exits(0).json();
    let said = document["manifests"][0]["body"]["data"]["words"].as_str().unwrap();
    for part in ["template ", "-- shop .", "--namespace=team", "values-prod.yaml"] {
        assert!(said.contains(part), "{said}");
    }
}
