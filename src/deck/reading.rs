//! Defines what stands in the overlays that are only read (help, notices, who wrote what), as lines of words with
//! roles, and where those overlays lie.

use super::layer::{Layer, WhoView};
use super::layout::Rect;
use super::possible::possible;
use super::state::State;
use super::words;
use crate::config::theme::Role;
use crate::model::command::{COMMANDS, Command, Entry, Place};
use crate::model::{FieldChange, Level};

/// A line of words, each with what it is for.
pub type Words = Vec<(String, Role)>;

/// Returns where an overlay lies.
pub fn place(state: &State, layer: &Layer) -> Rect {
    let body = state.layout().body;
    let (width, height) = (body.width.saturating_sub(4).min(100), body.height.saturating_sub(1));
    match layer {
        Layer::Help(view) => body.middle(width, height.min(rows(view.lines.len()) + 2)),
        Layer::Notices(_) => body.middle(width, height.min((rows(notices(state).len()) + 2).max(8))),
        Layer::Palette(_) => body.middle(width.min(92), height.min(18)),
        Layer::Copy(menu) => body.middle(width, height.min(rows(menu.items.len()) + 2)),
        Layer::Everything(menu) => body.middle(width.min(88), height.min(rows(menu.items.len()) + 2)),
        Layer::Confirm(_) => body.middle(width.min(64), height.min(6)),
        Layer::Search(_) => state.layout().status,
        _ => body,
    }
}

fn rows(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX - 8)
}

/// Returns how many lines the topmost overlay has.
pub fn height(state: &State) -> usize {
    match state.layers.last() {
        Some(Layer::Help(view)) => view.lines.len(),
        Some(Layer::Notices(_)) => notices(state).len(),
        Some(Layer::Who(view)) => who(state, view).len(),
        _ => 0,
    }
}

/// Returns how many lines of the topmost overlay are seen.
pub fn seen(state: &State) -> usize {
    let frame = if matches!(state.layers.last(), Some(Layer::Who(_))) { 1 } else { 2 };
    state.layers.last().map_or(0, |layer| usize::from(place(state, layer).height.saturating_sub(frame)))
}

/// Returns how many apps the matrix shows, below its title and the clusters' names.
pub fn matrix_rows(state: &State) -> usize {
    usize::from(state.layout().body.height.saturating_sub(2))
}

/// Returns the keys of where the person is, and why some cannot work now.
pub fn help(state: &State) -> Vec<Words> {
    let place = state.place();
    let mut lines = Vec::new();
    for place in [place, Place::Everywhere] {
        let entries: Vec<&Entry> = COMMANDS.iter().filter(|entry| entry.places.contains(&place)).collect();
        if entries.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![(place.words().to_owned(), Role::Title)]);
        lines.extend(entries.into_iter().filter_map(|entry| help_line(state, entry)));
    }
    lines.push(Vec::new());
    lines.push(vec![("marks".to_owned(), Role::Title)]);
    lines.extend(legend(state));
    lines
}

fn help_line(state: &State, entry: &Entry) -> Option<Words> {
    let keys = state.options.keymap.keys(entry.command);
    if keys.is_empty() {
        return None;
    }
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let mut line =
        vec![(format!("  {:<12}", keys.join(" ")), Role::Accent), (entry.help.to_owned(), Role::Text)];
    if let Err(why) = possible(state, entry.command) {
        line.push((format!("  ({why})"), Role::Dim));
    }
    Some(line)
}

fn legend(state: &State) -> Vec<Words> {
    use crate::model::Class;
    let mut lines = Vec::new();
    let verdicts = [
        ("drifted", "a declared field differs, or a person added one"),
        ("missing", "in Git, not in the cluster"),
        ("extra", "in the cluster, no longer in Git"),
        ("terminating", "being deleted"),
        ("invalid", "cannot be applied as Git declares it"),
        ("unknown", "not compared; the row says why"),
        ("in-sync", "as Git declares it"),
        ("excluded", "not deployed here, a hook, or told to be skipped"),
    ];
    for (word, meaning) in verdicts {
        let mark = super::marks::verdict_word(word, &state.options);
        lines.push(vec![(format!("  {mark:<12}"), Role::Drift), (format!("{word}: {meaning}"), Role::Text)]);
    }
    for class in [
        Class::Changed,
        Class::Deleted,
        Class::Foreign,
        Class::Leftover,
        Class::Contended,
        Class::Delegated,
        Class::Ignored,
        Class::Order,
    ] {
        let letter = super::marks::class(class);
        lines.push(vec![
            (format!("  {letter:<12}"), Role::Drift),
            (format!("{}: {}", class.word(), words::class(class)), Role::Text),
        ]);
    }
    lines
}

