//! Defines when a cluster is asked for its schema: when a kind is watched that was not before, and again where the answer lacks
//! one.

use super::{Conductor, Event};
use crate::cluster::ClusterError;
use crate::model::update::Update;
use crate::model::{Notice, Schema, Timestamp};
use crate::pipeline::admission;
use std::sync::Arc;
use std::time::Duration;

/// After how many seconds a schema is asked for again that knows nothing of a watched kind.
const SCHEMA_AGAIN: [u64; 6] = [1, 2, 5, 10, 30, 60];

impl Conductor {
    /// Asks for the schema of the kinds that are watched.
    pub(super) fn ask_schema(&mut self, at: usize) {
        let Some(cluster) = self.setup.clusters.get(at).map(|c| c.cluster.clone()) else { return };
        let (Some(line), Some(entry)) = (self.lines.get_mut(at), self.world.clusters.get_mut(at)) else {
            return;
        };
        let kinds = line.kinds.iter().cloned().collect();
        line.definitions_moved = false;
        line.schema_questions += 1;
        let question = line.schema_questions;
        entry.schema_awaited = Some(question);
        let facts = entry.facts.clone();
        self.spawn(async move {
            let (answer, admission) = tokio::join!(cluster.schema(kinds), admission::read(&*cluster, facts));
            Event::Schema { at, question, answer, admission }
        });
    }

    pub(super) fn take_schema(
        &mut self,
        at: usize,
        question: u64,
        answer: Result<Arc<Schema>, ClusterError>,
        now: Timestamp,
    ) {
        if let (Err(error), Some(setup)) = (&answer, self.setup.clusters.get(at)) {
            self.world.tell(Update::Notice(
                Notice::warning(format!("{} gives no schema", setup.cluster.name()))
                    .cause(error.to_string())
                    .hint("the built-in schema is used; verdicts may need a dry run to be sure"),
            ));
        }
        self.world.set_schema(at, question, answer.ok(), now);
        self.ask_for_the_rest(at);
    }

    /// Asks again, a few times and less and less often, where the schema knows nothing of a watched kind: the documents
    /// follow what is served a moment later, and some servers publish none.
    fn ask_for_the_rest(&mut self, at: usize) {
        let (Some(entry), Some(line)) = (self.world.clusters.get(at), self.lines.get_mut(at)) else { return };
        let without = entry.without_schema();
        if !self.setup.follow || without.is_empty() {
            return;
        }
        if line.without_schema.0 != without {
            line.without_schema = (without, 0);
        }
        let Some(pause) = SCHEMA_AGAIN.get(line.without_schema.1).copied() else { return };
        line.without_schema.1 += 1;
        self.spawn(async move {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            Event::SchemaWanted { at }
        });
    }
}
