//! Defines what the API server fills in where Git is silent, as a tree beside the schema.
//!
//! The published schema holds only a handful of defaults; the rest are in the server's defaulting code, and some values
//! are allocated. What a server filled into minimal objects is in `assets/defaults-1.36.txt`, which
//! `tests/control-plane/defaults` writes; what follows from other fields, and what no server tells, is in
//! `assets/defaults.txt`, whose first lines say how both are written. Where both speak of a field, the second wins.

mod rule;

pub(super) use rule::Rule;

use crate::model::GroupKind;
// The names are all our own: nobody can choose ones that collide, and every field of every object is looked up here.
use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// What is known of one field.
#[derive(Debug, Clone, Default)]
pub(super) struct Fact {
    pub rules: Vec<Rule>,
    /// Zero means unset here, although the field's name is one of the pointers.
    pub zero_is_unset: bool,
    /// The order of a list's items has no meaning.
    pub unordered: bool,
    /// The value is the server's own only as long as no person wrote it.
    pub unless_by_a_person: bool,
    /// What lies below.
    pub below: Option<usize>,
}

/// What is known of the fields of one part.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    fields: HashMap<String, Fact, FixedState>,
    /// Of every key of a map.
    every: Option<Box<Fact>>,
    items: Option<usize>,
}

/// What was learned from a server, and the rules that no server tells.
const TEXTS: [&str; 2] =
    [include_str!("../../assets/defaults-1.36.txt"), include_str!("../../assets/defaults.txt")];

/// The table.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    parts: Vec<Part>,
    kinds: HashMap<GroupKind, usize>,
    pointers: HashSet<String, FixedState>,
    presence: HashSet<String, FixedState>,
}

impl Defaults {
    /// Returns the built-in table.
    pub fn built_in() -> &'static Self {
        static TABLE: OnceLock<Defaults> = OnceLock::new();
        TABLE.get_or_init(|| Self::read(&TEXTS))
    }

    /// Returns what is known of a kind's objects.
    pub fn kind(&self, kind: &GroupKind) -> Option<&Part> {
        self.kinds.get(kind).and_then(|at| self.parts.get(*at))
    }

    /// Returns what lies below a field.
    pub fn below(&self, fact: &Fact) -> Option<&Part> {
        fact.below.and_then(|at| self.parts.get(at))
    }

    /// Returns what is known of the items of a list.
    pub fn items(&self, list: &Part) -> Option<&Part> {
        list.items.and_then(|at| self.parts.get(at))
    }

    /// Returns whether zero, `false` and `""` are values of their own in a field, because it is a pointer in the API's types.
    pub fn zero_is_a_value(&self, name: &str, fact: Option<&Fact>) -> bool {
        !fact.is_some_and(|f| f.zero_is_unset) && self.pointers.contains(name)
    }

    /// Returns whether a part means something by being there, empty or not.
    pub fn present_matters(&self, name: &str) -> bool {
        self.presence.contains(name)
    }

    /// Reads texts of which a later one wins. All parts that kinds share are read before the kinds that use them.
    fn read(texts: &[&str]) -> Self {
        let mut table = Self::default();
        let mut types: HashMap<String, usize> = HashMap::new();
        let mut at = table.part();
        for kinds in [false, true] {
            for text in texts {
                let mut inside = false;
                for line in text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
                    let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
                    if line.starts_with(' ') {
                        if inside {
                            table.fact(at, word, rest, &mut types);
                        }
                        continue;
                    }
                    inside = (word == "kind") == kinds;
                    match word {
                        _ if !inside => {}
                        "kind" => at = table.kind_part(rest),
                        "type" => at = table.type_part(rest, &mut types),
                        "pointer" => table.pointers.extend(rest.split_whitespace().map(str::to_owned)),
                        "present" => table.presence.extend(rest.split_whitespace().map(str::to_owned)),
                        _ => {}
                    }
                }
            }
        }
        table
    }

    fn kind_part(&mut self, name: &str) -> usize {
        let (kind, group) = name.split_once('.').unwrap_or((name, ""));
        let kind = GroupKind::new(group, kind);
        if let Some(at) = self.kinds.get(&kind) {
            return *at;
        }
        let at = self.part();
        self.kinds.insert(kind, at);
        at
    }

    fn part(&mut self) -> usize {
        self.parts.push(Part::default());
        self.parts.len() - 1
    }

    fn type_part(&mut self, name: &str, types: &mut HashMap<String, usize>) -> usize {
        if let Some(at) = types.get(name) {
            return *at;
        }
        let at = self.part();
        types.insert(name.to_owned(), at);
        at
    }

    /// Adds one line below the part `at`.
    fn fact(&mut self, mut at: usize, path: &str, rest: &str, types: &mut HashMap<String, usize>) {
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let (name, is_list) = step.strip_suffix("[]").map_or((step, false), |name| (name, true));
            let last = steps.peek().is_none();
            if last && !is_list {
                let (rest, link) = linked(rest);
                let below = link.map(|name| self.type_part(name, types));
                if let Some(fact) = self.parts.get_mut(at).map(|part| match name {
                    "*" => &mut **part.every.get_or_insert_default(),
                    name => part.fields.entry(name.to_owned()).or_default(),
                }) {
                    fact.below = below.or(fact.below);
                    fact.set(rest);
                    // What is computed has no fixed values in it, whatever was seen there once.
                    if below.is_none() && fact.rules.iter().any(Rule::is_computed) {
                        fact.below = None;
                    }
                }
                return;
            }
            let field = self.descend(at, name);
            at = field;
            if is_list {
                if last && let Some(name) = linked(rest).1 {
                    let part = self.type_part(name, types);
                    if let Some(list) = self.parts.get_mut(at) {
                        list.items = Some(part);
                    }
                    return;
                }
                at = self.items_of(at);
            }
        }
    }

    /// Returns the part below a field. Parts that several kinds share are copied before a kind adds to them.
    fn descend(&mut self, at: usize, name: &str) -> usize {
        let found = self.parts.get(at).and_then(|p| p.fields.get(name)).and_then(|f| f.below);
        let below = match found {
            Some(shared) => {
                let copy = self.parts.get(shared).cloned().unwrap_or_default();
                self.parts.push(copy);
                self.parts.len() - 1
            }
            None => self.part(),
        };
        if let Some(part) = self.parts.get_mut(at) {
            part.fields.entry(name.to_owned()).or_default().below = Some(below);
        }
        below
    }

    fn items_of(&mut self, at: usize) -> usize {
        let found = self.parts.get(at).and_then(|p| p.items);
        let below = match found {
            Some(shared) => {
                let copy = self.parts.get(shared).cloned().unwrap_or_default();
                self.parts.push(copy);
                self.parts.len() - 1
            }
            None => self.part(),
        };
        if let Some(part) = self.parts.get_mut(at) {
            part.items = Some(below);
        }
        below
    }
}

