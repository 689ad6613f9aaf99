//! Objects of many kinds with the health that is known of them.

use crate::{corpus, objects};
use driftdeck::drift::health;
use driftdeck::model::Value;

/// What was reached before: never less.
const REACHED: usize = 530;

#[test]
fn objects_have_the_known_health() {
    let Some(folder) = corpus().map(|c| c.join("health")) else { return };
    let index = objects::document(&folder.join("index.json"));
    let (mut got, mut total) = (0, 0);
    for case in index.as_list().expect("a list of cases") {
        let text = |name: &str| case.str_at(&[name]).unwrap_or_default();
        total += 1;
        let found = match objects::live(objects::document(&folder.join(text("file")))) {
            Some(live) => health(&live).status.word(),
            None => "not an object",
        };
        if found == text("health") {
            got += 1;
        } else {
            println!(
                "{}: {found}, known is {} ({:?})",
                text("file"),
                text("health"),
                case.get("message").and_then(Value::as_str)
            );
        }
    }
    crate::say(&format!("health: {got}/{total}"));
    assert!(got >= REACHED, "{got} of {total}, {REACHED} were reached before");
}
