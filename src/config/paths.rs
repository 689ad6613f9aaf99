//! Defines where driftdeck keeps its files: configuration, cache and state, where the system's rules put them.
//!
//! Source: the XDG base directory specification, whose variables are honoured on every system; without them the
//! system's own places (`~/Library` on macOS).

use std::ffi::OsString;
use std::path::PathBuf;

const NAME: &str = "driftdeck";

/// The folders of this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// `config.yaml`, keymap and theme.
    pub config: PathBuf,
    /// What can be fetched again: mirrors, schemas, rendered manifests.
    pub cache: PathBuf,
    /// What cannot: the journal, the log, what has been seen.
    pub state: PathBuf,
}

/// There is no home folder to keep files in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no home folder is known: set HOME, or XDG_CONFIG_HOME, XDG_CACHE_HOME and XDG_STATE_HOME")]
pub struct NoHome;

impl Folders {
    /// Finds the folders of the user that runs this process; nothing is made.
    pub fn of_this_user() -> Result<Self, NoHome> {
        Self::find(|name| std::env::var_os(name))
    }

    /// Finds the folders, given the environment.
    fn find(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, NoHome> {
        let system = directories::ProjectDirs::from("", "", NAME);
        let system = system.as_ref();
        // As the specification says, a path that is not absolute is as good as none.
        let named = |name| {
            variable(name).map(PathBuf::from).filter(|path| path.is_absolute()).map(|path| path.join(NAME))
        };
        let config = named("XDG_CONFIG_HOME").or_else(|| Some(system?.config_dir().to_owned()));
        let cache = named("XDG_CACHE_HOME").or_else(|| Some(system?.cache_dir().to_owned()));
        let state = named("XDG_STATE_HOME")
            .or_else(|| Some(system?.state_dir().unwrap_or(system?.data_local_dir()).to_owned()));
        match (config, cache, state) {
            (Some(config), Some(cache), Some(state)) => Ok(Self { config, cache, state }),
            _ => Err(NoHome),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_xdg_variables_are_honoured_where_they_are_absolute() {
        let folders = Folders::find(|name| match name {
            "XDG_CONFIG_HOME" => Some("/c".into()),
            "XDG_CACHE_HOME" => Some("/k".into()),
            "XDG_STATE_HOME" => Some("/s".into()),
            _ => None,
        });
        let path = |text: &str| PathBuf::from(text);
        let wanted = Folders {
            config: path("/c/driftdeck"),
            cache: path("/k/driftdeck"),
            state: path("/s/driftdeck"),
        };
        assert_eq!(folders, Ok(wanted));
        if let Ok(folders) = Folders::find(|_| Some("relative".into())) {
            assert!(folders.state.is_absolute() && folders.state.ends_with(NAME));
        }
    }
}
