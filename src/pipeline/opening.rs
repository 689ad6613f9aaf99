//! Turns what the user typed and configured into what the pipeline is started with.

use crate::cluster::remote::Sources;
use crate::config::paths::Folders;
use crate::config::{InForce, Settings};
use crate::drift::{HealthRules, Managers, Selector};
use crate::model::{BuiltIns, Notice, Timestamp};
use crate::pipeline::contexts::{self, clusters};
use crate::pipeline::kept::Kept;
use crate::pipeline::offline::How;
use crate::pipeline::rules::{Ignoring, KnownRules};
use crate::pipeline::seen::Seen;
use crate::pipeline::selecting::JqProcess;
use crate::pipeline::setup::{Clock, ClusterSetup, Setup, find_tools};
use crate::pipeline::sources::{apps_at, sources};
use crate::render::Tools;
use crate::text::{MaskRules, use_mask_rules};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Paths and URLs; empty: the repository of the current folder and the configured ones.
    pub places: Vec<String>,
    /// Empty: the configured clusters, else the current context.
    pub contexts: Vec<String>,
    pub kubeconfig: Option<PathBuf>,
    pub as_user: Option<String>,
    pub as_groups: Vec<String>,
    pub namespace: Option<String>,
    pub revision: Option<String>,
    pub apps: Vec<String>,
    pub read_only: bool,
    pub config: Option<PathBuf>,
    pub request_timeout: Option<Duration>,
    /// Keep following what changes.
    pub follow: bool,
    /// Clusters are not needed.
    pub without_clusters: bool,
}

/// What the pipeline is started with, and what is to be said about it.
pub struct Opened {
    pub setup: Setup,
    pub settings: InForce,
    pub folders: Option<Folders>,
    pub notices: Vec<Notice>,
}

/// The user's configuration, with where it lies and what is to be said about it.
pub struct Configured {
    pub settings: InForce,
    pub folders: Option<Folders>,
    pub notices: Vec<Notice>,
}

/// What every command stands on, with clusters or without.
struct Base {
    settings: InForce,
    folders: Option<Folders>,
    tools: Tools,
    notices: Vec<Notice>,
}

/// Reads the configuration.
pub fn configured(wishes: &Wishes) -> Result<Configured, Box<Notice>> {
    let folders = Folders::of_this_user().ok();
    let settings = read_settings(wishes, folders.as_ref())?;
    let notices = settings.notices().to_vec();
    Ok(Configured { settings, folders, notices })
}

/// Reads the configuration and finds the programs that render; from here on values are masked by the user's rules too.
fn base(wishes: &Wishes) -> Result<Base, Box<Notice>> {
    let Configured { settings, folders, notices: mistakes } = configured(wishes)?;
    let mut notices = Vec::new();
    if folders.is_none() {
        notices
            .push(Notice::warning("no home folder is known: nothing is cached or recorded").hint("set HOME"));
    }
    notices.extend(mistakes);
    let mask = settings.settings().secrets.mask.clone();
    use_mask_rules(MaskRules(mask));
    let mut tools = find_tools(settings.settings().hosts.kustomize.clone());
    if let Some(kept) = folders.as_ref().and_then(|f| Kept::open(&f.cache, "renderings")) {
        tools = tools.keep_in(kept);
    }
    Ok(Base { settings, folders, tools, notices })
}

/// Opens everything that was asked for. Nothing is contacted yet.
pub fn open(wishes: &Wishes, clock: Clock) -> Result<Opened, Box<Notice>> {
    let Base { settings, folders, tools, mut notices } = base(wishes)?;
    let sources = sources(wishes, settings.settings(), &mut notices)?;
    let clusters = if wishes.without_clusters {
        Vec::new()
    } else {
        clusters(wishes, &settings, folders.as_ref(), &clock, &mut notices)?
    };
    let setup = Setup {
        sources,
        only_apps: wishes.apps.clone(),
        expected: Vec::new(),
        namespace: wishes.namespace.clone(),
        clusters,
        follow: wishes.follow,
        managers: managers(settings.settings()),
        exact_background: settings.settings().exact_background,
        secrets_everywhere: settings.settings().secrets.list_cluster_wide,
        health: Arc::new(HealthRules::with(settings.settings().health.clone())),
        tools: Arc::new(tools),
        ignoring: ignoring(settings.settings(), folders.as_ref()),
        seen: folders.as_ref().and_then(|f| remembered(&f.state)),
        acting_as: wishes.as_user.clone(),
        cache: folders.as_ref().map(|f| f.cache.clone()),
        clock,
    };
    Ok(Opened { setup, settings, folders, notices })
}

