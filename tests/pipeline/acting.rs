//! Syncs as the deck asks for them: effects in, messages out.

use crate::ground::{applied, cluster, setup};
use crate::support::Repository;
use driftdeck::action::journal::{Entry, Journal};
use driftdeck::cluster::Cluster;
use driftdeck::deck::{Effect, Message, SyncRequest, Ticket};
use driftdeck::model::update::Update;
use driftdeck::model::{AppId, ClusterId, DeploymentId, RepoId};
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
        let mut running = Self { ends: launch(Start { setup, notices: Vec::new(), journal }), state };
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
    let repo = RepoId(repository.path().display().to_string());
    let app = AppId { repo, name: "web".into() };
    SyncRequest {
        deployment: DeploymentId { app, cluster: ClusterId("offline:prod".into()) },
        only: Vec::new(),
    }
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
        plan: json!({"steps": [{"outcome": "planned"}]}),
    };
    drop(running.journal().begin(entry).unwrap());
    running.ask(Effect::PlanSync { ticket: Ticket(1), request: web(&repository) }).await;
    let said = |message: &Message| {
        matches!(message, Message::Notice { notice, .. } if
        notice.title == "an interrupted sync of web ended as cancelled")
    };
    running.until("it is said", said).await;
    running.until("the plan is there", |message| matches!(message, Message::PlanReady { .. })).await;
    assert_eq!(running.journal().entries().unwrap().len(), 1);
}
