//! Performs the deck's effects over the pipeline and the actions, and turns what comes of them into messages.
//!
//! Nothing secret passes: values are redacted before they become part of a message. A plan that goes to the screen is a
//! redacted copy; the plan itself stays here, and only the ticks come back.

mod changes;
mod committing;
mod exact;
mod highlight;
mod history;
mod looks;
pub mod opening;
mod plans;
mod pods;
mod redacted;

use crate::action::journal::Journal;
use crate::action::recorded;
use crate::deck::{Effect, Message, Ticket};
use crate::model::update::Update;
use crate::model::{DeploymentId, Notice, ResourceId, limits};
use crate::pipeline::committer::Committer;
use crate::pipeline::failed_sync::Engines;
use crate::pipeline::history::Histories;
use crate::pipeline::run::{Handle, Request, start};
use crate::pipeline::setup::{Clock, ClusterSetup, Setup, log_in};
use crate::pipeline::story::{Blames, story};
use crate::pipeline::texts::texts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the runtime is started with.
pub struct Start {
    pub setup: Setup,
    /// Found while opening: shown at once.
    pub notices: Vec<Notice>,
    /// `None`: no state folder is known, and nothing can be written to a cluster.
    pub journal: Option<Journal>,
    /// Whose commits are made.
    pub committer: Committer,
}

/// The way between deck and runtime.
pub struct Ends {
    pub effects: mpsc::Sender<Effect>,
    pub messages: mpsc::Receiver<Message>,
    pub logins: Logins,
}

/// The way to log in to clusters by hand, once that it is known which there are.
#[derive(Clone, Default)]
pub struct Logins {
    clusters: Arc<OnceLock<Vec<ClusterSetup>>>,
}

impl Logins {
    /// Runs the credential plugin of a context with the terminal, and blocks until it has ended. The terminal must have
    /// been given back.
    pub fn by_hand(&self, context: &str) -> Result<(), Box<Notice>> {
        log_in(self.clusters.get().map_or(&[], Vec::as_slice), context)
    }
}

/// Starts the pipeline and the tasks that serve the deck. They end when the ends are dropped.
pub fn launch(with: Start) -> Ends {
    launch_when(with.setup.clock.clone(), async { Ok(with) })
}

/// As [`launch`], once that `ready` has made what to start with. The deck can be drawn meanwhile; what it asks waits. A
/// failure is shown as its notice.
pub fn launch_when(
    clock: Clock,
    ready: impl Future<Output = Result<Start, Box<Notice>>> + Send + 'static,
) -> Ends {
    let (effects, asked) = mpsc::channel(limits::CHANNEL);
    let (messages, inbox) = mpsc::channel(limits::CHANNEL);
    let logins = Logins::default();
    let known = logins.clone();
    tokio::spawn(async move {
        let started = tokio::select! {
            () = messages.closed() => return,
            started = ready => started,
        };
        match started {
            Ok(with) => {
                // It is set once: a runtime is begun once.
                let _ = known.clusters.set(with.setup.clusters.clone());
                begin(with, asked, messages);
            }
            Err(notice) => {
                // The deck has gone: nobody waits.
                let _ = messages.send(Message::Notice { at: clock(), notice: *notice }).await;
            }
        }
    });
    Ends { effects, messages: inbox, logins }
}

fn begin(with: Start, asked: mpsc::Receiver<Effect>, messages: mpsc::Sender<Message>) {
    let clock = with.setup.clock.clone();
    let (handle, updates) = start(with.setup);
    let runtime = Arc::new(Runtime {
        handle,
        messages,
        clock,
        journal: with.journal,
        running: Mutex::default(),
        blames: Arc::default(),
        histories: Histories::default(),
        plans: Mutex::default(),
        commits: Mutex::default(),
        committer: with.committer,
    });
    tokio::spawn(committing::close_abandoned(runtime.clone()));
    tokio::spawn(pass_on(runtime.clone(), updates, with.notices));
    tokio::spawn(serve(runtime, asked));
}

/// What serving an effect needs.
struct Runtime {
    handle: Handle,
    messages: mpsc::Sender<Message>,
    clock: Clock,
    journal: Option<Journal>,
    running: Mutex<HashMap<Ticket, CancellationToken>>,
    plans: Mutex<HashMap<String, plans::Kept>>,
    /// The plan of a commit that is on the screen.
    commits: Mutex<Option<committing::Kept>>,
    committer: Committer,
    blames: Arc<Blames>,
    histories: Histories,
}

impl Runtime {
    async fn say(&self, message: Message) {
        // The deck has gone: nobody waits.
        let _ = self.messages.send(message).await;
    }

    fn begin(&self, ticket: Ticket) -> CancellationToken {
        let token = CancellationToken::new();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, token.clone());
        token
    }

    fn end(&self, ticket: Ticket) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
    }

    fn cancel(&self, ticket: Ticket) {
        if let Some(token) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&ticket) {
            token.cancel();
        }
    }
}

