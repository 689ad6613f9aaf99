//! Every field of the built-in kinds filled in: an object is in sync with itself, and each changed leaf is drift at its
//! own path.

use crate::mutation::{Raw, changed, covers, leaves};
use crate::{corpus, objects};
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::{Value, Verdict};

/// Returns the objects of the corpus, none of them being deleted.
pub fn all() -> Vec<(String, Value)> {
    let Some(folder) = corpus().map(|c| c.join("api")) else { return Vec::new() };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus has a folder `api`")
        .map(|entry| entry.expect("a folder that can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let mut body = objects::document(path);
            if let Some(metadata) = body.as_map_mut().and_then(|o| o.get_mut("metadata")) {
                metadata.as_map_mut().map(|m| m.remove("deletionTimestamp"));
            }
            (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), body)
        })
        .collect()
}

#[test]
fn every_built_in_object_is_in_sync_with_itself() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total, mut nameless) = (0, 0, 0);
    for (name, body) in all() {
        let Some(live) = objects::live(body.clone()) else {
            nameless += 1;
            continue;
        };
        total += 1;
        let judgement = judge(Some(&objects::desired(body)), Some(&live), &context);
        if judgement.verdict == Verdict::InSync && judgement.changes.is_empty() {
            got += 1;
        } else {
            println!("{name}: {:?} {:?} {:?}", judgement.verdict, judgement.changes, judgement.problems);
        }
    }
    crate::say(&format!("api, compared with itself: {got}/{total} ({nameless} are no objects)"));
    assert_eq!(got, total);
}

#[test]
fn every_changed_leaf_of_a_built_in_object_is_drift_at_its_own_path() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total) = (0, 0);
    for (name, body) in all() {
        if objects::live(body.clone()).is_none() {
            continue;
        }
        let desired = objects::desired(body.clone());
        for place in leaves(&body) {
            if outside(&place) {
                continue;
            }
            let Some(live) = changed(&body, &place).and_then(objects::live) else { continue };
            total += 1;
            let judgement = judge(Some(&desired), Some(&live), &context);
            let counted: Vec<_> = judgement.counted().collect();
            if judgement.verdict == Verdict::Drifted
                && counted.len() == 1
                && counted.iter().all(|c| covers(&c.path, &place, &body))
            {
                got += 1;
            } else {
                println!("{name} {place:?}: {:?} {:?}", judgement.verdict, judgement.changes);
            }
        }
    }
    crate::say(&format!("api, one leaf changed: {got}/{total}"));
    assert_eq!(got, total);
}

/// Returns whether a place is in what is not compared: identity, metadata and status.
pub fn outside(place: &[Raw]) -> bool {
    matches!(place.first(), Some(Raw::Field(f)) if ["apiVersion", "kind", "metadata", "status"].contains(&f.as_str()))
}
