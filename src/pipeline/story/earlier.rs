//! Tells what a field was declared with before: the values at its place in the versions of the file that sets it.
//!
//! A version is only told where it is certain that it speaks of the same field: the document is found by the kind, name
//! and namespace of the object (a kustomization, a list of patch operations and a chart's values by being alone in their
//! file), and the value by the path that leads to it now. Where that is not certain, nothing of that version or of those
//! before it is told. Objects are sealed as they are everywhere else.

use super::{Inputs, declaring};
use crate::model::story::EarlierValue;
use crate::model::{FieldChange, FieldPath, Manifest, Origin, Told, Value, field};
use crate::render::{self, Place, Unclear};
use crate::text::redact;
use crate::text::yaml::read_documents;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Versions of a file that are looked through.
const VERSIONS: usize = 50;
/// Earlier values of a field that are told.
const EARLIER: usize = 8;

/// Returns what a field was declared with before, newest first, and whether there may be more. Blocks on the disk.
pub(super) fn earlier(
    inputs: &Inputs,
    manifest: &Manifest,
    change: &FieldChange,
    place: &Place,
    stop: &CancellationToken,
) -> (Vec<EarlierValue>, bool) {
    told(inputs, manifest, change, place, stop).unwrap_or_default()
}

fn told(
    inputs: &Inputs,
    manifest: &Manifest,
    change: &FieldChange,
    place: &Place,
    stop: &CancellationToken,
) -> Option<(Vec<EarlierValue>, bool)> {
    let (commit_now, origin) = (inputs.revision.commit.as_ref()?, change.origin.as_ref()?);
    let text = Zeroizing::new(inputs.tree.read(&origin.file).ok()?);
    let field = Field::of(&text, origin, manifest, place, &change.path)?;
    let now = field.value_in(&text).ok()??;
    let (versions, mut more) = inputs.repo.versions(&origin.file, commit_now, VERSIONS, stop);
    let mut values = Vec::with_capacity(versions.len());
    for version in &versions {
        let Ok(value) = field.value_in(&version.text) else {
            more = true;
            break;
        };
        values.push(value);
    }
    let mut told = Vec::new();
    for (at, (value, version)) in values.iter().zip(&versions).enumerate() {
        // The commit that made it so is the oldest of those that have it in a row.
        let made = match values.get(at + 1) {
            Some(before) => before != value,
            None => !more,
        };
        if made {
            let commit = declaring::commit(&version.since, Told::Line);
            told.push(EarlierValue { commit, value: value.clone() });
        }
    }
    // The first is what is declared now, unless that is not committed.
    let newest_is_now = told.first().is_some_and(|first| first.value.as_ref() == Some(&now));
    let told: Vec<EarlierValue> = told.into_iter().skip(usize::from(newest_is_now)).collect();
    let cut = told.len() > EARLIER;
    Some((told.into_iter().take(EARLIER).collect(), more || cut))
}

/// A field as it is found again in any version of the file that sets it.
enum Field<'a> {
    /// It stands in the object, or in a patch of it, at its own path.
    Own { object: Named, path: &'a FieldPath },
    /// It is set at another path.
    At { path: &'a FieldPath, literal: Option<&'a str> },
}

/// What a document says that it is.
#[derive(Debug, PartialEq)]
struct Named {
    kind: Option<String>,
    namespace: Option<String>,
    name: String,
}

impl Named {
    /// Returns what an object is called; `None` where it has no name.
    fn of(object: &Value) -> Option<Self> {
        let text = |path: &[&str]| object.str_at(path).filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Self {
            kind: text(&["kind"]),
            namespace: text(&["metadata", "namespace"]),
            name: text(&["metadata", "name"])?,
        })
    }

    /// Returns whether it is the same object; a namespace may be left out.
    fn is(&self, other: &Self) -> bool {
        let spaces = self.namespace.as_ref().zip(other.namespace.as_ref());
        self.kind == other.kind && self.name == other.name && spaces.is_none_or(|(one, other)| one == other)
    }
}

impl<'a> Field<'a> {
    /// Returns the field that a file sets now; `None` where it is not clear which object of the file that is.
    fn of(
        text: &[u8],
        origin: &Origin,
        manifest: &Manifest,
        place: &'a Place,
        path: &'a FieldPath,
    ) -> Option<Self> {
        if let Place::At { path, literal } = place {
            return Some(Self::At { path, literal: literal.as_deref() });
        }
        let all = render::objects(text)?;
        let mut here: Vec<_> =
            all.iter().filter(|(document, _)| *document == origin.document).map(|(_, body)| body).collect();
        if here.len() > 1 {
            // The items of a list: they are declared under the names that they have in the cluster.
            let Manifest { kind, id, .. } = manifest;
            here.retain(|body| {
                body.str_at(&["kind"]) == Some(&kind.kind)
                    && body.str_at(&["metadata", "name"]) == id.name.as_deref()
                    && [None, id.namespace.as_deref()].contains(&body.str_at(&["metadata", "namespace"]))
            });
        }
        match here.as_slice() {
            [only] => Some(Self::Own { object: Named::of(only)?, path }),
            _ => None,
        }
    }

