//! Defines how times, values, writers and standings are worded, the same on every screen.
//!
//! Texts made here may hold words from outside; the drawing encodes them for the terminal.

use crate::model::status::{ClusterState, RepoStatus, ResourceStatus};
use crate::model::{
    Cause, Class, Declared, DeclaringCommit, Disagreement, Engine, FieldChange, HealthStatus, Hold, Revision,
    Segment, Timestamp, Told, Value, Verdict, Writer,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

/// What stands for a value that is not there.
pub const ABSENT: &str = "—";
/// What stands for a sealed value.
pub const SEALED: &str = "••••••";
/// Characters of a value that are worth a line.
const LONGEST_VALUE: usize = 400;

/// Returns an age in its steps: `now`, `1m`, `2m`, `5m`, `15m`, `30m`, hours, and the date above a day.
pub fn age(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        ..60 => "now".to_owned(),
        60..86_400 => {
            let minutes = seconds / 60;
            match minutes {
                ..2 => "1m".to_owned(),
                2..5 => "2m".to_owned(),
                5..15 => "5m".to_owned(),
                15..30 => "15m".to_owned(),
                30..60 => "30m".to_owned(),
                _ => format!("{}h", minutes / 60),
            }
        }
        _ => date(then, now, zone),
    }
}

/// Returns a point in time as a person would name it: `02:41` of the same day or of the same night, `yesterday`, `18 Nov`,
/// `18 Nov 2024`.
pub fn when(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (then_day, today) = (then.to_zoned(zone.clone()).date(), now.to_zoned(zone.clone()).date());
    let is_near = now.duration_since(then).abs() <= NEAR;
    if then_day == today || is_near { clock(then, zone) } else { date(then, now, zone) }
}

/// So far from now the time of day alone is told from that of other days.
const NEAR: SignedDuration = SignedDuration::from_hours(12);

/// Says of a pause who made it, until when, and why.
pub fn hold(hold: &Hold, now: Timestamp, zone: &TimeZone) -> String {
    let who = hold.who();
    let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match (hold.ours, hold.until) {
        (true, Some(until)) if hold.is_expired(now) => {
            format!("the hold of {who} expired at {}{reason}", when(until, now, zone))
        }
        (true, Some(until)) => format!("held until {} by {who}{reason}", when(until, now, zone)),
        (true, None) => format!("held by {who}{reason}"),
        (false, _) => {
            let since = hold.at.map(|at| format!(" since {}", when(at, now, zone))).unwrap_or_default();
            format!("paused by {who}{since}, not by driftdeck")
        }
    }
}

/// Returns the time of day: `02:41`.
pub fn clock(then: Timestamp, zone: &TimeZone) -> String {
    let then = then.to_zoned(zone.clone());
    format!("{:02}:{:02}", then.hour(), then.minute())
}

fn date(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (then, today) = (then.to_zoned(zone.clone()).date(), now.to_zoned(zone.clone()).date());
    if today.yesterday().is_ok_and(|yesterday| yesterday == then) {
        return "yesterday".to_owned();
    }
    let month = usize::try_from(then.month() - 1).ok().and_then(|m| MONTHS.get(m)).unwrap_or(&"");
    if then.year() == today.year() {
        format!("{} {month}", then.day())
    } else {
        format!("{} {month} {}", then.day(), then.year())
    }
}

/// Returns a value on one line: scalars as YAML would show them, lists and maps as JSON, sealed leaves as dots.
pub fn value(value: Option<&Value>) -> String {
    if let Some(Value::String(text)) = value
        && text.trim_end().contains('\n')
    {
        return format!("{} lines", text.lines().count());
    }
    let Some(value) = value else { return ABSENT.to_owned() };
    let mut text = String::new();
    match value {
        Value::String(s) if needs_quotes(s) => push_quoted(s, &mut text),
        Value::String(s) => text.push_str(s),
        other => push_json(other, &mut text),
    }
    if text.chars().count() > LONGEST_VALUE {
        text = text.chars().take(LONGEST_VALUE).collect();
        text.push('…');
    }
    text
}

