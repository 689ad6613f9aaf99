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

    /// Returns whether the whole of a name matches, in either case. Takes time proportional to both lengths multiplied,
    /// never more.
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0.to_lowercase(), &name.to_lowercase())
    }

    /// Returns whether the whole of a text matches, letter by letter.
    pub fn matches_exactly(&self, text: &str) -> bool {
        if self.0.contains(['*', '?']) { fits(&self.0, text) } else { self.0 == text }
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stood, and up to where it has swallowed the name so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, swallowed)) => {
                    star = Some((at, swallowed + 1));
                    p = at + 1;
                    n = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|c| *c == '*'))
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
