//! What can be done in the demo: its world is written to as any other would be.

use crate::typist::Typist;
use driftdeck::action::journal::Journal;
use driftdeck::deck::{Effect, Layer, Message, Options};
use driftdeck::model::update::Update;
use driftdeck::pipeline::committer::Committer;
use driftdeck::pipeline::demo::DemoWorld;
use driftdeck::pipeline::setup::Clock;
use driftdeck::render::Tools;
use driftdeck::runtime::{Ends, Start, launch};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The longest that the demo may take to say something.
const PATIENCE: Duration = Duration::from_secs(60);

/// The demo with somebody in front of it, whose effects are performed.
pub struct Demo {
    pub typist: Typist,
    ends: Ends,
    _ground: TempDir,
}

impl Demo {
    /// Opens the demo's still world, judged, without kustomize and helm.
    pub async fn open(width: u16, height: u16) -> Self {
        let now = crate::world::now();
        let clock: Clock = Arc::new(move || now);
        let ground = tempfile::tempdir().unwrap();
        let world = DemoWorld::build(ground.path(), &clock).unwrap();
        let mut setup = world.setup(clock);
        setup.tools = Arc::new(Tools::on("".as_ref(), ground.path().to_owned()));
        let journal = Some(Journal::at(ground.path().join("journal")));
        let ends = launch(Start { setup, notices: Vec::new(), journal, committer: Committer::made_up() });
        let mut demo =
            Self { typist: Typist::empty(width, height, Options::default()), ends, _ground: ground };
        demo.until(|message| matches!(message, Message::Pipeline { update: Update::Settled, .. })).await;
        demo
    }

    /// Takes messages in until one is as it should be.
    pub async fn until(&mut self, is_last: impl Fn(&Message) -> bool) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let next = tokio::time::timeout_at(end, self.ends.messages.recv()).await;
            let Ok(message) = next else { panic!("waited in vain\n{}", self.typist.screen()) };
            let message = message.expect("a runtime that runs");
            let last = is_last(&message);
            self.typist.send(message);
            if last {
                return;
            }
        }
    }

    /// Types keys, and has done outside what they ask for of plans.
    pub async fn keys(&mut self, keys: &str) {
        self.typist.keys(keys);
        for effect in std::mem::take(&mut self.typist.effects) {
            if matches!(
                effect,
                Effect::Plan { .. } | Effect::ApplyPlan { .. } | Effect::LoadAutomation { .. }
            ) {
                self.ends.effects.send(effect).await.unwrap();
            }
        }
    }

    /// Has a plan made by these keys, carries it out, and leaves it.
    pub async fn carry_out(&mut self, keys: &str) {
        self.keys(keys).await;
        let planned = |m: &Message| matches!(m, Message::PlanReady { .. } | Message::PlanFailed { .. });
        self.until(planned).await;
        self.typist.wait(jiff::SignedDuration::from_secs(1));
        self.keys("A").await;
        while let Some(Layer::Confirm(confirm)) = self.typist.state.layers.last() {
            let word = confirm.ask.words.first().unwrap().clone();
            self.keys(&format!("'{word} enter")).await;
        }
        self.keys("A").await;
        self.until(|m| matches!(m, Message::PlanDone { .. } | Message::PlanFailed { .. })).await;
        assert!(self.typist.screen().contains("done at"), "{}", self.typist.screen());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_of_the_demo_is_undone_and_its_drift_is_back() {
    let mut demo = Demo::open(120, 40).await;
    demo.keys(": 'web enter 3 j").await;
    let hotfix = "web:1.4.2 → web:1.4.3-hotfix";
    demo.typist.line_with(hotfix);
    demo.carry_out("S").await;
    demo.keys("esc").await;
    let drifted = |there: bool| {
        move |message: &Message| match message {
            Message::Pipeline { update: Update::Resources { changed, .. }, .. } => {
                changed.iter().any(|status| {
                    let image = |path: String| path.ends_with("containers[name=\"app\"].image");
                    status.id.to_string() == "Deployment.apps/shop/web"
                        && status.judgement.changes.iter().any(|c| image(c.path.to_string())) == there
                })
            }
            _ => false,
        }
    };
    if demo.typist.screen().contains(hotfix) {
        demo.until(drifted(false)).await;
    }
    demo.carry_out("U").await;
    let screen = demo.typist.screen();
    assert!(screen.contains("undoes the sync"), "{screen}");
    demo.keys("esc").await;
    if !demo.typist.screen().contains(hotfix) {
        demo.until(drifted(true)).await;
    }
    demo.typist.line_with(hotfix);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_of_an_app_of_the_demo_is_held_and_goes_on() {
    let told = |message: &Message| matches!(message, Message::Automation { .. });
    let mut demo = Demo::open(120, 40).await;
    for app in ["web", "api"] {
        demo.keys(&format!(": '{app} enter 3 g j")).await;
        let known = |demo: &Demo| {
            let state = &demo.typist.state;
            state.deployment().and_then(|id| state.holds.get(id)).is_some_and(|known| known.value().is_some())
        };
        while !known(&demo) {
            demo.until(told).await;
        }
        demo.keys("H 'rolling space 'back").await;
        demo.carry_out("enter").await;
        demo.keys("esc").await;
        demo.until(told).await;
        let held = demo.typist.line_with("held until").clone();
        assert!(held.contains("by ana@shop.example.com: rolling back"), "{held}");
        demo.carry_out("H").await;
        demo.keys("esc").await;
        demo.until(told).await;
        assert!(!demo.typist.screen().contains("held until"), "{}", demo.typist.screen());
    }
}
