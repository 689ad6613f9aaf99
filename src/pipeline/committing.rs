//! Plans commits: what would be in them, where they would land, and what the app would then be against what is live.
//! Nothing of it is in the repo before the plan is carried out.

use crate::action::commit::{commit_notice, propose_notice};
use crate::action::ignore::{Differing, Draft};
use crate::action::plan_id;
use crate::action::sync::Only;
use crate::git::{Ask, Committing, Git, Obstacle, Proposed, Recipe, Repo};
use crate::model::commit_plan::{
    CommitAction, CommitPlan, CommitStep, Hidden, Included, Landing, Publish, Reach, sharing,
};
use crate::model::history::PastCommit;
use crate::model::status::ResourceStatus;
use crate::model::{IgnoreRule, Notice, Oid, Timestamp, Tree};
use crate::pipeline::history::{self, Ground};
use crate::pipeline::run::{Candidate, Handle};
use crate::render;
use crate::text::{commit_trailer, shell_word, terminal};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a commit is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The app's path becomes what it was at a commit, given by any name that Git knows.
    Back { to: String },
    /// What one commit changed is taken out again, as `git revert` does.
    Undo { commit: String },
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
    pub proposed: Proposed,
    pub how: Committing,
    pub repo: Repo,
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
    let (of, asked) = (ground.clone(), wanted.clone());
    let found = tokio::task::spawn_blocking(move || drafted(&of, &asked));
    let Drafted { base, found, proposed, landing, remarks, shared } =
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
    let message = message(ground, wanted, &found, &id, &shared);
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
        landing,
    };
    if !plan.is_empty() {
        plan.steps.push(CommitStep::planned(CommitAction::Commit, Some(landed(&plan.landing))));
    }
    plan.will_not = will_not(&plan);
    plan.remarks.extend(predictions(&plan));
    Ok(Prepared { plan, proposed, how, repo })
}

/// What is found on the disk.
struct Drafted {
    base: Oid,
    found: Found,
    proposed: Proposed,
    landing: Landing,
    remarks: Vec<String>,
    shared: Vec<String>,
}

fn drafted(ground: &Ground, wanted: &Wanted) -> Result<Drafted, Box<Notice>> {
    let repo = &ground.inputs.repo;
    let on = repo.ground(&ground.inputs.revision.asked).ok_or_else(|| {
        Box::new(Notice::error(format!("nothing can be committed to {}: it has no commits", repo.name())))
    })?;
    let snapshot = repo.revision(&Ask::Name(on.base.0.clone())).map_err(|error| Box::new(error.notice()))?;
    let found = found(ground, wanted, &snapshot.tree)?;
    let proposed = repo.propose(&on.base, &found.recipe).map_err(|error| Box::new(propose_notice(&error)))?;
    let files: Vec<String> = proposed.files.iter().map(|file| file.path.clone()).collect();
    let landing = landing(ground, wanted, &found, &on, &files)?;
    let mut remarks = Vec::new();
    let behind = ground.inputs.revision.behind;
    if behind > 0 && wanted.publish != Publish::PullRequest {
        let commits = if behind == 1 { "commit" } else { "commits" };
        remarks.push(format!(
            "{} is {behind} {commits} behind its upstream: a push will be refused until those are merged",
            landing.branch()
        ));
    }
    let others = ground.others.iter().map(|other| (other, render::inputs(other, &*snapshot.tree)));
    let shared = sharing(&proposed.files, &ground.inputs.app.id, others);
    Ok(Drafted { base: on.base, found, proposed, landing, remarks, shared })
}

fn found(ground: &Ground, wanted: &Wanted, now: &Arc<dyn Tree>) -> Result<Found, Box<Notice>> {
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
        What::Ignore(draft) => {
            let (edit, rule) = draft.edit(&**now)?;
            let recipe = Recipe::Files(vec![edit]);
            Ok(Found { command: "ignore", recipe, commit: None, included: Vec::new(), rule: Some(rule) })
        }
    }
}

/// Returns where the commit lands. A new branch is what remains where the branch itself cannot be moved.
fn landing(
    ground: &Ground,
    wanted: &Wanted,
    found: &Found,
    on: &crate::git::Ground,
    files: &[String],
) -> Result<Landing, Box<Notice>> {
    let repo = &ground.inputs.repo;
    let new = |why: Option<String>| {
        let of = found.commit.as_ref().map_or("", |commit| commit.id.short());
        let named = fresh_name(repo, &ground.inputs.app.id.name, found.command, of);
        Landing::New { branch: named, why }
    };
    if repo.kind() == crate::git::Kind::Mirror {
        let notice =
            Notice::error(format!("{} is not on this machine: a commit alone would be lost", repo.name()));
        return Err(Box::new(notice.hint("clone it and name the folder")));
    }
    let Some(branch) = on.branch.clone() else { return Ok(new(on.why.clone())) };
    if !on.is_checked_out {
        return Ok(Landing::Branch { branch });
    }
    let obstacles = repo.obstacles(files);
    let uncommitted: Vec<String> = obstacles
        .iter()
        .filter_map(|obstacle| match obstacle {
            Obstacle::Uncommitted { file } => Some(file.clone()),
            _ => None,
        })
        .collect();
    if obstacles.is_empty() || wanted.dirty && uncommitted.len() == obstacles.len() {
        return Ok(Landing::CheckedOut { branch, keeps: uncommitted });
    }
    Ok(new(obstacles.first().map(ToString::to_string)))
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
fn message(ground: &Ground, wanted: &Wanted, found: &Found, id: &str, shared: &[String]) -> String {
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

/// Counts what a plan's effect changes: fields, and objects that come or go.
pub fn counted(effect: &[ResourceStatus]) -> usize {
    history::distance(effect)
}
