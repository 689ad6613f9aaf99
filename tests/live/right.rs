//! How right driftdeck is, beside `kubectl diff`: real projects applied in every usual way must show nothing, and then
//! fields that are changed, deleted and added by hand must each be found at exactly their path, and nothing else.
//!
//! `UPDATE_README=1 tests/control-plane/with cargo test --test live -- --include-ignored --nocapture how_right` writes the
//! README's table anew.

#![allow(
    clippy::print_stdout,
    reason = "what it prints is the table of the README, and why something is not in it"
)]

mod hand;
mod ways;

use crate::support::{Home, Plane, corpus};
use hand::{Dice, Kind, Tampering};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use ways::Way;

/// How many objects are tampered with before everything is looked at once.
const AT_ONCE: usize = 24;

/// What was seen of one way of applying.
#[derive(Default)]
struct Seen {
    what: &'static str,
    objects: usize,
    /// Objects that something was said of although nobody had touched them: by driftdeck, by its exact check, by
    /// `kubectl diff`.
    noise: [usize; 3],
    /// For each kind of tampering: tries, found by driftdeck at exactly the path, noticed by `kubectl diff`.
    found: BTreeMap<Kind, [usize; 3]>,
}

/// One object of an app, with both its sides.
struct Object {
    desired: Value,
    live: Value,
}

impl Object {
    fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn name(&self) -> &str {
        Self::text(&self.live, "/metadata/name")
    }

    fn namespace(&self) -> &str {
        Self::text(&self.live, "/metadata/namespace")
    }

    /// As `kubectl diff` names its files: `apps.v1.Deployment.shop.web`.
    fn file(&self) -> String {
        let version = Self::text(&self.live, "/apiVersion").replace('/', ".");
        let kind = Self::text(&self.live, "/kind");
        format!("{version}.{kind}.{}.{}", self.namespace(), self.name())
    }

    /// As kubectl takes it: `Deployment.v1.apps`.
    fn resource(&self) -> String {
        let kind = Self::text(&self.live, "/kind");
        match Self::text(&self.live, "/apiVersion").split_once('/') {
            Some((group, version)) => format!("{kind}.{version}.{group}"),
            None => kind.to_owned(),
        }
    }

    /// Returns whether an entry of driftdeck's document is this object.
    fn is(&self, resource: &Value) -> bool {
        let group = Self::text(&self.live, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
        resource["kind"] == self.live["kind"]
            && resource["group"] == group
            && resource["name"] == self.name()
            && resource["namespace"].as_str().unwrap_or_default() == self.namespace()
    }
}

/// A project that is applied, with the ways to look at it.
struct Stage<'a> {
    way: &'a Way,
    plane: Plane,
    home: &'a Home,
}

