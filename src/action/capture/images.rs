//! Defines how a kustomization sets images and numbers of replicas: by the entries of `images` and `replicas`.

use super::candidate::{Blocked, Candidate};
use super::kustomize::{Overlay, after_resources, field, named};
use crate::model::Value;
use crate::model::field_path::FieldPath;
use crate::model::value::map_of;
use crate::text::yaml::Edit;

/// An image's name as kustomize takes it apart.
///
/// Source: `Split` in sigs.k8s.io/kustomize/api/internal/image/image.go: a digest stands behind `@`, a tag behind the last
/// `:` that follows the last `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Image<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    fn of(text: &'a str) -> Self {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
        let slash = rest.rfind('/').map_or(0, |at| at + 1);
        let colon = rest.get(slash..).and_then(|last| last.find(':')).map(|at| slash + at);
        match colon.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) {
            Some((name, tag)) => Self { name, tag: Some(tag), digest },
            None => Self { name: rest, tag: None, digest },
        }
    }
}

/// Returns the candidates that set an image by an entry of `images`.
pub(super) fn places(overlay: &Overlay<'_>) -> Vec<Result<Candidate, Blocked>> {
    let wish = overlay.wish;
    let (Some(Value::String(desired)), Some(Value::String(live))) = (&wish.desired, &wish.live) else {
        return Vec::new();
    };
    if wish.path.last_field() != Some("image") {
        return Vec::new();
    }
    let (desired, live) = (Image::of(desired), Image::of(live));
    let set_by = |item: &&Value| {
        let name = item.str_at(&["newName"]).or_else(|| item.str_at(&["name"]));
        name == Some(desired.name)
    };
    let name = match overlay.list("images").iter().find(set_by) {
        Some(item) => item.str_at(&["name"]).unwrap_or_default().to_owned(),
        None => desired.name.to_owned(),
    };
    let item = FieldPath::fields(&["images"]).join(named("name", &name));
    let exists = overlay.list("images").iter().any(|item| item.str_at(&["name"]) == Some(&name));
    let now = |key: &str, value: Option<&str>| match value {
        Some(value) => {
            Edit::set(item.field(key), Value::string(value)).after(vec![field("newName"), field("name")])
        }
        None => Edit::remove(item.field(key)),
    };
    let new_name = Some(live.name).filter(|live| *live != name);
    if exists {
        let mut edits = vec![now("newTag", live.tag), now("digest", live.digest)];
        if live.name != desired.name {
            edits.insert(0, now("newName", new_name));
        }
        return vec![overlay.edit(&edits, "set in `images` of")];
    }
    let parts = [("newName", new_name), ("newTag", live.tag), ("digest", live.digest)];
    let parts = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::string(value?))));
    let entry = std::iter::once(("name".to_owned(), Value::string(&name))).chain(parts).collect();
    vec![overlay.edit(
        &[Edit::set(item, Value::Map(map_of(entry))).after(after_resources(&[]))],
        "set in `images` of",
    )]
}

/// Returns the candidates that set a number of replicas by an entry of `replicas`.
pub(super) fn replicas(overlay: &Overlay<'_>) -> Vec<Result<Candidate, Blocked>> {
    let wish = overlay.wish;
    let (Some(live), true) = (&wish.live, wish.path == FieldPath::fields(&["spec", "replicas"])) else {
        return Vec::new();
    };
    let is_kind = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"]
        .contains(&&*overlay.manifest.kind.kind);
    if !is_kind {
        return Vec::new();
    }
    // An entry may call it by the name that it was given on the way.
    let rendered = overlay.manifest.id.name.as_deref().unwrap_or_default();
    let known = overlay.list("replicas").iter().filter_map(|item| item.str_at(&["name"]));
    let name = known.filter(|name| rendered.contains(name)).max_by_key(|name| name.len());
    let item = FieldPath::fields(&["replicas"]).join(named("name", name.unwrap_or(&overlay.name)));
    let edit = Edit::set(item.field("count"), live.clone()).after(after_resources(&["name", "images"]));
    vec![overlay.edit(&[edit], "set in `replicas` of")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_fall_apart_as_kustomize_takes_them() {
        for (text, name, tag, digest) in [
            ("nginx", "nginx", None, None),
            ("nginx:1", "nginx", Some("1"), None),
            ("r.example.com:5000/a/b", "r.example.com:5000/a/b", None, None),
            ("r.example.com:5000/a/b:2", "r.example.com:5000/a/b", Some("2"), None),
            ("a@sha256:0", "a", None, Some("sha256:0")),
            ("a:1@sha256:0", "a", Some("1"), Some("sha256:0")),
        ] {
            assert_eq!(Image::of(text), Image { name, tag, digest }, "{text}");
        }
    }
}
