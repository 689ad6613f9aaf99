//! Defines what was typed: the command line of the headless contract. What it means is decided by each command.

use crate::cli::opening::wishes;
use crate::cli::output::Format;
use crate::model::Notice;
use crate::pipeline::opening::Wishes;
use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint,
};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// See drift between Git and Kubernetes, know who caused it, and put it right.
///
/// Without a command it opens the deck: on the repository that the current folder is in and the current kube context.
#[derive(Debug, Parser)]
#[command(name = "driftdeck", version, max_term_width = 100, subcommand_help_heading = "Commands")]
pub struct Arguments {
    /// Repositories to open: paths or https and ssh URLs
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands. Each is described where it is listed.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the deck on a made-up world: a repository with history and two clusters that have drifted from it
    Demo(DemoArguments),
    /// List the apps that were discovered, and from where
    Apps(Places),
    /// Print the manifests of a file, folder, kustomization or chart, with the origin of each
    Render(RenderArguments),
    /// Compare desired with live from files or folders, without a cluster
    Compare(CompareArguments),
    /// Print the verdict of every discovered app against its cluster
    Check(Places),
    /// Print what differs, for people: changed fields with writer and origin
    Diff(DiffArguments),
    /// Print what changed anywhere, newest first, and what cannot be known of it
    Changes(ChangesArguments),
    /// Print the commits that touch an app, and which of them the cluster matches best; a cluster is not needed
    History(HistoryArguments),
    /// Plan, print the plan, ask, write, and wait for the verdict
    Sync(SyncArguments),
    /// Commit what puts an app's path back to what it was at a commit; a cluster is not needed
    Revert(RevertArguments),
    /// Commit live values into the files that declare them: plain manifests, kustomizations and charts
    Capture(CaptureArguments),
    /// Commit an ignore rule for a field that differs: shown first with all that it would hide now
    Ignore(IgnoreArguments),
    /// Undo a sync of the journal: plan, print the plan, ask, write; a repository is not needed
    Undo(UndoArguments),
    /// Pause the automation of an app's engine, with a reason and an end: plan, print the plan, ask, write; or list all pauses
    Hold(HoldArguments),
    /// Let the engine of an app go on that is on hold: plan, print the plan, ask, write
    Resume(ResumeArguments),
    /// Carry out a plan that `sync --dry-run -o json` wrote; refused if anything that it is bound to has moved
    Apply(ApplyArguments),
    /// Print what was found on this machine and in the clusters, and what is missing; --exact: the rate of agreement
    Doctor(Places),
    /// Print what was done, by whom, with what outcome
    Journal(JournalArguments),
    /// Print, for handing over, as Markdown: what is held, what is open, what still drifts, and what was done
    Report(ReportArguments),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Answers for driftdeck itself, in a process of its own: which fields jq expressions of ignore rules name
    #[command(hide = true, name = crate::pipeline::selecting::COMMAND)]
    SelectPaths,
}

impl Command {
    /// Returns the command's name as it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Apps(_) => "apps",
            Self::Render(_) => "render",
            Self::Compare(_) => "compare",
            Self::Check(_) => "check",
            Self::Diff(_) => "diff",
            Self::Changes(_) => "changes",
            Self::History(_) => "history",
            Self::Sync(_) => "sync",
            Self::Revert(_) => "revert",
            Self::Capture(_) => "capture",
            Self::Ignore(_) => "ignore",
            Self::Undo(_) => "undo",
            Self::Hold(_) => "hold",
            Self::Resume(_) => "resume",
            Self::Apply(_) => "apply",
            Self::Doctor(_) => "doctor",
            Self::Journal(_) => "journal",
            Self::Report(_) => "report",
            Self::Completions { .. } => "completions",
            Self::Man => "man",
            Self::SelectPaths => crate::pipeline::selecting::COMMAND,
        }
    }

    /// Returns whether it may write to a cluster or a repository.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Sync(_) | Self::Apply(_) | Self::Undo(_) | Self::Resume(_))
            || matches!(self, Self::Revert(_) | Self::Capture(_) | Self::Ignore(_))
            || matches!(self, Self::Hold(hold) if !hold.list)
    }

    /// Returns whether it asks an API server for a last word only if that is wanted.
    fn can_be_exact(&self) -> bool {
        match self {
            Self::Check(_) | Self::Doctor(_) | Self::Demo(_) => true,
            Self::Diff(what) => what.base.is_none(),
            _ => false,
        }
    }
}

