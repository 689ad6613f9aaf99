//! Renders charts by running `helm template`, on an exported copy of the chart with its vendored dependencies.
//!
//! Nothing is ever downloaded: dependencies are those in the chart's `charts` folder, and those that the chart names by
//! a path of the same repository, which stand in the exported copy as if they were vendored.

mod chart;
mod source;
mod values;

pub use values::values_at;

pub use chart::{Chart, Dependency, is_chart_file};

use super::cache::Kept;
use super::context::RenderContext;
use super::declared::{Reading, Strictness, take_documents};
use super::error::RenderError;
use super::export::{Scratch, without_values};
use super::paths;
use super::tools::{Tool, Tools};
use crate::model::app::HelmSpec;
use crate::model::{App, Tree, TreeError};
use crate::process::ChildError;
use crate::text::yaml::read_documents;
use chart::Exported;
use source::Marks;
use std::ffi::OsString;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// The version of Kubernetes for which charts are rendered where there is no cluster: that of the built-in schema.
///
/// Helm's own default depends on how it was built, and may be years behind.
const OFFLINE_KUBE_VERSION: &str = "1.36";

/// Renders a chart.
pub(super) async fn template(
    app: &App,
    spec: &HelmSpec,
    tree: &Arc<dyn Tree>,
    tools: &Tools,
    context: &RenderContext,
    cancel: &CancellationToken,
) -> Result<Reading, RenderError> {
    let (of_tree, of_app, of_spec) = (Arc::clone(tree), app.clone(), spec.clone());
    let exported = super::blocking(move || export(&*of_tree, &of_app, &of_spec)).await?;
    if tools.path(Tool::Helm).is_none() {
        return Err(RenderError::NoTool { tools: &[Tool::Helm] });
    }
    let version = tools.version(Tool::Helm).await.unwrap_or_default();
    let arguments = arguments(app, spec, context);
    let mut parameters = vec!["helm", version, &app.path];
    parameters.extend(arguments.iter().map(String::as_str));
    parameters.extend(spec.values.iter().map(String::as_str));
    let key = exported.files.key(&parameters);
    let output = match tools.cache.get(&key) {
        Some(Kept::Reading(reading)) => return Ok(Reading::clone(&reading)),
        Some(Kept::Output(output)) => return read(exported, Zeroizing::new(output)).await.map(|(r, _)| r),
        None => run(app, spec, &exported, arguments, tools, cancel).await?,
    };
    let (reading, output) = read(exported, output).await?;
    tools.cache.keep(&key, &output, &reading);
    Ok(reading)
}

/// Returns the paths outside of a chart that rendering it reads: its values files, and the charts of the same tree that it
/// depends on.
pub(super) fn inputs(tree: &dyn Tree, app: &App, spec: &HelmSpec) -> Vec<String> {
    spec.values.iter().cloned().chain(chart::sources(tree, &app.path)).collect()
}

/// Returns the paths of what a template is rendered with: itself, the values, and of the chart what is no template of an
/// object of its own. What nobody renders (hidden files, the texts for people) is left out.
pub(super) fn inputs_of(tree: &dyn Tree, app: &App, spec: &HelmSpec, template: &str) -> Vec<String> {
    let below = |folder: &str| {
        let entries = tree.list(folder).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>()
    };
    let templates = paths::child(&app.path, "templates");
    let is_rendered = |name: &String| {
        !paths::is_hidden(name) && !["templates", "README.md", "LICENSE"].contains(&name.as_str())
    };
    let of_chart =
        below(&app.path).into_iter().filter(is_rendered).map(|name| paths::child(&app.path, &name));
    let named = below(&templates).into_iter().filter(|name| name.starts_with('_'));
    let named = named.map(|name| paths::child(&templates, &name));
    let mut found: Vec<String> = [template.to_owned()]
        .into_iter()
        .chain(of_chart)
        .chain(named)
        .chain(inputs(tree, app, spec))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Collects the chart and its values files.
fn export(tree: &dyn Tree, app: &App, spec: &HelmSpec) -> Result<Exported, RenderError> {
    let mut exported = chart::export(tree, &app.path)?;
    for values in &spec.values {
        match tree.read(values) {
            Ok(text) => exported.files.add(values, text)?,
            Err(TreeError::NotFound { .. }) => {
                return Err(RenderError::Missing {
                    file: app.declared.file.clone(),
                    line: app.declared.line,
                    reference: values.clone(),
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exported)
}

/// Returns the arguments without the values files, whose paths depend on the exported copy.
fn arguments(app: &App, spec: &HelmSpec, context: &RenderContext) -> Vec<String> {
    let release = if spec.release.is_empty() { &app.id.name } else { &spec.release };
    let (namespace, _) = context.namespace(app.namespace.as_deref());
    let mut arguments = vec![format!("--namespace={namespace}")];
    if spec.include_crds {
        arguments.push("--include-crds".to_owned());
    }
    let version = context.kube_version.as_deref().unwrap_or(OFFLINE_KUBE_VERSION);
    arguments.push(format!("--kube-version={version}"));
    arguments.extend(context.api_versions.iter().map(|version| format!("--api-versions={version}")));
    // What follows `--` is no option, whatever it starts with.
    arguments.extend(["--".to_owned(), release.clone(), ".".to_owned()]);
    arguments
}

async fn run(
    app: &App,
    spec: &HelmSpec,
    exported: &Exported,
    arguments: Vec<String>,
    tools: &Tools,
    cancel: &CancellationToken,
) -> Result<Zeroizing<Vec<u8>>, RenderError> {
    let (scratch_in, files) = (tools.scratch().to_owned(), exported.files.clone());
    let scratch = super::blocking(move || Scratch::with(&scratch_in, &files)).await?;
    let mut all: Vec<OsString> = vec!["template".into()];
    for values in &spec.values {
        all.push("--values".into());
        all.push(as_list_item(&scratch.folder(values)));
    }
    all.extend(arguments.into_iter().map(OsString::from));
    let ran = tools.run(Tool::Helm, all, &scratch.folder(&app.path), scratch.home(), false, cancel).await;
    ran.map(|finished| Zeroizing::new(finished.stdout)).map_err(|source| match source {
        ChildError::Cancelled { .. } => RenderError::Cancelled,
        source => {
            let words = scratch.words(&source);
            let place = exported.place_in(&words);
            let words = without_values(&words, &exported.files, &spec.values);
            let (file, line) =
                place.map_or((exported.chart.file.clone(), None), |(file, line)| (file, Some(line)));
            RenderError::Tool { tool: Tool::Helm, file, line, words, source: Box::new(source) }
        }
    })
}

/// Returns a path as the one item of a list: helm splits what it is given for `--values` at commas, as CSV (pflag's
/// `StringSlice`).
fn as_list_item(path: &std::path::Path) -> OsString {
    let text = path.to_string_lossy();
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")).into() } else { path.into() }
}

/// Reads what helm printed.
async fn read(
    exported: Exported,
    output: Zeroizing<Vec<u8>>,
) -> Result<(Reading, Zeroizing<Vec<u8>>), RenderError> {
    super::blocking(move || {
        let mut reading = Reading::default();
        take_documents(&exported.chart.file, read_documents(&output), Strictness::Strict, &mut reading);
        Marks::of(&output).apply(&exported, &mut reading);
        Ok((reading, output))
    })
    .await
}
