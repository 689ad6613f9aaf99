//! `driftdeck capture`: a commit that writes live values back into the files that declare them.

use crate::action::sync::Only;
use crate::cli::acting::failed;
use crate::cli::arguments::{CaptureArguments, Options};
use crate::cli::committing::Committing;
use crate::cli::gather::Gathered;
use crate::cli::output::Output;
use crate::cli::sync::{choose, no_such_app};
use crate::cli::{Exit, Failed, ignore, opening};
use crate::model::{Notice, ResourceId, Verdict};
use crate::pipeline::committing::{What, Wish};
use crate::pipeline::run::start;
use tokio_util::sync::CancellationToken;

/// Plans the commit, and makes it once it is confirmed.
pub async fn run(
    what: &CaptureArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let only: Result<Vec<Only>, _> = what.only.iter().map(|text| text.parse::<Only>()).collect();
    let only =
        only.map_err(|error| failed(&error, Some("--only takes KIND[.GROUP]/[NAMESPACE/]NAME".to_owned())))?;
    let opened = opening::open(&what.places, options, false)?;
    let mut gathered = Gathered::default();
    gathered.notices.extend(opened.notices);
    let (handle, mut updates) = start(opened.setup);
    tokio::select! {
        () = gathered.until_settled(&mut updates, options.timeout, output) => {}
        () = cancel.cancelled() => return Ok(Exit::Interrupted),
    }
    let deployment = choose(&gathered, &what.name)?;
    let said = gathered.notices.clone();
    let none = std::collections::BTreeMap::new();
    let resources = gathered.resources.get(&deployment).unwrap_or(&none);
    let mut wishes = Vec::new();
    for one in &only {
        let meant: Vec<&ResourceId> = resources.keys().filter(|id| one.matches(id)).collect();
        if meant.is_empty() {
            let notice = Notice::error(format!("{} has no {one}", what.name));
            return Err(Box::new(notice.hint("driftdeck diff lists what differs")));
        }
        wishes.extend(meant.into_iter().map(|id| Wish { resource: id.clone(), fields: Vec::new() }));
    }
    if !what.field.is_empty() {
        // A field is of one object: the one that is named, or the only one that drifted.
        let drifted = resources.values().filter(|status| *status.verdict() == Verdict::Drifted);
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
