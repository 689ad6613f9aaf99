//! Defines the way from a plan to its outcome, which every headless command that writes goes: the plan is printed, what
//! is not answered yet is asked, the steps are written, and the verdict is waited for.

use crate::action::confirm::{self, Ask};
use crate::action::journal::Journal;
use crate::action::sync::{Options as SyncOptions, Selection};
use crate::cli::arguments::Options;
use crate::cli::document::worst_first;
use crate::cli::gather::Gathered;
use crate::cli::output::{Format, Output};
use crate::cli::plan::{to_json, to_text};
use crate::cli::report::Style;
use crate::cli::{Exit, Failed, check, now, opening, stdin, written};
use crate::model::{DeploymentId, Notice, Plan, StepOutcome, Verdict};
use crate::pipeline::acting;
use crate::pipeline::run::{Deployed, Handle, start};
use crate::pipeline::setup::Clock;
use serde_json::{Value as Json, json};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the verdict is waited for after a sync, unless `--timeout` says otherwise.
const VERDICT_TIME: Duration = Duration::from_secs(30);

/// How a command that writes was asked for.
pub struct Acting<'a> {
    /// The name of the command.
    pub command: &'static str,
    pub places: &'a [String],
    /// What the question is answered with beforehand.
    pub yes: bool,
    pub confirm: &'a [String],
    /// Stops after the plan.
    pub dry_run: bool,
    pub no_wait: bool,
    pub options: &'a Options,
    pub output: &'a Output,
    /// When it is cancelled, nothing more is begun: before the first write the command ends at once, afterwards with
    /// the outcomes.
    pub cancel: &'a CancellationToken,
}

/// Everything as it was compared, before anything is planned.
pub struct Ground {
    pub gathered: Gathered,
    pub handle: Handle,
    journal: Journal,
    clock: Clock,
}

/// A plan with what it was planned from.
pub struct Planned {
    pub plan: Plan,
    pub sync: SyncOptions,
}

impl Ground {
    /// Compares every app of the places, so that what another app declares is never taken for an extra of this one.
    /// Returns nothing if it was cancelled.
    pub async fn look(app: &str, how: &Acting<'_>) -> Result<Option<Self>, Failed> {
        let everything = Options { apps: Vec::new(), ..how.options.clone() };
        let mut opened = opening::open(how.places, &everything, false)?;
        opened.setup.expected = vec![app.to_owned()];
        let (journal, clock) = (opening::journal()?, opened.setup.clock.clone());
        let mut gathered = Gathered::default();
        gathered.notices.extend(opened.notices);
        let (handle, mut updates) = start(opened.setup);
        tokio::select! {
            () = gathered.until_settled(&mut updates, how.options.timeout, how.output) => {}
            () = how.cancel.cancelled() => return Ok(None),
        }
        if !gathered.settled {
            return Err(Box::new(
                Notice::error("not everything was compared in time; nothing was written")
                    .hint("allow more with --timeout"),
            ));
        }
        Ok(Some(Self { gathered, handle, journal, clock }))
    }

    /// Returns a deployment with all that is needed to plan.
    pub async fn deployed(&self, id: DeploymentId) -> Result<Deployed, Failed> {
        let notices = self.gathered.deployments.get(&id).map(|d| d.notices.clone()).unwrap_or_default();
        let not_there = || Notice::error("the app could not be rendered or its cluster not reached");
        let app = id.app.name.clone();
        let deployed = self.handle.deployed(id).await;
        let deployed =
            deployed.ok_or_else(|| Box::new(notices.into_iter().next().unwrap_or_else(not_there)))?;
        if deployed.manifests.is_empty() && !deployed.complete {
            // There is nothing to write because nothing is known of what to write.
            let why = deployed.render_notices.first().cloned();
            let unknown = || Notice::error(format!("{app} could not be rendered"));
            return Err(Box::new(why.unwrap_or_else(unknown)));
        }
        Ok(deployed)
    }

    /// Returns what is to be said before a plan, with what became of writes that a killed driftdeck left under way.
    pub async fn said(&self, deployed: &Deployed) -> Result<Vec<Notice>, Failed> {
        let mut said = self.gathered.notices.clone();
        let closed = acting::close_abandoned(&*deployed.cluster, &deployed.facts, &self.journal, now()).await;
        said.extend(closed.map_err(|error| failed(&error, None))?);
        worst_first(&mut said);
        Ok(said)
    }
}

