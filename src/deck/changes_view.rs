//! Defines the screen "what changed": what happened since a time, everywhere, newest first.

use super::effect::Ticket;
use super::list::{List, Row};
use super::state::State;
use super::words;
use crate::model::{Blind, By, Happening, Past, Where};
use crate::text::markdown as code;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::sync::Arc;

/// How far back the screen looks, in the order of its key.
const SPANS: [(SignedDuration, &str); 4] = [
    (SignedDuration::from_mins(30), "30m"),
    (SignedDuration::from_hours(2), "2h"),
    (SignedDuration::from_hours(24), "24h"),
    (SignedDuration::from_hours(24 * 7), "7d"),
];
/// So long after clusters were asked it is said when that was.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How long after a look at what is known the next one follows at the earliest, while things change.
const LOOKS: SignedDuration = SignedDuration::from_secs(2);

impl Row for Arc<Happening> {}

/// The screen.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangesView {
    /// What is being asked for; `None`: nothing.
    pub ticket: Option<Ticket>,
    span: usize,
    /// What is known without asking clusters.
    known: Past,
    /// What clusters were asked for.
    asked: Past,
    /// They have answered, for this span.
    pub is_whole: bool,
    pub rows: List<Arc<Happening>>,
    /// What cannot be known.
    pub blind: Vec<Blind>,
    /// Of all rows, filtered or not, how many a person did by hand.
    pub by_hand: usize,
    pub all: usize,
    /// Something changed since the last look began, which was at this time.
    outdated: bool,
    looked: Timestamp,
    /// When clusters were last asked, and answered.
    answered: Option<Timestamp>,
    /// The oldest of all rows, filtered or not.
    oldest: Option<Timestamp>,
}

impl ChangesView {
    pub fn new(ticket: Ticket, now: Timestamp) -> Self {
        Self {
            ticket: Some(ticket),
            span: 0,
            known: Past::default(),
            asked: Past::default(),
            is_whole: false,
            rows: List::default(),
            blind: Vec::new(),
            by_hand: 0,
            all: 0,
            outdated: false,
            looked: now,
            answered: None,
            oldest: None,
        }
    }

    /// Returns how far back it looks, as it is written: `30m`.
    pub fn span(&self) -> &'static str {
        SPANS.get(self.span).map_or("", |(_, word)| word)
    }

    /// Returns the time from which on things are told.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        let span = SPANS.get(self.span).map(|(span, _)| *span).unwrap_or_default();
        now.checked_sub(span).unwrap_or(Timestamp::MIN)
    }

    /// Looks further back, and from the furthest on at the nearest again.
    pub fn next_span(&mut self, ticket: Ticket, now: Timestamp) {
        self.span = (self.span + 1) % SPANS.len();
        self.look_anew(ticket, now);
        self.is_whole = false;
        self.asked = Past::default();
        self.rows.settle_now();
    }

    /// Marks that a look has begun.
    pub fn look_anew(&mut self, ticket: Ticket, now: Timestamp) {
        self.ticket = Some(ticket);
        self.outdated = false;
        self.looked = now;
    }

    /// Marks that something has changed that it may have to tell.
    pub fn outdate(&mut self) {
        self.outdated = true;
    }

    /// Returns whether it is time to look again at what is known.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.outdated && self.ticket.is_none() && now.duration_since(self.looked) >= LOOKS
    }

    /// Returns whether a row is older by now than what the screen says that it tells of.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.oldest.is_some_and(|oldest| oldest < self.since(now))
    }

    /// Returns when clusters were asked, where that is a while ago: what they would tell now may be more.
    pub fn asked_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.answered.filter(|at| self.ticket.is_none() && now.duration_since(*at) > FRESH)
    }

    /// Takes in what is known, or what clusters were asked for: `last` once all of them have answered. Until then what
    /// they told before stays.
    pub fn take(&mut self, past: Past, asked: bool, last: bool, now: Timestamp) {
        match (asked, last) {
            (false, _) => self.known = past,
            (true, true) => {
                self.asked = past;
                self.is_whole = true;
                self.answered = Some(now);
            }
            (true, false) if !self.is_whole => self.asked = past,
            (true, false) => {}
        }
    }

    /// Lists anew what is to be shown.
    pub fn list(&mut self, now: Timestamp, zone: &TimeZone, height: usize) {
        let mut past = Past::joined([self.known.clone(), self.asked.clone()]);
        let since = self.since(now);
        past.happenings.retain(|happening| happening.time >= since);
        self.oldest = past.happenings.last().map(|happening| happening.time);
        self.by_hand = past.happenings.iter().filter(|h| h.who.by == By::Hand).count();
        self.all = past.happenings.len();
        self.blind = past.blind;
        let filter = self.rows.filter.as_deref().unwrap_or_default().to_lowercase();
        let fits = |h: &Happening| filter.split_whitespace().all(|word| cells(h, now, zone).contains(word));
        let listed = past.happenings.into_iter().filter(fits).map(Arc::new).collect();
        self.rows.refresh(listed, now, height);
    }
}

