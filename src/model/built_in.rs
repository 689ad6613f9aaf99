//! Defines the few rules by which differences do not count unless the user says otherwise. Each has a name, can be listed,
//! and can be switched off.

/// One built-in rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuiltIn {
    TrackingMarks,
    ServerMarks,
    RolloutRestart,
    InjectedCertificates,
    AggregatedRoles,
    ActiveAutoscaler,
    Hooks,
    EngineAnnotations,
}

impl BuiltIn {
    /// Every rule, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::TrackingMarks,
        Self::ServerMarks,
        Self::RolloutRestart,
        Self::InjectedCertificates,
        Self::AggregatedRoles,
        Self::ActiveAutoscaler,
        Self::Hooks,
        Self::EngineAnnotations,
    ];

    /// Returns the name by which it is switched off.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrackingMarks => "tracking-marks",
            Self::ServerMarks => "server-marks",
            Self::RolloutRestart => "rollout-restart",
            Self::InjectedCertificates => "injected-certificates",
            Self::AggregatedRoles => "aggregated-roles",
            Self::ActiveAutoscaler => "active-autoscaler",
            Self::Hooks => "hooks",
            Self::EngineAnnotations => "engine-annotations",
        }
    }

    /// Returns what it hides, as a sentence without its full stop.
    pub fn hides(self) -> &'static str {
        match self {
            Self::TrackingMarks => {
                "labels and annotations by which deployers track objects, where Git does not declare them"
            }
            Self::ServerMarks => "annotations that the server and its controllers keep for themselves",
            Self::RolloutRestart => "the annotation that kubectl rollout restart writes",
            Self::InjectedCertificates => {
                "caBundle, where Git declares none or a placeholder and a controller fills it in"
            }
            Self::AggregatedRoles => "rules of a ClusterRole that is aggregated from others",
            Self::ActiveAutoscaler => "declared replicas and resources that an active autoscaler sets",
            Self::Hooks => "objects that their annotations make hooks of Helm or Argo CD",
            Self::EngineAnnotations => {
                "objects that annotations of Argo CD, Flux or kustomize tell deployers to leave alone"
            }
        }
    }

    /// Returns the rule of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// Which built-in rules hold: all, unless some are switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BuiltIns {
    off: u16,
}

impl BuiltIns {
    /// All rules hold.
    pub const ALL: Self = Self { off: 0 };

    /// All rules but these hold.
    pub fn without(off: &[BuiltIn]) -> Self {
        Self { off: off.iter().fold(0, |bits, rule| bits | 1 << *rule as u16) }
    }

    pub fn holds(self, rule: BuiltIn) -> bool {
        self.off & (1 << rule as u16) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_own_name_and_switch() {
        for rule in BuiltIn::ALL {
            assert_eq!(BuiltIn::named(rule.name()), Some(rule));
            let rest = BuiltIns::without(&[rule]);
            let holding = BuiltIn::ALL.into_iter().filter(|r| rest.holds(*r)).count();
            assert!(!rest.holds(rule) && holding == BuiltIn::ALL.len() - 1);
        }
    }
}
