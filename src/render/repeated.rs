//! Defines which values of exported files a program's own words must not repeat, and blanks them there.
//!
//! Programs quote what they stumble over in many ways, or not at all (`fail` of a chart prints what it is given). So the
//! values themselves are looked for: those of Secrets, of generators and patches of kustomizations, of values files, and
//! of every file that is no manifest (`.env`, properties, keys), as they are, in base64, and escaped as in JSON.

use super::export::Files;
use super::{is_chart_file, is_kustomization_file, paths};
use crate::model::Value;
use crate::text::yaml::read_documents;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeSet, HashMap};

/// What is shorter says nothing, and stands in every other word.
const SHORTEST: usize = 4;
/// What stands in place of a value.
const BLANK: &str = "…";

/// The values of exported files that must not be repeated.
#[derive(Default)]
pub(super) struct Values(BTreeSet<String>);

impl Values {
    /// Collects the values. `values_files`: those that a chart is rendered with, beside its own.
    pub fn of(files: &Files, values_files: &[String]) -> Self {
        let mut values = Self::default();
        for (path, bytes) in files.each() {
            let name = paths::name(path);
            let is_values = values_files.iter().any(|file| file == path) || name.starts_with("values");
            if !paths::is_manifest_file(name) && !is_kustomization_file(name) {
                values.add_lines(&String::from_utf8_lossy(bytes));
            } else if !is_chart_file(name) {
                values.add_manifests(bytes, is_values, is_kustomization_file(name));
            }
        }
        values
    }

    fn add_manifests(&mut self, bytes: &[u8], is_values: bool, is_kustomization: bool) {
        let mut unread = false;
        for document in read_documents(bytes) {
            match document {
                Ok(document) if is_values => self.add_all(&document.value),
                Ok(document) if is_kustomization => self.add_generated(&document.value),
                Ok(document) => self.add_manifest(&document.value),
                Err(_) => unread = true,
            }
        }
        // A template, say: no YAML before it is rendered.
        let text = String::from_utf8_lossy(bytes);
        if unread && (is_values || is_kustomization || text.contains("Secret")) {
            self.add_lines(&text);
        }
    }

    fn add_manifest(&mut self, manifest: &Value) {
        if manifest.str_at(&["kind"]) == Some("Secret") {
            for field in ["data", "stringData"] {
                if let Some(values) = manifest.at(&[field]) {
                    self.add_all(values);
                }
            }
        }
        // A list of objects, or a JSON patch of what may be a Secret.
        for item in manifest.at(&["items"]).unwrap_or(manifest).as_list().into_iter().flatten() {
            match item.at(&["value"]) {
                Some(value) => self.add_all(value),
                None => self.add_manifest(item),
            }
        }
    }

    /// Adds what a kustomization writes into objects: literals of generators, and patches.
    fn add_generated(&mut self, kustomization: &Value) {
        for field in ["secretGenerator", "configMapGenerator"] {
            for generator in kustomization.at(&[field]).and_then(Value::as_list).into_iter().flatten() {
                for literal in generator.at(&["literals"]).and_then(Value::as_list).into_iter().flatten() {
                    self.add_lines(literal.as_str().unwrap_or_default());
                }
            }
        }
        for field in ["patches", "patchesStrategicMerge", "patchesJson6902"] {
            for patch in kustomization.at(&[field]).and_then(Value::as_list).into_iter().flatten() {
                let inline = patch.as_str().or_else(|| patch.str_at(&["patch"]));
                self.add_manifests(inline.unwrap_or_default().as_bytes(), false, false);
            }
        }
    }

