//! What needs no cluster: rendering a path, and comparing what it declares with objects from files.

use crate::cluster::builtin;
use crate::cluster::offline::snapshot::flattened;
use crate::config::settings::AppSetting;
use crate::drift::{self, Autoscaled, Context, HealthRules, IgnoreRules, Managers, Pods};
use crate::git::{Ask, Repo};
use crate::model::Glob;
use crate::model::status::ResourceStatus;
use crate::model::verdict::RuleUse;
use crate::model::{
    App, AppId, Cause, Class, ClusterId, DeploymentId, GroupKind, Health, HealthStatus, Judgement, Level,
    LiveObject, Manifest, MemoryTree, Notice, RepoId, ResourceId, Revision, Tree, TreeError, Value, Verdict,
};
use crate::pipeline::configured::{absent, configured};
use crate::pipeline::discovery::{self, Discovered};
use crate::pipeline::rendering::is_namespaced;
use crate::pipeline::rules::{self, Ignoring};
use crate::render::{self, RenderContext, Tools, is_manifest_file};
use crate::text::yaml;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The name under which standard input stands in origins.
pub const STANDARD_INPUT: &str = "stdin.yaml";

/// What a path renders to.
#[derive(Default)]
pub struct Offline {
    pub manifests: Vec<Manifest>,
    pub notices: Vec<Notice>,
    pub complete: bool,
    /// It is all that a repo declares: its ignore rules are about nothing else.
    pub whole: bool,
    pub revision: Option<Revision>,
    /// Which differences do not count: the user's rules and the repo's own.
    pub rules: Arc<IgnoreRules>,
}

impl Offline {
    /// Takes manifests as all that there is.
    pub fn of(manifests: Vec<Manifest>) -> Self {
        let rules = Arc::default();
        Self { manifests, notices: Vec::new(), complete: true, whole: false, revision: None, rules }
    }
}

/// How things are rendered without a cluster.
#[derive(Clone)]
pub struct How {
    pub tools: Tools,
    /// The namespace asked for on the command line, and that of the context.
    pub namespace: Option<String>,
    pub namespace_of_context: Option<String>,
    /// What the configuration says of apps in the repo.
    pub apps: Vec<AppSetting>,
    /// Only apps whose name matches one of these; empty: all.
    pub only_apps: Vec<String>,
    /// What field managers are.
    pub managers: Arc<Managers>,
    /// How objects are found to be doing.
    pub health: Arc<HealthRules>,
    /// Which differences do not count.
    pub ignoring: Ignoring,
}

/// Where something is read from.
#[derive(Debug, Clone)]
pub enum Source {
    Path(String),
    /// The bytes of standard input.
    Bytes(Vec<u8>),
}

/// Renders everything at a path, or the documents of standard input.
pub async fn render(
    source: Source,
    revision: Option<String>,
    how: &How,
    cancel: &CancellationToken,
) -> Result<Offline, Box<Notice>> {
    let mut context = RenderContext::unknown(no_cluster());
    context.namespace_asked.clone_from(&how.namespace);
    context.namespace_of_context.clone_from(&how.namespace_of_context);
    context.namespaced = Arc::new(is_namespaced);
    let (tools, how) = (how.tools.clone(), how.clone());
    let opened = tokio::task::spawn_blocking(move || open(source, revision, &how)).await;
    let Opened { tree, apps, notices, revision, rules, whole } = opened.unwrap_or_else(|_| {
        Err(Box::new(Notice::error("driftdeck failed while reading; the log says where")))
    })?;
    let mut offline =
        Offline { notices, complete: true, whole, revision: Some(revision), rules, ..Offline::default() };
    for app in apps {
        let rendered = render::render(&app, &tree, &tools, &context, cancel).await;
        offline.manifests.extend(rendered.manifests);
        offline.notices.extend(rendered.notices);
        offline.complete &= rendered.complete;
    }
    Ok(offline)
}

/// What is to be rendered.
struct Opened {
    tree: Arc<dyn Tree>,
    apps: Vec<App>,
    notices: Vec<Notice>,
    revision: Revision,
    rules: Arc<IgnoreRules>,
    whole: bool,
}

