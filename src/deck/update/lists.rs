//! Defines what commands and the mouse do in the deck's columns and in the drift below them.

use crate::deck::effect::Effect;
use crate::deck::layer::Layer;
use crate::deck::layout::Column;
use crate::deck::list::{List, Row};
use crate::deck::message::Mouse;
use crate::deck::possible;
use crate::deck::rows;
use crate::deck::state::{Choice, DriftRow, Sort, State};
use crate::deck::view::ResourceView;
use crate::deck::words;
use crate::deck::world::ResourceKey;
use crate::model::command::Command;
use crate::model::{Automation, DeploymentId, Fetched, Timestamp};
use std::sync::Arc;

pub(super) fn command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::Down => step(state, at, 1),
        Command::Up => step(state, at, -1),
        Command::PageDown => step(state, at, half_page(state)),
        Command::PageUp => step(state, at, -half_page(state)),
        Command::First => go(state, at, 0),
        Command::Last => go(state, at, usize::MAX),
        Command::NextMatch => step_round(state, at, 1),
        Command::PreviousMatch => step_round(state, at, -1),
        Command::ColumnLeft | Command::PreviousColumn => {
            beside(state, -1, command == Command::PreviousColumn);
        }
        Command::ColumnRight | Command::NextColumn => beside(state, 1, command == Command::NextColumn),
        Command::Repos => focus(state, Column::Repos),
        Command::Apps => focus(state, Column::Apps),
        Command::Clusters => focus(state, Column::Clusters),
        Command::Drift => focus(state, Column::Drift),
        Command::Open => open(state, effects),
        Command::AppDiff => open_app(state, effects),
        Command::FaultsOnly => {
            state.faults_only = !state.faults_only;
            state.say(if state.faults_only { "only what needs a person" } else { "everything" });
            state.outdated = true;
        }
        Command::ShowQuiet => {
            state.show_quiet = !state.show_quiet;
            let said =
                if state.show_quiet { "shows what is ignored, dimmed and in sync" } else { "shows drift" };
            state.say(said);
            state.outdated = true;
        }
        Command::Sort => {
            state.sort = match state.sort {
                Sort::Worst => Sort::Name,
                Sort::Name => Sort::Declared,
                Sort::Declared => Sort::Worst,
            };
            state.apps.sort_now();
            state.drift.sort_now();
            state.say(format!("sorted {}", state.sort.word()));
            state.outdated = true;
        }
        Command::Tick => tick(state, at),
        Command::TickRange => range(state),
        Command::TickAll => tick_all(state),
        _ => {}
    }
}

/// Does something to the focused list.
fn with_list(state: &mut State, act: impl FnOnce(&mut dyn AnyList, usize)) {
    let height = state.height(state.focus);
    match state.focus {
        Column::Repos => act(&mut state.repos, height),
        Column::Apps => act(&mut state.apps, height),
        Column::Clusters => act(&mut state.clusters, height),
        Column::Drift => act(&mut state.drift, height),
    }
}

/// A list of any kind of row, as far as moving goes.
trait AnyList {
    fn touch(&mut self, at: Timestamp);
    fn step(&mut self, by: isize, height: usize);
    fn go(&mut self, to: usize, height: usize);
    fn at(&self) -> usize;
}

impl<K: Row> AnyList for List<K> {
    fn touch(&mut self, at: Timestamp) {
        List::touch(self, at);
    }
    fn step(&mut self, by: isize, height: usize) {
        List::step(self, by, height);
    }
    fn go(&mut self, to: usize, height: usize) {
        if to == usize::MAX { self.go_last(height) } else { List::go(self, to, height) }
    }
    fn at(&self) -> usize {
        self.cursor()
    }
}

fn half_page(state: &State) -> isize {
    (state.height(state.focus) / 2).max(1).cast_signed()
}

fn step(state: &mut State, at: Timestamp, by: isize) {
    moved(state, at, |list, height| list.step(by, height));
}

fn go(state: &mut State, at: Timestamp, to: usize) {
    moved(state, at, |list, height| list.go(to, height));
}

/// The next match, and from the last one on to the first.
fn step_round(state: &mut State, at: Timestamp, by: isize) {
    moved(state, at, |list, height| {
        let before = list.at();
        list.step(by, height);
        if list.at() == before {
            list.go(if by > 0 { 0 } else { usize::MAX }, height);
        }
    });
}

