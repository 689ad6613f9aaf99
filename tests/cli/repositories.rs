//! `driftdeck apps` and `driftdeck diff --base`: what is known of a repository alone.

use crate::support::{Home, Repository};
use serde_json::{Value, json};

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{x: {value:?}}}\n"
    )
}

#[test]
fn apps_are_discovered_with_names_that_depend_on_the_repository_alone() {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("apps/web/web.yaml", config_map("web", "1"));
    repo.write("apps/cart/base/kustomization.yaml", "resources: [cart.yaml]\n");
    repo.write("apps/cart/base/cart.yaml", config_map("cart", "1"));
    repo.write("apps/cart/overlays/prod/kustomization.yaml", "resources: [../../base]\n");
    repo.write("apps/cart/overlays/dev/kustomization.yaml", "resources: [../../base]\n");
    repo.write("charts/search/Chart.yaml", "apiVersion: v2\nname: search\nversion: 1.0.0\n");
    repo.write("charts/search/templates/cm.yaml", config_map("search", "1"));
    repo.write(".github/workflows/ci.yaml", "on: push\njobs: {}\n");
    repo.commit("Add everything");
    let run = home.driftdeck(["apps", repo.path().to_str().unwrap(), "-o", "json"]);
    let run = run.exits(0);
    let rows: Vec<_> = run.json()["apps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| json!([a["name"], a["path"], a["render"]]))
        .collect();
    assert_eq!(
        rows,
        [
            json!(["cart-dev", "apps/cart/overlays/dev", "kustomize"]),
            json!(["cart-prod", "apps/cart/overlays/prod", "kustomize"]),
            json!(["search", "charts/search", "helm"]),
            json!(["web", "apps/web", "plain"]),
        ]
    );
}

#[test]
fn two_renderings_are_compared_without_a_cluster() {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("a.yaml", config_map("a", "1"));
    repo.write("b.yaml", config_map("b", "1"));
    let base = repo.commit("Add both");
    repo.write("a.yaml", config_map("a", "2"));
    repo.remove("b.yaml");
    repo.commit("Change one, drop the other");
    let path = repo.path().to_str().unwrap();
    let run = home.driftdeck(["diff", path, "--base", &base, "--revision", "HEAD", "-o", "json"]);
    let run = run.exits(1);
    let rows: Vec<_> = run.json()["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            json!([
                r["name"],
                r["verdict"],
                r["changes"][0]["path"],
                r["changes"][0]["desired"],
                r["changes"][0]["live"]
            ])
        })
        .collect();
    assert_eq!(rows, [json!(["a", "drifted", ".data.x", "2", "1"]), json!(["b", "extra", null, null, null])]);
    home.driftdeck(["diff", path, "--base", "HEAD"]).exits(0);
}

/// Returns the titles of a document's notices.
fn titles(document: &Value) -> Vec<&str> {
    document["notices"].as_array().unwrap().iter().map(|n| n["title"].as_str().unwrap()).collect()
}

#[test]
fn what_a_person_should_know_of_a_checkout_is_said_by_every_command_that_reads_it() {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    for value in ["1", "2"] {
        repo.write("web/a.yaml", config_map("web", value));
        repo.commit("Set a value");
    }
    let source = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth", "1", &source, "../shallow"]);
    let shallow = repo.path().with_file_name("shallow");
    let (path, file) = (shallow.to_str().unwrap(), shallow.join("web/a.yaml"));
    for words in [
        vec!["apps", path],
        vec!["render", path],
        vec!["compare", path, file.to_str().unwrap()],
        vec!["diff", path, "--base", "HEAD"],
    ] {
        let document = home.driftdeck(words.iter().copied().chain(["-o", "json"])).exits(0).json();
        assert!(titles(&document).contains(&"fleet is a shallow clone"), "{words:?}: {document:#}");
        let run = home.driftdeck(&words).exits(0);
        assert_eq!(run.stderr.matches("fleet is a shallow clone").count(), 1, "{words:?}: {}", run.stderr);
    }
    home.write("plain/a.yaml", config_map("web", "1"));
    let document = home.driftdeck(["render", "plain", "-o", "json"]).exits(0).json();
    assert!(titles(&document)[0].ends_with("plain is in no Git repository"), "{document:#}");
}

#[test]
fn a_repo_without_apps_gives_one_document_that_says_so() {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("README.md", "# Nothing");
    repo.commit("Add nothing");
    let run = home.driftdeck(["apps", repo.path().to_str().unwrap(), "-o", "json"]).exits(2);
    assert_eq!((titles(&run.json()), &run.json()["apps"]), (vec!["no apps were found"], &json!([])));
}

#[test]
fn uncommitted_changes_are_included_and_said_so_and_so_is_how_far_a_checkout_is_behind() {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    repo.write("web/a.yaml", config_map("web", "1"));
    let first = repo.commit("Set a value");
    repo.write("web/a.yaml", config_map("web", "2"));
    repo.commit("Set another");
    repo.with_bare_origin();
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let (path, short) = (repo.path().to_str().unwrap(), &first[..7]);
    let header = |words: &str| format!("fleet main {short}, 1 behind origin/main{words}\n");
    let apps = |words: &str| header(words) + &format!("{:<24} {:<10} {:<40} {path}\n", "web", "plain", "web");
    assert_eq!(home.driftdeck(["apps", path]).exits(0).stdout, apps(""));
    assert_eq!(home.driftdeck(["render", path]).exits(0).stderr, "");

    repo.write("web/a.yaml", config_map("web", "3"));
    assert_eq!(home.driftdeck(["apps", path]).exits(0).stdout, apps(", uncommitted changes"));
    let file = repo.path().join("web/a.yaml").display().to_string();
    for words in [vec!["render", path], vec!["compare", path, &file], vec!["diff", path, "--base", "HEAD"]] {
        let run = home.driftdeck(&words);
        let said = "info: fleet has uncommitted changes; they are included\n";
        assert_eq!(run.stderr.matches(said).count(), 1, "{words:?}: {}", run.stderr);
        let run = home.driftdeck(words.iter().copied().chain(["--revision", "HEAD"]));
        assert!(!run.stderr.contains("uncommitted"), "{words:?}: {}", run.stderr);
    }
}
