//! The screens in the README are those of the demo: its world in memory at one moment, without kustomize and helm.
//!
//! `UPDATE_README=1 cargo test --test screens readme` writes them anew.

use crate::typist::Typist;
use driftdeck::action::journal::Journal;
use driftdeck::deck::{Effect, Message, Options, Size};
use driftdeck::model::update::Update;
use driftdeck::pipeline::committer::Committer;
use driftdeck::pipeline::demo::DemoWorld;
use driftdeck::pipeline::setup::Clock;
use driftdeck::render::Tools;
use driftdeck::runtime::{Ends, Start, launch};
use std::sync::Arc;
use std::time::Duration;

/// The longest that the demo may take to say something.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes messages in until one is as it should be.
async fn until(typist: &mut Typist, ends: &mut Ends, is_last: impl Fn(&Message) -> bool) {
    loop {
        let next = tokio::time::timeout(PATIENCE, ends.messages.recv()).await;
        let message = next.expect("a demo that answers").expect("a runtime that runs");
        let last = is_last(&message);
        typist.send(message);
        if last {
            return;
        }
    }
}

/// Returns the deck of the demo, and the plan of a sync of `web` to prod-eu.
async fn screens() -> [(&'static str, String); 2] {
    let now = crate::world::now();
    let clock: Clock = Arc::new(move || now);
    let ground = tempfile::tempdir().unwrap();
    let world = DemoWorld::build(ground.path(), &clock).unwrap();
    let mut setup = world.setup(Arc::clone(&clock));
    setup.tools = Arc::new(Tools::on("".as_ref(), ground.path().to_owned()));
    let journal = Some(Journal::at(ground.path().join("journal")));
    let mut ends = launch(Start { setup, notices: Vec::new(), journal, committer: Committer::made_up() });
    let mut typist = Typist::empty(120, 30, Options::default());
    let settled = |message: &Message| matches!(message, Message::Pipeline { update: Update::Settled, .. });
    until(&mut typist, &mut ends, settled).await;
    typist.keys(": 'web enter");
    let deck = typist.screen();
    typist.send(Message::Resize { size: Size { width: 120, height: 28 } });
    typist.keys("3 j S");
    let effects = typist.effects();
    let plan = effects.into_iter().find(|effect| matches!(effect, Effect::Plan { .. }));
    ends.effects.send(plan.expect("a sync that is planned")).await.unwrap();
    until(&mut typist, &mut ends, |message| matches!(message, Message::PlanReady { .. })).await;
    [("<!-- screen: deck", deck), ("<!-- screen: plan", typist.screen())]
}

/// Puts a screen between its marks.
fn with_screen(readme: &str, mark: &str, screen: &str) -> String {
    let (before, rest) = readme.split_once(mark).unwrap_or_else(|| panic!("{mark} is in the README"));
    let (line, rest) = rest.split_once('\n').unwrap();
    let end = "<!-- screen: end -->";
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("{mark} has an end"));
    format!("{before}{mark}{line}\n```\n{}\n```\n{end}{after}", screen.trim_end())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screens_in_the_readme_are_those_of_the_demo() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(file).unwrap();
    let mut anew = readme.clone();
    for (mark, screen) in screens().await {
        anew = with_screen(&anew, mark, &screen);
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(file, &anew).unwrap();
        return;
    }
    assert_eq!(readme, anew, "UPDATE_README=1 cargo test --test screens readme writes the README anew");
}