fn moved(state: &mut State, at: Timestamp, act: impl FnOnce(&mut dyn AnyList, usize)) {
    claim(state);
    with_list(state, |list, height| {
        list.touch(at);
        act(list, height);
    });
    selected(state);
    extend_range(state);
}

/// From now on the person relies on what is selected: it no longer follows the worst.
pub(super) fn claim(state: &mut State) {
    state.opened = true;
    state.repos.claim();
    state.apps.claim();
    state.clusters.claim();
}

/// After a selection in one column, the others are narrowed anew, from their first rows.
fn selected(state: &mut State) {
    match state.focus {
        Column::Repos | Column::Clusters | Column::Apps => {
            state.drift.settle_now();
            state.range = None;
            state.outdated = true;
        }
        Column::Drift => {}
    }
}

fn beside(state: &mut State, by: isize, round: bool) {
    let at = Column::ALL.iter().position(|c| *c == state.focus).unwrap_or(0);
    let next = if round { (at + 4).wrapping_add_signed(by) % 4 } else { at.saturating_add_signed(by).min(3) };
    if let Some(column) = Column::ALL.get(next) {
        focus(state, *column);
    }
}

fn focus(state: &mut State, column: Column) {
    claim(state);
    state.focus = column;
}

pub(super) fn back(state: &mut State) {
    let filter = match state.focus {
        Column::Repos => &mut state.repos.filter,
        Column::Apps => &mut state.apps.filter,
        Column::Clusters => &mut state.clusters.filter,
        Column::Drift => &mut state.drift.filter,
    };
    if filter.take().is_some() {
        state.outdated = true;
        return;
    }
    if state.range.take().is_some() {
        return;
    }
    if !state.ticks.is_empty() {
        state.ticks.clear();
        state.say("ticks removed");
        return;
    }
    match state.focus {
        Column::Clusters if state.selected_cluster().is_some() && state.world.clusters.len() > 1 => {
            let height = state.height(Column::Clusters);
            state.clusters.go(0, height);
            selected(state);
        }
        Column::Drift | Column::Clusters => state.focus = Column::Apps,
        Column::Apps => state.focus = Column::Repos,
        Column::Repos => state.say("this is the deck: q quits"),
    }
}

fn open(state: &mut State, effects: &mut Vec<Effect>) {
    match state.focus {
        Column::Repos => focus(state, Column::Apps),
        Column::Apps | Column::Clusters => focus(state, Column::Drift),
        Column::Drift => match state.drift.current().cloned() {
            Some(DriftRow::Deployment(_)) => open_app(state, effects),
            Some(DriftRow::InSync(_) | DriftRow::Excluded(_)) => {
                state.show_quiet = true;
                state.outdated = true;
            }
            Some(DriftRow::Held(id)) => {
                let known = state.holds.get(&id).and_then(Fetched::value).and_then(Automation::hold);
                if let Some(hold) = known {
                    let said = words::hold(hold, state.now, &state.options.zone);
                    state.say(format!("{} is paused: {said}", hold.object));
                }
            }
            Some(DriftRow::Notice(..)) => super::overlays::open(state, Command::Notices),
            Some(
                DriftRow::Resource(key)
                | DriftRow::Why(key, _)
                | DriftRow::Values(key, _)
                | DriftRow::Change(key, _),
            ) => {
                let field = state.field().map(|(_, path)| path);
                open_resource(state, &key, effects);
                if let Some(path) = field {
                    super::view::go_to_field(state, &path);
                }
            }
            None => {}
        },
    }
}

/// Opens the view of a resource; the other listed ones of its deployment are beside it.
pub(super) fn open_resource(state: &mut State, key: &Arc<ResourceKey>, effects: &mut Vec<Effect>) {
    let mut keys = rows::listed(state, &key.deployment);
    if !keys.contains(key) {
        keys.push(Arc::clone(key));
    }
    let current = keys.iter().position(|other| other == key).unwrap_or(0);
    let resources = keys.iter().map(|key| key.id.clone()).collect();
    let mut view = ResourceView::new(key.deployment.clone(), resources, current);
    view.quiet = state.show_quiet;
    state.layers.push(Layer::Resource(Box::new(view)));
    super::view::refresh(state, effects);
}

