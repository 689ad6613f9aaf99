//! Defines the nouns of driftdeck: plain values without I/O, async or a clock.
//!
//! Every room above speaks in these types, so that no two rooms need to import each other to understand each other.
//! The words are those of the design's glossary: repo, app, deployment, cluster, desired, live, revision, manifest,
//! drift, verdict, class, deployer, manager, plan, outcome, engine, notice.

pub mod app;
pub mod built_in;
pub mod change;
pub mod choosing;
pub mod cluster;
pub mod command;
pub mod commit_plan;
pub mod confirm;
mod exact;
pub mod fetched;
pub mod field;
pub mod field_path;
pub mod field_set;
pub mod file_edit;
pub mod glob;
pub mod happening;
pub mod health;
pub mod health_rule;
pub mod history;
pub mod hold;
pub mod id;
pub mod ignore;
pub mod key;
pub mod last_applied;
pub mod limits;
pub mod live;
pub mod manager;
pub mod manifest;
pub mod mark;
pub mod memory_tree;
pub mod notice;
pub mod overlaid;
mod owned_fields;
pub mod packed;
pub mod plan;
pub mod recorded;
pub mod revision;
pub mod running;
pub mod schema;
pub mod sealed;
pub mod selector;
pub mod status;
pub mod story;
pub mod text_diff;
pub mod tree;
pub mod update;
pub mod value;
pub mod verdict;

pub use app::{App, Engine, RenderSpec};
pub use built_in::{BuiltIn, BuiltIns};
pub use change::{Cause, Class, Declared, DeclaringCommit, FieldChange, Operation, Told, Writer};
pub use cluster::{ClusterFacts, Scope, ServedKind};
pub use command::{Command, Place};
pub use exact::{Disagreement, Exact};
pub use fetched::Fetched;
pub use field_path::{FieldPath, Segment};
pub use field_set::FieldSet;
pub use file_edit::{FileEdit, FileMode, FileState};
pub use glob::Glob;
pub use happening::{Blind, By, Happening, HappeningKind, Past, Where, Who};
pub use health::{Health, HealthStatus};
pub use health_rule::{HealthRule, KindPattern};
pub use history::{History, PastCommit, Signature};
pub use hold::{Automation, Hold};
pub use id::{
    AppId, ClusterId, DeploymentId, GroupKind, GroupVersionKind, Identity, Oid, RepoId, ResourceId,
};
pub use ignore::{IgnoreRule, Ignored};
pub use key::{Key, KeyCode};
pub use live::{LiveObject, ManagedEntry};
pub use manifest::{Manifest, Origin, Problem};
pub use mark::Mark;
pub use memory_tree::MemoryTree;
pub use notice::{Level, Notice};
pub use overlaid::Overlaid;
pub use owned_fields::OwnedFields;
pub use packed::Packed;
pub use plan::{Bound, Effect, LastApplied, Plan, Step, StepAction, StepOutcome, Way};
pub use revision::{Asked, Revision};
pub use running::Running;
pub use schema::Schema;
pub use sealed::{Opener, RunKey, Sealed};
pub use selector::Selector;
pub use story::Story;
pub use text_diff::TextDiff;
pub use tree::{Tree, TreeEntry, TreeError};
pub use value::{Map, Number, Value};
pub use verdict::{AsAt, Confidence, Counts, Hidden, Judgement, Verdict, Why};

/// A point in time. It is always passed in: only `shell`, `runtime` and `cli` read the clock.
pub use jiff::Timestamp;
