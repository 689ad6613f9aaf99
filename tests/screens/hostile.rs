//! Names and values from outside that try to do something to the terminal.

use crate::typist::Typist;
use crate::world::{change, healthy, judged, resource};
use driftdeck::model::update::Update;
use driftdeck::model::{Class, Notice, Verdict};
use driftdeck::text::hostile::STRINGS;
use driftdeck::ui::Depth;
use driftdeck::value;

fn infested(text: &str) -> Vec<Update> {
    let mut updates = crate::world::updates();
    let field = change(".spec.x", Class::Changed, Some(value!(text)), Some(value!({ text: [text] })));
    let status =
        resource("web", "prod-eu", text, text, text, judged(Verdict::Drifted, vec![field], healthy()));
    for update in &mut updates {
        match update {
            Update::Repo { status: repo, .. } => {
                text.clone_into(&mut repo.name);
                repo.author = Some(text.to_owned());
                repo.subject = Some(text.to_owned());
            }
            Update::Cluster { status, .. } => {
                text.clone_into(&mut status.context);
                text.clone_into(&mut status.name);
                status.user = Some(text.to_owned());
            }
            Update::Deployment(status) => status.notices.push(Notice::error(text).cause(text).hint(text)),
            _ => {}
        }
    }
    updates.push(Update::Resources {
        deployment: status.deployment.clone(),
        changed: vec![status],
        gone: Vec::new(),
    });
    updates.push(Update::Notice(Notice::error(text).cause(text).hint(text).object(text)));
    updates
}

#[test]
fn no_screen_lets_a_control_or_hidden_character_through() {
    for text in STRINGS {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let mut typist = Typist::empty(width, height, driftdeck::deck::Options::default());
            typist.tell(infested(text));
            for keys in [
                "", "4", "i", "enter", "d", "esc", "w", "esc", "!", "esc", "m", "esc", "t", "esc", ":",
                "esc", "y", "esc", "?",
            ] {
                typist.keys(keys);
                let (buffer, _) = typist.buffer("dark", Depth::True);
                for cell in buffer.content() {
                    let shown = driftdeck::text::terminal(cell.symbol());
                    assert_eq!(shown, cell.symbol(), "{text:?} after {keys} at {width}x{height}");
                }
            }
        }
    }
}

#[test]
fn a_sealed_value_shows_dots_only() {
    let mut typist = Typist::at(120, 40);
    typist.keys("3 j 4 G");
    let screen = typist.screen();
    assert!(screen.contains("••••••"), "{screen}");
    for keys in ["enter", "esc", "w"] {
        typist.keys(keys);
        let screen = typist.screen();
        assert!(!screen.contains("correct horse") && !screen.contains("battery staple"), "{screen}");
    }
}
