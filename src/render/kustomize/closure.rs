//! Defines the closure of a kustomization: every file that building it reads, and everything about it that is refused.
//!
//! Kustomize reads no file that is not named: there are no patterns. So the closure is exact, and it is all that is
//! exported. A reference is refused here, before any program starts, if it leads onto the network, out of the tree, or
//! to a plugin that is a program.

use super::file::{self, Kustomization, Reference, Use, is_kustomization_file};
use super::remote::remote;
use crate::model::{Tree, TreeError, limits};
use crate::render::error::RenderError;
use crate::render::export::Files;
use crate::render::paths;
use crate::text::yaml::read_documents;
use std::collections::BTreeSet;

/// Everything that building a kustomization reads.
#[derive(Debug)]
pub(super) struct Closure {
    /// The kustomization itself.
    pub top: Kustomization,
    pub files: Files,
    /// What leads onto the network.
    pub remotes: Vec<RemoteReference>,
    /// It inflates charts of the tree.
    pub needs_helm: bool,
}

/// A reference onto the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemoteReference {
    pub file: String,
    pub line: Option<usize>,
    pub reference: String,
    pub host: Option<String>,
}

impl Closure {
    /// Refuses it if it leads to a host that is not allowed.
    pub fn refuse_unless(&self, allowed: impl Fn(&str) -> bool) -> Result<(), RenderError> {
        let refused = self.remotes.iter().find(|remote| !remote.host.as_deref().is_some_and(&allowed));
        refused.map_or(Ok(()), |remote| {
            let RemoteReference { file, line, reference, host } = remote.clone();
            Err(RenderError::Remote { file, line, reference, host })
        })
    }

    /// Returns whether building it contacts hosts.
    pub fn is_online(&self) -> bool {
        !self.remotes.is_empty()
    }
}

/// Finds everything that building the kustomization of a folder reads.
pub(super) fn closure(tree: &dyn Tree, folder: &str) -> Result<Closure, RenderError> {
    let Some(file) = Kustomization::find(tree, folder)? else {
        let folder = if folder.is_empty() { "the folder".to_owned() } else { folder.to_owned() };
        return Err(RenderError::NothingThere { folder, wanted: "kustomization.yaml" });
    };
    let top = Kustomization::read(tree, &file)?;
    let mut walk = Walk {
        tree,
        files: Files::of(folder),
        seen: BTreeSet::new(),
        remotes: Vec::new(),
        needs_helm: false,
    };
    walk.enter(folder, false, 0)?;
    Ok(Closure { top, files: walk.files, remotes: walk.remotes, needs_helm: walk.needs_helm })
}

struct Walk<'a> {
    tree: &'a dyn Tree,
    files: Files,
    /// Folders that were entered, with whether for their plugins.
    seen: BTreeSet<(String, bool)>,
    remotes: Vec<RemoteReference>,
    needs_helm: bool,
}

impl Walk<'_> {
    /// Takes in a folder's kustomization and all that it refers to; `plugins`: its resources configure plugins.
    fn enter(&mut self, folder: &str, plugins: bool, depth: usize) -> Result<(), RenderError> {
        if depth > limits::FOLDER_DEPTH {
            return Err(RenderError::TooDeep { path: folder.to_owned() });
        }
        if !self.seen.insert((folder.to_owned(), plugins)) {
            return Ok(());
        }
        let mut kustomization = None;
        // More than one is exported as well: kustomize says what is wrong with that.
        for entry in self.tree.list(folder)? {
            if is_kustomization_file(&entry.name) {
                let path = paths::child(folder, &entry.name);
                let text = self.tree.read(&path)?;
                self.files.add(&path, text.clone())?;
                kustomization = Some(Kustomization::parse(&path, text)?);
            }
        }
        let Some(kustomization) = kustomization else { return Ok(()) };
        for reference in kustomization.references() {
            let usage = match reference.usage {
                Use::Resource if plugins => Use::Plugin,
                usage => usage,
            };
            let file = &kustomization.file;
            self.follow(file, file, &Reference { usage, ..reference }, depth)?;
        }
        Ok(())
    }

    /// Takes in what a reference leads to, counted from the folder of `base`. `file` is where the reference stands.
    fn follow(
        &mut self,
        base: &str,
        file: &str,
        reference: &Reference,
        depth: usize,
    ) -> Result<(), RenderError> {
        if reference.usage == Use::InlinePlugin {
            return self.take_plugins(base, file, reference.line, reference.text.as_bytes(), depth);
        }
        let host = match (remote(&reference.text), reference.usage) {
            (Some(remote), _) => remote.host,
            (None, Use::RemoteChart) => None,
            (None, _) => return self.follow_path(base, file, reference, depth),
        };
        self.needs_helm |= reference.usage == Use::RemoteChart;
        self.remotes.push(RemoteReference {
            file: file.to_owned(),
            line: reference.line,
            reference: without_userinfo(&reference.text),
            host,
        });
        Ok(())
    }

    fn follow_path(
        &mut self,
        base: &str,
        file: &str,
        reference: &Reference,
        depth: usize,
    ) -> Result<(), RenderError> {
        let leaves = || RenderError::LeavesTree {
            file: file.to_owned(),
            line: reference.line,
            reference: reference.text.clone(),
        };
        let path = paths::join(paths::parent(base), &reference.text).ok_or_else(leaves)?;
        if reference.usage == Use::Chart {
            self.needs_helm = true;
            return self.files.add_folder(self.tree, &path);
        }
        match self.tree.read(&path) {
            Ok(text) => {
                if reference.usage == Use::Plugin {
                    self.take_plugins(base, &path, None, &text, depth)?;
                }
                self.files.add(&path, text)
            }
            Err(TreeError::IsFolder { .. }) => match reference.usage {
                Use::Resource | Use::Component => self.enter(&path, false, depth + 1),
                Use::Plugin => self.enter(&path, true, depth + 1),
                _ => Ok(()),
            },
            Err(TreeError::LeavesTree { .. }) => Err(leaves()),
            Err(TreeError::NotFound { .. }) if matches!(reference.usage, Use::Resource | Use::Component) => {
                Err(RenderError::Missing {
                    file: file.to_owned(),
                    line: reference.line,
                    reference: reference.text.clone(),
                })
            }
            // What else is missing kustomize tells, or does without.
            Err(TreeError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes in what plugins of a text refer to. Their paths are counted from the kustomization's folder, also where
    /// the text stands in a file of its own; `line`: the text stands in the kustomization itself.
    fn take_plugins(
        &mut self,
        base: &str,
        file: &str,
        line: Option<usize>,
        text: &[u8],
        depth: usize,
    ) -> Result<(), RenderError> {
        for document in read_documents(text).into_iter().flatten() {
            let plugin = file::plugin(&document.value, &document.lines);
            if let Some(plugin) = plugin.runs {
                let line = line.or(Some(document.line));
                return Err(RenderError::RunsProgram { file: file.to_owned(), line, plugin });
            }
            for reference in plugin.references {
                let reference = Reference { line: line.or(reference.line), ..reference };
                self.follow(base, file, &reference, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Returns a reference without the password that it may carry.
fn without_userinfo(reference: &str) -> String {
    match reference.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[start..])
        }
        None => reference.to_owned(),
    }
}
