//! Draws the view of a resource: fields, unified, side by side.

use super::columns::mark_role;
use super::cursor_row;
use super::frame::spinner;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::view::{Mode, ResourceView, ViewRow, changes_of_lines};
use crate::deck::{Rect, ResourceKey, State, cut, marks, reading, words, wrap};
use crate::model::status::ClusterState;
use crate::model::text_diff::{DiffLine, Piece, Side, Token};
use crate::model::{Declared, Fetched, FieldChange, TextDiff, Told};
use std::collections::BTreeMap;

pub(super) fn draw(pen: &mut Pen, state: &State, view: &ResourceView, at: Rect) {
    pen.clear(at);
    title(pen, state, view, at.row(0));
    sides(pen, state, view, at.row(1));
    let body = at.below(2);
    let story = u16::try_from(reading::story_rows(state)).unwrap_or(1);
    let rows = body.top(body.height.saturating_sub(story));
    let mut drawing = Drawing { state, view, lines: BTreeMap::new() };
    for line in 0..rows.height {
        let index = view.top + usize::from(line);
        let Some(row) = view.rows.get(index) else { break };
        let place = rows.row(line);
        drawing.row(pen, place, row);
        if index == view.cursor {
            cursor_row(pen, place, std::ptr::eq(view, top_view(state).unwrap_or(view)));
        }
    }
    if body.height > story {
        drawing.about_current(pen, body.below(rows.height));
    }
}

fn top_view(state: &State) -> Option<&ResourceView> {
    match state.layers.last() {
        Some(crate::deck::Layer::Resource(view)) => Some(view),
        _ => None,
    }
}

/// Draws what is shown, in which of the views, and which change of how many the cursor is at.
fn title(pen: &mut Pen, state: &State, view: &ResourceView, at: Rect) {
    let context = state.world.called(&view.deployment.cluster);
    let name = if view.whole_app {
        format!(
            "{} on {context}, {}",
            view.deployment.app.name,
            words::count(view.resources.len(), "faulty resource")
        )
    } else {
        let id = view.resources.get(view.current);
        let id = id.map(|id| format!("{} {}", id.kind.kind, words::name(id))).unwrap_or_default();
        format!("{id} on {context}")
    };
    let changes = view.changes(&state.diffs);
    let passed = changes.iter().filter(|row| **row <= view.cursor).count().max(1);
    let position = match changes.len() {
        0 => String::new(),
        n => format!("change {passed} of {n} "),
    };
    let status = view.resource().and_then(|key| state.world.resource(&key)).filter(|_| !view.whole_app);
    let exact = status.and_then(|status| words::exact(status, state.now, &state.options.zone));
    let position = exact.map(|exact| format!("{exact}  ")).unwrap_or_default() + &position;
    let right = pen.put_right(at, &position, Role::Dim, Cut::End);
    let mut room = Rect { width: at.width.saturating_sub(right + 2), ..at };
    // Where there is less room the name has it.
    let modes: Vec<Mode> = match at.width {
        ..70 => Vec::new(),
        70..100 => vec![view.mode],
        _ => Mode::ALL.to_vec(),
    };
    if !modes.is_empty() {
        let bar = format!(" {} ", pen.glyphs.bar);
        let total: u16 =
            modes.iter().map(|mode| pen.width(mode.words()) + pen.width(&bar)).sum::<u16>() - pen.width(&bar);
        let mut place =
            Rect { x: room.x + room.width.saturating_sub(total), width: total.min(room.width), ..room };
        for (i, mode) in modes.iter().enumerate() {
            let before = if i == 0 { "" } else { bar.as_str() };
            let role = if *mode == view.mode { Role::Accent } else { Role::Dim };
            let used = pen.put_all(place, [(before, Role::Rule), (mode.words(), role)]);
            place = after(place, used);
        }
        room.width = room.width.saturating_sub(total + 2);
    }
    let used = if view.whole_app {
        0
    } else {
        let mark = view.resource().and_then(|key| state.world.resource(&key));
        let mark = mark.map(|s| (marks::verdict(s.verdict(), &state.options), mark_role(s.verdict())));
        mark.map_or(0, |(mark, role)| pen.put_all(after(room, 1), [(mark, role), (" ", Role::Text)])) + 1
    };
    pen.put_cut(after(room, used.max(1)), &name, Role::Title, Cut::Middle);
}

