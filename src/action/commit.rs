//! Carries out plans of commits: the commit is made, its branch moved to it, and what was under way is on disk before each
//! step, so that the journal tells the truth whenever driftdeck is killed.

use super::journal::{Action, CommitIntent, Entry, Journal, JournalError, Told, overall};
use crate::git::{CommitError, Committing, Git, LandError, ProposeError, Proposed, Repo};
use crate::model::commit_plan::{CommitAction, CommitPlan};
use crate::model::{Notice, StepOutcome, Timestamp};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

/// Files of a commit that the journal names.
const FILES: usize = 200;

/// What a plan is carried out with.
pub struct Making<'a> {
    pub repo: &'a Repo,
    pub git: &'a Git,
    pub how: &'a Committing,
    pub proposed: &'a Proposed,
    pub journal: &'a Journal,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// When it is cancelled, no further step is begun.
    pub cancel: &'a CancellationToken,
}

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Something that the plan depends on is another by now; nothing was written.
    #[error("{0}")]
    Moved(LandError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes the commit and does with it what the plan says; `progress` is told after each step.
pub async fn carry_out(
    mut plan: CommitPlan,
    with: &Making<'_>,
    progress: &mut (dyn FnMut(&CommitPlan) + Send),
) -> Result<CommitPlan, MakeError> {
    let action = with.journal.begin(entry(&plan, (with.clock)()))?;
    let at = plan.steps.iter().position(|step| step.action == CommitAction::Commit).unwrap_or_default();
    let outcome = if with.cancel.is_cancelled() {
        StepOutcome::Cancelled
    } else {
        match commit(&mut plan, at, with, &action).await? {
            Made::Landed => StepOutcome::Applied,
            Made::Failed(notice) => StepOutcome::Failed(*notice),
            Made::Moved(error) => {
                close(action, &mut plan, at, &StepOutcome::Refused(land_notice(&error)), with)?;
                return Err(MakeError::Moved(error));
            }
        }
    };
    close(action, &mut plan, at, &outcome, with)?;
    progress(&plan);
    Ok(plan)
}

/// Puts the outcome of the last step that was begun into the plan, and ends the action: what was not begun is cancelled.
fn close(
    action: Action,
    plan: &mut CommitPlan,
    at: usize,
    outcome: &StepOutcome,
    with: &Making<'_>,
) -> Result<(), JournalError> {
    let now = (with.clock)();
    action.tell(&told(at, outcome, now))?;
    for (step, planned) in plan.steps.iter_mut().enumerate() {
        if step == at {
            planned.outcome = outcome.clone();
        } else if !planned.outcome.is_final() {
            planned.outcome = StepOutcome::Cancelled;
        }
    }
    let words = overall(plan.steps.iter().map(|step| step.outcome.word()));
    action.close(words, recorded(plan), now)
}

/// What became of the commit.
enum Made {
    Landed,
    Failed(Box<Notice>),
    Moved(LandError),
}

async fn commit(
    plan: &mut CommitPlan,
    at: usize,
    with: &Making<'_>,
    action: &Action,
) -> Result<Made, JournalError> {
    let (repo, proposed) = (with.repo, with.proposed);
    if let Err(error) = proposed.store(repo) {
        return Ok(Made::Failed(Box::new(propose_notice(&error))));
    }
    let made =
        repo.commit(with.git, with.how, &proposed.root(), &plan.base, &plan.message, with.cancel).await;
    let id = match made {
        Ok(id) => id,
        Err(error) => return Ok(Made::Failed(Box::new(commit_notice(&error)))),
    };
    let files: Vec<String> = plan.files.iter().map(|file| file.path.clone()).collect();
    // From here on a branch may lead to it.
    action.intend_commit(&CommitIntent {
        step: at,
        time: super::document::time((with.clock)()),
        location: repo.root().display().to_string(),
        branch: plan.landing.branch().to_owned(),
        base: plan.base.0.clone(),
        commit: id.0.clone(),
        files: files.iter().take(FILES).cloned().collect(),
    })?;
    Ok(match repo.land(&plan.landing, &plan.base, &id, &files) {
        Ok(()) => {
            plan.commit = Some(id);
            Made::Landed
        }
        Err(error @ (LandError::Moved { .. } | LandError::Obstructed { .. } | LandError::Exists { .. })) => {
            Made::Moved(error)
        }
        Err(error) => Made::Failed(Box::new(land_notice(&error))),
    })
}

fn told(at: usize, outcome: &StepOutcome, now: Timestamp) -> Told {
    super::journal::told(at, outcome, now, None, None)
}

fn entry(plan: &CommitPlan, now: Timestamp) -> Entry {
    Entry {
        id: plan.id.clone(),
        time: super::document::time(now),
        user: Some(plan.committer.to_string()),
        acted_as: None,
        command: plan.command.to_owned(),
        app: plan.app.name.clone(),
        cluster: plan.context().unwrap_or_default().to_owned(),
        cluster_id: String::new(),
        outcome: "planned".to_owned(),
        ended: None,
        plan: recorded(plan),
    }
}

/// Returns what the journal keeps of a plan.
fn recorded(plan: &CommitPlan) -> Json {
    let steps = plan.steps.iter().map(|step| {
        json!({
            "resource": null,
            "action": step.action.word(),
            "note": step.note,
            "outcome": step.outcome.word(),
            "notice": step.outcome.notice().map(|notice| json!({"title": notice.title, "cause": notice.cause})),
        })
    });
    json!({
        "id": plan.id,
        "repo": plan.location,
        "branch": plan.landing.branch(),
        "base": plan.base.0,
        "commit": plan.commit.as_ref().map(|commit| &commit.0),
        "subject": plan.subject(),
        "pullRequest": plan.request,
        "files": plan.files.iter().take(FILES).map(|file| &file.path).collect::<Vec<_>>(),
        "boundTo": plan.bound_to,
        "headless": plan.headless,
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// Returns the error as the user reads it.
pub fn propose_notice(error: &ProposeError) -> Notice {
    hinted(Notice::error(error.to_string()), error.hint())
}

/// Returns the error as the user reads it, with what git said.
pub fn commit_notice(error: &CommitError) -> Notice {
    let notice = hinted(Notice::error(error.to_string()), error.hint());
    match (error.words(), std::error::Error::source(error)) {
        (Some(words), _) if !words.is_empty() => {
            notice.cause(words.last_line().map_or_else(|| words.to_string(), str::to_owned))
        }
        (_, Some(source)) => notice.cause(source.to_string()),
        _ => notice,
    }
}

/// Returns the error as the user reads it.
pub fn land_notice(error: &LandError) -> Notice {
    hinted(Notice::error(error.to_string()), error.hint())
}

fn hinted(notice: Notice, hint: Option<&str>) -> Notice {
    match hint {
        Some(hint) => notice.hint(hint),
        None => notice,
    }
}

/// Closes the commits that a killed driftdeck left behind: looks where their branches are, and puts each action into the
/// journal. Returns what is to be said of them.
pub fn close_abandoned(journal: &Journal, now: Timestamp) -> Result<Vec<Notice>, JournalError> {
    let mut said = Vec::new();
    journal.close_commits(now, &mut |entry, intent| {
        let Some(intent) = intent else {
            // Nothing that a branch could lead to had been made.
            said.push(interrupted(entry, "no commit had been made"));
            return ("cancelled", None);
        };
        let short = intent.commit.get(..7).unwrap_or(&intent.commit);
        let (outcome, what, hint) = match became(intent) {
            Became::Landed => ("applied", format!("{short} is on {}", intent.branch), None),
            Became::Left { staged: true } => {
                let files: Vec<_> = intent.files.iter().map(|file| crate::text::shell_word(file)).collect();
                let hint = format!(
                    "finish it with git merge --ff-only {short}, or drop it with git restore --source=HEAD --staged --worktree -- {}",
                    files.join(" ")
                );
                ("failed", format!("{} has not moved; the files of {short} stand in the index", intent.branch), Some(hint))
            }
            Became::Left { staged: false } => {
                let hint = format!("finish it with git merge --ff-only {short}, or leave it: no branch leads to it");
                ("failed", format!("{} has not moved", intent.branch), Some(hint))
            }
            Became::Unknown => ("indeterminate", format!("{} cannot be read", intent.location), None),
        };
        let notice = interrupted(entry, &what);
        said.push(match hint {
            Some(hint) => notice.hint(hint),
            None => notice,
        });
        (outcome, Some(what))
    })?;
    Ok(said)
}

fn interrupted(entry: &Entry, what: &str) -> Notice {
    Notice::warning(format!("an interrupted {} of {}: {what}", entry.command, entry.app))
}

enum Became {
    Landed,
    Left { staged: bool },
    Unknown,
}

fn became(intent: &CommitIntent) -> Became {
    let Ok(repo) = Repo::open(std::path::Path::new(&intent.location)) else { return Became::Unknown };
    match repo.holds(&intent.branch, &intent.commit) {
        Some(true) => Became::Landed,
        Some(false) => Became::Left { staged: !repo.obstacles(&intent.files).is_empty() },
        None => Became::Unknown,
    }
}
