//! Compares two versions of an object that a watch showed, one after the other: which fields changed, and who changed them
//! as far as the versions' managed fields tell.
//!
//! Managed fields alone tell neither what was removed nor which of all that a manager owns it wrote last.

use super::managers::Managers;
use super::writes::{Fields, Written, is_kept_by_itself, is_of_status, who};
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::value::Map;
use crate::model::{FieldSet, LiveObject, ManagedEntry, Timestamp, Value, Who};
use std::collections::BTreeMap;

/// Fields of one change that are looked at.
const MOST: usize = 500;

/// Two versions of one object.
#[derive(Debug, Clone, Copy)]
pub struct Change<'o> {
    pub before: &'o LiveObject,
    pub after: &'o LiveObject,
    /// One write lies between them; else there may have been several.
    pub is_one: bool,
    /// When the later one was seen.
    pub seen: Timestamp,
}

/// Returns what a change consists of, one write for each writer: paths, and no values. `None` where nothing differs that
/// anybody asks for, neither a field nor who owns it.
///
/// Who set a field owns it since. Who removed one is not recorded: it counts as removed by the one who wrote something else
/// with it, where one write is all that there was. The time is that of the writer's entry where the write moved it, else
/// when the change was seen.
pub fn edits(change: Change<'_>, managers: &Managers) -> Option<Vec<Written>> {
    let Change { before, after, is_one, seen } = change;
    let mut differing = Differing::default();
    differing.walk(Some(&before.body), Some(&after.body), &mut FieldPath::root());
    let (was, is) = (entries(before), entries(after));
    let moved: Vec<bool> = is.iter().map(|entry| has_moved(entry, &was)).collect();
    if differing.count() == 0 {
        let same = moved.iter().all(|moved| !moved) && was.len() == is.len();
        return (!same).then(Vec::new);
    }
    let mut movers = moved.iter().enumerate().filter(|(_, moved)| **moved).map(|(at, _)| at);
    let sole = movers.next().filter(|_| movers.next().is_none() && is_one);
    let mut by_writer: BTreeMap<Option<usize>, Fields> = BTreeMap::new();
    for path in &differing.set {
        let owners = || is.iter().enumerate().filter(|(_, entry)| owns(&entry.fields, path));
        let mover = owners().find(|(at, _)| moved.get(*at) == Some(&true));
        let hidden = || owners().find(|(_, entry)| entry.time.is_none());
        let latest = || owners().max_by_key(|(_, entry)| entry.time);
        let writer = mover.or_else(hidden).or_else(latest).map(|(at, _)| at).or(sole);
        by_writer.entry(writer).or_default().add(path);
    }
    for path in &differing.removed {
        by_writer.entry(sole).or_default().add_removed(path);
    }
    let written = by_writer.into_iter().map(|(writer, fields)| {
        let entry = writer.and_then(|at| is.get(at));
        let time = entry.filter(|_| writer.and_then(|at| moved.get(at)) == Some(&true)).and_then(|e| e.time);
        fields.written(time.unwrap_or(seen), entry.map_or_else(Who::unknown, |entry| who(entry, managers)))
    });
    Some(written.collect())
}

/// The entries of all that is not the status.
fn entries(object: &LiveObject) -> Vec<&ManagedEntry> {
    object.managed.iter().flatten().filter(|entry| !is_of_status(entry)).collect()
}

/// Returns whether an entry is new, or has another time or other fields than before.
fn has_moved(entry: &ManagedEntry, was: &[&ManagedEntry]) -> bool {
    let same = |other: &&&ManagedEntry| {
        (&other.manager, other.operation, &other.subresource)
            == (&entry.manager, entry.operation, &entry.subresource)
    };
    was.iter().find(same).is_none_or(|was| {
        let mut gained = false;
        // What it lost was taken from it: only what it gained did it write.
        let mut look = |path: &FieldPath| gained |= !was.fields.owns(path);
        was.time != entry.time || {
            entry.fields.each(&mut look);
            gained
        }
    })
}

