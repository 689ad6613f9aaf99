//! Defines the screen of a plan of a commit: on its way, ready, being carried out, or done.

use super::effect::Ticket;
use super::history_view::{Sides, push_resource};
use super::layer::Scroll;
use super::plan_view::{Phase, is_guarded};
use super::state::State;
use super::wrap::Words;
use super::{possible, words};
use crate::config::theme::Role;
use crate::model::command::Command;
use crate::model::commit_plan::{CommitPlan, Hidden, Publish, Reach};
use crate::model::status::ResourceStatus;
use crate::model::{AppId, ClusterId, FieldPath, Oid, ResourceId, StepOutcome, Timestamp};

/// What a plan of a commit is asked to be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRequest {
    pub app: AppId,
    /// The cluster that its effect is told for.
    pub cluster: Option<ClusterId>,
    pub what: CommitWhat,
    pub publish: Publish,
    /// What the app includes goes back as well.
    pub include: bool,
    /// The branch moves although files have uncommitted changes, which stay.
    pub dirty: bool,
    /// The message as the person wrote it, without its trailer.
    pub message: Option<String>,
}

/// What a commit is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitWhat {
    /// The app's path goes back to what it was.
    Back { to: Oid },
    /// What one commit changed is taken out.
    Undo { commit: Oid },
    /// What is live goes into the files that declare it: a field, resources, or everything that drifted.
    Capture { resources: Vec<ResourceId>, field: Option<FieldPath> },
    /// A field is ignored from now on; the root: the whole object.
    Ignore { resource: ResourceId, path: FieldPath, reach: Reach },
}

impl CommitRequest {
    pub fn new(app: AppId, cluster: Option<ClusterId>, what: CommitWhat) -> Self {
        Self { app, cluster, what, publish: Publish::No, include: false, dirty: false, message: None }
    }
}

/// One plan on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitView {
    pub ticket: Ticket,
    pub request: CommitRequest,
    pub phase: Phase,
    pub plan: Option<CommitPlan>,
    /// When the plan that is shown appeared.
    pub shown_at: Option<Timestamp>,
    /// Why the plan is another one than a moment ago.
    pub moved: Option<String>,
    /// What was typed for what the plan asks.
    pub confirmed: Vec<String>,
    pub scroll: Scroll,
}

impl CommitView {
    pub fn new(ticket: Ticket, request: CommitRequest, now: Timestamp) -> Self {
        Self {
            ticket,
            request,
            phase: Phase::Planning { since: now },
            plan: None,
            shown_at: None,
            moved: None,
            confirmed: Vec::new(),
            scroll: Scroll::default(),
        }
    }

    /// Shows a plan.
    pub fn show(&mut self, plan: CommitPlan, at: Timestamp, moved: Option<String>) {
        self.plan = Some(plan);
        self.phase = Phase::Ready;
        self.shown_at = Some(at);
        self.moved = moved;
        self.confirmed.clear();
        self.scroll = Scroll::default();
    }

    /// Returns whether a key that arrives now is dropped.
    pub fn is_guarded(&self, at: Timestamp) -> bool {
        is_guarded(self.shown_at, at)
    }

    /// Returns the message without the trailer that is added to every one.
    pub fn message(&self) -> Option<String> {
        let message = self.plan.as_ref()?.message.trim_end();
        let own = message.rsplit_once("\n\n").map_or(message, |(own, _)| own);
        Some(own.to_owned())
    }
}

/// Returns what the plan is, for its title: `Revert web to 40be1aa`.
pub fn title(view: &CommitView) -> String {
    match &view.request.what {
        CommitWhat::Back { to } => format!("Revert {} to {}", view.request.app.name, to.short()),
        CommitWhat::Capture { resources, field } => match (resources.as_slice(), field) {
            ([one], Some(path)) => format!("Capture {path} of {} {}", one.kind.kind, words::name(one)),
            ([one], None) => format!("Capture {} {}", one.kind.kind, words::name(one)),
            ([], _) => format!("Capture {}", view.request.app.name),
            (more, _) => {
                format!("Capture {} of {}", words::count(more.len(), "resource"), view.request.app.name)
            }
        },
        CommitWhat::Ignore { resource, path, reach } => {
            let field = if path.is_root() { "the whole".to_owned() } else { format!("{path} of") };
            match reach {
                Reach::Object => {
                    format!("Ignore {field} {} {}", resource.kind.kind, words::name(resource))
                }
                Reach::Kind => format!("Ignore {field} every {}", resource.kind),
                Reach::Path => format!("Ignore {field} every object"),
            }
        }
        CommitWhat::Undo { commit } => format!("Take out {} for {}", commit.short(), view.request.app.name),
    }
}