/// Says which side is which, with the words and signs that stand for them.
fn sides(pen: &mut Pen, state: &State, view: &ResourceView, at: Rect) {
    let deployment = &view.deployment;
    let status = state.world.deployments.get(deployment);
    let desired = match (status, state.world.repo(&deployment.app.repo)) {
        (Some(status), Some(repo)) => match &status.revision.commit {
            Some(commit) => format!("{}@{}", repo.name, commit.short()),
            None => repo.name.clone(),
        },
        _ => String::new(),
    };
    let origin = view.resource().and_then(|key| state.world.resource(&key)?.origin.clone());
    let origin = origin.filter(|_| !view.whole_app).map(|o| o.file).unwrap_or_default();
    let cluster = state.world.cluster(&deployment.cluster);
    let live = match cluster.map(|c| &c.state) {
        None | Some(ClusterState::Live) => "now".to_owned(),
        Some(other) => words::cluster_state(other, state.now, &state.options.zone),
    };
    let context = state.world.called(&deployment.cluster);
    let (minus, plus) = if view.mode == Mode::Unified { ("- ", "+ ") } else { ("", "") };
    let half = at.width / 2;
    // Between the sides there is always a gap.
    let left = after(first(at, half.saturating_sub(1)), 1);
    let mut used =
        pen.put_all(left, [(minus, Role::Desired), ("desired", Role::Desired), ("  ", Role::Text)]);
    used += pen.put(after(left, used), &desired, Role::Text);
    let rest = after(left, used + 1);
    if rest.width >= FEWEST_OF_FILE {
        pen.put_cut(rest, &origin, Role::Dim, Cut::Start);
    }
    let right = after(at, half);
    let pieces = [
        (plus, Role::Live),
        ("live", Role::Live),
        ("  ", Role::Text),
        (context, Role::Text),
        (" ", Role::Dim),
    ];
    let used = pen.put_all(right, pieces);
    pen.put(after(right, used), &live, Role::Dim);
}

/// Fewer cells than these say nothing about who wrote a line.
const FEWEST_OF_WHO: u16 = 12;

/// Fewer cells than these say nothing about a file.
const FEWEST_OF_FILE: u16 = 8;

/// Cells of what is equal that stay before what differs.
const BEFORE: usize = 4;

/// What drawing the rows needs.
struct Drawing<'a> {
    state: &'a State,
    view: &'a ResourceView,
    /// Which change each line of a diff shows, by resource.
    lines: BTreeMap<usize, BTreeMap<usize, usize>>,
}

