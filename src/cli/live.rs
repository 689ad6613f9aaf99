//! Defines the way from a plan that was made of what a cluster holds alone (undo, hold, resume) to its outcome: the plan is
//! printed, what is not answered yet is asked, and the steps are written. There is no verdict to wait for.

use crate::action::{ExecuteError, Planned};
use crate::cli::acting::{Asked, confirmed, exit_of_plan, failed, tell};
use crate::cli::arguments::Options;
use crate::cli::output::Output;
use crate::cli::plan::{to_json, to_text};
use crate::cli::report::Style;
use crate::cli::{Exit, Failed, written};
use crate::model::{Notice, Plan};
use crate::pipeline::acting::{Place, carry_out_live};
use crate::pipeline::opening::system_clock;
use tokio_util::sync::CancellationToken;

/// How a command that writes was asked for.
pub struct Live<'a> {
    /// The name of the command.
    pub command: &'static str,
    /// Stops after the plan.
    pub dry_run: bool,
    /// What the question is answered with beforehand.
    pub yes: bool,
    pub confirm: &'a [String],
    pub options: &'a Options,
    pub output: &'a Output,
    pub cancel: &'a CancellationToken,
}

impl Live<'_> {
    /// Goes on from a plan. `said` is what is to be told beside it; `again` plans once more, if something has moved.
    pub async fn carry_out(
        &self,
        planned: Planned,
        mut said: Vec<Notice>,
        place: Place<'_>,
        again: impl Future<Output = Result<Plan, Failed>>,
    ) -> Result<Exit, Failed> {
        let plan = &planned.plan;
        if self.dry_run || plan.ticked().next().is_none() {
            self.show(plan, &said)?;
            let impossible = plan.steps.is_empty() && !plan.will_not.is_empty();
            return Ok(if impossible { Exit::Failure } else { exit_of_plan(plan, None) });
        }
        let asked = confirmed(plan, self.yes, self.confirm, self.style(), self.output, self.cancel).await?;
        let answers = match asked {
            Asked::Answers(answers) => answers,
            Asked::Unconfirmed(why) => {
                said.insert(0, why);
                self.show(plan, &said)?;
                return Ok(Exit::Failure);
            }
            Asked::Interrupted => return Ok(Exit::Interrupted),
        };
        let clock = system_clock();
        let mut progress = |plan: &Plan| tell(plan, self.output);
        let done = carry_out_live(planned, place, &clock, &answers, self.cancel, &mut progress).await;
        let done = match done {
            Err(error @ ExecuteError::Moved { .. }) => {
                said.push(
                    Notice::error(format!("nothing was written: {error}")).hint("this is the new plan"),
                );
                self.show(&again.await?, &said)?;
                return Ok(Exit::Failure);
            }
            done => done.map_err(|error| failed(&error, None))?,
        };
        said.extend(done.notices.iter().cloned());
        self.show(&done, &said)?;
        Ok(if self.cancel.is_cancelled() { Exit::Interrupted } else { exit_of_plan(&done, None) })
    }

    fn show(&self, plan: &Plan, said: &[Notice]) -> Result<(), Failed> {
        self.output.notices(said);
        let document = || to_json(self.command, Some(plan), None, said);
        written(self.output.document(document, || to_text(plan, self.style())))
    }

    fn style(&self) -> Style {
        Style::of(self.output, self.options)
    }
}
