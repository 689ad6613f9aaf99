//! Plans commits: what would be in them, where they would land, and what the app would then be against what is live.
//! Nothing of it is in the repo before the plan is carried out.

mod capturing;
mod placing;

pub use capturing::Wish;

use crate::action::capture::Captured;
use crate::action::commit::{self, MakeError, Making, Sending, commit_notice, propose_notice};
use crate::action::ignore::{Differing, Draft};
use crate::action::journal::Journal;
use crate::action::plan_id;
use crate::action::sync::Only;
use crate::git::{Ask, Committing, Git, Proposed, Recipe, Repo};
use crate::model::commit_plan::{
    CommitAction, CommitPlan, CommitStep, Hidden, Included, Landing, Publish, Reach, sharing,
};
use crate::model::{self, history::PastCommit};
use crate::model::{FileEdit, IgnoreRule, Notice, Oid, Timestamp, Tree};
use crate::pipeline::history::{self, Ground};
use crate::pipeline::run::{Candidate, Handle};
use crate::pipeline::setup::Clock;
use crate::render;
use crate::text::{commit_trailer, shell_word, terminal};
use placing::Place;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a commit is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The app's path becomes what it was at a commit, given by any name that Git knows.
    Back { to: String },
    /// What one commit changed is taken out again, as `git revert` does.
    Undo { commit: String },
    /// What is live goes into the files that declare it; nothing named: all fields that drifted.
    Capture(Vec<Wish>),
    /// An ignore rule goes into the repo's own file.
    Ignore(Draft),
}

/// How a commit is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub what: What,
    pub publish: Publish,
    /// Included paths that go back as well; `all` of them.
    pub include: Vec<String>,
    pub include_all: bool,
    /// The branch moves although files have uncommitted changes, which stay as they are.
    pub dirty: bool,
    /// The message without its trailer; `None`: one that says what is done.
    pub message: Option<String>,
}

impl Wanted {
    pub fn new(what: What) -> Self {
        Self {
            what,
            publish: Publish::No,
            include: Vec::new(),
            include_all: false,
            dirty: false,
            message: None,
        }
    }
}

/// A plan with everything that it is carried out with.
pub struct Prepared {
    pub plan: CommitPlan,
    proposed: Proposed,
    how: Committing,
    repo: Repo,
    /// Where it is pushed.
    sending: Option<Sending>,
}

impl Prepared {
    /// Carries the plan out.
    pub async fn carry_out(
        self,
        git: &Git,
        journal: &Journal,
        clock: &Clock,
        cancel: &CancellationToken,
    ) -> Result<CommitPlan, MakeError> {
        let with = Making {
            repo: &self.repo,
            git,
            how: &self.how,
            proposed: &self.proposed,
            sending: self.sending.as_ref(),
            journal,
            clock: &**clock,
            cancel,
        };
        commit::carry_out(self.plan, &with).await
    }
}

/// What the commit is about, once it is found.
struct Found {
    command: &'static str,
    recipe: Recipe,
    /// The commit that is gone back to or taken out.
    commit: Option<PastCommit>,
    included: Vec<Included>,
    /// The rule that it brings.
    rule: Option<Arc<IgnoreRule>>,
}

/// What was captured and what was not, in words.
#[derive(Debug, Clone, Default)]
struct Told {
    done: Vec<String>,
    refused: Vec<String>,
}

impl Told {
    fn of(captured: &Captured) -> Self {
        let refused = captured.refused.iter().map(|refusal| {
            let notice = refusal.notice();
            let more = [notice.cause, notice.hint].into_iter().flatten();
            more.fold(format!("capture everything: {}", notice.title), |text, more| format!("{text}: {more}"))
        });
        Self { done: captured.told.iter().map(capturing::words).collect(), refused: refused.collect() }
    }
}

