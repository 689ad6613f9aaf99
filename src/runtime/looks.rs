//! Finds how the deck looks and which keys it has: of the command line, the configuration, and the user's own files.

use crate::config::Settings;
use crate::config::keymap::{Keymap, KeymapError};
use crate::config::settings::Glyphs;
use crate::config::theme::Theme;
use crate::model::Notice;
use std::path::{Path, PathBuf};

/// The user's own keys, beside `config.yaml`.
const KEYMAP: &str = "keymap.yaml";
/// The user's own themes, beside `config.yaml`.
const THEMES: &str = "themes";

/// What decides how the deck looks, beside the configuration.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// Of the command line.
    pub theme: Option<String>,
    pub ascii: bool,
    pub no_color: bool,
    /// The folder of `config.yaml`.
    pub folder: Option<PathBuf>,
    /// `COLORFGBG`, which some terminals set to their colours: `0;15` is black on white.
    pub colorfgbg: Option<String>,
}

impl Looks {
    /// Returns the keys: those of `keymap.yaml`, and those that `config.yaml` names. A mistake in them leaves the usual
    /// keys in force.
    pub fn keymap(&self, settings: &Settings, notices: &mut Vec<Notice>) -> Keymap {
        match self.read_keymap(settings) {
            Ok(keymap) => keymap,
            Err(error) => {
                notices.push(Notice::error(error.to_string()).hint("the usual keys are in force"));
                Keymap::default()
            }
        }
    }

    fn read_keymap(&self, settings: &Settings) -> Result<Keymap, KeymapError> {
        let own = self.folder.as_ref().map(|folder| folder.join(KEYMAP));
        let text = own
            .as_ref()
            .and_then(|file| Some((file.display().to_string(), std::fs::read_to_string(file).ok()?)));
        let keymap = match text {
            Some((file, text)) => Keymap::read(&file, &text)?,
            None => Keymap::default(),
        };
        keymap.with(&settings.keys)
    }

    /// Returns the theme: of the command line, else of the configuration, else the one for the terminal's background.
    pub fn theme(&self, settings: &Settings, notices: &mut Vec<Notice>) -> Theme {
        if self.no_color {
            return Theme::built_in("none").unwrap_or_else(Theme::bare);
        }
        let usual = if self.colorfgbg.as_deref().is_some_and(is_light) { "light" } else { "dark" };
        let name = self.theme.as_deref().or(settings.theme.as_deref()).unwrap_or(usual);
        match Theme::built_in(name).map_or_else(|| self.own_theme(name), Ok) {
            Ok(theme) => theme,
            Err(error) => {
                notices.push(
                    Notice::error(format!("the theme {name} cannot be used")).cause(error).hint(
                        "dark, light, none, a NAME with themes/NAME.yaml beside config.yaml, or a file",
                    ),
                );
                Theme::built_in(usual).unwrap_or_else(Theme::bare)
            }
        }
    }

    /// A plain name is a file of the user's themes; what looks like a path is one.
    fn own_theme(&self, name: &str) -> Result<Theme, String> {
        let file = match &self.folder {
            Some(folder) if !name.contains(['/', '.']) => folder.join(THEMES).join(format!("{name}.yaml")),
            _ => Path::new(name).to_owned(),
        };
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Theme::read(&file.display().to_string(), &text).map_err(|error| error.to_string())
    }

    /// Returns whether only ASCII is shown.
    pub fn ascii(&self, settings: &Settings) -> bool {
        match settings.glyphs {
            _ if self.ascii => true,
            Glyphs::Ascii => true,
            Glyphs::Unicode => false,
            Glyphs::Auto | Glyphs::Words => !locale_is_utf8(),
        }
    }
}

/// Returns whether `COLORFGBG` names a light background: white or light grey of the sixteen colours.
fn is_light(colorfgbg: &str) -> bool {
    matches!(colorfgbg.rsplit(';').next(), Some("7" | "15"))
}

