//! Measures what judging costs: time and allocations for one object, time for 10,000 on one core, and bytes that are
//! kept of each once its verdict is known. It prints figures and asserts nothing about time: machines differ.
//!
//! `cargo bench --bench judge`. Allocations are counted on top of the system's allocator;
//! the program itself uses a faster one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark ends with whatever goes wrong, and printing is its purpose"
)]

#[path = "judge/deployment.rs"]
mod deployment;
#[allow(dead_code, reason = "the other benchmarks print more kinds of figures")]
mod figures;

use deployment::{config_map, deployment};
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, HealthRules, Managers, health, judge};
use driftdeck::model::status::ResourceStatus;
use driftdeck::model::{AppId, ClusterId, DeploymentId, LiveObject, Manifest, Packed, RepoId, Verdict};
use figures::{figure, figure_and_aim, subject, timed, words};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const OBJECTS: usize = 10_000;
const ROUNDS: u32 = 2_000;

/// An object as Git declares it and as a cluster sends it.
pub struct Pair {
    pub name: &'static str,
    pub yaml: String,
    pub json: String,
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if !chosen.is_empty() && !chosen.iter().any(|word| "judge".contains(word.as_str())) {
        return;
    }
    println!("machine: {}", figures::machine());
    let (held, schema) = kept(builtin::schema);
    let managers = Managers::built_in();
    let autoscaled = Autoscaled::default();
    let context = Context::new(&schema, &managers, &autoscaled);
    let pairs = [deployment(), config_map()];
    for pair in &pairs {
        one(pair, &context);
    }
    subject(&format!("{OBJECTS} objects judged, one after the other, on one core"));
    for pair in &pairs {
        let packed = pair.packed();
        let desired = pair.desired();
        let (time, ()) = timed(|| {
            for _ in 0..OBJECTS {
                let live = packed.open(&cluster()).unwrap();
                black_box(judge(Some(&desired), Some(&live), &context));
            }
        });
        figure_and_aim(&format!("{}, unpacked and judged", pair.name), &words(time), "500 ms");
        let live = packed.open(&cluster()).unwrap();
        let (time, ()) = timed(|| {
            for _ in 0..OBJECTS {
                black_box(judge(Some(&desired), Some(&live), &context));
            }
        });
        figure_and_aim("  of which judged", &words(time), "500 ms");
    }
    subject("bytes that stay in memory once the verdict is known (aim: about 1 KB for each object)");
    for pair in &pairs {
        memory(pair, &context);
    }
    figure("the built-in schema, once", &bytes(held));
}

fn one(pair: &Pair, context: &Context<'_>) {
    let packed = pair.packed();
    let desired = pair.desired();
    let live = packed.open(&cluster()).unwrap();
    subject(&format!(
        "one {} judged: {} lines declared, {} bytes of JSON live",
        pair.name,
        pair.yaml.lines().count(),
        pair.json.len()
    ));
    let judgement = judge(Some(&desired), Some(&live), context);
    assert_eq!(judgement.verdict, Verdict::InSync, "{:?}", judgement.changes);
    let per = |work: &mut dyn FnMut()| {
        work();
        let region = Region::new(COUNTED);
        let (time, ()) = timed(|| (0..ROUNDS).for_each(|_| work()));
        let change = region.change();
        let count = change.allocations as f64 / f64::from(ROUNDS);
        format!("{} with {count:.0} allocations", micros(time / ROUNDS))
    };
    let judging = per(&mut || drop(black_box(judge(Some(&desired), Some(&live), context))));
    figure_and_aim("judged, nothing differs", &judging, "30 µs");
    let rules = HealthRules::built_in();
    figure("of which its health", &per(&mut || drop(black_box(health(&live, rules)))));
    figure("before that: unpacked, parsed, sealed", &per(&mut || drop(black_box(packed.open(&cluster())))));
}

fn memory(pair: &Pair, context: &Context<'_>) {
    const MANY: usize = 1_000;
    let each = |bytes: isize| self::bytes(bytes / isize::try_from(MANY).unwrap());
    let (manifests, desired) = kept(|| (0..MANY).map(|_| Arc::new(pair.desired())).collect::<Vec<_>>());
    let (bodies, held) = kept(|| desired.iter().map(|d| d.body.clone()).collect::<Vec<_>>());
    let (lines, _held) = kept(|| (held, desired.iter().map(|d| d.lines.clone()).collect::<Vec<_>>()));
    let (live, packed) = kept(|| (0..MANY).map(|_| Arc::new(pair.packed())).collect::<Vec<_>>());
    let of = DeploymentId::new(AppId { repo: RepoId("repo".into()), name: "app".to_owned() }, cluster());
    let (verdicts, _statuses) = kept(|| {
        let pairs = desired.iter().zip(&packed);
        let status = |(desired, packed): (&Arc<Manifest>, &Arc<Packed>)| ResourceStatus {
            deployment: of.clone(),
            id: packed.id.clone(),
            kind: desired.kind.clone(),
            origin: Some(desired.origin.clone()),
            judgement: Arc::new(judge(Some(desired), Some(&packed.open(&cluster()).unwrap()), context)),
        };
        pairs.map(status).collect::<Vec<_>>()
    });
    let all = each(manifests + live + verdicts);
    figure(&format!("{}: verdict, manifest and packed live object", pair.name), &all);
    figure("  the verdict with its row", &each(verdicts));
    figure("  the live object, compressed", &each(live));
    let parts =
        format!("{} ({} its body, {} the lines of its fields)", each(manifests), each(bodies), each(lines));
    figure("  the manifest", &parts);
}

/// Returns how many bytes stay allocated for what a piece of work returns.
fn kept<T>(work: impl FnOnce() -> T) -> (isize, T) {
    let region = Region::new(COUNTED);
    let done = work();
    let change = region.change();
    let size = |bytes: usize| isize::try_from(bytes).unwrap();
    (size(change.bytes_allocated) - size(change.bytes_deallocated), done)
}

fn bytes(bytes: isize) -> String {
    match bytes {
        ..10_000 => format!("{bytes} B"),
        10_000..1_000_000 => format!("{:.1} KB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

fn cluster() -> ClusterId {
    ClusterId("bench".into())
}

impl Pair {
    fn desired(&self) -> Manifest {
        deployment::manifest(&cluster(), &self.yaml)
    }

    fn packed(&self) -> Packed {
        let live = LiveObject::from_json(&cluster(), self.json.as_bytes()).unwrap();
        Packed::pack(&live, self.json.as_bytes())
    }
}