impl Drawing<'_> {
    fn row(&mut self, pen: &mut Pen, at: Rect, row: &ViewRow) {
        let state = self.state;
        match row {
            ViewRow::Resource { resource } => self.heading(pen, at, *resource),
            ViewRow::Path { resource, change } => {
                if let Some(change) = self.change(*resource, *change) {
                    let role = if change.counts { Role::Drift } else { Role::Dim };
                    let used = pen.put_all(
                        at,
                        [("  ", Role::Text), (marks::class(change.class), role), (" ", Role::Text)],
                    );
                    let class = format!("{} ", change.class.word());
                    let class_width = pen.put_right(after(at, used), &class, Role::Dim, Cut::End);
                    let room = Rect { width: at.width.saturating_sub(class_width + 1), ..at };
                    let path = change.path.to_string();
                    pen.put_cut(
                        after(room, used),
                        &path,
                        if change.counts { Role::Title } else { Role::Dim },
                        Cut::Field,
                    );
                }
            }
            ViewRow::Desired { resource, change } => {
                if let Some(change) = self.told(*resource, *change) {
                    self.side(pen, at, &change, true);
                }
            }
            ViewRow::Live { resource, change } => {
                if let Some(change) = self.told(*resource, *change) {
                    self.side(pen, at, &change, false);
                }
            }
            ViewRow::Note { resource, change } => {
                if let Some(note) = self.change(*resource, *change).and_then(|c| c.note.as_deref()) {
                    pen.put(after(at, 4), note, Role::Warning);
                }
            }
            ViewRow::About { resource, line } => {
                let status = self.view.key(*resource).and_then(|key| state.world.resource(&key));
                if let Some(text) = status.and_then(|s| words::about(s).get(*line).cloned()) {
                    pen.put(after(at, 2), &text, Role::Warning);
                }
            }
            ViewRow::Line { resource, line } => self.unified(pen, at, *resource, *line),
            ViewRow::Pair { resource, desired, live } => self.pair(pen, at, *resource, *desired, *live),
            ViewRow::Fold { lines, .. } => {
                let text = format!("{} {} equal lines", pen.glyphs.fold, lines);
                pen.put(after(at, 1), &text, Role::Dim);
            }
            ViewRow::Loading { .. } => {
                let text = format!("{} reading both sides", spinner(pen, state));
                pen.put(after(at, 2), &text, Role::Dim);
            }
            ViewRow::Failed { resource } => self.failure(pen, at, *resource),
            ViewRow::Same { .. } => {
                let text =
                    if self.view.mode == Mode::Fields { "no field differs" } else { "both texts are equal" };
                pen.put(after(at, 2), text, Role::Dim);
            }
            ViewRow::Cut { .. } => {
                pen.put(
                    after(at, 2),
                    "the texts are longer than what is compared: the rest is not shown",
                    Role::Warning,
                );
            }
            ViewRow::Space => {}
        }
    }

    fn key(&self, resource: usize) -> Option<ResourceKey> {
        self.view.key(resource)
    }

    fn change(&self, resource: usize, change: usize) -> Option<&FieldChange> {
        let key = self.key(resource)?;
        self.state.world.resource(&key)?.judgement.changes.get(change)
    }

    /// Returns a change with what is known of who declared it.
    fn told(&self, resource: usize, change: usize) -> Option<FieldChange> {
        let key = self.key(resource)?;
        Some(self.state.told(&key, self.change(resource, change)?))
    }

    fn diff(&self, resource: usize) -> Option<&TextDiff> {
        self.state.diffs.get(&self.key(resource)?).and_then(Fetched::value)
    }

    /// Returns the file that the title names.
    fn file(&self, resource: usize) -> Option<&str> {
        let status = self.state.world.resource(&self.key(resource)?)?;
        status.origin.as_ref().map(|origin| origin.file.as_str())
    }

    fn heading(&self, pen: &mut Pen, at: Rect, resource: usize) {
        let Some(key) = self.key(resource) else { return };
        let text = format!("{} {}", key.id.kind.kind, words::name(&key.id));
        let status = self.state.world.resource(&key);
        let mark = status.map(|s| (marks::verdict(s.verdict(), &self.state.options), mark_role(s.verdict())));
        let mut used = 1;
        if let Some((mark, role)) = mark {
            used += pen.put_all(after(at, used), [(mark, role), (" ", Role::Text)]);
        }
        used += pen.put(after(at, used), &text, Role::Title);
        let summary = status.map(words::summary).unwrap_or_default();
        used += pen
            .put_all(after(at, used), [("  ", Role::Text), (summary.as_str(), Role::Dim), (" ", Role::Text)]);
        pen.rule(after(at, used));
    }

    /// Draws one side of a change, with who made it so.
    fn side(&self, pen: &mut Pen, at: Rect, change: &FieldChange, desired: bool) {
        let state = self.state;
        let (word, role, value) = if desired {
            ("desired", Role::Desired, &change.desired)
        } else {
            ("live", Role::Live, &change.live)
        };
        let who = if desired {
            declared(state, change)
        } else {
            words::writer(change, state.now, &state.options.zone)
        };
        let at = after(at, 4);
        pen.put(first(at, 9), word, role);
        let at = after(at, 9);
        let at = Rect { width: at.width.saturating_sub(1), ..at };
        let used = pen.put_right(
            Rect { x: at.x + at.width / 2, width: at.width - at.width / 2, ..at },
            &who,
            Role::Dim,
            Cut::Start,
        );
        let room = first(at, at.width.saturating_sub(used + 2));
        let role = if value.is_none() { Role::Dim } else { role };
        let text = words::value(value.as_ref());
        if self.view.sideways > 0 {
            pen.put(room, &cut::scrolled(&pen.shown(&text), self.view.sideways), role);
        } else {
            pen.put_cut(room, &text, role, Cut::Middle);
        }
    }

    fn failure(&self, pen: &mut Pen, at: Rect, resource: usize) {
        let key = self.key(resource);
        let failed = key.as_ref().and_then(|key| match self.state.diffs.get(key) {
            Some(Fetched::Failed { notice, .. }) => Some(notice.title.as_str()),
            _ => None,
        });
        pen.put(after(at, 2), failed.unwrap_or("it is no longer there"), Role::Error);
    }

    /// Returns the change that a line of a diff shows.
    fn change_of_line(&mut self, resource: usize, line: usize) -> Option<FieldChange> {
        if !self.lines.contains_key(&resource) {
            let key = self.key(resource)?;
            let changes = &self.state.world.resource(&key)?.judgement.changes;
            let lines = self.diff(resource).map(|diff| changes_of_lines(diff, changes)).unwrap_or_default();
            self.lines.insert(resource, lines);
        }
        let change = *self.lines.get(&resource)?.get(&line)?;
        self.told(resource, change)
    }

    fn unified(&mut self, pen: &mut Pen, at: Rect, resource: usize, line: usize) {
        let Some(side) = self.diff(resource).and_then(|diff| diff.lines.get(line)).map(|l| l.side) else {
            return;
        };
        let who = match self.change_of_line(resource, line) {
            Some(change) if side == Side::Desired => declared_on_line(&change, self.file(resource)),
            Some(change) => words::writer(&change, self.state.now, &self.state.options.zone),
            None => String::new(),
        };
        let (sign, role) = match side {
            Side::Both => (" ", Role::Dim),
            Side::Desired => ("-", Role::Desired),
            Side::Live => ("+", Role::Live),
        };
        let mut room = Rect { width: at.width.saturating_sub(1), ..at };
        // Who wrote it stands beside the line where the line leaves room; the line below the view says it in any case.
        let text: usize = self
            .diff(resource)
            .and_then(|diff| diff.lines.get(line))
            .map_or(0, |line| line.pieces.iter().map(|piece| cut::width(&pen.shown(&piece.text))).sum());
        let most = room.width.saturating_sub(u16::try_from(text).unwrap_or(u16::MAX).saturating_add(5));
        if !who.is_empty() && most >= FEWEST_OF_WHO {
            let place = Rect { x: room.x + room.width - most, width: most, ..room };
            let used = pen.put_right(place, &who, Role::Dim, Cut::End);
            room.width = room.width.saturating_sub(used + 2);
        }
        pen.put_all(room, [(sign, role), (" ", Role::Text)]);
        if let Some(line) = self.diff(resource).and_then(|diff| diff.lines.get(line)) {
            let at = after(room, 2);
            self.pieces(pen, at, line, self.lead(pen, line, at.width));
        }
    }

    fn pair(&self, pen: &mut Pen, at: Rect, resource: usize, desired: Option<usize>, live: Option<usize>) {
        let Some(diff) = self.diff(resource) else { return };
        let half = at.width / 2;
        let bar = pen.glyphs.bar;
        pen.put(first(after(at, half), 1), bar, Role::Rule);
        let numbers: u16 = if at.width >= 100 { 5 } else { 0 };
        let sides = [(desired, first(at, half)), (live, after(at, half + 1))];
        let sides = sides.map(|(line, place)| (line.and_then(|at| diff.lines.get(at)), place));
        // Both sides are moved by as much, so that they still stand beside each other.
        let leads = sides.iter().filter_map(|(line, place)| {
            line.map(|line| self.lead(pen, line, place.width.saturating_sub(numbers + 1)))
        });
        let lead = leads.max().unwrap_or(0);
        for (line, place) in sides {
            let Some(line) = line else { continue };
            let number = if place.x == at.x { line.desired_line } else { line.live_line };
            if let Some(number) = number.filter(|_| numbers > 0) {
                pen.put_right(first(place, numbers - 1), &number.to_string(), Role::Dim, Cut::End);
            }
            self.pieces(pen, after(place, numbers + 1), line, lead);
        }
    }

    /// Returns how many cells of what is equal on both sides are cut from a line, so that what differs is seen.
    fn lead(&self, pen: &Pen, line: &DiffLine, cells: u16) -> usize {
        let cells = usize::from(cells);
        let width = |piece: &Piece| cut::width(&pen.shown(&piece.text));
        let Some(at) = line.pieces.iter().position(|piece| piece.emphasised) else { return 0 };
        if self.view.sideways > 0 {
            return 0;
        }
        let start: usize = line.pieces.iter().take(at).map(width).sum();
        let end = start + line.pieces.get(at).map_or(0, width);
        // A cell at each end is the mark of what is cut.
        if end < cells { 0 } else { (end + 2).saturating_sub(cells).min(start.saturating_sub(BEFORE)) }
    }

    /// Draws a line's pieces: syntax where both sides agree, the side's hue where they differ. `lead` cells are cut from
    /// its start, and marked.
    fn pieces(&self, pen: &mut Pen, at: Rect, line: &DiffLine, lead: usize) {
        let mut at = at;
        let mut skip = self.view.sideways;
        if lead > 0 {
            skip = lead + 1;
            let mark = pen.glyphs.cut.to_string();
            at = after(at, pen.put(at, &mark, Role::Dim));
        }
        let searched = self.view.search.as_ref().map(|text| text.to_lowercase());
        for piece in &line.pieces {
            let text = pen.shown(&piece.text).into_owned();
            let width = cut::width(&text);
            if width <= skip {
                skip -= width;
                continue;
            }
            let text = cut::scrolled(&text, skip);
            skip = 0;
            let role = match (line.side, piece.emphasised) {
                (Side::Desired, true) => Role::DesiredWord,
                (Side::Live, true) => Role::LiveWord,
                (Side::Desired, false) => Role::Desired,
                (Side::Live, false) => Role::Live,
                (Side::Both, _) => token_role(piece.token),
            };
            let found = searched.as_ref().is_some_and(|wanted| text.to_lowercase().contains(wanted));
            let used = pen.put(at, &text, if found { Role::Match } else { role });
            at = after(at, used);
        }
    }

    /// Says about the change under the cursor what is known, in one sentence.
    fn about_current(&mut self, pen: &mut Pen, at: Rect) {
        let change = match self.view.rows.get(self.view.cursor) {
            Some(ViewRow::Line { resource, line }) => self.change_of_line(*resource, *line),
            Some(ViewRow::Pair { resource, desired, live }) => {
                let (resource, line) = (*resource, live.or(*desired).unwrap_or(0));
                self.change_of_line(resource, line)
            }
            Some(row) => row.change().and_then(|(resource, change)| self.told(resource, change)),
            None => None,
        };
        if let Some(change) = change {
            let line = vec![(format!(" {}", story(self.state, &change)), Role::Text)];
            let lines = wrap::wrap(&line, at.width.saturating_sub(2).into(), self.state.options.ascii);
            for (i, words) in (0..at.height).zip(&lines) {
                pen.put_all(at.row(i), words.iter().map(|(text, role)| (text.as_str(), *role)));
            }
            if lines.len() > usize::from(at.height) {
                let mark = pen.glyphs.cut.to_string();
                pen.put_right(first(at.row(at.height - 1), at.width - 1), &mark, Role::Dim, Cut::End);
            }
        }
    }
}

