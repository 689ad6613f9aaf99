//! Reads dumped objects (`kubectl get -o yaml`) as a cluster without a writer.

use super::{Clock, Offline};
use crate::model::{ClusterId, Value};

/// Makes a read-only cluster of dumped objects. Lists (`kind: List`, `PodList`) are taken apart; what has no kind or no
/// name is left out.
///
/// `path` is where the dump lies: its name, and its identity.
pub fn of_objects(path: &str, clock: Clock, objects: impl IntoIterator<Item = Value>) -> Offline {
    let mut builder =
        Offline::builder(path, clock).id(ClusterId(format!("snapshot:{path}").into())).read_only();
    for object in objects {
        for object in flattened(object) {
            builder = builder.object(&object);
        }
    }
    builder.build()
}

/// Takes a list apart; items that lack apiVersion and kind take them from the list, as a server's own lists need it.
pub fn flattened(object: Value) -> Vec<Value> {
    let list_kind = object.str_at(&["kind"]).and_then(|kind| kind.strip_suffix("List")).map(str::to_owned);
    let api_version = object.get("apiVersion").cloned();
    let (Some(item_kind), Value::Map(mut fields)) = (list_kind, object.clone()) else { return vec![object] };
    let Some(Value::List(items)) = fields.remove("items") else { return vec![object] };
    let complete = |mut item: Value| {
        if let Value::Map(fields) = &mut item
            && !item_kind.is_empty()
        {
            fields.entry("kind".into()).or_insert_with(|| Value::string(&item_kind));
            if let Some(api_version) = &api_version {
                fields.entry("apiVersion".into()).or_insert_with(|| api_version.clone());
            }
        }
        item
    };
    items.into_iter().map(complete).flat_map(flattened).collect()
}
