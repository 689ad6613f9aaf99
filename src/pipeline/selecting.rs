//! Runs jq expressions of ignore rules in a child process: this program's own, bounded in time and memory.
//!
//! An expression may be a repository's, and a short one can run for ever or fill all memory. jaq has no limits of its own,
//! and a thread cannot be ended: a process can.

use crate::drift::Selector;
use crate::model::ignore::{Spot, Token};
use crate::model::{Value, limits, sealed};
use crate::process::{self, Job, Limits};
use serde_json::{Value as Json, json};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The hidden command of the program that answers.
pub const COMMAND: &str = "select-paths";

/// A program that answers what [`crate::text::jq::answer`] answers.
pub struct JqProcess {
    program: PathBuf,
    allowed: Allowed,
    cancel: CancellationToken,
    spent: Mutex<Spent>,
    hasher: RandomState,
}

/// The time that expressions may take in one run of the program.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    /// One on all objects.
    one: Duration,
    /// All of them.
    all: Duration,
    /// What is not counted of each time that the program is started.
    start: Duration,
}

/// What has been done so far.
#[derive(Default)]
struct Spent {
    time: Duration,
    by: BTreeMap<String, Account>,
    /// The answers to questions by their hash: an object is judged more often than it changes.
    answers: HashMap<u64, Vec<Vec<Spot>>>,
    /// The spots in those answers.
    remembered: usize,
}

/// What one expression has taken so far.
#[derive(Default)]
struct Account {
    time: Duration,
    /// Why it is not run again.
    given_up: Option<String>,
}

impl Spent {
    fn given_up(&self, expression: &str) -> Option<String> {
        self.by.get(expression)?.given_up.clone()
    }

    /// Writes down the time that an expression took. One that has taken too much in all is given up.
    fn take(&mut self, expression: &str, took: Duration, allowed: Allowed) {
        let counted = took.saturating_sub(allowed.start);
        self.time += counted;
        let account = self.by.entry(expression.to_owned()).or_default();
        account.time += counted;
        let seconds = if account.time > allowed.one {
            allowed.one.as_secs()
        } else if self.time > allowed.all {
            allowed.all.as_secs()
        } else {
            return;
        };
        let all = if account.time > allowed.one { "it has" } else { "jq expressions have" };
        account.given_up.get_or_insert(format!("{all} taken more than {seconds}s in this run"));
    }

    fn give_up(&mut self, expression: &str, why: String) {
        self.by.entry(expression.to_owned()).or_default().given_up.get_or_insert(why);
    }

    fn remember(&mut self, question: u64, answer: &[Vec<Spot>]) {
        let spots = 1 + answer.iter().map(Vec::len).sum::<usize>();
        if self.remembered + spots > limits::JQ_REMEMBERED {
            self.answers.clear();
            self.remembered = 0;
        }
        if self.answers.insert(question, answer.to_vec()).is_none() {
            self.remembered += spots;
        }
    }
}

impl JqProcess {
    /// Takes this program itself. `None`: the system does not say where it is.
    pub fn of_this_program() -> Option<Self> {
        let allowed =
            Allowed { one: limits::JQ_TIME_OF_ONE, all: limits::JQ_TIME_OF_ALL, start: limits::JQ_START };
        std::env::current_exe().ok().map(|program| Self::new(program, allowed))
    }