/// The cells of a row.
pub struct Cells {
    pub time: String,
    /// The cluster, or the repo.
    pub place: String,
    /// The app, or the branch.
    pub of: String,
    pub what: String,
    /// The same with no more than the object's own name, for narrow screens.
    pub brief: String,
    pub who: String,
}

impl Cells {
    pub fn of(happening: &Happening, now: Timestamp, zone: &TimeZone) -> Self {
        let (place, of) = match &happening.at {
            Where::Cluster { called, deployment, .. } => {
                (called.clone(), deployment.as_ref().map_or_else(String::new, |d| d.app.name.clone()))
            }
            Where::Repo { name, asked, .. } => (name.clone(), asked.clone()),
        };
        let named = happening.named().map(|id| format!("{} {}  ", id.kind.kind, words::name(id)));
        let name = happening.named().and_then(|id| id.name.as_ref()).map(|name| format!("{name}  "));
        Self {
            time: words::when(happening.time, now, zone),
            place,
            of,
            what: format!("{}{}", named.unwrap_or_default(), happening.what),
            brief: format!("{}{}", name.unwrap_or_default(), happening.what),
            who: happening.who.words(),
        }
    }

    fn contains(&self, word: &str) -> bool {
        [&self.place, &self.of, &self.what, &self.who].iter().any(|cell| cell.to_lowercase().contains(word))
    }
}

fn cells(happening: &Happening, now: Timestamp, zone: &TimeZone) -> Cells {
    Cells::of(happening, now, zone)
}

/// Lines that say what cannot be known, at most.
const BLIND: usize = 8;

/// Returns the lines that say what cannot be known, as many as there is room for: rows that no change needs are theirs.
pub fn blind_lines(state: &State, view: &ChangesView) -> Vec<String> {
    let height = usize::from(state.layout().body.height);
    let free = height.saturating_sub(1 + view.rows.rows().len().max(1));
    let room = free.min(BLIND).max(if height >= 24 { 4 } else { 1 });
    let zone = &state.options.zone;
    let all: Vec<String> = view.blind.iter().map(|blind| blind.words(|at| words::clock(at, zone))).collect();
    let more = all.len().saturating_sub(room);
    let mut lines: Vec<String> =
        all.into_iter().take(room).map(|words| format!("cannot know: {words}")).collect();
    if more > 0
        && let Some(last) = lines.last_mut()
    {
        *last = format!("{last}; and {more} more in the copy");
    }
    lines
}

/// Returns how many changes are seen, below the title and above what cannot be known.
pub fn rows_seen(state: &State, view: &ChangesView) -> usize {
    usize::from(state.layout().body.height).saturating_sub(1 + blind_lines(state, view).len()).max(1)
}

/// Returns the changes that are listed as Markdown, for the incident channel.
pub fn markdown(state: &State, view: &ChangesView) -> String {
    let zone = &state.options.zone;
    let zone_name = state.now.to_zoned(zone.clone()).strftime("%Z").to_string();
    let at = words::clock(state.now, zone);
    let mut report = format!("What changed in the last {}, at {at} {zone_name}\n\n", view.span());
    for happening in view.rows.rows() {
        let Cells { time, place, of, what, who, .. } = Cells::of(happening, state.now, zone);
        let place = [place, of].into_iter().filter(|cell| !cell.is_empty()).map(|cell| code(&cell));
        let place = place.collect::<Vec<_>>().join(" ");
        let _ = writeln!(report, "- {time} {place}: {} ({})", code(&what), code(&who));
    }
    for blind in &view.blind {
        let _ = writeln!(report, "\ncannot know: {}", code(&blind.words(|at| words::clock(at, zone))));
    }
    report
}
