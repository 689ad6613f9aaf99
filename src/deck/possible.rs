//! Defines what is possible where the person is: for each command nothing, or in one line why it cannot work.

use super::commit_view::{CommitView, CommitWhat};
use super::effect::PlanRequest;
use super::layer::Layer;
use super::layout::Column;
use super::plan_view::Phase;
use super::state::State;
use super::view::Mode;
use super::words;
use super::world::ResourceKey;
use crate::model::command::{COMMANDS, Command, Entry, Need, Place};
use crate::model::status::{ClusterState, RepoStatus};
use crate::model::{DeploymentId, Origin, ResourceId};

/// Returns why a command cannot work here; `Ok` where it can.
pub fn possible(state: &State, command: Command) -> Result<(), String> {
    match command.entry().needs {
        Need::Nothing => special(state, command),
        Need::List => listed(state, command),
        Need::Search if super::update::has_search(state) => Ok(()),
        Need::Search => Err(format!("nothing is searched for yet: {}", hint(state, Command::Search))),
        Need::App => state.selected_app().map(|_| ()).ok_or_else(|| "no app is selected".to_owned()),
        Need::Deployment if command == Command::Exact => checkable(state).map(|_| ()),
        Need::Deployment if command == Command::Pods => askable(state).map(|_| ()),
        Need::Deployment => one_deployment(state).map(|_| ()),
        Need::Resource => one_resource(state).map(|_| ()),
        Need::File => local_file(state).map(|_| ()),
        Need::Forge => page(state).map(|_| ()),
        Need::Plugin => login(state).map(|_| ()),
        Need::Unseen if state.unseen.count() == 0 => Err("nothing new since you looked".to_owned()),
        Need::Unseen => Ok(()),
        Need::Writable => no_plan_below(state).and_then(|()| writable(state)).map(|_| ()),
        Need::TextView => match state.layers.last() {
            Some(Layer::Resource(view)) if view.mode != Mode::Fields => Ok(()),
            _ => Err(format!("only in a text view: {}", hint(state, Command::CycleView))),
        },
        Need::ReadyPlan => ready_plan(state, command),
    }
}

/// Returns the commands of the place where the keys go, its own first, in the order of the table.
pub fn here(state: &State) -> Vec<&'static Entry> {
    let place = state.place();
    let of = |place: Place| COMMANDS.iter().filter(move |entry| entry.places.contains(&place));
    of(place).chain(of(Place::Everywhere)).collect()
}

/// One plan at a time: what is shown or runs is not pushed aside by another.
fn no_plan_below(state: &State) -> Result<(), String> {
    let Some(plan) = state.layers.iter().find_map(Layer::plan) else { return Ok(()) };
    let back = key(state, Command::Back);
    match plan.phase {
        Phase::Planning { .. } => Err(format!("a plan is being computed: {back} leads back to it")),
        Phase::Applying { .. } => Err("a plan is being carried out".to_owned()),
        Phase::Ready | Phase::Failed(_) | Phase::Done { .. } => {
            let again = key(state, Command::Replan);
            Err(format!("a plan is open below: {back} leads back to it, {again} plans again"))
        }
    }
}

/// Returns a command's key to say it in a sentence; its name where it has none.
pub(super) fn key(state: &State, command: Command) -> String {
    state.options.keymap.key(command).map_or_else(|| command.entry().name.to_owned(), |key| key.to_string())
}

fn hint(state: &State, command: Command) -> String {
    match state.options.keymap.key(command) {
        Some(key) => format!("press {key} for {}", command.entry().name),
        None => command.entry().name.to_owned(),
    }
}

