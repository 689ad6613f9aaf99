//! Defines why something is not captured, and what a person does instead. The words hold no values.

use crate::model::{FieldPath, Manifest, Notice, ResourceId};
use crate::text::yaml::EditFault;

/// A field, or an object, that is not captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub object: ResourceId,
    /// `None`: the object as a whole.
    pub path: Option<FieldPath>,
    pub reason: Reason,
    /// Where a person looks.
    pub file: Option<String>,
    pub line: Option<usize>,
}

/// Why it is not captured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("it is a Secret, which is never captured")]
    Secret,
    #[error("the live value looks like a secret: in Git it would stay for ever")]
    LooksSecret,
    #[error("the cluster keeps it by itself: nobody declares it")]
    ClustersOwn,
    #[error("it belongs to {owner}, which makes it")]
    Owned { owner: String },
    #[error("neither Git nor the cluster holds it any more")]
    NowhereToBeFound,
    #[error("{0}")]
    Edit(EditFault),
    #[error("the file is reached through a symbolic link")]
    Linked,
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    #[error("it is declared outside of the app, where other apps may use it")]
    Shared,
    #[error("`{list}` of the kustomization sets it on many objects")]
    OnManyObjects { list: String },
    #[error("the edited files do not render to that alone: {why}")]
    NotThatAlone { why: String },
    #[error("no place was found in the app's {spec} files that sets it")]
    NoPlace { spec: &'static str },
    #[error("no value of the chart is passed through to it unchanged")]
    NoValue,
    #[error("a chart's objects are made by its templates")]
    Templates,
}

impl Reason {
    /// Returns what a person does instead.
    pub fn hint(&self) -> &'static str {
        match self {
            Reason::Secret | Reason::LooksSecret => {
                "change it where it is kept safe, such as a sealed secret or a store of secrets"
            }
            Reason::ClustersOwn | Reason::Owned { .. } | Reason::NowhereToBeFound => "there is nothing to do",
            Reason::Edit(EditFault::Alias | EditFault::Anchored | EditFault::Merged) => {
                "change the anchor by hand, or write the value out where it is used"
            }
            Reason::Edit(EditFault::Templated) => "change the template by hand",
            Reason::Edit(EditFault::DuplicateKey) => "remove one of the keys first",
            Reason::Edit(_) | Reason::Unreadable(_) => "change the file by hand",
            Reason::Linked => "change the file that the link leads to by hand",
            Reason::Shared => "change it there by hand, if every app that uses it should have it",
            Reason::OnManyObjects { .. } => "change it there by hand, if all of those objects should have it",
            Reason::NotThatAlone { .. } | Reason::NoPlace { .. } => "change it by hand where it is set",
            Reason::NoValue => "change the template, or give it a value of its own",
            Reason::Templates => "add it to the chart's templates by hand",
        }
    }
}

impl Refusal {
    /// Makes a refusal that points to where the field is declared, as far as that is known.
    pub(super) fn of(
        id: &ResourceId,
        path: Option<&FieldPath>,
        reason: Reason,
        manifest: Option<&Manifest>,
    ) -> Self {
        let origin = manifest.map(|manifest| match path {
            Some(path) => super::wish::origin_of(manifest, path),
            None => manifest.origin.clone(),
        });
        let (file, line) = origin.map_or((None, None), |origin| (Some(origin.file), origin.line));
        Self { object: id.clone(), path: path.cloned(), reason, file, line }
    }

    /// Returns the refusal as people read it.
    pub fn notice(&self) -> Notice {
        let what = match &self.path {
            Some(path) => format!("{path} of {} is not captured", self.object),
            None => format!("{} is not captured", self.object),
        };
        let notice = Notice::error(what)
            .cause(self.reason.to_string())
            .hint(self.reason.hint())
            .object(self.object.to_string());
        match &self.file {
            Some(file) => notice.file(file, self.line),
            None => notice,
        }
    }
}
