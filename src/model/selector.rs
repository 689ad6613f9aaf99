//! Defines a selection of objects by their labels.
//!
//! Source of the operators and of how they are written in a query: "Labels and Selectors" of the Kubernetes API.

use super::value::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Which labels an object must have; all of the requirements must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    wants: Wants,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wants {
    /// One of these values, and so that the key is there.
    OneOf(BTreeSet<String>),
    /// None of these values; the key may be absent.
    NoneOf(BTreeSet<String>),
    Present,
    Absent,
}

impl Selector {
    /// Reads a `selector`: `matchLabels` and `matchExpressions`, or plain labels as a Service has them. `None` where it
    /// selects nothing that could be said in a query: empty, or with an operator that is not known.
    pub fn read(selector: &Value) -> Option<Self> {
        let fields = selector.as_map()?;
        let is_plain = !fields.keys().any(|key| matches!(key.as_str(), "matchLabels" | "matchExpressions"));
        let labels = if is_plain { Some(selector) } else { fields.get("matchLabels") };
        let labels = labels.and_then(Value::as_map).into_iter().flatten();
        let mut requirements = labels
            .map(|(key, value)| {
                let wants = Wants::OneOf(BTreeSet::from([value.as_str()?.to_owned()]));
                Some(Requirement { key: key.clone(), wants })
            })
            .collect::<Option<Vec<_>>>()?;
        let expressions = fields.get("matchExpressions").filter(|_| !is_plain).and_then(Value::as_list);
        for expression in expressions.unwrap_or_default() {
            requirements.push(Requirement::read(expression)?);
        }
        (!requirements.is_empty()).then_some(Self(requirements))
    }

    /// Returns whether labels (a map of texts, or none at all) are selected.
    pub fn selects(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|requirement| {
            let label = labels.and_then(|labels| labels.str_at(&[&requirement.key]));
            match &requirement.wants {
                Wants::OneOf(values) => label.is_some_and(|label| values.contains(label)),
                Wants::NoneOf(values) => label.is_none_or(|label| !values.contains(label)),
                Wants::Present => label.is_some(),
                Wants::Absent => label.is_none(),
            }
        })
    }
}

impl Requirement {
    fn read(expression: &Value) -> Option<Self> {
        let values = || {
            let values = expression.get("values").and_then(Value::as_list)?.iter();
            values.map(|value| value.as_str().map(str::to_owned)).collect::<Option<BTreeSet<_>>>()
        };
        let wants = match expression.str_at(&["operator"])? {
            "In" => Wants::OneOf(values()?),
            "NotIn" => Wants::NoneOf(values()?),
            "Exists" => Wants::Present,
            "DoesNotExist" => Wants::Absent,
            _ => return None,
        };
        Some(Self { key: expression.str_at(&["key"])?.to_owned(), wants })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Requirement { key, wants }) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            let list = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(",");
            match wants {
                Wants::OneOf(values) => write!(f, "{key} in ({})", list(values))?,
                Wants::NoneOf(values) => write!(f, "{key} notin ({})", list(values))?,
                Wants::Present => f.write_str(key)?,
                Wants::Absent => write!(f, "!{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn a_selector_is_written_as_a_query_and_picks_the_same_labels() {
        let cases = [
            (
                value!({"app": "web"}),
                "app in (web)",
                value!({"app": "web", "x": "y"}),
                value!({"app": "api"}),
            ),
            (
                value!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["b", "a"]}]}),
                "app in (web),tier notin (a,b)",
                value!({"app": "web"}),
                value!({"app": "web", "tier": "a"}),
            ),
            (
                value!({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]}),
                "a,!b",
                value!({"a": ""}),
                value!({"a": "", "b": ""}),
            ),
            (
                value!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "y"]}]}),
                "a in (x,y)",
                value!({"a": "y"}),
                value!({}),
            ),
        ];
        for (selector, query, selected, passed_over) in cases {
            let selector = Selector::read(&selector).unwrap();
            assert_eq!(selector.to_string(), query);
            assert!(selector.selects(Some(&selected)), "{query}");
            assert!(!selector.selects(Some(&passed_over)), "{query}");
        }
    }

    #[test]
    fn what_selects_nothing_in_particular_is_no_selector() {
        for selector in [
            value!({}),
            value!({"matchLabels": {}}),
            value!({"app": 1}),
            value!({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}),
            value!("app=web"),
        ] {
            assert_eq!(Selector::read(&selector), None);
        }
    }
}