    /// Returns its value in a version of the file; none where it was not declared.
    fn value_in(&self, text: &[u8]) -> Result<Option<Value>, Unclear> {
        match self {
            Self::Own { object, path } => {
                let all = render::objects(text).ok_or(Unclear)?;
                let named = || all.iter().filter_map(|(_, body)| Some((body, Named::of(body)?)));
                let mut same: Vec<_> = named().filter(|(_, named)| named.is(object)).collect();
                if same.len() > 1 {
                    same.retain(|(_, named)| named == object);
                }
                match same.as_slice() {
                    [] if named().any(|(_, named)| named.is(object)) => Err(Unclear),
                    [] => Ok(None),
                    [(body, _)] => Ok(field::at(body, path).cloned()),
                    _ => Err(Unclear),
                }
            }
            Self::At { path, literal } => {
                let documents: Vec<_> =
                    read_documents(text).into_iter().collect::<Result<_, _>>().map_err(|_| Unclear)?;
                let found = match documents.as_slice() {
                    [] => None,
                    [only] => render::find(&only.value, path, *literal)?,
                    _ => return Err(Unclear),
                };
                // What is named as a secret where it is set is one, whatever the field is called.
                match found {
                    Some(value) if redact::hides(&value, path) => Err(Unclear),
                    found => Ok(found),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, GroupVersionKind, Identity, ResourceId};
    use crate::value;

    const PATH: &str = ".data.level";

    fn manifest(kind: &str, name: &str) -> Manifest {
        let kind = GroupVersionKind::from_api_version("v1", kind);
        let identity = Identity {
            cluster: ClusterId("c".into()),
            kind: kind.group_kind(),
            namespace: Some("shop".into()),
            name: Some(name.into()),
        };
        Manifest {
            id: ResourceId::from(identity),
            kind,
            body: Value::Null,
            origin: Origin::default(),
            problems: Vec::new(),
            lines: crate::model::manifest::BodyLines::default(),
            overlay: None,
        }
    }

    fn map(name: &str, level: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{level: {level}, more: [x]}}\n"
        )
    }

    /// What another version of a file says of the level of the object `web`, whose document now is this one.
    fn then(now: &str, document: usize, then: &str, place: &Place) -> Result<Option<Value>, Unclear> {
        let (path, web) = (FieldPath::parse(PATH).unwrap(), manifest("ConfigMap", "web"));
        let origin = Origin { file: "f".into(), document, line: Some(1) };
        let field = Field::of(now.as_bytes(), &origin, &web, place, &path).ok_or(Unclear)?;
        assert_eq!(field.value_in(now.as_bytes()), Ok(Some(value!("now"))), "{now}");
        field.value_in(then.as_bytes())
    }

    #[test]
    fn a_value_is_that_of_the_same_object_however_the_file_is_written() {
        let two = |first: String, second: String| format!("{first}---\n# nothing\n---\n{second}");
        let now = two(map("web", "now"), map("db", "other"));
        let json = |level: &str| {
            format!(
                r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"web"}},"data":{{"level":"{level}","z":"last"}}}}"#
            )
        };
        let list = |items: &[&str]| {
            let items: Vec<String> = items
                .iter()
                .map(|name| format!("  {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{level: {}}}}}", if *name == "web" { "now" } else { "other" }))
                .collect();
            format!("apiVersion: v1\nkind: List\nitems: [\n{}\n]\n", items.join(",\n"))
        };
        let old = Ok(Some(value!("old")));
        for (what, now, document, before, expected) in [
            ("one line", json("now"), 0, json("old"), old.clone()),
            ("flow", map("web", "now"), 0, map("web", "old"), old.clone()),
            (
                "another is put before",
                now.clone(),
                0,
                two(map("db", "other"), map("web", "old")),
                old.clone(),
            ),
            ("one was before", two(map("db", "x"), map("web", "now")), 2, map("web", "old"), old.clone()),
            ("only another was there", now.clone(), 0, map("db", "other"), Ok(None)),
            ("not declared", now.clone(), 0, map("web", "old").replace("level", "mode"), Ok(None)),
            ("of another kind", now.clone(), 0, map("web", "old").replace("ConfigMap", "Service"), Ok(None)),
            ("twice", now.clone(), 0, two(map("web", "a"), map("web", "b")), Err(Unclear)),
            ("unreadable", now.clone(), 0, format!("{}---\na: [\n", map("web", "old")), Err(Unclear)),
            ("in a list", list(&["db", "web"]), 0, list(&["web"]).replace("now", "old"), old.clone()),
        ] {
            assert_eq!(then(&now, document, &before, &Place::Own), expected, "{what}");
        }
        let named = |namespace: &str, level: &str| {
            map("web", level).replace("web}", &format!("web, namespace: {namespace}}}"))
        };
        let both = two(named("a", "other"), named("shop", "old"));
        assert_eq!(then(&named("shop", "now"), 0, &both, &Place::Own), old);
        assert_eq!(then(&named("shop", "now"), 0, &named("a", "other"), &Place::Own), Ok(None));
        assert_eq!(then(&named("shop", "now"), 0, &map("web", "old"), &Place::Own), old);
    }

    #[test]
    fn what_a_kustomization_or_values_set_is_found_by_name() {
        let at = |path: &str, literal: Option<&str>| Place::At {
            path: FieldPath::parse(path).unwrap(),
            literal: literal.map(str::to_owned),
        };
        let level = at(r#".configMapGenerator[name="web"].literals"#, Some("level"));
        let generators = |items: &[(&str, &str)]| {
            let items = items
                .iter()
                .map(|(name, level)| format!("- {{name: {name}, literals: [a=b, \"level={level}\"]}}\n"));
            format!("configMapGenerator:\n{}", items.collect::<String>())
        };
        let image = at(r#".images[name="web"].newTag"#, None);
        let label = at(".labels[0].pairs.level", None);
        let operation = at(r#"[path="/data/level"].value"#, None);
        let values = at(".log.level", None);
        let old = Ok(Some(value!("old")));
        for (place, now, before, expected) in [
            (
                &level,
                generators(&[("web", "now")]),
                generators(&[("db", "x"), ("web", "'old'")]),
                old.clone(),
            ),
            (
                &level,
                generators(&[("web", "now")]),
                format!("kind: Kustomization\n{}", generators(&[("web", "old")])),
                old.clone(),
            ),
            (&level, generators(&[("web", "now")]), generators(&[("db", "x")]), Ok(None)),
            (&level, generators(&[("web", "now")]), generators(&[("web", "x"), ("web", "y")]), Err(Unclear)),
            (
                &image,
                "images: [{name: web, newTag: now}]".into(),
                "images: [{name: db, newTag: x}, {name: web, newTag: old}]".into(),
                old.clone(),
            ),
            (
                &label,
                "labels: [{pairs: {level: now}}]".into(),
                "labels: [{pairs: {a: b}}, {pairs: {level: old}}]".into(),
                old.clone(),
            ),
            (
                &label,
                "labels: [{pairs: {level: now}}]".into(),
                "labels: [{pairs: {level: x}}, {pairs: {level: y}}]".into(),
                Err(Unclear),
            ),
            (
                &operation,
                "[{op: add, path: /data/level, value: now}]".into(),
                "[{op: add, path: /data/a, value: x}, {op: add, path: /data/level, value: old}]".into(),
                old.clone(),
            ),
            (&values, "log: {level: now}".into(), "log: {level: old, z: 1}".into(), old.clone()),
            (
                &values,
                "log: {level: now}".into(),
                "log: {level: old}\n---\nlog: {level: x}".into(),
                Err(Unclear),
            ),
            (&values, "log: {level: now}".into(), String::new(), Ok(None)),
            (&values, "log: {level: now}".into(), "log: {level: {password: hunter2}}".into(), Err(Unclear)),
        ] {
            assert_eq!(then(&now, 0, &before, place), expected, "{now} {before}");
        }
    }

    #[test]
    fn what_an_old_secret_held_is_sealed() {
        let text = |value: &str| {
            format!(
                r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"db","labels":{{"team":"a"}}}},"stringData":{{"db":"{value}"}}}}"#
            )
        };
        let db = manifest("Secret", "db");
        let origin = Origin { file: "f".into(), document: 0, line: Some(1) };
        for (path, told) in [(".metadata.labels.team", "\"a\""), (".stringData", "sealed")] {
            let path = FieldPath::parse(path).unwrap();
            let field = Field::of(text("new").as_bytes(), &origin, &db, &Place::Own, &path).unwrap();
            let value = format!("{:?}", field.value_in(text("hunter2").as_bytes()));
            assert!(value.contains(told) && !value.contains("hunter2"), "{value}");
        }
    }
}
