//! No value of a Secret leaves the commands and the deck: not in a result, the terminal, the log, the cache, the journal.

use crate::support::{Home, Namespace, Repository, Terminal, canary};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A namespace whose Secrets are other than those that a repository declares, and a home where everything is logged.
fn stage(subject: &str) -> (Namespace, Repository, Home) {
    let (namespace, repository) = (Namespace::new(subject), Repository::new());
    let mut home = namespace.home();
    namespace.apply(&canary::manifests(&canary::LIVE, canary::PASSWORDS[1]));
    repository
        .write("web/all.yaml", canary::manifests(&canary::DECLARED, canary::PASSWORDS[0]))
        .commit("Add web");
    tell_secrets(&namespace);
    home.set("RUST_LOG", "trace");
    let log = home.path().join("state/all.log").display().to_string();
    home.set("DRIFTDECK_LOG_FILE", log);
    (namespace, repository, home)
}

/// Makes the cluster say values in words of its own: in an event, and in the condition of a workload.
fn tell_secrets(namespace: &Namespace) {
    let words = format!("unable to clone 'https://bot:{}@git.example.com/shop'", canary::PASSWORDS[1]);
    let condition = serde_json::json!({"status": {"conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": words}]}});
    namespace.kubectl(&[
        "patch",
        "deployment",
        "web",
        "--subresource=status",
        "--type=merge",
        "-p",
        &condition.to_string(),
    ]);
    let event = serde_json::json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.told", "namespace": namespace.name},
        "involvedObject": {"kind": "Deployment", "name": "web", "namespace": namespace.name, "apiVersion": "apps/v1"},
        "type": "Warning", "reason": "FailedCreate", "message": words, "count": 1,
        "lastTimestamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "source": {"component": "replicaset-controller"},
    });
    namespace.apply(&event.to_string());
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_the_server_quotes_of_an_object_that_it_refuses_is_not_told() {
    let (namespace, repository) = (Namespace::new("canary-refused"), Repository::new());
    let home = namespace.home();
    let job = |level: &str| {
        serde_json::json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"},
            "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{
                "name": "app", "image": "registry.invalid/web:1",
                "env": [{"name": "DB_PASSWORD", "value": canary::PASSWORDS[0]}, {"name": "LEVEL", "value": level}],
            }]}}},
        })
        .to_string()
    };
    namespace.apply(&job("info"));
    repository.write("web/job.json", job("debug")).commit("Add a job");
    for form in ["text", "json", "yaml"] {
        for command in [&["check", "--exact"][..], &["diff", "--exact"], &["sync", "web", "--dry-run"]] {
            let run = home.driftdeck_in(repository.path(), command.iter().chain(&["-o", form]), "");
            let said = format!("{} {}", run.stdout, run.stderr);
            assert!(command[0] != "sync" || said.contains("field is immutable"), "{command:?}: {said}");
            canary::absent(&format!("{command:?} as {form}"), said.as_bytes());
        }
    }
}

/// Types a key and waits until the deck has answered, and until a plan that has just appeared takes keys.
#[track_caller]
fn press(deck: &mut Terminal, key: &str) {
    deck.keys(key);
    deck.await_silence(Duration::from_millis(600));
}

/// What was sent to the terminal's clipboard, decoded.
fn copies(raw: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(raw).into_owned();
    let sequences = text.split("\x1b]52;c;").skip(1);
    sequences.map(|rest| canary::decoded(rest.split(['\x07', '\x1b']).next().unwrap_or_default())).collect()
}

