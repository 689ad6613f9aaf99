//! Drafts an ignore rule from a difference that somebody looks at, puts it into the repo's own file, and tells what it would
//! hide now.

use crate::config::ignore::{REPOSITORY_FILE, read_repository_file};
use crate::drift::IgnoreRules;
use crate::model::commit_plan::{Hidden, Reach};
use crate::model::status::ResourceStatus;
use crate::model::{
    BuiltIns, Class, FieldPath, FileEdit, FileState, IgnoreRule, LiveObject, Manifest, Notice, ResourceId,
    Segment, Tree, TreeError, Value, Verdict,
};
use crate::text::yaml::{Edit, edit, read_documents};
use std::sync::Arc;

/// A rule as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub resource: ResourceId,
    /// The field; the root: the whole object.
    pub path: FieldPath,
    pub reach: Reach,
    pub reason: Option<String>,
}

impl Draft {
    /// Returns what the rule is about, as people say it: `.spec.replicas of Deployment shop/web`.
    pub fn words(&self) -> String {
        let field = if self.path.is_root() { "the whole".to_owned() } else { format!("{} of", self.path) };
        match self.reach {
            Reach::Object => format!("{field} {}", self.resource),
            Reach::Kind => format!("{field} every {}", self.resource.kind),
            Reach::Path => format!("{field} every object"),
        }
    }

    /// Returns the rule as an item of the list `ignore`.
    fn item(&self) -> Value {
        let mut item = serde_json::Map::new();
        let mut put = |key: &str, value: &str| drop(item.insert(key.to_owned(), value.into()));
        if self.reach != Reach::Path {
            put("group", &self.resource.kind.group);
            put("kind", &self.resource.kind.kind);
        }
        if self.reach == Reach::Object {
            if let Some(namespace) = &self.resource.namespace {
                put("namespace", namespace);
            }
            if let Some(name) = &self.resource.name {
                put("name", name);
            }
        }
        if let Some(reason) = self.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
            put("reason", reason);
        }
        item.insert("fields".to_owned(), serde_json::json!([self.path.to_string()]));
        Value::from(serde_json::Value::Object(item))
    }

    /// Returns the change of the repo's own file, with the rule as it reads there.
    ///
    /// Errors: the file cannot be read or holds a mistake, or the rule would hide everything of every object.
    pub fn edit(&self, tree: &dyn Tree) -> Result<(FileEdit, Arc<IgnoreRule>), Box<Notice>> {
        if self.path.is_root() && self.reach == Reach::Path {
            return Err(Box::new(
                Notice::error("a rule for the whole of every object would hide everything")
                    .hint("say which kind, or which object"),
            ));
        }
        let failed = |why: String| {
            Box::new(
                Notice::error(format!("the ignore rule cannot be written: {why}"))
                    .file(REPOSITORY_FILE, None),
            )
        };
        let before = match tree.state(REPOSITORY_FILE) {
            Ok(before) => before,
            Err(TreeError::NotFound { .. }) => None,
            Err(error) => return Err(failed(error.to_string())),
        };
        let text = before.as_ref().map_or(&[][..], |state| &state.bytes);
        let (known, mistakes) = read_repository_file(text, REPOSITORY_FILE);
        if let Some(mistake) = mistakes.into_iter().next() {
            return Err(Box::new(mistake.hint("mend the file first: what stands in it is not known")));
        }
        let after = self.added(text, known.len()).map_err(failed)?;
        let (rules, mistakes) = read_repository_file(&after, REPOSITORY_FILE);
        match rules.last() {
            Some(rule) if mistakes.is_empty() && rules.len() == known.len() + 1 => {
                let after = before.as_ref().map_or_else(
                    || FileState::regular(after.as_slice()),
                    |state| state.with(after.as_slice()),
                );
                let edit = FileEdit { path: REPOSITORY_FILE.to_owned(), before, after: Some(after) };
                Ok((edit, rule.clone()))
            }
            _ => Err(failed("it would not read as it was meant".to_owned())),
        }
    }

    fn added(&self, text: &[u8], known: usize) -> Result<Vec<u8>, String> {
        let item = self.item();
        if read_documents(text).is_empty() {
            let whole = Value::from(serde_json::json!({"ignore": []}));
            let first = FieldPath::root().field("ignore");
            let written = crate::text::yaml::document(&whole, None);
            let list = Edit::set(first, Value::List(vec![item]));
            let written = edit(written.as_bytes(), 0, &[list]).map_err(|error| error.to_string())?;
            // What stands there is comments alone.
            let mut all = text.to_vec();
            if !all.is_empty() && !all.ends_with(b"\n") {
                all.push(b'\n');
            }
            all.extend(written);
            return Ok(all);
        }
        let list = FieldPath::root().field("ignore");
        let change = if known == 0 {
            Edit::set(list, Value::List(vec![item]))
        } else {
            Edit::set(list.join(Segment::Index(known)), item)
        };
        edit(text, 0, &[change]).map_err(|error| error.to_string())
    }
}