/// Reads a command line. A variable of the environment that is set to nothing counts as not set. `--exact` is refused
/// where it can have no effect; there the environment's wish for it is passed over, since it speaks to every command.
pub fn read(words: &[OsString]) -> Result<Arguments, clap::Error> {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = Arguments::command()
        .mut_args(|arg| if arg.get_env().is_some_and(is_empty) { arg.env(None::<&str>) } else { arg });
    let matches = command.try_get_matches_from(words)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    if let Some(command) = arguments.command.as_ref().filter(|command| !command.can_be_exact()) {
        if is_typed(&matches, "exact") {
            let why = format!(
                "--exact has no effect on {}: check, diff of a cluster, doctor and the deck take it",
                command.name()
            );
            return Err(Arguments::command().error(ErrorKind::ArgumentConflict, why));
        }
        arguments.options.exact = false;
    }
    Ok(arguments)
}

/// Returns whether an option stands on the command line, before or after the command.
fn is_typed(matches: &ArgMatches, option: &str) -> bool {
    matches.value_source(option) == Some(ValueSource::CommandLine)
        || matches.subcommand().is_some_and(|(_, matches)| is_typed(matches, option))
}

/// Returns the form and the command that a command line asks for which cannot be read as a whole; `otherwise`: the form
/// that the environment asks for.
pub fn glance(words: &[OsString], otherwise: Option<&str>) -> (Format, Option<String>) {
    let mut words = words.iter().skip(1).filter_map(|word| word.to_str());
    let (mut format, mut command) = (None, None);
    while let Some(word) = words.next() {
        let form = match word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o=")) {
            None if matches!(word, "-o" | "--output") => words.next(),
            None => word.strip_prefix("-o").filter(|form| !form.is_empty()),
            given => given,
        };
        format = form.and_then(|form| Format::from_str(form, true).ok()).or(format);
        if command.is_none() && Arguments::command().find_subcommand(word).is_some() {
            command = Some(word.to_owned());
        }
    }
    let otherwise = otherwise.and_then(|form| Format::from_str(form, true).ok());
    (format.or(otherwise).unwrap_or_default(), command)
}

/// Returns the command that a word was perhaps meant to be: one that differs in a letter or two.
pub fn command_like(word: &str) -> Option<String> {
    let known = Arguments::command();
    let near =
        known.get_subcommands().map(|c| (strsim::damerau_levenshtein(c.get_name(), word), c.get_name()));
    near.min().filter(|(distance, _)| *distance <= 2 && word.len() > 2).map(|(_, name)| name.to_owned())
}

