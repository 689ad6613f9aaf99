//! `driftdeck revert`: a new commit that puts an app's path back to what it was, or takes one commit out again.

use crate::cli::arguments::{Options, RevertArguments};
use crate::cli::committing::Committing;
use crate::cli::history::{choose, gather};
use crate::cli::output::Output;
use crate::cli::{Exit, Failed};
use crate::model::Notice;
use crate::pipeline::committing::{Wanted, What};
use tokio_util::sync::CancellationToken;

/// Plans the commit, and makes it once it is confirmed. A cluster is not needed; without one its effect there is not known.
pub async fn run(
    what: &RevertArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    // All apps of the repo are read: those that share files with this one are named.
    let looking = gather(&what.places, options, output);
    let (gathered, handle) = tokio::select! {
        gathered = looking => gathered?,
        () = cancel.cancelled() => return Ok(Exit::Interrupted),
    };
    let known = gathered.app_names();
    if !known.is_empty() && !known.contains(what.name.as_str()) {
        let known: Vec<&str> = known.into_iter().collect();
        let notice = Notice::error(format!("there is no app {}", what.name));
        return Err(Box::new(notice.hint(format!("it has {}", known.join(", ")))));
    }
    let mut said = gathered.notices.clone();
    let (app, cluster) = choose(&gathered, &what.name, &mut said)?;
    let Some(ground) = handle.past(app, cluster).await else {
        return Err(Box::new(Notice::error(format!("{} cannot be read", what.name))));
    };
    let how = Committing { asked: &what.commit, options, output, cancel };
    let asked = what.to.clone();
    let recipe = if what.only_commit { What::Undo { commit: asked } } else { What::Back { to: asked } };
    let wanted =
        Wanted { include: what.include.clone(), include_all: what.include_all, ..how.wanted(recipe) };
    how.run(&handle, &ground, &wanted, said).await
}
