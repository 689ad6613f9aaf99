//! Defines the way from a plan of a commit to its outcome, which every headless command that commits goes: the plan is
//! printed, what is not answered yet is asked, the commit is made.

use crate::action::commit::{self, MakeError};
use crate::action::sync::Only;
use crate::cli::acting::{can_ask, failed, prompt};
use crate::cli::arguments::{CommitArguments, Options};
use crate::cli::commit_plan::{to_json, to_text};
use crate::cli::document::worst_first;
use crate::cli::gather::Gathered;
use crate::cli::output::{Format, Output};
use crate::cli::report::Style;
use crate::cli::{Exit, Failed, check, now, opening, stdin, written};
use crate::model::commit_plan::{CommitAction, CommitPlan, Publish};
use crate::model::{DeploymentId, Notice, ResourceId, StepOutcome};
use crate::pipeline::committer::Committer;
use crate::pipeline::committing::{Wanted, What, prepare};
use crate::pipeline::history::Ground;
use crate::pipeline::opening::system_clock;
use crate::pipeline::run::Handle;
use std::io::Write as _;
use tokio_util::sync::CancellationToken;

/// Compares every app of the places. Returns nothing if it was cancelled.
pub async fn looked(
    places: &[String],
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Option<(Gathered, Handle)>, Failed> {
    tokio::select! {
        looked = check::gather(places, options, output) => looked.map(Some),
        () = cancel.cancelled() => Ok(None),
    }
}

/// Returns the objects of a deployment that one `--only` means; at least one.
pub fn meant(gathered: &Gathered, of: &DeploymentId, only: &Only) -> Result<Vec<ResourceId>, Failed> {
    let resources = gathered.resources.get(of).into_iter().flat_map(|resources| resources.keys());
    let meant: Vec<ResourceId> = resources.filter(|id| only.matches(id)).cloned().collect();
    if meant.is_empty() {
        let notice = Notice::error(format!("{} has no {only}", of.app.name));
        return Err(Box::new(notice.hint("driftdeck diff lists what differs")));
    }
    Ok(meant)
}

/// What a command commits, and how it was asked for.
pub struct Committing<'a> {
    pub asked: &'a CommitArguments,
    pub options: &'a Options,
    pub output: &'a Output,
    pub cancel: &'a CancellationToken,
}

impl Committing<'_> {
    /// Returns what is wanted, as the options say it.
    pub fn wanted(&self, what: What) -> Wanted {
        Wanted {
            publish: match (self.asked.push, self.asked.pull_request) {
                (_, true) => Publish::PullRequest,
                (true, false) => Publish::Push,
                (false, false) => Publish::No,
            },
            dirty: self.asked.dirty,
            message: self.asked.message.clone(),
            ..Wanted::new(what)
        }
    }

    /// Plans the commit, has it confirmed, and makes it.
    pub async fn run(
        &self,
        handle: &Handle,
        ground: &Ground,
        wanted: &Wanted,
        mut said: Vec<Notice>,
    ) -> Result<Exit, Failed> {
        let git = Committer::default().git().await.map_err(Box::new)?;
        let journal = opening::journal()?;
        said.extend(commit::close_abandoned(&journal, now()).map_err(|error| failed(&error, None))?);
        let prepared = tokio::select! {
            prepared = prepare(handle, ground, &git, wanted, now(), self.cancel) => prepared?,
            () = self.cancel.cancelled() => return Ok(Exit::Interrupted),
        };
        worst_first(&mut said);
        let plan = &prepared.plan;
        if self.asked.dry_run || plan.steps.is_empty() {
            self.print(plan, &said)?;
            return Ok(Exit::Success);
        }
        match self.confirmed(plan).await? {
            Confirmed::Yes => {}
            Confirmed::No(why) => {
                said.insert(0, why);
                self.print(plan, &said)?;
                return Ok(Exit::Failure);
            }
            Confirmed::Interrupted => return Ok(Exit::Interrupted),
        }
        let done = match prepared.carry_out(&git, &journal, &system_clock(), self.cancel).await {
            Ok(done) => done,
            Err(error @ (MakeError::Moved(_) | MakeError::Overtaken(_))) => {
                said.push(
                    Notice::error(format!("nothing was written: {error}")).hint("this is the new plan"),
                );
                let anew = prepare(handle, ground, &git, wanted, now(), self.cancel).await?;
                self.print(&anew.plan, &said)?;
                return Ok(Exit::Failure);
            }
            Err(error) => return Err(failed(&error, None)),
        };
        said.extend(done.notices.iter().cloned());
        self.print(&done, &said)?;
        Ok(exit(&done, self.cancel))
    }

    async fn confirmed(&self, plan: &CommitPlan) -> Result<Confirmed, Failed> {
        let open = plan.unanswered(&self.asked.confirm);
        let sure = open.is_none() && (self.asked.yes || plan.asks.is_some());
        if !sure && !can_ask(self.output) {
            let wants = match open {
                Some(ask) => format!("it wants --confirm {} ({})", ask.words.join(" or "), ask.why),
                None => "it wants --yes".to_owned(),
            };
            let why = Notice::error("nothing was written: the plan is not confirmed").hint(wants);
            return Ok(Confirmed::No(why));
        }
        if self.output.format == Format::Text {
            let mut stderr = std::io::stderr().lock();
            // Nobody can be told that stderr is closed.
            let _ = stderr.write_all(to_text(plan, self.style()).as_bytes()).and_then(|()| stderr.flush());
        }
        if !sure {
            let question = match open {
                Some(ask) => format!("{}; type {} to go on: ", ask.why, ask.words.join(" or ")),
                None => "commit this? [y/N] ".to_owned(),
            };
            let asking = stdin::apart(move || prompt(&question));
            let typed = tokio::select! {
                typed = asking => typed?,
                () = self.cancel.cancelled() => return Ok(Confirmed::Interrupted),
            };
            let is_answered = match open {
                Some(ask) => ask.words.contains(&typed),
                None => ["y", "yes"].contains(&typed.to_lowercase().as_str()),
            };
            if !is_answered {
                return Err(Box::new(Notice::error("nothing was written")));
            }
        }
        Ok(if self.cancel.is_cancelled() { Confirmed::Interrupted } else { Confirmed::Yes })
    }

    fn print(&self, plan: &CommitPlan, said: &[Notice]) -> Result<(), Failed> {
        self.output.notices(said);
        written(self.output.document(|| to_json(plan, said), || to_text(plan, self.style())))
    }

    fn style(&self) -> Style {
        Style::of(self.output, self.options)
    }
}

enum Confirmed {
    Yes,
    /// There is nobody who could be asked.
    No(Notice),
    Interrupted,
}

/// Returns the exit code for a plan that was carried out.
fn exit(plan: &CommitPlan, cancel: &CancellationToken) -> Exit {
    let done = plan.steps.iter().all(|step| match step.outcome {
        StepOutcome::Applied | StepOutcome::Unchanged => true,
        // Without a token a person opens the request, at the link that is given.
        StepOutcome::Skipped(_) => step.action == CommitAction::PullRequest && plan.request.is_some(),
        _ => false,
    });
    match (done, cancel.is_cancelled()) {
        (true, _) => Exit::Success,
        (false, true) => Exit::Interrupted,
        (false, false) => Exit::Failure,
    }
}
