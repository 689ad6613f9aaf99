//! Carries out plans of commits: the commit is made, its branch moved to it, and what was under way is on disk before each
//! step, so that the journal tells the truth whenever driftdeck is killed.

mod request;

use super::journal::{Action, CommitIntent, Entry, Journal, JournalError, Told, overall};
use crate::git::forge;
use crate::git::{
    Before, CommitError, Committing, Git, Kind, LandError, ProposeError, Proposed, Push, PushError, Pushed,
    Remote, Repo,
};
use crate::model::commit_plan::{CommitAction, CommitPlan, Landing};
use crate::model::{Notice, Oid, StepOutcome, Timestamp};
use crate::text::shell_word;
use serde_json::{Value as Json, json};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Files of a commit that the journal names.
const FILES: usize = 200;

/// What a plan is carried out with.
pub struct Making<'a> {
    pub repo: &'a Repo,
    pub git: &'a Git,
    pub how: &'a Committing,
    pub proposed: &'a Proposed,
    /// Where it is sent.
    pub sending: Option<&'a Sending>,
    pub journal: &'a Journal,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// When it is cancelled, no further step is begun.
    pub cancel: &'a CancellationToken,
}

/// Where a commit is sent.
#[derive(Debug, Clone)]
pub struct Sending {
    pub remote: Remote,
    /// The remote's branch.
    pub branch: String,
    /// What that must be for the push to happen.
    pub before: Before,
    /// The branch that a request asks to be merged into; `None`: no request is opened.
    pub onto: Option<String>,
}

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Something that the plan depends on is another by now; nothing was written.
    #[error("{0}")]
    Moved(LandError),
    /// Somebody else has pushed; nothing was written.
    #[error("{0}")]
    Overtaken(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes the commit and does with it what the plan says.
///
/// A commit that is pushed to the branch itself is sent before that branch moves here: where somebody else has pushed
/// meanwhile, nothing of it stays. What the remote refuses stays on a branch here, so that nothing is lost.
pub async fn carry_out(mut plan: CommitPlan, with: &Making<'_>) -> Result<CommitPlan, MakeError> {
    let action = with.journal.begin(entry(&plan, (with.clock)()))?;
    let done = carried_out(&mut plan, with, &action).await;
    for step in plan.steps.iter_mut().filter(|step| !step.outcome.is_final()) {
        step.outcome = StepOutcome::Cancelled;
    }
    let words = overall(plan.steps.iter().map(|step| step.outcome.word()));
    action.close(words, recorded(&plan), (with.clock)())?;
    done?;
    Ok(plan)
}

async fn carried_out(plan: &mut CommitPlan, with: &Making<'_>, action: &Action) -> Result<(), MakeError> {
    if with.cancel.is_cancelled() {
        return Ok(());
    }
    let id = match made(plan, with).await {
        Ok(id) => id,
        Err(notice) => {
            settle(plan, with, action, CommitAction::Commit, &StepOutcome::Failed(*notice))?;
            return Ok(());
        }
    };
    let files: Vec<String> = plan.files.iter().map(|file| file.path.clone()).collect();
    let first = with.sending.filter(|_| plan.is_pushed_onto());
    if let Some(sending) = first {
        intend(plan, with, action, &id, CommitAction::Push)?;
        match push(with, sending, &id).await {
            Ok(_) => settle(plan, with, action, CommitAction::Push, &StepOutcome::Applied)?,
            Err(error) if matches!(error, PushError::Moved { .. }) => {
                settle(plan, with, action, CommitAction::Push, &StepOutcome::Refused(error.notice()))?;
                return Err(MakeError::Overtaken(error.notice().title));
            }
            Err(error) => {
                plan.commit = Some(id.clone());
                settle(plan, with, action, CommitAction::Push, &refused(&error))?;
                keep(plan, with, action, &id, &files)?;
                return Ok(());
            }
        }
    }
    intend(plan, with, action, &id, CommitAction::Commit)?;
    match with.repo.land(&plan.landing, &plan.base, &id, &files) {
        Ok(()) => settle(plan, with, action, CommitAction::Commit, &StepOutcome::Applied)?,
        Err(error) if first.is_some() => {
            // It is at the remote, whatever became of the branch here.
            settle(plan, with, action, CommitAction::Commit, &StepOutcome::Applied)?;
            let title = format!("it is pushed, and {} here stays where it is", plan.landing.branch());
            plan.notices.push(Notice::warning(title).cause(error.to_string()).hint("git pull brings it"));
        }
        Err(error @ (LandError::Moved { .. } | LandError::Obstructed { .. } | LandError::Exists { .. })) => {
            settle(plan, with, action, CommitAction::Commit, &StepOutcome::Refused(land_notice(&error)))?;
            return Err(MakeError::Moved(error));
        }
        Err(error) => {
            settle(plan, with, action, CommitAction::Commit, &StepOutcome::Failed(land_notice(&error)))?;
            return Ok(());
        }
    }
    plan.commit = Some(id.clone());
    let Some(sending) = with.sending.filter(|_| first.is_none() && !with.cancel.is_cancelled()) else {
        return Ok(());
    };
    intend(plan, with, action, &id, CommitAction::Push)?;
    match push(with, sending, &id).await {
        Ok(pushed) => {
            settle(plan, with, action, CommitAction::Push, &StepOutcome::Applied)?;
            if let Some(onto) = &sending.onto {
                let outcome = open_request(plan, with, sending, onto, &pushed).await;
                settle(plan, with, action, CommitAction::PullRequest, &outcome)?;
            }
        }
        Err(error) => {
            let mut outcome = refused(&error);
            if let StepOutcome::Indeterminate(notice) | StepOutcome::Failed(notice) = &mut outcome {
                let kept = || format!("it stays on {}, and can be pushed again", plan.landing.branch());
                notice.hint.get_or_insert_with(kept);
            }
            settle(plan, with, action, CommitAction::Push, &outcome)?;
        }
    }
    Ok(())
}

/// Keeps a commit that the remote did not take on a branch of its own.
fn keep(
    plan: &mut CommitPlan,
    with: &Making<'_>,
    action: &Action,
    id: &Oid,
    files: &[String],
) -> Result<(), JournalError> {
    let branch = format!("driftdeck/{}-{}", plan.command, id.short());
    let landing = match &plan.landing {
        Landing::Remote { .. } if with.repo.kind() == Kind::Mirror => Landing::Remote { branch },
        _ => Landing::New { branch, why: None },
    };
    match with.repo.land(&landing, &plan.base, id, files) {
        Ok(()) => {
            plan.landing = landing;
            settle(plan, with, action, CommitAction::Commit, &StepOutcome::Applied)
        }
        Err(error) => {
            settle(plan, with, action, CommitAction::Commit, &StepOutcome::Failed(land_notice(&error)))
        }
    }
}

/// Takes in how a step turned out, on disk too.
fn settle(
    plan: &mut CommitPlan,
    with: &Making<'_>,
    action: &Action,
    of: CommitAction,
    outcome: &StepOutcome,
) -> Result<(), JournalError> {
    for (at, step) in plan.steps.iter_mut().enumerate().filter(|(_, step)| step.action == of) {
        action.tell(&told(at, outcome, (with.clock)()))?;
        step.outcome = outcome.clone();
    }
    Ok(())
}

/// Makes the commit; no branch leads to it.
async fn made(plan: &CommitPlan, with: &Making<'_>) -> Result<Oid, Box<Notice>> {
    let (repo, proposed) = (with.repo, with.proposed);
    proposed.store(repo).map_err(|error| Box::new(propose_notice(&error)))?;
    let made =
        repo.commit(with.git, with.how, &proposed.root(), &plan.base, &plan.message, with.cancel).await;
    made.map_err(|error| Box::new(commit_notice(&error)))
}

async fn push(with: &Making<'_>, sending: &Sending, id: &Oid) -> Result<Pushed, PushError> {
    let push = Push { commit: id.clone(), branch: sending.branch.clone(), before: sending.before.clone() };
    with.repo.push(with.git, &sending.remote, &push, with.cancel).await
}

/// Opens the request, or says at which link a person does.
async fn open_request(
    plan: &mut CommitPlan,
    with: &Making<'_>,
    sending: &Sending,
    onto: &str,
    pushed: &Pushed,
) -> StepOutcome {
    let request::Text { title, body } = request::text(plan);
    let wish = forge::Wish { title, body, head: sending.branch.clone(), base: onto.to_owned() };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let asked = with.repo.open_request(with.git, &sending.remote, &wish, &variable, with.cancel).await;
    match asked {
        Ok(forge::Asked::Opened(opened)) => {
            plan.request = Some(opened.url);
            if opened.was_there { StepOutcome::Unchanged } else { StepOutcome::Applied }
        }
        Ok(forge::Asked::ByHand { link, why }) => {
            plan.request = link.or_else(|| pushed.offered.clone());
            StepOutcome::Skipped(match &plan.request {
                Some(link) => format!("{why}: open it at {link}"),
                None => format!("{why}: open it by hand"),
            })
        }
        // Over ssh the pages may be elsewhere than git is; the server has said where.
        Err(error @ forge::ForgeError::NoAnswer { .. }) if pushed.offered.is_some() => {
            plan.request.clone_from(&pushed.offered);
            let link = pushed.offered.as_deref().unwrap_or_default();
            StepOutcome::Skipped(format!("{error}: open it at {link}"))
        }
        Err(error) => {
            plan.request.clone_from(&pushed.offered);
            StepOutcome::Failed(error.notice())
        }
    }
}

fn refused(error: &PushError) -> StepOutcome {
    if error.is_open() {
        StepOutcome::Indeterminate(error.notice())
    } else {
        StepOutcome::Failed(error.notice())
    }
}

/// Puts on disk what is about to happen to a commit.
fn intend(
    plan: &CommitPlan,
    with: &Making<'_>,
    action: &Action,
    id: &Oid,
    step: CommitAction,
) -> Result<(), JournalError> {
    let files = plan.files.iter().map(|file| file.path.clone()).take(FILES).collect();
    action.intend_commit(&CommitIntent {
        step: plan.steps.iter().position(|planned| planned.action == step).unwrap_or_default(),
        time: super::document::time((with.clock)()),
        location: with.repo.root().display().to_string(),
        branch: plan.landing.branch().to_owned(),
        remote: plan.to.as_ref().filter(|_| step == CommitAction::Push).map(|to| to.url.clone()),
        base: plan.base.0.clone(),
        commit: id.0.clone(),
        files,
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
    Notice::error(error.to_string()).hinted(error.hint())
}

/// Returns the error as the user reads it, with what git said.
pub fn commit_notice(error: &CommitError) -> Notice {
    let notice = Notice::error(error.to_string()).hinted(error.hint());
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
    Notice::error(error.to_string()).hinted(error.hint())
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
        let Left { outcome, what, hint } = left(intent);
        said.push(interrupted(entry, &what).hinted(hint));
        (outcome, Some(what))
    })?;
    Ok(said)
}

/// What became of a commit that was under way.
struct Left {
    outcome: &'static str,
    what: String,
    /// How it is finished or dropped.
    hint: Option<String>,
}

fn left(intent: &CommitIntent) -> Left {
    let short = intent.commit.get(..7).unwrap_or(&intent.commit);
    if let Some(remote) = &intent.remote {
        return Left {
            outcome: "indeterminate",
            what: format!("whether {short} reached {remote} is not known"),
            hint: Some(format!("git ls-remote {} tells", shell_word(remote))),
        };
    }
    let branch = &intent.branch;
    let held = Repo::open(Path::new(&intent.location)).ok().and_then(|repo| {
        let holds = repo.holds(branch, &intent.commit)?;
        Some((holds, repo))
    });
    match held {
        Some((true, _)) => Left { outcome: "applied", what: format!("{short} is on {branch}"), hint: None },
        Some((false, repo)) if repo.obstacles(&intent.files).is_empty() => Left {
            outcome: "failed",
            what: format!("{branch} has not moved"),
            hint: Some(format!(
                "finish it with git merge --ff-only {short}, or leave it: no branch leads to it"
            )),
        },
        Some((false, _)) => {
            let files: Vec<_> = intent.files.iter().map(|file| shell_word(file)).collect();
            let drop = format!("git restore --source=HEAD --staged --worktree -- {}", files.join(" "));
            Left {
                outcome: "failed",
                what: format!("{branch} has not moved; the files of {short} stand in the index"),
                hint: Some(format!("finish it with git merge --ff-only {short}, or drop it with {drop}")),
            }
        }
        None => {
            Left { outcome: "indeterminate", what: format!("{} cannot be read", intent.location), hint: None }
        }
    }
}

fn interrupted(entry: &Entry, what: &str) -> Notice {
    Notice::warning(format!("an interrupted {} of {}: {what}", entry.command, entry.app))
}
