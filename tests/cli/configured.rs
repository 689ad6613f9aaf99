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
