//! Defines what is kept of an object that an action writes: what it was before, and what the write made of it, so that
//! the action can be undone.
//!
//! It lies in `before` beside the journal, one private file for each step, without status and managed fields. Of Secrets,
//! and of objects that hold a value which looks like a secret, nothing is kept but why not. What is old, and the oldest
//! where it becomes too much, goes when the next action begins.

use super::bind;
use super::journal::Journal;
use crate::config::private::{PrivateError, PrivateFolder};
use crate::model::sealed::without_secrets;
use crate::model::{FieldPath, LiveObject, ManagedEntry, Operation, StepAction, Timestamp};
use crate::text::redact;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::PathBuf;

const FOLDER: &str = "before";
const SUFFIX: &str = ".json";
/// How long it is kept.
const DAYS: i64 = 30;
/// Bytes of all files together that are kept.
const MOST_BYTES: u64 = 500_000_000;

/// Why nothing can be kept, or what was kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    File(#[from] PrivateError),
    #[error("{} cannot be listed: {error}", .folder.display())]
    List { folder: PathBuf, error: std::io::Error },
    #[error("it is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// What is kept of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kept {
    /// There was no such object. Its uid is known once the server has answered.
    Created { uid: Option<String> },
    /// After is what the server answered, or, where driftdeck was killed before, what its dry run had shown.
    Changed { before: Json, after: Json },
    Deleted {
        before: Json,
        /// Who applied it server-side, where somebody did: by that the app's engine, and driftdeck, know it as the app's.
        applied_by: Option<String>,
    },
    /// Nothing else, and why.
    Not { why: String },
}

impl Kept {
    /// Takes what is to be kept of a step from the object before it and after it. `answered`: what is after is what the
    /// server made, not what its dry run shows.
    pub fn of(
        action: StepAction,
        before: Option<&LiveObject>,
        after: Option<&LiveObject>,
        answered: bool,
    ) -> Self {
        let side = |live: Option<&LiveObject>, otherwise: &str| {
            live.map_or_else(|| Err(otherwise.to_owned()), keepable)
        };
        let kept = match (action, before) {
            (_, None) => match after.filter(|after| after.id.kind.is_secret()) {
                Some(secret) => keepable(secret).map(|_| Self::Created { uid: None }),
                None => Ok(Self::Created { uid: after.filter(|_| answered).and_then(|a| a.uid.clone()) }),
            },
            (StepAction::Delete, Some(live)) => {
                side(before, "").map(|before| Self::Deleted { before, applied_by: applied_by(live) })
            }
            (_, Some(_)) => side(before, "").and_then(|before| {
                let after = side(after, "the server did not say what the write makes of it")?;
                Ok(Self::Changed { before, after })
            }),
        };
        kept.unwrap_or_else(|why| Self::Not { why })
    }
}

/// Returns the manager that applies most of an object's fields server-side.
fn applied_by(live: &LiveObject) -> Option<String> {
    let applied = |entry: &&ManagedEntry| entry.operation == Operation::Apply && entry.subresource.is_none();
    let count = |entry: &&ManagedEntry| {
        let mut fields = 0_usize;
        entry.fields.each(&mut |_| fields += 1);
        fields
    };
    live.managed.iter().flatten().filter(applied).max_by_key(count).map(|entry| entry.manager.clone())
}

/// Returns an object as it may lie on disk, or why it may not.
fn keepable(live: &LiveObject) -> Result<Json, String> {
    if live.id.kind.is_secret() {
        return Err("Secrets are never stored".to_owned());
    }
    let root = FieldPath::root();
    let hides = |value| redact::hides(value, &root);
    if hides(&live.body) || live.last_applied.as_ref().is_some_and(hides) {
        return Err("it held a value that looks like a secret, and such objects are not stored".to_owned());
    }
    Ok(without_secrets(&bind::without_status(live)))
}

/// The files of a journal's actions.
#[derive(Debug, Clone)]
pub struct Store {
    journal: PathBuf,
}

impl Store {
    /// Takes the files beside a journal. Nothing is touched before it is used.
    pub fn beside(journal: &Journal) -> Self {
        Self { journal: journal.folder().to_owned() }
    }

    /// Puts on disk what is kept of a step of an action, in place of what was kept of it before.
    pub fn keep(&self, action: &str, step: usize, kept: &Kept) -> Result<(), KeepError> {
        let folder = PrivateFolder::open(&self.journal)?.folder(FOLDER)?;
        Ok(folder.replace(&name(action, step), &serde_json::to_vec(kept)?)?)
    }

    /// Returns what was kept of a step of an action; `None` where nothing is there any more.
    pub fn read(&self, action: &str, step: usize) -> Result<Option<Kept>, KeepError> {
        let folder = self.journal.join(FOLDER);
        // Looking at what was never kept makes no folders.
        if !folder.is_dir() {
            return Ok(None);
        }
        let bytes = PrivateFolder::open(&folder)?.read(&name(action, step))?;
        Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
    }

    /// Removes what is too old, and the oldest of what is too much.
    pub fn make_room(&self, now: Timestamp) -> Result<(), KeepError> {
        self.keep_most(now, MOST_BYTES)
    }