    /// Adds every scalar below a value.
    fn add_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.add(text);
                text.lines().for_each(|line| self.add(line));
                if let Ok(Ok(decoded)) = STANDARD.decode(text.trim()).map(String::from_utf8) {
                    self.add(&decoded);
                }
            }
            Value::Number(number) => self.add(&number.to_string()),
            Value::List(items) => items.iter().for_each(|item| self.add_all(item)),
            Value::Map(map) => map.iter().for_each(|(_, value)| self.add_all(value)),
            Value::Null | Value::Bool(_) | Value::Sealed(_) => {}
        }
    }

    /// Adds every line of a text, and what stands behind its first `=` or `: `. Lines of a template that are computed hold
    /// no value.
    fn add_lines(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.contains("{{")) {
            for mark in ["=", ": "] {
                if let Some((_, value)) = line.split_once(mark) {
                    self.add(value.trim().trim_matches(['"', '\'']));
                }
            }
            self.add(line.trim_start_matches("- "));
        }
    }

    fn add(&mut self, value: &str) {
        let value = value.trim();
        if value.len() < SHORTEST || ["true", "false", "null"].contains(&value) {
            return;
        }
        let escaped = serde_json::Value::from(value).to_string();
        self.0.insert(escaped.trim_matches('"').to_owned());
        self.0.insert(STANDARD.encode(value));
        self.0.insert(value.to_owned());
    }

    /// Returns a text with every value left out. Paths of the exported files stay whole: they say where to look.
    pub fn blank(&self, text: &str, files: &Files) -> String {
        let mut known: HashMap<&[u8], Vec<(&str, bool)>> = HashMap::new();
        let names = files.each().map(|(path, _)| (path, true));
        for (word, stays) in names.chain(self.0.iter().map(|value| (value.as_str(), false))) {
            if let Some(start) = word.as_bytes().get(..SHORTEST) {
                known.entry(start).or_default().push((word, stays));
            }
        }
        // The longest first; of a path and a value that are the same, the value.
        for words in known.values_mut() {
            words.sort_by_key(|(word, stays)| (std::cmp::Reverse(word.len()), *stays));
        }
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let words = rest.as_bytes().get(..SHORTEST).and_then(|start| known.get(start));
            let found = words.and_then(|words| words.iter().find(|(word, _)| rest.starts_with(word)));
            let (taken, put) = match found {
                Some((word, true)) => (word.len(), *word),
                Some((word, false)) => (word.len(), BLANK),
                None => (first.len_utf8(), &rest[..first.len_utf8()]),
            };
            kept.push_str(put);
            rest = &rest[taken..];
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Files {
        let mut files = Files::of("app");
        for (path, text) in texts {
            files.add(path, text.as_bytes().to_vec()).unwrap();
        }
        files
    }

    #[test]
    fn values_are_left_out_however_they_are_repeated() {
        let files = files(&[
            (
                "app/secret.yaml",
                "kind: Secret\ndata: {a: aHVudGVyMjI=}\nstringData:\n  b: 'it''s \"so\" secret'\n  c: |-\n    first line\n    second line\n",
            ),
            (
                "app/kustomization.yaml",
                "secretGenerator:\n- {name: x, literals: [key=literal-value]}\npatches:\n- patch: |-\n    - {op: add, path: /data/x, value: patched-value}\n",
            ),
            ("app/login.env", "LOGIN=from-env\n"),
            ("chart/values-prod.yaml", "db: {port: 54321, password: of-values, on: true}\n"),
            (
                "chart/templates/secret.yaml",
                "kind: Secret\nstringData:\n  a: {{ .Values.a }}\n  b: in-template\n",
            ),
            ("app/config.yaml", "kind: ConfigMap\ndata: {a: plain-value}\n"),
        ]);
        let values = Values::of(&files, &[]);
        for (words, left) in [
            ("got hunter22, want more", "got …, want more"),
            ("got \"aHVudGVyMjI=\"", "got \"…\""),
            ("of 'second line' only", "of '…' only"),
            ("it's \"so\" secret", "…"),
            (r#"bad "it's \"so\" secret"!"#, r#"bad "…"!"#),
            ("aXQncyAic28iIHNlY3JldA==", "…"),
            ("literal-value patched-value from-env of-values 54321", "… … … … …"),
            ("in-template at chart/values-prod.yaml", "… at chart/values-prod.yaml"),
            ("plain-value is true", "plain-value is true"),
        ] {
            assert_eq!(values.blank(words, &files), left);
        }
    }
}
