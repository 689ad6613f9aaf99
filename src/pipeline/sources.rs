//! Decides which repos are read, and how: what was typed, the repo of the current folder, what the configuration names.

use crate::config::Settings;
use crate::config::settings::{self, AppSetting};
use crate::git::{Kind, RemoteUrl, Repo};
use crate::model::Notice;
use crate::pipeline::opening::Wishes;
use crate::pipeline::setup::{Place, Source};
use std::path::{Path, PathBuf};

/// Returns the repos to read, each with the apps that the configuration names in it.
pub(super) fn sources(wishes: &Wishes, settings: &Settings) -> Result<Vec<Source>, Box<Notice>> {
    let source = |place: Place, named: bool| Source {
        revision: wishes.revision.clone(),
        named,
        discovery: settings.discovery,
        ..Source::at(place)
    };
    let mut sources: Vec<Source> = if !wishes.places.is_empty() {
        wishes.places.iter().map(|text| source(place(text), true)).collect()
    } else if !settings.repos.is_empty() {
        let configured = settings.repos.iter().map(|repo| {
            let place = match &repo.place {
                settings::Place::Path(path) => Place::Local(path.clone()),
                settings::Place::Url(url) => Place::Remote(url.clone()),
            };
            let mut one = source(place, false);
            one.revision = one.revision.or_else(|| repo.revision.clone());
            one.fetch_interval = repo.fetch_every.unwrap_or(settings::FETCH_EVERY);
            one
        });
        configured.collect()
    } else {
        let here = Path::new(".");
        match Repo::open(here) {
            Ok(repo) if repo.kind() != Kind::Folder => {
                vec![source(Place::Local(repo.root().to_owned()), false)]
            }
            Ok(_) => {
                return Err(Box::new(Notice::error("the current folder is in no Git repository").hint(
                    "give a PATH or URL, change into a repository, or name repos in the configuration",
                )));
            }
            Err(error) => return Err(Box::new(error.notice())),
        }
    };
    for app in &settings.apps {
        add_app(&mut sources, app);
    }
    Ok(sources)
}

/// Hands a configured app to its repo; one at a revision of its own gets a source of its own.
fn add_app(sources: &mut Vec<Source>, app: &AppSetting) {
    let is_its = |source: &Source| app.repo.as_ref().is_none_or(|name| source.is_called(name));
    let Some(at) = sources.iter().position(is_its) else { return };
    let Some(source) = sources.get_mut(at) else { return };
    if app.revision.is_some() && app.revision != source.revision {
        let own = Source {
            revision: app.revision.clone(),
            apps: vec![app.clone()],
            discovery: false,
            only_configured: true,
            ..source.clone()
        };
        sources.push(own);
    } else {
        source.apps.push(app.clone());
    }
}

/// Returns the apps that the configuration names in the repo of a place.
pub(super) fn apps_at(text: &str, settings: &Settings) -> Vec<AppSetting> {
    let at = Source::at(place(text));
    let is_its = |app: &&AppSetting| app.repo.as_ref().is_none_or(|name| at.is_called(name));
    settings.apps.iter().filter(is_its).cloned().collect()
}

fn place(text: &str) -> Place {
    if RemoteUrl::looks_like(text) && !Path::new(text).exists() {
        Place::Remote(text.to_owned())
    } else {
        Place::Local(PathBuf::from(text))
    }
}