/// Options that every command takes. Each can be set as `DRIFTDECK_...` too.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Options")]
pub struct Options {
    /// Kubeconfig context (repeatable)
    #[arg(long, value_name = "C", global = true, env = "DRIFTDECK_CONTEXT", value_delimiter = ',')]
    pub context: Vec<String>,
    /// Kubeconfig file, instead of KUBECONFIG and ~/.kube/config
    #[arg(long, value_name = "FILE", global = true, env = "DRIFTDECK_KUBECONFIG", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// Act as this user
    #[arg(long = "as", value_name = "USER", global = true, env = "DRIFTDECK_AS")]
    pub as_user: Option<String>,
    /// Act as a member of this group (repeatable)
    #[arg(long, value_name = "GROUP", global = true, env = "DRIFTDECK_AS_GROUP", value_delimiter = ',')]
    pub as_group: Vec<String>,
    /// Namespace of manifests that name none
    #[arg(short, long, value_name = "NS", global = true, env = "DRIFTDECK_NAMESPACE")]
    pub namespace: Option<String>,
    /// Branch, tag or commit; default: the working folder with its uncommitted changes
    #[arg(long, value_name = "REV", global = true, env = "DRIFTDECK_REVISION")]
    pub revision: Option<String>,
    /// Only apps of this name (repeatable; `*` and `?` match)
    #[arg(long = "app", value_name = "NAME", global = true, env = "DRIFTDECK_APP", value_delimiter = ',')]
    pub apps: Vec<String>,
    /// Have the API server dry-run every object as the last word; writes nothing (check, diff, doctor, the deck)
    #[arg(long, global = true, env = "DRIFTDECK_EXACT", value_parser = FalseyValueParser::new())]
    pub exact: bool,
    /// Write nothing, whatever is asked
    #[arg(long, global = true, env = "DRIFTDECK_READ_ONLY", value_parser = FalseyValueParser::new())]
    pub read_only: bool,
    /// Configuration file
    #[arg(long, value_name = "FILE", global = true, env = "DRIFTDECK_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Time for the whole command, such as 90s or 5m
    #[arg(long, value_name = "D", global = true, env = "DRIFTDECK_TIMEOUT", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Time for one request to a cluster
    #[arg(long, value_name = "D", global = true, env = "DRIFTDECK_REQUEST_TIMEOUT", value_parser = duration)]
    pub request_timeout: Option<Duration>,
    /// What could not be compared (3) wins over drift (1)
    #[arg(long, global = true, env = "DRIFTDECK_STRICT", value_parser = FalseyValueParser::new())]
    pub strict: bool,
    /// Exit 0 on drift and on what could not be compared
    #[arg(long, global = true, env = "DRIFTDECK_EXIT_ZERO", value_parser = FalseyValueParser::new())]
    pub exit_zero: bool,
    /// Form of the result
    #[arg(short, long, value_name = "FORM", global = true, env = "DRIFTDECK_OUTPUT", default_value = "text")]
    pub output: Format,
    /// No progress and no notices below errors
    #[arg(short, long, global = true, env = "DRIFTDECK_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
    /// No colour
    #[arg(long, global = true, env = "DRIFTDECK_NO_COLOR", value_parser = FalseyValueParser::new())]
    pub no_color: bool,
    /// Theme of the deck: dark, light, none, or one of your own
    #[arg(long, value_name = "NAME", global = true, env = "DRIFTDECK_THEME")]
    pub theme: Option<String>,
    /// ASCII instead of other glyphs
    #[arg(long, global = true, env = "DRIFTDECK_ASCII", value_parser = FalseyValueParser::new())]
    pub ascii: bool,
    /// Log file, instead of the one in the state folder
    #[arg(long, value_name = "FILE", global = true, env = "DRIFTDECK_LOG_FILE", value_hint = ValueHint::FilePath)]
    pub log_file: Option<PathBuf>,
}

