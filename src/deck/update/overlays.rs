//! Defines menus and screens that lie on the deck: palette, copy menu, everything possible, matrix, help, notices, who.

use super::{commands, lists, plan, prompts};
use crate::deck::copy;
use crate::deck::effect::Effect;
use crate::deck::layer::{HelpView, JournalView, Layer, MatrixView, Menu, Scroll, WhoView};
use crate::deck::layout::Column;
use crate::deck::picker::{Item, Pick, Picker};
use crate::deck::possible::{self, possible};
use crate::deck::reading;
use crate::deck::rows;
use crate::deck::state::{Choice, State};
use crate::deck::world::Standing;
use crate::model::command::{COMMANDS, Command, Place};
use crate::model::recorded::RecordedAction;
use crate::model::{AppId, DeploymentId, Fetched, Key, KeyCode, Notice, Timestamp};

pub(super) fn open(state: &mut State, command: Command) {
    let layer = match command {
        Command::Palette => Layer::Palette(Picker::new(palette_items(state))),
        Command::Help => Layer::Help(HelpView { lines: reading::help(state), scroll: Scroll::default() }),
        Command::Notices => {
            state.unread = 0;
            Layer::Notices(Scroll::default())
        }
        Command::Copy => match copy::items(state) {
            items if items.is_empty() => return state.refuse("nothing is selected that could be copied"),
            items => Layer::Copy(Menu::new(items)),
        },
        Command::Everything => {
            let entries = possible::here(state).into_iter();
            let can =
                entries.filter(|e| e.command != Command::Everything && possible(state, e.command).is_ok());
            Layer::Everything(Menu::new(can.map(|entry| entry.command).collect()))
        }
        Command::Who => match state.resource() {
            Some(key) => Layer::Who(WhoView { key, scroll: Scroll::default() }),
            None => return,
        },
        Command::Matrix => {
            let mut view = matrix(state);
            view.row =
                state.selected_app().and_then(|app| view.apps.iter().position(|a| a == app)).unwrap_or(0);
            let cluster = state.deployment().map(|d| &d.cluster);
            view.column = cluster.and_then(|id| view.clusters.iter().position(|c| c == id)).unwrap_or(0);
            Layer::Matrix(view)
        }
        _ => return,
    };
    // The same screen is not opened on itself.
    if state.layers.last().is_some_and(|top| std::mem::discriminant(top) == std::mem::discriminant(&layer)) {
        state.layers.pop();
        return;
    }
    state.layers.push(layer);
    keep_matrix_in_sight(state);
}

/// Opens the journal, and has it read anew.
pub(super) fn open_journal(state: &mut State, effects: &mut Vec<Effect>) {
    if matches!(state.layers.last(), Some(Layer::Journal(_))) {
        state.layers.pop();
        return;
    }
    let actions = Fetched::default().loading();
    state.layers.push(Layer::Journal(JournalView { actions, scroll: Scroll::default() }));
    effects.push(Effect::LoadJournal);
}

/// Takes in what the journal tells, if somebody still looks at it.
pub(super) fn journal_came(state: &mut State, at: Timestamp, result: &Result<Vec<RecordedAction>, Notice>) {
    for layer in &mut state.layers {
        let Layer::Journal(view) = layer else { continue };
        view.actions = match result {
            Ok(actions) => Fetched::Ready { at, value: actions.clone() },
            Err(notice) => std::mem::take(&mut view.actions).failed(at, notice.clone()),
        };
    }
}

fn palette_items(state: &State) -> Vec<Item> {
    let place = state.place();
    let here = COMMANDS
        .iter()
        .filter(|entry| entry.places.contains(&place) || entry.places.contains(&Place::Everywhere));
    let commands = here.filter(|entry| entry.command != Command::Palette).map(|entry| Item {
        pick: Pick::Command(entry.command),
        name: entry.name.to_owned(),
        about: entry.help.to_owned(),
        refused: possible(state, entry.command).err(),
    });
    let mut items: Vec<Item> = commands.collect();
    let to =
        |pick: Pick, name: &str, about: String| Item { pick, name: name.to_owned(), about, refused: None };
    for app in state.world.apps.values().flatten() {
        let repo = state.world.repo(&app.app.id.repo).map_or("", |repo| &repo.name);
        items.push(to(Pick::App(app.app.id.clone()), &app.app.id.name, format!("app in {repo}")));
    }
    for cluster in &state.world.clusters {
        items.push(to(Pick::Cluster(cluster.id.clone()), &cluster.context, "cluster".to_owned()));
    }
    for repo in &state.world.repos {
        items.push(to(Pick::Repo(repo.id.clone()), &repo.name, format!("repo, {}", repo.location)));
    }
    items.sort_by_key(|item| item.refused.is_some());
    items
}

