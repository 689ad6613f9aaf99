//! What changed anywhere, at 10,000 objects: five edits by hand in five namespaces, and one command that names them.

use crate::figures::{Times, figure, figure_and_aim, subject, timed};
use crate::fleet::Fleet;

const ROUNDS: usize = 5;
const EDITS: usize = 5;
const EDITED: &str = "object-8";

pub fn measure(fleet: &Fleet) {
    subject("changes: who edited what, at 10,000 objects");
    for app in 0..EDITS {
        fleet.edit_in(app, EDITED, "by hand");
    }
    let path = fleet.repository.path().display().to_string();
    let home = fleet.home();
    let mut times = Times::default();
    let mut all = 0;
    for _ in 0..ROUNDS {
        let (time, run) = timed(|| home.driftdeck(["changes", "--since", "7d", "-q", "-o", "json", &path]));
        times.add(time);
        let document = run.exits(0).json();
        let changes = document["changes"].as_array().expect("the list of changes");
        all = changes.len();
        let by_hand = changes.iter().filter(|change| {
            change["by"] == "by-hand" && change["resource"].as_str().is_some_and(|id| id.ends_with(EDITED))
        });
        assert_eq!(by_hand.count(), EDITS, "each edit is named once");
    }
    figure_and_aim("`driftdeck changes` from its start", &times.to_string(), "2 s");
    figure("changes that it names", &all.to_string());
}
