//! Defines what the journal tells of an action: what was done to what, by whom, when, with what outcome.

use crate::text::markdown as code;
use std::fmt::Write as _;

/// One action of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAction {
    pub id: String,
    /// When it was begun and ended, as the journal writes times; `None`: it was cut short.
    pub time: String,
    pub ended: Option<String>,
    /// As the cluster knows them, or as they commit.
    pub user: Option<String>,
    /// Whom they acted as.
    pub acted_as: Option<String>,
    pub command: String,
    pub app: String,
    /// The context; empty where no cluster was written to.
    pub cluster: String,
    pub outcome: String,
    pub steps: Vec<RecordedStep>,
    /// Of a commit: its id, where it was made, its branch, its files, and the request that was opened for it.
    pub commit: Option<String>,
    pub repo: Option<String>,
    pub branch: Option<String>,
    pub files: Vec<String>,
    pub request: Option<String>,
    /// The command that does the same.
    pub headless: Option<String>,
}

/// One step of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedStep {
    /// The word of the headless contract, such as `patch`.
    pub action: String,
    /// The object for people, such as `Deployment shop/web`; empty where it is none of a cluster.
    pub object: String,
    /// The fields that it was about.
    pub paths: Vec<String>,
    pub outcome: String,
    /// What went wrong.
    pub notice: Option<String>,
}

impl RecordedAction {
    /// Returns who did it, for people.
    pub fn who(&self) -> String {
        let acting = self.acted_as.as_ref().map(|whom| format!(" as {whom}")).unwrap_or_default();
        format!("{}{acting}", self.user.as_deref().unwrap_or("unknown"))
    }

    /// Returns a line for each step, and for what came of a commit.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.steps.iter().map(RecordedStep::line).collect();
        if let Some(commit) = &self.commit {
            let branch = self.branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
            let repo = self.repo.as_ref().map(|repo| format!(" of {repo}")).unwrap_or_default();
            lines.push(format!("commit {commit}{branch}{repo}"));
        }
        if !self.files.is_empty() {
            lines.push(format!("files {}", self.files.join(", ")));
        }
        lines.extend(self.request.iter().map(|request| format!("request {request}")));
        lines
    }

    /// Returns the action for an incident's record. Nothing that it names takes effect as Markdown.
    pub fn markdown(&self) -> String {
        let on = match self.cluster.as_str() {
            "" => String::new(),
            cluster => format!(" on {}", code(cluster)),
        };
        let mut out = format!(
            "### {} {} of {}{on}: {}\n\nby {}",
            code(&self.time),
            code(&self.command),
            code(&self.app),
            code(&self.outcome),
            code(&self.who())
        );
        if let Some(ended) = &self.ended {
            let _ = write!(out, ", ended {}", code(ended));
        }
        let _ = writeln!(out, ", as {}", code(&self.id));
        for line in self.lines() {
            let _ = write!(out, "\n- {}", code(&line));
        }
        if let Some(command) = &self.headless {
            let _ = write!(out, "\n\nthe same from a shell: {}", code(command));
        }
        out.push('\n');
        out
    }
}

impl RecordedStep {
    fn line(&self) -> String {
        let object = if self.object.is_empty() { String::new() } else { format!(" {}", self.object) };
        let fields = if self.paths.iter().all(|path| path == ".") {
            String::new()
        } else {
            format!(" ({})", self.paths.join(", "))
        };
        let notice = self.notice.as_ref().map(|notice| format!(": {notice}")).unwrap_or_default();
        format!("{}{object}{fields}  {}{notice}", self.action, self.outcome)
    }
}
