//! `driftdeck history`: the commits that touch an app, and which of them the cluster matches best.

use crate::cli::arguments::{HistoryArguments, Options};
use crate::cli::document::{self, SCHEMA};
use crate::cli::gather::Gathered;
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, opening, written};
use crate::model::history::{Step, best};
use crate::model::{
    AppId, ClusterId, DeploymentId, History, Level, Notice, Oid, PastCommit, Signature, limits,
};
use crate::pipeline::history::Histories;
use crate::pipeline::run::{Handle, start};
use crate::text;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What was told, step by step.
#[derive(Default)]
struct Told {
    history: History,
    distances: BTreeMap<Oid, Result<usize, String>>,
}

/// Walks the history of an app and prints it. A cluster is not needed; without one no distance is known.
pub async fn run(what: &HistoryArguments, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let mut options = options.clone();
    options.apps = vec![what.name.clone()];
    let (gathered, handle) = gather(&what.places, &options, output).await?;
    let mut said = gathered.notices.clone();
    let (app, cluster) = choose(&gathered, &what.name, &mut said)?;
    let Some(ground) = handle.past(app, cluster.clone()).await else {
        return Err(Box::new(Notice::error(format!("the history of {} cannot be read", what.name))));
    };
    let mut told = Told::default();
    let histories = Histories::default();
    let cancel = CancellationToken::new();
    let (steps, mut said_of_it) = mpsc::channel(limits::CHANNEL);
    let telling = async {
        let result = histories.tell(&ground, &cancel, &steps).await;
        drop(steps);
        result
    };
    let taking = async {
        while let Some(step) = said_of_it.recv().await {
            told.take(step);
        }
    };
    tokio::join!(telling, taking).0.map_err(|error| Box::new(error.notice()))?;
    told.history.more |= told.history.commits.len() > what.limit;
    told.history.commits.truncate(what.limit);
    if let Some(gap) = &told.history.gap {
        said.push(Notice::warning(format!("not told: {gap}")));
    }
    if let Some(why) = told.distances.values().find_map(|distance| distance.as_ref().err()) {
        said.push(Notice::warning(format!("how far the cluster is off is not known of every commit: {why}")));
    }
    document::worst_first(&mut said);
    output.notices(&said);
    let context = cluster.map(|cluster| gathered.context(&cluster));
    written(
        output.document(|| told.to_json(context.as_deref(), &said), || told.to_text(context.as_deref())),
    )?;
    Ok(Exit::Success)
}

/// Reads repos and clusters; where no cluster is configured at all, repos alone.
pub(super) async fn gather(
    places: &[String],
    options: &Options,
    output: &Output,
) -> Result<(Gathered, Handle), Failed> {
    let opened = match opening::open(places, options, false) {
        Ok(opened) => opened,
        Err(_) => opening::open_repos(places, options)?,
    };
    let mut gathered = Gathered::default();
    gathered.notices.extend(opened.notices);
    let (handle, mut updates) = start(opened.setup);
    gathered.until_settled(&mut updates, options.timeout, output).await;
    Ok((gathered, handle))
}

/// Finds the app, and the one cluster that it is to be held against.
pub(super) fn choose(
    gathered: &Gathered,
    name: &str,
    said: &mut Vec<Notice>,
) -> Result<(AppId, Option<ClusterId>), Failed> {
    let all = gathered.apps.values().flatten();
    let apps: Vec<&AppId> = all.map(|status| &status.app.id).filter(|id| id.name == name).collect();
    let app = match apps.as_slice() {
        [one] => (*one).clone(),
        [] => {
            // What keeps a repo from being read, or that it has no such app, is said there.
            let said = gathered.findings().notices;
            let why = said.into_iter().find(|notice| notice.level == Level::Error);
            let none =
                || Notice::error(format!("there is no app {name}")).hint("driftdeck apps lists the apps");
            return Err(Box::new(why.unwrap_or_else(none)));
        }
        several => {
            let places: Vec<&str> = several.iter().map(|id| id.repo.0.as_ref()).collect();
            let notice = Notice::error(format!("{name} is in several repos: {}", places.join(", ")));
            return Err(Box::new(notice.hint("give the PATH of one")));
        }
    };
    let deployed: Vec<&DeploymentId> =
        gathered.deployments.keys().filter(|id| id.app == app && !is_silent(gathered, id)).collect();
    let cluster = match deployed.as_slice() {
        [one] => Some(one.cluster.clone()),
        [] => None,
        several => {
            let names: Vec<String> = several.iter().map(|id| gathered.context(&id.cluster)).collect();
            said.push(
                Notice::info(format!("how far off it is was not worked out: it is in {}", names.join(", ")))
                    .hint("choose one with --context"),
            );
            None
        }
    };
    Ok((app, cluster))
}