fn special(state: &State, command: Command) -> Result<(), String> {
    match command {
        Command::Replan | Command::Uncommitted => match state.layers.last() {
            Some(Layer::Plan(view)) if matches!(view.phase, Phase::Applying { .. }) => {
                Err("the plan is being carried out".to_owned())
            }
            Some(Layer::Plan(view))
                if command == Command::Uncommitted && !matches!(view.request, PlanRequest::Sync(_)) =>
            {
                Err("only a sync takes what is not committed".to_owned())
            }
            Some(Layer::Commit(view)) if view.phase.is_applying() => {
                Err("the commit is being made".to_owned())
            }
            _ => Ok(()),
        },
        Command::Copy if state.selected_app().is_none() && state.layers.is_empty() => {
            Err("nothing is selected that could be copied".to_owned())
        }
        Command::BestMatch if commits_alone(state) => {
            Err("no cluster is chosen: there is nothing that a commit could match".to_owned())
        }
        Command::Matrix if state.world.clusters.is_empty() => Err("no cluster is known yet".to_owned()),
        _ => Ok(()),
    }
}

/// Returns whether the history of an app is shown without a cluster.
fn commits_alone(state: &State) -> bool {
    matches!(state.layers.last(), Some(Layer::History(view)) if view.deployment.is_none())
}

fn listed(state: &State, command: Command) -> Result<(), String> {
    if command == Command::Open && commits_alone(state) {
        return Err("a commit is rendered for a cluster: choose one before its history".to_owned());
    }
    if command == Command::Search
        && matches!(state.layers.last(), Some(layer) if !matches!(layer, Layer::Resource(_) | Layer::Changes(_)))
    {
        return Err("there is nothing to search here".to_owned());
    }
    let empty = state.layers.is_empty()
        && match state.focus {
            Column::Repos => state.world.repos.is_empty(),
            Column::Apps => state.world.apps.values().all(Vec::is_empty),
            Column::Clusters => state.world.clusters.is_empty(),
            Column::Drift => state.drift.rows().is_empty() && state.drift.filter.is_none(),
        };
    if empty { Err("there is nothing listed here".to_owned()) } else { Ok(()) }
}

/// Returns the one deployment that the person is at.
pub fn one_deployment(state: &State) -> Result<DeploymentId, String> {
    if let Some(id) = state.deployment() {
        return Ok(id.clone());
    }
    let Some(app) = state.selected_app() else { return Err("no app is selected".to_owned()) };
    match state.world.deployments_of(app).count() {
        0 => Err(format!("{} is not known in any cluster yet", app.name)),
        n => Err(format!(
            "{} is in {}: choose one ({})",
            app.name,
            words::count(n, "cluster"),
            hint(state, Command::Clusters)
        )),
    }
}

fn one_resource(state: &State) -> Result<ResourceKey, String> {
    match state.resource() {
        Some(key) => Ok((*key).clone()),
        None => Err(format!("no resource is under the cursor: {}", hint(state, Command::Drift))),
    }
}

/// Returns the resources that a key acts on: the ticked ones, else the one under the cursor; none: the whole app.
pub fn chosen(state: &State) -> Vec<ResourceId> {
    let ticked: Vec<_> = state.ticks.iter().map(|key| key.id.clone()).collect();
    let whole_app = matches!(state.layers.last(), Some(Layer::Resource(view)) if view.whole_app);
    if !ticked.is_empty() {
        ticked
    } else if whole_app {
        Vec::new()
    } else {
        state.resource().map(|key| key.id.clone()).into_iter().collect()
    }
}

/// Returns the deployment to write to, if its cluster may be written to.
pub fn writable(state: &State) -> Result<DeploymentId, String> {
    let id = match ticked_deployment(state)? {
        Some(id) => id,
        None => one_deployment(state)?,
    };
    let context = state.world.context(&id.cluster).to_owned();
    let Some(cluster) = state.world.cluster(&id.cluster) else {
        return Err(format!("{context} is not known"));
    };
    if state.options.read_only {
        return Err("driftdeck was started read-only".to_owned());
    }
    if cluster.read_only {
        return Err(format!("{context} is read-only"));
    }
    reached(state, &id, Some(&cluster.state))?;
    Ok(id)
}

/// Returns the deployment to have checked exactly: its cluster answers, and no other check runs. Nothing is written, so
/// read-only is no hindrance.
pub fn checkable(state: &State) -> Result<DeploymentId, String> {
    if state.exact.is_some() {
        return Err(format!("an exact check runs: {} cancels it", key(state, Command::Interrupt)));
    }
    let id = match ticked_deployment(state)? {
        Some(id) => id,
        None => one_deployment(state)?,
    };
    let cluster = state.world.cluster(&id.cluster);
    reached(state, &id, cluster.map(|cluster| &cluster.state))?;
    Ok(id)
}

