//! Defines what each forge is asked and how its answers are read.
//!
//! Sources: the public documentation of GitHub's REST API ("Pulls"), GitLab's ("Merge requests API"), Gitea's (its own
//! `swagger.v1.json`) and Bitbucket Cloud's 2.0 ("Pullrequests").

use super::{Kind, Project, Wish};
use crate::text::Outside;
use serde_json::{Value as Json, json};

/// Characters of a forge's error that are shown.
const WORDS: usize = 300;

/// Returns the address and the body that open a request.
pub fn open(project: &Project, wish: &Wish) -> (String, Json) {
    let Wish { title, body, head, base } = wish;
    match project.kind {
        Kind::GitHub | Kind::Gitea => (
            format!("{}/repos/{}/pulls", project.api, project.path),
            json!({"title": title, "body": body, "head": head, "base": base}),
        ),
        Kind::GitLab => (
            format!("{}/projects/{}/merge_requests", project.api, escaped(&project.path)),
            json!({"title": title, "description": body, "source_branch": head, "target_branch": base}),
        ),
        Kind::Bitbucket => (
            format!("{}/repositories/{}/pullrequests", project.api, project.path),
            json!({"title": title, "description": body, "source": {"branch": {"name": head}},
                "destination": {"branch": {"name": base}}}),
        ),
    }
}

/// Returns the address that lists the requests that are open for the branch.
pub fn list(project: &Project, wish: &Wish) -> String {
    let head = escaped(&wish.head);
    match project.kind {
        Kind::GitHub => {
            let owner = project.path.split('/').next().unwrap_or_default();
            format!("{}/repos/{}/pulls?state=open&head={}:{head}", project.api, project.path, escaped(owner))
        }
        Kind::Gitea => format!("{}/repos/{}/pulls?state=open&limit=50", project.api, project.path),
        Kind::GitLab => format!(
            "{}/projects/{}/merge_requests?state=opened&source_branch={head}",
            project.api,
            escaped(&project.path)
        ),
        Kind::Bitbucket => {
            let question = escaped(&format!("source.branch.name=\"{}\" AND state=\"OPEN\"", wish.head));
            format!("{}/repositories/{}/pullrequests?q={question}", project.api, project.path)
        }
    }
}

/// Returns the page of the request that is open for the branch.
pub fn listed(project: &Project, wish: &Wish, answer: &Json) -> Option<String> {
    let requests = match project.kind {
        Kind::Bitbucket => answer.get("values")?.as_array()?,
        Kind::GitHub | Kind::Gitea | Kind::GitLab => answer.as_array()?,
    };
    let text =
        |request: &Json, pointer: &str| request.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let heads = |request: &Json| {
        let (head, base) = match project.kind {
            Kind::GitHub | Kind::Gitea => ("/head/ref", "/base/ref"),
            Kind::GitLab => ("/source_branch", "/target_branch"),
            Kind::Bitbucket => ("/source/branch/name", "/destination/branch/name"),
        };
        text(request, head).as_ref() == Some(&wish.head) && text(request, base).as_ref() == Some(&wish.base)
    };
    requests.iter().find(|request| heads(request)).and_then(|request| opened(project, request))
}

/// Returns the page of a request that the forge tells of. Only https is a page.
pub fn opened(project: &Project, answer: &Json) -> Option<String> {
    let pointer = match project.kind {
        Kind::GitHub | Kind::Gitea => "/html_url",
        Kind::GitLab => "/web_url",
        Kind::Bitbucket => "/links/html/href",
    };
    let url = answer.pointer(pointer)?.as_str()?;
    let is_plain = url.len() <= 2000 && url.chars().all(|c| c.is_ascii_graphic());
    (url.starts_with("https://") && is_plain).then(|| url.to_owned())
}

/// Returns the page at which a person opens it.
pub fn page(project: &Project, wish: &Wish) -> String {
    let (site, path) = (&project.site, &project.path);
    let (head, base) = (escaped(&wish.head), escaped(&wish.base));
    match project.kind {
        Kind::GitHub => format!("{site}/{path}/compare/{base}...{head}?expand=1"),
        Kind::Gitea => format!("{site}/{path}/compare/{base}...{head}"),
        Kind::GitLab => format!(
            "{site}/{path}/-/merge_requests/new?merge_request%5Bsource_branch%5D={head}&merge_request%5Btarget_branch%5D={base}"
        ),
        Kind::Bitbucket => format!("{site}/{path}/pull-requests/new?source={head}&dest={base}"),
    }
}