impl Part {
    /// Returns what is known of a field; of a key of a map, what is known of every key.
    pub fn field(&self, name: &str) -> Option<&Fact> {
        self.fields.get(name).or(self.every.as_deref())
    }
}

impl Fact {
    fn set(&mut self, text: &str) {
        let mut text = text.trim();
        while let Some((rest, flag)) = text.rsplit_once('!') {
            match flag.trim() {
                "zero" => self.zero_is_unset = true,
                "unordered" => self.unordered = true,
                "person" => self.unless_by_a_person = true,
                _ => break,
            }
            text = rest.trim();
        }
        if !text.is_empty() {
            self.rules = text.split(" | ").filter_map(|rule| Rule::read(rule.trim())).collect();
        }
    }
}

/// Splits `RULES : TYPE`.
fn linked(text: &str) -> (&str, Option<&str>) {
    match text.trim().rsplit_once(": ") {
        Some((rules, name)) if !name.contains(['"', '}', ']']) => (rules.trim(), Some(name.trim())),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn at<'d>(table: &'d Defaults, kind: &GroupKind, path: &[&str]) -> Option<&'d Fact> {
        let (last, steps) = path.split_last()?;
        let mut part = table.kind(kind)?;
        for step in steps {
            part = if *step == "[]" { table.items(part)? } else { table.below(part.field(step)?)? };
        }
        part.field(last)
    }

    #[test]
    fn every_line_of_the_built_in_table_is_understood() {
        for line in TEXTS.iter().flat_map(|text| text.lines()).filter(|l| l.starts_with("  ")) {
            let (_, rest) = line.trim().split_once(' ').unwrap();
            let (rules, link) = linked(rest);
            let mut fact = Fact::default();
            fact.set(rules);
            let rules = rules.split('!').next().unwrap().trim();
            let alternatives = if rules.is_empty() { 0 } else { rules.split(" | ").count() };
            assert_eq!(fact.rules.len(), alternatives, "{line}");
            assert!(alternatives > 0 || link.is_some() || line.contains('!'), "{line}");
        }
    }

    #[test]
    fn a_pod_template_has_the_same_facts_in_every_kind() {
        let table = Defaults::built_in();
        let inside = ["spec", "template", "spec", "containers", "[]", "livenessProbe", "httpGet", "scheme"];
        for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
            let fact = at(table, &GroupKind::new("apps", kind), &inside).unwrap();
            assert_eq!(fact.rules, [Rule::Literal(value!("HTTP"))]);
        }
        let replicas = at(table, &GroupKind::new("apps", "Deployment"), &["spec", "replicas"]).unwrap();
        assert_eq!(replicas.rules, [Rule::Literal(value!(1))]);
    }

    #[test]
    fn what_a_kind_adds_to_a_shared_part_stays_with_the_kind() {
        let table = Defaults::built_in();
        let pod = at(table, &GroupKind::new("", "Pod"), &["spec", "nodeName"]);
        assert_eq!(pod.unwrap().rules, [Rule::Allocated]);
        let path = ["spec", "template", "spec", "nodeName"];
        assert!(at(table, &GroupKind::new("apps", "Deployment"), &path).is_none());
    }

    #[test]
    fn zero_is_a_value_of_pointers_only() {
        let table = Defaults::built_in();
        assert!(table.zero_is_a_value("replicas", None));
        assert!(!table.zero_is_a_value("hostNetwork", None));
        let probe = ["spec", "containers", "[]", "livenessProbe", "timeoutSeconds"];
        let fact = at(table, &GroupKind::new("", "Pod"), &probe);
        assert!(!table.zero_is_a_value("timeoutSeconds", fact));
    }
}