/// Returns the deployment whose cluster is to be asked something: it answers.
pub fn askable(state: &State) -> Result<DeploymentId, String> {
    let id = one_deployment(state)?;
    reached(state, &id, state.world.cluster(&id.cluster).map(|cluster| &cluster.state))?;
    Ok(id)
}

/// Returns whether the cluster of a deployment can be asked right now.
pub fn is_reached(state: &State, id: &DeploymentId) -> bool {
    reached(state, id, state.world.cluster(&id.cluster).map(|cluster| &cluster.state)).is_ok()
}

/// Returns why the cluster of a deployment cannot be asked right now.
fn reached(state: &State, id: &DeploymentId, cluster: Option<&ClusterState>) -> Result<(), String> {
    let context = state.world.context(&id.cluster);
    match cluster {
        None => Err(format!("{context} is not known")),
        Some(ClusterState::Connecting) => Err(format!("{context} is still connecting")),
        Some(ClusterState::Unreachable { why, .. }) => {
            Err(format!("{context} does not answer: {}", words::no_answer(why)))
        }
        Some(ClusterState::Denied { why, .. }) => Err(format!("{context} denied access: {why}")),
        Some(ClusterState::Live | ClusterState::Stale { .. }) => Ok(()),
    }
}

/// Returns the deployment of the ticked resources, which must be one.
fn ticked_deployment(state: &State) -> Result<Option<DeploymentId>, String> {
    let mut deployments: Vec<_> = state.ticks.iter().map(|key| &key.deployment).collect();
    deployments.dedup();
    match deployments.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        more => Err(format!("the ticks are in {} deployments: a sync takes one at a time", more.len())),
    }
}

/// Returns where the thing under the cursor is declared.
pub fn origin(state: &State) -> Option<(&RepoStatus, Origin)> {
    let app = state.deployment().map(|d| &d.app).or_else(|| state.selected_app());
    let repo = match app {
        Some(app) => state.world.repo(&app.repo)?,
        None => state.repo()?,
    };
    let status = state.resource().and_then(|key| state.world.resource(&key).cloned());
    let field = state.field().and_then(|(key, path)| {
        let change = status.as_ref()?.judgement.changes.iter().find(|c| c.path == path)?;
        state.told(&key, change).origin
    });
    let declared = || app.and_then(|app| state.world.app(app)).map(|a| a.app.declared.clone());
    let origin = field.or_else(|| status.as_ref().and_then(|s| s.origin.clone()));
    // An extra is declared nowhere; that its app is declared somewhere is no answer.
    let origin = if status.is_some() { origin } else { declared() };
    origin.map(|origin| (repo, origin))
}

/// Returns the file on this machine that declares the thing under the cursor, with its line.
pub fn local_file(state: &State) -> Result<(String, Option<usize>), String> {
    let Some((repo, origin)) = origin(state) else { return Err("Git declares this nowhere".to_owned()) };
    if !repo.location.starts_with('/') {
        return Err(format!("{} is a remote: its files are not on this machine", repo.name));
    }
    if origin.file.split('/').any(|part| part == "..") {
        return Err(format!("{} leads out of the repo", origin.file));
    }
    let root = repo.location.trim_end_matches('/');
    Ok((format!("{root}/{}", origin.file), origin.line))
}

/// Returns the context of the cluster to log in to.
pub fn login(state: &State) -> Result<String, String> {
    let Some(cluster) = state.cluster() else { return Err("no cluster is selected".to_owned()) };
    if cluster.has_login {
        Ok(cluster.context.clone())
    } else {
        Err(format!("no plugin gives the credentials of {}", cluster.context))
    }
}

