//! Defines how paths of a tree are put together: with `/`, without `..`, and never out of the tree.

/// Returns where a relative path leads from a folder; `None` if it is absolute or leaves the tree.
pub fn join(folder: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains('\0') {
        return None;
    }
    let mut segments: Vec<&str> = folder.split('/').filter(|s| !s.is_empty()).collect();
    for segment in relative.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            name => segments.push(name),
        }
    }
    Some(segments.join("/"))
}

/// Returns the folder that a path stands in; of a name without `/`, and of the root, the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the last segment of a path.
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Returns the path of an entry of a folder.
pub fn child(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns whether a path is a folder or something below it.
pub fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns whether kubectl reads a file of this name from a folder.
///
/// Source: `FileExtensions` in k8s.io/cli-runtime/pkg/resource/builder.go.
pub fn is_manifest_file(name: &str) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// Returns whether a file or folder is hidden: these hold settings of tools, never manifests.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leaves_the_tree() {
        let table = [
            ("a/b", "../c", Some("a/c")),
            ("a/b", "./c//d/", Some("a/b/c/d")),
            ("a", "..", Some("")),
            ("a", "../..", None),
            ("a", "../../a", None),
            ("", "x", Some("x")),
            ("a", "/etc/passwd", None),
        ];
        for (folder, relative, leads_to) in table {
            assert_eq!(join(folder, relative).as_deref(), leads_to, "{folder} {relative}");
        }
    }

    #[test]
    fn within_counts_whole_segments() {
        assert!(is_within("a/b", "a") && is_within("a", "a") && is_within("a", ""));
        assert!(!is_within("ab", "a"));
    }
}
