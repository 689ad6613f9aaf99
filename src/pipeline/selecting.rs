//! Runs jq expressions of ignore rules in a child process: this program's own, bounded in time and memory.
//!
//! An expression may be a repository's, and a short one can run for ever or fill all memory. jaq has no limits of its own,
//! and a thread cannot be ended: a process can.

use crate::drift::Selector;
use crate::model::ignore::{Spot, Token};
use crate::model::{Value, limits, sealed};
use crate::process::{self, Job, Limits};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The hidden command of the program that answers.
pub const COMMAND: &str = "select-paths";

/// A program that answers what [`crate::text::jq::answer`] answers.
pub struct JqProcess {
    program: PathBuf,
    /// Expressions that went over a limit, with the reason: they are not run again.
    given_up: Mutex<BTreeMap<String, String>>,
}

impl JqProcess {
    /// Takes this program itself. `None`: the system does not say where it is.
    pub fn of_this_program() -> Option<Self> {
        std::env::current_exe().ok().map(|program| Self { program, given_up: Mutex::default() })
    }

    async fn ask(&self, question: Vec<u8>) -> Result<Vec<u8>, String> {
        let limits = Limits {
            memory_bytes: Some(limits::JQ_MEMORY_BYTES),
            processes: limits::JQ_PROCESSES,
            ..Limits::within(limits::JQ_TIME)
        };
        let job = Job::new(&self.program, std::env::temp_dir(), limits).args([COMMAND]).stdin(question);
        let finished = process::run(job, &CancellationToken::new()).await;
        match finished {
            Ok(finished) if finished.succeeded() => Ok(finished.stdout),
            Ok(finished) if finished.signal.is_some() => Err("it needs too much memory".to_owned()),
            Ok(finished) => Err(format!("the process that runs it failed: {}", finished.stderr)),
            Err(process::ChildError::TimedOut { after, .. }) => {
                Err(format!("it takes longer than {}s", after.as_secs()))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Selector for JqProcess {
    fn select(&self, expressions: &[&str], documents: &[&Value]) -> Vec<Result<Vec<Vec<Spot>>, String>> {
        let documents: Vec<Json> =
            documents.iter().map(|document| sealed::without_secrets(document)).collect();
        // One that does not end must not take the others along.
        expressions.iter().map(|expression| self.select_one(expression, &documents)).collect()
    }
}

impl JqProcess {
    fn select_one(&self, expression: &str, documents: &[Json]) -> Result<Vec<Vec<Spot>>, String> {
        let given_up = || self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = given_up().get(expression) {
            return Err(why.clone());
        }
        let question = json!({ "expressions": [expression], "documents": documents }).to_string();
        match self.ask_and_wait(question.into_bytes()) {
            Ok(answer) => read(&answer).unwrap_or_else(|| Err("its answer cannot be read".to_owned())),
            Err(why) => {
                given_up().insert(expression.to_owned(), why.clone());
                Err(why)
            }
        }
    }

    /// Asks from a thread with a runtime of its own: whoever judges may stand on any thread, also on one of a runtime.
    fn ask_and_wait(&self, question: Vec<u8>) -> Result<Vec<u8>, String> {
        let ask = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|error| error.to_string())?.block_on(self.ask(question))
        };
        std::thread::scope(|scope| scope.spawn(ask).join())
            .unwrap_or_else(|_| Err("driftdeck failed while running it; the log says where".to_owned()))
    }
}

/// Reads the answer to one expression; `None`: it is none.
fn read(answer: &[u8]) -> Option<Result<Vec<Vec<Spot>>, String>> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    let answer = answer.as_array()?.first()?;
    if let Some(error) = answer.get("error") {
        return Some(Err(error.as_str()?.to_owned()));
    }
    let documents = answer.get("paths")?.as_array()?.iter();
    documents.map(|paths| paths.as_array()?.iter().map(spot).collect()).collect::<Option<_>>().map(Ok)
}

fn spot(path: &Json) -> Option<Spot> {
    let token = |step: &Json| match step {
        Json::String(key) => Some(Token::Key(key.clone())),
        Json::Number(at) => at.as_u64().and_then(|at| usize::try_from(at).ok()).map(Token::Index),
        // A slice is no spot.
        _ => None,
    };
    path.as_array()?.iter().map(token).collect()
}
