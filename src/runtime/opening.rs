//! Opens what the deck is about: the user's repos and clusters, or the demo's world.

use super::looks::Looks;
use super::{Ends, Start, launch, launch_when};
use crate::action::journal::Journal;
use crate::config::Settings;
use crate::config::paths::Folders;
use crate::config::settings::Glyphs;
use crate::config::theme::Theme;
use crate::deck::Options;
use crate::model::Notice;
use crate::pipeline::committer::Committer;
use crate::pipeline::demo::{DemoWorld, play};
use crate::pipeline::opening::{self, Configured, Wishes, system_clock};
use crate::pipeline::setup::Clock;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the deck is to be opened on.
pub struct Wanted {
    pub wishes: Wishes,
    /// The demo's world instead of the user's, and whether it changes by itself.
    pub demo: Option<Demo>,
    /// Every app is checked exactly once everything is known.
    pub exact: bool,
    pub ascii: bool,
    pub no_color: bool,
    /// The theme, instead of that of the configuration.
    pub theme: Option<String>,
}

/// How the demo is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demo {
    /// It stays as it is.
    pub still: bool,
}

/// What the deck is started with.
pub struct Opened {
    pub ends: Ends,
    pub options: Options,
    pub theme: Theme,
    pub clock: Clock,
    /// Where copies are saved.
    pub state_folder: Option<PathBuf>,
    /// What must outlive the deck, where it is the demo.
    pub ground: Option<Ground>,
}

/// The demo's folder, with what is at work in it.
pub struct Ground {
    folder: TempDir,
    incident: DropGuard,
    /// Ends once that nothing is built in the folder any more.
    building: CancellationToken,
}

impl Ground {
    /// Ends the incident and removes the folder. Waits for the building to end (a fraction of a second), which would
    /// leave files behind.
    pub async fn close(self) {
        drop(self.incident);
        self.building.cancelled().await;
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "the demo's folder is left behind");
        }
    }
}

/// Opens everything and starts the runtime. Nothing has been contacted yet when it returns.
///
/// Must be called on an async runtime: the tasks start at once.
pub fn open(wanted: &Wanted) -> Result<Opened, Box<Notice>> {
    match wanted.demo {
        Some(demo) => open_demo(wanted, demo),
        None => open_own(wanted),
    }
}

fn open_own(wanted: &Wanted) -> Result<Opened, Box<Notice>> {
    let clock = system_clock();
    let wishes = Wishes { follow: true, ..wanted.wishes.clone() };
    let opening::Opened { setup, settings, folders, mut notices } = opening::open(&wishes, clock.clone())?;
    let state_folder = folders.as_ref().map(|f| f.state.clone());
    let looks = looks(wanted, folders.as_ref());
    let options = options(wanted, &looks, settings.settings(), &mut notices);
    let theme = looks.theme(settings.settings(), &mut notices);
    let journal = state_folder.as_ref().map(|folder| Journal::at(folder.join("journal")));
    let ends = launch(Start { setup, notices, journal, committer: Committer::default() });
    Ok(Opened { ends, options, theme, clock, state_folder, ground: None })
}

/// Starts on the demo's world, which is built while the deck is drawn, in a folder of its own, which goes with the deck.
/// Its journal lies there too.
fn open_demo(wanted: &Wanted, demo: Demo) -> Result<Opened, Box<Notice>> {
    let clock = system_clock();
    let failed = |what: String| Box::new(Notice::error("the demo cannot be built").cause(what));
    let folder = TempDir::with_prefix("driftdeck-demo-").map_err(|error| failed(error.to_string()))?;
    // Of the user's configuration only what it looks like holds in the demo: its world is its own.
    let Configured { settings, folders, mut notices } = opening::configured(&wanted.wishes)?;
    let looks = looks(wanted, folders.as_ref());
    let options = options(wanted, &looks, settings.settings(), &mut notices);
    let theme = looks.theme(settings.settings(), &mut notices);
    let state_folder = Some(folder.path().join("state"));
    let (cancel, building) = (CancellationToken::new(), CancellationToken::new());
    let (at, clocks, ended, built) =
        (folder.path().to_owned(), clock.clone(), cancel.clone(), building.clone().drop_guard());
    let ends = launch_when(clock.clone(), async move {
        let journal = Some(Journal::at(at.join("journal")));
        let when = clocks.clone();
        let world = tokio::task::spawn_blocking(move || {
            let _built = built;
            DemoWorld::build(&at, &when)
        });
        let world = world.await.map_err(|error| failed(error.to_string()))?;
        let world = world.map_err(|error| failed(error.to_string()))?;
        let setup = world.setup(clocks.clone());
        tokio::spawn(play(world, demo.still, clocks, ended));
        Ok(Start { setup, notices, journal, committer: Committer::made_up() })
    });
    let ground = Ground { folder, incident: cancel.drop_guard(), building };
    Ok(Opened { ends, options, theme, clock, state_folder, ground: Some(ground) })
}

fn looks(wanted: &Wanted, folders: Option<&Folders>) -> Looks {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let beside = wanted.wishes.config.as_deref().and_then(Path::parent).map(Path::to_owned);
    Looks {
        theme: wanted.theme.clone(),
        ascii: wanted.ascii,
        no_color: wanted.no_color || set("NO_COLOR").is_some(),
        folder: beside.or_else(|| folders.map(|folders| folders.config.clone())),
        colorfgbg: set("COLORFGBG"),
    }
}

fn options(wanted: &Wanted, looks: &Looks, settings: &Settings, notices: &mut Vec<Notice>) -> Options {
    let zone = match &settings.time_zone {
        None => TimeZone::system(),
        Some(name) => TimeZone::get(name).unwrap_or_else(|error| {
            notices.push(Notice::error(format!("there is no time zone {name}")).cause(error.to_string()));
            TimeZone::system()
        }),
    };
    let wishes = &wanted.wishes;
    Options {
        keymap: looks.keymap(settings, notices),
        zone,
        ascii: looks.ascii(settings),
        words: settings.glyphs == Glyphs::Words,
        read_only: wishes.read_only,
        exact: wanted.exact,
        app: wishes.apps.first().cloned(),
        context: wishes.contexts.first().cloned(),
        opening: if wanted.demo.is_some() { "the demo".to_owned() } else { wishes.places.join(" ") },
    }
}
