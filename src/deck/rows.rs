//! Defines which rows each list has: made of what is known, what is selected, and what is filtered.

use super::layout::{Column, WIDE_FROM};
use super::picker::Sieve;
use super::state::{Choice, DriftRow, Sort, State};
use super::world::{Entry, Standing};
use super::{cut, words};
use crate::model::status::{DeploymentStatus, resource_order};
use crate::model::{AppId, Automation, ClusterId, DeploymentId, Fetched, HealthStatus, RepoId, Verdict};
use std::cmp::Ordering;
use std::sync::Arc;

/// Lists everything anew after something became known or was selected. The order matters: each list narrows the next.
pub fn refresh(state: &mut State) {
    let now = state.now;
    let repos = repo_rows(state);
    state.repos.refresh(repos, now, state.size.height.into());
    let clusters = cluster_rows(state);
    let height = state.height(Column::Clusters);
    state.clusters.refresh(clusters, now, height);
    let apps = app_rows(state);
    let height = state.height(Column::Apps);
    state.apps.refresh(apps, now, height);
    let drift = drift_rows(state);
    let height = state.height(Column::Drift);
    state.drift.refresh(drift, now, height);
    if state.acting {
        // The person changed the rows: there is no place to keep for their eyes.
        let [repos, apps, clusters, drift] = Column::ALL.map(|column| state.height(column));
        state.repos.take_room_back(repos);
        state.apps.take_room_back(apps);
        state.clusters.take_room_back(clusters);
        state.drift.take_room_back(drift);
    }
    state.drift_widths = Widths::of(state);
    state.outdated = false;
}

/// How many cells the longest text of each column of the drift takes, so that no column is wider than what is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Widths {
    pub kind: u16,
    pub name: u16,
    pub summary: u16,
    pub path: u16,
}

impl Widths {
    fn of(state: &State) -> Self {
        let mut widths = Widths::default();
        let widen = |width: &mut u16, text: &str| {
            *width = (*width).max(u16::try_from(cut::width(text)).unwrap_or(u16::MAX));
        };
        for row in state.drift.rows() {
            match row {
                DriftRow::Resource(key) => {
                    widen(&mut widths.kind, &key.id.kind.kind);
                    widen(&mut widths.name, &words::name(&key.id));
                    if let Some(status) = state.world.resource(key) {
                        widen(&mut widths.summary, &words::summary(status));
                    }
                }
                DriftRow::Change(_, path) => widen(&mut widths.path, &path.to_string()),
                _ => {}
            }
        }
        widths
    }
}

fn sieve(filter: Option<&String>) -> impl FnMut(&str) -> bool {
    let mut sieve = filter.filter(|text| !text.is_empty()).map(|text| Sieve::new(text));
    move |name| sieve.as_mut().is_none_or(|sieve| sieve.lets_through(name))
}

fn repo_rows(state: &State) -> Vec<Choice<RepoId>> {
    let mut passes = sieve(state.repos.filter.as_ref());
    let repos = state.world.repos.iter().filter(|repo| passes(&repo.name));
    let mut rows: Vec<_> = repos.map(|repo| Choice::One(repo.id.clone())).collect();
    if state.world.repos.len() > 1 && state.repos.filter.is_none() {
        rows.insert(0, Choice::All);
    }
    rows
}

/// Clusters stay in the order of the kubeconfig: they are few, and a fixed place is found by heart.
fn cluster_rows(state: &State) -> Vec<Choice<ClusterId>> {
    let mut passes = sieve(state.clusters.filter.as_ref());
    let clusters = state.world.clusters.iter().filter(|cluster| passes(&cluster.name));
    let mut rows: Vec<_> = clusters.map(|cluster| Choice::One(cluster.id.clone())).collect();
    if state.world.clusters.len() > 1 && state.clusters.filter.is_none() {
        rows.insert(0, Choice::All);
    }
    rows
}

fn app_rows(state: &State) -> Vec<AppId> {
    let cluster = state.selected_cluster();
    let mut passes = sieve(state.apps.filter.as_ref());
    let mut rows: Vec<((u8, bool), usize, &AppId)> = Vec::new();
    for repo in &state.world.repos {
        if state.selected_repo().is_some_and(|chosen| *chosen != repo.id) {
            continue;
        }
        for app in state.world.apps.get(&repo.id).into_iter().flatten() {
            let standing = state.world.standing(&app.app.id, cluster);
            let fault = standing.as_ref().is_some_and(Standing::is_fault);
            // A chosen cluster narrows the apps to those that are looked for in it.
            let looked_for =
                || standing.is_some() || state.world.awaited(&app.app.id, cluster).next().is_some();
            if (cluster.is_some() && app.notice.is_none() && !looked_for())
                || (state.faults_only && !fault)
                || !passes(&app.app.id.name)
            {
                continue;
            }
            // Among equal verdicts, what is in a bad way goes first.
            let severity = standing.map_or((6, true), |s| (s.verdict.severity(), !s.is_degraded()));
            rows.push((severity, rows.len(), &app.app.id));
        }
    }
    match state.sort {
        Sort::Worst => rows.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.2.name.cmp(&b.2.name))),
        Sort::Name => rows.sort_by(|a, b| a.2.name.cmp(&b.2.name)),
        Sort::Declared => rows.sort_by_key(|row| row.1),
    }
    rows.into_iter().map(|(_, _, id)| id.clone()).collect()
}

