//! Asks the API server unasked, within a budget, about objects whose verdict only it can settle.

use super::{Conductor, Event};
use crate::action::exact::is_about;
use crate::model::{DeploymentId, ResourceId};
use crate::pipeline::exact::Asking;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// An object that was asked about, and still needs it, is asked about again after this time.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Returns what ticks as often as an object may be asked about; none: never.
pub(super) fn budget(a_minute: u32) -> Option<Interval> {
    let every = Duration::from_secs(60).checked_div(a_minute)?;
    let mut budget = tokio::time::interval(every);
    budget.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(budget)
}

/// Waits until an object may be asked about; for ever without a budget.
pub(super) async fn due(budget: &mut Option<Interval>) {
    match budget {
        Some(budget) => {
            budget.tick().await;
        }
        None => std::future::pending().await,
    }
}

impl Conductor {
    /// Asks about the next object that needs it, if there is one, and nothing else is asked about unasked: a server that
    /// asks to wait is waited for.
    pub(super) fn ask_unasked(&mut self) {
        if self.asking_unasked.as_ref().is_some_and(|asking| !asking.is_finished()) {
            return;
        }
        let Some((deployment, resource)) = self.needs_exact() else { return };
        let Some(work) = self.exact(&deployment, &[resource]) else { return };
        let asking = self.spawn(async move {
            let answer = Asking::of(work).next().await.map(Box::new);
            Event::Exact { deployment, answer }
        });
        self.asking_unasked = Some(asking);
    }

    fn needs_exact(&self) -> Option<(DeploymentId, ResourceId)> {
        let now = (self.setup.clock)();
        self.world.deployments.iter().find_map(|(id, deployment)| {
            let was_asked = |resource: &ResourceId| {
                deployment.answers.get(resource).is_some_and(|answer| now.duration_since(answer.at) < AGAIN)
            };
            let needs = deployment.statuses.values().find(|status| {
                status.judgement.needs_exact.is_some() && is_about(status.verdict()) && !was_asked(&status.id)
            });
            Some((id.clone(), needs?.id.clone()))
        })
    }
}