/// Opens the clusters that were asked for, and no repos, and returns what is to be said about it. Nothing is contacted yet.
pub fn open_clusters(
    wishes: &Wishes,
    clock: &Clock,
) -> Result<(Vec<ClusterSetup>, Vec<Notice>), Box<Notice>> {
    let Base { settings, folders, mut notices, .. } = base(wishes)?;
    let clusters = clusters(wishes, &settings, folders.as_ref(), clock, &mut notices)?;
    Ok((clusters, notices))
}

/// Returns the names of the contexts of the kubeconfig, or why it cannot be read.
pub fn contexts_found(kubeconfig: Option<PathBuf>) -> Result<Vec<String>, String> {
    let found = Sources::of_this_process(kubeconfig).contexts().map_err(|error| error.to_string())?;
    Ok(found.into_iter().map(|context| context.name).collect())
}

/// Returns how things are rendered without a cluster, and what is to be said about it. Of the places that were asked
/// for, the first is what is rendered; none: standard input.
pub fn offline(wishes: &Wishes) -> Result<(How, Vec<Notice>), Box<Notice>> {
    let Base { settings, folders, tools, notices } = base(wishes)?;
    let settings = settings.settings();
    let apps = wishes.places.first().map(|place| apps_at(place, settings)).unwrap_or_default();
    let how = How {
        tools,
        namespace: wishes.namespace.clone(),
        namespace_of_context: contexts::namespace(wishes, settings)?,
        apps,
        only_apps: wishes.apps.clone(),
        managers: managers(settings),
        health: Arc::new(HealthRules::with(settings.health.clone())),
        ignoring: ignoring(settings, folders.as_ref()),
    };
    Ok((how, notices))
}

/// Returns what field managers are: the built-in table, and before it what the configuration says.
fn managers(settings: &Settings) -> Arc<Managers> {
    let mut table = Managers::built_in();
    table.learn(&settings.managers);
    Arc::new(table)
}

/// Returns what the user says of differences that do not count.
fn ignoring(settings: &Settings, folders: Option<&Folders>) -> Ignoring {
    let known = folders.and_then(|folders| match KnownRules::open(&folders.state) {
        Ok(known) => Some(Arc::new(known)),
        Err(error) => {
            tracing::warn!(%error, "which rules repos had before is not known");
            None
        }
    });
    Ignoring {
        rules: settings.ignore.clone(),
        built_in: BuiltIns::without(&settings.built_in_off),
        selector: JqProcess::of_this_program().map(|process| Arc::new(process) as Arc<dyn Selector>),
        known,
    }
}

fn remembered(state: &Path) -> Option<Arc<Seen>> {
    match Seen::open(state) {
        Ok(seen) => Some(Arc::new(seen)),
        Err(error) => {
            tracing::warn!(%error, "what was seen before is not known");
            None
        }
    }
}

fn read_settings(wishes: &Wishes, folders: Option<&Folders>) -> Result<InForce, Box<Notice>> {
    let mut in_force = InForce::default();
    let standard = folders.map(|f| f.config.join("config.yaml"));
    let Some(file) = wishes.config.clone().or(standard) else { return Ok(in_force) };
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            let home = std::env::var_os("HOME").map(PathBuf::from);
            in_force.offer(Settings::read(&text, &file, home.as_deref()));
            if in_force.masks_unknown() {
                return Err(Box::new(masks_unknown(&in_force)));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && wishes.config.is_none() => {}
        Err(error) => {
            let notice = Notice::error("the configuration cannot be read").cause(error.to_string());
            return Err(Box::new(notice.file(file.display().to_string(), None)));
        }
    }
    Ok(in_force)
}

/// Says why nothing is shown while nobody knows what is to be masked.
fn masks_unknown(in_force: &InForce) -> Notice {
    let mistake = in_force.notices().first();
    let title = "nothing is shown: the configuration has a mistake that may concern what is masked";
    let mut notice = Notice::error(title).hint("mend it, or name another file with --config");
    if let Some(mistake) = mistake {
        notice = notice.cause(mistake.title.clone());
        notice.file.clone_from(&mistake.file);
        notice.line = mistake.line;
    }
    notice
}

/// Reads the clock of this machine.
#[allow(clippy::disallowed_methods)] // the clock that everything else is given
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default())
}
