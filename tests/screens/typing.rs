//! Keys typed as text, and what the deck asks for.

use crate::typist::Typist;
use crate::world::{app_id, cluster_id, deployment_id, resource_id};
use driftdeck::deck::{Column, Copied, Effect, Layer, Message, Options, reading};
use driftdeck::model::{Key, Story};
use jiff::SignedDuration;

#[test]
fn the_worst_is_selected_first() {
    let typist = Typist::at(120, 40);
    assert_eq!(typist.state.selected_app(), Some(&app_id("api")));
    assert_eq!(typist.state.focus, Column::Apps);
}

#[test]
fn choosing_a_cluster_narrows_the_apps_and_the_drift() {
    let mut typist = Typist::at(120, 40);
    typist.keys("3 j j");
    assert_eq!(typist.state.selected_cluster(), Some(&cluster_id("prod-us")));
    assert_eq!(typist.state.apps.rows(), [app_id("web")]);
    typist.keys("esc");
    assert_eq!(typist.state.selected_cluster(), None);
    assert_eq!(typist.state.apps.rows().len(), 6);
}

#[test]
fn the_app_stays_selected_while_a_cluster_is_chosen() {
    let mut typist = Typist::at(120, 40);
    typist.keys("2 j 3 j");
    assert_eq!(typist.state.selected_app(), Some(&app_id("web")));
    assert_eq!(typist.state.deployment(), Some(&deployment_id("web", "prod-eu")));
}

#[test]
fn a_filter_narrows_as_it_is_typed_and_esc_brings_back() {
    let mut typist = Typist::at(120, 40);
    typist.keys("/ 'crt");
    assert_eq!(typist.state.apps.rows(), [app_id("cart")]);
    typist.keys("esc");
    assert_eq!(typist.state.apps.rows().len(), 6);
    typist.keys("/ 'a enter");
    let found = typist.state.apps.rows().len();
    typist.keys("n n n n");
    assert!(found > 1 && found < 6);
    typist.keys("esc");
    assert_eq!(typist.state.apps.rows().len(), 6);
}

#[test]
fn in_a_prompt_every_key_is_text() {
    let mut typist = Typist::at(120, 40);
    typist.keys("/ 'qSA?!");
    assert_eq!(typist.state.apps.filter.as_deref(), Some("qSA?!"));
    assert!(typist.effects().is_empty());
}

#[test]
fn pasted_text_never_becomes_keys() {
    let mut typist = Typist::at(120, 40);
    typist.send(Message::Paste { at: typist.now, text: "qqSA\nq".to_owned() });
    assert!(typist.effects().is_empty() && typist.state.layers.is_empty());
    assert_eq!(typist.said(), "pasted text is taken in prompts only");
    typist.keys("/");
    typist.send(Message::Paste { at: typist.now, text: "we\x1bb\nq".to_owned() });
    assert_eq!(typist.state.apps.filter.as_deref(), Some("web"));
}

#[test]
fn the_palette_runs_a_command_and_goes_to_an_app() {
    let mut typist = Typist::at(120, 40);
    typist.keys(": 'refr enter");
    assert_eq!(typist.effects(), [Effect::Refresh]);
    typist.keys("ctrl-p 'search enter");
    typist.keys("ctrl-p 'billing enter");
    assert_eq!(typist.state.selected_app(), Some(&app_id("billing")));
}

#[test]
fn a_key_that_cannot_work_here_says_why() {
    let cases = [
        ("w", "no resource is under the cursor: press 4 for drift"),
        ("u", "nothing new since you looked"),
        ("n", "nothing is searched for yet: press / for search"),
        ("e", "fleet is a remote: its files are not on this machine"),
        ("j S", "web is in 3 clusters: choose one (press 3 for clusters)"),
        ("j 3 j j j S", "edge-7 does not answer: connection timed out"),
        ("b", "b means nothing here; ? shows the keys"),
        ("V", "V means nothing here; ? shows the keys"),
    ];
    for (keys, said) in cases {
        let mut typist = Typist::at(120, 40);
        typist.keys(keys);
        assert_eq!(typist.said(), said, "{keys}");
        assert!(typist.effects().is_empty(), "{keys}");
    }
}