pub(super) fn step_palette(state: &mut State, by: isize) {
    if let Some(Layer::Palette(picker)) = state.layers.last_mut() {
        picker.step(by);
    }
}

/// Does what was picked in the palette.
pub(super) fn picked(state: &mut State, item: Item, effects: &mut Vec<Effect>) {
    if let Some(why) = item.refused {
        return state.refuse(why);
    }
    match item.pick {
        Pick::Command(command) => return prompts::run(state, command, effects),
        Pick::Manager { resource, manager } => return plan::chosen(state, resource, manager, effects),
        Pick::Undo(id) => return plan::chosen_sync(state, id, effects),
        Pick::App(_) | Pick::Cluster(_) | Pick::Repo(_) => {}
    }
    if !commands::leave_all(state, effects) {
        return;
    }
    match item.pick {
        Pick::Command(_) | Pick::Manager { .. } | Pick::Undo(_) => {}
        Pick::App(app) => show_app(state, &app),
        Pick::Cluster(cluster) => {
            lists::claim(state);
            state.focus = Column::Clusters;
            let height = state.height(Column::Clusters);
            state.clusters.go_to(&Choice::One(cluster), height);
        }
        Pick::Repo(repo) => {
            lists::claim(state);
            state.focus = Column::Repos;
            let height = state.height(Column::Repos);
            state.repos.go_to(&Choice::One(repo), height);
        }
    }
    state.drift.settle_now();
    state.outdated = true;
}

fn show_app(state: &mut State, app: &AppId) {
    state.apps.filter = None;
    state.faults_only = false;
    let height = state.height(Column::Apps);
    state.repos.go(0, height);
    state.clusters.go(0, height);
    rows::refresh(state);
    if !state.apps.go_to(app, height) {
        let all = state.repos.rows().iter().position(|row| *row == Choice::One(app.repo.clone()));
        state.repos.go(all.unwrap_or(0), height);
        rows::refresh(state);
        state.apps.go_to(app, height);
    }
    lists::claim(state);
    state.focus = Column::Apps;
}

/// Gives a key to a menu, whose items are chosen by moving and enter, or by their own key. Returns whether it took it.
pub(super) fn menu_key(state: &mut State, at: Timestamp, key: Key, effects: &mut Vec<Effect>) -> bool {
    let keymap = &state.options.keymap;
    match state.layers.last() {
        Some(Layer::Everything(menu)) => {
            let own = menu.items.iter().find(|command| keymap.keys(**command).contains(&key)).copied();
            let moves = own.is_some_and(|c| {
                matches!(
                    c,
                    Command::Down
                        | Command::Up
                        | Command::First
                        | Command::Last
                        | Command::PageDown
                        | Command::PageUp
                        | Command::Back
                        | Command::Close
                )
            });
            let chosen =
                if key.code == KeyCode::Enter { menu.current().copied() } else { own.filter(|_| !moves) };
            if let Some(command) = chosen {
                state.layers.pop();
                commands::run(state, at, command, effects);
                return true;
            }
            false
        }
        Some(Layer::Copy(menu)) => {
            let by_number = key
                .typed()
                .and_then(|c| c.to_digit(10))
                .and_then(|n| usize::try_from(n).ok())
                .and_then(|n| n.checked_sub(1));
            let chosen = if key.code == KeyCode::Enter { Some(menu.cursor) } else { by_number };
            let Some(item) = chosen.and_then(|at| menu.items.get(at)).cloned() else { return false };
            state.layers.pop();
            effects.push(Effect::Copy { what: item.what.to_owned(), text: item.text });
            true
        }
        _ => false,
    }
}