/// Opens the diff of a whole app: its faulty resources, one below the other.
fn open_app(state: &mut State, effects: &mut Vec<Effect>) {
    let Ok(deployment) = possible::one_deployment(state).map_err(|why| state.refuse(why)) else { return };
    let resources: Vec<_> = rows::faulty(state, &deployment).iter().map(|key| key.id.clone()).collect();
    if resources.is_empty() {
        return state.refuse(format!("{} shows no drift", deployment.app.name));
    }
    state.layers.push(Layer::Resource(Box::new(ResourceView::whole_app(deployment, resources))));
    super::view::refresh(state, effects);
}

fn tick(state: &mut State, at: Timestamp) {
    let Some(key) = state.resource() else { return };
    if !state.ticks.remove(&key) {
        state.ticks.insert(key);
    }
    step(state, at, 1);
}

fn range(state: &mut State) {
    if state.range.take().is_some() {
        return state.say("ticking ended");
    }
    let Some(key) = state.resource() else { return };
    state.ticks.insert(Arc::clone(&key));
    state.range = Some(key);
    state.say("moving ticks; again to end");
}

fn extend_range(state: &mut State) {
    let Some(from) = state.range.clone() else { return };
    // On a row that is about no resource, the range reaches the one above.
    let above = state.drift.rows().iter().take(state.drift.cursor() + 1).rev();
    let Some(to) = above.into_iter().find_map(DriftRow::resource).cloned() else { return };
    let keys: Vec<_> = rows::listed(state, &from.deployment);
    let place = |key: &Arc<ResourceKey>| keys.iter().position(|other| other == key);
    if let (Some(a), Some(b)) = (place(&from), place(&to)) {
        state.ticks.extend(keys.iter().skip(a.min(b)).take(a.abs_diff(b) + 1).cloned());
    }
}

fn tick_all(state: &mut State) {
    let Ok(deployment) = possible::one_deployment(state).map_err(|why| state.refuse(why)) else { return };
    let faulty: Vec<_> = rows::listed(state, &deployment)
        .into_iter()
        .filter(|key| state.world.resource(key).is_some_and(|status| status.verdict().is_fault()))
        .collect();
    if faulty.is_empty() {
        return state.refuse("nothing faulty is listed");
    }
    if faulty.iter().all(|key| state.ticks.contains(key)) {
        state.ticks.clear();
        return state.say("ticks removed");
    }
    state.say(format!("{} ticked", faulty.len()));
    state.ticks.extend(faulty);
}

/// Goes to the next change that was not looked at: in the list at hand, then in other apps.
pub(super) fn next_unseen(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    if !super::commands::leave_all(state, effects) {
        return;
    }
    let rows = state.drift.rows();
    let is_new = |row: &DriftRow| match row {
        DriftRow::Resource(key) => state.unseen.is_new(key),
        DriftRow::Change(key, path) => state.unseen.is_field_new(key, &path.to_string()),
        _ => false,
    };
    let after = if state.focus == Column::Drift { state.drift.cursor() + 1 } else { 0 };
    let order = (after..rows.len()).chain(0..after);
    let next = order.into_iter().find(|i| rows.get(*i).is_some_and(is_new));
    if next.is_none() {
        let Some(deployment) = state.unseen.resources().next().map(|key| key.deployment.clone()) else {
            return;
        };
        show_deployment(state, &deployment);
    }
    state.focus = Column::Drift;
    if let Some(row) = next {
        go(state, at, row);
    } else {
        rows::refresh(state);
        let rows = state.drift.rows().iter();
        let first = rows.clone().position(|row| match row {
            DriftRow::Resource(key) => state.unseen.is_new(key),
            DriftRow::Change(key, path) => state.unseen.is_field_new(key, &path.to_string()),
            _ => false,
        });
        if let Some(first) = first {
            go(state, at, first);
        }
    }
}