    fn keep_most(&self, now: Timestamp, most: u64) -> Result<(), KeepError> {
        let folder = self.journal.join(FOLDER);
        let listed = match std::fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(KeepError::List { folder, error }),
        };
        let mut files: Vec<(String, u64)> = listed
            .filter_map(Result::ok)
            .filter_map(|entry| {
                Some((entry.file_name().into_string().ok()?, entry.metadata().map_or(0, |m| m.len())))
            })
            .collect();
        // An action's id begins with its time. What a crash left half written is called so too, after a dot.
        let made = |name: &str| name.trim_start_matches('.').to_owned();
        files.sort_by_key(|(name, _)| std::cmp::Reverse(made(name)));
        let since = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
        let oldest = super::sync::words::time_in_id(since);
        let folder = PrivateFolder::open(&folder)?;
        let mut held = 0_u64;
        for (name, bytes) in files {
            held = held.saturating_add(bytes);
            if held > most || made(&name) < oldest {
                folder.remove(&name)?;
            }
        }
        Ok(())
    }
}

fn name(action: &str, step: usize) -> String {
    format!("{action}.{step}{SUFFIX}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, Value};
    use crate::value;
    use std::os::unix::fs::PermissionsExt as _;

    fn live(body: Value) -> LiveObject {
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn config(value: &str, more: &Value) -> LiveObject {
        let mut body = value!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "uid": "u", "resourceVersion": "7"}, "data": {"k": value}, "status": {"x": 1}});
        let metadata = body.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
        metadata.insert("annotations".into(), more.clone());
        live(body)
    }

    fn secret() -> LiveObject {
        live(
            value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "uid": "u"}, "data": {"p": "Y2FuYXJ5"}}),
        )
    }

    #[test]
    fn what_is_kept_of_a_step_is_what_undoing_it_needs_and_never_a_secret() {
        let (one, two) = (config("1", &value!({})), config("2", &value!({})));
        let (before, after) = (keepable(&one).unwrap(), keepable(&two).unwrap());
        assert_eq!(before["metadata"]["resourceVersion"], "7");
        assert_eq!(before.get("status"), None);
        let of = |action, before: Option<&LiveObject>, after: Option<&LiveObject>| {
            Kept::of(action, before, after, true)
        };
        assert_eq!(
            of(StepAction::Apply, Some(&one), Some(&two)),
            Kept::Changed { before: before.clone(), after }
        );
        assert_eq!(of(StepAction::Delete, Some(&one), None), Kept::Deleted { before, applied_by: None });
        assert_eq!(of(StepAction::Create, None, Some(&one)), Kept::Created { uid: Some("u".into()) });
        assert_eq!(Kept::of(StepAction::Create, None, Some(&one), false), Kept::Created { uid: None });
        let password = config("postgres://app:hunter2@db/a", &value!({}));
        let applied = serde_json::json!({"data": {"db_password": "hunter2"}}).to_string();
        let applied = config("1", &value!({crate::model::sealed::LAST_APPLIED: applied}));
        for (action, before, after) in [
            (StepAction::Create, None, Some(&secret())),
            (StepAction::Patch, Some(&secret()), Some(&secret())),
            (StepAction::Delete, Some(&secret()), None),
            (StepAction::Patch, Some(&one), Some(&password)),
            (StepAction::Patch, Some(&password), Some(&one)),
            (StepAction::Patch, Some(&applied), Some(&one)),
            (StepAction::Delete, Some(&password), None),
            (StepAction::Patch, Some(&one), None),
        ] {
            let kept = of(action, before, after);
            assert!(matches!(kept, Kept::Not { .. }), "{action:?} {kept:?}");
            let text = serde_json::to_string(&kept).unwrap();
            assert!(!text.contains("hunter2") && !text.contains("Y2FuYXJ5"), "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_private_and_the_old_and_the_too_much_go() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::beside(&Journal::at(home.path().join("journal")));
        let not = Kept::Not { why: "x".into() };
        assert_eq!(store.read("20260101T000000Z-a", 0).unwrap(), None);
        store.make_room(Timestamp::UNIX_EPOCH).unwrap();
        for (action, step) in [
            ("20260101T000000Z-aaaaaa", 0),
            ("20260120T000000Z-bbbbbb", 0),
            ("20260120T000000Z-bbbbbb", 1),
            ("20260201T000000Z-cccccc", 0),
        ] {
            store.keep(action, step, &not).unwrap();
        }
        let folder = home.path().join("journal/before");
        std::fs::write(folder.join(".20260101T000000Z-aaaaaa.0.json.7.0.draft"), "half").unwrap();
        let names = || {
            let mut names: Vec<String> = std::fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert!(name.starts_with('.') || mode == 0o600, "{name} {mode:o}");
        }
        store.make_room("2026-02-05T00:00:00Z".parse().unwrap()).unwrap();
        let kept = [
            "20260120T000000Z-bbbbbb.0.json",
            "20260120T000000Z-bbbbbb.1.json",
            "20260201T000000Z-cccccc.0.json",
        ];
        assert_eq!(names(), kept);
        assert_eq!(store.read("20260120T000000Z-bbbbbb", 1).unwrap(), Some(not.clone()));
        let bytes = serde_json::to_vec(&not).unwrap().len() as u64;
        store.keep_most("2026-02-05T00:00:00Z".parse().unwrap(), bytes * 2).unwrap();
        assert_eq!(names(), ["20260120T000000Z-bbbbbb.1.json", "20260201T000000Z-cccccc.0.json"]);
    }
}