/// Returns the forge's page of the thing under the cursor: a commit of a history, else the file and line that declare it.
pub fn page(state: &State) -> Result<String, String> {
    if let Some(page) = commit_page(state) {
        return page;
    }
    let Some((repo, origin)) = origin(state) else { return Err("Git declares this nowhere".to_owned()) };
    let Some((revision, commit)) = repo.revision.as_ref().and_then(|r| Some((r, r.commit.as_ref()?))) else {
        return Err(format!("{} has no commit yet", repo.name));
    };
    if let (Some(upstream), true) = (&repo.upstream, revision.ahead > 0) {
        return Err(format!("{} is {} ahead: {upstream} has no such commit", repo.name, revision.ahead));
    }
    let remote = remote(repo)?;
    super::forge::permalink(remote, &commit.0, Some(&origin.file), origin.line)
        .ok_or_else(|| format!("{} has no forge that is known: {remote}", repo.name))
}

/// Returns the page of the commit under the cursor, or that is shown; `None` where no commit is.
fn commit_page(state: &State) -> Option<Result<String, String>> {
    let (app, commit) = match state.layers.last()? {
        Layer::History(view) => (&view.app, view.rows.current()?),
        Layer::Effect(view) => (&view.app, &view.commit.id),
        _ => return None,
    };
    let repo = state.world.repo(&app.repo)?;
    Some(remote(repo).and_then(|remote| {
        super::forge::permalink(remote, &commit.0, None, None)
            .ok_or_else(|| format!("{} has no forge that is known: {remote}", repo.name))
    }))
}

/// Returns where a repo's forge is.
fn remote(repo: &RepoStatus) -> Result<&str, String> {
    match &repo.upstream {
        Some(upstream) => Ok(upstream),
        None if repo.location.starts_with('/') => {
            Err(format!("{} has no remote over https or ssh, so no page shows it", repo.name))
        }
        None => Ok(&repo.location),
    }
}

fn ready_commit(state: &State, view: &CommitView, command: Command) -> Result<(), String> {
    let looks = command == Command::CopyPlan;
    match &view.phase {
        Phase::Planning { .. } => return Err("the plan is still being computed".to_owned()),
        // Where it cannot be published in one way, it may be in another.
        Phase::Failed(_) if command == Command::Publish => return Ok(()),
        Phase::Failed(notice) => return Err(format!("there is no plan: {}", notice.title)),
        Phase::Applying { .. } if !looks => return Err("the commit is being made".to_owned()),
        Phase::Done { .. } if !looks => {
            return Err(format!("the plan was carried out: {} plans again", key(state, Command::Replan)));
        }
        _ => {}
    }
    if command == Command::Reach && !matches!(view.request.what, CommitWhat::Ignore { .. }) {
        return Err("only an ignore rule reaches further or less far".to_owned());
    }
    if command == Command::TickStep && view.plan.as_ref().is_none_or(|plan| plan.included.is_empty()) {
        return Err("the app includes nothing that was another then".to_owned());
    }
    let is_empty = view.plan.as_ref().is_none_or(|plan| plan.steps.is_empty());
    if is_empty && matches!(command, Command::Apply | Command::Message | Command::Subject) {
        return Err("there is nothing to commit".to_owned());
    }
    Ok(())
}

fn ready_plan(state: &State, command: Command) -> Result<(), String> {
    if let Some(Layer::Commit(view)) = state.layers.last() {
        return ready_commit(state, view, command);
    }
    let Some(Layer::Plan(view)) = state.layers.last() else { return Err("no plan is shown".to_owned()) };
    let looks = matches!(command, Command::Unfold | Command::CopyPlan | Command::StepDiff);
    match &view.phase {
        Phase::Planning { .. } => return Err("the plan is still being computed".to_owned()),
        Phase::Failed(notice) => return Err(format!("there is no plan: {}", notice.title)),
        Phase::Applying { .. } if !looks => return Err("the plan is being carried out".to_owned()),
        Phase::Done { .. } if !looks => {
            return Err(format!("the plan was carried out: {} plans again", key(state, Command::Replan)));
        }
        _ => {}
    }
    let steps = view.plan.as_ref().map_or(0, |plan| plan.steps.len());
    if command == Command::CopyPlan {
        return Ok(());
    }
    if steps == 0 {
        return Err("there is nothing to write".to_owned());
    }
    if command == Command::Apply && view.ticked() == 0 {
        return Err("no step is ticked".to_owned());
    }
    Ok(())
}
