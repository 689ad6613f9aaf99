//! The budget for exact checks that nobody asked for: `exact: {background: N}`.

use crate::catalogue::{Stage, Way, deployment};
use crate::support::{Terminal, Webhook, never_within};
use serde_json::{Value, json};
use std::time::Duration;

const IMAGE: &str = "/spec/template/spec/containers/0/image";

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_verdict_that_only_the_server_can_settle_is_settled_unasked_within_a_budget_and_not_without_one() {
    let stage = Stage::declared("background", Way::ServerSide, &deployment("", ""));
    let pins = |request: &Value| {
        let image = request["object"].pointer(IMAGE).and_then(Value::as_str).unwrap_or_default();
        let operation = json!({"op": "replace", "path": IMAGE, "value": "web:1@pinned"});
        Ok(if image == "web:1" { vec![operation] } else { Vec::new() })
    };
    let webhook = Webhook::on(&stage.namespace, "apps", "deployments", pins);
    webhook.await_in_force(|| {
        stage.apply(&deployment("", ""));
        let live = stage.namespace.get("deployment/web").unwrap();
        let pinned = live.pointer(IMAGE).is_some_and(|image| image == "web:1@pinned");
        if !pinned {
            stage.namespace.kubectl(&["delete", "deployment", "web"]);
        }
        pinned
    });
    for (budget, is_settled) in [(0, false), (60, true)] {
        let config = stage.home.write("budget.yaml", format!("exact: {{background: {budget}}}\n"));
        let config = config.display().to_string();
        let deck = Terminal::driftdeck(&stage.home, &["repo", "--config", &config], 150, 40);
        if is_settled {
            deck.await_text("all in sync");
        } else {
            deck.await_text("web:1@pinned");
            never_within(Duration::from_secs(5), "it is settled", || deck.text().contains("all in sync"));
        }
    }
}