/// Returns the notices, newest first, and the log below them.
pub fn notices(state: &State) -> Vec<Words> {
    let mut lines = Vec::new();
    if state.notices.is_empty() {
        lines.push(vec![("no notices".to_owned(), Role::Dim)]);
    }
    for noted in &state.notices {
        let notice = &noted.notice;
        let role = match notice.level {
            Level::Error => Role::Error,
            Level::Warning => Role::Warning,
            Level::Info => Role::Text,
        };
        let at = words::clock(noted.at, &state.options.zone);
        let times = if noted.times > 1 { format!(" ({} times)", noted.times) } else { String::new() };
        let mut line = vec![
            (format!("{at} "), Role::Dim),
            (format!("{:<8}", notice.level.word()), role),
            (notice.title.clone(), role),
        ];
        line.push((times, Role::Dim));
        lines.push(line);
        let place = match (&notice.file, notice.line) {
            (Some(file), Some(line)) => Some(format!("{file}:{line}")),
            (Some(file), None) => Some(file.clone()),
            _ => None,
        };
        for more in [&notice.object, &place, &notice.cause, &notice.hint].into_iter().flatten() {
            lines.push(vec![(format!("{:14}{more}", ""), Role::Dim)]);
        }
    }
    if !state.log.is_empty() {
        lines.push(Vec::new());
        lines.push(vec![("log".to_owned(), Role::Title)]);
        for (at, line) in &state.log {
            let at = words::clock(*at, &state.options.zone);
            lines.push(vec![(format!("{at} "), Role::Dim), (line.clone(), Role::Text)]);
        }
    }
    lines
}

/// Returns who wrote each side of a resource's changes, as far as it is known.
pub fn who(state: &State, view: &WhoView) -> Vec<Words> {
    let Some(status) = state.world.resource(&view.key) else {
        return vec![vec![("it is gone".to_owned(), Role::Dim)]];
    };
    let mut lines: Vec<Words> =
        words::about(status).into_iter().map(|line| vec![(format!(" {line}"), Role::Warning)]).collect();
    let (counted, rest): (Vec<_>, Vec<_>) = status.judgement.changes.iter().partition(|change| change.counts);
    for change in counted.into_iter().chain(rest) {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        push_who(state, change, &mut lines);
    }
    if lines.is_empty() {
        lines.push(vec![(" nothing differs between desired and live".to_owned(), Role::Dim)]);
    }
    lines
}

fn push_who(state: &State, change: &FieldChange, lines: &mut Vec<Words>) {
    let zone = &state.options.zone;
    let counted = if change.counts { Role::Drift } else { Role::Dim };
    lines.push(vec![
        (format!(" {} ", super::marks::class(change.class)), counted),
        (change.path.to_string(), Role::Title),
        (format!("  {}: {}", change.class.word(), words::class(change.class)), Role::Dim),
    ]);
    let mut desired = Vec::new();
    if let Some(origin) = &change.origin {
        let line = origin.line.map(|line| format!(":{line}")).unwrap_or_default();
        desired.push(format!("{}{line}", origin.file));
    }
    if let Some(declared) = &change.declared {
        let when = words::when(declared.authored, state.now, zone);
        desired.push(format!(
            "{}, {} \"{}\", {when}",
            declared.author,
            declared.commit.short(),
            declared.subject
        ));
    }
    let declared = if change.desired.is_some() {
        "where it is declared is not known"
    } else {
        "Git declares nothing here"
    };
    lines.push(side("desired", Role::Desired, words::value(change.desired.as_ref())));
    lines.push(vec![(
        format!(
            "             {}",
            if desired.is_empty() { declared.to_owned() } else { desired.join("   ") }
        ),
        Role::Dim,
    )]);
    let cause = words::cause(change.cause).map(|cause| format!("{cause}: ")).unwrap_or_default();
    let live = match &change.writer {
        Some(writer) => format!("{cause}last write by {}", words::manager(writer, state.now, zone)),
        None if change.live.is_none() => format!("{cause}who removed it is not recorded"),
        None => format!("{cause}who wrote it is not recorded"),
    };
    lines.push(side("live", Role::Live, words::value(change.live.as_ref())));
    lines.push(vec![(format!("             {live}"), Role::Dim)]);
    if let Some(note) = &change.note {
        lines.push(vec![(format!("             {note}"), Role::Warning)]);
    }
}

fn side(word: &str, role: Role, value: String) -> Words {
    vec![(format!("   {word:<10}"), role), (value, role)]
}

/// A key of the footer with its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub key: String,
    pub word: &'static str,
    /// It stays where there is no room for all.
    pub pinned: bool,
}

/// Returns what the footer offers here: keys with their words, most useful first, only what works now.
pub fn footer(state: &State) -> Vec<Offer> {
    let fixed: &[(&str, &'static str)] = match state.layers.last() {
        Some(Layer::Search(_)) => &[("enter", "keep"), ("esc", "as before")],
        Some(Layer::Palette(_)) => &[("enter", "do it"), ("up down", "choose"), ("esc", "leave")],
        Some(Layer::Confirm(_)) => &[("enter", "check the name"), ("esc", "leave, writes nothing")],
        Some(Layer::Copy(_) | Layer::Everything(_)) => &[("enter", "choose"), ("esc", "leave")],
        _ => &[],
    };
    if !fixed.is_empty() {
        let offer = |(key, word): &(&str, &'static str)| Offer {
            key: (*key).to_owned(),
            word,
            pinned: *key == "esc",
        };
        return fixed.iter().map(offer).collect();
    }
    let place = state.place();
    let mut offers = Vec::new();
    for entry in super::possible::here(state) {
        let Some(word) = entry.footer else { continue };
        // Where the person only reads, what belongs to lists is not offered.
        let reading = place == Place::Reading
            && !matches!(entry.command, Command::Back | Command::Copy | Command::Help);
        let at_home = state.layers.is_empty() && entry.command == Command::Back;
        if reading || at_home || possible(state, entry.command).is_err() {
            continue;
        }
        if let Some(key) = state.options.keymap.key(entry.command) {
            let pinned = matches!(entry.command, Command::Apply | Command::Back | Command::Help);
            offers.push(Offer { key: key.to_string(), word, pinned });
        }
    }
    offers
}