#[test]
fn a_read_only_deck_plans_nothing() {
    let mut typist = Typist::with(120, 40, Options { read_only: true, ..Options::default() });
    typist.keys("j 3 j S");
    assert_eq!(typist.said(), "driftdeck was started read-only");
    assert!(typist.effects().is_empty());
    assert!(typist.screen().contains("READ-ONLY"));
}

#[test]
fn opening_a_resource_asks_for_its_diff_only_when_it_is_looked_at() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 enter");
    let resource = resource_id("prod-eu", "apps/v1", "Deployment", "web");
    let story = |whole| Effect::LoadStory {
        deployment: deployment_id("web", "prod-eu"),
        resource: resource_id("prod-eu", "apps/v1", "Deployment", "web"),
        whole,
    };
    assert_eq!(typist.effects(), [story(false)]);
    typist.keys("d");
    let asked = Effect::LoadDiff { deployment: deployment_id("web", "prod-eu"), resource };
    assert_eq!(typist.effects(), [asked]);
    typist.keys("d d d");
    assert!(typist.effects().is_empty(), "it is asked for once");
    let (deployment, id) =
        (deployment_id("web", "prod-eu"), resource_id("prod-eu", "apps/v1", "Deployment", "web"));
    typist.send(Message::Story { at: typist.now, deployment, resource: id, result: Ok(Story::default()) });
    typist.keys("j k");
    assert!(typist.effects().is_empty(), "it is known");
    typist.keys("w");
    assert_eq!(typist.effects(), [story(true)], "the whole of it is more");
}

#[test]
fn the_whole_apps_diff_is_of_its_faulty_resources() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j d");
    let asked = typist.effects();
    let diffs = asked.iter().filter(|effect| matches!(effect, Effect::LoadDiff { .. })).count();
    assert_eq!((diffs, asked.len()), (2, 3), "and the story of the one under the cursor alone");
}

#[test]
fn ticks_are_kept_and_esc_removes_them() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 *");
    assert_eq!(typist.state.ticks.len(), 2);
    typist.keys("space");
    assert_eq!(typist.state.ticks.len(), 1);
    typist.keys("esc");
    assert!(typist.state.ticks.is_empty());
}

#[test]
fn a_range_ticks_what_it_passes() {
    let mut typist = Typist::at(120, 40);
    typist.keys("3 j 4 v G");
    assert!(typist.state.ticks.len() > 3);
    let ticked = typist.state.ticks.len();
    typist.keys("v g");
    assert_eq!(typist.state.ticks.len(), ticked);
}

#[test]
fn q_closes_and_quits_only_from_the_deck() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 enter q");
    assert!(!typist.effects().contains(&Effect::Quit) && !typist.state.is_quitting());
    typist.keys("q");
    assert_eq!(typist.effects(), [Effect::Quit]);
}

#[test]
fn ctrl_c_twice_quits_and_once_does_not() {
    let mut typist = Typist::at(120, 40);
    typist.keys("ctrl-c");
    typist.wait(SignedDuration::from_secs(5));
    typist.keys("ctrl-c");
    assert!(typist.effects().is_empty());
    typist.keys("ctrl-c");
    assert_eq!(typist.effects(), [Effect::Quit]);
}

#[test]
fn ctrl_c_works_in_a_prompt_too() {
    let mut typist = Typist::at(120, 40);
    typist.keys("/ 'web ctrl-c");
    assert!(typist.state.layers.is_empty());
    assert_eq!(typist.state.apps.filter, None);
}