/// Strings that would read as something else without quotes.
fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text.parse::<f64>().is_ok()
        || ["true", "false", "null", "yes", "no", "on", "off", "~"].contains(&text.to_lowercase().as_str())
        || text.starts_with(['{', '[', '"', '\'', ' '])
        || text.ends_with(' ')
        || text.contains('\n')
}

fn push_quoted(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn push_json(value: &Value, out: &mut String) {
    if out.len() > 4 * LONGEST_VALUE {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::String(s) => push_quoted(s, out),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                push_json(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                out.push_str(key);
                out.push_str(": ");
                push_json(item, out);
            }
            out.push('}');
        }
        Value::Sealed(_) => out.push_str(SEALED),
    }
}

/// Returns both sides of a change as they fit beside each other, the desired first.
///
/// A prefix up to a `/` that both share is left out, for it does not tell them apart: `web:1.4.2` and `web:1.4.3`.
pub fn sides(change: &FieldChange) -> (String, String) {
    let (desired, live) = (change.desired.as_ref(), change.live.as_ref());
    if let (Some(Value::String(a)), Some(Value::String(b))) = (desired, live)
        && let Some(at) = shared_prefix(a, b)
    {
        return (value(Some(&Value::string(&a[at..]))), value(Some(&Value::string(&b[at..]))));
    }
    (item(change, desired), item(change, live))
}

/// Returns the value of one side; of an item of a keyed list only what its path does not say already.
fn item(change: &FieldChange, side: Option<&Value>) -> String {
    let (Some(Segment::Keys(keys)), Some(Value::Map(map))) = (change.path.0.last(), side) else {
        return value(side);
    };
    let mut rest: Vec<_> = map.iter().filter(|(name, _)| !keys.iter().any(|(key, _)| key == *name)).collect();
    match (rest.pop(), rest.is_empty()) {
        (Some((_, only)), true) => value(Some(only)),
        _ => value(side),
    }
}

/// Returns how two texts of several lines differ, which says more than their first words: `14 lines, 2 differ`.
pub fn lines_differ(change: &FieldChange) -> Option<String> {
    let (Some(Value::String(a)), Some(Value::String(b))) = (&change.desired, &change.live) else {
        return None;
    };
    if !a.trim_end().contains('\n') && !b.trim_end().contains('\n') {
        return None;
    }
    let (desired, live) = (a.lines().count(), b.lines().count());
    let lines = if desired == live { format!("{live} lines") } else { format!("{desired} → {live} lines") };
    Some(format!("{lines}, {}", differing(a, b)))
}

fn differing(a: &str, b: &str) -> String {
    let (a, b): (Vec<_>, Vec<_>) = (a.lines().collect(), b.lines().collect());
    let same_head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - same_head;
    let same_tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count().min(most);
    let differ = a.len().max(b.len()) - same_head - same_tail;
    format!("{differ} {}", if differ == 1 { "differs" } else { "differ" })
}

fn shared_prefix(a: &str, b: &str) -> Option<usize> {
    let shared = a.char_indices().zip(b.chars()).find(|((_, x), y)| x != y).map(|((at, _), _)| at)?;
    a.get(..shared)?.rfind('/').map(|at| at + 1)
}

/// Returns whether a trimmed line of YAML shows the value of a change on the given side.
pub fn line_shows(line: &str, change: &FieldChange, desired: bool) -> bool {
    let (Some(field), Some(value)) =
        (change.path.last_field(), if desired { &change.desired } else { &change.live })
    else {
        return false;
    };
    let Some(rest) = line.strip_prefix(field).and_then(|rest| rest.strip_prefix(':')) else {
        return item_of(change, value).is_some_and(|(key, of)| {
            line.strip_prefix(key).and_then(|r| r.strip_prefix(':')).is_some_and(|r| shows(r, of))
        });
    };
    shows(rest, value)
}

/// Returns the key with its value by which an item of a keyed list is known, where the change is the whole item.
fn item_of<'a>(change: &'a FieldChange, value: &'a Value) -> Option<(&'a str, &'a Value)> {
    let Segment::Keys(keys) = change.path.0.last()? else { return None };
    let (key, _) = keys.first()?;
    value.get(key).map(|value| (key.as_str(), value))
}