    fn new(program: PathBuf, allowed: Allowed) -> Self {
        let (cancel, spent, hasher) = (CancellationToken::new(), Mutex::default(), RandomState::new());
        Self { program, allowed, cancel, spent, hasher }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, question: Vec<u8>) -> Result<Vec<u8>, String> {
        let limits = Limits {
            memory_bytes: Some(limits::JQ_MEMORY_BYTES),
            processes: limits::JQ_PROCESSES,
            ..Limits::within(limits::JQ_TIME)
        };
        let job = Job::new(&self.program, std::env::temp_dir(), limits).args([COMMAND]).stdin(question);
        let finished = process::run(job, &self.cancel).await;
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

    fn stop(&self) {
        self.cancel.cancel();
    }
}

impl JqProcess {
    fn select_one(&self, expression: &str, documents: &[Json]) -> Result<Vec<Vec<Spot>>, String> {
        if let Some(why) = self.spent().given_up(expression) {
            return Err(why);
        }
        if self.cancel.is_cancelled() {
            return Err("it is not waited for any more".to_owned());
        }
        let question = json!({ "expressions": [expression], "documents": documents }).to_string();
        let hash = self.hasher.hash_one(&question);
        if let Some(known) = self.spent().answers.get(&hash) {
            return Ok(known.clone());
        }
        let began = Instant::now();
        let answer = self.ask_and_wait(question.into_bytes());
        let mut spent = self.spent();
        spent.take(expression, began.elapsed(), self.allowed);
        match answer {
            Ok(answer) => {
                let answer = read(&answer).unwrap_or_else(|| Err("its answer cannot be read".to_owned()));
                answer.inspect(|answer| spent.remember(hash, answer))
            }
            Err(why) => {
                if !self.cancel.is_cancelled() {
                    spent.give_up(expression, why.clone());
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;
    use std::os::unix::fs::PermissionsExt as _;

    const LONG: Duration = Duration::from_secs(600);

    /// Makes a program that writes a line to the file `asked` beside it and then does something.
    fn program(folder: &tempfile::TempDir, does: &str, allowed: Allowed) -> JqProcess {
        let path = folder.path().join("program");
        let asked = folder.path().join("asked");
        std::fs::write(&path, format!("#!/bin/sh\necho >> {}\n{does}\n", asked.display())).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        JqProcess::new(path, allowed)
    }

    fn times_asked(folder: &tempfile::TempDir) -> usize {
        std::fs::read(folder.path().join("asked")).unwrap_or_default().len()
    }

    const ANSWER: &str = r#"echo '[{"paths": [[["a"]]]}]'"#;

    #[test]
    fn an_expression_that_takes_too_long_in_all_is_given_up_and_says_so() {
        let none = Duration::ZERO;
        for (one, all, why) in [
            (none, LONG, "it has taken more than 0s in this run"),
            (LONG, none, "jq expressions have taken more than 0s in this run"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let jq = program(&folder, ANSWER, Allowed { one, all, start: none });
            let named = Ok(vec![vec![vec![Token::Key("a".to_owned())]]]);
            assert_eq!(jq.select(&[".a"], &[&value!({"a": 1})]), [named]);
            assert_eq!(jq.select(&[".a"], &[&value!({"a": 2})]), [Err(why.to_owned())]);
            assert_eq!(times_asked(&folder), 1);
        }
    }

    #[test]
    fn the_same_question_is_asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let jq = program(&folder, ANSWER, Allowed { one: LONG, all: LONG, start: LONG });
        let first = jq.select(&[".a"], &[&value!({"a": 1})]);
        assert_eq!(jq.select(&[".a"], &[&value!({"a": 1})]), first);
        assert_eq!(times_asked(&folder), 1);
        jq.select(&[".a"], &[&value!({"a": 2})]);
        assert_eq!(times_asked(&folder), 2);
    }

    #[test]
    fn what_runs_ends_when_nobody_waits_for_it_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let jq = program(&folder, "exec sleep 600", Allowed { one: LONG, all: LONG, start: LONG });
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| jq.select(&[".a"], &[&value!({"a": 1})]));
            while times_asked(&folder) == 0 {
                std::thread::yield_now();
            }
            jq.stop();
            assert!(asking.join().unwrap()[0].is_err());
        });
        assert!(jq.select(&[".a"], &[&value!({"a": 1})])[0].is_err());
        assert_eq!(times_asked(&folder), 1);
    }
}
