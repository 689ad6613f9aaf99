//! Has the API server say the last word on everything that was compared (`--exact`).

use crate::cli::gather::Gathered;
use crate::cli::output::Output;
use crate::model::DeploymentId;
use crate::model::update::Update;
use crate::pipeline::exact::{Checked, silences};
use crate::pipeline::run::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// After how many objects it is said how far it has come.
const EVERY: usize = 100;

/// Asks about every object of every deployment, and takes in what becomes of the verdicts. Objects that the server does
/// not answer for keep the local verdict; why, and how many, is said once. Nothing runs on when it is dropped.
pub async fn ask(
    gathered: &mut Gathered,
    handle: &Handle,
    updates: &mut mpsc::Receiver<Update>,
    output: &Output,
) -> Checked {
    let ids: Vec<DeploymentId> = gathered.deployments.keys().cloned().collect();
    let cancel = CancellationToken::new();
    let mut checked = Checked::default();
    {
        let asking = async {
            for id in ids {
                let name = id.app.name.clone();
                let mut progress = |done: usize, total: usize| {
                    if done > 0 && (done == total || done.is_multiple_of(EVERY)) {
                        output.progress(&format!("exact: {done} of {total} objects of {name}"));
                    }
                };
                let one = handle.check_exactly(id, Vec::new(), &cancel, &mut progress).await;
                checked.add(one.unwrap_or_default());
            }
        };
        tokio::pin!(asking);
        loop {
            tokio::select! {
                () = &mut asking => break,
                Some(update) = updates.recv() => gathered.take(update),
            }
        }
    }
    while let Ok(update) = updates.try_recv() {
        gathered.take(update);
    }
    gathered.notices.extend(silences(&checked));
    checked
}
