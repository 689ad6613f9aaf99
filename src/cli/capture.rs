//! `driftdeck capture`: a commit that writes live values back into the files that declare them.

use crate::action::sync::Only;
use crate::cli::arguments::{CaptureArguments, Options};
use crate::cli::committing::{Committing, looked, meant};
use crate::cli::output::Output;
use crate::cli::sync::{choose, no_such_app, only};
use crate::cli::{Exit, Failed, ignore};
use crate::model::{Notice, ResourceId, Verdict};
use crate::pipeline::committing::{What, Wish};
use tokio_util::sync::CancellationToken;

/// Plans the commit, and makes it once it is confirmed.
pub async fn run(
    what: &CaptureArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let named = what.only.iter().map(|text| only(text)).collect::<Result<Vec<Only>, _>>()?;
    let looking = looked(&what.places, options, output, cancel);
    let Some((gathered, handle)) = looking.await? else { return Ok(Exit::Interrupted) };
    let deployment = choose(&gathered, &what.name)?;
    let said = gathered.notices.clone();
    let mut wishes = Vec::new();
    for one in &named {
        let meant = meant(&gathered, &deployment, one)?;
        wishes.extend(meant.into_iter().map(|resource| Wish { resource, fields: Vec::new() }));
    }
    if !what.field.is_empty() {
        // A field is of one object: the one that is named, or the only one that drifted.
        let resources = gathered.resources.get(&deployment).into_iter().flat_map(|of| of.values());
        let drifted = resources.filter(|status| *status.verdict() == Verdict::Drifted);
        let mut of: Vec<ResourceId> = wishes.iter().map(|wish| wish.resource.clone()).collect();
        if of.is_empty() {
            of = drifted.map(|status| status.id.clone()).collect();
        }
        let [resource] = of.as_slice() else {
            let notice = Notice::error("--field names a field of one object");
            return Err(Box::new(notice.hint("name the object too: --only KIND/NAME")));
        };
        let inspected = handle.inspect(deployment.clone(), resource.clone()).await;
        let inspected = inspected.ok_or_else(|| no_such_app(&gathered, &what.name))?;
        let fields: Result<Vec<_>, Failed> =
            what.field.iter().map(|field| ignore::path(&inspected, field)).collect();
        wishes = vec![Wish { resource: resource.clone(), fields: fields? }];
    }
    let ground = handle.past(deployment.app.clone(), Some(deployment.cluster.clone())).await;
    let ground = ground.ok_or_else(|| no_such_app(&gathered, &what.name))?;
    let how = Committing { asked: &what.commit, options, output, cancel };
    let wanted = how.wanted(What::Capture(wishes));
    how.run(&handle, &ground, &wanted, said).await
}