/// Plans a commit. Reads only.
pub async fn prepare(
    handle: &Handle,
    ground: &Ground,
    git: &Git,
    wanted: &Wanted,
    now: Timestamp,
    cancel: &CancellationToken,
) -> Result<Prepared, Box<Notice>> {
    let repo = ground.inputs.repo.clone();
    let how = repo.committing(git, cancel).await.map_err(|error| Box::new(commit_notice(&error)))?;
    let place = placing::place(&repo, &ground.inputs.revision.asked, wanted.publish, git, cancel).await?;
    let captured = match &wanted.what {
        What::Capture(wishes) => {
            let (of, base) = (repo.clone(), place.base.0.clone());
            let read = tokio::task::spawn_blocking(move || of.revision(&Ask::Name(base)));
            let read = read.await.map_err(|_| panicked())?.map_err(|error| Box::new(error.notice()))?;
            Some(capturing::captured(ground, &read.tree, wishes, cancel).await?)
        }
        _ => None,
    };
    let told = captured.as_ref().map_or_else(Told::default, Told::of);
    let (of, asked, by) = (ground.clone(), wanted.clone(), told.clone());
    let edits = captured.map(|captured| captured.edits).unwrap_or_default();
    let found = tokio::task::spawn_blocking(move || drafted(&of, &asked, place, edits, &by));
    let Drafted { base, found, proposed, landing, sending, remarks, shared } =
        found.await.map_err(|_| panicked())??;
    let hides = match found.rule.clone() {
        Some(rule) => Some(hidden(rule, handle.differing(repo.id().clone()).await).await?),
        None => None,
    };
    let (effect, rendered) = match &ground.deployed {
        // A rule changes what counts, and nothing that is declared.
        _ if hides.is_some() => (Ok(Vec::new()), Ok(Vec::new())),
        None => {
            let why = || "no cluster is known to render it for".to_owned();
            (Err(why()), Err(why()))
        }
        Some(at) => match history::rendered_tree(ground, at, &proposed.tree, cancel).await {
            Err(why) => (Err(why.clone()), Err(why)),
            Ok(manifests) => {
                let off_live = history::held_to_live(at, manifests.clone()).await;
                (off_live, history::held_to_desired(at, manifests).await)
            }
        },
    };
    let bound_to = digest(&[&base.0, &proposed.root(), landing.branch(), &ground.inputs.app.id.name]);
    let id = plan_id(now, &bound_to);
    let app = &ground.inputs.app.id;
    let message = message(ground, wanted, &found, &id, &shared, &told);
    let mut plan = CommitPlan {
        id,
        command: found.command,
        app: app.clone(),
        repo: repo.id().clone(),
        repo_name: repo.name().to_owned(),
        location: repo.location().to_owned(),
        cluster: ground.deployed.as_ref().map(|at| (at.id.cluster.clone(), at.context.clone())),
        namespace: ground.inputs.app.namespace.clone(),
        base,
        files: proposed.files.clone(),
        included: found.included.clone(),
        message,
        author: how.author.clone(),
        committer: how.committer.clone(),
        signed: how.signed.clone(),
        steps: Vec::new(),
        effect,
        rendered,
        shared_with: shared,
        hides,
        will_not: Vec::new(),
        remarks,
        headless: headless(ground, wanted),
        bound_to,
        commit: None,
        request: None,
        notices: Vec::new(),
        to: sending.as_ref().map(placing::shown),
        asks: asks(ground, wanted),
        landing,
    };
    if !plan.is_empty() {
        plan.steps = steps(&plan);
    }
    plan.will_not.clone_from(&told.refused);
    plan.will_not.extend(will_not(&plan));
    plan.remarks.extend(predictions(&plan));
    Ok(Prepared { plan, proposed, how, repo, sending })
}

/// What is found on the disk.
struct Drafted {
    base: Oid,
    found: Found,
    proposed: Proposed,
    landing: Landing,
    sending: Option<Sending>,
    remarks: Vec<String>,
    shared: Vec<String>,
}

