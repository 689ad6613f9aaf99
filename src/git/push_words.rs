//! Defines what is kept of a server's words during a push: its own lines, without git's, without secrets, bounded.

use crate::text::{Outside, redact};

/// Lines that are kept, the first ones.
const LINES: usize = 20;
/// Characters of a line that are kept.
const LINE: usize = 400;

/// What a forge says for every push.
const SMALL_TALK: [&str; 3] = [". Processing ", "Processed ", "Resolving deltas"];

/// What git itself says beside what went wrong.
const NOISE: [&str; 10] = [
    "To ",
    "hint:",
    "error: failed to push",
    "Everything up-to-date",
    "fatal: Could not read from remote repository",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "Pushing to ",
    "remote:",
    "send-pack: unexpected disconnect",
];

/// Returns the lines that the server said; where it said none, git's own last words.
pub(super) fn of_server(stderr: &Outside) -> Vec<Outside> {
    let lines = || stderr.raw().lines().map(str::trim).filter(|line| !line.is_empty());
    let begins = |line: &str, words: &[&str]| words.iter().any(|word| line.starts_with(word));
    let kept = |line: &str| {
        let line: String = redact::line(line).chars().take(LINE).collect();
        Outside::new(line)
    };
    let said = lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim);
    let said: Vec<Outside> =
        said.filter(|line| !line.is_empty() && !begins(line, &SMALL_TALK)).take(LINES).map(kept).collect();
    if !said.is_empty() {
        return said;
    }
    // Over ssh a server that refuses at once speaks before git does, and without a mark.
    let rest = lines()
        .filter(|line| !begins(line, &NOISE))
        .map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")).unwrap_or(line));
    rest.take(LINES).map(kept).collect()
}

/// Returns the address at which a server offers to open a request, where it is of its own host.
pub(super) fn offered(words: &[Outside], host: &str) -> Option<String> {
    let lines: Vec<&str> = words.iter().map(Outside::raw).collect();
    let place = lines.iter().position(|line| {
        let line = line.to_ascii_lowercase();
        line.contains("create") && (line.contains("pull request") || line.contains("merge request"))
    })?;
    let address = lines
        .get(place..)?
        .iter()
        .take(2)
        .find_map(|line| line.split_whitespace().find(|word| word.starts_with("https://")))?;
    let plain = address.chars().all(|c| c.is_ascii_graphic() && !"\"<>`\\".contains(c));
    let authority = address.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let named = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
    (plain && named.eq_ignore_ascii_case(host)).then(|| (*address).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(stderr: &str) -> Vec<String> {
        of_server(&stderr.into()).iter().map(|line| line.raw().to_owned()).collect()
    }

    #[test]
    fn only_what_the_server_said_is_kept() {
        let stderr = "remote: \nremote: Gitea: Not allowed to push to protected branch main        \n\
                      remote: . Processing 1 references\nTo https://git.example.com/x\n\
                      error: failed to push some refs to 'https://git.example.com/x'\n";
        assert_eq!(words(stderr), ["Gitea: Not allowed to push to protected branch main"]);
        let ssh = "ERROR: Permission to shop/fleet.git denied to ana.\n\
                   fatal: Could not read from remote repository.\n\n\
                   Please make sure you have the correct access rights\nand the repository exists.\n";
        assert_eq!(words(ssh), ["ERROR: Permission to shop/fleet.git denied to ana."]);
    }

    #[test]
    fn a_credential_in_the_words_is_not_kept() {
        let said =
            words("fatal: unable to access 'https://ana:canary-of-a-password@git.example.com/x': no\n");
        assert_eq!(said, ["<hidden: it looks like a secret>"]);
        let many = "remote: x\n".repeat(500) + "remote: " + &"y".repeat(100_000);
        assert_eq!(words(&many).len(), LINES);
    }

    #[test]
    fn the_server_may_offer_an_address_of_its_own_host_only() {
        for (said, found) in [
            (
                "remote: Create a pull request for 'x' on GitHub by visiting:\nremote:      https://github.com/a/b/pull/new/x",
                Some("https://github.com/a/b/pull/new/x"),
            ),
            (
                "remote: To create a merge request for x, visit:\nremote:   https://github.com/a/b/-/merge_requests/new?x=1",
                Some("https://github.com/a/b/-/merge_requests/new?x=1"),
            ),
            ("remote: Create a pull request:\nremote: https://github.com.evil.example/x", None),
            ("remote: Create a pull request:\nremote: http://github.com/x", None),
            ("remote: Create a pull request:\nremote: https://github.com@evil.example/x", None),
            ("remote: Visit https://github.com/x", None),
        ] {
            assert_eq!(offered(&of_server(&said.into()), "github.com").as_deref(), found, "{said}");
        }
    }
}
