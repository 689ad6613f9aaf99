//! Defines the keymap: which key is which command, made of the command table and the user's own file.

use super::settings::KeySetting;
use crate::model::command::{COMMANDS, Command, Place};
use crate::model::key::Key;
use std::collections::BTreeMap;

/// Which keys mean which command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: BTreeMap<Command, Vec<Key>>,
}

/// What is wrong with a keymap file.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    #[error("{file}: {source}")]
    Syntax { file: String, source: serde_yaml::Error },
    #[error("{file}: there is no command `{name}`{}", near(suggestion.as_ref()))]
    NoSuchCommand { file: String, name: String, suggestion: Option<String> },
    #[error("{file}: `{key}` of `{command}` is no key")]
    NoSuchKey { file: String, command: String, key: String },
    #[error("{file}: {key} would be `{first}` and `{second}` in one place")]
    Twice { file: String, key: Key, first: &'static str, second: &'static str },
    #[error("{file}: `{command}` writes, so its key must be an upper-case letter, not {key}")]
    ActsInLowerCase { file: String, command: &'static str, key: Key },
    #[error("{file}: `{command}` would have no key, and nothing else does what it does")]
    NoWayOut { file: String, command: &'static str },
}

fn near(suggestion: Option<&String>) -> String {
    suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = COMMANDS
            .iter()
            .map(|entry| (entry.command, entry.keys.iter().filter_map(|key| Key::parse(key)).collect()))
            .collect();
        Self { keys }
    }
}

impl Keymap {
    /// Reads the user's keymap: names of commands with lists of keys, which replace the command's own.
    ///
    /// # Errors
    /// A command or key that does not exist, a key that would mean two things in one place, an acting command on a
    /// key that is no upper-case letter, and a keymap without a way back.
    pub fn read(file: &str, text: &str) -> Result<Self, KeymapError> {
        let file = file.to_owned();
        let read: Option<BTreeMap<String, Vec<String>>> = serde_yaml::from_str(text)
            .map_err(|source| KeymapError::Syntax { file: file.clone(), source })?;
        let mut keymap = Self::default();
        for (name, keys) in read.unwrap_or_default() {
            let Some(command) = Command::named(&name) else {
                return Err(KeymapError::NoSuchCommand { file, suggestion: nearest(&name), name });
            };
            let mut parsed = Vec::new();
            for key in keys {
                match Key::parse(&key) {
                    Some(known) => parsed.push(known),
                    None => return Err(KeymapError::NoSuchKey { file, command: name, key }),
                }
            }
            keymap.keys.insert(command, parsed);
        }
        keymap.check(&file)?;
        Ok(keymap)
    }

    /// Returns the keymap with the configuration's `keys`: one key for each command that is named.
    ///
    /// # Errors
    /// As [`Keymap::read`]; the place in an error is the file and line of the key.
    pub fn with(self, settings: &BTreeMap<String, KeySetting>) -> Result<Self, KeymapError> {
        let mut keymap = self;
        let mut last = String::new();
        for (name, setting) in settings {
            let line = setting.declared.line.map(|line| format!(":{line}")).unwrap_or_default();
            let file = format!("{}{line}", setting.declared.file);
            let Some(command) = Command::named(name) else {
                return Err(KeymapError::NoSuchCommand {
                    file,
                    suggestion: nearest(name),
                    name: name.clone(),
                });
            };
            let Some(key) = Key::parse(&setting.key) else {
                return Err(KeymapError::NoSuchKey { file, command: name.clone(), key: setting.key.clone() });
            };
            keymap.keys.insert(command, vec![key]);
            last = file;
        }
        keymap.check(&last)?;
        Ok(keymap)
    }

    /// Returns the command of a key: the place's own first, then that of everywhere.
    pub fn command(&self, place: Place, key: Key) -> Option<Command> {
        [place, Place::Everywhere].into_iter().find_map(|place| {
            COMMANDS
                .iter()
                .find(|entry| entry.places.contains(&place) && self.keys(entry.command).contains(&key))
                .map(|entry| entry.command)
        })
    }

