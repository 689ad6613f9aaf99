//! Decides which clusters are meant: what was typed, what the configuration names, the current context.

use crate::cluster::remote::{ContextInfo, Options as RemoteOptions, Place, Remote, SchemaCache, Sources};
use crate::config::paths::Folders;
use crate::config::{InForce, Settings};
use crate::model::Notice;
use crate::pipeline::kept::Kept;
use crate::pipeline::opening::Wishes;
use crate::pipeline::setup::{Clock, ClusterSetup};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Returns a way to each cluster that is meant. None is contacted yet.
pub(super) fn clusters(
    wishes: &Wishes,
    settings: &InForce,
    folders: Option<&Folders>,
    clock: &Clock,
    notices: &mut Vec<Notice>,
) -> Result<Vec<ClusterSetup>, Box<Notice>> {
    let kubeconfigs = Sources::of_this_process(wishes.kubeconfig.clone());
    let known = kubeconfigs.contexts().map_err(|error| Box::new(Notice::error(error.to_string())))?;
    let chosen = chosen(wishes, settings.settings(), &known)?;
    let cache =
        folders.and_then(|f| Kept::open(&f.cache, "schemas")).map(|kept| kept as Arc<dyn SchemaCache>);
    let setups = chosen.into_iter().map(|name| {
        let rules = settings.cluster(&name);
        let read_only = wishes.read_only || rules.read_only;
        if rules.doubtful && !wishes.read_only {
            notices.push(
                Notice::warning(format!("{name} is read-only until the configuration is mended"))
                    .hint("its mistake may concern this cluster"),
            );
        }
        let own = settings.settings().cluster(&name).and_then(|c| c.kubeconfig.clone());
        let (sources, contexts) = match own {
            Some(file) if wishes.kubeconfig.is_none() => {
                let sources = Sources::of_this_process(Some(file));
                let contexts = sources.contexts().unwrap_or_default();
                (sources, contexts)
            }
            _ => (kubeconfigs.clone(), known.clone()),
        };
        let options = RemoteOptions {
            impersonate: wishes.as_user.clone(),
            impersonate_groups: wishes.as_groups.clone(),
            request_timeout: wishes.request_timeout.unwrap_or(Duration::from_secs(30)),
            read_only,
            cache: cache.clone(),
            clock: clock.clone(),
        };
        let place = sources.place(&name);
        let setup = ClusterSetup {
            namespace: contexts.iter().find(|c| c.name == name).and_then(|c| c.namespace.clone()),
            cluster: Arc::new(Remote::new(&name, sources, options)),
            name: rules.name,
            protected: rules.protected,
            read_only,
        };
        (place, setup)
    });
    let setups = setups.collect();
    Ok(each_once(setups, notices))
}

/// Leaves each cluster once, reached as the first context that leads to it says. It is protected, or read-only, as soon
/// as one of its contexts is.
fn each_once(setups: Vec<(Option<Place>, ClusterSetup)>, notices: &mut Vec<Notice>) -> Vec<ClusterSetup> {
    let mut once: Vec<(Option<Place>, ClusterSetup)> = Vec::new();
    for (place, setup) in setups {
        let known = once.iter_mut().find(|(known, _)| place.is_some() && *known == place);
        let Some((_, first)) = known else {
            once.push((place, setup));
            continue;
        };
        let (name, other) = (first.cluster.name().to_owned(), setup.cluster.name());
        notices.push(
            Notice::warning(format!("{other} leads to the same cluster as {name}"))
                .cause(format!("it is looked at once, as {name}"))
                .hint("name only the context whose user is to be used"),
        );
        first.protected |= setup.protected;
        first.read_only |= setup.read_only;
    }
    once.into_iter().map(|(_, setup)| setup).collect()
}

/// Returns the contexts that are meant.
fn chosen(wishes: &Wishes, settings: &Settings, known: &[ContextInfo]) -> Result<Vec<String>, Box<Notice>> {
    if !wishes.contexts.is_empty() {
        // The configuration's name for a cluster means its context.
        let meant = |asked: &String| {
            let named = settings.clusters.iter().find(|c| c.name.as_ref() == Some(asked));
            named
                .filter(|_| !known.iter().any(|c| c.name == *asked))
                .map_or(asked.clone(), |c| c.context.clone())
        };
        let mut contexts: Vec<String> = wishes.contexts.iter().map(meant).collect();
        let own_file = |name: &String| settings.cluster(name).is_some_and(|c| c.kubeconfig.is_some());
        let missing = contexts.iter().find(|name| !known.iter().any(|c| c.name == **name) && !own_file(name));
        if let Some(missing) = missing {
            let names: Vec<&str> = known.iter().map(|c| c.name.as_str()).collect();
            let hint = if names.is_empty() {
                "no kubeconfig was found: set KUBECONFIG or give --kubeconfig".to_owned()
            } else {
                format!("the kubeconfig has {}", names.join(", "))
            };
            return Err(Box::new(Notice::error(format!("there is no context {missing}")).hint(hint)));
        }
        let mut seen = BTreeSet::new();
        contexts.retain(|context| seen.insert(context.clone()));
        return Ok(contexts);
    }
    if !settings.clusters.is_empty() {
        return Ok(settings.clusters.iter().map(|c| c.context.clone()).collect());
    }
    match known.iter().find(|c| c.current) {
        Some(current) => Ok(vec![current.name.clone()]),
        None if known.is_empty() => Err(Box::new(
            Notice::error("no kubeconfig was found")
                .hint("set KUBECONFIG, give --kubeconfig, or log in to a cluster"),
        )),
        None => Err(Box::new(
            Notice::error("the kubeconfig has no current context").hint("choose one with --context"),
        )),
    }
}

/// Returns the namespace of the one context that is meant, for what runs without a cluster; `None` where several are, or
/// none is known. Errors: a context was asked for by a name that there is not.
pub(super) fn namespace(wishes: &Wishes, settings: &Settings) -> Result<Option<String>, Box<Notice>> {
    let known = Sources::of_this_process(wishes.kubeconfig.clone()).contexts();
    let known = match known {
        Ok(known) => known,
        Err(error) if wishes.contexts.is_empty() && wishes.kubeconfig.is_none() => {
            // No cluster is needed, so neither is a kubeconfig that can be read.
            tracing::info!(%error, "no context is known");
            return Ok(None);
        }
        Err(error) => return Err(Box::new(Notice::error(error.to_string()))),
    };
    let chosen = match chosen(wishes, settings, &known) {
        Ok(chosen) => chosen,
        Err(_) if wishes.contexts.is_empty() => return Ok(None),
        Err(notice) => return Err(notice),
    };
    let [name] = chosen.as_slice() else { return Ok(None) };
    let own = settings.cluster(name).and_then(|c| c.kubeconfig.clone());
    let own = own.map(|file| Sources::of_this_process(Some(file)).contexts().unwrap_or_default());
    let contexts = own.filter(|_| wishes.kubeconfig.is_none()).unwrap_or(known);
    Ok(contexts.into_iter().find(|c| c.name == *name).and_then(|c| c.namespace))
}
