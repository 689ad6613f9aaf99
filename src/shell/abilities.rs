//! Tells what a terminal can do beyond drawing, from what it says of itself in the environment.
//!
//! No terminal answers whether it took a copy, so this goes by name. Copies (OSC 52) are taken by iTerm2, WezTerm,
//! Ghostty, kitty, foot, Alacritty, Contour, Rio, mintty, Windows Terminal and the terminal of VS Code. tmux and GNU
//! screen keep what a program sends from the terminal unless they are told otherwise, and of any other terminal it is
//! not known: there a copy is only saved.

/// Values of `TERM_PROGRAM` and `LC_TERMINAL`.
const PROGRAMS: [&str; 8] =
    ["iTerm.app", "iTerm2", "WezTerm", "ghostty", "vscode", "mintty", "rio", "contour"];
/// Beginnings of `TERM`, which is the one that reaches a host over SSH.
const TERMS: [&str; 8] =
    ["xterm-kitty", "xterm-ghostty", "foot", "alacritty", "wezterm", "contour", "rio", "mintty"];

/// Returns whether the terminal is known to take copies.
pub fn takes_copies(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    let within = ["TMUX", "STY"].iter().any(|name| variable(name).is_some_and(|value| !value.is_empty()));
    if within || ["tmux", "screen"].iter().any(|name| term.starts_with(name)) {
        return false;
    }
    let named = |name: &str| variable(name).is_some_and(|value| PROGRAMS.contains(&value.as_str()));
    TERMS.iter().any(|name| term.starts_with(name))
        || named("TERM_PROGRAM")
        || named("LC_TERMINAL")
        || variable("WT_SESSION").is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_sent_a_copy_only_where_it_is_known_to_take_it() {
        let cases: [(&[(&str, &str)], bool); 9] = [
            (&[("TERM", "xterm-256color")], false),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "linux")], false),
            (&[], false),
            (&[("TERM", "xterm-kitty")], true),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], true),
            (&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")], true),
            (&[("TERM", "tmux-256color"), ("TERM_PROGRAM", "tmux"), ("LC_TERMINAL", "iTerm2")], false),
            (&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/tmux-1000/default,1,0")], false),
        ];
        for (environment, takes) in cases {
            let of = |name: &str| {
                environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(takes_copies(of), takes, "{environment:?}");
        }
    }
}
