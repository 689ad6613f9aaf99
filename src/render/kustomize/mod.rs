//! Renders kustomizations by running `kustomize build`, or `kubectl kustomize` where only that is there.
//!
//! The program sees an exported copy of exactly the files that the kustomization reaches inside the tree (see
//! [`closure`]), and each object's origin comes from the annotation that kustomize writes on request (see [`origin`]).

mod closure;
mod file;
mod inject;
mod origin;
mod remote;

pub use file::{Kustomization, Reference, Use, is_kustomization_file};

use super::cache::Kept;
use super::declared::{Reading, Strictness, take_documents};
use super::error::RenderError;
use super::export::{Scratch, without_values};
use super::tools::{Tool, Tools};
use crate::model::{App, Tree};
use crate::process::ChildError;
use crate::text::yaml::read_documents;
use closure::Closure;
use std::ffi::OsString;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Returns the paths of everything that building a kustomization reads.
pub(super) fn files(tree: &dyn Tree, folder: &str) -> Result<Vec<String>, RenderError> {
    Ok(closure::closure(tree, folder)?.files.paths().cloned().collect())
}

/// Renders a kustomization.
pub(super) async fn build(
    app: &App,
    tree: &Arc<dyn Tree>,
    tools: &Tools,
    cancel: &CancellationToken,
) -> Result<Reading, RenderError> {
    let (of_tree, folder) = (Arc::clone(tree), app.path.clone());
    let closure = super::blocking(move || closure::closure(&*of_tree, &folder)).await?;
    closure.refuse_unless(|host| tools.allows(host))?;
    let tool = [Tool::Kustomize, Tool::Kubectl].into_iter().find(|tool| tools.path(*tool).is_some());
    let tool = tool.ok_or(RenderError::NoTool { tools: &[Tool::Kustomize, Tool::Kubectl] })?;
    if closure.needs_helm && tools.path(Tool::Helm).is_none() {
        return Err(RenderError::NoTool { tools: &[Tool::Helm] });
    }
    let version = tools.version(tool).await.unwrap_or_default();
    let key = closure.files.key(&["kustomize", tool.program(), version, &app.path]);
    // What came from the network may be another thing tomorrow.
    let cached = if closure.is_online() { None } else { tools.cache.get(&key) };
    let output = match cached {
        Some(Kept::Reading(reading)) => return Ok(Reading::clone(&reading)),
        Some(Kept::Output(output)) => {
            return read(closure, Zeroizing::new(output)).await.map(|(r, _)| r);
        }
        None => run(app, &closure, tool, tools, cancel).await?,
    };
    let keep = !closure.is_online();
    let (reading, output) = read(closure, output).await?;
    if keep {
        tools.cache.keep(&key, &output, &reading);
    }
    Ok(reading)
}

/// Runs the program on an exported copy and returns what it printed.
async fn run(
    app: &App,
    closure: &Closure,
    tool: Tool,
    tools: &Tools,
    cancel: &CancellationToken,
) -> Result<Zeroizing<Vec<u8>>, RenderError> {
    let with_origins = inject::ask_for_origins(&closure.top);
    let first = run_once(app, closure, with_origins.as_deref(), tool, tools, cancel).await;
    match first {
        // Kustomize before 4.2 does not know the field.
        Err(RenderError::Tool { ref words, .. })
            if with_origins.is_some() && words.contains("buildMetadata") =>
        {
            run_once(app, closure, None, tool, tools, cancel).await
        }
        other => other,
    }
}

async fn run_once(
    app: &App,
    closure: &Closure,
    top: Option<&[u8]>,
    tool: Tool,
    tools: &Tools,
    cancel: &CancellationToken,
) -> Result<Zeroizing<Vec<u8>>, RenderError> {
    let mut files = closure.files.clone();
    if let Some(top) = top {
        files.replace(&closure.top.file, top.to_vec());
    }
    let scratch_in = tools.scratch().to_owned();
    let scratch = super::blocking(move || Scratch::with(&scratch_in, &files)).await?;
    let verb = if tool == Tool::Kubectl { "kustomize" } else { "build" };
    let mut arguments: Vec<OsString> = vec![verb.into(), ".".into()];
    if let (true, Some(helm)) = (closure.needs_helm, tools.path(Tool::Helm)) {
        arguments.extend(["--enable-helm".into(), "--helm-command".into(), helm.into()]);
    }
    let dir = scratch.folder(&app.path);
    let ran = tools.run(tool, arguments, &dir, scratch.home(), closure.is_online(), cancel).await;
    ran.map(|finished| Zeroizing::new(finished.stdout)).map_err(|source| match source {
        ChildError::Cancelled { .. } => RenderError::Cancelled,
        source => RenderError::Tool {
            tool,
            file: closure.top.file.clone(),
            line: None,
            words: without_values(&scratch.words(&source), &closure.files, &[]),
            source: Box::new(source),
        },
    })
}

/// Reads what the program printed.
async fn read(
    closure: Closure,
    output: Zeroizing<Vec<u8>>,
) -> Result<(Reading, Zeroizing<Vec<u8>>), RenderError> {
    super::blocking(move || {
        let mut reading = Reading::default();
        take_documents(&closure.top.file, read_documents(&output), Strictness::Strict, &mut reading);
        origin::apply(&closure, &mut reading);
        Ok((reading, output))
    })
    .await
}

/// Returns what the program printed, for tests of how it is run.
#[cfg(test)]
pub(super) async fn output(app: &App, tree: &Arc<dyn Tree>, tools: &Tools) -> Vec<u8> {
    let closure = closure::closure(&**tree, &app.path).unwrap();
    run(app, &closure, Tool::Kustomize, tools, &CancellationToken::new()).await.unwrap().to_vec()
}
