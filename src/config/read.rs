//! Defines how `config.yaml` is read: all mistakes at once, each with its line and key, and which clusters they may
//! concern.

use super::cursor::{Cursor, Mistakes, nearest};
use super::health;
use super::ignore::read_rules;
use super::settings::{
    AppSetting, ClusterSetting, FETCH_EVERY, Glyphs, Hosts, KeySetting, Place, RepoSetting, SecretSettings,
    Settings,
};
use crate::model::ignore::RuleSource;
use crate::model::manager::{KnownManager, ManagerKind};
use crate::model::{BuiltIn, Glob, Notice, Origin};
use crate::text::yaml;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The shortest interval between two fetches that a forge is asked to bear.
const SHORTEST_FETCH: Duration = Duration::from_secs(10);
const LONGEST_FETCH: Duration = Duration::from_secs(7 * 24 * 3600);

const TOP: [&str; 15] = [
    "repos",
    "discovery",
    "apps",
    "clusters",
    "hosts",
    "secrets",
    "exact",
    "managers",
    "health",
    "ignore",
    "built-in-rules",
    "theme",
    "glyphs",
    "time-zone",
    "keys",
];

/// What is wrong with a configuration, and which clusters it may concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In the order of the file, at least one.
    pub notices: Vec<Notice>,
    pub doubt: Doubt,
    /// What could be read of it all the same.
    pub rest: Box<Settings>,
    /// A mistake may concern what is masked: nothing may be shown.
    pub masks_unknown: bool,
}

/// Which clusters a mistake may concern: they are read-only until it is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    Everything,
    Contexts(BTreeSet<String>),
}

impl Doubt {
    pub(super) fn none() -> Self {
        Self::Contexts(BTreeSet::new())
    }

    fn add(&mut self, context: String) {
        if let Self::Contexts(contexts) = self {
            contexts.insert(context);
        }
    }
}

/// Where the file is: what paths in it are relative to.
#[derive(Clone, Copy)]
struct Base<'a> {
    file: &'a str,
    folder: &'a Path,
    home: Option<&'a Path>,
}

impl Settings {
    /// Reads a configuration. Paths in it are relative to the file's folder; `~/` is `home`.
    ///
    /// An empty file is the default. Fails with all mistakes at once.
    pub fn read(text: &str, file: &Path, home: Option<&Path>) -> Result<Self, Broken> {
        let shown = file.display().to_string();
        let from = Base { file: &shown, folder: file.parent().unwrap_or(Path::new("")), home };
        let mut documents = yaml::read_documents(text.as_bytes()).into_iter();
        // Of a file that cannot be read nobody knows what it says; that it speaks of masks can be seen.
        let everything = |notice: Notice| Broken {
            notices: vec![notice],
            doubt: Doubt::Everything,
            rest: Box::default(),
            masks_unknown: text.contains("mask"),
        };
        let document = match documents.next() {
            None => return Ok(Self::default()),
            Some(Ok(document)) => document,
            Some(Err(error)) => {
                return Err(everything(Notice::error(format!("{error}")).file(&shown, error.line)));
            }
        };
        if let Some(next) = documents.next() {
            let line = next.map_or_else(|error| error.line, |document| Some(document.line));
            return Err(everything(Notice::error("a configuration is one document").file(&shown, line)));
        }
        let mut mistakes = Mistakes::new(&shown);
        for problem in &document.problems {
            let key = problem.path.trim_start_matches('.');
            mistakes
                .notices
                .push(Notice::error(format!("{key}: {}", problem.title)).file(&shown, problem.line));
            mistakes.doubt = Doubt::Everything;
            mistakes.masks_unknown |= key.starts_with("secrets");
        }
        let top = Cursor::document(&document.value, &document.lines, document.line);
        let settings = read_top(&top, from, &mut mistakes);
        if mistakes.notices.is_empty() {
            return Ok(settings);
        }
        mistakes.notices.sort_by_key(|notice| notice.line);
        let Mistakes { notices, doubt, masks_unknown, .. } = mistakes;
        Err(Broken { notices, doubt, rest: Box::new(settings), masks_unknown })
    }
}

