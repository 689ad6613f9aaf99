//! Defines which settings are in force while the file is edited, and what follows for clusters.

use super::read::{Broken, Doubt};
use super::settings::Settings;
use crate::model::Notice;
use std::sync::Arc;

/// The last good settings, and what is wrong with the file as it is now.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    settings: Arc<Settings>,
    broken: Option<Broken>,
    /// The settings were read without a mistake.
    was_good: bool,
}

/// What holds for a cluster that is reached by a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRules {
    /// The name for people: the configured one, else the context's.
    pub name: String,
    /// Writes want the context's name.
    pub protected: bool,
    pub read_only: bool,
    /// It is read-only because the configuration has a mistake that may concern it, not because it says so.
    pub doubtful: bool,
}

/// What production is called (DESIGN: contexts whose name contains one of these are protected).
const PRODUCTION: [&str; 3] = ["prod", "prd", "live"];

impl InForce {
    /// Takes what was read: good settings come into force, broken ones leave the last good ones there; where there were
    /// none, what can be read of the broken ones holds, so that a mistake never takes away what protects.
    pub fn offer(&mut self, read: Result<Settings, Broken>) {
        match read {
            Ok(settings) => {
                self.settings = Arc::new(settings);
                (self.broken, self.was_good) = (None, true);
            }
            Err(mut broken) => {
                let rest = std::mem::take(&mut broken.rest);
                if !self.was_good {
                    self.settings = Arc::new(*rest);
                }
                self.broken = Some(broken);
            }
        }
    }

    /// Returns whether a mistake may concern what is masked, and no good settings say it.
    pub fn masks_unknown(&self) -> bool {
        !self.was_good && self.broken.as_ref().is_some_and(|broken| broken.masks_unknown)
    }

    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Returns what is wrong with the file as it is now.
    pub fn notices(&self) -> &[Notice] {
        self.broken.as_ref().map_or(&[], |broken| &broken.notices)
    }

    /// Returns what holds for a context.
    pub fn cluster(&self, context: &str) -> ClusterRules {
        let setting = self.settings.cluster(context);
        let doubtful = match self.broken.as_ref().map(|broken| &broken.doubt) {
            None => false,
            Some(Doubt::Everything) => true,
            Some(Doubt::Contexts(contexts)) => contexts.contains(context),
        };
        ClusterRules {
            name: setting.and_then(|s| s.name.clone()).unwrap_or_else(|| context.to_owned()),
            protected: setting.and_then(|s| s.protected).unwrap_or_else(|| looks_like_production(context)),
            read_only: doubtful || setting.is_some_and(|s| s.read_only),
            doubtful,
        }
    }
}

fn looks_like_production(context: &str) -> bool {
    let context = context.to_ascii_lowercase();
    PRODUCTION.iter().any(|word| context.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_mistake_at_the_start_takes_away_nothing_that_protects() {
        let mut in_force = InForce::default();
        in_force.offer(read(
            "clusters:\n- {context: a, read-only: true}\n- {context: b, protected: true}\nsecrets: {mask: [level]}\nmanagers: [{name: x, is: persn}]\n",
        ));
        assert_eq!(in_force.notices().len(), 1);
        assert!(in_force.cluster("a").read_only && in_force.cluster("b").protected);
        assert_eq!(in_force.settings().secrets.mask.len(), 1);
        assert!(!in_force.masks_unknown() && !in_force.cluster("c").read_only);
    }

    #[test]
    fn a_mistake_in_a_rule_makes_everything_read_only_and_one_in_masks_shows_nothing() {
        for (text, read_only, masks_unknown) in [
            (
                "ignore:\n- {kind: Deployment, name: web, fields: [.spec.replicas]}\n- {kind: X, feilds: [.a]}\n",
                true,
                false,
            ),
            ("ignor:\n- {kind: X, fields: [.a]}\n", true, false),
            ("secrets: {maks: [level]}\n", false, true),
            ("secret: {mask: [level]}\n", false, true),
            ("secrets: {mask: [level]\n", true, true),
            ("themes: dark\n", false, false),
        ] {
            let mut in_force = InForce::default();
            in_force.offer(read(text));
            assert_ne!(in_force.notices(), [], "{text}");
            assert_eq!(
                (in_force.cluster("a").read_only, in_force.masks_unknown()),
                (read_only, masks_unknown),
                "{text}"
            );
        }
    }

    fn read(text: &str) -> Result<Settings, Broken> {
        Settings::read(text, Path::new("/home/ana/config.yaml"), None)
    }

    #[test]
    fn contexts_that_sound_like_production_are_protected_until_told_otherwise() {
        let mut in_force = InForce::default();
        for (context, protected) in [
            ("prod-eu", true),
            ("eu-PRD-1", true),
            ("shop.live", true),
            ("staging", false),
            ("kind-test", false),
        ] {
            assert_eq!(in_force.cluster(context).protected, protected, "{context}");
        }
        in_force.offer(read(
            "clusters:\n- {context: prod-eu, protected: false}\n- {context: kind-test, protected: true}\n",
        ));
        assert_eq!(
            (in_force.cluster("prod-eu").protected, in_force.cluster("kind-test").protected),
            (false, true)
        );
    }

    #[test]
    fn a_broken_file_leaves_the_last_good_one_in_force_and_doubtful_clusters_read_only() {
        let mut in_force = InForce::default();
        in_force.offer(read(
            "theme: light\nclusters:\n- {context: a, name: Alpha}\n- {context: b, read-only: true}\n",
        ));
        in_force.offer(read(
            "theme: dark\nclusters:\n- {context: a, protcted: true}\n- {context: b, read-only: true}\n",
        ));
        assert_eq!(in_force.settings().theme.as_deref(), Some("light"));
        assert_eq!(in_force.notices().len(), 1);
        let rules = |name: &str, read_only, doubtful| ClusterRules {
            name: name.into(),
            protected: false,
            read_only,
            doubtful,
        };
        assert_eq!(in_force.cluster("a"), rules("Alpha", true, true));
        assert_eq!(in_force.cluster("b"), rules("b", true, false));
        assert_eq!(in_force.cluster("c"), rules("c", false, false));
        in_force.offer(read("theme: dark\nclusters: [\n"));
        assert_eq!(in_force.cluster("c"), rules("c", true, true));
        in_force.offer(read("theme: dark\n"));
        assert_eq!((in_force.cluster("a"), in_force.notices()), (rules("a", false, false), [].as_slice()));
    }
}
