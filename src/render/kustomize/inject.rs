//! Defines how a kustomization is asked for the origins of what it builds: `buildMetadata: [originAnnotations]`.
//!
//! Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/buildmetadata/. The field counts only
//! in the kustomization that is built, and only in the exported copy.

use super::file::Kustomization;
use crate::model::Value;
use crate::model::sealed::number_to_json;

/// The word that asks for origins.
const ORIGINS: &str = "originAnnotations";

/// Returns whether the kustomization asks for origins itself: then the annotations are part of what it declares.
pub(super) fn asks_for_origins(kustomization: &Kustomization) -> bool {
    build_metadata(kustomization).iter().any(|word| word.as_str() == Some(ORIGINS))
}

/// Returns the kustomization's text with the request added; `None` if it is there already, or cannot be added.
pub(super) fn ask_for_origins(kustomization: &Kustomization) -> Option<Vec<u8>> {
    if asks_for_origins(kustomization) || kustomization.is_component() {
        return None;
    }
    if kustomization.value.get("buildMetadata").is_none() && is_one_block(&kustomization.text) {
        let mut text = kustomization.text.clone();
        text.extend_from_slice(format!("\nbuildMetadata: [{ORIGINS}]\n").as_bytes());
        return Some(text);
    }
    let mut value = kustomization.value.clone();
    let mut words = build_metadata(kustomization).to_vec();
    words.push(Value::string(ORIGINS));
    value.as_map_mut()?.insert("buildMetadata".to_owned(), Value::List(words));
    serde_json::to_vec(&to_json(&value)?).ok()
}

fn build_metadata(kustomization: &Kustomization) -> &[Value] {
    kustomization.value.get("buildMetadata").and_then(Value::as_list).unwrap_or_default()
}

/// Returns whether a text is one document whose map is in block style, so that a line can be added to it.
fn is_one_block(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut first = lines.next();
    if first == Some("---") {
        first = lines.next();
    }
    let starts_with_key =
        first.is_some_and(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()) && line.contains(':'));
    starts_with_key && !lines.any(|line| line.starts_with("---") || line.starts_with("..."))
}

/// Returns a kustomization as JSON, which is YAML as well. Nothing of it is sealed.
fn to_json(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => number_to_json(*n),
        Value::String(s) => s.clone().into(),
        Value::List(items) => serde_json::Value::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Value::Map(fields) => serde_json::Value::Object(
            fields.iter().map(|(k, v)| Some((k.clone(), to_json(v)?))).collect::<Option<_>>()?,
        ),
        Value::Sealed(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<String> {
        let read = Kustomization::parse("kustomization.yaml", text.into()).unwrap();
        ask_for_origins(&read).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn the_request_is_added_whatever_the_style() {
        let table = [
            ("resources: [a]", Some("resources: [a]\nbuildMetadata: [originAnnotations]\n")),
            (
                "# c\n---\nresources:\n- a\n",
                Some("# c\n---\nresources:\n- a\n\nbuildMetadata: [originAnnotations]\n"),
            ),
            ("{resources: [a]}", Some(r#"{"buildMetadata":["originAnnotations"],"resources":["a"]}"#)),
            (
                "buildMetadata: [managedByLabel]\nx: 1\n",
                Some(r#"{"buildMetadata":["managedByLabel","originAnnotations"],"x":1}"#),
            ),
            ("buildMetadata: [originAnnotations]\n", None),
        ];
        for (text, wanted) in table {
            assert_eq!(asked(text).as_deref(), wanted, "{text}");
        }
    }
}