    pub fn keys(&self, command: Command) -> &[Key] {
        self.keys.get(&command).map_or(&[], Vec::as_slice)
    }

    /// Returns the key to show for a command: its first.
    pub fn key(&self, command: Command) -> Option<Key> {
        self.keys(command).first().copied()
    }

    fn check(&self, file: &str) -> Result<(), KeymapError> {
        let mut taken: BTreeMap<(Place, Key), &'static str> = BTreeMap::new();
        for entry in COMMANDS {
            for key in self.keys(entry.command) {
                if entry.command.acts() && !acts(*key) {
                    return Err(KeymapError::ActsInLowerCase {
                        file: file.to_owned(),
                        command: entry.name,
                        key: *key,
                    });
                }
                for place in entry.places {
                    if let Some(first) = taken.insert((*place, *key), entry.name) {
                        return Err(KeymapError::Twice {
                            file: file.to_owned(),
                            key: *key,
                            first,
                            second: entry.name,
                        });
                    }
                }
            }
        }
        for command in [Command::Back, Command::Interrupt] {
            if self.keys(command).is_empty() {
                return Err(KeymapError::NoWayOut { file: file.to_owned(), command: command.entry().name });
            }
        }
        Ok(())
    }
}

/// Returns whether a key may act: an upper-case letter.
fn acts(key: Key) -> bool {
    key.typed().is_some_and(char::is_uppercase)
}

fn nearest(name: &str) -> Option<String> {
    COMMANDS
        .iter()
        .map(|entry| (strsim::damerau_levenshtein(entry.name, name), entry.name))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_places_own_key_goes_before_that_of_everywhere() {
        let keymap = Keymap::default();
        assert_eq!(keymap.command(Place::Plan, Key::char('y')), Some(Command::CopyPlan));
        assert_eq!(keymap.command(Place::Lists, Key::char('y')), Some(Command::Copy));
        assert_eq!(keymap.command(Place::Resource, Key::char('d')), Some(Command::CycleView));
        assert_eq!(keymap.command(Place::Lists, Key::char('A')), None);
    }

    #[test]
    fn a_key_of_the_user_replaces_the_commands_own() {
        let keymap = Keymap::read("keymap.yaml", "who: [W, f2]\nfaults only: []\n").unwrap();
        assert_eq!(keymap.command(Place::Lists, Key::char('w')), None);
        assert_eq!(keymap.command(Place::Lists, Key::char('W')), Some(Command::Who));
        assert_eq!(keymap.command(Place::Lists, Key::char('f')), None);
    }

    #[test]
    fn an_empty_keymap_is_the_command_table() {
        assert_eq!(Keymap::read("keymap.yaml", "# nothing\n").unwrap(), Keymap::default());
    }

    #[test]
    fn the_commented_example_is_the_command_table() {
        let example = include_str!("../../config/keymap.example.yaml");
        let uncommented: String =
            example.lines().filter_map(|l| l.strip_prefix("#: ")).map(|l| format!("{l}\n")).collect();
        assert_eq!(Keymap::read("keymap.example.yaml", &uncommented).unwrap(), Keymap::default());
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        let cases = [
            ("wo: [w]", "keymap.yaml: there is no command `wo`; did you mean `who`?"),
            ("who: [alt-x]", "keymap.yaml: `alt-x` of `who` is no key"),
            ("who: [e]", "keymap.yaml: e would be `who` and `editor` in one place"),
            (
                "apply: [enter]",
                "keymap.yaml: `apply` writes, so its key must be an upper-case letter, not enter",
            ),
            ("back: []", "keymap.yaml: `back` would have no key, and nothing else does what it does"),
        ];
        for (text, said) in cases {
            assert_eq!(Keymap::read("keymap.yaml", text).unwrap_err().to_string(), said);
        }
    }
}
