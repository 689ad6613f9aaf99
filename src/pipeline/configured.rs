//! Defines what the user says of apps makes of those that were found: the configuration, and the names asked for.

use crate::config::settings::AppSetting;
use crate::model::Glob;
use crate::model::{App, Notice, RenderSpec};
use crate::pipeline::discovery::Discovered;
use std::collections::BTreeSet;

/// Returns the app that the configuration names, with what it says of it.
pub(super) fn configured(setting: &AppSetting, found: Discovered) -> Option<App> {
    let [mut app] = <[App; 1]>::try_from(found.apps).ok()?;
    app.id.name.clone_from(&setting.name);
    app.namespace.clone_from(&setting.namespace);
    app.contexts.clone_from(&setting.contexts);
    app.revision.clone_from(&setting.revision);
    app.expected = true;
    if let RenderSpec::Helm(chart) = &mut app.spec {
        chart.values.clone_from(&setting.values);
        chart.release.clone_from(&setting.name);
    }
    Some(app)
}

/// Says that an app of the configuration is not there, and where it stands.
pub(super) fn unfit(setting: &AppSetting, why: &str) -> Notice {
    Notice::error(format!("the app {} of the configuration is not there", setting.name))
        .cause(why)
        .file(&setting.declared.file, setting.declared.line)
}

/// Returns what to say of the apps that were asked for by a name that none has.
pub(super) fn absent(asked: &[String], names: &BTreeSet<String>) -> Vec<Notice> {
    let missing = |glob: &&String| !names.iter().any(|name| Glob::new(glob.as_str()).matches(name));
    let notice =
        |asked: &String| Notice::error(format!("there is no app {asked}")).hint(apps_there_are(names));
    asked.iter().filter(missing).map(notice).collect()
}

fn apps_there_are(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return "no app was found; driftdeck apps says where it looked".to_owned();
    }
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("there are {}{more}", shown.join(", "))
}
