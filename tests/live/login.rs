//! Logging in by hand: the deck lends its terminal to the credential plugin.

use crate::support::{Home, Namespace, Repository, Terminal};
use std::os::unix::fs::PermissionsExt as _;

const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n";

/// A home whose kubeconfig takes the credentials from a plugin that asks for a word, where it is given a terminal.
fn home_with_a_plugin(namespace: &Namespace) -> Home {
    let (home, access) = (Home::new(), namespace.access());
    let script = format!(
        "#!/bin/sh\n\
         case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":true'*) ;; *) echo 'please log in' >&2; exit 1;; esac\n\
         printf 'pass phrase: ' >&2; read -r word; [ \"$word\" = sesame ] || exit 1\n\
         echo '{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"{}\"}}}}'\n",
        access.token
    );
    let plugin = home.write("plugin", script);
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let exec = format!(
        "{{apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, command: '{}'}}",
        plugin.display()
    );
    let config =
        access.kubeconfig().replace(&format!("{{token: {}}}", access.token), &format!("{{exec: {exec}}}"));
    home.write("kubeconfig", config);
    home
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn logging_in_by_hand_lends_the_terminal_to_the_plugin_and_then_the_cluster_is_reached() {
    let (namespace, repository) = (Namespace::new("login"), Repository::new());
    repository.write("web/settings.yaml", SETTINGS).commit("Add web");
    namespace.apply(SETTINGS);
    let home = home_with_a_plugin(&namespace);
    let folder = repository.path().display().to_string();
    let mut deck = Terminal::driftdeck(&home, &[folder.as_str()], 150, 40);
    deck.await_text("denied");
    deck.keys(":log in<enter>");
    deck.await_text("pass phrase:");
    deck.keys("sesame<enter>");
    deck.await_text("logged in to plane");
    deck.await_text("in sync");
    deck.keys("q");
    assert_eq!(deck.await_exit(), (0, None));
    deck.assert_given_back();
}