fn drafted(
    ground: &Ground,
    wanted: &Wanted,
    place: Place,
    edits: Vec<FileEdit>,
    told: &Told,
) -> Result<Drafted, Box<Notice>> {
    let repo = &ground.inputs.repo;
    let snapshot =
        repo.revision(&Ask::Name(place.base.0.clone())).map_err(|error| Box::new(error.notice()))?;
    let found = found(ground, wanted, &snapshot.tree, edits)?;
    let proposed =
        repo.propose(&place.base, &found.recipe).map_err(|error| Box::new(propose_notice(&error)))?;
    let files: Vec<String> = proposed.files.iter().map(|file| file.path.clone()).collect();
    let fresh = || {
        let of = found.commit.as_ref().map_or("", |commit| commit.id.short());
        fresh_name(repo, &ground.inputs.app.id.name, found.command, of)
    };
    let landing = placing::landing(repo, &place, wanted.publish, wanted.dirty, &files, fresh)?;
    let sending = placing::sending(&place, wanted.publish, &landing);
    let mut remarks = place.remarks;
    remarks.extend(told.done.iter().map(|done| format!("captures {done}")));
    let behind = ground.inputs.revision.behind;
    if behind > 0 && wanted.publish == Publish::No {
        let commits = if behind == 1 { "commit" } else { "commits" };
        remarks.push(format!(
            "{} is {behind} {commits} behind its upstream: a push will be refused until those are merged",
            landing.branch()
        ));
    }
    let others = ground.others.iter().map(|other| (other, render::inputs(other, &*snapshot.tree)));
    let shared = sharing(&proposed.files, &ground.inputs.app.id, others);
    Ok(Drafted { base: place.base, found, proposed, landing, sending, remarks, shared })
}

fn found(
    ground: &Ground,
    wanted: &Wanted,
    now: &Arc<dyn Tree>,
    edits: Vec<FileEdit>,
) -> Result<Found, Box<Notice>> {
    let (repo, app) = (&ground.inputs.repo, &ground.inputs.app);
    let named = |name: &str| -> Result<(PastCommit, Arc<dyn Tree>), Box<Notice>> {
        let snapshot =
            repo.revision(&Ask::Name(name.to_owned())).map_err(|error| Box::new(error.notice()))?;
        let id = snapshot.revision.commit.clone().unwrap_or_else(|| Oid(name.to_owned()));
        let past = repo.past_commit(&id, std::slice::from_ref(&app.path));
        Ok((past.ok_or_else(|| Box::new(Notice::error(format!("{name} cannot be read"))))?, snapshot.tree))
    };
    match &wanted.what {
        What::Undo { commit } => {
            let (past, _) = named(commit)?;
            let recipe = Recipe::Undo { commit: past.id.clone() };
            Ok(Found { command: "revert", recipe, commit: Some(past), included: Vec::new(), rule: None })
        }
        What::Back { to } => {
            let (past, then) = named(to)?;
            let mut outside: Vec<String> = [now, &then]
                .iter()
                .flat_map(|tree| render::inputs(app, &***tree).into_iter().skip(1))
                .collect();
            outside.sort();
            outside.dedup();
            // What was not there then is not taken away: other apps may read it.
            let differs = |path: &String| {
                then.digest(path).is_ok_and(|digest| now.digest(path).ok().as_ref() != Some(&digest))
            };
            let is_wanted = |path: &String| wanted.include_all || wanted.include.contains(path);
            let included: Vec<Included> = outside
                .into_iter()
                .filter(differs)
                .map(|path| Included { ticked: is_wanted(&path), path })
                .collect();
            let ticked = included.iter().filter(|included| included.ticked).map(|i| i.path.clone());
            let paths = std::iter::once(app.path.clone()).chain(ticked).collect();
            let recipe = Recipe::Back { to: past.id.clone(), paths };
            Ok(Found { command: "revert", recipe, commit: Some(past), included, rule: None })
        }
        What::Capture(_) => {
            let recipe = Recipe::Files(edits);
            Ok(Found { command: "capture", recipe, commit: None, included: Vec::new(), rule: None })
        }
        What::Ignore(draft) => {
            let (edit, rule) = draft.edit(&**now)?;
            let recipe = Recipe::Files(vec![edit]);
            Ok(Found { command: "ignore", recipe, commit: None, included: Vec::new(), rule: Some(rule) })
        }
    }
}

/// Names a branch that is not there yet: `driftdeck/web-revert-3f2c1d9`.
fn fresh_name(repo: &Repo, app: &str, command: &str, of: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
    let app: String = app.chars().map(plain).collect();
    let stem = format!("driftdeck/{}-{command}-{of}", app.trim_matches(['-', '.']));
    let stem = stem.trim_end_matches('-').to_owned();
    let numbered = (2..1000).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.clone()).chain(numbered).find(|name| !repo.has_branch(name)).unwrap_or(stem)
}

