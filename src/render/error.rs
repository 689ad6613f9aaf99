//! Defines how a render fails as a whole, and what a person reads then.

use super::tools::Tool;
use crate::model::{App, Notice, TreeError, limits};
use crate::process::ChildError;

/// Why an app could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("{} is needed and was not found on PATH", needed(tools))]
    NoTool { tools: &'static [Tool] },
    #[error("{folder} holds no {wanted}")]
    NothingThere { folder: String, wanted: &'static str },
    #[error("{file} cannot be read: {fault}")]
    Unreadable { file: String, line: Option<usize>, fault: String },
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A reference onto the network, whose host the user has not allowed.
    #[error("{file} refers to {reference}, on the network")]
    Remote { file: String, line: Option<usize>, reference: String, host: Option<String> },
    #[error("{file} refers to {reference}, which leads out of the repository")]
    LeavesTree { file: String, line: Option<usize>, reference: String },
    #[error("{file} refers to {reference}, which is not there")]
    Missing { file: String, line: Option<usize>, reference: String },
    /// A plugin or function that is a program or a container image.
    #[error("{file} asks for the plugin {plugin}, which would run a program")]
    RunsProgram { file: String, line: Option<usize>, plugin: String },
    #[error("{file} lists the dependencies {}, which are not in its charts folder", names.join(", "))]
    MissingDependencies { file: String, line: Option<usize>, names: Vec<String> },
    #[error("{file} is a library chart: other charts use it, and by itself it renders nothing")]
    LibraryChart { file: String },
    #[error("{path} needs more than {} files", limits::EXPORT_FILES)]
    TooManyFiles { path: String },
    #[error("{path} needs more than {} MiB of files", limits::EXPORT_BYTES >> 20)]
    TooManyBytes { path: String },
    #[error("the kustomizations and charts under {path} lie too deep in one another")]
    TooDeep { path: String },
    #[error("no private folder could be made for the files to render")]
    NoScratch { source: std::io::Error },
    /// The program ran, or should have run, and failed. `words` are its own, with paths as they are in the repository.
    #[error("{tool} could not render it")]
    Tool { tool: Tool, file: String, line: Option<usize>, words: String, source: Box<ChildError> },
    #[error("the rendering was ended by a fault in driftdeck")]
    Panicked,
    #[error("cancelled")]
    Cancelled,
}

fn needed(tools: &[Tool]) -> String {
    tools.iter().map(|tool| tool.program()).collect::<Vec<_>>().join(" or ")
}

impl RenderError {
    /// Returns the situation in one line.
    pub(super) fn title(&self) -> String {
        self.to_string()
    }

    /// Returns what a person reads at the app.
    pub(super) fn notice(&self, app: &App) -> Notice {
        let path = if app.path.is_empty() { "." } else { &app.path };
        let notice = Notice::error(format!("{} could not be rendered", app.id.name)).cause(self.to_string());
        let place = |notice: Notice, file: &str, line: Option<usize>| notice.file(file, line);
        match self {
            Self::NoTool { tools } => Notice::error(format!("{} needs {}", app.id.name, needed(tools)))
                .cause(format!("{path} is rendered by a program that was not found on PATH"))
                .hint(format!("Install {}, or start driftdeck where it is on PATH.", needed(tools)))
                .file(&app.declared.file, app.declared.line),
            Self::Unreadable { file, line, .. } | Self::RunsProgram { file, line, .. } => {
                place(notice, file, *line)
            }
            Self::Missing { file, line, .. } => place(notice, file, *line),
            Self::LeavesTree { file, line, .. } => {
                place(notice, file, *line).hint("Only files of the repository itself are read.")
            }
            Self::Remote { file, line, host, .. } => {
                let hint = match host {
                    Some(host) => format!("Nothing was contacted. Allow the host {host} in the configuration, or keep a copy in the repository."),
                    None => "Nothing was contacted. Keep a copy in the repository.".to_owned(),
                };
                place(notice, file, *line).hint(hint)
            }
            Self::MissingDependencies { file, line, .. } => place(notice, file, *line).hint(
                "driftdeck downloads no charts: run `helm dependency build` and keep its charts folder where it is rendered from.",
            ),
            Self::LibraryChart { file } => place(notice, file, None),
            Self::Tree(error) => match error {
                TreeError::LeavesTree { path } => {
                    place(notice, path, None).hint("Links are followed only within the repository.")
                }
                _ => place(notice, &app.declared.file, None),
            },
            Self::Tool { tool, file, line, words, source } => {
                let cause = if words.is_empty() { source.to_string() } else { words.clone() };
                let title = match source.as_ref() {
                    ChildError::Failed { .. } => format!("{} could not render {}", tool.program(), app.id.name),
                    other => format!("{} could not be rendered: {other}", app.id.name),
                };
                place(Notice::error(title).cause(cause), file, *line)
            }
            Self::NothingThere { .. }
            | Self::TooManyFiles { .. }
            | Self::TooManyBytes { .. }
            | Self::TooDeep { .. }
            | Self::NoScratch { .. }
            | Self::Panicked
            | Self::Cancelled => place(notice, &app.declared.file, app.declared.line),
        }
    }
}