/// Returns whether a set holds a path, something under it, or a whole that it lies in.
fn owns(set: &FieldSet, path: &FieldPath) -> bool {
    let mut set = set;
    for segment in &path.0 {
        match set.children.get(segment) {
            Some(child) => set = child,
            None => return set.owned && set.children.is_empty(),
        }
    }
    true
}

/// The paths by which two versions differ.
#[derive(Default)]
struct Differing {
    set: Vec<FieldPath>,
    removed: Vec<FieldPath>,
}

impl Differing {
    fn count(&self) -> usize {
        self.set.len() + self.removed.len()
    }

    fn walk(&mut self, before: Option<&Value>, after: Option<&Value>, at: &mut FieldPath) {
        if before == after || is_kept_by_itself(&at.0) || self.count() >= MOST {
            return;
        }
        // An item that was put in or taken out as a whole is one thing, whatever it consists of.
        let is_item = matches!(at.0.last(), Some(Segment::Keys(_)));
        match (before, after) {
            (Some(Value::Map(before)), Some(Value::Map(after))) => {
                self.walk_fields(Some(before), Some(after), at);
            }
            (_, Some(Value::Map(after))) if !after.is_empty() && !is_item => {
                self.walk_fields(None, Some(after), at);
            }
            (Some(Value::Map(before)), None) if !before.is_empty() && !is_item => {
                self.walk_fields(Some(before), None, at);
            }
            (Some(Value::List(before)), Some(Value::List(after))) => {
                match (by_name(before), by_name(after)) {
                    (Some(before), Some(after)) => self.walk_items(&before, &after, at),
                    _ => self.set.push(at.clone()),
                }
            }
            (_, Some(_)) => self.set.push(at.clone()),
            (Some(_), None) => self.removed.push(at.clone()),
            (None, None) => {}
        }
    }

    fn walk_fields(&mut self, before: Option<&Map>, after: Option<&Map>, at: &mut FieldPath) {
        let get = |map: Option<&'_ Map>, name: &String| map.is_some_and(|map| map.contains_key(name));
        let gone = before.into_iter().flat_map(Map::keys).filter(|name| !get(after, name));
        for name in after.into_iter().flat_map(Map::keys).chain(gone) {
            at.0.push(Segment::Field(name.clone()));
            self.walk(before.and_then(|map| map.get(name)), after.and_then(|map| map.get(name)), at);
            at.0.pop();
        }
    }

    fn walk_items(&mut self, before: &Items<'_>, after: &Items<'_>, at: &mut FieldPath) {
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        for name in after.keys().chain(gone) {
            at.0.push(Segment::Keys(vec![("name".to_owned(), Scalar(Value::string(*name)))]));
            self.walk(before.get(name).copied(), after.get(name).copied(), at);
            at.0.pop();
        }
    }
}

type Items<'v> = BTreeMap<&'v str, &'v Value>;

