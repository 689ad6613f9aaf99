//! Defines how a path within a tree is followed to what it names: symbolic links inside the tree are followed, and
//! nothing ever leads out of it.
//!
//! The rules are those of the file system (a link is followed before the `..` behind it), so that desired files render
//! as they would in a checkout; but an absolute link, or a `..` above the root, leaves the tree and is refused.

use crate::model::TreeError;
use crate::model::limits;
use crate::model::tree::EntryKind;

/// What stands at one path of a tree, before links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Missing,
    File,
    Folder,
    /// A symbolic link with its text.
    Link(String),
    Submodule,
}

/// What a path named in the end: a path without links, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    pub path: String,
    pub kind: EntryKind,
}

/// Follows a path, asking `look` what stands at each step. `look` only ever gets paths without links and `..`.
///
/// At most [`limits::LINKS_FOLLOWED`] links and [`limits::FOLDER_DEPTH`] folders are followed. `kind` of the result is
/// never [`EntryKind::Link`].
pub(super) fn resolve(
    asked: &str,
    mut look: impl FnMut(&str) -> Result<Node, TreeError>,
) -> Result<Resolved, TreeError> {
    if asked.starts_with('/') {
        return Err(leaves(asked));
    }
    let mut ahead: Vec<String> = segments(asked);
    let mut behind: Vec<String> = Vec::new();
    let mut kind = EntryKind::Folder;
    let mut links = 0;
    while let Some(segment) = ahead.pop() {
        match kind {
            EntryKind::Folder | EntryKind::Link => {}
            EntryKind::File => return Err(missing(asked)),
            EntryKind::Submodule => return Err(in_submodule(asked, &behind)),
        }
        if segment == ".." {
            behind.pop().ok_or_else(|| leaves(asked))?;
            continue;
        }
        if is_git_folder(&segment) {
            return Err(missing(asked));
        }
        behind.push(segment);
        if behind.len() > limits::FOLDER_DEPTH {
            return Err(unreadable(asked, &format!("it is more than {} folders deep", limits::FOLDER_DEPTH)));
        }
        kind = match look(&behind.join("/"))? {
            Node::Missing => return Err(missing(asked)),
            Node::File => EntryKind::File,
            Node::Folder => EntryKind::Folder,
            Node::Submodule => EntryKind::Submodule,
            Node::Link(target) => {
                links += 1;
                if links > limits::LINKS_FOLLOWED {
                    let reason =
                        format!("more than {} symbolic links follow one another", limits::LINKS_FOLLOWED);
                    return Err(unreadable(asked, &reason));
                }
                if target.starts_with('/') {
                    return Err(leaves(asked));
                }
                behind.pop();
                ahead.extend(segments(&target));
                EntryKind::Folder
            }
        };
    }
    Ok(Resolved { path: behind.join("/"), kind })
}

/// Returns whether a name is Git's own folder in any spelling that a file system may take for it: never part of a tree.
pub(super) fn is_git_folder(name: &str) -> bool {
    name.eq_ignore_ascii_case(".git")
}

/// Returns whether a path is the root, or nothing but names, none of them Git's own folder.
pub(super) fn is_plain(path: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && !matches!(name, "." | "..") && !is_git_folder(name);
    path.is_empty() || path.split('/').all(is_name)
}

/// Returns a path joined to a name.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns the segments in reverse, so that the next one is popped.
fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|s| !s.is_empty() && *s != ".").rev().map(str::to_owned).collect()
}

fn leaves(path: &str) -> TreeError {
    TreeError::LeavesTree { path: path.to_owned() }
}

pub(super) fn missing(path: &str) -> TreeError {
    TreeError::NotFound { path: path.to_owned() }
}

pub(super) fn unreadable(path: &str, reason: &str) -> TreeError {
    TreeError::Unreadable { path: path.to_owned(), reason: reason.to_owned() }
}

fn in_submodule(path: &str, submodule: &[String]) -> TreeError {
    unreadable(path, &format!("it is in the submodule {}, which is not read", submodule.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn tree() -> BTreeMap<&'static str, Node> {
        BTreeMap::from([
            ("apps", Node::Folder),
            ("apps/web", Node::Folder),
            ("apps/web/a.yaml", Node::File),
            ("apps/web/base", Node::Link("../../shared".into())),
            ("apps/web/out", Node::Link("../../../etc".into())),
            ("apps/web/passwd", Node::Link("/etc/passwd".into())),
            ("apps/web/config", Node::Link("../../.git/config".into())),
            ("apps/web/loop", Node::Link("loop".into())),
            ("apps/web/gone", Node::Link("nowhere".into())),
            ("shared", Node::Folder),
            ("shared/b.yaml", Node::File),
            ("lib", Node::Submodule),
        ])
    }

    fn follow(path: &str) -> Result<Resolved, TreeError> {
        let tree = tree();
        resolve(path, |at| Ok(tree.get(at).cloned().unwrap_or(Node::Missing)))
    }

    #[test]
    fn links_inside_the_tree_are_followed_as_the_file_system_does() {
        let found = |path: &str, kind| Ok(Resolved { path: path.into(), kind });
        assert_eq!(follow(""), found("", EntryKind::Folder));
        assert_eq!(follow("./apps//web/a.yaml"), found("apps/web/a.yaml", EntryKind::File));
        assert_eq!(follow("apps/web/base/b.yaml"), found("shared/b.yaml", EntryKind::File));
        assert_eq!(follow("apps/web/base/../apps"), found("apps", EntryKind::Folder));
        assert_eq!(follow("lib"), found("lib", EntryKind::Submodule));
    }

    #[test]
    fn nothing_leads_out_of_the_tree_or_into_gits_own_folder() {
        for path in
            ["../x", "/etc/passwd", "apps/../../x", "apps/web/out", "apps/web/out/passwd", "apps/web/passwd"]
        {
            assert_eq!(follow(path), Err(TreeError::LeavesTree { path: path.into() }));
        }
        for path in
            [".git/config", "apps/.GIT", "apps/web/config", "apps/web/gone", "apps/web/a.yaml/x", "none"]
        {
            assert_eq!(follow(path), Err(TreeError::NotFound { path: path.into() }));
        }
    }

    #[test]
    fn a_link_that_leads_to_itself_ends() {
        assert_eq!(
            follow("apps/web/loop").unwrap_err().to_string(),
            "apps/web/loop cannot be read: more than 16 symbolic links follow one another"
        );
    }

    #[test]
    fn a_path_into_a_submodule_says_so() {
        assert_eq!(
            follow("lib/x.yaml").unwrap_err().to_string(),
            "lib/x.yaml cannot be read: it is in the submodule lib, which is not read"
        );
    }
}
