//! Defines how the journal's record of a plan is read again: what was done to which object, and what came of it.

use super::journal::Entry;
use crate::model::recorded::{RecordedAction, RecordedStep};
use serde_json::Value as Json;

/// Returns an action of the journal. What the journal does not say of it is left empty.
pub fn action(entry: &Entry) -> RecordedAction {
    let text = |name: &str| entry.plan.get(name).and_then(Json::as_str).map(str::to_owned);
    let files = entry.plan.get("files").and_then(Json::as_array).into_iter().flatten();
    RecordedAction {
        id: entry.id.clone(),
        time: entry.time.clone(),
        ended: entry.ended.clone(),
        user: entry.user.clone(),
        acted_as: entry.acted_as.clone(),
        command: entry.command.clone(),
        app: entry.app.clone(),
        cluster: entry.cluster.clone(),
        outcome: entry.outcome.clone(),
        steps: steps(entry),
        commit: text("commit"),
        repo: text("repo"),
        branch: text("branch"),
        files: files.filter_map(Json::as_str).map(str::to_owned).collect(),
        request: text("pullRequest"),
        headless: text("headless"),
    }
}

/// Returns the steps of an action in their order.
pub fn steps(entry: &Entry) -> Vec<RecordedStep> {
    let steps = entry.plan.get("steps").and_then(Json::as_array);
    steps.into_iter().flatten().map(step).collect()
}

fn step(step: &Json) -> RecordedStep {
    let word = |value: Option<&Json>| value.and_then(Json::as_str).unwrap_or_default().to_owned();
    let resource = step.get("resource");
    let part = |name: &str| word(resource.and_then(|resource| resource.get(name)));
    let place = match part("namespace") {
        namespace if namespace.is_empty() => String::new(),
        namespace => format!("{namespace}/"),
    };
    let paths = step.get("paths").and_then(Json::as_array).into_iter().flatten();
    let notice = step.get("notice").and_then(|notice| notice.get("title")).and_then(Json::as_str);
    RecordedStep {
        action: word(step.get("action")),
        object: format!("{} {place}{}", part("kind"), part("name")).trim().to_owned(),
        paths: paths.filter_map(Json::as_str).map(str::to_owned).collect(),
        outcome: word(step.get("outcome")),
        notice: notice.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::journal::Journal;
    use serde_json::json;

    fn entry(id: &str, plan: Json) -> Entry {
        Entry {
            id: id.into(),
            time: "2026-03-01T11:00:00Z".into(),
            user: Some("ana".into()),
            acted_as: Some("root".into()),
            command: "sync".into(),
            app: "web".into(),
            cluster: "prod".into(),
            cluster_id: "c".into(),
            outcome: "applied".into(),
            ended: Some("2026-03-01T11:00:05Z".into()),
            plan,
        }
    }

    #[test]
    fn an_action_of_a_cluster_and_one_of_git_are_told_with_what_they_did() {
        let sync = entry(
            "1",
            json!({"headless": "driftdeck sync web", "steps": [
            {"resource": {"kind": "Deployment", "namespace": "shop", "name": "web"}, "action": "patch",
                "paths": [".spec.replicas", ".spec.paused"], "outcome": "applied", "notice": null},
            {"resource": {"kind": "Namespace", "namespace": null, "name": "shop"}, "action": "create",
                "paths": ["."], "outcome": "failed", "notice": {"title": "not allowed"}}]}),
        );
        assert_eq!(
            action(&sync).lines(),
            [
                "patch Deployment shop/web (.spec.replicas, .spec.paused)  applied",
                "create Namespace shop  failed: not allowed"
            ]
        );
        let commit = entry(
            "2",
            json!({"repo": "/fleet", "branch": "main", "commit": "abc", "files": ["a.yaml"],
            "pullRequest": "https://git.example.com/1", "steps": [{"resource": null, "action": "commit", "outcome": "applied"}]}),
        );
        assert_eq!(
            action(&commit).lines(),
            [
                "commit  applied",
                "commit abc on main of /fleet",
                "files a.yaml",
                "request https://git.example.com/1"
            ]
        );
        assert_eq!(action(&commit).who(), "ana as root");
        assert_eq!(action(&entry("3", json!(null))).lines(), [""; 0]);
    }

    #[test]
    fn nothing_that_an_action_names_takes_effect_as_markdown() {
        for hostile in crate::text::hostile::STRINGS {
            let mut told = action(&entry(
                "1",
                json!({"headless": hostile, "steps": [
                {"resource": {"kind": "ConfigMap", "namespace": "x", "name": hostile}, "action": "patch",
                    "paths": [hostile], "outcome": "failed", "notice": {"title": hostile}}]}),
            ));
            for word in [&mut told.app, &mut told.cluster, &mut told.command, &mut told.outcome, &mut told.id]
            {
                hostile.clone_into(word);
            }
            told.user = Some(hostile.to_owned());
            let markdown = told.markdown();
            // Whatever is not our own word stands as code within its line.
            let heads = markdown.lines().filter(|line| line.starts_with('#')).count();
            assert_eq!(heads, 1, "{markdown}");
            let odd = |line: &&str| {
                !["### ", "by ", "- ", "the same from a shell: "].iter().any(|own| line.starts_with(own))
            };
            assert!(markdown.lines().filter(|line| !line.is_empty()).find(odd).is_none(), "{markdown}");
            assert!(!markdown.chars().any(|c| c.is_control() && c != '\n'), "{markdown:?}");
        }
    }

    #[test]
    fn what_is_under_way_is_told_with_whether_somebody_is_at_it() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::at(home.path().join("journal"));
        assert_eq!(journal.unfinished().unwrap(), []);
        let plan = json!({"steps": [{"outcome": "planned"}]});
        let (one, two) = (entry("1", plan.clone()), entry("2", plan));
        let running = journal.begin(one.clone()).unwrap();
        drop(journal.begin(two.clone()).unwrap());
        assert_eq!(journal.unfinished().unwrap(), [(one, true), (two.clone(), false)]);
        running.close("applied", json!({}), jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(journal.unfinished().unwrap(), [(two, false)]);
    }
}
