//! `driftdeck report` and the journal as Markdown, on a real cluster.

use crate::hold::{KUSTOMIZATION, Stage};
use serde_json::json;

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn who_hands_over_tells_what_is_held_what_was_done_and_what_still_drifts() {
    let stage = Stage::flux("report");
    stage.run(["hold", "web", "--reason", "hot fix", "--yes"]).exits(0);
    let name = stage.name();
    stage.change(r#"{"data":{"colour":"red"}}"#);
    let report = stage.run(["report", "--since", "1h"]).exits(0).stdout;
    let sections: Vec<&str> = report.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(
        sections,
        ["## Holds", "## Open plans", "## Requests that were opened", "## Drift now", "## Done"]
    );
    for said in [
        format!("- ` Kustomization.kustomize.toolkit.fluxcd.io/{name}/web ` on ` plane `: ` held until 20"),
        ": hot fix `".to_owned(),
        "nothing is open".to_owned(),
        "- ` web ` on ` plane `: drifted".to_owned(),
        format!("  - ` ConfigMap/{name}/settings `: drifted"),
        "    - ` .data.colour `, ` kubectl-edit `".to_owned(),
        " ` hold ` of ` web ` on ` plane `: ` applied `".to_owned(),
        format!("- ` engine Kustomization {name}/web (.spec.suspend, "),
        "the same from a shell: ` driftdeck hold web --reason 'hot fix' --for 1h --context plane `"
            .to_owned(),
    ] {
        assert!(report.contains(&said), "{said:?} in {report}");
    }
    let document = stage.run(["report", "-o", "json"]).exits(0).json();
    let own = |hold: &&serde_json::Value| hold["object"]["namespace"] == name.as_str();
    assert!(document["holds"].as_array().unwrap().iter().any(|hold| own(&hold)));
    assert_eq!(
        (&document["entries"][0]["command"], &document["verdict"]),
        (&json!("hold"), &json!("drifted"))
    );
    assert_eq!(document["complete"], true, "{document:#}");

    let journal = stage.run(["journal", "--since", "1h"]).exits(0).stdout;
    assert!(journal.contains(&format!("    engine Kustomization {name}/web (.spec.suspend, ")), "{journal}");
    let markdown = stage.run(["journal", "--markdown"]).exits(0).stdout;
    assert!(
        markdown.starts_with("### ` 20") && report.trim_end().ends_with(markdown.trim_end()),
        "{markdown}"
    );
    stage.run(["resume", "web", "--yes"]).exits(0);
    let report = stage.run(["report"]).exits(0).stdout;
    assert!(!report.contains(&format!("{name}/web ` on")), "{report}");
    assert_eq!(stage.engine(KUSTOMIZATION)["spec"].get("suspend"), None);
}