fn shows(rest: &str, value: &Value) -> bool {
    let rest = rest.trim();
    match value {
        Value::String(s) => {
            rest == s || rest.trim_matches(['"', '\'']) == s || (s.contains('\n') && rest.starts_with('|'))
        }
        Value::Map(_) | Value::List(_) => rest.is_empty(),
        other => rest == self::value(Some(other)),
    }
}

/// Returns who or what made the live value what it is: `by hand, kubectl-edit, 02:41`.
pub fn writer(change: &FieldChange, now: Timestamp, zone: &TimeZone) -> String {
    let mut words = Vec::new();
    words.extend(cause(change.cause).map(str::to_owned));
    if let Some(writer) = &change.writer {
        words.push(change.agent.clone().unwrap_or_else(|| writer.name().to_owned()));
        words.extend(writer.time.map(|time| when(time, now, zone)));
    }
    match &change.note {
        Some(note) if words.is_empty() => note.clone(),
        _ => words.join(", "),
    }
}

pub fn cause(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::ByHand => Some("by hand"),
        Cause::Controller => Some("controller"),
        Cause::UnsyncedCommit => Some("unsynced commit"),
        Cause::FailedSync => Some("failed sync"),
        Cause::Webhook => Some("webhook"),
        Cause::Unknown => None,
    }
}

/// Returns a manager with operation, subresource and time: `kubectl edit (kubectl-edit, Update, 02:41)`.
pub fn manager(writer: &Writer, now: Timestamp, zone: &TimeZone) -> String {
    let mut facts = Vec::new();
    facts.extend(writer.called.is_some().then(|| writer.manager.clone()));
    facts.push(writer.operation.word().to_owned());
    facts.extend(writer.subresource.as_ref().map(|s| format!("through {s}")));
    facts.extend(writer.time.map(|time| when(time, now, zone)));
    format!("{} ({})", writer.name(), facts.join(", "))
}

/// Returns since when Git declares a value so: `Ana, 9c1f07e "Release 1.4.2", yesterday`.
pub fn declared(declared: &Declared, now: Timestamp, zone: &TimeZone) -> String {
    let commit = match declared {
        Declared::By(commit) => commit,
        Declared::Uncommitted => return "not committed".to_owned(),
        Declared::Unknown(why) => return why.clone(),
    };
    let mut words = format!("{}, {} \"{}\"", commit.author, commit.commit.short(), commit.subject);
    if let Some(authored) = commit.authored {
        words.push_str(", ");
        words.push_str(&when(authored, now, zone));
    }
    words + commit_told(commit)
}

/// Returns what must be said of how a commit is known, after its words.
pub fn commit_told(commit: &DeclaringCommit) -> &'static str {
    match (commit.told, commit.or_earlier) {
        (Told::Line, false) => "",
        (Told::Line, true) => ", or earlier: history ends there",
        (Told::Files, false) => " (the last that touched the files that can set it)",
        (Told::Files, true) => {
            " (the last that touched the files that can set it, or earlier: history ends there)"
        }
        (Told::Inputs, false) => " (the last that touched the app's files)",
        (Told::Inputs, true) => " (the last that touched the app's files, or earlier: history ends there)",
        (Told::Removed, _) => " (took it out of Git)",
    }
}

/// Returns what a class means, in a few words.
pub fn class(class: Class) -> &'static str {
    match class {
        Class::Changed => "the declared value differs",
        Class::Deleted => "the declared field is gone",
        Class::Leftover => "was declared, is no longer in Git, and is still live",
        Class::Foreign => "never declared, written by somebody else",
        Class::Contended => "declared here, and written again by a controller",
        Class::Delegated => "declared as a placeholder that a controller fills",
        Class::Ignored => "a rule hides it",
        Class::Order => "the same items in another order",
    }
}

