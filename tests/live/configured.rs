//! What the configuration says of clusters, against a real one.

use crate::support::{Home, Namespace, Plane};
use serde_json::json;

const APP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_cluster_is_called_by_its_configured_name_and_is_meant_by_it() {
    let namespace = Namespace::new("called");
    namespace.apply(APP);
    let home = Home::new();
    namespace.access().named("prod-eu").write_into(&home);
    home.write("repo/app.yaml", APP);
    home.write("config.yaml", "clusters: [{context: prod-eu, name: Europe}]\n");
    let check = |more: &[&str]| {
        home.driftdeck(["check", "repo", "--config", "config.yaml"].iter().chain(more).copied())
    };
    let text = check(&["--context", "Europe", "-q"]).exits(0).stdout;
    assert_eq!(text, "✓ repo on Europe  1 in sync\nin-sync: 1 in sync\n");
    let document = check(&["-o", "json"]).exits(0).json();
    assert_eq!(document["apps"][0]["cluster"], "prod-eu", "programs get the context");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_configured_app_is_compared_in_its_clusters_and_namespace_alone() {
    let (here, there) = (Namespace::new("named-in"), Namespace::on(Plane::second(), "named-not"));
    here.apply(APP);
    let mut home = Home::new();
    let mut access = there.access().named("there");
    // In merged kubeconfigs the first user of a name wins.
    "admin-there".clone_into(&mut access.user);
    let near = home.write("here", here.access().named("here").kubeconfig());
    let far = home.write("there", access.kubeconfig());
    home.set("KUBECONFIG", format!("{}:{}", near.display(), far.display()));
    home.write("repo/web/app.yaml", APP);
    home.write(
        "config.yaml",
        format!(
            "clusters: [{{context: here}}, {{context: there}}]\n\
             apps: [{{name: web, path: web, contexts: [here], namespace: {}}}]\n",
            here.name
        ),
    );
    let document = home.driftdeck(["check", "repo", "-o", "json", "--config", "config.yaml"]).exits(0).json();
    let apps: Vec<_> = document["apps"].as_array().unwrap().iter().collect();
    assert_eq!(apps.len(), 1, "{document:#}");
    assert_eq!(
        [&apps[0]["cluster"], &apps[0]["namespace"], &apps[0]["verdict"]],
        [&json!("here"), &json!(here.name), &json!("in-sync")]
    );
}