fn read_top(top: &Cursor<'_>, from: Base<'_>, mistakes: &mut Mistakes<'_>) -> Settings {
    if !top.only(&TOP, mistakes) {
        mistakes.doubt = Doubt::Everything;
        mistakes.masks_unknown |= top.get("secrets").is_some();
    }
    for (name, _) in top.entries(mistakes) {
        // What is like no other key, or like one of these, may have been meant to say what must not be written, or shown.
        let near = if TOP.contains(&name) { continue } else { nearest(name, &TOP) };
        if near.is_none_or(|near| matches!(near, "clusters" | "ignore")) {
            mistakes.doubt = Doubt::Everything;
        }
        mistakes.masks_unknown |= near == Some("secrets");
    }
    let mut settings = Settings {
        discovery: top.switch("discovery", mistakes).unwrap_or(true),
        theme: top.text("theme", mistakes),
        ..Settings::default()
    };
    for repo in list(top, "repos", mistakes) {
        settings.repos.extend(read_repo(&repo, from, mistakes));
    }
    read_apps(top, from, &mut settings, mistakes);
    read_clusters(top, from, &mut settings, mistakes);
    if let Some(hosts) = top.get("hosts") {
        hosts.only(&["git", "kustomize"], mistakes);
        settings.hosts = Hosts {
            git: read_hosts(&hosts, "git", mistakes),
            kustomize: read_hosts(&hosts, "kustomize", mistakes),
        };
    }
    if let Some(secrets) = top.get("secrets") {
        let before = mistakes.notices.len();
        secrets.only(&["mask", "list-cluster-wide"], mistakes);
        settings.secrets = SecretSettings {
            mask: secrets.texts("mask", mistakes).into_iter().map(Glob::new).collect(),
            list_cluster_wide: secrets.switch("list-cluster-wide", mistakes).unwrap_or(false),
        };
        mistakes.masks_unknown |= mistakes.notices.len() > before;
    }
    if let Some(exact) = top.get("exact") {
        exact.only(&["background"], mistakes);
        settings.exact_background = exact.count("background", mistakes).unwrap_or(0);
    }
    for manager in list(top, "managers", mistakes) {
        settings.managers.extend(read_manager(&manager, from, mistakes));
    }
    for rule in list(top, "health", mistakes) {
        settings.health.extend(health::read_rule(&rule, mistakes));
    }
    let before = mistakes.notices.len();
    settings.ignore = read_rules(top, from.file, RuleSource::Configuration, &[], mistakes);
    if mistakes.notices.len() > before {
        // A sync would write what the rule leaves alone.
        mistakes.doubt = Doubt::Everything;
    }
    settings.built_in_off = read_built_in(top, mistakes);
    settings.glyphs = read_glyphs(top, mistakes);
    settings.time_zone = read_time_zone(top, mistakes);
    if let Some(keys) = top.get("keys") {
        for (command, at) in keys.entries(mistakes) {
            if let Some(key) = at.as_text(mistakes) {
                settings.keys.insert(command.to_owned(), KeySetting { key, declared: origin(&at, from) });
            }
        }
    }
    settings
}

fn list<'a>(top: &Cursor<'a>, name: &str, mistakes: &mut Mistakes<'_>) -> Vec<Cursor<'a>> {
    top.get(name).map(|list| list.items(mistakes)).unwrap_or_default()
}

fn read_repo(at: &Cursor<'_>, from: Base<'_>, mistakes: &mut Mistakes<'_>) -> Option<RepoSetting> {
    if !at.only(&["url", "path", "name", "revision", "fetch"], mistakes) {
        return None;
    }
    let place = match (at.text("url", mistakes), at.text("path", mistakes)) {
        (Some(url), None) => Place::Url(url),
        (None, Some(path)) => Place::Path(from.path(&path)),
        (Some(_), Some(_)) => {
            mistakes.report(at, "a repo has either a url or a path");
            return None;
        }
        (None, None) => {
            // Where one is there but no text, that is said already.
            if at.get("url").is_none() && at.get("path").is_none() {
                mistakes.report(at, "a repo needs a url or a path");
            }
            return None;
        }
    };
    Some(RepoSetting {
        place,
        name: at.text("name", mistakes),
        revision: at.text("revision", mistakes),
        fetch_every: read_interval(at, mistakes),
        declared: origin(at, from),
    })
}