/// Something that differs, with both its sides.
pub struct Differing {
    /// The context of its cluster.
    pub context: String,
    pub status: ResourceStatus,
    pub desired: Option<Arc<Manifest>>,
    pub live: Option<LiveObject>,
}

/// Returns what a rule would hide of what differs and counts.
pub fn hides(rule: &Arc<IgnoreRule>, differing: &[Differing]) -> Vec<Hidden> {
    let rules = IgnoreRules::new(vec![rule.clone()], None, BuiltIns::default());
    let mut hidden = Vec::new();
    for one in differing {
        let mut push = |path: FieldPath, class: Class| {
            hidden.push(Hidden {
                app: one.status.deployment.app.name.clone(),
                context: one.context.clone(),
                resource: one.status.id.clone(),
                path,
                class,
            });
        };
        match (one.status.verdict(), &one.desired, &one.live) {
            (Verdict::Extra, _, Some(live)) if rules.hides_extra(live).is_some() => {
                push(FieldPath::root(), Class::Foreign);
            }
            (Verdict::Missing, Some(desired), _) if rules.hides_missing(desired).is_some() => {
                push(FieldPath::root(), Class::Deleted);
            }
            (Verdict::Drifted, Some(desired), live) => {
                let before = &one.status.judgement.changes;
                let mut changes = before.clone();
                rules.apply(desired, live.as_ref(), &mut changes);
                let gone =
                    before.iter().zip(&changes).filter(|(before, after)| before.counts && !after.counts);
                for (before, _) in gone {
                    push(before.path.clone(), before.class);
                }
            }
            _ => {}
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, GroupKind, Identity, MemoryTree};

    fn draft(path: &str, reach: Reach) -> Draft {
        let resource = ResourceId::from(Identity {
            cluster: ClusterId("c".into()),
            kind: GroupKind::new("apps", "Deployment"),
            namespace: Some("shop".into()),
            name: Some("web".into()),
        });
        Draft { resource, path: FieldPath::parse(path).unwrap(), reach, reason: None }
    }

    fn written(draft: &Draft, text: Option<&str>) -> Result<String, String> {
        let tree = match text {
            Some(text) => MemoryTree::default().file(REPOSITORY_FILE, text),
            None => MemoryTree::default(),
        };
        let (edit, rule) = draft.edit(&tree).map_err(|notice| notice.title)?;
        assert_eq!(rule.declared.file, REPOSITORY_FILE);
        Ok(String::from_utf8(edit.after.unwrap().bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_rule_goes_behind_those_that_are_there_and_nothing_else_moves() {
        let object =
            Draft { reason: Some("the autoscaler's".into()), ..draft(".spec.replicas", Reach::Object) };
        let item = "- kind: Deployment\n  name: web\n  fields:\n  - .spec.replicas\n  group: apps\n  namespace: shop\n  reason: the autoscaler's\n";
        let new = written(&object, None).unwrap();
        assert!(new.starts_with("ignore:\n"), "{new}");
        let before = "# ours\nignore:\n- kind: ConfigMap # all\n  fields: [.data]\n";
        assert_eq!(written(&object, Some(before)).unwrap(), format!("{before}{item}"));
        let comments = written(&object, Some("# nothing yet")).unwrap();
        assert!(comments.starts_with("# nothing yet\nignore:\n"), "{comments}");
    }

    #[test]
    fn it_reaches_as_far_as_is_asked() {
        let of = |reach| {
            let tree = MemoryTree::default();
            draft(r#".spec.template.spec.containers[name="app"].image"#, reach)
                .edit(&tree)
                .unwrap()
                .1
                .to_string()
        };
        let path = r#".spec.template.spec.containers[name="app"].image"#;
        assert_eq!(
            of(Reach::Object),
            format!("group apps, kind Deployment, namespace shop, name web, {path}")
        );
        assert_eq!(of(Reach::Kind), format!("group apps, kind Deployment, {path}"));
        assert_eq!(of(Reach::Path), path);
    }

    #[test]
    fn what_cannot_be_written_says_why() {
        let object = draft(".spec.replicas", Reach::Object);
        let said = written(&object, Some("ignore: [\n")).unwrap_err();
        assert!(said.contains("cannot be read"), "{said}");
        let said = written(&object, Some("ignore:\n- {felds: .}\n")).unwrap_err();
        assert!(said.contains("felds"), "{said}");
        let all = draft(".", Reach::Path);
        assert!(written(&all, None).unwrap_err().contains("everything"));
    }
}
