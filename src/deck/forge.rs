//! Defines links to a forge: the page of a file at a commit, for a repo whose remote names its host.

use std::fmt::Write as _;

/// Returns the page of a file at a commit, at a line where one is known; without a file, the commit's own page.
///
/// `location` is a remote URL without userinfo, in any form that Git takes (`https://`, `ssh://`, `host:path`). Returns
/// `None` for a local path, for plain http, and for a URL that has no owner and name. The forms of the paths are those
/// of GitHub, GitLab, Bitbucket and Gitea; an unknown host is taken for one that is shaped like GitHub's.
pub fn permalink(location: &str, commit: &str, file: Option<&str>, line: Option<usize>) -> Option<String> {
    let (host, path) = host_and_path(location)?;
    let path = path.trim_matches('/').trim_end_matches(".git");
    if !path.contains('/') || !is_host(host) {
        return None;
    }
    let mut url = format!("https://{host}/{}", encoded(path));
    let (blob, tree) = if host.contains("gitlab") {
        ("/-/blob/", "/-/commit/")
    } else if host.contains("bitbucket") {
        ("/src/", "/commits/")
    } else if ["gitea", "codeberg", "forgejo"].iter().any(|name| host.contains(name)) {
        ("/src/commit/", "/commit/")
    } else {
        ("/blob/", "/commit/")
    };
    match file {
        Some(file) => {
            let _ = write!(url, "{blob}{commit}/{}", encoded(file));
            let anchor = if host.contains("bitbucket") { "#lines-" } else { "#L" };
            if let Some(line) = line {
                let _ = write!(url, "{anchor}{line}");
            }
        }
        None => {
            let _ = write!(url, "{tree}{commit}");
        }
    }
    Some(url)
}

fn host_and_path(location: &str) -> Option<(&str, &str)> {
    let rest = match location.split_once("://") {
        Some(("https" | "ssh", rest)) => rest,
        Some(_) => return None,
        None => {
            let (host, path) = location.split_once(':')?;
            let host = host.rsplit('@').next()?;
            return (!host.contains('/') && !path.starts_with('/')).then_some((host, path));
        }
    };
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit('@').next()?;
    // A port of ssh is not the port of the web pages.
    let host = if location.starts_with("ssh:") { host.split(':').next()? } else { host };
    Some((host, path))
}

fn is_host(host: &str) -> bool {
    host.contains('.') && host.chars().all(|c| c.is_ascii_alphanumeric() || ['.', '-', ':'].contains(&c))
}

/// Percent-encodes everything that is not plain in a path. Source: RFC 3986, unreserved characters.
fn encoded(path: &str) -> String {
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_of_any_form_leads_to_its_page() {
        let cases = [
            ("https://github.com/acme/fleet.git", "https://github.com/acme/fleet/blob/3f2c1d9/a/b.yaml#L7"),
            ("git@github.com:acme/fleet.git", "https://github.com/acme/fleet/blob/3f2c1d9/a/b.yaml#L7"),
            (
                "ssh://git@gitlab.example.com:2222/a/b/c",
                "https://gitlab.example.com/a/b/c/-/blob/3f2c1d9/a/b.yaml#L7",
            ),
            (
                "https://codeberg.org/acme/fleet",
                "https://codeberg.org/acme/fleet/src/commit/3f2c1d9/a/b.yaml#L7",
            ),
            (
                "https://bitbucket.org/acme/fleet",
                "https://bitbucket.org/acme/fleet/src/3f2c1d9/a/b.yaml#lines-7",
            ),
        ];
        for (location, url) in cases {
            assert_eq!(permalink(location, "3f2c1d9", Some("a/b.yaml"), Some(7)).as_deref(), Some(url));
        }
    }

    #[test]
    fn what_is_no_remote_has_no_page() {
        for location in [
            "/srv/git/fleet",
            "./fleet",
            "http://github.com/a/b",
            "file:///srv/git",
            "https://x",
            "C:\\fleet",
        ] {
            assert_eq!(permalink(location, "3f2c1d9", None, None), None, "{location}");
        }
    }

    #[test]
    fn hostile_names_cannot_leave_the_path() {
        let url = permalink("https://github.com/a/b", "3f2c1d9", Some("x\x1b]8;;\" y?#.yaml"), None).unwrap();
        assert_eq!(url, "https://github.com/a/b/blob/3f2c1d9/x%1B%5D8%3B%3B%22%20y%3F%23.yaml");
        assert_eq!(permalink("https://evil\x1b.example/a/b", "3f2c1d9", None, None), None);
    }
}