/// Pairs the items of a list up by their names; `None` where they are not all named, each by another name.
fn by_name(list: &[Value]) -> Option<Items<'_>> {
    let items: Option<Items<'_>> = list.iter().map(|item| Some((item.str_at(&["name"])?, item))).collect();
    items.filter(|items| items.len() == list.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::model::value::Number;
    use crate::value;

    fn version(spec: Value, entries: Value) -> LiveObject {
        let mut object = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "name": "web", "namespace": "shop", "creationTimestamp": "2026-11-20T00:00:00Z"}});
        let map = object.as_map_mut().unwrap();
        map.insert("spec".to_owned(), spec);
        map.get_mut("metadata").unwrap().as_map_mut().unwrap().insert("managedFields".to_owned(), entries);
        LiveObject::read(&ClusterId("c".into()), object).unwrap()
    }

    fn entry(manager: &str, subresource: Option<&str>, time: Option<&str>, fields: Value) -> Value {
        let mut entry = value!({"apiVersion": "apps/v1", "operation": "Update", "fieldsType": "FieldsV1"});
        let map = entry.as_map_mut().unwrap();
        map.insert("manager".to_owned(), Value::string(manager));
        map.insert("fieldsV1".to_owned(), fields);
        for (name, text) in [("subresource", subresource), ("time", time)] {
            text.map(|text| map.insert(name.to_owned(), Value::string(text)));
        }
        entry
    }

    #[track_caller]
    fn tells(before: &LiveObject, after: &LiveObject, is_one: bool, expected: Option<&[&str]>) {
        let change = Change { before, after, is_one, seen: "2026-11-20T12:00:00Z".parse().unwrap() };
        let told = edits(change, &Managers::built_in());
        let line = |w: &Written| format!("{} {} by {}", w.at.strftime("%H:%M"), w.what, w.who.words());
        let told: Option<Vec<String>> = told.map(|told| told.iter().map(line).collect());
        let expected = expected.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_set_is_told_with_the_writer_that_owns_it_and_what_is_removed_is_told_as_removed() {
        let app = |limits: Value, env: Value| {
            let mut spec =
                value!({"replicas": 3, "template": {"containers": [{"name": "app"}, {"name": "b"}]}});
            let path = ["template", "containers"];
            let list = path.iter().try_fold(&mut spec, |v, name| v.as_map_mut()?.get_mut(*name)).unwrap();
            let Value::List(items) = list else { panic!("a list") };
            let map = items[0].as_map_mut().unwrap();
            map.insert("resources".to_owned(), value!({}));
            map.get_mut("resources").unwrap().as_map_mut().unwrap().insert("limits".to_owned(), limits);
            map.insert("env".to_owned(), env);
            spec
        };
        let owned = || value!({"f:spec": {"f:replicas": {}}});
        let deployer = || entry("kubectl-client-side-apply", None, Some("2026-11-20T08:00:00Z"), owned());
        let of = |entries: Vec<Value>| Value::List(entries);
        let full = || app(value!({"cpu": "1", "memory": "1Gi"}), value!([{"name": "A", "value": "1"}]));
        let before = version(full(), of(vec![deployer()]));
        let removed = app(value!({"memory": "1Gi"}), value!([]));
        let nobody = version(removed.clone(), of(vec![deployer()]));
        tells(&before, &nobody, true, Some(&["12:00 removed env A, removed limits cpu by not recorded"]));
        let somebody = entry("k9s", None, Some("2026-11-20T09:00:00Z"), value!({"f:spec": {"f:paused": {}}}));
        let mut paused = removed;
        paused.as_map_mut().unwrap().insert("paused".to_owned(), Value::Bool(true));
        let after = version(paused, of(vec![deployer(), somebody]));
        tells(
            &before,
            &after,
            true,
            Some(&["09:00 paused, removed env A, removed limits cpu by by hand, K9s"]),
        );
        tells(
            &before,
            &after,
            false,
            Some(&[
                "12:00 removed env A, removed limits cpu by not recorded",
                "09:00 paused by by hand, K9s",
            ]),
        );
        tells(&before, &before, true, None);
    }

    #[test]
    fn a_write_through_scale_is_told_when_it_was_seen_each_time() {
        let scaled = |replicas: i64, scaler: bool| {
            let mut spec = value!({});
            spec.as_map_mut().unwrap().insert("replicas".to_owned(), Value::Number(Number::Int(replicas)));
            let fields = || value!({"f:spec": {"f:replicas": {}}});
            let entry = if scaler {
                entry("kubectl", Some("scale"), None, fields())
            } else {
                entry("kubectl-create", None, Some("2026-11-20T08:00:00Z"), fields())
            };
            version(spec, Value::List(vec![entry]))
        };
        tells(&scaled(3, false), &scaled(6, true), true, Some(&["12:00 replicas by by hand, kubectl"]));
        tells(&scaled(6, true), &scaled(3, true), true, Some(&["12:00 replicas by by hand, kubectl"]));
    }
}
