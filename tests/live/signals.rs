//! What is left behind by a command that is asked to end while it renders for a cluster.

use crate::support::Namespace;
use crate::support::hanging::{assert_nothing_is_left, await_hanging, end, hanging, start};

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_check_or_sync_that_is_asked_to_end_leaves_no_process_and_no_folder_behind() {
    let namespace = Namespace::new("signals");
    let mut home = namespace.home();
    hanging(&mut home, "kustomize");
    home.write("web/kustomization.yaml", "resources: [a.yaml]\n");
    home.write("web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for words in [&["check", "web"][..], &["sync", "web", "web", "--yes"]] {
            let running = start(&home, words);
            let pids = await_hanging(&home);
            assert_eq!(end(running, signal).code(), Some(code), "{words:?} {signal}");
            assert_nothing_is_left(&home, &pids);
        }
    }
}
