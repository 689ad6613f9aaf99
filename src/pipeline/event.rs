//! Reads the events that a cluster keeps about its objects.

use crate::model::story::Event;
use crate::model::{GroupKind, Identity, LiveObject, ResourceId, Timestamp, Value};
use crate::text::redact;

/// Reads an event from its body; what it does not say is empty, and it happened once. Lines of its message that look like
/// a secret are hidden.
///
/// Of a series the last occurrence counts.
pub fn read_event(body: &Value) -> Event {
    let text = |path: &[&str]| body.str_at(path).unwrap_or_default().to_owned();
    let time = |field: &str| body.str_at(&[field])?.parse::<Timestamp>().ok();
    let count = body
        .get("count")
        .and_then(|count| if let Value::Number(n) = count { n.to_string().parse().ok() } else { None });
    let last = body.str_at(&["series", "lastObservedTime"]).and_then(|time| time.parse().ok());
    let by = [text(&["reportingComponent"]), text(&["source", "component"])];
    Event {
        at: last
            .or_else(|| time("lastTimestamp"))
            .or_else(|| time("eventTime"))
            .or_else(|| time("firstTimestamp")),
        warning: body.str_at(&["type"]) == Some("Warning"),
        reason: text(&["reason"]),
        message: text(&["message"]).lines().map(redact::line).collect::<Vec<_>>().join(" "),
        by: by.into_iter().find(|by| !by.is_empty()).unwrap_or_default(),
        count: count.unwrap_or(1),
    }
}

/// Returns the object that an event is about; what it does not say is empty.
pub fn regarding(event: &LiveObject) -> ResourceId {
    let about = |field: &str| {
        let said = event.body.str_at(&["involvedObject", field]).filter(|text| !text.is_empty());
        said.map(str::to_owned)
    };
    let group = about("apiVersion").and_then(|v| v.split_once('/').map(|(group, _)| group.to_owned()));
    ResourceId::from(Identity {
        cluster: event.id.cluster.clone(),
        kind: GroupKind::new(group.unwrap_or_default(), about("kind").unwrap_or_default()),
        namespace: about("namespace"),
        name: about("name"),
    })
}