/// Passes the pipeline's updates on, with everything secret taken out.
async fn pass_on(runtime: Arc<Runtime>, mut updates: mpsc::Receiver<Update>, notices: Vec<Notice>) {
    for notice in notices {
        runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
    }
    while let Some(update) = updates.recv().await {
        let update = redacted::update(update);
        let sent = runtime.messages.send(Message::Pipeline { at: (runtime.clock)(), update }).await;
        if sent.is_err() {
            return;
        }
    }
    let notice =
        Notice::error("driftdeck has stopped looking at your clusters; the log says where it failed")
            .hint("what is shown is old: quit and start again");
    runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
}

async fn serve(runtime: Arc<Runtime>, mut asked: mpsc::Receiver<Effect>) {
    while let Some(effect) = asked.recv().await {
        let runtime = runtime.clone();
        match effect {
            Effect::LoadDiff { deployment, resource } => {
                tokio::spawn(load_diff(runtime, deployment, resource));
            }
            Effect::LoadStory { deployment, resource, whole } => {
                tokio::spawn(load_story(runtime, deployment, resource, whole));
            }
            Effect::LoadAutomation { deployment } => {
                tokio::spawn(plans::hold::load(runtime, deployment));
            }
            Effect::LoadJournal => {
                tokio::spawn(load_journal(runtime));
            }
            Effect::LoadChanges { ticket, since, ask } => {
                tokio::spawn(changes::load(runtime, ticket, since, ask));
            }
            Effect::LoadRunning { ticket, deployment, resource } => {
                tokio::spawn(pods::load(runtime, ticket, deployment, resource));
            }
            Effect::LoadHistory { ticket, app, cluster } => {
                tokio::spawn(history::load(runtime, ticket, app, cluster));
            }
            Effect::LoadEffect { ticket, deployment, commit, against } => {
                tokio::spawn(history::effect(runtime, ticket, deployment, commit, against));
            }
            Effect::Plan { ticket, request } => {
                tokio::spawn(plans::plan(runtime, ticket, request));
            }
            Effect::ApplyPlan { ticket, plan, confirmed } => {
                tokio::spawn(plans::apply(runtime, ticket, plan, confirmed));
            }
            Effect::PlanCommit { ticket, request } => {
                tokio::spawn(committing::plan(runtime, ticket, request));
            }
            Effect::MakeCommit { ticket, id } => {
                tokio::spawn(committing::make(runtime, ticket, id));
            }
            Effect::CheckExactly { ticket, deployment, resources } => {
                tokio::spawn(exact::check(runtime, ticket, deployment, resources));
            }
            Effect::Cancel { ticket } => runtime.cancel(ticket),
            Effect::Refresh => {
                // The pipeline ends with the deck.
                let _ = runtime.handle.requests.send(Request::Refresh).await;
            }
            other => {
                tracing::warn!(effect = ?std::mem::discriminant(&other), "an effect of the shell reached the runtime");
            }
        }
    }
}

async fn load_diff(runtime: Arc<Runtime>, deployment: DeploymentId, resource: ResourceId) {
    let gone = || Notice::warning("it is not known any more").hint("esc goes back");
    let result = match runtime.handle.inspect(deployment.clone(), resource.clone()).await {
        None => Err(gone()),
        Some(inspected) => {
            let work = tokio::task::spawn_blocking(move || highlight::highlighted(texts(&inspected).diff()));
            work.await.map_err(|_| Notice::error("driftdeck failed on this object; the log says where"))
        }
    };
    let at = (runtime.clock)();
    runtime.say(Message::Diff { at, deployment, resource, result }).await;
}

/// Actions of the journal that are told.
const TOLD: usize = 200;

async fn load_journal(runtime: Arc<Runtime>) {
    let result = match &runtime.journal {
        None => Err(Notice::error("there is no journal").hint("set HOME or XDG_STATE_HOME")),
        Some(journal) => match journal.entries() {
            Ok(entries) => Ok(entries.iter().rev().take(TOLD).map(recorded::action).collect()),
            Err(error) => Err(Notice::error("the journal cannot be read").cause(error.to_string())),
        },
    };
    runtime.say(Message::Journal { at: (runtime.clock)(), result }).await;
}

async fn load_story(runtime: Arc<Runtime>, deployment: DeploymentId, resource: ResourceId, whole: bool) {
    let result = match runtime.handle.inspect(deployment.clone(), resource.clone()).await {
        None => Err(Notice::warning("it is not known any more").hint("esc goes back")),
        Some(inspected) => {
            let told = story(inspected, runtime.blames.clone(), &Engines::default(), whole).await;
            Ok(redacted::story(told, &resource.to_string()))
        }
    };
    let at = (runtime.clock)();
    runtime.say(Message::Story { at, deployment, resource, result }).await;
}