fn open(source: Source, revision: Option<String>, how: &How) -> Result<Opened, Box<Notice>> {
    match source {
        Source::Bytes(bytes) => {
            let tree: Arc<dyn Tree> = Arc::new(MemoryTree::default().file(STANDARD_INPUT, bytes));
            let repo = RepoId(STANDARD_INPUT.into());
            let found =
                discovery::discover_at(&*tree, &repo, "stdin", STANDARD_INPUT).map_err(|e| no_tree(&e))?;
            let revision = tree.revision().clone();
            let rules = how.ignoring.with(&[]);
            Ok(Opened { tree, apps: found.apps, notices: found.notices, revision, rules, whole: false })
        }
        Source::Path(path) => {
            let repo = Repo::open(Path::new(&path)).map_err(|e| Box::new(e.notice()))?;
            let ask = revision.map_or(Ask::Default, Ask::Name);
            let snapshot = repo.revision(&ask).map_err(|e| Box::new(e.notice()))?;
            let mut found = discovery::discover_at(&*snapshot.tree, repo.id(), repo.name(), repo.prefix())
                .map_err(|e| no_tree(&e))?;
            found.apps = found.apps.into_iter().map(|app| as_configured(app, &how.apps)).collect();
            let names: BTreeSet<String> = found.apps.iter().map(|app| app.id.name.clone()).collect();
            if let Some(absent) = absent(&how.only_apps, &names).into_iter().next() {
                return Err(Box::new(absent));
            }
            found.apps.retain(|app| how.asks_for(app));
            if found.apps.is_empty() && found.notices.is_empty() {
                return Err(Box::new(
                    Notice::error(format!("{path} holds nothing to render"))
                        .hint("give a manifest, a folder of manifests, a kustomization or a chart"),
                ));
            }
            let mut notices = repo.notices();
            if snapshot.revision.dirty {
                notices.push(
                    Notice::info(format!("{} has uncommitted changes; they are included", repo.name()))
                        .hint("name a revision to leave them out: --revision HEAD"),
                );
            }
            notices.extend(found.notices);
            let (own, wrong) = rules::of_tree(&*snapshot.tree);
            notices.extend(wrong);
            notices.extend(how.ignoring.news(repo.id(), repo.name(), &own));
            let rules = how.ignoring.with(&own);
            let whole = repo.prefix().is_empty() && how.only_apps.is_empty();
            let (tree, revision) = (snapshot.tree, snapshot.revision);
            Ok(Opened { tree, apps: found.apps, notices, revision, rules, whole })
        }
    }
}

impl How {
    fn asks_for(&self, app: &App) -> bool {
        let asked = |glob: &String| Glob::new(glob.as_str()).matches(&app.id.name);
        self.only_apps.is_empty() || self.only_apps.iter().any(asked)
    }
}

/// Returns an app with what the configuration says of its path.
fn as_configured(app: App, settings: &[AppSetting]) -> App {
    let found = Discovered { apps: vec![app.clone()], ..Discovered::default() };
    let said = settings.iter().find(|setting| setting.path == app.path);
    said.and_then(|setting| configured(setting, found)).unwrap_or(app)
}

fn no_tree(error: &TreeError) -> Box<Notice> {
    Box::new(Notice::error(error.to_string()))
}

/// Objects of a cluster, read from files.
#[derive(Default)]
pub struct Dump {
    pub objects: Vec<LiveObject>,
    pub notices: Vec<Notice>,
    pub complete: bool,
}

/// Reads live objects: a document, a `kubectl get -o yaml` dump, or a folder of dumps. Errors: not one of them can be read.
pub fn read_dump(source: Source) -> Result<Dump, Box<Notice>> {
    let mut dump = Dump { complete: true, ..Dump::default() };
    match source {
        Source::Bytes(bytes) => dump.read(STANDARD_INPUT, &bytes),
        Source::Path(path) => {
            // Dumps are seldom committed: ignore rules say nothing of them.
            let folder = Repo::open_plain(Path::new(&path)).map_err(|e| Box::new(e.notice()))?;
            let tree = folder.revision(&Ask::Default).map_err(|e| Box::new(e.notice()))?.tree;
            dump.read_all(&*tree, folder.prefix());
        }
    }
    if dump.objects.is_empty()
        && let Some(why) = dump.notices.iter().find(|notice| notice.level == Level::Error)
    {
        return Err(Box::new(why.clone()));
    }
    if dump.objects.iter().any(|o| o.managed.is_none()) {
        dump.notices.push(
            Notice::warning("the dump has no managed fields: who added what cannot be told")
                .hint("dump with kubectl get --show-managed-fields -o yaml"),
        );
    }
    Ok(dump)
}

impl Dump {
    fn read_all(&mut self, tree: &dyn Tree, path: &str) {
        match tree.list(path) {
            Ok(entries) => {
                for entry in entries {
                    let below =
                        if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
                    match entry.kind {
                        crate::model::tree::EntryKind::Folder => self.read_all(tree, &below),
                        _ if is_manifest_file(&entry.name) => self.read_file(tree, &below),
                        _ => {}
                    }
                }
            }
            // It is no folder: a file then, or the file's own error says what it is.
            Err(_) => self.read_file(tree, path),
        }
    }

    fn read_file(&mut self, tree: &dyn Tree, path: &str) {
        match tree.read(path) {
            Ok(bytes) => self.read(path, &bytes),
            Err(error) => self.refuse(Notice::error(error.to_string()).file(path, None)),
        }
    }

    fn read(&mut self, file: &str, bytes: &[u8]) {
        for document in yaml::read_documents(bytes) {
            match document {
                Ok(document) => {
                    let line = document.line;
                    for object in flattened(document.value) {
                        self.add(file, line, object);
                    }
                }
                Err(error) => self.refuse(
                    Notice::error(format!("a document of {file} cannot be read"))
                        .cause(error.to_string())
                        .file(file, error.line),
                ),
            }
        }
    }

    fn add(&mut self, file: &str, line: usize, object: Value) {
        match LiveObject::read(&no_cluster(), object) {
            Ok(object) => self.objects.push(object),
            Err(error) => self.refuse(
                Notice::error(format!("a document of {file} is no object of a cluster"))
                    .cause(error.to_string())
                    .file(file, Some(line)),
            ),
        }
    }