fn token_role(token: Token) -> Role {
    match token {
        Token::Plain => Role::Text,
        Token::Key => Role::Key,
        Token::Text => Role::String,
        Token::Number => Role::Number,
        Token::Constant => Role::Constant,
        Token::Comment => Role::Comment,
        Token::Punctuation => Role::Dim,
    }
}

/// Returns who declared a value, and where.
fn declared(state: &State, change: &FieldChange) -> String {
    let mut parts = Vec::new();
    match &change.declared {
        Some(Declared::By(commit)) => {
            parts.push(commit.author.clone());
            parts.push(commit.commit.short().to_owned());
            parts.extend(commit.authored.map(|at| words::when(at, state.now, &state.options.zone)));
        }
        Some(Declared::Uncommitted) => parts.push("not committed".to_owned()),
        Some(Declared::Unknown(_)) | None => {}
    }
    if let Some(origin) = &change.origin {
        parts.push(match origin.line {
            Some(line) => format!("{}:{line}", origin.file),
            None => origin.file.clone(),
        });
    }
    parts.join(", ")
}

/// The same beside a line, with the file where it is another than the one that the title names.
fn declared_on_line(change: &FieldChange, title: Option<&str>) -> String {
    let mut parts = Vec::new();
    match &change.declared {
        Some(Declared::By(commit)) => {
            parts.push(commit.author.clone());
            parts.push(commit.commit.short().to_owned());
        }
        Some(Declared::Uncommitted) => parts.push("not committed".to_owned()),
        Some(Declared::Unknown(_)) | None => {}
    }
    if let Some(origin) = &change.origin {
        match origin.line {
            Some(line) => parts.push(format!("line {line}")),
            None if title.is_some_and(|title| title != origin.file) => parts.push(origin.file.clone()),
            None => {}
        }
    }
    parts.join(", ")
}