impl Acting<'_> {
    /// Goes on from a plan. `said` is what is to be told beside it.
    pub async fn carry_out(
        &self,
        ground: Ground,
        deployed: Deployed,
        planned: Planned,
        mut said: Vec<Notice>,
    ) -> Result<Exit, Failed> {
        let Planned { plan, sync } = planned;
        if self.dry_run || plan.ticked().next().is_none() {
            let verdict = ground.gathered.deployments.get(&deployed.id).map(|d| d.verdict.clone());
            self.print(&plan, &sync, verdict.as_ref(), &said)?;
            return Ok(exit_of_plan(&plan, verdict.as_ref()));
        }
        let asked = confirmed(&plan, self.yes, self.confirm, self.style(), self.output, self.cancel).await?;
        let answers = match asked {
            Asked::Answers(answers) => answers,
            Asked::Unconfirmed(why) => {
                said.insert(0, why);
                self.print(&plan, &sync, None, &said)?;
                return Ok(Exit::Failure);
            }
            Asked::Interrupted => return Ok(Exit::Interrupted),
        };
        let Ground { handle, journal, clock, .. } = ground;
        let mut progress = |plan: &Plan| tell(plan, self.output);
        // While the plan was read, its files may have changed: nothing but what was shown is written.
        let deployed = acting::as_of_now(&handle, deployed).await.ok_or_else(not_readable)?;
        let done =
            acting::carry_out(plan, &deployed, &journal, &clock, &answers, self.cancel, &mut progress).await;
        let done = match done {
            Err(error) if error.is_moved() => {
                said.push(
                    Notice::error(format!("nothing was written: {error}")).hint("this is the new plan"),
                );
                let plan = acting::plan_sync(&deployed, &sync, now()).await;
                let plan = plan.map_err(|error| failed(&error, error.hint()))?;
                self.print(&plan, &sync, None, &said)?;
                return Ok(Exit::Failure);
            }
            done => done.map_err(|error| failed(&error, None))?,
        };
        said.extend(done.notices.iter().cloned());
        drop(handle);
        self.end(&done, &sync, &deployed.id, said).await
    }

    /// Waits for the verdict after the writes, and prints the outcome.
    async fn end(
        &self,
        done: &Plan,
        sync: &SyncOptions,
        id: &DeploymentId,
        mut said: Vec<Notice>,
    ) -> Result<Exit, Failed> {
        let wait = !self.no_wait && !self.cancel.is_cancelled();
        let (verdict, in_time) = if wait {
            let (verdict, in_time) = self.await_verdict(id).await?;
            (Some(verdict), in_time)
        } else {
            (None, true)
        };
        if !in_time {
            said.insert(
                0,
                Notice::error("the verdict did not come in time")
                    .hint("driftdeck check says how it stands; --timeout allows more"),
            );
        }
        self.output.notices(&said);
        let document = || self.document(done, sync, verdict.as_ref(), &said);
        let text = || to_text(done, self.style()) + &verdict_line(verdict.as_ref());
        written(self.output.document(document, text))?;
        if self.cancel.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        Ok(if in_time { exit_of_plan(done, verdict.as_ref()) } else { Exit::Failure })
    }

    /// Prints a plan, with what is to be said of it.
    pub fn print(
        &self,
        plan: &Plan,
        sync: &SyncOptions,
        verdict: Option<&Verdict>,
        said: &[Notice],
    ) -> Result<(), Failed> {
        self.output.notices(said);
        let document = || self.document(plan, sync, verdict, said);
        written(self.output.document(document, || to_text(plan, self.style())))
    }

    /// Returns the document of a plan: it holds all that [`super::plan_file`] needs to have the same planned again.
    pub fn document(
        &self,
        plan: &Plan,
        sync: &SyncOptions,
        verdict: Option<&Verdict>,
        said: &[Notice],
    ) -> Json {
        let mut document = to_json(self.command, Some(plan), verdict, said);
        if let Some(fields) = document.get_mut("plan").and_then(Json::as_object_mut) {
            fields.insert("request".to_owned(), self.request(sync));
        }
        document
    }

    /// Returns what a plan was asked for with, as the options that were typed.
    fn request(&self, sync: &SyncOptions) -> Json {
        let only: Vec<String> = match &sync.selection {
            Selection::All => Vec::new(),
            Selection::Only(only) => only.iter().map(ToString::to_string).collect(),
            Selection::These(ids) => ids.iter().map(ToString::to_string).collect(),
        };
        json!({
            "revision": self.options.revision,
            "namespace": self.options.namespace,
            "only": only,
            "prune": sync.prune,
            "manager": sync.manager,
            "dirty": sync.dirty,
            "maxDeletions": sync.max_deletions,
        })
    }

    fn style(&self) -> Style {
        Style::of(self.output, self.options)
    }

    /// Looks again until nothing of the app is being deleted any more, or the time is over. Returns what was seen last,
    /// and whether that was in time.
    async fn await_verdict(&self, id: &DeploymentId) -> Result<(Verdict, bool), Failed> {
        let limit = self.options.timeout.unwrap_or(VERDICT_TIME);
        let mut last = Verdict::Unknown(crate::model::Why::new("not looked at yet"));
        // The time is kept here; and all apps are looked at, as for the plan.
        let unlimited = Options { apps: Vec::new(), timeout: None, ..self.options.clone() };
        // What is waited for was said when the plan was made.
        let output = &Output { quiet: true, ..*self.output };
        let looking = async {
            loop {
                let (gathered, _handle) = check::gather(self.places, &unlimited, output).await?;
                if let Some(status) = gathered.deployments.get(id) {
                    last = status.verdict.clone();
                }
                // Drift that the sync did not touch stays drift; one look settles it, unless objects are still going.
                let going = gathered.deployments.get(id).is_some_and(|d| d.counts.terminating > 0);
                if !going {
                    return Ok::<(), Failed>(());
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        let in_time = match tokio::time::timeout(limit, looking).await {
            Ok(looked) => looked.map(|()| true)?,
            Err(_) => false,
        };
        Ok((last, in_time))
    }
}

fn not_readable() -> Failed {
    Box::new(Notice::error("nothing was written: the app could not be read again"))
}

/// What came of asking for the answers that a plan wants before it is written.
pub enum Asked {
    Answers(Vec<String>),
    /// There is nobody who could be asked, and why that is not enough.
    Unconfirmed(Notice),
    Interrupted,
}

/// Has a plan confirmed: by what was typed beforehand, else by whoever sits at the terminal, who is shown it.
pub async fn confirmed(
    plan: &Plan,
    yes: bool,
    given: &[String],
    style: Style,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Asked, Failed> {
    let open = confirm::unanswered(plan, given);
    // Naming a protected cluster is an answer to the question too.
    let named = open.is_empty() && !confirm::asks(plan).is_empty();
    let sure = open.is_empty() && (yes || named);
    if !sure && !can_ask(output) {
        return Ok(Asked::Unconfirmed(unconfirmed(&open)));
    }
    if output.format == Format::Text {
        eprint_text(&to_text(plan, style));
    }
    let mut answers = given.to_vec();
    if !sure {
        let asking = stdin::apart(move || ask(&open, yes));
        answers.extend(tokio::select! {
            typed = asking => typed?,
            () = cancel.cancelled() => return Ok(Asked::Interrupted),
        });
    }
    Ok(if cancel.is_cancelled() { Asked::Interrupted } else { Asked::Answers(answers) })
}

/// Returns whether there is somebody who can be asked.
pub(super) fn can_ask(output: &Output) -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && output.format == Format::Text
}

/// Says which answers a plan still wants.
fn unconfirmed(open: &[Ask]) -> Notice {
    let wants: Vec<String> =
        open.iter().map(|ask| format!("--confirm {} ({})", ask.words.join(" or "), ask.why)).collect();
    let wants = if wants.is_empty() { "--yes".to_owned() } else { wants.join(", ") };
    Notice::error("nothing was written: the plan is not confirmed").hint(format!("it wants {wants}"))
}

/// Asks for every answer that a plan still wants, and returns those that name something.
fn ask(open: &[Ask], yes: bool) -> Result<Vec<String>, Failed> {
    let mut answers = Vec::new();
    for ask in open {
        let typed = prompt(&format!("{}; type {} to go on: ", ask.why, ask.words.join(" or ")))?;
        if !ask.words.contains(&typed) {
            return Err(Box::new(Notice::error("nothing was written: the name typed is another one")));
        }
        answers.push(typed);
    }
    if open.is_empty() && !yes {
        let typed = prompt("write this? [y/N] ")?;
        if !["y", "yes"].contains(&typed.to_lowercase().as_str()) {
            return Err(Box::new(Notice::error("nothing was written")));
        }
    }
    Ok(answers)
}

pub(super) fn prompt(question: &str) -> Result<String, Failed> {
    eprint_text(&crate::text::terminal(question));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| failed(&error, None))?;
    Ok(line.trim().to_owned())
}

fn eprint_text(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody can be told that stderr is closed.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Tells how far a running plan is.
pub fn tell(plan: &Plan, output: &Output) {
    let ended = plan.steps.iter().filter(|s| s.outcome.is_final()).count();
    if !output.quiet
        && let Some(step) = plan.steps.iter().rfind(|s| s.outcome.is_final())
    {
        let object = step.resource.to_string();
        eprint_text(&format!(
            "{ended}/{} {} {}\n",
            plan.steps.len(),
            step.outcome.word(),
            crate::text::terminal(&object)
        ));
    }
}

fn verdict_line(verdict: Option<&Verdict>) -> String {
    verdict.map(|v| format!("now {}\n", v.word())).unwrap_or_default()
}

/// Returns 0 if all that was planned is done and the verdict is in sync, 1 if something still drifts, else 2.
pub fn exit_of_plan(plan: &Plan, verdict: Option<&Verdict>) -> Exit {
    let undone = plan.steps.iter().filter(|s| s.ticked).any(|s| {
        matches!(
            s.outcome,
            StepOutcome::Refused(_)
                | StepOutcome::Skipped(_)
                | StepOutcome::Failed(_)
                | StepOutcome::Indeterminate(_)
                | StepOutcome::Cancelled
        )
    });
    match verdict {
        _ if undone => Exit::Failure,
        None | Some(Verdict::InSync) => Exit::Success,
        Some(Verdict::Unknown(_)) => Exit::Incomplete,
        Some(_) => Exit::Drift,
    }
}

/// Makes a notice of an error.
pub fn failed(error: &dyn std::error::Error, hint: Option<String>) -> Failed {
    Box::new(Notice::error(error.to_string()).hinted(hint))
}