fn drift_rows(state: &State) -> Vec<DriftRow> {
    let Some(app) = state.selected_app() else { return Vec::new() };
    let cluster = state.selected_cluster();
    let mut deployments: Vec<&DeploymentStatus> =
        state.world.deployments_of(app).filter(|d| cluster.is_none_or(|c| d.id.cluster == *c)).collect();
    deployments.sort_by_key(|d| d.verdict.severity());
    let headed = deployments.len() > 1;
    let mut rows = Vec::new();
    for deployment in deployments {
        push_deployment(state, deployment, headed, &mut rows);
    }
    rows
}

fn push_deployment(state: &State, deployment: &DeploymentStatus, headed: bool, rows: &mut Vec<DriftRow>) {
    if headed {
        rows.push(DriftRow::Deployment(deployment.id.clone()));
    }
    let known = state.holds.get(&deployment.id).and_then(Fetched::value);
    if known.and_then(Automation::hold).is_some() {
        rows.push(DriftRow::Held(deployment.id.clone()));
    }
    rows.extend((0..deployment.notices.len()).map(|i| DriftRow::Notice(deployment.id.clone(), i)));
    // A deployment that is not here is one line, not a list of what is not there.
    if matches!(deployment.verdict, Verdict::Excluded(_)) && !state.show_quiet {
        rows.push(DriftRow::Excluded(deployment.id.clone()));
        return;
    }
    let filter = state.drift.filter.as_ref().filter(|text| !text.is_empty());
    let mut passes = sieve(filter);
    let (mut in_sync, mut excluded) = (0, 0);
    let mut listed: Vec<&Entry> = Vec::new();
    for entry in state.world.resources.get(&deployment.id).into_iter().flat_map(|entries| entries.values()) {
        match entry.status.verdict() {
            // What is in a bad way is listed although it is as Git declares it.
            Verdict::InSync if !state.show_quiet && ailing(entry) > 0 => in_sync += 1,
            Verdict::Excluded(_) if !state.show_quiet => excluded += 1,
            verdict if state.faults_only && !verdict.is_fault() && ailing(entry) > 0 => {}
            _ => {
                let named = || format!("{} {}", entry.key.id.kind.kind, words::name(&entry.key.id));
                if filter.is_none() || passes(&named()) {
                    listed.push(entry);
                }
            }
        }
    }
    listed.sort_by(|a, b| order(state.sort, a, b));
    for entry in listed {
        push_resource(state, entry, rows);
    }
    if state.drift.filter.is_none() && !state.faults_only {
        if in_sync > 0 {
            rows.push(DriftRow::InSync(deployment.id.clone()));
        }
        if excluded > 0 {
            rows.push(DriftRow::Excluded(deployment.id.clone()));
        }
    }
}

fn order(sort: Sort, a: &Entry, b: &Entry) -> Ordering {
    match sort {
        // Among equal verdicts, what is in a bad way goes first.
        Sort::Worst => (a.status.verdict().severity(), ailing(a))
            .cmp(&(b.status.verdict().severity(), ailing(b)))
            .then_with(|| resource_order(&a.status, &b.status)),
        Sort::Name => (&a.key.id.name, &a.key.id.kind).cmp(&(&b.key.id.name, &b.key.id.kind)),
        Sort::Declared => {
            a.status.origin.cmp(&b.status.origin).then_with(|| resource_order(&a.status, &b.status))
        }
    }
}

fn ailing(entry: &Entry) -> u8 {
    match entry.status.health().status {
        HealthStatus::Degraded => 0,
        HealthStatus::Progressing => 1,
        _ => 2,
    }
}

fn push_resource(state: &State, entry: &Entry, rows: &mut Vec<DriftRow>) {
    rows.push(DriftRow::Resource(Arc::clone(&entry.key)));
    let about = words::about(&entry.status).len();
    // What the verdict's own word says already needs no line.
    let said = usize::from(matches!(entry.status.verdict(), Verdict::Missing | Verdict::Extra));
    rows.extend((said..about).map(|i| DriftRow::Why(Arc::clone(&entry.key), i)));
    for change in &entry.status.judgement.changes {
        if change.counts || state.show_quiet {
            rows.push(DriftRow::Change(Arc::clone(&entry.key), change.path.clone()));
            if state.size.width < WIDE_FROM {
                rows.push(DriftRow::Values(Arc::clone(&entry.key), change.path.clone()));
            }
        }
    }
}

/// Returns the faulty resources of a deployment, in the order in which they are listed.
pub fn faulty(state: &State, deployment: &DeploymentId) -> Vec<Arc<super::world::ResourceKey>> {
    let entries = state.world.resources.get(deployment).into_iter().flat_map(|entries| entries.values());
    let mut faulty: Vec<&Entry> = entries.filter(|entry| entry.status.verdict().is_fault()).collect();
    faulty.sort_by(|a, b| order(state.sort, a, b));
    faulty.into_iter().map(|entry| Arc::clone(&entry.key)).collect()
}

/// Returns the resources of a deployment that the drift list shows, in its order.
pub fn listed(state: &State, deployment: &DeploymentId) -> Vec<Arc<super::world::ResourceKey>> {
    let rows = state.drift.rows().iter();
    rows.filter_map(|row| match row {
        DriftRow::Resource(key) if key.deployment == *deployment => Some(Arc::clone(key)),
        _ => None,
    })
    .collect()
}
