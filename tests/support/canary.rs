//! Canary values: what no program may ever show, in every form in which it might slip out.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Canaries with what JSON, YAML and base64 write in another way: a quote, a backslash, a line break.
pub const DECLARED: [&str; 3] =
    ["canary-declared-plain-7f3a", "canary-declared\n\"quo\\ted\"-7f3b", "canary-declared-string-7f3c"];
pub const LIVE: [&str; 3] =
    ["canary-live-plain-9d1a", "canary-live\n\"quo\\ted\"-9d1b", "canary-live-string-9d1c"];
/// The literal of an environment variable that is named as a password, declared and live.
pub const PASSWORDS: [&str; 2] = ["Declared-hunter2-5e5e", "Live-hunter2-6f6f"];

/// A Secret of each way to write one, and a Deployment with a password in its environment.
pub fn manifests(values: &[&str; 3], password: &str) -> String {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "apiVersion: v1
kind: Secret
metadata: {{name: in-data}}
data: {{plain: {}, quoted: {}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: in-string-data}}
stringData: {{plain: {}, quoted: {}, string: {}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: app
        image: registry.invalid/web:1
        env: [{{name: PASSWORD, value: {}}}, {{name: COLOUR, value: {}}}]
",
        STANDARD.encode(values[0]),
        STANDARD.encode(values[1]),
        json(values[0]),
        json(values[1]),
        json(values[2]),
        json(password),
        if password == PASSWORDS[0] { "blue" } else { "red" },
    )
}

/// The base64 form of a value, as a Secret's `data` holds it.
pub fn base64(value: &str) -> String {
    STANDARD.encode(value)
}

/// The bytes that a base64 text stands for.
pub fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("base64")
}

/// Every form of every canary.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for canary in DECLARED.iter().chain(&LIVE).chain(&PASSWORDS) {
        forms.push((*canary).to_owned());
        forms.push(STANDARD.encode(canary));
        let json = serde_json::Value::from(*canary).to_string();
        let twice = serde_json::Value::from(json.as_str()).to_string();
        forms.push(json.trim_matches('"').to_owned());
        forms.push(twice.trim_matches(['"', '\\']).to_owned());
        // A part of it is too much already.
        forms.extend(canary.lines().map(str::to_owned));
    }
    forms
}

/// Asserts that no form of a canary is in these bytes.
#[track_caller]
pub fn absent(place: &str, bytes: &[u8]) {
    for form in forms() {
        if let Some(at) = bytes.windows(form.len()).position(|window| window == form.as_bytes()) {
            let around = &bytes[at.saturating_sub(200)..(at + form.len() + 80).min(bytes.len())];
            panic!("{form:?} is in {place}: …{}…", String::from_utf8_lossy(around).escape_debug());
        }
    }
}

/// Asserts that no form of a canary is in any file below a folder, nor in a file's name.
#[track_caller]
pub fn absent_below(folder: &Path) {
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        absent("a file's name", entry.path().as_os_str().as_encoded_bytes());
        if entry.file_type().is_file() {
            absent(&entry.path().display().to_string(), &std::fs::read(entry.path()).unwrap());
        }
    }
}
