//! 10,000 objects judged cold by `driftdeck check`, against the bare lists of the same objects.

use crate::figures::{Times, figure, figure_and_aim, subject, timed, words};
use crate::fleet::Fleet;

const ROUNDS: usize = 5;

pub fn measure(fleet: &Fleet) {
    subject("cold: `driftdeck check` against the bare LIST requests of the same objects");
    let (mut lists, mut cold, mut warm) = (Times::default(), Times::default(), Times::default());
    let path = fleet.repository.path().display().to_string();
    let mut bytes = fleet.read_lists();
    for _ in 0..ROUNDS {
        let (time, read) = timed(|| fleet.read_lists());
        lists.add(time);
        bytes = read;
        let home = fleet.home();
        // The first run finds an empty cache folder, the second one the schemas that the first one kept.
        for times in [&mut cold, &mut warm] {
            let (time, run) = timed(|| home.driftdeck(["check", "-q", "-o", "json", &path]));
            times.add(time);
            let counts = summary(&run.exits(0).json());
            assert_eq!(counts, Fleet::OBJECTS, "all are in sync");
        }
    }
    let mib = f64::from(u32::try_from(bytes >> 10).unwrap()) / 1024.0;
    figure("the lists alone, all at once", &format!("{lists}, {mib:.1} MiB of JSON"));
    figure("check, nothing cached", &cold.to_string());
    figure("check, the cluster's schema cached", &warm.to_string());
    let ratio = |times: &Times| times.quantile(50).as_secs_f64() / lists.quantile(50).as_secs_f64();
    let over = cold.quantile(50).saturating_sub(lists.quantile(50));
    let ratios = format!("{:.2}x cold ({} more), {:.2}x cached", ratio(&cold), words(over), ratio(&warm));
    figure_and_aim("check against lists", &ratios, "1.5x");
}

/// Returns how many objects are in sync.
fn summary(document: &serde_json::Value) -> usize {
    let resources = document["resources"].as_array().expect("the list of resources");
    resources.iter().filter(|resource| resource["verdict"] == "in-sync").count()
}
