//! Defines what stands in the overlays that are only read (help, notices, who wrote what), as lines of words with
//! roles, and where those overlays lie.

use super::commit_view;
use super::history_view;
use super::layer::{Confirm, HelpView, HoldPrompt, JournalView, Layer, WhoView};
use super::layout::Rect;
use super::pods_view;
use super::possible::possible;
use super::state::State;
use super::words;
use super::wrap::{Words, wrap};
use crate::config::theme::Role;
use crate::model::command::{COMMANDS, Command, Entry, Place};
use crate::model::story::FieldStory;
use crate::model::{Declared, Fetched, FieldChange, Level, Story};

/// Returns where an overlay lies.
pub fn place(state: &State, layer: &Layer) -> Rect {
    let body = state.layout().body;
    let (width, height) = (box_width(state, layer), body.height.saturating_sub(1));
    let framed = |rows: usize| height.min(self::rows(rows) + 2);
    match layer {
        Layer::Help(_) => body.middle(width, framed(lines(state, layer).len())),
        Layer::Journal(_) => body.middle(width, height),
        Layer::Notices(_) => body.middle(width, height.min((rows(lines(state, layer).len()) + 2).max(8))),
        Layer::Palette(_) => body.middle(width, height.min(18)),
        Layer::Copy(menu) => body.middle(width, framed(menu.items.len())),
        Layer::Everything(menu) => body.middle(width, framed(menu.items.len())),
        // Below what is asked: a blank line, and what is typed.
        Layer::Confirm(_) | Layer::Message(_) | Layer::Hold(_) => {
            body.middle(width, framed(lines(state, layer).len() + 2))
        }
        Layer::Search(_) => state.layout().status,
        _ => body,
    }
}

fn box_width(state: &State, layer: &Layer) -> u16 {
    let most = match layer {
        Layer::Palette(_) => 92,
        Layer::Everything(_) => 88,
        Layer::Confirm(_) | Layer::Hold(_) => 64,
        _ => 100,
    };
    state.layout().body.width.saturating_sub(4).min(most)
}

fn rows(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX - 8)
}

/// Returns the lines of an overlay that is read, each as wide as its place.
pub fn lines(state: &State, layer: &Layer) -> Vec<Words> {
    let framed = usize::from(box_width(state, layer).saturating_sub(4));
    let (text, width) = match layer {
        Layer::Help(view) => (view.lines.clone(), framed),
        Layer::Notices(_) => (notices(state), framed),
        Layer::Journal(view) => (journal(state, view), framed),
        Layer::Who(view) => (who(state, view), usize::from(state.layout().body.width.saturating_sub(1))),
        Layer::Pods(view) => {
            (pods_view::lines(state, view), usize::from(state.layout().body.width.saturating_sub(1)))
        }
        Layer::Effect(view) => (
            history_view::effect_lines(state, view),
            usize::from(state.layout().body.width.saturating_sub(1)),
        ),
        Layer::Commit(view) => {
            (commit_view::lines(state, view), usize::from(state.layout().body.width.saturating_sub(1)))
        }
        Layer::Confirm(confirm) => (question(state, confirm), framed),
        Layer::Message(_) => (message_asked(), framed),
        Layer::Hold(prompt) => (hold_asked(state, prompt), framed),
        _ => return Vec::new(),
    };
    text.iter().flat_map(|line| wrap(line, width, state.options.ascii)).collect()
}

/// Returns how many lines of an overlay that is read are seen.
pub fn seen(state: &State, layer: &Layer) -> usize {
    let frame = if matches!(layer, Layer::Who(_) | Layer::Pods(_) | Layer::Effect(_) | Layer::Commit(_)) {
        1
    } else {
        2
    };
    usize::from(place(state, layer).height.saturating_sub(frame))
}

/// Returns how many lines of what the keys go to are below what is seen of it.
pub fn below(state: &State) -> usize {
    let (all, seen) = match state.layers.last() {
        None => return state.list_below(),
        Some(layer @ (Layer::Help(HelpView { scroll, .. }) | Layer::Notices(scroll))) => {
            (lines(state, layer).len(), scroll.top + seen(state, layer))
        }
        Some(layer @ Layer::Journal(view)) => {
            (lines(state, layer).len(), view.scroll.top + seen(state, layer))
        }
        Some(layer @ Layer::Who(view)) => (lines(state, layer).len(), view.scroll.top + seen(state, layer)),
        Some(layer @ Layer::Pods(view)) => (lines(state, layer).len(), view.scroll.top + seen(state, layer)),
        Some(layer @ Layer::Effect(view)) => {
            (lines(state, layer).len(), view.scroll.top + seen(state, layer))
        }
        Some(layer @ Layer::Commit(view)) => {
            (lines(state, layer).len(), view.scroll.top + seen(state, layer))
        }
        Some(Layer::History(view)) => return view.rows.below(history_view::rows_seen(state)),
        Some(Layer::Plan(view)) => (super::plan_lines::lines(state, view).len(), view.top + plan_rows(state)),
        Some(Layer::Resource(view)) => (view.rows.len(), view.top + resource_rows(state)),
        Some(Layer::Matrix(view)) => (view.apps.len(), view.top + matrix_rows(state)),
        Some(Layer::Changes(view)) => return view.rows.below(super::changes_view::rows_seen(state, view)),
        Some(layer @ Layer::Everything(menu)) => (menu.items.len(), seen(state, layer).max(menu.cursor + 1)),
        Some(_) => return 0,
    };
    all.saturating_sub(seen)
}