/// Returns what is done, in order.
fn steps(plan: &CommitPlan) -> Vec<CommitStep> {
    let mut steps = vec![CommitStep::planned(CommitAction::Commit, Some(landed(&plan.landing)))];
    if let Some(to) = &plan.to {
        let note = format!("to {} of {}; counts once the remote says that it is there", to.branch, to.url);
        steps.push(CommitStep::planned(CommitAction::Push, Some(note)));
        if let Some(onto) = &to.onto {
            let note = format!("that asks to merge {} into {onto}", to.branch);
            steps.push(CommitStep::planned(CommitAction::PullRequest, Some(note)));
        }
    }
    steps
}

/// A push to a branch that an engine may follow writes to the cluster, in the end.
fn asks(ground: &Ground, wanted: &Wanted) -> Option<model::confirm::Ask> {
    let at = ground.deployed.as_ref().filter(|at| at.protected && wanted.publish == Publish::Push)?;
    let why = format!("{} is protected, and what is pushed there reaches it", at.context);
    Some(model::confirm::Ask { why, words: vec![at.context.clone()] })
}

fn landed(landing: &Landing) -> String {
    match landing {
        Landing::CheckedOut { branch, .. } => {
            format!("on {branch}, which is checked out: its files change with it")
        }
        Landing::Branch { branch } => format!("on {branch}, which is checked out nowhere"),
        Landing::New { branch, why: None } => format!("on the new branch {branch}"),
        Landing::New { branch, why: Some(why) } => format!("on the new branch {branch}, because {why}"),
        Landing::Remote { branch } => format!("for {branch} of the remote"),
    }
}

fn will_not(plan: &CommitPlan) -> Vec<String> {
    let mut sentences = Vec::new();
    for included in plan.included.iter().filter(|included| !included.ticked) {
        sentences.push(format!("touch {}, which the app includes and which was another then", included.path));
    }
    if let Landing::CheckedOut { keeps, .. } = &plan.landing
        && !keeps.is_empty()
    {
        sentences.push(format!(
            "touch the uncommitted changes of {}: those files stay as they are",
            keeps.join(", ")
        ));
    }
    if !plan.is_empty() {
        sentences.push("run the hooks of the repository, or rewrite any commit".to_owned());
        if matches!(plan.landing, Landing::CheckedOut { .. } | Landing::Branch { .. } | Landing::New { .. })
            && !plan.steps.iter().any(|step| step.action == CommitAction::Push)
        {
            sentences.push("push it: git push does, or --push".to_owned());
        }
    }
    sentences
}

fn predictions(plan: &CommitPlan) -> Vec<String> {
    let mut remarks = Vec::new();
    if plan.is_empty() {
        remarks.push("nothing would change: the files are that already".to_owned());
    }
    if !plan.shared_with.is_empty() {
        remarks.push(format!("{} read files that change too", plan.shared_with.join(", ")));
    }
    remarks
}

/// Returns the message: what was asked for, or what is done and why, always with the trailer.
fn message(
    ground: &Ground,
    wanted: &Wanted,
    found: &Found,
    id: &str,
    shared: &[String],
    told: &Told,
) -> String {
    let app = terminal(&ground.inputs.app.id.name).into_owned();
    let of = found.commit.as_ref();
    let (short, subject) = of.map_or((String::new(), String::new()), |commit| {
        (commit.id.short().to_owned(), terminal(&commit.subject).into_owned())
    });
    let by = of.map(|commit| {
        let when = commit.authored.map_or_else(String::new, |at| format!(", {}", at.strftime("%Y-%m-%d")));
        format!("{}{when}", terminal(&commit.author))
    });
    let by = by.unwrap_or_default();
    let own = match &wanted.what {
        What::Back { .. } => {
            let path = match ground.inputs.app.path.as_str() {
                "" => "The whole repository is",
                path => &format!("{} is", terminal(path)),
            };
            let mut body = format!(
                "{path} again what it was at {short} \"{subject}\" ({by}).\nLater changes to other paths stay.",
            );
            let back: Vec<&str> =
                found.included.iter().filter(|i| i.ticked).map(|i| i.path.as_str()).collect();
            if !back.is_empty() {
                body = format!("{body}\nSo are {}.", terminal(&back.join(", ")));
            }
            format!("Revert {app} to {short}\n\n{body}")
        }
        What::Undo { .. } => format!(
            "Revert \"{subject}\"\n\nThis reverts commit {}\n({by}).",
            of.map_or("", |commit| commit.id.0.as_str())
        ),
        What::Capture(_) => {
            let context = ground.deployed.as_ref().map_or("", |at| at.context.as_str());
            let fields: Vec<_> = told.done.iter().map(|done| format!("- {}", terminal(done))).collect();
            format!(
                "Capture {app} from {}\n\nGit declares what is live there:\n{}",
                terminal(context),
                fields.join("\n")
            )
        }
        What::Ignore(draft) => {
            let reason = draft.reason.as_deref().unwrap_or_default();
            format!("Ignore {}\n\n{}", terminal(&draft.words()), terminal(reason))
        }
    };
    let shared = match shared {
        [] => String::new(),
        apps => format!("\n\nThe files are read by {} too.", terminal(&apps.join(", "))),
    };
    let text = match wanted.message.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None => own.trim_end().to_owned() + &shared,
    };
    let what = match &wanted.what {
        What::Back { .. } => format!("revert {app} to {}", of.map_or("", |commit| commit.id.0.as_str())),
        What::Undo { .. } => format!("revert {} for {app}", of.map_or("", |commit| commit.id.0.as_str())),
        What::Capture(_) => format!("capture {app}"),
        What::Ignore(draft) => format!("ignore {}", draft.words()),
    };
    let trailer = commit_trailer("Driftdeck-Action", &format!("{what}; {id}"));
    format!("{text}\n\n{trailer}\n")
}