pub(super) fn command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    if let Some(Layer::Matrix(_)) = state.layers.last() {
        return matrix_command(state, at, command, effects);
    }
    let height = usize::from(state.layout().body.height);
    let (rows, seen) = state
        .layers
        .last()
        .map_or((0, 0), |layer| (reading::lines(state, layer).len(), reading::seen(state, layer)));
    let by = match command {
        Command::Down => 1,
        Command::Up => -1,
        Command::PageDown => (height / 2).cast_signed(),
        Command::PageUp => -(height / 2).cast_signed(),
        Command::First => isize::MIN / 2,
        Command::Last => isize::MAX / 2,
        _ => return,
    };
    match state.layers.last_mut() {
        Some(Layer::Journal(view)) => view.scroll.step(by, rows, seen),
        Some(Layer::Help(HelpView { scroll, .. }) | Layer::Notices(scroll)) => scroll.step(by, rows, seen),
        Some(Layer::Who(view)) => view.scroll.step(by, rows, seen),
        Some(Layer::Pods(view)) => view.scroll.step(by, rows, seen),
        Some(Layer::Effect(view)) => view.scroll.step(by, rows, seen),
        Some(Layer::Commit(view)) => view.scroll.step(by, rows, seen),
        Some(Layer::Copy(menu)) => menu.step(by),
        Some(Layer::Everything(menu)) => menu.step(by),
        _ => {}
    }
}

fn matrix(state: &State) -> MatrixView {
    let mut apps: Vec<(u8, AppId)> = Vec::new();
    for app in state.world.apps.values().flatten() {
        let standing = state.world.standing(&app.app.id, None);
        if state.faults_only && !standing.as_ref().is_some_and(Standing::is_fault) {
            continue;
        }
        apps.push((standing.map_or(6, |s| s.verdict.severity()), app.app.id.clone()));
    }
    apps.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    MatrixView {
        apps: apps.into_iter().map(|(_, id)| id).collect(),
        clusters: state.world.clusters.iter().map(|c| c.id.clone()).collect(),
        ..MatrixView::default()
    }
}

/// Lists the matrix anew, with the cursor on its app; apps keep their order while it is open.
pub(super) fn refresh(state: &mut State) {
    if !state.layers.iter().any(|layer| matches!(layer, Layer::Matrix(_))) {
        return;
    }
    let fresh = matrix(state);
    for layer in &mut state.layers {
        let Layer::Matrix(view) = layer else { continue };
        let at = view.apps.get(view.row).cloned();
        view.apps.retain(|app| fresh.apps.contains(app));
        let new: Vec<_> = fresh.apps.iter().filter(|app| !view.apps.contains(app)).cloned().collect();
        view.apps.extend(new);
        view.clusters.clone_from(&fresh.clusters);
        view.row = at.and_then(|app| view.apps.iter().position(|a| *a == app)).unwrap_or(0);
        view.column = view.column.min(view.clusters.len().saturating_sub(1));
    }
    keep_matrix_in_sight(state);
}

fn matrix_command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    let page = (reading::matrix_rows(state) / 2).max(1).cast_signed();
    let Some(Layer::Matrix(view)) = state.layers.last_mut() else { return };
    let last = (view.apps.len().saturating_sub(1), view.clusters.len().saturating_sub(1));
    match command {
        Command::Down => view.row = (view.row + 1).min(last.0),
        Command::Up => view.row = view.row.saturating_sub(1),
        Command::PageDown => view.row = view.row.saturating_add_signed(page).min(last.0),
        Command::PageUp => view.row = view.row.saturating_add_signed(-page),
        Command::First => view.row = 0,
        Command::Last => view.row = last.0,
        Command::ColumnRight => view.column = (view.column + 1).min(last.1),
        Command::ColumnLeft => view.column = view.column.saturating_sub(1),
        Command::Open => {
            let chosen = view.apps.get(view.row).cloned().zip(view.clusters.get(view.column).cloned());
            if let Some((app, cluster)) = chosen
                && commands::leave_all(state, effects)
            {
                lists::show_deployment(state, &DeploymentId::new(app, cluster));
                state.focus = Column::Drift;
            }
            return;
        }
        Command::FaultsOnly => {
            lists::command(state, at, command, effects);
            return;
        }
        _ => return,
    }
    keep_matrix_in_sight(state);
}

fn keep_matrix_in_sight(state: &mut State) {
    let height = reading::matrix_rows(state).max(1);
    if let Some(Layer::Matrix(view)) = state.layers.last_mut() {
        view.top = view.top.clamp((view.row + 1).saturating_sub(height), view.row);
    }
}
