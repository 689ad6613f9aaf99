//! A sync whose driftdeck is killed between two steps: what became of it is said, and the next one goes on.

use crate::support::{Fault, FaultProxy, Home, Matching, Namespace, Repository, eventually};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: \"1\"}}\n")
}

/// Three drifted ConfigMaps of the app `web`, and a way to them through a fault proxy.
fn drifted(subject: &str) -> (Namespace, Repository, FaultProxy, Home) {
    let (namespace, repository, home) = (Namespace::new(subject), Repository::new(), Home::new());
    for name in ["one", "two", "three"] {
        repository.write(&format!("web/{name}.yaml"), map(name));
        namespace.apply(&map(name));
        namespace.patch(&format!("configmap/{name}"), "merge", r#"{"data":{"k":"2"}}"#, "kubectl-edit");
    }
    repository.commit("Add web");
    let proxy = FaultProxy::in_front_of(&namespace.plane);
    proxy.through(namespace.access()).write_into(&home);
    (namespace, repository, proxy, home)
}

/// Runs a sync until its second write has met the fault, and kills it with a signal that nothing can catch.
fn kill_at_the_second_write(repository: &Repository, proxy: &FaultProxy, home: &Home, fault: Fault) {
    let writes = || Matching::writes().resource("configmaps");
    proxy.after(1, 1, writes(), fault);
    let mut sync = Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .args(["sync", "web", "--yes"])
        .current_dir(repository.path())
        .env_clear()
        .envs(home.environment().iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a program that can be started");
    proxy.await_seen(&writes(), 2);
    // Where the server acts, it has done so before the fault begins; the proxy notes it only then.
    eventually("the fault was met", || {
        proxy.seen_matching(&writes()).iter().any(|seen| seen.fault.is_some()).then_some(())
    });
    sync.kill().expect("it runs");
    sync.wait().expect("it has ended");
}

fn values(namespace: &Namespace) -> Vec<Value> {
    let value =
        |name: &str| namespace.get(&format!("configmap/{name}")).expect("it is there")["data"]["k"].clone();
    ["one", "two", "three"].map(value).to_vec()
}

/// The outcomes of an entry's steps by the names of their objects.
fn outcomes(entry: &Value) -> Vec<(String, String)> {
    let steps = entry["plan"]["steps"].as_array().expect("steps").iter();
    let mut words: Vec<_> = steps
        .map(|step| {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (word(&step["resource"]["name"]), word(&step["outcome"]))
        })
        .collect();
    words.sort();
    words
}

fn goes_on_after(subject: &str, fault: Fault, second_was_written: bool) {
    let (namespace, repository, proxy, home) = drifted(subject);
    kill_at_the_second_write(&repository, &proxy, &home, fault);
    if second_was_written {
        eventually("the server has acted", || {
            (values(&namespace).iter().filter(|k| **k == json!("1")).count() == 2).then_some(())
        });
    }
    let after_the_kill = values(&namespace);
    let written = if second_was_written { 2 } else { 1 };
    assert_eq!(after_the_kill.iter().filter(|k| **k == json!("1")).count(), written, "{after_the_kill:?}");

    let next = home.driftdeck_in(repository.path(), ["sync", "web", "--yes"], "").exits(0);
    assert!(next.stderr.contains("an interrupted sync of web ended as"), "{}", next.stderr);
    assert!(values(&namespace).iter().all(|k| *k == json!("1")), "{}", next.stdout);

    let journal = home.driftdeck(["journal", "-o", "json"]).exits(0).json();
    let entries = journal["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), 2, "{journal:#}");
    let names = ["one", "two", "three"];
    let of_the_killed = outcomes(&entries[0]);
    for (name, live) in names.iter().zip(&after_the_kill) {
        let (_, outcome) = of_the_killed.iter().find(|(known, _)| known == name).expect("a step");
        assert_eq!(
            outcome == "applied",
            *live == json!("1"),
            "{name}: {of_the_killed:?}, {after_the_kill:?}"
        );
    }
    assert!(outcomes(&entries[1]).iter().all(|(_, outcome)| outcome == "applied"), "{journal:#}");
    assert_eq!(outcomes(&entries[1]).len(), 3 - written);

    let again = home.driftdeck_in(repository.path(), ["sync", "web", "--yes"], "").exits(0);
    assert!(!again.stderr.contains("interrupted"), "it is said once: {}", again.stderr);

    // What was kept of either sync is enough to undo it, of the write that was under way too.
    for entry in entries.iter().rev() {
        home.driftdeck(["undo", entry["id"].as_str().expect("an id"), "--yes"]).exits(0);
    }
    assert!(values(&namespace).iter().all(|k| *k == json!("2")), "{:?}", values(&namespace));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_sync_killed_before_the_server_heard_of_its_write_is_told_and_goes_on() {
    goes_on_after("killed-before", Fault::BlackHole, false);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_sync_killed_after_the_server_acted_is_told_and_goes_on() {
    goes_on_after("killed-after", Fault::BlackHoleAfter, true);
}
