//! Syncs as the deck asks for them: effects in, messages out.

use crate::ground::{applied, cluster, noon, read, setup};
use crate::support::Repository;
use driftdeck::action::journal::{Entry, Journal};
use driftdeck::cluster::{Cluster, Write};
use driftdeck::deck::{Effect, Message, PlanRequest, SyncRequest, Ticket, UndoRequest};
use driftdeck::model::update::Update;
use driftdeck::model::{AppId, ClusterId, DeploymentId, GroupVersionKind, Plan, RepoId};
use driftdeck::pipeline::committer::Committer;
use driftdeck::runtime::{Ends, Start, launch};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {k: \"1\"}\n";

/// The runtime of a deck, with a journal of its own.
struct Running {
    ends: Ends,
    state: TempDir,
}

impl Running {
    async fn of(repository: &Repository, live: impl Cluster + 'static) -> Self {
        let state = tempfile::tempdir().unwrap();
        let journal = Some(Journal::at(state.path().join("journal")));
        let setup = setup(repository, vec![Arc::new(live)], true);
        let mut running = Self {
            ends: launch(Start { setup, notices: Vec::new(), journal, committer: Committer::made_up() }),
            state,
        };
        let settled =
            |message: &Message| matches!(message, Message::Pipeline { update: Update::Settled, .. });
        running.until("everything is judged", settled).await;
        running
    }

    fn journal(&self) -> Journal {
        Journal::at(self.state.path().join("journal"))
    }

    async fn ask(&self, effect: Effect) {
        self.ends.effects.send(effect).await.unwrap();
    }

    /// Returns the first message that is so.
    async fn until(&mut self, what: &str, holds: impl Fn(&Message) -> bool) -> Message {
        loop {
            let told = tokio::time::timeout(Duration::from_secs(60), self.ends.messages.recv()).await;
            let Ok(message) = told else { panic!("waited in vain until {what}") };
            let message = message.expect("the runtime runs");
            if holds(&message) {
                return message;
            }
        }
    }
}

fn web(repository: &Repository) -> SyncRequest {
    let repo = RepoId(repository.path().display().to_string().into());
    let app = AppId { repo, name: "web".into() };
    let deployment = DeploymentId::new(app, ClusterId("offline:prod".into()));
    SyncRequest { deployment, only: Vec::new(), dirty: false, deployers: Vec::new() }
}

fn is_planned(message: &Message) -> bool {
    matches!(message, Message::PlanReady { .. } | Message::PlanFailed { .. } | Message::PlanTied { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_became_of_a_sync_that_was_killed() {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP).commit("Add web");
    let mut running = Running::of(&repository, cluster(&[applied(MAP)])).await;
    let entry = Entry {
        id: "20260301T110000Z-abcdef".into(),
        time: "2026-03-01T11:00:00Z".into(),
        user: None,
        acted_as: None,
        command: "sync".into(),
        app: "web".into(),
        cluster: "prod".into(),
        cluster_id: "offline:prod".into(),
        outcome: "planned".into(),
        ended: None,
        plan: json!({"steps": [{"outcome": "planned"}]}),
    };
    drop(running.journal().begin(entry).unwrap());
    running.ask(Effect::Plan { ticket: Ticket(1), request: PlanRequest::Sync(web(&repository)) }).await;
    let said = |message: &Message| {
        matches!(message, Message::Notice { notice, .. } if
        notice.title == "an interrupted sync of web ended as cancelled")
    };
    running.until("it is said", said).await;
    running.until("the plan is there", |message| matches!(message, Message::PlanReady { .. })).await;
    assert_eq!(running.journal().entries().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_move_between_plan_and_apply_let_nothing_be_written_and_show_the_new_plan() {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP).commit("Add web");
    let live = cluster(&[applied(&MAP.replace("\"1\"", "\"9\""))]);
    let mut running = Running::of(&repository, live.clone()).await;
    running.ask(Effect::Plan { ticket: Ticket(1), request: PlanRequest::Sync(web(&repository)) }).await;
    let Message::PlanReady { plan, .. } = running.until("the plan is there", is_planned).await else {
        panic!("no plan")
    };
    repository.write("web/a.yaml", MAP.replace("\"1\"", "\"2\"")).commit("Another value");
    running.ask(Effect::ApplyPlan { ticket: Ticket(1), plan: plan.clone(), confirmed: Vec::new() }).await;
    let ended = |message: &Message| {
        matches!(message, Message::PlanMoved { .. } | Message::PlanDone { .. } | Message::PlanFailed { .. })
    };
    let Message::PlanMoved { plan: new, why, .. } = running.until("it has ended", ended).await else {
        panic!("it was not moved")
    };
    assert_eq!(why, "what Git declares has moved since the plan was made");
    assert_ne!(new.rendered, plan.rendered);
    let kind = live.served(&GroupVersionKind::new("", "v1", "ConfigMap")).unwrap();
    let held = live.get(kind, Some("shop".into()), "a".into()).await.unwrap().unwrap();
    assert_eq!(held.body.str_at(&["data", "k"]), Some("9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_uncommitted_files_that_the_app_reads_need_a_word() {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP).write("notes.txt", "one").commit("Add web");
    let mut running = Running::of(&repository, cluster(&[applied(&MAP.replace("\"1\"", "\"9\""))])).await;
    repository.write("notes.txt", "two").write("untracked.txt", "new");
    running.ask(Effect::Plan { ticket: Ticket(1), request: PlanRequest::Sync(web(&repository)) }).await;
    let planned = running.until("the plan is there", is_planned).await;
    assert!(matches!(&planned, Message::PlanReady { plan, .. } if plan.remarks.is_empty()), "{planned:?}");

    repository.write("web/a.yaml", MAP.replace("\"1\"", "\"2\""));
    running.ask(Effect::Plan { ticket: Ticket(2), request: PlanRequest::Sync(web(&repository)) }).await;
    let planned = running.until("the plan is there", is_planned).await;
    assert!(matches!(&planned, Message::PlanFailed { .. }), "{planned:?}");

    let request = SyncRequest { dirty: true, ..web(&repository) };
    running.ask(Effect::Plan { ticket: Ticket(3), request: PlanRequest::Sync(request) }).await;
    let planned = running.until("the plan is there", is_planned).await;
    let Message::PlanReady { plan, .. } = planned else { panic!("{planned:?}") };
    assert_eq!(plan.remarks, ["uncommitted files are written to the cluster"]);
    assert!(plan.headless.ends_with(" --dirty"), "{}", plan.headless);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tie_is_asked_and_the_answer_is_taken_for_the_next_plan() {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP.replace("\"1\"", "\"2\"")).commit("Add web");
    let live = cluster(&[]);
    for manager in ["one", "two"] {
        let write = Write::Apply {
            kind: live.served(&GroupVersionKind::new("", "v1", "ConfigMap")).unwrap(),
            namespace: Some("shop".into()),
            name: "a".into(),
            body: read(MAP),
            manager: manager.into(),
            force: true,
        };
        live.act(&write, noon()()).unwrap();
    }
    let mut running = Running::of(&repository, live).await;
    running.ask(Effect::Plan { ticket: Ticket(1), request: PlanRequest::Sync(web(&repository)) }).await;
    let planned = running.until("the plan is there", is_planned).await;
    let Message::PlanTied { managers, resource, .. } = planned else { panic!("{planned:?}") };
    assert_eq!(
        (managers.as_slice(), resource.to_string().as_str()),
        (&["one".to_owned(), "two".to_owned()][..], "ConfigMap/shop/a")
    );
    let request = SyncRequest { deployers: vec![(resource, "two".into())], ..web(&repository) };
    running.ask(Effect::Plan { ticket: Ticket(2), request: PlanRequest::Sync(request) }).await;
    let planned = running.until("the plan is there", is_planned).await;
    assert!(matches!(&planned, Message::PlanReady { plan, .. } if plan.manager == "two"), "{planned:?}");
}

/// Plans what is asked for and carries it out.
async fn done(running: &mut Running, ticket: u64, request: PlanRequest) -> Plan {
    running.ask(Effect::Plan { ticket: Ticket(ticket), request }).await;
    let planned = running.until("the plan is there", is_planned).await;
    let Message::PlanReady { plan, .. } = planned else { panic!("{planned:?}") };
    running
        .ask(Effect::ApplyPlan { ticket: Ticket(ticket), plan: plan.clone(), confirmed: Vec::new() })
        .await;
    let ended = |message: &Message| {
        matches!(message, Message::PlanMoved { .. } | Message::PlanDone { .. } | Message::PlanFailed { .. })
    };
    let message = running.until("it has ended", ended).await;
    assert!(matches!(message, Message::PlanDone { .. }), "{message:?}");
    *plan
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_sync_that_is_not_undone_is_undone_and_of_several_it_is_asked_which() {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP).commit("Add web");
    let live = cluster(&[applied(&MAP.replace("\"1\"", "\"9\""))]);
    let held = async || {
        let kind = live.served(&GroupVersionKind::new("", "v1", "ConfigMap")).unwrap();
        let held = live.get(kind, Some("shop".into()), "a".into()).await.unwrap().unwrap();
        held.body.str_at(&["data", "k"]).unwrap().to_owned()
    };
    let mut running = Running::of(&repository, live.clone()).await;
    let sync = || PlanRequest::Sync(web(&repository));
    let undo = |action: Option<&str>| {
        let action = action.map(str::to_owned);
        PlanRequest::Undo(UndoRequest { deployment: web(&repository).deployment, action })
    };
    let refused = async |running: &mut Running| {
        running.ask(Effect::Plan { ticket: Ticket(99), request: undo(None) }).await;
        let planned = running.until("the plan is there", is_planned).await;
        let Message::PlanFailed { notice, .. } = planned else { panic!("{planned:?}") };
        assert_eq!(notice.title, "the journal has no sync of web on prod that is not undone");
    };
    refused(&mut running).await;

    let first = done(&mut running, 1, sync()).await.id;
    assert_eq!(held().await, "1");
    let undone = done(&mut running, 2, undo(None)).await;
    assert_eq!((undone.command, undone.undoes.as_deref()), ("undo", Some(first.as_str())));
    assert_eq!(held().await, "9");
    refused(&mut running).await;

    let ids = [done(&mut running, 3, sync()).await.id, {
        repository.write("web/a.yaml", MAP.replace("\"1\"", "\"2\"")).commit("Another value");
        done(&mut running, 4, sync()).await.id
    }];
    assert_eq!(held().await, "2");
    running.ask(Effect::Plan { ticket: Ticket(5), request: undo(None) }).await;
    let asks = |message: &Message| matches!(message, Message::PlanOpen { .. }) || is_planned(message);
    let planned = running.until("it is asked which", asks).await;
    let Message::PlanOpen { syncs, .. } = planned else { panic!("{planned:?}") };
    let offered: Vec<_> = syncs.iter().map(|sync| (sync.id.as_str(), sync.objects.as_slice())).collect();
    let objects = &["ConfigMap shop/a".to_owned()][..];
    assert_eq!(offered, [(ids[1].as_str(), objects), (ids[0].as_str(), objects)]);
    done(&mut running, 6, undo(Some(&ids[1]))).await;
    assert_eq!(held().await, "1");
}
