//! Runs over a part of a repo, by `--app` and by PATH: what the other apps declare is never taken for an extra.

use crate::support::{Home, Namespace, Repository};
use serde_json::{Value, json};

fn config_map(name: &str, labels: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{{labels}}}}}\ndata: {{a: b}}\n"
    )
}

/// The marks that Flux leaves on everything that one Kustomization of it applies: one of each test's own, because a
/// mark is looked for in the whole cluster.
fn flux(namespace: &Namespace) -> String {
    let labels = "kustomize.toolkit.fluxcd.io/namespace: flux-system, kustomize.toolkit.fluxcd.io/name";
    format!("{labels}: {}", namespace.name)
}

/// Ways to ask for the app `web` of a repo alone.
fn ways(repo: &Repository) -> [Vec<String>; 2] {
    let root = repo.path().display();
    [vec![root.to_string(), "--app".to_owned(), "web".to_owned()], vec![format!("{root}/apps/web")]]
}

/// Returns each resource as name and verdict, of all but what is in sync.
fn not_in_sync(document: &Value) -> Vec<Value> {
    let resources = document["resources"].as_array().expect("resources").iter();
    resources.filter(|r| r["verdict"] != "in-sync").map(|r| json!([r["name"], r["verdict"]])).collect()
}

/// A repo in which `shared` moved from web to cart, and its cluster.
fn moved(subject: &str) -> (Namespace, Home, Repository) {
    let (namespace, repo) = (Namespace::new(subject), Repository::named("fleet"));
    repo.write("apps/web/web.yaml", config_map("web", ""));
    repo.write("apps/web/shared.yaml", config_map("shared", ""));
    repo.write("apps/cart/cart.yaml", config_map("cart", ""));
    repo.commit("Add web and cart");
    repo.remove("apps/web/shared.yaml");
    repo.write("apps/cart/shared.yaml", config_map("shared", ""));
    repo.commit("Give shared to cart");
    for name in ["web", "cart", "shared"] {
        namespace.apply(&config_map(name, ""));
    }
    let home = namespace.home();
    (namespace, home, repo)
}

/// A repo whose two apps carry the same mark of Flux, and its cluster.
fn under_one_mark(subject: &str) -> (Namespace, Home, Repository) {
    let (namespace, repo) = (Namespace::new(subject), Repository::named("fleet"));
    let flux = flux(&namespace);
    for (app, name) in [("web", "web"), ("web", "shape"), ("cart", "cart")] {
        repo.write(&format!("apps/{app}/{name}.yaml"), config_map(name, &flux));
        namespace.apply(&config_map(name, &flux));
    }
    repo.commit("Add web and cart");
    let home = namespace.home();
    (namespace, home, repo)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_object_that_moved_to_another_app_is_no_extra_of_an_app_looked_at_alone() {
    let (_namespace, home, repo) = moved("moved");
    for way in ways(&repo) {
        for command in ["check", "diff"] {
            let words = [vec![command.to_owned(), "-o".to_owned(), "json".to_owned()], way.clone()].concat();
            let document = home.driftdeck(&words).exits(0).json();
            assert_eq!(not_in_sync(&document), Vec::<Value>::new(), "{words:?}: {document:#}");
            let apps: Vec<_> = document["apps"].as_array().unwrap().iter().map(|a| &a["name"]).collect();
            assert_eq!((apps, &document["notices"]), (vec![&json!("web")], &json!([])), "{words:?}");
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn two_apps_under_one_mark_of_an_engine_are_no_extras_of_each_other() {
    let (namespace, home, repo) = under_one_mark("one-mark");
    for way in ways(&repo) {
        let words = [vec!["check".to_owned(), "-o".to_owned(), "json".to_owned()], way].concat();
        let document = home.driftdeck(&words).exits(0).json();
        assert_eq!(not_in_sync(&document), Vec::<Value>::new(), "{words:?}: {document:#}");
    }
    // What no app declares is an extra of each that claims it.
    namespace.apply(&config_map("stray", &flux(&namespace)));
    for way in ways(&repo) {
        let words = [vec!["check".to_owned(), "-o".to_owned(), "json".to_owned()], way].concat();
        assert_eq!(not_in_sync(&home.driftdeck(&words).exits(1).json()), [json!(["stray", "extra"])]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_path_inside_an_app_has_no_extra_that_the_app_declares() {
    let (_namespace, home, repo) = under_one_mark("inside");
    let file = repo.path().join("apps/web/web.yaml").display().to_string();
    let document = home.driftdeck(["check", &file, "-o", "json"]).exits(0).json();
    assert_eq!((not_in_sync(&document), &document["notices"]), (vec![], &json!([])), "{document:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn several_paths_of_one_repo_are_told_together() {
    let (_namespace, home, repo) = under_one_mark("several-paths");
    let [web, cart] = ["web", "cart"].map(|app| repo.path().join("apps").join(app).display().to_string());
    let document = home.driftdeck(["check", &web, &cart, "-o", "json"]).exits(0).json();
    let names = |document: &Value| -> Vec<String> {
        let apps = document["apps"].as_array().unwrap();
        apps.iter().map(|a| a["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&document), ["cart", "web"]);
    assert_eq!(names(&home.driftdeck(["apps", &web, &cart, "-o", "json"]).exits(0).json()), ["cart", "web"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn pruning_an_app_by_its_path_deletes_nothing_of_another_app() {
    for (namespace, home, repo, others) in [
        {
            let (namespace, home, repo) = moved("prune-moved");
            (namespace, home, repo, "shared")
        },
        {
            let (namespace, home, repo) = under_one_mark("prune-mark");
            (namespace, home, repo, "cart")
        },
    ] {
        let path = repo.path().join("apps/web").display().to_string();
        let run = home.driftdeck(["sync", "web", &path, "--prune", "--yes", "-o", "json"]).exits(0);
        assert_eq!(run.json()["plan"]["steps"], json!([]), "{}", run.stdout);
        assert!(namespace.get(&format!("configmap/{others}")).is_some());
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn nothing_is_an_extra_of_an_app_while_another_app_cannot_be_rendered() {
    let (namespace, home, repo) = under_one_mark("cannot-know");
    namespace.apply(&config_map("stray", &flux(&namespace)));
    repo.write("apps/broken/kustomization.yaml", "resources: [absent.yaml]\n");
    repo.commit("Break an app");
    for way in ways(&repo) {
        let words = [vec!["check".to_owned(), "-o".to_owned(), "json".to_owned()], way].concat();
        let document = home.driftdeck(&words).exits(3).json();
        assert_eq!(not_in_sync(&document), [json!(["stray", "unknown"])], "{document:#}");
    }
    let path = repo.path().join("apps/web").display().to_string();
    home.driftdeck(["sync", "web", &path, "--prune", "--yes"]);
    assert!(namespace.get("configmap/stray").is_some());
}
