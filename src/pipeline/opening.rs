//! Turns what the user typed and configured into what the pipeline is started with.

use crate::cluster::remote::{ContextInfo, Options as RemoteOptions, Remote, SchemaCache, Sources};
use crate::config::paths::Folders;
use crate::config::settings::{self, AppSetting};
use crate::config::{InForce, Settings};
use crate::git::{Kind, RemoteUrl, Repo};
use crate::model::{Notice, Timestamp};
use crate::pipeline::kept::Kept;
use crate::pipeline::seen::Seen;
use crate::pipeline::setup::{Clock, ClusterSetup, Place, Setup, Source, find_tools};
use crate::text::{MaskRules, use_mask_rules};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Paths and URLs; empty: the configured repos, else the repository of the current folder.
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

/// Opens everything that was asked for. Nothing is contacted yet.
pub fn open(wishes: &Wishes, clock: Clock) -> Result<Opened, Box<Notice>> {
    let mut notices = Vec::new();
    let folders = Folders::of_this_user().ok();
    if folders.is_none() {
        notices
            .push(Notice::warning("no home folder is known: nothing is cached or recorded").hint("set HOME"));
    }
    let settings = read_settings(wishes, folders.as_ref())?;
    notices.extend(settings.notices().iter().cloned());
    let mask = settings.settings().secrets.mask.iter().map(|glob| glob.as_str().to_owned()).collect();
    use_mask_rules(MaskRules(mask));
    let sources = sources(wishes, settings.settings())?;
    let clusters = if wishes.without_clusters {
        Vec::new()
    } else {
        clusters(wishes, &settings, folders.as_ref(), &clock, &mut notices)?
    };
    let mut tools = find_tools(settings.settings().hosts.kustomize.clone());
    if let Some(kept) = folders.as_ref().and_then(|f| Kept::open(&f.cache, "renderings")) {
        tools = tools.keep_in(kept);
    }
    let setup = Setup {
        sources,
        only_apps: wishes.apps.clone(),
        expected: Vec::new(),
        namespace: wishes.namespace.clone(),
        clusters,
        follow: wishes.follow,
        secrets_everywhere: settings.settings().secrets.list_cluster_wide,
        tools: Arc::new(tools),
        seen: folders.as_ref().and_then(|f| remembered(&f.state)),
        acting_as: wishes.as_user.clone(),
        cache: folders.as_ref().map(|f| f.cache.clone()),
        clock,
    };
    Ok(Opened { setup, settings, folders, notices })
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
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && wishes.config.is_none() => {}
        Err(error) => {
            let notice = Notice::error("the configuration cannot be read").cause(error.to_string());
            return Err(Box::new(notice.file(file.display().to_string(), None)));
        }
    }
    Ok(in_force)
}

fn sources(wishes: &Wishes, settings: &Settings) -> Result<Vec<Source>, Box<Notice>> {
    let source = |place: Place, named: bool| Source {
        place,
        revision: wishes.revision.clone(),
        named,
        discovery: settings.discovery,
        apps: Vec::new(),
        only_configured: false,
        fetch_interval: settings::FETCH_EVERY,
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

fn place(text: &str) -> Place {
    if RemoteUrl::looks_like(text) && !Path::new(text).exists() {
        Place::Remote(text.to_owned())
    } else {
        Place::Local(PathBuf::from(text))
    }
}

fn clusters(
    wishes: &Wishes,
    settings: &InForce,
    folders: Option<&Folders>,
    clock: &Clock,
    notices: &mut Vec<Notice>,
) -> Result<Vec<ClusterSetup>, Box<Notice>> {
    let kubeconfigs = Sources::of_this_process(wishes.kubeconfig.clone());
    let known = kubeconfigs.contexts().map_err(|error| Box::new(Notice::error(error.to_string())))?;
    let chosen = chosen(wishes, settings.settings(), &known)?;
    let cache =
        folders.and_then(|f| Kept::open(&f.cache, "schemas")).map(|kept| kept as Arc<dyn SchemaCache>);
    let setups = chosen.into_iter().map(|name| {
        let rules = settings.cluster(&name);
        let read_only = wishes.read_only || rules.read_only;
        if rules.doubtful && !wishes.read_only {
            notices.push(
                Notice::warning(format!("{name} is read-only until the configuration is mended"))
                    .hint("its mistake may concern this cluster"),
            );
        }
        let own = settings.settings().cluster(&name).and_then(|c| c.kubeconfig.clone());
        let (sources, contexts) = match own {
            Some(file) if wishes.kubeconfig.is_none() => {
                let sources = Sources::of_this_process(Some(file));
                let contexts = sources.contexts().unwrap_or_default();
                (sources, contexts)
            }
            _ => (kubeconfigs.clone(), known.clone()),
        };
        let options = RemoteOptions {
            impersonate: wishes.as_user.clone(),
            impersonate_groups: wishes.as_groups.clone(),
            request_timeout: wishes.request_timeout.unwrap_or(Duration::from_secs(30)),
            read_only,
            cache: cache.clone(),
            clock: clock.clone(),
        };
        ClusterSetup {
            namespace: contexts.iter().find(|c| c.name == name).and_then(|c| c.namespace.clone()),
            cluster: Arc::new(Remote::new(&name, sources, options)),
            protected: rules.protected,
            read_only,
        }
    });
    Ok(setups.collect())
}

/// Returns the contexts that are meant.
fn chosen(wishes: &Wishes, settings: &Settings, known: &[ContextInfo]) -> Result<Vec<String>, Box<Notice>> {
    if !wishes.contexts.is_empty() {
        let own_file = |name: &String| settings.cluster(name).is_some_and(|c| c.kubeconfig.is_some());
        let missing =
            wishes.contexts.iter().find(|name| !known.iter().any(|c| c.name == **name) && !own_file(name));
        if let Some(missing) = missing {
            let names: Vec<&str> = known.iter().map(|c| c.name.as_str()).collect();
            let hint = if names.is_empty() {
                "no kubeconfig was found: set KUBECONFIG or give --kubeconfig".to_owned()
            } else {
                format!("the kubeconfig has {}", names.join(", "))
            };
            return Err(Box::new(Notice::error(format!("there is no context {missing}")).hint(hint)));
        }
        let mut contexts = wishes.contexts.clone();
        contexts.dedup();
        return Ok(contexts);
    }
    if !settings.clusters.is_empty() {
        return Ok(settings.clusters.iter().map(|c| c.context.clone()).collect());
    }
    match known.iter().find(|c| c.current) {
        Some(current) => Ok(vec![current.name.clone()]),
        None if known.is_empty() => Err(Box::new(
            Notice::error("no kubeconfig was found")
                .hint("set KUBECONFIG, give --kubeconfig, or log in to a cluster"),
        )),
        None => Err(Box::new(
            Notice::error("the kubeconfig has no current context").hint("choose one with --context"),
        )),
    }
}

/// Reads the clock of this machine.
#[allow(clippy::disallowed_methods)] // the clock that everything else is given
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default())
}