fn read_interval(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Option<Duration> {
    let Some(found) = at.get("fetch") else { return Some(FETCH_EVERY) };
    let text = found.as_text(mistakes)?;
    if text == "never" {
        return None;
    }
    let span = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let read = span.ok().and_then(|duration| Duration::try_from(duration).ok());
    let interval = read.filter(|interval| (SHORTEST_FETCH..=LONGEST_FETCH).contains(interval));
    if interval.is_none() {
        mistakes.wants(&found, "a time from 10s to 7d, such as 60s or 5m, or never");
    }
    interval
}

fn read_apps(top: &Cursor<'_>, from: Base<'_>, settings: &mut Settings, mistakes: &mut Mistakes<'_>) {
    for at in list(top, "apps", mistakes) {
        let before = mistakes.notices.len();
        let app = read_app(&at, from, mistakes);
        if mistakes.notices.len() > before {
            // A sync of this app may write where the user does not mean it to.
            let contexts = at.texts("contexts", &mut Mistakes::new(""));
            if contexts.is_empty() {
                mistakes.doubt = Doubt::Everything;
            }
            for context in contexts {
                mistakes.doubt.add(context);
            }
        }
        if let Some(app) = app {
            if settings.apps.iter().any(|known| known.name == app.name && known.repo == app.repo) {
                mistakes.report(&at, &format!("there are two apps {} of one repo", app.name));
            }
            settings.apps.push(app);
        }
    }
}

fn read_app(at: &Cursor<'_>, from: Base<'_>, mistakes: &mut Mistakes<'_>) -> Option<AppSetting> {
    let known = ["name", "repo", "path", "revision", "contexts", "namespace", "values"];
    if !at.only(&known, mistakes) {
        return None;
    }
    let app = AppSetting {
        name: needed(at, "name", "an app", mistakes)?,
        repo: at.text("repo", mistakes).map(|name| from.repo(&name)),
        path: needed(at, "path", "an app", mistakes)?,
        revision: at.text("revision", mistakes),
        contexts: at.texts("contexts", mistakes),
        namespace: at.text("namespace", mistakes),
        values: at.texts("values", mistakes),
        declared: origin(at, from),
    };
    let leaves = |path: &String| path.starts_with('/') || path.split('/').any(|segment| segment == "..");
    if let Some(path) = app.values.iter().chain([&app.path]).find(|path| leaves(path)) {
        mistakes.report(at, &format!("{path} leads out of the repo"));
    }
    let path = app.path.trim_start_matches("./").trim_matches('/');
    let path = if path == "." { String::new() } else { path.to_owned() };
    Some(AppSetting { path, ..app })
}

fn read_clusters(top: &Cursor<'_>, from: Base<'_>, settings: &mut Settings, mistakes: &mut Mistakes<'_>) {
    let found = top.get("clusters");
    if found.as_ref().is_some_and(|found| found.value.as_list().is_none()) {
        mistakes.doubt = Doubt::Everything;
    }
    for at in list(top, "clusters", mistakes) {
        let before = mistakes.notices.len();
        let cluster = read_cluster(&at, from, mistakes);
        let context = cluster.as_ref().map(|cluster| cluster.context.clone());
        if let Some(cluster) = cluster {
            if settings.cluster(&cluster.context).is_some() {
                mistakes.report(&at, &format!("the context {} stands here twice", cluster.context));
            }
            settings.clusters.push(cluster);
        }
        if mistakes.notices.len() > before {
            match context {
                Some(context) => mistakes.doubt.add(context),
                None => mistakes.doubt = Doubt::Everything,
            }
        }
    }
}

fn read_cluster(at: &Cursor<'_>, from: Base<'_>, mistakes: &mut Mistakes<'_>) -> Option<ClusterSetting> {
    if !at.only(&["context", "name", "kubeconfig", "protected", "read-only"], mistakes) {
        return None;
    }
    let context = needed(at, "context", "a cluster", mistakes)?;
    Some(ClusterSetting {
        context,
        name: at.text("name", mistakes),
        kubeconfig: at.text("kubeconfig", mistakes).map(|path| from.path(&path)),
        protected: at.switch("protected", mistakes),
        read_only: at.switch("read-only", mistakes).unwrap_or(false),
        declared: origin(at, from),
    })
}

fn read_hosts(at: &Cursor<'_>, name: &str, mistakes: &mut Mistakes<'_>) -> Vec<String> {
    let Some(found) = at.get(name) else { return Vec::new() };
    let mut hosts = Vec::new();
    for item in found.items(mistakes) {
        let Some(host) = item.as_text(mistakes) else { continue };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.[]:".contains(c);
        if host.starts_with('-') || !host.chars().all(plain) {
            mistakes.wants(&item, "the name of a host, such as github.com");
        } else {
            hosts.push(host.to_ascii_lowercase());
        }
    }
    hosts
}

fn read_manager(at: &Cursor<'_>, from: Base<'_>, mistakes: &mut Mistakes<'_>) -> Option<KnownManager> {
    if !at.only(&["name", "is", "called"], mistakes) {
        return None;
    }
    let name = needed(at, "name", "a manager", mistakes)?;
    let kind = match at.get("is") {
        None => None,
        Some(is) => match is.value.as_str() {
            Some("person") => Some(ManagerKind::Person),
            Some("deployer") => Some(ManagerKind::Deployer),
            Some("controller") => Some(ManagerKind::Controller),
            _ => {
                mistakes.wants(&is, "person, deployer or controller");
                return None;
            }
        },
    };
    let called = at.text("called", mistakes);
    if at.get("is").is_none() && at.get("called").is_none() {
        mistakes.report(at, "a manager needs is, or called, or both");
        return None;
    }
    Some(KnownManager { name, kind, called, declared: origin(at, from) })
}

/// Returns the built-in rules that are switched off.
fn read_built_in(top: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Vec<BuiltIn> {
    let Some(found) = top.get("built-in-rules") else { return Vec::new() };
    found.only(&BuiltIn::ALL.map(BuiltIn::name), mistakes);
    let switch =
        |rule: &BuiltIn, mistakes: &mut Mistakes<'_>| found.switch(rule.name(), mistakes) == Some(false);
    BuiltIn::ALL.into_iter().filter(|rule| switch(rule, mistakes)).collect()
}

fn read_glyphs(top: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Glyphs {
    let Some(at) = top.get("glyphs") else { return Glyphs::default() };
    match at.value.as_str() {
        Some("auto") => Glyphs::Auto,
        Some("unicode") => Glyphs::Unicode,
        Some("ascii") => Glyphs::Ascii,
        Some("words") => Glyphs::Words,
        _ => {
            mistakes.wants(&at, "auto, unicode, ascii or words");
            Glyphs::default()
        }
    }
}

fn read_time_zone(top: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let at = top.get("time-zone")?;
    let name = at.as_text(mistakes)?;
    if name == "local" {
        return None;
    }
    if TimeZone::get(&name).is_err() {
        mistakes.wants(&at, "local, or a time zone such as Europe/Berlin or UTC");
    }
    Some(name)
}

fn needed(at: &Cursor<'_>, name: &str, whose: &str, mistakes: &mut Mistakes<'_>) -> Option<String> {
    if at.get(name).is_none() {
        mistakes.report(at, &format!("{whose} needs a {name}"));
    }
    at.text(name, mistakes)
}

fn origin(at: &Cursor<'_>, from: Base<'_>) -> Origin {
    Origin { file: from.file.to_owned(), document: 0, line: Some(at.line) }
}

impl Base<'_> {
    /// Returns what a repo is called by; a path as it stands on the disk.
    fn repo(&self, text: &str) -> String {
        let is_path =
            ["~", ".", ".."].contains(&text) || ["~/", "./", "../"].iter().any(|p| text.starts_with(p));
        if is_path { self.path(text).to_string_lossy().into_owned() } else { text.to_owned() }
    }

    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix('~').map(|rest| rest.trim_start_matches('/')), self.home) {
            (Some(rest), Some(home)) if text == "~" || text.starts_with("~/") => home.join(rest),
            _ => self.folder.join(text),
        }
    }
}

#[cfg(test)]
mod tests;