impl Stage<'_> {
    /// Returns what driftdeck says, and the objects of which it says that something counts.
    fn check(&self, more: &[&str]) -> Vec<Value> {
        let words = [&["check", &self.way.path, "-o", "json", "-n", &self.way.namespace], more].concat();
        let document = self.home.driftdeck(words).json();
        assert_eq!(document["complete"], true, "{}: {:#}", self.way.what, document["notices"]);
        let resources = document["resources"].as_array().expect("resources").iter();
        let speaks =
            |r: &&Value| !["in-sync", "excluded"].contains(&r["verdict"].as_str().unwrap_or_default());
        resources.filter(speaks).cloned().collect()
    }

    /// Returns the files of the objects that `kubectl diff` shows something of.
    fn kubectl_diff(&self, objects: &[&Object]) -> Vec<String> {
        let list: Vec<&Value> = objects.iter().map(|object| &object.desired).collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": list }).to_string();
        let words = [&["diff", "-f", "-"], self.way.diff.as_slice()].concat();
        let run = self.plane.try_kubectl(&words, &list);
        assert!(run.code == 0 || run.code == 1, "{}", run.stderr);
        let file = |line: &str| {
            line.strip_prefix("diff -u -N ")?.split(' ').next()?.rsplit('/').next().map(str::to_owned)
        };
        run.stdout.lines().filter_map(file).collect()
    }

    fn objects(&self) -> Vec<Object> {
        let words = ["render", &self.way.path, "-o", "json", "--show-secrets", "-n", &self.way.namespace];
        let document = self.home.driftdeck(words).exits(0).json();
        let manifests = document["manifests"].as_array().expect("manifests").iter();
        manifests
            // Definitions are applied beforehand, for all ways alike.
            .filter(|m| m["kind"] != "CustomResourceDefinition" && m["kind"] != "Namespace")
            .filter(|m| !m["body"]["metadata"]["annotations"]["helm.sh/hook"].is_string())
            .map(|m| {
                let desired = m["body"].clone();
                let mut object = Object { live: desired.clone(), desired };
                if let Some(namespace) = m["namespace"].as_str() {
                    object.live["metadata"]["namespace"] = json!(namespace);
                    object.desired["metadata"]["namespace"] = json!(namespace);
                }
                object.live = self.read(&object);
                object
            })
            .collect()
    }

    fn read(&self, object: &Object) -> Value {
        let mut words =
            vec!["get".to_owned(), object.resource(), object.name().to_owned(), "-o=json".to_owned()];
        words.extend((!object.namespace().is_empty()).then(|| format!("--namespace={}", object.namespace())));
        serde_json::from_str(&self.plane.kubectl(&words)).expect("JSON of kubectl")
    }

    /// Patches an object as somebody by hand. `None`: the server refuses it.
    fn patch(&self, object: &Object, patch: &Value) -> Option<Value> {
        let mut words = [
            "patch",
            &object.resource(),
            object.name(),
            "--type=json",
            "--field-manager=kubectl-edit",
            "-o=json",
        ]
        .map(str::to_owned)
        .to_vec();
        words.push(format!("--patch={patch}"));
        words.extend((!object.namespace().is_empty()).then(|| format!("--namespace={}", object.namespace())));
        let run = self.plane.try_kubectl(&words, "");
        (run.code == 0).then(|| run.json())
    }

    /// Puts an object back to what was read of it, and reads it anew.
    fn restore(&self, object: &mut Object) {
        let patch = hand::back(&object.live, &self.read(object));
        if patch != json!([]) {
            assert!(self.patch(object, &patch).is_some(), "{} can be put back: {patch}", object.file());
        }
        object.live = self.read(object);
    }

    /// Tampers with one object, where the dice find something that the server accepts and that moves nothing else.
    fn tamper(&self, object: &mut Object, kind: Kind, dice: &mut Dice) -> Option<Tampering> {
        for _ in 0..12 {
            let mut tampering = hand::draw(&object.desired, &object.live, kind, dice)?;
            let Some(after) = self.patch(object, &tampering.patch) else { continue };
            if tampering.is_all(&object.live, &after) {
                tampering.after = after;
                return Some(tampering);
            }
            self.restore(object);
        }
        None
    }

    /// Tampers with many objects, looks once, and puts everything back.
    fn round(&self, objects: &mut [Object], kinds: &[Kind], dice: &mut Dice, seen: &mut Seen) {
        let mut done = Vec::new();
        for (at, kind) in dice.some_of(objects.len(), AT_ONCE).into_iter().zip(kinds.iter().cycle()) {
            if let Some(tampering) = objects.get_mut(at).and_then(|object| self.tamper(object, *kind, dice)) {
                done.push((at, *kind, tampering));
            }
        }
        let said = self.check(&[]);
        let touched: Vec<&Object> = done.iter().filter_map(|(at, ..)| objects.get(*at)).collect();
        let noticed = self.kubectl_diff(&touched);
        for (at, kind, tampering) in &done {
            let object = &objects[*at];
            let entry = said.iter().find(|resource| object.is(resource));
            let found = tampering.is_found(entry, &object.desired);
            let counts = seen.found.entry(*kind).or_default();
            counts[0] += 1;
            counts[1] += usize::from(found.is_ok());
            counts[2] += usize::from(noticed.contains(&object.file()));
            if let Err(why) = found {
                println!("  MISSED {} {}: {tampering}: {why}", self.way.what, object.file());
            }
        }
        let others: Vec<&Value> =
            said.iter().filter(|resource| !touched.iter().any(|object| object.is(resource))).collect();
        assert_eq!(others, Vec::<&Value>::new(), "{}: nothing else is reported", self.way.what);
        for (at, ..) in &done {
            self.restore(&mut objects[*at]);
        }
        assert_eq!(self.check(&[]), Vec::<Value>::new(), "{}: all is as it was", self.way.what);
    }
}

