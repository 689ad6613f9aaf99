//! Turns a repo's tree at a revision into manifests: plain files, kustomizations and charts.
//!
//! [`render`] is the one way in. What a file, a folder, kustomize or helm declares is read into [`Declared`] objects,
//! Secrets sealed while they are read; [`settle`] then gives each its identity in a cluster. kustomize and helm are run
//! as programs (see [`tools`]) on an exported copy of exactly the files that they need (see [`export`]), after every
//! reference that leads out of the tree or onto the network has been refused.
//!
//! One failure never hides the rest: what could be read is returned, with a notice for what could not.

mod cache;
mod context;
mod declared;
mod error;
mod export;
mod helm;
mod kinds;
mod kustomize;
mod locate;
mod passage;
pub mod paths;
mod place;
mod plain;
mod repeated;
mod setting;
mod settle;
mod tools;

#[cfg(test)]
mod tests;

pub use cache::Store;
pub use context::{Namespaced, RenderContext};
pub use declared::objects;
pub use error::RenderError;
pub use helm::{Chart, Dependency, is_chart_file, values_at};
pub use kinds::{first_manifest, is_served_kind};
pub use kustomize::{Kustomization, Reference, Use, is_kustomization_file};
pub use paths::is_manifest_file;
pub use place::{Place, Unclear, find};
pub use setting::{Setting, setting};
pub use settle::Rendered;
pub use tools::{Tool, Tools};

use crate::model::{App, RenderSpec, Tree};
use declared::Reading;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Returns the paths of everything that rendering an app reads: its own, and what lies outside of it: the files that a
/// kustomization includes, the values files of a chart, and the folders of charts that it depends on by a path.
///
/// What cannot be followed reads its own path at least. Of a symbolic link, the link is named and not where it leads.
pub fn inputs(app: &App, tree: &dyn Tree) -> Vec<String> {
    let mut inputs = vec![app.path.clone()];
    match &app.spec {
        RenderSpec::Kustomize => inputs.extend(kustomize::files(tree, &app.path).unwrap_or_default()),
        RenderSpec::Helm(spec) => inputs.extend(helm::inputs(tree, app, spec)),
        RenderSpec::Plain { .. } => {}
    }
    let below = format!("{}/", app.path);
    let (own, outside): (Vec<_>, Vec<_>) =
        inputs.into_iter().partition(|path| *path == app.path || path.starts_with(&below));
    own.into_iter().take(1).chain(outside).collect()
}

/// Returns whether it is known which of an app's files can have set a value that comes from `file`: of what a kustomization
/// puts together, any of them may have.
pub fn is_told_apart(app: &App, file: &str) -> bool {
    !matches!(app.spec, RenderSpec::Kustomize) || !is_kustomization_file(paths::name(file))
}

/// Returns the paths of what can have set a value that comes from `file`: the file itself, and of a chart's template also
/// the values and everything else of the chart but the other templates.
pub fn inputs_of(app: &App, tree: &dyn Tree, file: &str) -> Vec<String> {
    match &app.spec {
        RenderSpec::Helm(spec) => helm::inputs_of(tree, app, spec, file),
        RenderSpec::Plain { .. } | RenderSpec::Kustomize => vec![file.to_owned()],
    }
}

/// Renders one app for one cluster.
///
/// Never fails as a whole: a render that failed has no manifests, is not `complete`, and says why in one error notice.
/// Reading and parsing happen off the async threads.
pub async fn render(
    app: &App,
    tree: &Arc<dyn Tree>,
    tools: &Tools,
    context: &RenderContext,
    cancel: &CancellationToken,
) -> Rendered {
    let read = match &app.spec {
        RenderSpec::Plain { exclude } => {
            let (tree, path, exclude) = (Arc::clone(tree), app.path.clone(), exclude.clone());
            blocking(move || Ok(plain::read(&*tree, &path, &exclude))).await
        }
        RenderSpec::Kustomize => kustomize::build(app, tree, tools, cancel).await,
        RenderSpec::Helm(spec) => helm::template(app, spec, tree, tools, context, cancel).await,
    };
    let reading = read.unwrap_or_else(|error| Reading::failed(error.notice(app)));
    let (app, context) = (app.clone(), context.clone());
    blocking(move || Ok(settle::settle(reading, &app, &context)))
        .await
        .unwrap_or_else(|error: RenderError| Rendered::failed(error.title()))
}

/// Runs what reads the disk or parses much on a thread where it holds up nothing. A panic there is an error.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
) -> Result<T, RenderError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(RenderError::Panicked))
}
