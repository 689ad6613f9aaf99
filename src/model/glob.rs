//! Defines the patterns for names that the user writes: `*` for any characters, `?` for one.

/// A pattern for names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it stands for more than one name.
    pub fn is_pattern(&self) -> bool {
        is_pattern(&self.0)
    }

    /// Returns whether the whole of a name matches, in either case. Takes time proportional to both lengths multiplied,
    /// never more.
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0.to_lowercase(), &name.to_lowercase())
    }

    /// Returns whether the whole of a text matches, letter by letter.
    pub fn matches_exactly(&self, text: &str) -> bool {
        matches_exactly(&self.0, text)
    }
}

/// Returns whether the whole of a text matches a pattern, letter by letter.
pub fn matches_exactly(pattern: &str, text: &str) -> bool {
    if is_pattern(pattern) { fits(pattern, text) } else { pattern == text }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // What stands behind the last `*`, and the name from where that has swallowed.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let (mut wanted, mut found) = (pattern.chars(), name.chars());
        match (wanted.next(), found.next()) {
            (Some('*'), _) => {
                pattern = wanted.as_str();
                star = Some((pattern, name));
            }
            (None, None) => return true,
            (Some(_), None) => return false,
            (Some(c), Some(letter)) if c == '?' || c == letter => {
                (pattern, name) = (wanted.as_str(), found.as_str());
            }
            _ => {
                let Some((behind, from)) = star else { return false };
                let mut from = from.chars();
                if from.next().is_none() {
                    return false;
                }
                (pattern, name) = (behind, from.as_str());
                star = Some((behind, name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names_only() {
        for (pattern, name, matches) in [
            ("web", "web", true),
            ("web", "web-2", false),
            ("web*", "Web-2", true),
            ("*-license", "shop-license", true),
            ("*-license", "shop-license-2", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxbxxa", false),
            ("ab*ba", "aba", false),
            ("a*c*e", "abcde", true),
            ("?", "é", true),
            ("*?", "", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = Glob::new("*a".repeat(1000));
        assert!(!pattern.matches(&"a".repeat(999)));
    }
}