/// Returns `1 app` or `2 apps`.
pub fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Returns the lines that say why a resource is what it is, beside its changes.
pub fn about(status: &ResourceStatus) -> Vec<String> {
    let judgement = &status.judgement;
    let mut lines = Vec::new();
    match &judgement.verdict {
        Verdict::Missing => lines.push("in Git, not in the cluster".to_owned()),
        Verdict::Extra => lines.push("in the cluster, no longer in Git".to_owned()),
        Verdict::Unknown(why) => lines.push(format!("not compared: {}", why.0)),
        Verdict::Excluded(why) => lines.push(why.0.clone()),
        Verdict::Terminating if judgement.finalizers.is_empty() => lines.push("being deleted".to_owned()),
        Verdict::Terminating => {
            lines.push(format!("being deleted, held by {}", judgement.finalizers.join(", ")));
        }
        Verdict::InSync | Verdict::Drifted | Verdict::Invalid => {}
    }
    if let Some(at) = &judgement.as_at {
        lines.push(format!("the cluster has it {}", at.words()));
    }
    for problem in &judgement.problems {
        let place = match (&problem.file, problem.line) {
            (Some(file), Some(line)) => format!(", {file}:{line}"),
            (Some(file), None) => format!(", {file}"),
            _ => String::new(),
        };
        let path = if problem.path == "." { String::new() } else { format!(" at {}", problem.path) };
        lines.push(format!("{}{path}{place}", problem.title));
    }
    if judgement.needs_replace {
        lines.push("a changed field cannot be changed in place: the object must be replaced".to_owned());
    }
    if let Some(exact) = &judgement.exact {
        lines.extend(exact.disagreements.iter().map(Disagreement::words));
    }
    if let Some(why) = &judgement.needs_exact {
        lines.push(format!("only the API server can say more: {why}"));
    }
    lines
}

/// Returns that a verdict is the API server's own, and since when: `exact, 02:41`.
pub fn exact(status: &ResourceStatus, now: Timestamp, zone: &TimeZone) -> Option<String> {
    status.judgement.exact.as_ref().map(|exact| format!("exact, {}", when(exact.at, now, zone)))
}

/// Returns what stands beside a resource: `2 fields`, `not in the cluster`, `2 fields, exact`.
pub fn summary(status: &ResourceStatus) -> String {
    let exact = if status.judgement.exact.is_some() { ", exact" } else { "" };
    verdict(status) + exact
}

fn verdict(status: &ResourceStatus) -> String {
    let judgement = &status.judgement;
    let (fields, ignored) = (judgement.counted().count(), judgement.ignored());
    match &judgement.verdict {
        Verdict::Drifted if fields > 0 => {
            let mut words = vec![count(fields, "field")];
            words.extend(judgement.as_at.as_ref().map(|at| format!("at {}", at.commit.short())));
            words.extend((ignored > 0).then(|| format!("{ignored} ignored")));
            words.join(", ")
        }
        Verdict::Drifted => "drifted".to_owned(),
        Verdict::Missing => "missing".to_owned(),
        Verdict::Extra => "not in Git".to_owned(),
        Verdict::Terminating => "terminating".to_owned(),
        Verdict::Invalid => "invalid in Git".to_owned(),
        Verdict::Unknown(_) => "not compared".to_owned(),
        Verdict::Excluded(why) if judgement.hidden_by().is_some() => why.0.clone(),
        Verdict::Excluded(_) => "excluded".to_owned(),
        Verdict::InSync => match judgement.changes.len() {
            0 => "in sync".to_owned(),
            n if n == ignored => format!("in sync, {n} ignored"),
            n => format!("in sync, {n} not counted"),
        },
    }
}

/// Returns a resource's health with its message: `Progressing, 1 of 3 ready`.
pub fn health(status: &ResourceStatus) -> String {
    let health = status.health();
    match (&health.message, health.status) {
        (Some(message), _) => format!("{}, {message}", health.status.word()),
        (None, HealthStatus::Missing | HealthStatus::Unknown) => String::new(),
        (None, status) => status.word().to_owned(),
    }
}

/// Returns a resource's name with its namespace: `shop/web`.
pub fn name(id: &crate::model::ResourceId) -> String {
    let name = id.name.as_deref().unwrap_or("*");
    match &id.namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

/// Returns the system that deploys an app, else how it renders.
pub fn engine(engine: Engine, spec: &crate::model::RenderSpec) -> &'static str {
    if engine == Engine::None { spec.word() } else { engine.word() }
}