#[track_caller]
fn nothing_is_kept(home: &Home) {
    let log = std::fs::read_to_string(home.path().join("state/all.log")).unwrap();
    assert!(log.contains("a step ended"), "the log is where it is searched: {log}");
    for folder in ["state", "cache", "data", "run", "tmp", "config"] {
        canary::absent_below(&home.path().join(folder));
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_headless_commands_show_and_keep_no_value_of_a_secret() {
    let (namespace, repository, home) = stage("canary-headless");
    let dump = namespace.kubectl(&["get", "secret,deployment", "--show-managed-fields", "-o", "yaml"]);
    assert!(dump.contains("last-applied-configuration"));
    home.write("in/live.yaml", dump);
    let desired = repository.path().join("web").display().to_string();
    for form in ["text", "json", "yaml"] {
        let commands: [&[&str]; 7] = [
            &["check"],
            &["changes"],
            &["diff"],
            &["render", &desired],
            &["compare", &desired, "in/live.yaml"],
            &["sync", "web", "--dry-run"],
            &["journal"],
        ];
        for command in commands {
            let folder = if command[0] == "compare" { home.path() } else { repository.path() };
            let run = home.driftdeck_in(folder, command.iter().chain(&["-o", form]), "");
            assert!(run.code <= 1, "{command:?} as {form}: {} {}", run.stdout, run.stderr);
            canary::absent(&format!("stdout of {command:?} as {form}"), run.stdout.as_bytes());
            canary::absent(&format!("stderr of {command:?} as {form}"), run.stderr.as_bytes());
        }
    }
    let unified = home.driftdeck_in(repository.path(), ["diff", "--unified"], "").exits(1);
    assert!(unified.stdout.contains("in-data"), "{}", unified.stdout);
    canary::absent("stdout of diff --unified", unified.stdout.as_bytes());
    let synced = home.driftdeck_in(repository.path(), ["sync", "web", "--yes", "-o", "json"], "").exits(0);
    canary::absent("stdout of sync", synced.stdout.as_bytes());
    canary::absent("stderr of sync", synced.stderr.as_bytes());
    let journal = home.driftdeck(["journal", "-o", "json"]).exits(0);
    assert_eq!(journal.json()["entries"][0]["outcome"], "applied");
    canary::absent("the journal", journal.stdout.as_bytes());
    let secret = namespace.get("secret/in-string-data").unwrap();
    let written = canary::base64(canary::DECLARED[1]);
    assert_eq!(secret["data"]["quoted"], written.as_str(), "the cluster has what was declared");
    nothing_is_kept(&home);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_deck_shows_and_keeps_no_value_of_a_secret() {
    let (namespace, repository, home) = stage("canary-deck");
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&home, repository.path(), program, &[], 160, 50);
    deck.await_text("in-string-data");
    press(&mut deck, "4");
    press(&mut deck, "<enter>");
    deck.await_text("<sealed ");
    for _ in 0..3 {
        // Fields, unified, side by side, and fields again.
        for _ in 0..3 {
            press(&mut deck, "d");
        }
        press(&mut deck, "w");
        deck.await_text("Who wrote");
        press(&mut deck, "<esc>");
        press(&mut deck, "t");
        deck.await_text("What changed in the last");
        press(&mut deck, "y");
        press(&mut deck, "<esc>");
        press(&mut deck, "y");
        deck.await_text("enter or its number copies");
        for item in ["1", "2", "3", "4", "5", "6"] {
            press(&mut deck, item);
            press(&mut deck, "y");
        }
        press(&mut deck, "<esc>");
        press(&mut deck, "}");
    }
    press(&mut deck, "<esc>");
    press(&mut deck, "d");
    press(&mut deck, "d");
    press(&mut deck, "<esc>");
    press(&mut deck, "!");
    deck.await_text("Notices and log");
    press(&mut deck, "<esc>");
    // From the apps: the whole app.
    press(&mut deck, "2");
    press(&mut deck, "S");
    deck.await_text("ticked");
    for key in ["<enter>", "j", "<enter>", "d"] {
        press(&mut deck, key);
    }
    press(&mut deck, "<esc>");
    press(&mut deck, "y");
    deck.await_text("ticked");
    press(&mut deck, "A");
    deck.await_text("done at");
    let secret = namespace.get("secret/in-string-data").unwrap();
    let written = canary::base64(canary::DECLARED[1]);
    assert_eq!(secret["data"]["quoted"], written.as_str(), "the cluster has what was declared");
    press(&mut deck, "<esc>");
    press(&mut deck, "q");
    deck.await_exit();
    canary::absent("the terminal", &deck.raw());
    for copied in copies(&deck.raw()) {
        canary::absent("the clipboard", &copied);
    }
    canary::absent("the screen", deck.text().as_bytes());
    nothing_is_kept(&home);
}

/// Puts a program before the real one in a home's PATH that writes down each call, arguments and environment, and goes
/// on as the real one. Returns the file with the calls.
fn recorded(home: &mut Home, program: &str) -> PathBuf {
    let path = home.environment().iter().find(|(name, _)| name == "PATH").unwrap().1.clone();
    let mut folders = path.split(':').map(|folder| Path::new(folder).join(program));
    let real =
        folders.find(|file| file.is_file()).unwrap_or_else(|| panic!("{program} is in no folder of {path}"));
    let record = home.path().join(format!("calls-of-{program}"));
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"$0\" \"$@\"; /usr/bin/env; /bin/cat /proc/$$/cmdline; }} >>'{}'\nexec '{}' \"$@\"\n",
        record.display(),
        real.display()
    );
    let before = home.write(format!("recorded/{program}"), script);
    std::fs::set_permissions(&before, std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = home.path().join("recorded").display().to_string();
    if !path.starts_with(&folder) {
        home.set("PATH", format!("{folder}:{path}"));
    }
    record
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn no_child_program_is_given_a_value_of_a_secret() {
    let (namespace, repository, mut home) = stage("canary-children");
    let json = |text: &str| serde_json::Value::from(text).to_string();
    repository
        .write("kustomized/kustomization.yaml", "namePrefix: kustomized-\nresources: [all.yaml]\n")
        .write("kustomized/all.yaml", canary::manifests(&canary::DECLARED, canary::PASSWORDS[0]))
        .write("shipped/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n")
        .write("shipped/values.yaml", format!("secret: {}\npassword: {}\n", json(canary::DECLARED[1]), canary::PASSWORDS[0]))
        .write(
            "shipped/templates/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: of-chart}\nstringData:\n  a: {{ .Values.secret | quote }}\n  b: {{ .Values.password }}\n",
        )
        .commit("Add a kustomization and a chart");
    repository.with_bare_origin();
    let calls = ["git", "kustomize", "helm"].map(|program| recorded(&mut home, program));
    let check = home.driftdeck_in(repository.path(), ["check", "--app", "*"], "");
    assert!(
        check.stdout.contains("kustomized-in-data") || check.code <= 1,
        "{} {}",
        check.stdout,
        check.stderr
    );
    for app in ["web", "kustomized", "shipped"] {
        let run = home.driftdeck_in(repository.path(), ["sync", app, "--yes"], "").exits(0);
        canary::absent("stdout of sync", run.stdout.as_bytes());
        canary::absent("stderr of sync", run.stderr.as_bytes());
    }
    // A made-up ssh that runs on this machine what it is asked to run on the other.
    let ssh = home.write("through", "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n");
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.set("GIT_SSH", ssh.display().to_string());
    let remote = format!("ssh://git@remote.invalid{}", repository.path().with_extension("git").display());
    home.driftdeck(["check", &remote]).exits(0);
    assert_eq!(
        namespace.get("secret/of-chart").unwrap()["data"]["a"],
        canary::base64(canary::DECLARED[1]).as_str()
    );
    assert!(namespace.get("secret/kustomized-in-data").is_some());
    for (record, mark) in calls.iter().zip(["-c\n", "build\n", "template\n"]) {
        let calls = std::fs::read(record).unwrap_or_default();
        assert!(String::from_utf8_lossy(&calls).contains(mark), "{} holds the calls", record.display());
        canary::absent("arguments and environment", &calls);
    }
    nothing_is_kept(&home);
}