/// Returns the lines of a plan as far as it is known.
pub fn lines(state: &State, view: &CommitView) -> Vec<Words> {
    let mut lines = Vec::new();
    match &view.phase {
        Phase::Planning { .. } => {
            lines.push(text("preparing the commit, and rendering what would come of it"));
        }
        Phase::Failed(notice) => {
            lines.push(vec![(format!(" no plan: {}", notice.title), Role::Error)]);
            lines.extend([&notice.cause, &notice.hint].into_iter().flatten().map(|more| text(more)));
        }
        _ => {}
    }
    if let Some(why) = &view.moved {
        let why = format!(" nothing was written: {why}; this is the new plan");
        lines.push(vec![(why, Role::Warning)]);
    }
    let Some(plan) = &view.plan else { return lines };
    push_commit(plan, &mut lines);
    push_files(state, plan, &mut lines);
    match &plan.hides {
        Some(hides) => push_hidden(hides, &mut lines),
        None => push_effects(state, plan, &mut lines),
    }
    lines.push(Vec::new());
    lines.push(vec![(" message".to_owned(), Role::Title)]);
    lines.extend(plan.message.trim_end().lines().map(|line| vec![(format!("   {line}"), Role::Text)]));
    lines.push(Vec::new());
    for sentence in &plan.will_not {
        lines.push(vec![(" will not: ".to_owned(), Role::Warning), (sentence.clone(), Role::Text)]);
    }
    lines.extend(plan.remarks.iter().map(|sentence| text(sentence)));
    lines.push(vec![(" the same from a shell: ".to_owned(), Role::Dim), (plan.headless.clone(), Role::Text)]);
    if let Phase::Done { at, .. } = &view.phase {
        let done = |step: &&crate::model::commit_plan::CommitStep| {
            matches!(step.outcome, StepOutcome::Applied | StepOutcome::Unchanged)
        };
        let (good, all) = (plan.steps.iter().filter(done).count(), plan.steps.len());
        let at = words::clock(*at, &state.options.zone);
        let role = if good == all { Role::Good } else { Role::Warning };
        lines.push(vec![(format!(" done at {at}: {good} of {all} as planned"), role)]);
    }
    lines
}

/// Lists what would come of the commit: what Git declares, and what live would become.
fn push_effects(state: &State, plan: &CommitPlan, lines: &mut Vec<Words>) {
    let arrow = if state.options.ascii { "->" } else { "→" };
    let declared = format!("what Git declares, now {arrow} then");
    let sides =
        Sides { first: "what comes in", second: "what goes out", role: Role::Desired, live_first: true };
    push_effect(state, &declared, &plan.rendered, &sides, lines);
    let live = format!("live {arrow} desired then: what a sync would write");
    let sides =
        Sides { first: "would be created", second: "would be extra", role: Role::Live, live_first: true };
    push_effect(state, &live, &plan.effect, &sides, lines);
}

/// Lists what the rule would hide.
fn push_hidden(hides: &[Hidden], lines: &mut Vec<Words>) {
    lines.push(Vec::new());
    let heading = match hides.len() {
        0 => " hides nothing that counts now between desired and live".to_owned(),
        n => format!(" hides now, between desired and live: {}", words::count(n, "difference")),
    };
    lines.push(vec![(heading, Role::Title)]);
    for hidden in hides {
        lines.push(vec![
            (format!("   {} ", super::marks::class(hidden.class)), Role::Drift),
            (format!("{} on {}  ", hidden.app, hidden.context), Role::Text),
            (format!("{} {}  ", hidden.resource.kind.kind, words::name(&hidden.resource)), Role::Title),
            (hidden.path.to_string(), Role::Text),
        ]);
    }
}

fn text(sentence: &str) -> Words {
    vec![(format!(" {sentence}"), Role::Text)]
}

