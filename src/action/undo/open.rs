//! Finds the syncs of the journal that are not undone yet.

use crate::action::journal::Entry;
use crate::action::recorded;
use crate::model::ClusterId;
use crate::model::plan::{SYNC, UNDO};
use serde_json::Value as Json;

/// Returns the syncs of an app in a cluster that wrote something and are not undone, newest first. An undo that was undone
/// itself does not count.
pub fn open<'e>(entries: &'e [Entry], app: &str, cluster: &ClusterId) -> Vec<&'e Entry> {
    let of_it = |entry: &&Entry| entry.app == app && *entry.cluster_id == *cluster.0;
    let mut undone: Vec<&str> = Vec::new();
    let mut open = Vec::new();
    // An action is undone by a later one only.
    for entry in entries.iter().rev().filter(of_it) {
        if undone.contains(&entry.id.as_str()) {
            continue;
        }
        if entry.command == UNDO && matches!(entry.outcome.as_str(), "applied" | "unchanged") {
            undone.extend(entry.plan.get("undoes").and_then(Json::as_str));
        }
        if entry.command == SYNC && recorded::steps(entry).iter().any(|step| step.outcome == "applied") {
            open.push(entry);
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(id: &str, command: &str, undoes: Option<&str>, outcome: &str) -> Entry {
        Entry {
            id: id.into(),
            time: "2026-03-01T11:00:00Z".into(),
            user: None,
            acted_as: None,
            command: command.into(),
            app: "web".into(),
            cluster: "prod".into(),
            cluster_id: "c".into(),
            outcome: outcome.into(),
            ended: None,
            plan: json!({"undoes": undoes, "steps": [{"outcome": outcome}]}),
        }
    }

    #[test]
    fn a_sync_is_open_until_it_is_undone_and_again_once_that_is_undone() {
        let (one, two) = (entry("1", "sync", None, "applied"), entry("2", "sync", None, "applied"));
        let undo = |id: &str, of: &str, outcome: &str| entry(id, "undo", Some(of), outcome);
        let elsewhere = Entry { cluster_id: "d".into(), ..two.clone() };
        let other = Entry { app: "api".into(), ..two.clone() };
        let table: [(Vec<Entry>, &[&str]); 8] = [
            (vec![], &[]),
            (vec![one.clone(), two.clone()], &["2", "1"]),
            (vec![one.clone(), two.clone(), undo("3", "2", "applied")], &["1"]),
            (vec![one.clone(), two.clone(), undo("3", "2", "failed")], &["2", "1"]),
            (vec![one.clone(), undo("2", "1", "applied"), undo("3", "2", "applied")], &["1"]),
            (
                vec![
                    one.clone(),
                    undo("2", "1", "applied"),
                    undo("3", "2", "applied"),
                    undo("4", "3", "applied"),
                ],
                &[],
            ),
            (vec![one.clone(), elsewhere, other], &["1"]),
            (vec![one, entry("2", "sync", None, "refused"), entry("3", "revert", None, "applied")], &["1"]),
        ];
        for (entries, expected) in table {
            let found = open(&entries, "web", &ClusterId("c".into()));
            let found: Vec<&str> = found.into_iter().map(|entry| entry.id.as_str()).collect();
            assert_eq!(found, expected, "{entries:?}");
        }
    }
}
