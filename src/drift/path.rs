//! Defines where a walk stands: borrowed steps, turned into a path only where something differs.

use super::types::{Typed, Types};
use crate::model::field_path::Scalar;
use crate::model::{FieldPath, Segment, Value};

/// One step of a walk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Field(&'a str),
    /// An item of a keyed list.
    Keyed {
        item: &'a Value,
        keys: &'a [String],
        typed: Typed<'a>,
    },
    /// An item of a set.
    Member(&'a Value),
    /// An item of a list without keys.
    Index(usize),
}

/// The steps from the root, each with the item's position in the declared list where it has one.
#[derive(Debug, Default)]
pub(super) struct Steps<'a>(Vec<(Step<'a>, Option<usize>)>);

impl<'a> Steps<'a> {
    pub fn push(&mut self, step: Step<'a>) {
        self.0.push((step, None));
    }

    /// Steps onto an item that Git declares at this position of its list.
    pub fn push_item(&mut self, step: Step<'a>, declared_at: Option<usize>) {
        self.0.push((step, declared_at));
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Returns the plain field names up to the first step that is none.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.0.iter().map_while(|(step, _)| if let Step::Field(name) = step { Some(*name) } else { None })
    }

    /// Returns all field names on the way.
    pub fn all_fields(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.0.iter().filter_map(|(step, _)| if let Step::Field(name) = step { Some(*name) } else { None })
    }

    /// Returns whether the walk stands exactly at these fields.
    pub fn are(&self, names: &[&str]) -> bool {
        self.0.len() == names.len() && self.fields().eq(names.iter().copied())
    }

    /// Returns whether the walk stands under these fields, or at them.
    pub fn start_with(&self, names: &[&str]) -> bool {
        self.0.len() >= names.len() && self.fields().take(names.len()).eq(names.iter().copied())
    }

    /// Returns the field above the last step.
    pub fn parent_field(&self) -> Option<&'a str> {
        match self.0.len().checked_sub(2).and_then(|at| self.0.get(at)) {
            Some((Step::Field(name), _)) => Some(name),
            _ => None,
        }
    }

    /// Builds the path.
    pub fn path(&self, types: &Types<'a>) -> FieldPath {
        FieldPath(self.0.iter().map(|(step, _)| segment(step, types)).collect())
    }

    /// Returns the keys and list positions by which the source's lines are found.
    pub fn raw(&self) -> Vec<String> {
        self.0
            .iter()
            .map_while(|(step, declared_at)| match step {
                Step::Field(name) => Some((*name).to_owned()),
                Step::Index(at) => Some(declared_at.unwrap_or(*at).to_string()),
                _ => declared_at.map(|at| at.to_string()),
            })
            .collect()
    }
}

fn segment<'a>(step: &Step<'a>, types: &Types<'a>) -> Segment {
    match step {
        Step::Field(name) => Segment::Field((*name).to_owned()),
        Step::Index(at) => Segment::Index(*at),
        Step::Member(value) => Segment::Item(Scalar((*value).clone())),
        Step::Keyed { item, keys, typed } => {
            let mut pairs: Vec<(String, Scalar)> = keys
                .iter()
                .filter_map(|key| {
                    Some((key.clone(), Scalar(super::keyed::key_value(types, *typed, item, key)?)))
                })
                .collect();
            pairs.sort();
            Segment::Keys(pairs)
        }
    }
}
