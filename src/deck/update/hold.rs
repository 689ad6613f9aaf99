//! Defines when it is asked whether an app's engine acts by itself, how that comes in, and the way to pausing it.

use super::plan;
use crate::deck::effect::{Effect, HoldRequest, Pause, PlanRequest};
use crate::deck::layer::{HoldPrompt, Layer};
use crate::deck::possible;
use crate::deck::state::State;
use crate::deck::words;
use crate::model::{Automation, DeploymentId, Engine, Fetched, Notice, Timestamp};
use jiff::SignedDuration;

/// Asks about the app that is looked at, unless it is known or on its way. Engines without a switch are not asked.
pub(super) fn look(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(id) = state.deployment().cloned() else { return };
    let engine = state.world.deployments.get(&id).map(|status| status.engine);
    let has_switch = matches!(engine, Some(Engine::ArgoCd | Engine::Flux));
    if !has_switch || state.holds.contains_key(&id) || !possible::is_reached(state, &id) {
        return;
    }
    ask(state, id, effects);
}

fn ask(state: &mut State, id: DeploymentId, effects: &mut Vec<Effect>) {
    let known = state.holds.remove(&id).unwrap_or_default();
    state.holds.insert(id.clone(), known.loading());
    effects.push(Effect::LoadAutomation { deployment: id });
}

pub(super) fn came(
    state: &mut State,
    at: Timestamp,
    deployment: DeploymentId,
    result: Result<Automation, Notice>,
) {
    let known = state.holds.remove(&deployment).unwrap_or_default();
    let now = match result {
        Ok(value) => Fetched::Ready { at, value },
        Err(notice) => known.failed(at, notice),
    };
    state.holds.insert(deployment, now);
    state.outdated = true;
    tell_expired(state);
}

/// What was known is asked for again where it is looked at.
pub(super) fn forget(state: &mut State, deployment: &DeploymentId) {
    state.holds.remove(deployment);
    state.expired.remove(deployment);
}

/// Says once of each hold that its time is over, and how the engine goes on.
pub(super) fn tell_expired(state: &mut State) {
    let now = state.now;
    let over = |known: &Fetched<Automation>| {
        known.value().and_then(Automation::hold).is_some_and(|hold| hold.is_expired(now))
    };
    let told = &state.expired;
    let new = state.holds.iter().filter(|(id, known)| over(known) && !told.contains(*id));
    let new: Vec<DeploymentId> = new.map(|(id, _)| id.clone()).collect();
    let key = possible::key(state, crate::model::Command::Hold);
    for id in new {
        let Some(hold) = state.holds.get(&id).and_then(Fetched::value).and_then(Automation::hold) else {
            continue;
        };
        let said = words::hold(hold, now, &state.options.zone);
        let title = format!("{} on {}: {said}", id.app.name, state.world.context(&id.cluster));
        state.note(now, Notice::warning(title).hint(format!("{key} lets its engine go on")));
        state.expired.insert(id);
    }
}

/// Pauses the engine of the app, or lets it go on: asks how long and why, or for the plan.
pub(super) fn begin(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let deployment = match possible::writable(state) {
        Ok(deployment) => deployment,
        Err(why) => return state.refuse(why),
    };
    let (app, context) = (deployment.app.name.clone(), state.world.context(&deployment.cluster).to_owned());
    let engine = state.world.deployments.get(&deployment).map_or(Engine::None, |status| status.engine);
    if !matches!(engine, Engine::ArgoCd | Engine::Flux) {
        return state.refuse(match engine {
            Engine::None => format!("no engine owns {app} on {context}: there is nothing to hold"),
            other => format!("driftdeck cannot pause {}, which owns {app} on {context}", other.word()),
        });
    }
    match state.holds.get(&deployment) {
        Some(Fetched::Ready { value: Automation::Held(_), .. }) => {
            plan::begin(state, at, PlanRequest::Hold(HoldRequest { deployment, pause: None }), effects);
        }
        Some(Fetched::Ready { value: Automation::Running, .. }) => {
            state.layers.push(Layer::Hold(HoldPrompt { deployment, typed: "1h ".to_owned() }));
        }
        Some(Fetched::Ready { value: Automation::Manual, .. }) => {
            state.refuse(format!("the engine of {app} on {context} acts only when it is told to"));
            ask(state, deployment, effects);
        }
        Some(Fetched::Ready { value: Automation::NoEngine, .. }) => {
            state.refuse(format!("the engine's object that owns {app} is not on {context}"));
            ask(state, deployment, effects);
        }
        Some(Fetched::Failed { notice, .. }) => {
            let why = notice.cause.clone().unwrap_or_else(|| notice.title.clone());
            state.refuse(format!("whether {app} on {context} is held is not known: {why}"));
            ask(state, deployment, effects);
        }
        Some(Fetched::Loading { .. } | Fetched::Idle) => {
            state.refuse(format!("whether {app} on {context} is held is being asked"));
        }
        None => {
            state.refuse(format!("whether {app} on {context} is held is being asked"));
            ask(state, deployment, effects);
        }
    }
}

/// Takes in how long and why, and asks for the plan; what cannot be read stays to be mended.
pub(super) fn asked(state: &mut State, prompt: HoldPrompt, effects: &mut Vec<Effect>) {
    match pause(&prompt.typed) {
        Ok(pause) => {
            let at = state.now;
            let request = HoldRequest { deployment: prompt.deployment, pause: Some(pause) };
            plan::begin(state, at, PlanRequest::Hold(request), effects);
        }
        Err(why) => {
            state.layers.push(Layer::Hold(prompt));
            state.refuse(why);
        }
    }
}

/// Reads `2h hot fix of the checkout`.
fn pause(typed: &str) -> Result<Pause, String> {
    let (lasting, reason) = typed.trim().split_once(char::is_whitespace).unwrap_or((typed.trim(), ""));
    let span: Option<SignedDuration> = lasting.parse().ok().filter(|span| *span > SignedDuration::ZERO);
    let Some(lasting) = span else { return Err("how long comes first, such as 30m or 2h".to_owned()) };
    let reason = reason.trim();
    if reason.is_empty() {
        return Err("why comes after how long: colleagues read it".to_owned());
    }
    Ok(Pause { reason: reason.to_owned(), lasting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_comes_first_and_why_after_it() {
        let read = |reason: &str, hours: i64| {
            Ok(Pause { reason: reason.to_owned(), lasting: SignedDuration::from_hours(hours) })
        };
        for (typed, expected) in [
            ("1h hot fix", read("hot fix", 1)),
            ("  2h   hot  fix ", read("hot  fix", 2)),
            ("1h", Err("why comes after how long: colleagues read it".to_owned())),
            ("hot fix", Err("how long comes first, such as 30m or 2h".to_owned())),
            ("0h x", Err("how long comes first, such as 30m or 2h".to_owned())),
            ("-2h x", Err("how long comes first, such as 30m or 2h".to_owned())),
            ("", Err("how long comes first, such as 30m or 2h".to_owned())),
        ] {
            assert_eq!(pause(typed), expected, "{typed}");
        }
    }
}
