//! Decides which repos are read, and how: what was typed, the repo of the current folder, what the configuration names.

use crate::config::Settings;
use crate::config::settings::{self, AppSetting, RepoSetting};
use crate::git::{Kind, RemoteUrl, Repo};
use crate::model::Notice;
use crate::pipeline::configured::unfit;
use crate::pipeline::opening::Wishes;
use crate::pipeline::setup::{Place, Source};
use std::path::{Path, PathBuf};

/// Returns the repos to read, each with the apps that the configuration names in it: the places that were typed, else the
/// repo of the current folder and those of the configuration. Configured apps whose repo is not known are told.
pub(super) fn sources(
    wishes: &Wishes,
    settings: &Settings,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Source>, Box<Notice>> {
    let (mut sources, stands_for_none) = if wishes.places.is_empty() {
        shown_at_start(wishes, settings)?
    } else {
        (wishes.places.iter().map(|text| typed(text, wishes)).collect(), true)
    };
    let known: Vec<Known> = sources.iter().map(Known::of).collect();
    for app in &settings.apps {
        let at = match &app.repo {
            Some(name) => known.iter().position(|known| known.is_called(name)),
            None => Some(0).filter(|_| stands_for_none),
        };
        match at {
            Some(at) => add_app(&mut sources, at, app, wishes),
            // What was typed narrows the run: an app of another repo is none of it.
            None if !wishes.places.is_empty() => {}
            None => notices.push(homeless(app)),
        }
    }
    Ok(sources)
}

fn typed(text: &str, wishes: &Wishes) -> Source {
    Source { revision: wishes.revision.clone(), named: true, ..Source::at(place(text)) }
}

/// Returns the repo of the current folder and those of the configuration, and whether the first is the current folder's:
/// configured apps that name no repo are of that one.
fn shown_at_start(wishes: &Wishes, settings: &Settings) -> Result<(Vec<Source>, bool), Box<Notice>> {
    let mut sources: Vec<Source> =
        settings.repos.iter().map(|repo| configured(repo, wishes, settings)).collect();
    let here = match Repo::open(Path::new(".")) {
        Ok(repo) if repo.kind() != Kind::Folder => repo,
        Ok(_) if !sources.is_empty() => return Ok((sources, false)),
        Ok(_) => {
            return Err(Box::new(
                Notice::error("the current folder is in no Git repository")
                    .hint("give a PATH or URL, change into a repository, or name repos in the configuration"),
            ));
        }
        Err(error) if sources.is_empty() => return Err(Box::new(error.notice())),
        Err(_) => return Ok((sources, false)),
    };
    // A checkout stands for its remote too: its apps would otherwise be there twice.
    let known = Known::of_repo(&here);
    let mut first = Source {
        revision: wishes.revision.clone(),
        discovery: settings.discovery,
        ..Source::at(Place::Local(here.root().to_owned()))
    };
    sources.retain(|source| {
        let other = Known::of(source);
        let same_folder = other.root.is_some() && other.root == known.root;
        if same_folder {
            first = source.clone();
        } else if other.url.is_some() && other.url == known.url {
            first.name.clone_from(&source.name);
        } else {
            return true;
        }
        false
    });
    sources.insert(0, first);
    Ok((sources, true))
}

fn configured(repo: &RepoSetting, wishes: &Wishes, settings: &Settings) -> Source {
    let place = match &repo.place {
        settings::Place::Path(path) => Place::Local(path.clone()),
        settings::Place::Url(url) => Place::Remote(url.clone()),
    };
    Source {
        name: repo.name.clone(),
        revision: wishes.revision.clone().or_else(|| repo.revision.clone()),
        discovery: settings.discovery,
        fetch_interval: repo.fetch_every,
        ..Source::at(place)
    }
}

/// Hands a configured app to its repo; one at a revision of its own gets a source of its own.
fn add_app(sources: &mut Vec<Source>, at: usize, app: &AppSetting, wishes: &Wishes) {
    let Some(source) = sources.get_mut(at) else { return };
    // A revision that was typed wins.
    if wishes.revision.is_none() && app.revision.is_some() && app.revision != source.revision {
        source.elsewhere.push(app.path.clone());
        let own = Source {
            revision: app.revision.clone(),
            apps: vec![app.clone()],
            elsewhere: Vec::new(),
            discovery: false,
            only_configured: true,
            ..source.clone()
        };
        sources.push(own);
    } else {
        source.apps.push(app.clone());
    }
}

fn homeless(app: &AppSetting) -> Notice {
    match &app.repo {
        Some(name) => unfit(app, &format!("there is no repo {name} in this run")),
        None => unfit(app, "it names no repo, and the current folder is in none"),
    }
}

/// Returns the apps that the configuration names in the repo of a place.
pub(super) fn apps_at(text: &str, settings: &Settings) -> Vec<AppSetting> {
    let at = Known::of(&Source::at(place(text)));
    let is_its = |app: &&AppSetting| {
        app.repo.as_ref().is_none_or(|name| at.is_called(name) || is_configured_as(settings, name, &at))
    };
    settings.apps.iter().filter(is_its).cloned().collect()
}

/// Returns whether the configuration calls a repo by a name.
fn is_configured_as(settings: &Settings, name: &str, known: &Known) -> bool {
    let mut named = settings.repos.iter().filter(|repo| repo.name.as_deref() == Some(name));
    named.any(|repo| match &repo.place {
        settings::Place::Path(path) => path.canonicalize().is_ok_and(|path| known.root == Some(path)),
        settings::Place::Url(url) => known.is_called(url),
    })
}

fn place(text: &str) -> Place {
    if RemoteUrl::looks_like(text) && !Path::new(text).exists() {
        Place::Remote(text.to_owned())
    } else {
        Place::Local(PathBuf::from(text))
    }
}

/// By what the configuration may call a repo.
#[derive(Debug, Default)]
struct Known {
    /// The canonical folder of a checkout, and the canonical URL of a remote or of a checkout's origin.
    root: Option<PathBuf>,
    url: Option<String>,
    names: Vec<String>,
}

impl Known {
    /// Looks a source up on the disk. Nothing is contacted.
    fn of(source: &Source) -> Self {
        let mut known = match &source.place {
            // One that cannot be opened says so when it is read.
            Place::Local(path) => Repo::open(path).map(|repo| Self::of_repo(&repo)).unwrap_or_default(),
            Place::Remote(url) => RemoteUrl::read(url).map(|url| Self::of_remote(&url)).unwrap_or_default(),
        };
        known.names.extend(source.name.clone());
        known
    }

    fn of_repo(repo: &Repo) -> Self {
        let url = repo.origin_url();
        let folder = repo.root().file_name().map(|name| name.to_string_lossy().into_owned());
        Self {
            root: Some(repo.root().to_owned()),
            url: url.map(|url| url.canonical()),
            names: folder.into_iter().chain([repo.name().to_owned()]).collect(),
        }
    }

    fn of_remote(url: &RemoteUrl) -> Self {
        Self { root: None, url: Some(url.canonical()), names: vec![url.name().to_owned()] }
    }

    /// Returns whether a name, URL or path means this repo.
    fn is_called(&self, name: &str) -> bool {
        let is_url = || RemoteUrl::read(name).is_ok_and(|url| self.url == Some(url.canonical()));
        let is_root = || Path::new(name).canonicalize().is_ok_and(|path| self.root == Some(path));
        self.names.iter().any(|known| known == name) || is_url() || is_root()
    }
}
