//! Defines a plan that was made of what a cluster holds, with what carrying it out needs.

use crate::model::{Plan, Schema};
use std::sync::Arc;

/// A plan, and the schema with which it is to be carried out.
pub struct Planned {
    pub plan: Plan,
    pub schema: Arc<Schema>,
}
