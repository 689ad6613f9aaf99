//! What `driftdeck doctor` says without a cluster that answers.

use crate::support::Home;
use driftdeck::model::BuiltIn;
use serde_json::Value;

#[test]
fn the_doctor_lists_every_built_in_ignore_rule_with_what_it_hides_and_whether_it_holds() {
    let home = Home::new();
    home.write(
        "kubeconfig",
        "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n\
         clusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]\nusers: [{name: u, user: {token: t}}]\n\
         contexts: [{name: nowhere, context: {cluster: c, user: u}}]\n",
    );
    let config = home.write("config.yaml", "built-in-rules: {hooks: false}\n").display().to_string();
    home.write("repo/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    let document = home.driftdeck(["doctor", "repo", "--config", &config, "-o", "json"]).exits(0).json();
    let listed: Vec<&Value> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["area"] == "built-in ignore rules")
        .collect();
    assert_eq!(listed.len(), BuiltIn::ALL.len(), "{document:#}");
    for (rule, finding) in BuiltIn::ALL.into_iter().zip(listed) {
        let (state, condition) = if rule == BuiltIn::Hooks { ("off", "limited") } else { ("on", "fine") };
        assert_eq!(finding["subject"], rule.name());
        assert_eq!(finding["says"], format!("{state}: {}", rule.hides()));
        assert_eq!(finding["condition"], condition);
    }
    let text = home.driftdeck(["doctor", "repo", "--config", &config]).exits(0).stdout;
    let group = text.split("built-in ignore rules\n").nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(group.starts_with("  tracking-marks         on: labels and annotations"), "{group}");
    assert!(group.contains("! hooks                  off: objects that"), "{group}");
    assert!(group.contains("the configuration switches it off: such differences count"), "{group}");
}
