//! Defines how far a fetch has come, read from git's progress lines.

/// How far a fetch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    /// Of this stage; `None` before git knows how much there is.
    pub percent: Option<u8>,
}

/// What a fetch is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Another driftdeck fetches the same mirror.
    Waiting,
    Connecting,
    /// The remote counts and compresses.
    Preparing,
    Receiving,
    Resolving,
}

impl Stage {
    pub fn word(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting for another driftdeck",
            Stage::Connecting => "connecting",
            Stage::Preparing => "the remote prepares",
            Stage::Receiving => "receiving",
            Stage::Resolving => "resolving",
        }
    }
}

impl Progress {
    pub(super) fn at(stage: Stage) -> Self {
        Self { stage, percent: None }
    }

    /// Reads a progress line such as `Receiving objects:  45% (450/1000), 1.20 MiB | 2.00 MiB/s`.
    pub(super) fn read(line: &str) -> Option<Self> {
        let line = line.strip_prefix("remote: ").unwrap_or(line);
        let (title, rest) = line.split_once(':')?;
        let stage = match title {
            "Enumerating objects" | "Counting objects" | "Compressing objects" => Stage::Preparing,
            "Receiving objects" => Stage::Receiving,
            "Resolving deltas" => Stage::Resolving,
            _ => return None,
        };
        let percent = rest.split_once('%').and_then(|(number, _)| number.trim().parse::<u8>().ok());
        Some(Self { stage, percent: percent.filter(|percent| *percent <= 100) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gits_progress_lines_are_understood_and_others_are_not() {
        for (line, read) in [
            ("remote: Counting objects: 100% (3/3), done.", Some((Stage::Preparing, Some(100)))),
            ("remote: Enumerating objects: 12, done.", Some((Stage::Preparing, None))),
            ("Receiving objects:  45% (450/1000), 1.20 MiB | 2.00 MiB/s", Some((Stage::Receiving, Some(45)))),
            ("Resolving deltas: 999% (1/1)", Some((Stage::Resolving, None))),
            ("fatal: Receiving objects", None),
            ("From ssh://git.example.com/shop/fleet", None),
        ] {
            assert_eq!(
                Progress::read(line),
                read.map(|(stage, percent)| Progress { stage, percent }),
                "{line}"
            );
        }
    }
}
