//! Defines the encoder of each sink that text from outside may reach, besides the terminal.

use super::untrusted::terminal;
use base64::Engine as _;
use std::borrow::Cow;

/// Bytes that are handed to a terminal's clipboard at once, as most terminals take no more.
const CLIPBOARD_BYTES: usize = 74_994;

/// Returns the text as one line of the log.
pub fn log_line(text: &str) -> Cow<'_, str> {
    terminal(text)
}

/// Returns the text as code within a line of Markdown: no markup, mention or command in it takes effect.
pub fn markdown(text: &str) -> String {
    let text = terminal(text);
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    // Where a space stands at both ends Markdown takes one away again.
    format!("{ticks} {text} {ticks}")
}

/// Returns the text as a block of code in Markdown, within a fence that is longer than any in it.
pub fn markdown_block(language: &str, text: &str) -> String {
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    let text = super::terminal_lines(text);
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

/// Returns a trailer of a commit message, `Name: value`. Of the name only letters, digits and `-` remain.
pub fn commit_trailer(name: &str, value: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("{name}: {}", terminal(value).trim())
}

/// Returns the text as one word of a POSIX shell's command line, for commands that people copy.
///
/// A control character is part of the word as it is made visible, so that the line shows what it would do.
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let text = terminal(text);
    let is_safe = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '%' | '+' | ',' | '=')
    };
    if !text.is_empty() && text.chars().all(is_safe) {
        return text;
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Returns the text as a link of a terminal (OSC 8), where the address is a plain `https` one; else only the text.
pub fn terminal_link(address: &str, text: &str) -> String {
    let text = terminal(text);
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>' | '`');
    let host = address.strip_prefix("https://").unwrap_or_default();
    if host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host.chars().all(is_plain)
        && address.len() <= 2083
    {
        format!("\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\")
    } else {
        text.into_owned()
    }
}

/// Returns what puts the text on the clipboard through the terminal (OSC 52); `None` where it is too long.
///
/// The text travels as base64, so that nothing in it reaches the terminal; what it holds is pasted as it is.
pub fn terminal_clipboard(text: &str) -> Option<String> {
    let fits = text.len() <= CLIPBOARD_BYTES;
    fits.then(|| format!("\x1b]52;c;{}\x07", base64::engine::general_purpose::STANDARD.encode(text)))
}

/// Returns the length of the longest run of a character.
fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(|run| run.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hostile::STRINGS;
    use crate::text::terminal_lines;

    fn has_effect(c: char) -> bool {
        c.is_control() || terminal(&c.to_string()) != c.to_string()
    }

    #[test]
    fn no_sink_lets_a_control_or_hidden_character_through() {
        for hostile in STRINGS {
            for line in [
                terminal(hostile).into_owned(),
                log_line(hostile).into_owned(),
                markdown(hostile),
                commit_trailer("Cause", hostile),
                shell_word(hostile).into_owned(),
                terminal_link("http://x", hostile),
                terminal_link(hostile, "text"),
            ] {
                assert!(!line.chars().any(has_effect), "{hostile:?} gave {line:?}");
            }
            for text in [terminal_lines(hostile).into_owned(), markdown_block("yaml", hostile)] {
                assert!(!text.chars().any(|c| c != '\n' && has_effect(c)), "{hostile:?} gave {text:?}");
            }
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        for hostile in STRINGS {
            let block = markdown_block("yaml\n# x", hostile);
            let fence = block.lines().last().unwrap();
            assert!(fence.len() >= 3 && fence.chars().all(|c| c == '`'), "{block}");
            assert_eq!(block.matches(fence).count(), 2, "{block}");
            let code = markdown(hostile);
            let ticks = code.split(' ').next().unwrap();
            assert!(longest_run(&code[ticks.len()..code.len() - ticks.len()], '`') < ticks.len(), "{code}");
        }
        assert_eq!(markdown_block("yaml", "a: 1"), "```yaml\na: 1\n```\n");
        assert_eq!(markdown("@me `x`"), "`` @me `x` ``");
    }

    #[test]
    fn a_shell_takes_each_word_as_one_and_runs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for hostile in STRINGS {
            let line = format!("printf %s {}", shell_word(hostile));
            let run = std::process::Command::new("/bin/sh")
                .args(["-c", &line])
                .current_dir(&folder)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&run.stdout), terminal(hostile), "{line}");
        }
        assert!(!folder.path().join("canary").exists());
        assert_eq!((shell_word("a/b-c"), shell_word("")), ("a/b-c".into(), "''".into()));
    }

    #[test]
    fn only_plain_https_addresses_become_links() {
        assert_eq!(
            terminal_link("https://a.example/x", "t"),
            "\x1b]8;;https://a.example/x\x1b\\t\x1b]8;;\x1b\\"
        );
        for address in [
            "http://a",
            "javascript:x",
            "https://",
            "https://a\x1b\\",
            "https://a b",
            "file:///x",
            "HTTPS://a",
        ] {
            assert_eq!(terminal_link(address, "t"), "t", "{address:?}");
        }
    }

    #[test]
    fn the_clipboard_gets_base64_only() {
        assert_eq!(terminal_clipboard("a\x1b").unwrap(), "\x1b]52;c;YRs=\x07");
        assert_eq!(terminal_clipboard(&"x".repeat(CLIPBOARD_BYTES + 1)), None);
    }

    #[test]
    fn a_trailer_is_one_line() {
        assert_eq!(commit_trailer("Drift-Deck:\nX", " a\nb: c "), "Drift-DeckX: a␊b: c");
    }
}
