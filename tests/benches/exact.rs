//! An exact check of 1,000 objects: at most ten dry runs at a time.

use crate::figures::{Times, figure, figure_and_aim, subject, timed};
use crate::fleet::Fleet;

const ROUNDS: usize = 3;

pub fn measure(fleet: &Fleet) {
    subject("exact: `driftdeck check --exact` of 1,000 objects in 2 apps, against `check` of the same");
    let (mut local, mut exact) = (Times::default(), Times::default());
    let path = fleet.repository.path().display().to_string();
    let home = fleet.home();
    let words = ["check", "-q", "-o", "json", "--app", "app-00", "--app", "app-01", &path];
    for _ in 0..ROUNDS {
        let (time, _) = timed(|| home.driftdeck(words));
        local.add(time);
        let (time, run) = timed(|| home.driftdeck([&words[..], &["--exact"]].concat()));
        exact.add(time);
        let document = run.exits(0).json();
        let resources = document["resources"].as_array().expect("the list of resources");
        let asked = resources.iter().filter(|r| r["confidence"] == "exact" && r["verdict"] == "in-sync");
        assert_eq!(asked.count(), 1_000, "all are in sync, exactly");
    }
    figure("check", &local.to_string());
    figure_and_aim("check --exact", &exact.to_string(), "5 s");
}