    fn refuse(&mut self, notice: Notice) {
        self.complete = false;
        self.notices.push(notice);
    }
}

/// Compares what was rendered with live objects. Objects that only the dump has are nobody's business here.
pub fn compare(
    rendered: &Offline,
    dump: &Dump,
    managers: &Managers,
    health: &HealthRules,
) -> Vec<ResourceStatus> {
    compare_under(&rendered.rules, rendered, dump, managers, health)
}

/// Returns what ignore rules hide of the objects that only the dump has: those are nobody's business here, but such a rule is
/// not idle.
pub fn hidden_extras(rendered: &Offline, dump: &Dump) -> Vec<RuleUse> {
    dump.objects.iter().filter_map(|live| rendered.rules.hides_extra(live)).collect()
}

fn compare_under(
    rules: &IgnoreRules,
    rendered: &Offline,
    dump: &Dump,
    managers: &Managers,
    health: &HealthRules,
) -> Vec<ResourceStatus> {
    let schema = builtin::schema();
    let autoscaled = Autoscaled::of(&dump.objects);
    let mut context = Context::new(&schema, managers, &autoscaled);
    context.health = health;
    context.rules = rules;
    let pods = Pods::of(&dump.objects);
    context.pods = Some(&pods);
    let live = Index::of(&dump.objects);
    let deployment = nowhere();
    rendered
        .manifests
        .iter()
        .map(|manifest| ResourceStatus {
            deployment: deployment.clone(),
            id: manifest.id.clone(),
            kind: manifest.kind.clone(),
            origin: Some(manifest.origin.clone()),
            judgement: Arc::new(drift::judge(Some(manifest), live.find(manifest), &context)),
        })
        .collect()
}

/// Compares two renderings: `base` stands where live would. Everything that `rendered` no longer declares is a leftover:
/// nobody but Git has written in either.
pub fn between(base: &Offline, rendered: &Offline) -> Vec<ResourceStatus> {
    let objects = base.manifests.iter().filter_map(|m| {
        let mut object = LiveObject::read(&no_cluster(), m.body.clone()).ok()?;
        object.id = m.id.clone();
        Some(object)
    });
    let dump = Dump { objects: objects.collect(), ..Dump::default() };
    let (managers, health) = (Managers::default(), HealthRules::built_in());
    let mut statuses = compare_under(IgnoreRules::none(), rendered, &dump, &managers, health);
    for status in &mut statuses {
        let mut judgement = (*status.judgement).clone();
        for change in judgement.changes.iter_mut().filter(|c| c.class == Class::Foreign) {
            (change.class, change.counts, change.cause) = (Class::Leftover, true, Cause::UnsyncedCommit);
        }
        if judgement.verdict == Verdict::InSync && judgement.changes.iter().any(|c| c.counts) {
            judgement.verdict = Verdict::Drifted;
        }
        status.judgement = Arc::new(judgement);
    }
    let declared: HashSet<&ResourceId> = rendered.manifests.iter().map(|m| &m.id).collect();
    let gone = base.manifests.iter().filter(|m| !declared.contains(&m.id)).map(|m| ResourceStatus {
        deployment: nowhere(),
        id: m.id.clone(),
        kind: m.kind.clone(),
        origin: Some(m.origin.clone()),
        judgement: Arc::new(Judgement::plain(Verdict::Extra, Health::of(HealthStatus::Unknown))),
    });
    statuses.extend(gone.collect::<Vec<_>>());
    statuses
}

/// Live objects by kind and name.
struct Index<'a>(HashMap<(GroupKind, Option<String>), Vec<&'a LiveObject>>);

impl<'a> Index<'a> {
    fn of(objects: &'a [LiveObject]) -> Self {
        let mut index: HashMap<_, Vec<_>> = HashMap::new();
        for object in objects {
            index.entry((object.id.kind.clone(), object.id.name.clone())).or_default().push(object);
        }
        Self(index)
    }

    /// Returns the live object of a manifest: in its namespace, and in its version where the dump has it in several.
    /// Without a cluster a manifest that names no namespace may live in any, if only one object bears its name.
    fn find(&self, manifest: &Manifest) -> Option<&'a LiveObject> {
        let candidates = self.0.get(&(manifest.id.kind.clone(), manifest.id.name.clone()))?;
        let named = candidates.iter().filter(|o| o.id.namespace == manifest.id.namespace);
        let same_version = named.clone().find(|o| o.kind.version == manifest.kind.version);
        let says_none = manifest.body.str_at(&["metadata", "namespace"]).is_none();
        let only = match candidates.as_slice() {
            [only] if says_none || only.id.namespace.is_none() => Some(*only),
            _ => None,
        };
        same_version.or_else(|| named.clone().next()).copied().or(only)
    }
}

fn nowhere() -> DeploymentId {
    DeploymentId::new(AppId { repo: RepoId("".into()), name: String::new() }, no_cluster())
}

fn no_cluster() -> ClusterId {
    ClusterId("offline".into())
}