fn push_commit(plan: &CommitPlan, lines: &mut Vec<Words>) {
    let signed = plan.signed.as_ref().map(|how| format!(", signed with {how}")).unwrap_or_default();
    lines.push(text(&format!(
        "one commit in {} on top of {}, by {}{signed}",
        plan.repo_name,
        plan.base.short(),
        plan.author
    )));
    for step in &plan.steps {
        let (outcome, role) = match &step.outcome {
            StepOutcome::Planned => (String::new(), Role::Text),
            outcome @ (StepOutcome::Applied | StepOutcome::Unchanged) => {
                (outcome.word().to_owned(), Role::Good)
            }
            outcome => (outcome.word().to_owned(), Role::Error),
        };
        lines.push(vec![
            (format!("   {:<13}", step.action.word()), Role::Title),
            (step.note.clone().unwrap_or_default(), Role::Text),
            (format!("  {outcome}"), role),
        ]);
        if let Some(notice) = step.outcome.notice() {
            for more in
                [Some(&notice.title), notice.cause.as_ref(), notice.hint.as_ref()].into_iter().flatten()
            {
                lines.push(vec![(format!("                {more}"), Role::Error)]);
            }
        }
    }
    if let Some(commit) = &plan.commit {
        lines.push(vec![
            ("   is ".to_owned(), Role::Dim),
            (commit.short().to_owned(), Role::Accent),
            (format!(" on {}", plan.landing.branch()), Role::Text),
        ]);
    }
    if let Some(request) = &plan.request {
        lines.push(vec![("   request ".to_owned(), Role::Dim), (request.clone(), Role::Accent)]);
    }
}

fn push_files(state: &State, plan: &CommitPlan, lines: &mut Vec<Words>) {
    lines.push(Vec::new());
    lines.push(vec![(" files".to_owned(), Role::Title)]);
    if plan.files.is_empty() {
        lines.push(vec![("   none: they are that already".to_owned(), Role::Dim)]);
    }
    for file in &plan.files {
        lines.push(vec![
            (format!("   {:<8}", file.kind.word()), Role::Dim),
            (file.path.clone(), Role::Text),
            (format!("  {}", file.counted()), Role::Dim),
        ]);
    }
    let left: Vec<&str> = plan
        .included
        .iter()
        .filter(|included| !included.ticked)
        .map(|included| included.path.as_str())
        .collect();
    if !left.is_empty() {
        let key = possible::key(state, Command::TickStep);
        lines.push(vec![
            ("   [ ] ".to_owned(), Role::Warning),
            (left.join(", "), Role::Text),
            (format!("  which the app includes, stays: {key} brings it back as well"), Role::Dim),
        ]);
    }
    if let [first, rest @ ..] = plan.shared_with.as_slice() {
        let names = rest.iter().fold(first.clone(), |names, name| format!("{names}, {name}"));
        lines.push(vec![
            ("   read by ".to_owned(), Role::Warning),
            (names, Role::Text),
            (" too".to_owned(), Role::Dim),
        ]);
    }
}

fn push_effect(
    state: &State,
    heading: &str,
    effect: &Result<Vec<ResourceStatus>, String>,
    sides: &Sides<'_>,
    lines: &mut Vec<Words>,
) {
    lines.push(Vec::new());
    lines.push(vec![(format!(" {heading}"), Role::Title)]);
    match effect {
        Err(why) => lines.push(vec![(format!("   not known: {why}"), Role::Warning)]),
        Ok(none) if none.is_empty() => lines.push(vec![("   nothing differs".to_owned(), Role::Dim)]),
        Ok(statuses) => statuses.iter().for_each(|status| push_resource(state, sides, status, lines)),
    }
}

/// Returns the plan in Markdown, for the incident's record.
pub fn markdown(plan: &CommitPlan) -> String {
    use crate::text::markdown as code;
    use std::fmt::Write as _;
    let mut report = format!(
        "{} {} in {} on {}\n",
        plan.command,
        code(&plan.app.name),
        code(&plan.repo_name),
        code(plan.landing.branch())
    );
    for step in &plan.steps {
        let note = step.note.as_deref().unwrap_or_default();
        let _ = writeln!(report, "\n- {}: {} {}", step.action.word(), code(note), step.outcome.word());
    }
    if let Some(commit) = &plan.commit {
        let _ = writeln!(report, "\ncommit {}", code(&commit.0));
    }
    for file in &plan.files {
        let _ = writeln!(report, "- {} {} {}", file.kind.word(), code(&file.path), file.counted());
    }
    for status in plan.rendered.iter().flatten() {
        let _ = writeln!(report, "\n- {}", code(&status.id.to_string()));
        for change in status.judgement.counted() {
            let _ = writeln!(report, "  - {}", super::copy::write_markdown(change, true));
        }
    }
    let _ = writeln!(report, "\nthe same from a shell: {}", code(&plan.headless));
    report
}