/// Where to look.
#[derive(Debug, Args, Clone, Default)]
pub struct Places {
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Keep the demo's world still
    #[arg(long)]
    pub still: bool,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// A file, folder, kustomization or chart; `-` reads manifests from standard input
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: String,
    /// Print the values of Secrets (not in JSON to a terminal)
    #[arg(long)]
    pub show_secrets: bool,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// What Git declares: a file, folder, kustomization or chart; `-` is standard input
    #[arg(value_hint = ValueHint::AnyPath)]
    pub desired: String,
    /// What a cluster holds: a file, a dump or a folder of dumps; `-` is standard input
    #[arg(value_hint = ValueHint::AnyPath)]
    pub live: String,
    /// Also what does not count: ignored by a rule, left to controllers, in another order
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Unified text, `-` is Git and `+` is the cluster
    #[arg(long)]
    pub unified: bool,
    /// Compare two renderings without a cluster: from this revision to the one of --revision
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Also what does not count: ignored by a rule, left to controllers, in another order
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `changes`.
#[derive(Debug, Args)]
pub struct ChangesArguments {
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// How far back to look, such as 30m, 24h or 7d
    #[arg(long, value_name = "D", default_value = "24h", value_parser = span)]
    pub since: Duration,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// The app
    #[arg(value_name = "APP")]
    pub name: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// So many commits at most, newest first
    #[arg(long, value_name = "N", default_value_t = crate::model::limits::HISTORY_PAGE)]
    pub limit: usize,
}

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub struct SyncArguments {
    /// The app
    #[arg(value_name = "APP")]
    pub name: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Stop after the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Only this object: KIND[.GROUP]/[NAMESPACE/]NAME (repeatable)
    #[arg(long, value_name = "OBJECT")]
    pub only: Vec<String>,
    /// Delete extras too
    #[arg(long)]
    pub prune: bool,
    /// Write as this field manager
    #[arg(long, value_name = "NAME")]
    pub manager: Option<String>,
    /// Take uncommitted and unpushed files too
    #[arg(long)]
    pub dirty: bool,
    /// Do not wait for the verdict
    #[arg(long)]
    pub no_wait: bool,
    /// Refuse a plan that deletes more objects
    #[arg(long, value_name = "N")]
    pub max_deletions: Option<usize>,
    /// Answer the question with yes
    #[arg(long)]
    pub yes: bool,
    /// Confirm a protected cluster by its context's name, or a dangerous deletion by its name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
}

/// Arguments of `revert`.
#[derive(Debug, Args)]
pub struct RevertArguments {
    /// The app
    #[arg(value_name = "APP")]
    pub name: String,
    /// The commit, as Git knows it: 3f2c1d9, main~2, v1.4
    #[arg(value_name = "COMMIT")]
    pub to: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Take out what COMMIT alone changed, in all its files, as `git revert` does
    #[arg(long, conflicts_with_all = ["include", "include_all"])]
    pub only_commit: bool,
    /// Also put back this file or folder, which the app includes (repeatable)
    #[arg(long, value_name = "PATH")]
    pub include: Vec<String>,
    /// Also put back everything that the app includes
    #[arg(long)]
    pub include_all: bool,
    #[command(flatten)]
    pub commit: CommitArguments,
}

/// Arguments of `capture`.
#[derive(Debug, Args)]
pub struct CaptureArguments {
    /// The app
    #[arg(value_name = "APP")]
    pub name: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Only this object (repeatable); default: every field that drifted
    #[arg(long, value_name = "KIND[.GROUP]/[NAMESPACE/]NAME")]
    pub only: Vec<String>,
    /// Only this field of the one object, as driftdeck prints its path, or as a JSON pointer (repeatable)
    #[arg(long, value_name = "PATH")]
    pub field: Vec<String>,
    #[command(flatten)]
    pub commit: CommitArguments,
}

/// Arguments of `ignore`.
#[derive(Debug, Args)]
pub struct IgnoreArguments {
    /// The app
    #[arg(value_name = "APP")]
    pub name: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// The object
    #[arg(long, value_name = "KIND[.GROUP]/[NAMESPACE/]NAME")]
    pub only: String,
    /// The field, as driftdeck prints its path, or as a JSON pointer; . is the whole object
    #[arg(long, value_name = "PATH")]
    pub field: String,
    /// How far the rule reaches: this object, every object of its kind, or every object
    #[arg(long = "for", value_name = "REACH", value_enum, default_value_t = ReachArgument::Object)]
    pub reach: ReachArgument,
    /// Why, for those who read the rule
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub commit: CommitArguments,
}

/// How far an ignore rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReachArgument {
    /// The field of this object
    Object,
    /// The field of every object of its kind
    Kind,
    /// The field of every object
    Path,
}

/// Arguments of every command that commits.
#[derive(Debug, Args)]
pub struct CommitArguments {
    /// Stop after the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Move the branch although files have uncommitted changes there; those files stay as they are
    #[arg(long)]
    pub dirty: bool,
    /// The message, instead of one that says what is done; the trailer is added
    #[arg(long, short, value_name = "TEXT")]
    pub message: Option<String>,
    /// Push it to the branch that the checked-out one follows, as soon as the remote takes it
    #[arg(long)]
    pub push: bool,
    /// Push it to a branch of its own, and open a pull request for that
    #[arg(long, conflicts_with = "push")]
    pub pull_request: bool,
    /// Answer the question with yes
    #[arg(long)]
    pub yes: bool,
    /// Confirm a protected cluster by its context's name, for what is pushed to the branch itself
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
}

/// Arguments of `undo`.
#[derive(Debug, Args)]
pub struct UndoArguments {
    /// What is to be undone, as the journal prints it; the beginning of it is enough where only one begins so
    #[arg(value_name = "ID")]
    pub id: String,
    /// Stop after the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Answer the question with yes
    #[arg(long)]
    pub yes: bool,
    /// Confirm a protected cluster by its context's name, or deletions by the app's name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
}

/// Arguments of `journal`.
#[derive(Debug, Args)]
pub struct JournalArguments {
    /// Only what was begun so long ago at most, such as 2h or 7d
    #[arg(long, value_name = "D", value_parser = span)]
    pub since: Option<Duration>,
    /// As Markdown, for an incident's record
    #[arg(long)]
    pub markdown: bool,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// How far back it tells what was done, such as 2h or 7d
    #[arg(long, value_name = "D", value_parser = span, default_value = "2h")]
    pub since: Duration,
}

