//! What is left behind by a command that is asked to end.

use crate::support::Home;
use crate::support::hanging::{assert_nothing_is_left, await_catching, await_hanging, end, hanging, start};

const SIGNALS: [(&str, u32, i32); 3] = [("INT", 2, 130), ("TERM", 15, 143), ("HUP", 1, 129)];

#[test]
fn a_command_that_is_asked_to_end_leaves_no_process_and_no_folder_behind() {
    let mut home = Home::new();
    hanging(&mut home, "helm");
    home.write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    home.write("chart/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    for (signal, _, code) in SIGNALS {
        for words in [&["render", "chart"][..], &["compare", "chart", "chart"]] {
            let running = start(&home, words);
            let pids = await_hanging(&home);
            assert_eq!(end(running, signal).code(), Some(code), "{words:?} {signal}");
            assert_nothing_is_left(&home, &pids);
        }
    }
}

#[test]
fn a_command_that_waits_for_standard_input_ends_when_it_is_asked_to() {
    let home = Home::new();
    home.write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    for (signal, number, code) in SIGNALS {
        for words in [&["render", "-"][..], &["compare", "-", "a.yaml"], &["compare", "a.yaml", "-"]] {
            let running = start(&home, words);
            await_catching(&running, number);
            assert_eq!(end(running, signal).code(), Some(code), "{words:?} {signal}");
        }
    }
}