/// Returns how far a checkout is from its upstream and from what is committed, in a few cells: `↓14 ↑2 *`. The marks
/// are those for behind and ahead.
pub fn distance_short(revision: &Revision, [behind, ahead]: [&str; 2]) -> Option<String> {
    let mut words = Vec::new();
    if revision.behind > 0 {
        words.push(format!("{behind}{}", revision.behind));
    }
    if revision.ahead > 0 {
        words.push(format!("{ahead}{}", revision.ahead));
    }
    if revision.dirty {
        words.push("*".to_owned());
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Returns what is desired, with who made it so: `fleet@3f2c1d9 "Raise memory of web", Ana, 2h`.
pub fn desired(repo: &RepoStatus, revision: &Revision, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = match &revision.commit {
        Some(commit) => format!("{}@{}", repo.name, commit.short()),
        None => format!("{} ({})", repo.name, revision.asked.words()),
    };
    if revision.dirty {
        text.push_str(" with uncommitted changes");
    }
    // What the repo says of its commit holds for this revision only if it is the same one.
    if repo.revision.as_ref().is_some_and(|r| r.commit == revision.commit) {
        if let Some(subject) = repo.subject.as_deref().filter(|s| !s.is_empty()) {
            text.push_str(&format!(" \"{subject}\""));
        }
        for more in [repo.author.clone(), repo.authored.map(|at| age(at, now, zone))].into_iter().flatten() {
            text.push_str(", ");
            text.push_str(&more);
        }
    }
    text
}

/// Returns how a cluster is reached: `live`, `no answer since 02:35, connection timed out, next try 02:45`.
pub fn cluster_state(state: &ClusterState, now: Timestamp, zone: &TimeZone) -> String {
    cluster_states(state, now, zone).swap_remove(0)
}

/// Returns how a cluster is reached in fewer and fewer words, for places of fewer cells. The reason is in all of them.
pub fn cluster_states(state: &ClusterState, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    match state {
        ClusterState::Connecting => vec!["connecting".to_owned()],
        ClusterState::Live => vec!["live".to_owned()],
        ClusterState::Stale { since, why } => {
            let since = when(*since, now, zone);
            vec![format!("stale since {since}, {why}"), format!("stale {since}, {why}")]
        }
        ClusterState::Denied { why, next_try } => {
            vec![format!("denied, {why}{}", trying(*next_try, now, zone)), format!("denied, {why}")]
        }
        ClusterState::Unreachable { since, why, next_try } => {
            let (since, why) = (when(*since, now, zone), no_answer(why));
            vec![
                format!("no answer since {since}, {why}{}", trying(*next_try, now, zone)),
                format!("no answer since {since}, {why}"),
                format!("since {since}, {why}"),
                format!("{since} {why}"),
            ]
        }
    }
}

/// Returns why nothing of a cluster was ever compared, in few words: `no answer, connection timed out`; `None` where it
/// may still answer at any moment.
pub fn not_reached(state: &ClusterState) -> Option<String> {
    match state {
        ClusterState::Denied { why, .. } => Some(format!("denied, {why}")),
        ClusterState::Unreachable { why, .. } => Some(format!("no answer, {}", no_answer(why))),
        ClusterState::Connecting | ClusterState::Live | ClusterState::Stale { .. } => None,
    }
}

/// Returns when a cluster is tried again, as it goes on after other words: `, next try 02:45`.
pub fn trying(next_try: Option<Timestamp>, now: Timestamp, zone: &TimeZone) -> String {
    next_try.map(|at| format!(", next try {}", when(at, now, zone))).unwrap_or_default()
}

/// Returns why there is no answer, without saying once more that there is none.
pub fn no_answer(why: &str) -> &str {
    why.split_once(" does not answer: ").map_or(why, |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FieldPath;
    use crate::value;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn change(path: &str, desired: Option<Value>, live: Option<Value>) -> FieldChange {
        FieldChange { desired, live, ..FieldChange::new(FieldPath::parse(path).unwrap(), Class::Changed) }
    }

    #[test]
    fn ages_step() {
        let now = at("2026-11-21T02:44:00Z");
        let steps = [
            ("2026-11-21T02:44:30Z", "now"),
            ("2026-11-21T02:43:01Z", "now"),
            ("2026-11-21T02:43:00Z", "1m"),
            ("2026-11-21T02:41:00Z", "2m"),
            ("2026-11-21T02:30:00Z", "5m"),
            ("2026-11-21T02:15:00Z", "15m"),
            ("2026-11-21T02:00:00Z", "30m"),
            ("2026-11-20T02:45:00Z", "23h"),
            ("2026-11-20T02:00:00Z", "yesterday"),
            ("2026-11-18T02:00:00Z", "18 Nov"),
            ("2025-11-18T02:00:00Z", "18 Nov 2025"),
        ];
        for (then, said) in steps {
            assert_eq!(age(at(then), now, &TimeZone::UTC), said, "{then}");
        }
    }

    #[test]
    fn a_time_of_the_same_night_is_told_by_the_clock_and_one_before_by_its_date() {
        let now = at("2026-11-21T00:10:00Z");
        for (then, said) in [
            ("2026-11-21T00:05:00Z", "00:05"),
            ("2026-11-20T23:50:00Z", "23:50"),
            ("2026-11-20T12:10:00Z", "12:10"),
            ("2026-11-20T12:09:00Z", "yesterday"),
            ("2026-11-19T23:50:00Z", "19 Nov"),
        ] {
            assert_eq!(when(at(then), now, &TimeZone::UTC), said, "{then}");
        }
        assert_eq!(when(at("2026-11-21T00:10:00Z"), at("2026-11-21T23:00:00Z"), &TimeZone::UTC), "00:10");
    }

    #[test]
    fn a_prefix_that_both_values_share_does_not_tell_them_apart() {
        let image = change(
            ".image",
            Some(value!("r.example.com/shop/web:1")),
            Some(value!("r.example.com/shop/web:2")),
        );
        assert_eq!(sides(&image), ("web:1".to_owned(), "web:2".to_owned()));
        let hosts = change(".image", Some(value!("a.example.com/web")), Some(value!("b.example.com/web")));
        assert_eq!(sides(&hosts), ("a.example.com/web".to_owned(), "b.example.com/web".to_owned()));
    }

    #[test]
    fn values_read_as_what_they_are() {
        assert_eq!(value(None), "—");
        assert_eq!(value(Some(&value!("1"))), "\"1\"");
        assert_eq!(value(Some(&value!(1))), "1");
        assert_eq!(value(Some(&value!("yes"))), "\"yes\"");
        assert_eq!(value(Some(&value!("web:1"))), "web:1");
        assert_eq!(value(Some(&value!({"name": "DEBUG", "value": "1"}))), r#"{name: "DEBUG", value: "1"}"#);
        assert_eq!(value(Some(&Value::Sealed(crate::model::Sealed::text("hunter2".to_owned())))), SEALED);
    }

    #[test]
    fn texts_of_several_lines_are_counted() {
        let config = change(".data.a", Some(value!("a\nb\nc\nd\n")), Some(value!("a\nX\nY\nd\n")));
        assert_eq!(lines_differ(&config).as_deref(), Some("4 lines, 2 differ"));
        let grown = change(".data.a", Some(value!("a\n")), Some(value!("a\na\n")));
        assert_eq!(lines_differ(&grown).as_deref(), Some("1 → 2 lines, 1 differs"));
    }

    #[test]
    fn a_line_of_yaml_is_found_for_a_change() {
        let image = change(".spec.image", Some(value!("web:1")), Some(value!("web:2")));
        assert!(line_shows("image: web:1", &image, true));
        assert!(line_shows("image: \"web:2\"", &image, false));
        assert!(!line_shows("image: web:1", &image, false));
        let env = change(r#".env[name="DEBUG"]"#, None, Some(value!({"name": "DEBUG", "value": "1"})));
        assert!(line_shows("name: DEBUG", &env, false));
        assert!(!line_shows("name: OTHER", &env, false));
    }
}