fn look(way: &Way, home: &Home, tries: usize, seed: u64) -> Seen {
    let stage = Stage { way, plane: way.plane.clone(), home };
    let mut objects = stage.objects();
    let every: Vec<&Object> = objects.iter().collect();
    let noise = [stage.check(&[]).len(), stage.check(&["--exact"]).len(), stage.kubectl_diff(&every).len()];
    let mut seen = Seen { what: way.what, objects: objects.len(), noise, ..Seen::default() };
    let mut dice = Dice::new(seed);
    let mut turn = 0;
    while seen.found.values().map(|counts| counts[0]).sum::<usize>() < tries {
        let kinds = [Kind::Changed, Kind::Deleted, Kind::Added];
        let (before, after) = kinds.split_at(turn % kinds.len());
        stage.round(&mut objects, &[after, before].concat(), &mut dice, &mut seen);
        turn += 1;
        assert!(turn < 200, "{}: the dice find something to do", way.what);
    }
    seen
}

/// Returns the README's table.
fn table(all: &[Seen]) -> String {
    let mut text = String::from(
        "| applied how | objects | false alarms: driftdeck, exact, `kubectl diff` | changed | deleted | added by hand |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut sum = Seen { what: "**together**", ..Seen::default() };
    for seen in all {
        sum.objects += seen.objects;
        sum.noise.iter_mut().zip(seen.noise).for_each(|(sum, n)| *sum += n);
        for (kind, counts) in &seen.found {
            sum.found.entry(*kind).or_default().iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
        }
    }
    for seen in all.iter().chain([&sum]) {
        let of = |kind| {
            let [tries, ours, kubectls] = seen.found.get(&kind).copied().unwrap_or_default();
            format!("{ours} and {kubectls} of {tries}")
        };
        let [ours, exact, kubectls] = seen.noise;
        let _ = writeln!(
            text,
            "| {} | {} | {ours}, {exact}, {kubectls} | {} | {} | {} |",
            seen.what,
            seen.objects,
            of(Kind::Changed),
            of(Kind::Deleted),
            of(Kind::Added)
        );
    }
    text
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn how_right_every_verdict_is_beside_kubectl_diff() {
    let Some(manifests) = corpus("manifests") else { return };
    let mut all = Vec::new();
    ways::each(&manifests, |way, home, tries| {
        let seen = look(way, home, tries, 7 + all.len() as u64);
        println!("{}", table(std::slice::from_ref(&seen)));
        all.push(seen);
    });
    let table = table(&all);
    println!("{table}");
    for seen in &all {
        assert_eq!(seen.noise[..2], [0, 0], "{}: nothing drifts that nobody touched", seen.what);
        for (kind, [tries, ours, _]) in &seen.found {
            assert_eq!(ours, tries, "{}: every field that was {kind:?} is found at its path", seen.what);
        }
    }
    let tries: usize = all.iter().flat_map(|seen| seen.found.values()).map(|counts| counts[0]).sum();
    assert!(tries >= 300, "{tries} tries");
    if std::env::var_os("UPDATE_README").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(file).expect("the README");
        let (before, rest) = readme.split_once("<!-- right: begin -->\n").expect("the table's beginning");
        let (_, after) = rest.split_once("<!-- right: end -->").expect("the table's end");
        let text = format!("{before}<!-- right: begin -->\n{table}<!-- right: end -->{after}");
        std::fs::write(file, text).expect("the README can be written");
    }
}
