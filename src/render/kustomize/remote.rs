//! Defines which references kustomize would follow onto the network.
//!
//! Source: sigs.k8s.io/kustomize/api/internal/git/repospec.go and api/internal/loader. Whatever could be a remote
//! reference counts as one, also where a file of that name exists: kustomize itself asks the network first.

/// A reference onto the network, with the host where it can be told and could be allowed: only https leads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    pub host: Option<String>,
}

/// Returns what a reference leads to on the network; `None` if it is a path.
pub(super) fn remote(reference: &str) -> Option<Remote> {
    let reference = reference.trim();
    let lower = reference.to_ascii_lowercase();
    let rest = lower.strip_prefix("git::").unwrap_or(&lower);
    if let Some((scheme, rest)) = rest.split_once("://") {
        let host = if scheme == "https" { host_of(rest) } else { None };
        return Some(Remote { host });
    }
    if rest.starts_with("gh:") || rest.starts_with("github.com") || rest.starts_with("www.github.com") {
        return Some(Remote { host: Some("github.com".to_owned()) });
    }
    let forced = rest.len() != lower.len();
    let first = rest.split('/').next().unwrap_or_default();
    let has_user = first.contains('@');
    let has_port_or_path = first.contains(':');
    if has_user || (has_port_or_path && !forced) {
        // As git reads it, this is ssh, for which there is neither a key nor an agent where kustomize runs.
        return Some(Remote { host: None });
    }
    if has_port_or_path || forced {
        return Some(Remote { host: host_of(&rest.replacen(':', "/", 1)) });
    }
    // Parameters of a Git reference.
    let parameters = ["?ref=", "?version=", "?timeout=", "?submodules=", "&ref="];
    if parameters.iter().any(|parameter| rest.contains(parameter))
        || rest.contains(".git/")
        || rest.strip_suffix(".git").is_some()
    {
        return Some(Remote { host: host_of(rest).filter(|host| host.contains('.')) });
    }
    None
}

/// Returns the host of `[user[:password]@]host[:port]/…`.
fn host_of(authority: &str) -> Option<String> {
    let authority = authority.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    (plain && !host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_kustomize_could_fetch_is_remote() {
        let table = [
            ("https://example.com/a/b?ref=v1", Some("example.com")),
            ("HTTPS://user:secret@Example.com:8443/a", Some("example.com")),
            ("git::https://git.example.com/a", Some("git.example.com")),
            ("github.com/a/b//c?ref=main", Some("github.com")),
            ("gh:a/b", Some("github.com")),
            ("git.example.com/a/b.git//c", Some("git.example.com")),
        ];
        for (reference, host) in table {
            let found = remote(reference).unwrap_or_else(|| panic!("{reference} is remote"));
            assert_eq!(found.host.as_deref(), host, "{reference}");
        }
        for without_allowable_host in [
            "http://example.com/a",
            "file:///etc",
            "oci://example.com/x",
            "base?ref=v1",
            "ssh://git@git.example.com/a.git",
            "git@git.example.com:a/b.git",
        ] {
            assert_eq!(
                remote(without_allowable_host),
                Some(Remote { host: None }),
                "{without_allowable_host}"
            );
        }
        for path in ["../base", "a.yaml", "a/b.c/d", "./x", ".github/x", "git/base", "base-v1.2"] {
            assert_eq!(remote(path), None, "{path}");
        }
    }
}
