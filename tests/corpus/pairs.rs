//! Live objects of real clusters with what was applied: the verdict and its paths, then one declared leaf changed.

use crate::mutation::{at, changed, covers, leaves};
use crate::{corpus, objects};
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::{FieldPath, Value, Verdict};

struct Pair {
    name: String,
    desired: Value,
    live: Value,
    verdict: String,
    paths: Vec<String>,
}

fn all() -> Vec<Pair> {
    let Some(folder) = corpus().map(|c| c.join("pairs")) else { return Vec::new() };
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus has a folder `pairs`")
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    folders.sort();
    folders
        .iter()
        .map(|folder| {
            let expect = objects::document(&folder.join("expect.json"));
            let paths = expect.get("paths").and_then(Value::as_list).unwrap_or_default();
            Pair {
                name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                desired: objects::document(&folder.join("desired.json")),
                live: objects::document(&folder.join("live.json")),
                verdict: expect.str_at(&["verdict"]).unwrap_or_default().to_owned(),
                paths: paths.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            }
        })
        .collect()
}

/// As the corpus says: a reported path at or under, or the list that contains, an expected one counts.
fn fits(reported: &FieldPath, expected: &str) -> bool {
    let reported = reported.to_string();
    reported.starts_with(expected)
        || expected.strip_prefix(&reported).is_some_and(|rest| rest.starts_with('['))
}

#[test]
fn real_pairs_have_the_known_verdict_at_the_known_paths() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total) = (0, 0);
    for pair in all() {
        total += 1;
        let live = objects::live(pair.live).expect("a live object");
        let judgement = judge(Some(&objects::desired(pair.desired)), Some(&live), &context);
        let counted: Vec<&FieldPath> = judgement.counted().map(|c| &c.path).collect();
        if judgement.verdict.word() == pair.verdict
            && counted.iter().all(|path| pair.paths.iter().any(|e| fits(path, e)))
            && pair.paths.iter().all(|e| counted.iter().any(|path| fits(path, e)))
        {
            got += 1;
        } else {
            println!("{}: expected {} {:?}", pair.name, pair.verdict, pair.paths);
            println!("    {:?} {:?} {:?}", judgement.verdict, judgement.changes, judgement.problems);
        }
    }
    crate::say(&format!("pairs: {got}/{total}"));
    assert_eq!(got, total);
}

#[test]
fn one_declared_leaf_of_a_real_live_object_changed_is_drift_at_exactly_that_path() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total) = (0, 0);
    for pair in all().iter().filter(|p| p.verdict == "in-sync") {
        let desired = objects::desired(pair.desired.clone());
        for place in leaves(&pair.desired) {
            let identity = ["apiVersion", "kind", "name", "namespace"];
            let is_identity = place.len() <= 2
                && matches!(place.last(), Some(crate::mutation::Raw::Field(f)) if identity.contains(&f.as_str()));
            if is_identity || at(&pair.live, &place) != at(&pair.desired, &place) {
                continue;
            }
            let Some(live) = changed(&pair.live, &place).and_then(objects::live) else { continue };
            total += 1;
            let judgement = judge(Some(&desired), Some(&live), &context);
            let counted: Vec<_> = judgement.counted().collect();
            if judgement.verdict == Verdict::Drifted
                && counted.len() == 1
                && counted.iter().all(|c| covers(&c.path, &place, &pair.desired))
            {
                got += 1;
            } else {
                println!("{} {place:?}: {:?} {:?}", pair.name, judgement.verdict, judgement.changes);
            }
        }
    }
    crate::say(&format!("pairs, one declared leaf changed: {got}/{total}"));
    assert_eq!(got, total);
}
