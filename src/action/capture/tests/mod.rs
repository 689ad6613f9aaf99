//! Proves capture: whole apps, changed as by hand, and the lines that change in their files.

mod helm;
mod kustomize;
mod objects;
mod plain;

use super::*;
use crate::model::app::HelmSpec;
use crate::model::{
    AppId, Class, ClusterId, Engine, GroupVersionKind, Identity, MemoryTree, Origin, RepoId, Value, field,
};

const CLUSTER: &str = "c";

pub(super) fn context() -> RenderContext {
    let namespaced = |kind: &GroupVersionKind| Some(*kind.kind != *"Namespace");
    RenderContext { namespaced: Arc::new(namespaced), ..RenderContext::unknown(ClusterId(CLUSTER.into())) }
}

pub(super) fn app(path: &str, spec: RenderSpec) -> App {
    App {
        id: AppId { repo: RepoId("/r".into()), name: "shop".to_owned() },
        path: path.to_owned(),
        spec,
        engine: Engine::None,
        namespace: None,
        contexts: Vec::new(),
        revision: None,
        declared: Origin { file: path.to_owned(), document: 0, line: Some(1) },
        expected: false,
    }
}

pub(super) fn plain(path: &str) -> App {
    app(path, RenderSpec::Plain { exclude: Vec::new() })
}

pub(super) fn kustomize(path: &str) -> App {
    app(path, RenderSpec::Kustomize)
}

pub(super) fn helm(path: &str, values: &[&str]) -> App {
    let values = values.iter().map(|file| (*file).to_owned()).collect();
    app(path, RenderSpec::Helm(HelmSpec { release: "shop".to_owned(), values, include_crds: true }))
}

/// The programs that the tests' control plane was built with; none where it is not there.
pub(super) fn tools() -> Tools {
    let programs = std::env::var_os("DRIFTDECK_TEST_BIN").unwrap_or_default();
    Tools::on(&programs, std::env::temp_dir())
}

pub(super) fn files(files: &[(&str, &str)]) -> MemoryTree {
    files.iter().fold(MemoryTree::default(), |tree, (path, text)| tree.file(path, *text))
}

/// What was done by hand to an object: paths with their live values.
pub(super) type ByHand<'a> = (&'a str, &'a [(&'a str, Option<Value>)]);

/// Returns the object of a rendering whose printed id begins so.
pub(super) fn manifest(rendered: &Rendered, id: &str) -> Manifest {
    let found = rendered.manifests.iter().find(|manifest| manifest.id.to_string().starts_with(id));
    found.unwrap_or_else(|| panic!("{id} is not rendered: {:?}", rendered.notices)).clone()
}

/// Returns an object as the cluster would hold it after changes by hand.
pub(super) fn live(manifest: &Manifest, by_hand: &[(&str, Option<Value>)]) -> LiveObject {
    let mut body = manifest.body.clone();
    for (path, value) in by_hand {
        let path = FieldPath::parse(path).expect("a path");
        match value {
            Some(value) => super::helm::put(&mut body, &path.0, value.clone()),
            None => field::take_out(&mut body, &path),
        }
    }
    let live = LiveObject::read(&ClusterId(CLUSTER.into()), body).expect("an object");
    LiveObject { id: manifest.id.clone(), ..live }
}

/// Returns what is chosen of an object that was changed by hand.
pub(super) fn chosen(manifest: &Manifest, by_hand: &[(&str, Option<Value>)]) -> Chosen {
    let live = live(manifest, by_hand);
    let changes = by_hand
        .iter()
        .map(|(path, _)| {
            let path = FieldPath::parse(path).expect("a path");
            let (desired, now) = (field::at(&manifest.body, &path), field::at(&live.body, &path));
            let class = match (desired, now) {
                (_, None) => Class::Deleted,
                (None, _) => Class::Foreign,
                _ => Class::Changed,
            };
            let mut change = FieldChange::new(path.clone(), class);
            (change.desired, change.live) = (desired.cloned(), now.cloned());
            change
        })
        .collect();
    Chosen { id: manifest.id.clone(), live: Some(live), changes }
}

pub(super) async fn capture_all(app: &App, tree: MemoryTree, by_hand: &[ByHand<'_>]) -> String {
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let (tools, context, cancel) = (tools(), context(), CancellationToken::new());
    let rendered = render::render(app, &tree, &tools, &context, &cancel).await;
    let chosen: Vec<_> =
        by_hand.iter().map(|(id, changes)| chosen(&manifest(&rendered, id), changes)).collect();
    said(app, &tree, &chosen).await
}

/// Captures and prints: the changed lines of each file, what was done, and what was refused.
pub(super) async fn said(app: &App, tree: &Arc<dyn Tree>, chosen: &[Chosen]) -> String {
    let (tools, context, cancel) = (tools(), context(), CancellationToken::new());
    let ground = Ground { app, tree, tools: &tools, context: &context };
    let captured = capture(&ground, chosen, &cancel).await.expect("captured");
    print(&captured)
}

fn print(captured: &Captured) -> String {
    use std::fmt::Write as _;
    let mut said = String::new();
    for FileEdit { path, before, after } in &captured.edits {
        let _ = writeln!(said, "{path}");
        let text = |state: &Option<crate::model::FileState>| {
            state.as_ref().map(|state| String::from_utf8_lossy(&state.bytes).into_owned()).unwrap_or_default()
        };
        let (before, after) = (text(before), text(after));
        let diff = similar::TextDiff::from_lines(&before, &after);
        for change in diff.iter_all_changes() {
            match change.tag() {
                similar::ChangeTag::Equal => {}
                similar::ChangeTag::Delete => drop(write!(said, "- {}", change.to_string_lossy())),
                similar::ChangeTag::Insert => drop(write!(said, "+ {}", change.to_string_lossy())),
            }
        }
    }
    for told in &captured.told {
        let path = told.path.as_ref().map_or("whole".to_owned(), ToString::to_string);
        let line = told.line.map_or("?".to_owned(), |line| line.to_string());
        let _ = writeln!(said, "{path}: {}, line {line}", told.done);
        for also in &told.also {
            let _ = writeln!(said, "  {also}");
        }
    }
    for refusal in &captured.refused {
        let path = refusal.path.as_ref().map_or("whole".to_owned(), ToString::to_string);
        let place = match (&refusal.file, refusal.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            (Some(file), None) => format!(" ({file})"),
            _ => String::new(),
        };
        let _ = writeln!(said, "{path} refused: {}{place}", refusal.reason);
    }
    said
}

/// Returns an id for an object that no rendering holds.
pub(super) fn id_of(live: &LiveObject, namespace: &str) -> ResourceId {
    ResourceId::from(Identity {
        cluster: ClusterId(CLUSTER.into()),
        kind: live.kind.group_kind(),
        namespace: Some(namespace.to_owned()),
        name: live.body.str_at(&["metadata", "name"]).map(str::to_owned),
    })
}