/// Selects an app and a cluster, whatever narrows the lists now.
pub(super) fn show_deployment(state: &mut State, deployment: &DeploymentId) {
    state.repos.filter = None;
    state.apps.filter = None;
    state.clusters.filter = None;
    state.drift.filter = None;
    let (now, height) = (state.now, state.size.height.into());
    state.repos.go(0, height);
    if state.selected_repo().is_some_and(|repo| *repo != deployment.app.repo) {
        state.repos.go_to(&Choice::One(deployment.app.repo.clone()), height);
    }
    rows::refresh(state);
    state.clusters.touch(now);
    state.clusters.go_to(&Choice::One(deployment.cluster.clone()), height);
    state.apps.settle_now();
    rows::refresh(state);
    let height = state.height(Column::Apps);
    state.apps.touch(now);
    state.apps.go_to(&deployment.app, height);
    state.drift.settle_now();
    rows::refresh(state);
    state.opened = true;
}

/// Selects what the command line asked for, once it is known and as long as the person has not moved.
pub(super) fn open_as_asked(state: &mut State) {
    if state.opened || (state.options.app.is_none() && state.options.context.is_none()) {
        return;
    }
    let app = state.options.app.as_ref();
    let context = state.options.context.as_ref();
    let mut apps = state.world.apps.values().flatten().map(|a| &a.app.id);
    let cluster = context.and_then(|c| state.world.clusters.iter().find(|known| known.context == *c));
    let found = app.and_then(|name| apps.find(|id| id.name == *name)).cloned();
    if (app.is_some() && found.is_none()) || (context.is_some() && cluster.is_none()) {
        return;
    }
    let cluster = cluster.map(|c| c.id.clone());
    let (now, height) = (state.now, usize::from(state.size.height));
    rows::refresh(state);
    if let Some(cluster) = cluster {
        state.clusters.touch(now);
        state.clusters.go_to(&Choice::One(cluster), height);
        rows::refresh(state);
    }
    if let Some(app) = found {
        state.apps.touch(now);
        if !state.apps.go_to(&app, height) {
            return;
        }
    }
    state.opened = state.world.settled;
}

/// Marks as looked at what is under the cursor of the drift list, or open in a view.
pub(super) fn look(state: &mut State) {
    match state.layers.last() {
        Some(Layer::Resource(view)) => {
            for key in view.shown().filter_map(|at| view.key(at)).collect::<Vec<_>>() {
                state.unseen.look_at_all(&key);
            }
        }
        None if state.focus == Column::Drift => match state.drift.current().cloned() {
            Some(DriftRow::Resource(key)) => state.unseen.look(&key),
            Some(DriftRow::Change(key, path)) => state.unseen.look_at_field(&key, &path.to_string()),
            _ => {}
        },
        _ => {}
    }
}

/// Fits every list to the size of the screen.
pub(super) fn fit(state: &mut State) {
    let heights = Column::ALL.map(|column| state.height(column));
    state.repos.resize(heights[0]);
    state.apps.resize(heights[1]);
    state.clusters.resize(heights[2]);
    state.drift.resize(heights[3]);
}

pub(super) fn mouse(state: &mut State, at: Timestamp, event: Mouse, effects: &mut Vec<Effect>) {
    let (x, y, wheel) = match event {
        Mouse::Click { x, y } => (x, y, None),
        Mouse::WheelUp { x, y } => (x, y, Some(-3)),
        Mouse::WheelDown { x, y } => (x, y, Some(3)),
    };
    if !state.layers.is_empty() {
        let command = match wheel {
            Some(by) if by < 0 => Command::Up,
            Some(_) => Command::Down,
            None => return,
        };
        if !state.layers.last().is_some_and(Layer::is_prompt) {
            super::commands::run(state, at, command, effects);
        }
        return;
    }
    let layout = state.layout();
    let hit = |column: &Column| layout.rows(*column).contains(x, y);
    let column = if layout.wide { Column::ALL.into_iter().find(hit) } else { Some(state.focus).filter(hit) };
    let Some(column) = column else { return };
    state.focus = column;
    if let Some(by) = wheel {
        return step(state, at, by);
    }
    let line = usize::from(y - layout.rows(column).y);
    let row = match column {
        Column::Repos => state.repos.row_at_line(line),
        Column::Apps => state.apps.row_at_line(line),
        Column::Clusters => state.clusters.row_at_line(line),
        Column::Drift => state.drift.row_at_line(line),
    };
    if let Some(row) = row {
        go(state, at, row);
    }
}