/// Returns the command line that does the same.
fn headless(ground: &Ground, wanted: &Wanted) -> String {
    let app = shell_word(&ground.inputs.app.id.name).into_owned();
    let mut words = match &wanted.what {
        What::Back { to } => vec!["driftdeck revert".to_owned(), app, shell_word(to).into_owned()],
        What::Undo { commit } => {
            vec![
                "driftdeck revert".to_owned(),
                app,
                shell_word(commit).into_owned(),
                "--only-commit".to_owned(),
            ]
        }
        What::Capture(wishes) => {
            let mut words = vec!["driftdeck capture".to_owned(), app];
            for wish in wishes {
                words.push(format!("--only {}", shell_word(&Only::of(&wish.resource).to_string())));
                let fields =
                    wish.fields.iter().map(|path| format!("--field {}", shell_word(&path.to_string())));
                words.extend(fields);
            }
            words
        }
        What::Ignore(draft) => {
            let mut words = vec!["driftdeck ignore".to_owned(), app];
            words.push(format!("--only {}", shell_word(&Only::of(&draft.resource).to_string())));
            words.push(format!("--field {}", shell_word(&draft.path.to_string())));
            match draft.reach {
                Reach::Object => {}
                Reach::Kind => words.push("--for kind".to_owned()),
                Reach::Path => words.push("--for path".to_owned()),
            }
            if let Some(reason) = &draft.reason {
                words.push(format!("--reason {}", shell_word(reason)));
            }
            words
        }
    };
    if wanted.include_all {
        words.push("--include-all".to_owned());
    }
    for path in &wanted.include {
        words.push(format!("--include {}", shell_word(path)));
    }
    if wanted.dirty {
        words.push("--dirty".to_owned());
    }
    if let Some(at) = &ground.deployed {
        words.push(format!("--context {}", shell_word(&at.context)));
    }
    match wanted.publish {
        Publish::No => {}
        Publish::Push => words.push("--push".to_owned()),
        Publish::PullRequest => words.push("--pull-request".to_owned()),
    }
    words.join(" ")
}

fn digest(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Returns what a rule would hide of what differs.
async fn hidden(rule: Arc<IgnoreRule>, candidates: Vec<Candidate>) -> Result<Vec<Hidden>, Box<Notice>> {
    let work = tokio::task::spawn_blocking(move || {
        let differing = candidates.into_iter().map(|candidate| {
            let cluster = candidate.status.deployment.cluster.clone();
            Differing {
                context: candidate.context,
                desired: candidate.desired,
                live: candidate.live.and_then(|live| live.open(&cluster).ok()),
                status: candidate.status,
            }
        });
        crate::action::ignore::hides(&rule, &differing.collect::<Vec<_>>())
    });
    work.await.map_err(|_| panicked())
}

fn panicked() -> Box<Notice> {
    Box::new(Notice::error("driftdeck failed on it; the log says where"))
}