#[test]
fn a_copy_says_what_became_of_it() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 y enter");
    let copied = Effect::Copy { what: "name".to_owned(), text: "shop/web".to_owned() };
    assert_eq!(typist.effects(), [copied]);
    let how = Copied::Sent { file: Some("/home/ana/copied.txt".to_owned()) };
    typist.send(Message::Copied { what: "name".to_owned(), how });
    assert_eq!(
        typist.said(),
        "name sent to the terminal, which does not confirm it; also saved to /home/ana/copied.txt"
    );
}

#[test]
fn the_matrix_leads_to_its_cell() {
    let mut typist = Typist::at(120, 40);
    typist.keys("m j l enter");
    assert_eq!(typist.state.deployment(), Some(&deployment_id("web", "prod-us")));
    assert_eq!(typist.state.focus, Column::Drift);
}

#[test]
fn the_forge_opens_at_the_line() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 j o");
    let url = format!(
        "https://git.example.com/acme/fleet/blob/{}/apps/web/deployment.yaml#L24",
        crate::world::COMMIT
    );
    assert_eq!(typist.effects(), [Effect::OpenUrl { url: url.clone() }]);
    assert_eq!(typist.said(), url, "whoever has no browser here can still read it");
    let how = Copied::Saved { file: "/home/ana/copied.txt".to_owned() };
    typist.send(Message::Copied { what: url.clone(), how });
    assert!(typist.screen().contains(&url), "{}", typist.screen());
    let mut narrow = Typist::at(80, 24);
    narrow.keys("j 3 j 4 j o !");
    let lines = reading::lines(&narrow.state, narrow.state.layers.last().unwrap()).concat();
    let text: String = lines.iter().map(|(text, _)| text.trim()).collect();
    assert!(text.contains(&url), "{text}");
}

#[test]
fn a_local_checkout_leads_to_the_page_of_its_remote() {
    let opened = |upstream: Option<&str>, ahead: usize| {
        let mut typist = Typist::at(120, 40);
        let mut fleet = typist.state.world.repos[0].clone();
        fleet.location = "/srv/fleet".to_owned();
        fleet.upstream = upstream.map(str::to_owned);
        fleet.revision.as_mut().unwrap().ahead = ahead;
        typist.tell(vec![driftdeck::model::update::Update::Repo { status: fleet, was: None }]);
        typist.keys("j 3 j 4 j o");
        (typist.effects(), typist.said().to_owned())
    };
    let url = format!(
        "https://git.example.com/acme/fleet/blob/{}/apps/web/deployment.yaml#L24",
        crate::world::COMMIT
    );
    let upstream = Some("ssh://git.example.com/acme/fleet");
    assert_eq!(opened(upstream, 0).0, [Effect::OpenUrl { url }]);
    let unpushed = "fleet is 2 ahead: ssh://git.example.com/acme/fleet has no such commit";
    assert_eq!(opened(upstream, 2), (Vec::new(), unpushed.to_owned()));
    let alone = "fleet has no remote over https or ssh, so no page shows it";
    assert_eq!(opened(None, 0), (Vec::new(), alone.to_owned()));
}

#[test]
fn the_command_line_chooses_where_the_deck_opens() {
    let options =
        Options { app: Some("web".to_owned()), context: Some("prod-eu".to_owned()), ..Options::default() };
    let typist = Typist::with(120, 40, options);
    assert_eq!(typist.state.deployment(), Some(&deployment_id("web", "prod-eu")));
}

#[test]
fn everything_possible_runs_what_is_chosen() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 a w");
    assert!(matches!(typist.state.layers.last(), Some(Layer::Who(_))));
}

#[test]
fn every_command_can_be_run_from_everywhere_without_harm() {
    use driftdeck::model::command::COMMANDS;
    let ways = ["", "4", "j 3 j 4 enter", "m", "!", "j 3 j 4 w", "j 3 j 4 S"];
    for way in ways {
        for entry in COMMANDS {
            let mut typist = Typist::at(80, 24);
            typist.keys(way);
            for key in entry.keys {
                typist.key(Key::parse(key).expect("a key"));
                typist.screen();
            }
        }
    }
}
