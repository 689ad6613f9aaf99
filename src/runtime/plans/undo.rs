//! Plans undos for the deck.

use super::NoPlan;
use crate::action::Planned;
use crate::action::journal::Entry;
use crate::action::recorded;
use crate::action::undo::{self, Inputs, UndoError};
use crate::deck::message::OpenSync;
use crate::deck::{PlanRequest, UndoRequest};
use crate::model::{Notice, Timestamp};
use crate::pipeline::acting;
use crate::runtime::Runtime;

/// How many syncs are offered.
const OFFERED: usize = 50;

/// Plans what undoes an action of the journal: the one that is asked for, else the only sync of the app in the cluster that
/// is not undone yet.
pub(super) async fn planned(runtime: &Runtime, request: &UndoRequest) -> Result<Planned, NoPlan> {
    let journal = runtime.journal.as_ref().ok_or_else(super::no_journal)?;
    let reached = super::reached(runtime, &PlanRequest::Undo(request.clone())).await?;
    let now = (runtime.clock)();
    let closed = acting::close_abandoned(&*reached.cluster, &reached.facts, journal, now).await;
    super::say_abandoned(runtime, closed).await?;
    let entries = journal.entries().map_err(|error| Notice::error(error.to_string()))?;
    let (app, context) = (&reached.id.app.name, &reached.cluster_status.context);
    let open = undo::open(&entries, app, &reached.facts.id);
    let entry = if let Some(id) = &request.action {
        undo::find(&entries, id).map_err(|error| no_plan(&error))?
    } else {
        match open.as_slice() {
            [] => {
                let none = format!("the journal has no sync of {app} on {context} that is not undone");
                return Err(Notice::error(none)
                    .hint("only what this driftdeck's user wrote is known")
                    .into());
            }
            [one] => one,
            several => return Err(NoPlan::Open(several.iter().take(OFFERED).map(|e| offered(e)).collect())),
        }
    };
    let inputs = Inputs {
        cluster: &*reached.cluster,
        journal,
        entry,
        protected: reached.cluster_status.protected,
        now,
    };
    undo::plan(&inputs).await.map_err(|error| no_plan(&error).into())
}

fn no_plan(error: &UndoError) -> Notice {
    Notice::error(error.to_string()).hinted(error.hint())
}

fn offered(entry: &Entry) -> OpenSync {
    let mut objects: Vec<String> = recorded::steps(entry)
        .into_iter()
        .filter(|step| step.outcome == "applied")
        .map(|step| step.object)
        .collect();
    objects.dedup();
    OpenSync {
        id: entry.id.clone(),
        time: entry.time.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        user: entry.user.clone(),
        objects,
    }
}