fn story(state: &State, change: &FieldChange) -> String {
    let zone = &state.options.zone;
    let mut text = match &change.writer {
        Some(writer) => {
            let cause = words::cause(change.cause).map(|c| format!("{c}: ")).unwrap_or_default();
            let agent = change.agent.as_ref().map(|agent| format!("{agent}, ")).unwrap_or_default();
            format!("{cause}{agent}last write by {}", words::manager(writer, state.now, zone))
        }
        None if change.live.is_none() => "gone from the cluster: who removed it is not recorded".to_owned(),
        None => words::class(change.class).to_owned(),
    };
    match (&change.declared, &change.origin) {
        (Some(Declared::By(commit)), _) => {
            let when = commit.authored.map(|at| format!(" {}", words::when(at, state.now, zone)));
            text.push_str(&format!(
                "; {}'s commit {} \"{}\" {}{}{}",
                commit.author,
                commit.commit.short(),
                commit.subject,
                if commit.told == Told::Removed { "took it out of Git" } else { "declared the other value" },
                when.unwrap_or_default(),
                if commit.told == Told::Removed { "" } else { words::commit_told(commit) }
            ));
        }
        (Some(Declared::Uncommitted), _) if change.desired.is_none() => {
            text.push_str("; that Git declares it no longer is not committed");
        }
        (Some(Declared::Uncommitted), _) => text.push_str("; the declared value is not committed"),
        (_, Some(origin)) => {
            let line = origin.line.map(|line| format!(":{line}")).unwrap_or_default();
            text.push_str(&format!("; declared in {}{line}", origin.file));
        }
        (_, None) if change.desired.is_none() => text.push_str("; Git declares nothing here"),
        (_, None) => {}
    }
    text
}
