//! Objects of many kinds with the health that is known of them.

use crate::{corpus, objects};
use driftdeck::drift::{HealthRules, health};
use driftdeck::model::Value;

/// What was reached before, with the table of kinds and by the general rules alone: never less.
const REACHED: usize = 702;
const REACHED_WITHOUT_TABLE: usize = 517;

#[test]
fn objects_have_the_known_health() {
    let Some((got, total)) = score(HealthRules::built_in(), true) else { return };
    crate::say(&format!("health: {got}/{total}"));
    assert!(got >= REACHED, "{got} of {total}, {REACHED} were reached before");
}

/// How the rules do on kinds that the table does not know.
#[test]
fn general_rules_alone_know_the_health_of_most_objects() {
    let Some((got, total)) = score(&HealthRules::default(), false) else { return };
    crate::say(&format!("health by general rules alone: {got}/{total}"));
    assert!(got >= REACHED_WITHOUT_TABLE, "{got} of {total}, {REACHED_WITHOUT_TABLE} were reached before");
}

/// Returns how many objects get the known health, and of how many.
fn score(rules: &HealthRules, says_which: bool) -> Option<(usize, usize)> {
    let folder = corpus().map(|c| c.join("health"))?;
    let index = objects::document(&folder.join("index.json"));
    let (mut got, mut total) = (0, 0);
    for case in index.as_list().expect("a list of cases") {
        let text = |name: &str| case.str_at(&[name]).unwrap_or_default();
        total += 1;
        let found = match objects::live(objects::document(&folder.join(text("file")))) {
            Some(live) => health(&live, rules).status.word(),
            None => "not an object",
        };
        if found == text("health") {
            got += 1;
        } else {
            let why = case.get("message").and_then(Value::as_str);
            let line = format!("{}: {found}, known is {} ({why:?})", text("file"), text("health"));
            println!("{}{line}", if says_which { "" } else { "general: " });
        }
    }
    Some((got, total))
}
