//! No value of a Secret leaves the commands that need no cluster: not in a result, a notice, the log or the cache.

use std::path::Path;

use crate::support::{Home, Repository, Run, canary};

const FORMS: [&str; 3] = ["text", "json", "yaml"];

/// A home where everything is logged.
fn home() -> Home {
    let mut home = Home::new();
    home.set("RUST_LOG", "trace");
    let log = home.path().join("state/all.log").display().to_string();
    home.set("DRIFTDECK_LOG_FILE", log);
    home
}

fn last_applied(manifests: &str) -> String {
    let objects = driftdeck::text::yaml::read_documents(manifests.as_bytes());
    assert_eq!(objects.len(), 3);
    let applied = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "in-data"},
        "stringData": {"plain": canary::LIVE[0], "quoted": canary::LIVE[1]},
    });
    manifests.replace(
        "metadata: {name: in-data}",
        &format!(
            "metadata: {{name: in-data, annotations: {{kubectl.kubernetes.io/last-applied-configuration: {}}}}}",
            serde_json::Value::from(applied.to_string())
        ),
    )
}

#[test]
#[should_panic(expected = "is in an answer")]
fn a_canary_in_base64_would_be_found() {
    let leak = format!("Secret in-data has {}", canary::base64(canary::DECLARED[1]));
    canary::absent("an answer", leak.as_bytes());
}

#[test]
fn compare_and_render_show_no_value_of_a_secret() {
    let home = home();
    home.write("in/desired.yaml", canary::manifests(&canary::DECLARED, canary::PASSWORDS[0]));
    home.write("in/live.yaml", last_applied(&canary::manifests(&canary::LIVE, canary::PASSWORDS[1])));
    for form in FORMS {
        let compared = home.driftdeck(["compare", "in/desired.yaml", "in/live.yaml", "-o", form]).exits(1);
        assert!(
            compared.stdout.contains("in-data") && compared.stdout.contains("COLOUR"),
            "{}",
            compared.stdout
        );
        let rendered = home.driftdeck(["render", "in/desired.yaml", "-o", form]).exits(0);
        for run in [compared, rendered] {
            canary::absent(&format!("stdout as {form}"), run.stdout.as_bytes());
            canary::absent(&format!("stderr as {form}"), run.stderr.as_bytes());
        }
    }
    for folder in ["state", "cache", "data", "run", "tmp"] {
        canary::absent_below(&home.path().join(folder));
    }
}

#[test]
fn two_revisions_show_no_value_of_a_secret() {
    let (home, repo) = (home(), Repository::new());
    repo.write("web/all.yaml", canary::manifests(&canary::LIVE, canary::PASSWORDS[1])).commit("First");
    repo.write("web/all.yaml", canary::manifests(&canary::DECLARED, canary::PASSWORDS[0])).commit("Second");
    let path = repo.path().to_str().unwrap();
    for more in [["-o", "text"], ["-o", "json"], ["-o", "yaml"], ["--unified", "--no-color"]] {
        let arguments = ["diff", path, "--base", "HEAD~1", "--revision", "HEAD"].into_iter().chain(more);
        let run = home.driftdeck(arguments).exits(1);
        assert!(run.stdout.contains("in-data"), "{}", run.stdout);
        canary::absent(&format!("stdout with {more:?}"), run.stdout.as_bytes());
        canary::absent(&format!("stderr with {more:?}"), run.stderr.as_bytes());
    }
    for folder in ["state", "cache", "data", "run", "tmp"] {
        canary::absent_below(&home.path().join(folder));
    }
}

#[test]
fn a_manifest_that_cannot_be_read_is_reported_without_its_values() {
    let home = home();
    let broken = [
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData:\n  a: {}\n b: [{}\n",
            canary::DECLARED[0],
            canary::LIVE[0]
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata: {{a: {:?}}}\n",
            canary::DECLARED[1]
        ),
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata: [{}]\n", canary::DECLARED[0]),
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {{\"a\": \"{}\" \"b\"",
            canary::DECLARED[0]
        ),
    ];
    for manifest in broken {
        home.write("in/broken.yaml", &manifest);
        for form in FORMS {
            for arguments in
                [vec!["render", "in/broken.yaml"], vec!["compare", "in/broken.yaml", "in/broken.yaml"]]
            {
                let run = home.driftdeck(arguments.into_iter().chain(["-o", form]));
                canary::absent("stdout", run.stdout.as_bytes());
                canary::absent("stderr", run.stderr.as_bytes());
            }
        }
    }
    canary::absent_below(&home.path().join("state"));
}

/// Set where this test program was started by itself, to panic.
const TO_PANIC: &str = "DRIFTDECK_TEST_PANICS_IN";

/// Panics as the program would: its hooks and its log are in place, and the panic quotes values of a Secret.
fn panic_with_values(folder: &Path) {
    driftdeck::config::log::start(None, folder, Some("trace")).unwrap();
    driftdeck::shell::hooks::install();
    panic!("{:?}", (canary::DECLARED, canary::PASSWORDS, canary::base64(canary::LIVE[0])));
}

#[test]
fn a_panic_says_where_and_shows_no_value_on_the_screen_or_in_the_log() {
    if let Some(folder) = std::env::var_os(TO_PANIC) {
        return panic_with_values(Path::new(&folder));
    }
    let mut home = home();
    home.set(TO_PANIC, home.path().join("state").display().to_string());
    home.set("RUST_BACKTRACE", "full");
    let itself = std::env::current_exe().unwrap();
    let this = "canary::a_panic_says_where_and_shows_no_value_on_the_screen_or_in_the_log";
    let run = Run::of(home.command(itself).args(["--exact", this, "--nocapture", "--test-threads=1"]));
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("driftdeck failed"), "{}", run.stderr);
    assert!(run.stderr.contains("tests/cli/canary.rs:"), "{}", run.stderr);
    let log = std::fs::read_to_string(home.path().join("state/driftdeck.log")).unwrap();
    assert!(log.contains("panic") && log.contains("tests/cli/canary.rs"), "{log}");
    canary::absent("stdout of a panic", run.stdout.as_bytes());
    canary::absent("stderr of a panic", run.stderr.as_bytes());
    canary::absent("the log of a panic", log.as_bytes());
}