/// Returns whether the locale says that the terminal takes UTF-8. Source: POSIX, the order of the locale variables.
fn locale_is_utf8() -> bool {
    let named = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = named("LC_ALL").or_else(|| named("LC_CTYPE")).or_else(|| named("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Key;
    use crate::model::command::{Command, Place};

    /// A folder for configuration with this file in it.
    fn beside(file: &str, text: &str) -> (tempfile::TempDir, Looks) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        let looks = Looks { folder: Some(folder.path().to_owned()), ..Looks::default() };
        (folder, looks)
    }

    fn settings(text: &str) -> Settings {
        let mut in_force = crate::config::InForce::default();
        in_force.offer(Settings::read(text, Path::new("config.yaml"), None));
        assert_eq!(in_force.notices(), [], "{text}");
        in_force.settings().as_ref().clone()
    }

    fn theme(looks: &Looks, text: &str) -> String {
        let mut notices = Vec::new();
        let theme = looks.theme(&settings(text), &mut notices);
        assert_eq!(notices, [], "{text}");
        theme.name
    }

    #[test]
    fn a_theme_is_found_in_every_way_that_is_documented() {
        let example = include_str!("../../config/theme.example.yaml");
        let (folder, looks) = beside("themes/night.yaml", example);
        assert_eq!(theme(&looks, "theme: night\n"), "mine");
        let file = folder.path().join("themes/night.yaml");
        assert_eq!(theme(&looks, &format!("theme: {}\n", file.display())), "mine");
        for name in ["dark", "light", "none"] {
            assert_eq!(theme(&looks, &format!("theme: {name}\n")), name);
        }
        let asked = Looks { theme: Some("light".to_owned()), ..looks.clone() };
        assert_eq!(
            theme(&asked, "theme: night\n"),
            "light",
            "the command line goes before the configuration"
        );
        let plain = Looks { no_color: true, ..asked };
        assert_eq!(theme(&plain, "theme: night\n"), "none");
    }

    #[test]
    fn without_a_word_the_theme_is_that_of_the_background() {
        for (colorfgbg, name) in [
            (None, "dark"),
            (Some("15;0"), "dark"),
            (Some("0;15"), "light"),
            (Some("0;default;7"), "light"),
            (Some("odd"), "dark"),
        ] {
            let looks = Looks { colorfgbg: colorfgbg.map(str::to_owned), ..Looks::default() };
            assert_eq!(theme(&looks, ""), name, "{colorfgbg:?}");
            assert_eq!(theme(&looks, "theme: none\n"), "none");
        }
    }

    #[test]
    fn a_theme_that_is_not_there_is_said_and_the_usual_one_is_in_force() {
        let mut notices = Vec::new();
        let looks = Looks { folder: Some("/nowhere".into()), ..Looks::default() };
        assert_eq!(looks.theme(&settings("theme: night\n"), &mut notices).name, "dark");
        let cause = notices.first().and_then(|notice| notice.cause.clone()).unwrap();
        assert!(cause.starts_with("/nowhere/themes/night.yaml: "), "{cause}");
    }

    #[test]
    fn the_example_keymap_works_uncommented_and_the_configuration_goes_before_it() {
        let example = include_str!("../../config/keymap.example.yaml").replace("#: ", "");
        let (_folder, looks) = beside("keymap.yaml", &example);
        let mut notices = Vec::new();
        assert_eq!(looks.keymap(&settings(""), &mut notices), Keymap::default());
        let (_folder, looks) = beside("keymap.yaml", "who: [W]\nsort: [f3]\n");
        let keymap = looks.keymap(&settings("keys:\n  sort: f4\n"), &mut notices);
        assert_eq!(notices, []);
        assert_eq!(keymap.command(Place::Lists, Key::char('W')), Some(Command::Who));
        assert_eq!(keymap.command(Place::Lists, Key::parse("f3").unwrap()), None);
        assert_eq!(keymap.command(Place::Lists, Key::parse("f4").unwrap()), Some(Command::Sort));
    }

    #[test]
    fn the_example_configuration_names_a_theme_and_glyphs_that_there_are() {
        let example = include_str!("../../config/config.example.yaml");
        let (_folder, looks) = beside("config.yaml", example);
        assert_eq!(theme(&looks, example), "dark");
        let line = example.lines().find(|line| line.starts_with("# A theme by its name")).unwrap();
        for name in ["dark", "light", "none"] {
            assert!(line.contains(name), "{line}");
        }
        assert_eq!(looks.keymap(&settings(example), &mut Vec::new()), Keymap::default());
    }
}
