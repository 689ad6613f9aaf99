//! Reads the corpus of YAML cases and of built-in kinds, and scores them.

use crate::corpus;
use driftdeck::model::Value;
use driftdeck::text::yaml::read_documents;

/// Cases of `yaml/cases.jsonl` that have been read rightly before.
const REACHED: usize = 136;
/// Kinds of `api` whose YAML and JSON have been read to the same object before.
const KINDS_REACHED: usize = 94;

#[test]
fn every_case_is_read_as_kubectl_reads_it() {
    let Some(corpus) = corpus() else { return };
    let cases = std::fs::read_to_string(corpus.join("yaml/cases.jsonl")).expect("the cases can be read");
    let mut wrong = Vec::new();
    let mut total = 0;
    for case in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(case).expect("a case is JSON");
        total += 1;
        let read = read_documents(case["yaml"].as_str().expect("a case has a text").as_bytes());
        let refused = read.iter().any(Result::is_err);
        let right = match case.get("json") {
            None => refused,
            Some(json) => {
                let wanted = Value::from(json.clone());
                !refused && read.iter().flatten().map(|document| &document.value).eq([&wanted])
            }
        };
        if !right {
            wrong.push(format!("{}: {read:?}", case["name"]));
        }
    }
    crate::say(&format!("yaml: {}/{total}", total - wrong.len()));
    assert!(total - wrong.len() >= REACHED, "read otherwise than kubectl:\n{}", wrong.join("\n"));
}

#[test]
fn every_kind_reads_the_same_from_yaml_and_json() {
    let Some(corpus) = corpus() else { return };
    let mut same = 0;
    let mut total = 0;
    for entry in std::fs::read_dir(corpus.join("api")).expect("the folder can be read") {
        let yaml = entry.expect("an entry can be read").path();
        if yaml.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        total += 1;
        let read = |path: &std::path::Path| -> Vec<Value> {
            let documents = read_documents(&std::fs::read(path).expect("the file can be read"));
            documents.into_iter().map(|document| document.expect("the document can be read").value).collect()
        };
        let (from_yaml, from_json) = (read(&yaml), read(&yaml.with_extension("json")));
        same += usize::from(from_yaml == from_json && from_yaml.len() == 1);
    }
    crate::say(&format!("api: {same}/{total}"));
    assert!(same >= KINDS_REACHED && same == total, "only {same} of {total} are the same");
}