/// Returns how many lines of a plan are seen below its title.
pub fn plan_rows(state: &State) -> usize {
    usize::from(state.layout().body.height).saturating_sub(1).max(1)
}

/// Returns how many rows of a resource's view are seen, below its title and the line that says which side is which.
pub fn resource_rows(state: &State) -> usize {
    usize::from(state.layout().body.height).saturating_sub(2 + story_rows(state)).max(1)
}

/// Returns how many lines a resource's view keeps for what is known of the change under the cursor.
pub fn story_rows(state: &State) -> usize {
    if state.layout().body.height >= 12 { 2 } else { 1 }
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
fn notices(state: &State) -> Vec<Words> {
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
fn who(state: &State, view: &WhoView) -> Vec<Words> {
    let Some(status) = state.world.resource(&view.key) else {
        return vec![vec![("it is gone".to_owned(), Role::Dim)]];
    };
    let mut lines: Vec<Words> =
        words::about(status).into_iter().map(|line| vec![(format!(" {line}"), Role::Warning)]).collect();
    let fetched = state.stories.get(&view.key);
    let story = fetched.and_then(Fetched::value);
    let (counted, rest): (Vec<_>, Vec<_>) = status.judgement.changes.iter().partition(|change| change.counts);
    for change in counted.into_iter().chain(rest) {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        push_who(state, &state.told(&view.key, change), story, &mut lines);
    }
    if lines.is_empty() {
        lines.push(vec![(" nothing differs between desired and live".to_owned(), Role::Dim)]);
    }
    match fetched {
        Some(Fetched::Loading { .. }) => {
            lines.push(Vec::new());
            lines.push(vec![(" reading its history and its events".to_owned(), Role::Dim)]);
        }
        Some(Fetched::Failed { notice, .. }) => {
            lines.push(Vec::new());
            lines.push(vec![(format!(" its history cannot be read: {}", notice.title), Role::Warning)]);
        }
        _ => {}
    }
    if let Some(story) = story.filter(|story| story.whole) {
        push_events(state, story, &mut lines);
    }
    lines
}

/// Lists what the cluster's events say of the object.
fn push_events(state: &State, story: &Story, lines: &mut Vec<Words>) {
    lines.push(Vec::new());
    match &story.no_events {
        Some(why) => lines.push(vec![(format!(" its events cannot be read: {why}"), Role::Warning)]),
        None if story.events.is_empty() => {
            lines.push(vec![(" no events: clusters keep them for about an hour".to_owned(), Role::Dim)]);
        }
        None => lines.push(vec![(" events".to_owned(), Role::Title)]),
    }
    for event in &story.events {
        let at = event.at.map(|at| words::when(at, state.now, &state.options.zone)).unwrap_or_default();
        let role = if event.warning { Role::Warning } else { Role::Text };
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        lines.push(vec![
            (format!("   {at:<10}"), Role::Dim),
            (event.reason.clone(), role),
            (format!("  {}{times}", event.message), Role::Text),
            (format!("  {}", event.by), Role::Dim),
        ]);
    }
}

/// Tells what a field was applied with last, and what it was declared with before.
fn push_past(state: &State, field: &FieldStory, lines: &mut Vec<Words>) {
    let zone = &state.options.zone;
    if let Some(applied) = &field.applied {
        lines.push(side("applied", Role::Dim, words::value(Some(applied))));
    }
    for earlier in &field.earlier {
        let value = earlier.value.as_ref();
        let value = value.map_or_else(|| "not declared".to_owned(), |value| words::value(Some(value)));
        let by = words::declared(&Declared::By(earlier.commit.clone()), state.now, zone);
        lines.push(vec![
            (format!("   {:<10}", "before"), Role::Dim),
            (value, Role::Desired),
            (format!("   {by}"), Role::Dim),
        ]);
    }
    if field.earlier_more {
        lines.push(vec![(format!("             {}", "and more before that"), Role::Dim)]);
    }
}

fn push_who(state: &State, change: &FieldChange, story: Option<&Story>, lines: &mut Vec<Words>) {
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
        desired.push(words::declared(declared, state.now, zone));
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
    if let Some(field) = story.and_then(|s| s.fields.iter().find(|field| field.path == change.path)) {
        push_past(state, field, lines);
    }
    let cause = words::cause(change.cause).map(|cause| format!("{cause}: ")).unwrap_or_default();
    let live = match &change.writer {
        Some(writer) => {
            let agent = change.agent.as_ref().map(|agent| format!("{agent}, ")).unwrap_or_default();
            format!("{cause}{agent}last write by {}", words::manager(writer, state.now, zone))
        }
        None if change.live.is_none() => format!("{cause}who removed it is not recorded"),
        None => format!("{cause}who wrote it is not recorded"),
    };
    lines.push(side("live", Role::Live, words::value(change.live.as_ref())));
    lines.push(vec![(format!("             {live}"), Role::Dim)]);
    if let Some(note) = &change.note {
        lines.push(vec![(format!("             {note}"), Role::Warning)]);
    }
}

/// Returns what a prompt asks for before a plan is applied.
fn question(state: &State, confirm: &Confirm) -> Vec<Words> {
    let apply = super::possible::key(state, Command::Apply);
    let wanted = confirm.ask.words.join(" or ");
    vec![
        vec![
            (confirm.ask.why.clone(), Role::Warning),
            (": type ".to_owned(), Role::Text),
            (wanted, Role::Title),
        ],
        vec![(format!("enter checks the name; {apply} then applies the plan"), Role::Dim)],
    ]
}

/// Returns what the prompt for a commit's first line says.
fn message_asked() -> Vec<Words> {
    vec![
        vec![("the first line of the message:".to_owned(), Role::Text)],
        vec![("enter takes it and plans again; what stands below it stays".to_owned(), Role::Dim)],
    ]
}

/// Returns what the prompt for a hold says.
fn hold_asked(state: &State, prompt: &HoldPrompt) -> Vec<Words> {
    let (app, context) = (&prompt.deployment.app.name, state.world.context(&prompt.deployment.cluster));
    vec![
        vec![(format!("pause the engine of {app} on {context}: how long, then why"), Role::Text)],
        vec![("enter plans it; colleagues read it on the engine's object".to_owned(), Role::Dim)],
    ]
}

/// Returns what was done, newest first: what, to what, by whom, with what outcome.
fn journal(state: &State, view: &JournalView) -> Vec<Words> {
    let actions = match &view.actions {
        Fetched::Failed { notice, .. } => {
            let cause = notice.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
            return vec![vec![(format!("{}{cause}", notice.title), Role::Error)]];
        }
        Fetched::Ready { value, .. } => value,
        Fetched::Idle | Fetched::Loading { .. } => {
            return vec![vec![("reading".to_owned(), Role::Dim)]];
        }
    };
    if actions.is_empty() {
        return vec![vec![("nothing was done yet".to_owned(), Role::Dim)]];
    }
    let mut lines = Vec::new();
    for action in actions {
        let zone = &state.options.zone;
        let time = action.time.parse().map_or_else(
            |_| action.time.clone(),
            |time| {
                let (day, clock) = (words::when(time, state.now, zone), words::clock(time, zone));
                if day == clock { clock } else { format!("{day} {clock}") }
            },
        );
        let on = if action.cluster.is_empty() { String::new() } else { format!(" on {}", action.cluster) };
        let is_done = matches!(action.outcome.as_str(), "applied" | "unchanged");
        lines.push(vec![
            (format!("{time}  "), Role::Dim),
            (format!("{} {}{on}  ", action.command, action.app), Role::Title),
            (action.outcome.clone(), if is_done { Role::Good } else { Role::Warning }),
            (format!("  by {}  {}", action.who(), action.id), Role::Dim),
        ]);
        lines.extend(action.lines().into_iter().map(|line| vec![(format!("    {line}"), Role::Text)]));
    }
    lines
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
        Some(Layer::Hold(_)) => &[("enter", "plan it"), ("esc", "leave, writes nothing")],
        Some(Layer::Message(_)) => &[("enter", "take it"), ("esc", "as before")],
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
        // It works everywhere; where something else is at hand, there are better keys to name.
        let elsewhere = entry.command == Command::Changes && place != Place::Lists;
        if reading || at_home || elsewhere || possible(state, entry.command).is_err() {
            continue;
        }
        if let Some(key) = state.options.keymap.key(entry.command) {
            let pinned = matches!(entry.command, Command::Apply | Command::Back | Command::Help);
            offers.push(Offer { key: key.to_string(), word, pinned });
        }
    }
    offers
}