/// Returns what a forge says of an error.
pub fn words(body: &[u8]) -> Outside {
    let json: Json = serde_json::from_slice(body).unwrap_or_default();
    let texts = ["/message", "/error/message", "/error", "/errors/0/message", "/errors/0"];
    let said = texts.iter().find_map(|at| json.pointer(at).and_then(Json::as_str).map(str::to_owned));
    let all = || match json.pointer("/message") {
        Some(message) => message.to_string(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let mut text: String = said.unwrap_or_else(all).chars().take(WORDS).collect();
    if let Some(more) = json.pointer("/errors/0/message").and_then(Json::as_str)
        && !text.contains(more)
    {
        text = format!("{text}: {more}").chars().take(WORDS).collect();
    }
    Outside::new(text)
}

/// Returns a text as one part of an address (RFC 3986: everything but unreserved characters is escaped).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(kind: Kind) -> Project {
        let site = "https://git.example.com".to_owned();
        Project { kind, api: format!("{site}/api"), path: "shop/fleet".into(), site }
    }

    fn wish() -> Wish {
        Wish {
            title: "Revert web".into(),
            body: "why".into(),
            head: "driftdeck/web-1".into(),
            base: "main".into(),
        }
    }

    #[test]
    fn each_forge_is_asked_in_its_own_words_and_its_answer_read() {
        // As the documentation of each shows an answer, with what is not read left out.
        let cases = [
            (
                Kind::GitHub,
                "https://git.example.com/api/repos/shop/fleet/pulls",
                "https://git.example.com/api/repos/shop/fleet/pulls?state=open&head=shop:driftdeck%2Fweb-1",
                json!({"html_url": "https://h/1", "head": {"ref": "driftdeck/web-1"}, "base": {"ref": "main"}}),
            ),
            (
                Kind::Gitea,
                "https://git.example.com/api/repos/shop/fleet/pulls",
                "https://git.example.com/api/repos/shop/fleet/pulls?state=open&limit=50",
                json!({"html_url": "https://h/1", "head": {"ref": "driftdeck/web-1"}, "base": {"ref": "main"}}),
            ),
            (
                Kind::GitLab,
                "https://git.example.com/api/projects/shop%2Ffleet/merge_requests",
                "https://git.example.com/api/projects/shop%2Ffleet/merge_requests?state=opened&source_branch=driftdeck%2Fweb-1",
                json!({"web_url": "https://h/1", "source_branch": "driftdeck/web-1", "target_branch": "main"}),
            ),
            (
                Kind::Bitbucket,
                "https://git.example.com/api/repositories/shop/fleet/pullrequests",
                "https://git.example.com/api/repositories/shop/fleet/pullrequests?q=source.branch.name%3D%22driftdeck%2Fweb-1%22%20AND%20state%3D%22OPEN%22",
                json!({"links": {"html": {"href": "https://h/1"}}, "source": {"branch": {"name": "driftdeck/web-1"}},
                    "destination": {"branch": {"name": "main"}}}),
            ),
        ];
        for (kind, address, listing, answer) in cases {
            let project = project(kind);
            let (asked, body) = open(&project, &wish());
            assert_eq!((asked.as_str(), list(&project, &wish()).as_str()), (address, listing));
            assert!(body.to_string().contains("driftdeck/web-1") && body["title"] == "Revert web");
            assert_eq!(opened(&project, &answer).as_deref(), Some("https://h/1"));
            let all = match kind {
                Kind::Bitbucket => json!({"values": [answer]}),
                _ => json!([answer]),
            };
            assert_eq!(listed(&project, &wish(), &all).as_deref(), Some("https://h/1"));
            let other = Wish { head: "other".into(), ..wish() };
            assert_eq!(listed(&project, &other, &all), None);
            assert!(page(&project, &wish()).starts_with("https://git.example.com/shop/fleet/"));
        }
        let hostile = json!({"html_url": "javascript:alert(1)"});
        assert_eq!(opened(&project(Kind::GitHub), &hostile), None);
    }

    #[test]
    fn what_a_forge_says_of_an_error_is_found() {
        for (body, expected) in [
            (
                r#"{"message":"Validation Failed","errors":[{"message":"A pull request already exists"}]}"#,
                "Validation Failed: A pull request already exists",
            ),
            (
                r#"{"message":["Another open merge request exists"]}"#,
                r#"["Another open merge request exists"]"#,
            ),
            (r#"{"type":"error","error":{"message":"no such branch"}}"#, "no such branch"),
            ("<html>", "<html>"),
        ] {
            assert_eq!(words(body.as_bytes()).raw(), expected);
        }
    }
}
