//! Defines how what went wrong with a step is told: title, cause, what to do.

use crate::cluster::ClusterError;
use crate::model::{Notice, Step};

fn title(step: &Step, what: &str) -> String {
    format!("{} {}: {what}", step.action.word(), step.resource)
}

fn about(step: &Step, what: &str) -> Notice {
    Notice::error(title(step, what)).object(step.resource.to_string())
}

/// The API server says already in the dry run that it will not do it.
pub fn refused(step: &Step, error: &ClusterError) -> Notice {
    failed_as(step, error, "the API server would refuse it")
}

/// The write did not succeed.
pub fn failed(step: &Step, error: &ClusterError) -> Notice {
    failed_as(step, error, "not done")
}

fn failed_as(step: &Step, error: &ClusterError, what: &str) -> Notice {
    let notice = about(step, what).cause(error.to_string());
    match error {
        ClusterError::Denied { verb, resource, .. } => {
            notice.hint(format!("ask for the right to {verb} {resource}"))
        }
        ClusterError::Invalid { fields, .. } if !fields.is_empty() => {
            let named: Vec<String> = fields.iter().map(|(field, why)| format!("{field}: {why}")).collect();
            notice.hint(named.join("; "))
        }
        ClusterError::Conflict { managers, .. } if !managers.is_empty() => {
            let who: Vec<&str> = managers.iter().map(|(manager, _)| manager.as_str()).collect();
            notice.hint(format!("plan again to see what would be taken over from {}", who.join(" and ")))
        }
        _ => notice,
    }
}

/// The dry run removes what somebody wrote, and that the step is not meant to remove.
pub fn removes(step: &Step, paths: &[String]) -> Notice {
    let (fields, them) = if paths.len() == 1 { ("a field", "it") } else { ("fields", "them") };
    about(step, &format!("it would also remove {fields} that somebody wrote"))
        .cause(format!("The API server's dry run removes {}", paths.join(" and ")))
        .hint(format!("Declare {them} in Git, or remove {them} from the object by hand, and plan again"))
}

/// The object was changed, deleted or recreated since the plan.
pub fn moved(step: &Step, how: &str) -> Notice {
    about(step, "not done").cause(how.to_owned()).hint("plan again")
}

/// The dry run does not show what it showed when the plan was made.
pub fn other_effect(step: &Step, paths: &[String]) -> Notice {
    about(step, "it would do something else than it showed").cause(paths.join(", ")).hint("plan again")
}

/// The object is written to faster than it can be compared.
pub fn keeps_moving(step: &Step) -> Notice {
    about(step, "not done").cause("it was changed each time between reading and writing").hint("try again")
}

/// The connection was lost, and reading back did not tell what became of it.
pub fn indeterminate(step: &Step, error: &ClusterError, why: &str) -> Notice {
    about(step, "it may or may not have been done")
        .cause(format!("{error}; {why}"))
        .hint("plan again: that reads it anew")
}

/// The connection was lost, and reading back showed that nothing was written.
pub fn lost_before(step: &Step, error: &ClusterError) -> Notice {
    about(step, "not done")
        .cause(format!("{error}; reading back shows that nothing was written"))
        .hint("sync again")
}

/// What was done could not be put into the journal.
pub fn not_recorded(error: &super::journal::JournalError) -> Notice {
    Notice::warning("the journal does not tell all that was done")
        .cause(error.to_string())
        .hint("the outcomes shown are right; the next sync completes the journal from what is on disk")
}

/// The intent could not be put on disk, so nothing was written.
pub fn no_intent(step: &Step, error: &super::journal::JournalError) -> Notice {
    about(step, "not done")
        .cause(error.to_string())
        .hint("nothing is written to a cluster that the journal cannot tell of")
}