fn is_silent(gathered: &Gathered, id: &DeploymentId) -> bool {
    gathered.clusters.get(&id.cluster).is_none_or(|c| c.state != crate::model::status::ClusterState::Live)
}

impl Told {
    fn take(&mut self, step: Step) {
        match step {
            Step::Commits(history) => self.history = history,
            Step::Distance(commit, distance) => drop(self.distances.insert(commit, distance)),
            Step::Signatures(checked) => {
                for commit in &mut self.history.commits {
                    if let Some(signature) = checked.get(&commit.id) {
                        commit.signature = *signature;
                    }
                }
            }
        }
    }

    fn best(&self) -> Option<(&Oid, usize)> {
        best(self.history.commits.iter(), &self.distances)
    }

    fn distance(&self, commit: &PastCommit) -> Option<usize> {
        self.distances.get(&commit.id)?.as_ref().ok().copied()
    }

    fn to_json(&self, context: Option<&str>, said: &[Notice]) -> Json {
        let best = self.best();
        let commit = |commit: &PastCommit| {
            json!({
                "commit": commit.id.0,
                "author": commit.author,
                "email": commit.email,
                "authored": commit.authored.map(document::time),
                "subject": commit.subject,
                "files": commit.files,
                "distance": self.distance(commit),
                "pullRequest": commit.pull_request,
                "checks": null,
                "signature": commit.signature.word(),
            })
        };
        json!({
            "schema": SCHEMA,
            "command": "history",
            "cluster": context,
            "best": best.map(|(commit, distance)| json!({"commit": commit.0, "distance": distance})),
            "more": self.history.more,
            "of": self.history.of,
            "commits": self.history.commits.iter().map(commit).collect::<Vec<_>>(),
            "notices": document::notices(said),
        })
    }

    /// Writes a line for each commit: its short id, day, author, subject, request, signature, and how far the cluster is off.
    fn to_text(&self, context: Option<&str>) -> String {
        let best = self.best().map(|(commit, _)| commit);
        let width = |of: &dyn Fn(&PastCommit) -> String, most: usize| {
            let widths = self.history.commits.iter().map(|commit| of(commit).chars().count());
            widths.max().unwrap_or(0).min(most)
        };
        let day = |commit: &PastCommit| {
            commit.authored.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
        };
        let author = |commit: &PastCommit| commit.author.clone();
        let subject = |commit: &PastCommit| commit.subject.clone();
        let (authors, subjects) = (width(&author, 24), width(&subject, 60));
        let mut out = String::new();
        for commit in &self.history.commits {
            let mut line = format!(
                "{}  {}  {:<authors$}  {:<subjects$}",
                commit.id.0.get(..7).unwrap_or(&commit.id.0),
                day(commit),
                commit.author,
                commit.subject
            );
            if let Some(number) = &commit.pull_request {
                line = format!("{line}  {number}");
            }
            if commit.signature != Signature::None {
                line = format!("{line}  signature {}", commit.signature.word());
            }
            if let (Some(distance), Some(context)) = (self.distance(commit), context) {
                line = format!("{line}  {}", off(distance, context, best == Some(&commit.id)));
            }
            out += text::terminal(line.trim_end()).as_ref();
            out.push('\n');
        }
        if self.history.commits.is_empty() {
            out += "no commit touches it\n";
        }
        if self.history.more {
            out += "and older ones\n";
        }
        out
    }
}

/// Says how far a cluster is off a commit.
fn off(distance: usize, context: &str, best: bool) -> String {
    match (distance, best) {
        (0, true) => format!("{context} is here"),
        (0, false) => format!("as {context}"),
        (1, false) => format!("1 field off {context}"),
        (n, false) => format!("{n} fields off {context}"),
        (1, true) => format!("1 field off {context}, best match"),
        (n, true) => format!("{n} fields off {context}, best match"),
    }
}
