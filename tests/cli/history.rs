//! `driftdeck history` without a cluster.

use crate::support::{Home, Repository};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: '1'}\n";

fn repository() -> Repository {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP).commit("Add web (#3)");
    repository.write("api/a.yaml", MAP).commit("Add api");
    repository.write("web/a.yaml", MAP.replace("'1'", "'2'")).commit("Raise a");
    repository
}

#[test]
fn the_commits_of_an_app_need_no_cluster() {
    let (home, repository) = (Home::new(), repository());
    let run = home.driftdeck_in(repository.path(), ["history", "web", "-o", "json"], "").exits(0);
    let document = run.json();
    let of = |commit: &serde_json::Value| {
        (
            commit["subject"].as_str().unwrap().to_owned(),
            commit["pullRequest"].clone(),
            commit["files"].clone(),
        )
    };
    let commits: Vec<_> = document["commits"].as_array().unwrap().iter().map(of).collect();
    let files = serde_json::json!(["web/a.yaml"]);
    assert_eq!(
        commits,
        [
            ("Raise a".to_owned(), serde_json::Value::Null, files.clone()),
            ("Add web (#3)".to_owned(), "#3".into(), files)
        ]
    );
    let newest = &document["commits"][0];
    assert_eq!(
        (&newest["distance"], &newest["checks"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(
        (&document["schema"], &document["command"], &document["of"]),
        (&"driftdeck/v1".into(), &"history".into(), &3.into())
    );
    let text = home.driftdeck_in(repository.path(), ["history", "web"], "").exits(0).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("Raise a") && lines[1].ends_with("Add web (#3)  #3"), "{text}");
    let limited =
        home.driftdeck_in(repository.path(), ["history", "web", "--limit", "1"], "").exits(0).stdout;
    assert_eq!(limited.lines().count(), 2, "one, and that there are older ones: {limited}");
}

#[test]
fn an_app_that_is_not_there_is_said_with_those_that_are() {
    let (home, repository) = (Home::new(), repository());
    let run = home.driftdeck_in(repository.path(), ["history", "wep"], "").exits(2);
    assert!(run.stderr.contains("there is no app wep") && run.stderr.contains("api, web"), "{}", run.stderr);
}
