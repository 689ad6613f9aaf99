//! Gives the pieces of a text diff their place in the syntax of YAML, without any style.

use crate::model::limits;
use crate::model::text_diff::{DiffLine, Piece, Side, TextDiff, Token};
use std::sync::LazyLock;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// Scopes of the YAML syntax with the token that they stand for; the last that fits wins.
static TOKENS: LazyLock<Vec<(Scope, Token)>> = LazyLock::new(|| {
    [
        ("string", Token::Text),
        ("constant.numeric", Token::Number),
        ("constant.language", Token::Constant),
        ("constant.other", Token::Constant),
        ("comment", Token::Comment),
        ("punctuation", Token::Punctuation),
        ("entity.name.tag", Token::Key),
    ]
    .into_iter()
    .filter_map(|(name, token)| Some((Scope::new(name).ok()?, token)))
    .collect()
});

/// Returns the diff with a token on every piece. A diff over the limit stays plain.
pub fn highlighted(mut diff: TextDiff) -> TextDiff {
    let bytes: usize = diff.lines.iter().flat_map(|l| &l.pieces).map(|p| p.text.len()).sum();
    let Some(syntax) = SYNTAXES.find_syntax_by_extension("yaml") else { return diff };
    if bytes > limits::HIGHLIGHT_BYTES {
        return diff;
    }
    // Each side is a text of its own; a line of both moves both.
    let mut desired = Reader { state: ParseState::new(syntax), scopes: ScopeStack::new() };
    let mut live = Reader { state: ParseState::new(syntax), scopes: ScopeStack::new() };
    for line in &mut diff.lines {
        let text: String = line.pieces.iter().map(|p| p.text.as_str()).chain(["\n"]).collect();
        let tokens = match line.side {
            Side::Desired => desired.read(&text),
            Side::Live => live.read(&text),
            Side::Both => {
                live.read(&text);
                desired.read(&text)
            }
        };
        paint(line, &tokens);
    }
    diff
}

struct Reader {
    state: ParseState,
    scopes: ScopeStack,
}

impl Reader {
    /// Returns where each token begins, in bytes.
    fn read(&mut self, line: &str) -> Vec<(usize, Token)> {
        let Ok(operations) = self.state.parse_line(line, &SYNTAXES) else { return Vec::new() };
        let mut tokens = vec![(0, self.token())];
        for (at, operation) in operations {
            if self.scopes.apply(&operation).is_err() {
                break;
            }
            tokens.push((at, self.token()));
        }
        tokens
    }

    fn token(&self) -> Token {
        let scopes = self.scopes.as_slice();
        let fits = |token: &Scope| scopes.iter().any(|scope| token.is_prefix_of(*scope));
        TOKENS.iter().rev().find(|(scope, _)| fits(scope)).map_or(Token::Plain, |(_, token)| *token)
    }
}

/// Splits a line's pieces where tokens begin.
fn paint(line: &mut DiffLine, tokens: &[(usize, Token)]) {
    let mut painted = Vec::new();
    let mut start = 0;
    for piece in line.pieces.drain(..) {
        let end = start + piece.text.len();
        let mut cuts: Vec<usize> =
            tokens.iter().map(|(at, _)| *at).filter(|at| *at > start && *at < end).collect();
        cuts.dedup();
        cuts.push(end);
        let mut from = start;
        for to in cuts {
            let token =
                tokens.iter().rev().find(|(at, _)| *at <= from).map_or(Token::Plain, |(_, token)| *token);
            let text = piece.text.get(from - start..to - start).unwrap_or_default().to_owned();
            painted.push(Piece { text, emphasised: piece.emphasised, token });
            from = to;
        }
        start = end;
    }
    line.pieces = painted;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, side: Side) -> DiffLine {
        let piece = Piece { text: text.into(), emphasised: false, token: Token::Plain };
        DiffLine { side, pieces: vec![piece], desired_line: None, live_line: None }
    }

    #[test]
    fn keys_texts_and_numbers_are_told_apart_and_no_text_is_lost() {
        let diff = TextDiff {
            lines: vec![line("replicas: 3", Side::Both), line("name: \"web\" # x", Side::Live)],
            cut: false,
        };
        let painted = highlighted(diff);
        let words: Vec<Vec<(&str, Token)>> = painted
            .lines
            .iter()
            .map(|l| l.pieces.iter().map(|p| (p.text.as_str(), p.token)).collect())
            .collect();
        let text = |line: &[(&str, Token)]| line.iter().map(|(t, _)| *t).collect::<String>();
        assert_eq!(text(&words[0]), "replicas: 3");
        assert_eq!(text(&words[1]), "name: \"web\" # x");
        assert!(words[0].contains(&("replicas", Token::Key)), "{words:?}");
        assert!(words[0].contains(&("3", Token::Number)), "{words:?}");
        assert!(words[1].iter().any(|(t, token)| t.contains("web") && *token == Token::Text), "{words:?}");
        assert!(words[1].iter().any(|(t, token)| t.contains('x') && *token == Token::Comment), "{words:?}");
    }
}