/// Arguments of `hold`.
#[derive(Debug, Args)]
pub struct HoldArguments {
    /// The app
    #[arg(value_name = "APP", required_unless_present = "list")]
    pub name: Option<String>,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Why: colleagues read it on the engine's object
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    pub reason: Option<String>,
    /// For how long; nothing ends a hold by itself, but from then on it is shown as expired
    #[arg(long = "for", value_name = "D", value_parser = span, default_value = "1h")]
    pub lasting: Duration,
    /// List the pauses of all clusters, of driftdeck and of others
    #[arg(long, conflicts_with_all = ["name", "reason", "dry_run", "yes", "confirm"])]
    pub list: bool,
    /// Stop after the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Answer the question with yes
    #[arg(long)]
    pub yes: bool,
    /// Confirm a protected cluster by its context's name
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The app
    #[arg(value_name = "APP")]
    pub name: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Stop after the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Answer the question with yes
    #[arg(long)]
    pub yes: bool,
    /// Confirm a protected cluster by its context's name
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// The plan: a file that `sync --dry-run -o json` wrote; `-` is standard input
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    pub plan: String,
    /// Repositories, folders or files; default: the repository of the current folder and the configured ones
    #[arg(value_name = "PATH or URL", value_hint = ValueHint::AnyPath)]
    pub places: Vec<String>,
    /// Do not wait for the verdict
    #[arg(long)]
    pub no_wait: bool,
    /// Answer the question with yes
    #[arg(long)]
    pub yes: bool,
    /// Confirm a protected cluster by its context's name, or a dangerous deletion by its name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
}

/// What the deck is to be opened on.
#[derive(Debug)]
pub struct Deck {
    pub wishes: Wishes,
    pub demo: bool,
    pub still: bool,
}

impl Arguments {
    /// Returns what the deck is to be opened on; `None` if a headless command was asked for.
    pub fn deck(&self) -> Option<Deck> {
        let (demo, still) = match &self.command {
            None => (false, false),
            Some(Command::Demo(demo)) => (true, demo.still),
            Some(_) => return None,
        };
        Some(Deck { wishes: wishes(&self.places, &self.options, true), demo, still })
    }

    /// Returns why the deck cannot be opened on what was typed: a word that is no path here, no URL and no command.
    pub fn no_such_place(&self) -> Option<Notice> {
        let is_url = |word: &str| word.contains(':');
        let strange = self.places.iter().find(|word| !is_url(word) && !Path::new(word).exists())?;
        let notice = Notice::error(format!("there is no path and no command {strange}"));
        Some(notice.hint(match command_like(strange) {
            Some(command) => format!("did you mean driftdeck {command}?"),
            None => "give a folder, an https or ssh URL, or a command; --help lists them".to_owned(),
        }))
    }
}

/// Reads a duration that may be days or weeks long, each of them of 24 hours.
fn span(text: &str) -> Result<Duration, String> {
    let mistake = "expected a duration such as 30m, 24h or 7d";
    let span: jiff::Span = text.parse().map_err(|_| mistake.to_owned())?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let span = span.to_duration(relative).map_err(|_| mistake.to_owned())?;
    Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a duration such as 90s or 5m".to_owned())?;
    Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_that_cannot_be_read_still_says_which_form_and_command_it_asks_for() {
        for (typed, form, command) in [
            ("driftdeck check --nonsense -o json", Format::Json, Some("check")),
            ("driftdeck -ojson diff --base", Format::Json, Some("diff")),
            ("driftdeck --output=yaml render", Format::Yaml, Some("render")),
            ("driftdeck -o xml check", Format::Text, Some("check")),
            ("driftdeck --nonsense", Format::Text, None),
        ] {
            let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            assert_eq!(glance(&words, None), (form, command.map(str::to_owned)), "{typed}");
        }
        let words = ["driftdeck", "check", "--nonsense"].map(OsString::from);
        assert_eq!(glance(&words, Some("yaml")), (Format::Yaml, Some("check".to_owned())));
        assert_eq!(glance(&words, Some("")).0, Format::Text);
    }

    #[test]
    fn a_word_that_is_no_path_is_taken_for_the_nearest_command() {
        for (word, command) in [("chek", Some("check")), ("sycn", Some("sync")), ("fleet", None), ("a", None)]
        {
            assert_eq!(command_like(word).as_deref(), command, "{word}");
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert!(duration("soon").is_err());
        assert!(duration("-3s").is_err());
    }
}
