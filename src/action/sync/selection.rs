//! Defines which objects of an app an action is about.

use crate::model::ResourceId;

/// Which objects an action is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Selection {
    /// The whole app.
    #[default]
    All,
    /// What is called so, as `--only` says.
    Only(Vec<Only>),
    /// What is ticked, or under the cursor.
    These(Vec<ResourceId>),
}

/// One `--only`: `KIND[.GROUP]/[NAMESPACE/]NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Only {
    kind: String,
    /// `None`: any group.
    group: Option<String>,
    /// `None`: any namespace, or none.
    namespace: Option<String>,
    name: String,
}

/// A text that is no `--only`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not name an object: KIND[.GROUP]/[NAMESPACE/]NAME, such as Deployment/shop/web")]
pub struct BadOnly {
    pub text: String,
}

impl std::str::FromStr for Only {
    type Err = BadOnly;

    fn from_str(text: &str) -> Result<Self, BadOnly> {
        let bad = || BadOnly { text: text.to_owned() };
        let mut parts = text.split('/');
        let (Some(kind), Some(second), third, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let (kind, group) = match kind.split_once('.') {
            Some((kind, group)) => (kind, Some(group.to_owned())),
            None => (kind, None),
        };
        let (namespace, name) = match third {
            Some(name) => (Some(second), name),
            None => (None, second),
        };
        if kind.is_empty() || name.is_empty() || namespace == Some("") || group.as_deref() == Some("") {
            return Err(bad());
        }
        Ok(Self {
            kind: kind.to_owned(),
            group,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Display for Only {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(group) = &self.group {
            write!(f, ".{group}")?;
        }
        f.write_str("/")?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

impl Only {
    /// Returns what means this object and no other kind of it.
    pub fn of(id: &ResourceId) -> Self {
        Self {
            kind: id.kind.kind.clone(),
            group: Some(id.kind.group.clone()).filter(|group| !group.is_empty()),
            namespace: id.namespace.clone(),
            name: id.name.clone().unwrap_or_default(),
        }
    }

    /// Returns whether an object is meant. Kinds are compared without case, as kubectl does.
    pub fn matches(&self, id: &ResourceId) -> bool {
        self.kind.eq_ignore_ascii_case(&id.kind.kind)
            && self.group.as_ref().is_none_or(|group| group.eq_ignore_ascii_case(&id.kind.group))
            && self.namespace.as_ref().is_none_or(|ns| id.namespace.as_ref() == Some(ns))
            && id.name.as_ref() == Some(&self.name)
    }
}

impl Selection {
    pub fn holds(&self, id: &ResourceId) -> bool {
        match self {
            Selection::All => true,
            Selection::Only(only) => only.iter().any(|o| o.matches(id)),
            Selection::These(ids) => ids.contains(id),
        }
    }

    /// Returns the first `--only` that means none of these objects.
    pub fn unmatched<'i>(&self, ids: &(impl Iterator<Item = &'i ResourceId> + Clone)) -> Option<&Only> {
        let Selection::Only(only) = self else { return None };
        only.iter().find(|o| !ids.clone().any(|id| o.matches(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, GroupKind, Identity};

    #[test]
    fn an_only_means_the_object_that_it_names() {
        let id = ResourceId::from(Identity {
            cluster: ClusterId("c".into()),
            kind: GroupKind::new("apps", "Deployment"),
            namespace: Some("shop".into()),
            name: Some("web".into()),
        });
        for (text, means) in [
            ("Deployment/web", true),
            ("deployment/shop/web", true),
            ("Deployment.apps/shop/web", true),
            ("Deployment.extensions/shop/web", false),
            ("Deployment/other/web", false),
            ("Deployment/shop/api", false),
        ] {
            let only: Only = text.parse().unwrap();
            assert_eq!(only.matches(&id), means, "{text}");
            assert_eq!(only.to_string(), text);
        }
        for text in ["", "Deployment", "Deployment/", "/web", "a/b/c/d", "D./x", "D//x"] {
            assert!(text.parse::<Only>().is_err(), "{text}");
        }
    }
}
