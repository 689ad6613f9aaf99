//! Defines Argo CD's side: its Applications, and the switch of their automated sync.

use super::hold::Switch;
use crate::model::{FieldPath, GroupKind, LiveObject, Value};

/// Where Applications are unless a mark says otherwise.
pub const NAMESPACE: &str = "argocd";

pub fn application() -> GroupKind {
    GroupKind::new("argoproj.io", "Application")
}

/// Returns the place of the policy that makes an Application sync by itself.
pub fn automated() -> FieldPath {
    FieldPath::fields(&["spec", "syncPolicy", "automated"])
}

/// Returns the place of its switch, which versions before 3.1 do not know.
pub fn enabled() -> FieldPath {
    FieldPath::fields(&["spec", "syncPolicy", "automated", "enabled"])
}

/// Reads whether an Application syncs by itself; `None`: it has no policy to do so.
///
/// Source: Argo CD, `pkg/apis/application/v1alpha1/types.go`, `SyncPolicyAutomated`: where `enabled` is absent it counts as
/// true.
pub fn switch(application: &LiveObject) -> Option<Switch> {
    let policy =
        application.body.at(&["spec", "syncPolicy", "automated"]).filter(|policy| !policy.is_null())?;
    let off = policy.get("enabled").and_then(Value::as_bool) == Some(false);
    Some(if off { Switch::Off } else { Switch::On })
}
