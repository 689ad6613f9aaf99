//! How long drawing one frame of 200x50 takes: the demo's deck with 10,000 drifted resources in its list.

use std::sync::Arc;
use std::time::{Duration, Instant};

use driftdeck::config::theme::Theme;
use driftdeck::deck::state::Options;
use driftdeck::deck::{Message, Size, State, update, update_all};
use driftdeck::model::update::Update;
use driftdeck::model::{Key, Timestamp, Verdict};
use driftdeck::pipeline::demo::DemoWorld;
use driftdeck::pipeline::run;
use driftdeck::ui::{self, Depth, Paint};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::figures::{Times, figure, figure_and_aim, subject, timed};

const SIZE: Size = Size { width: 200, height: 50 };
const RESOURCES: usize = 10_000;
const FRAMES: usize = 1_000;

pub fn measure() {
    subject("frame: one picture of 200x50, drawn in memory, with 10,000 drifted resources listed");
    let mut state = demo();
    crowd(&mut state);
    let paint = Paint::new(&Theme::built_in("dark").unwrap(), Depth::of(None, Some("truecolor"), None));
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.width, SIZE.height));

    let mut draws = Times::default();
    for _ in 0..FRAMES {
        draws.add(timed(|| ui::draw(&mut buffer, &state, &paint)).0);
    }
    figure_and_aim("drawing", &draws.to_string(), "2 ms");

    let mut keys = Times::default();
    for name in ["j", "k"].into_iter().cycle().take(200) {
        let key = Key::parse(name).unwrap();
        keys.add(timed(|| update(&mut state, Message::Key { at: now(), key })).0);
    }
    figure("taking in a key", &keys.to_string());
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// The deck as the demo's pipeline fills it.
fn demo() -> State {
    let ground = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(now);
    let world = DemoWorld::build(ground.path(), &clock).unwrap();
    let mut state = State::new(SIZE, now(), Options::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let updates = runtime.block_on(async {
        let (_handle, mut inbox) = run::start(world.setup(clock));
        let mut updates = Vec::new();
        let end = Instant::now() + Duration::from_secs(60);
        while updates.last() != Some(&Update::Settled) {
            let next = tokio::time::timeout_at(end.into(), inbox.recv()).await;
            updates.push(next.expect("a demo that settles").expect("a pipeline that runs"));
        }
        updates
    });
    runtime.shutdown_background();
    update_all(&mut state, updates.into_iter().map(|update| Message::Pipeline { at: now(), update }));
    state
}

/// Adds copies of a drifted resource of the selected app under other names.
fn crowd(state: &mut State) {
    let app = state.selected_app().expect("an app that is selected").clone();
    let pattern = state
        .world
        .resources
        .iter()
        .filter(|(deployment, _)| deployment.app == app)
        .flat_map(|(_, entries)| entries.values())
        .find(|entry| *entry.status.verdict() == Verdict::Drifted)
        .expect("the worst app has drifted")
        .status
        .clone();
    let changed = (0..RESOURCES)
        .map(|i| {
            let mut copy = pattern.clone();
            copy.id.name = Some(format!("copy-{i:05}"));
            copy
        })
        .collect();
    let update = Update::Resources { deployment: pattern.deployment.clone(), changed, gone: Vec::new() };
    driftdeck::deck::update(state, Message::Pipeline { at: now(), update });
}
