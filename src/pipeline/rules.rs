//! Keeps account of ignore rules: which hold for a repo, what each has done in this run, and which a repo has brought
//! along since it was last looked at. A rule never works unseen.

use crate::config::ignore::{REPOSITORY_FILE, read_repository_file};
use crate::config::private::PrivateError;
use crate::drift::{IgnoreRules, Selector};
use crate::model::ignore::RuleSource;
use crate::model::verdict::RuleUse;
use crate::model::{BuiltIns, IgnoreRule, Notice, RepoId, Tree, TreeError};
use crate::pipeline::remembered::Remembered;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What the user says of differences that do not count.
#[derive(Clone, Default)]
pub struct Ignoring {
    /// Rules for every repo.
    pub rules: Vec<Arc<IgnoreRule>>,
    pub built_in: BuiltIns,
    /// Runs jq expressions; `None`: nothing does.
    pub selector: Option<Arc<dyn Selector>>,
    /// Which rules each repo had; `None`: nothing is remembered.
    pub known: Option<Arc<KnownRules>>,
}

/// Reads the rules that a tree brings along, and what is wrong with them.
pub fn of_tree(tree: &dyn Tree) -> (Vec<Arc<IgnoreRule>>, Vec<Notice>) {
    match tree.read(REPOSITORY_FILE) {
        Ok(bytes) => read_repository_file(&bytes, REPOSITORY_FILE),
        Err(TreeError::NotFound { .. }) => Default::default(),
        Err(error) => {
            let notice = Notice::error("the ignore rules cannot be read").cause(error.to_string());
            (Vec::new(), vec![notice.file(REPOSITORY_FILE, None)])
        }
    }
}

/// Lets jq expressions be run, until it is dropped.
pub struct Running(Option<Arc<dyn Selector>>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(selector) = &self.0 {
            selector.stop();
        }
    }
}

impl Ignoring {
    /// Returns what ends the running of jq expressions once it is dropped: nobody waits for verdicts any more.
    pub fn running(&self) -> Running {
        Running(self.selector.clone())
    }

    /// Returns the rules that hold for a repo: the user's, then its own.
    pub fn with(&self, own: &[Arc<IgnoreRule>]) -> Arc<IgnoreRules> {
        self.with_mistake(own, None)
    }

    /// As [`Ignoring::with`], of a repo with a rule that cannot be read.
    pub fn with_mistake(&self, own: &[Arc<IgnoreRule>], mistake: Option<String>) -> Arc<IgnoreRules> {
        let rules = self.rules.iter().chain(own).cloned().collect();
        Arc::new(IgnoreRules::new(rules, self.selector.clone(), self.built_in).but(mistake))
    }

    /// Returns what is to be said of rules that a repo did not have before, and remembers them. Blocks on the disk where
    /// something is new.
    pub fn news(&self, repo: &RepoId, name: &str, own: &[Arc<IgnoreRule>]) -> Option<Notice> {
        self.known.as_ref().and_then(|known| known.news(repo, name, own))
    }
}

/// What the rules have done so far in this run.
#[derive(Debug, Default)]
pub struct Ledger(BTreeMap<Key, Account>);

/// A rule by where it is from and how it reads: several repos may have the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// The location of the repo that it is from; `None`: it is the user's.
    repo: Option<String>,
    rule: String,
}

impl Key {
    fn of(repo: &str, rule: &IgnoreRule) -> Self {
        let own = rule.source == RuleSource::Repository;
        Self { repo: own.then(|| repo.to_owned()), rule: format!("{} {rule}", rule.place()) }
    }
}

#[derive(Debug, Default)]
struct Account {
    names: bool,
    failed: bool,
}

impl Ledger {
    /// Writes down what the rules that hold for a repo, by its location, did to one object. Returns what is to be said of
    /// those that failed for the first time.
    pub fn record(&mut self, repo: &str, uses: &[RuleUse]) -> Vec<Notice> {
        let mut notices = Vec::new();
        for used in uses {
            let account = self.0.entry(Key::of(repo, &used.rule)).or_default();
            account.names |= used.names;
            if let Some(why) = used.failed.as_ref().filter(|_| !account.failed) {
                account.failed = true;
                notices.push(
                    at(
                        &used.rule,
                        Notice::warning(format!("an ignore rule hides less than it says: {}", used.rule)),
                    )
                    .cause(why.clone()),
                );
            }
        }
        notices
    }

    /// Returns what is to be said of rules that were about nothing, or named nothing, once everything has been judged: of
    /// those that hold for some repos, each by its location.
    pub fn idle(&self, of: impl IntoIterator<Item = (String, Arc<IgnoreRules>)>) -> Vec<Notice> {
        let (mut said, mut notices) = (BTreeSet::new(), Vec::new());
        for (repo, rules) in of {
            for rule in rules.iter() {
                let key = Key::of(&repo, rule);
                let what = match self.0.get(&key) {
                    None => "an ignore rule is about no object of this run",
                    Some(account) if !account.names && !account.failed => {
                        "an ignore rule names nothing that is there"
                    }
                    Some(_) => continue,
                };
                if said.insert(key) {
                    let notice = at(rule, Notice::warning(format!("{what}: {rule}")));
                    notices.push(notice.hint("it hides nothing: correct it, or take it out"));
                }
            }
        }
        notices
    }
}

fn at(rule: &IgnoreRule, notice: Notice) -> Notice {
    notice.file(rule.declared.file.clone(), rule.declared.line)
}

/// One line each, as JSON. Several driftdecks append to it.
const FILE: &str = "rules.jsonl";

/// A rule that a repo had, as it reads; none: the repo was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Known {
    repo: String,
    rule: Option<String>,
}

/// The rules that repos had when this user last looked at them.
pub struct KnownRules(Remembered<Known>);

impl KnownRules {
    /// Reads what earlier runs left in the state folder. A line that cannot be read is passed over.
    pub fn open(state: &Path) -> Result<Self, PrivateError> {
        Remembered::open(state, FILE).map(Self)
    }

    /// Returns what is to be said of a repo's rules that were not there when it was last looked at, and remembers them.
    /// Blocks on the disk where something is new.
    pub fn news(&self, repo: &RepoId, name: &str, rules: &[Arc<IgnoreRule>]) -> Option<Notice> {
        let of_repo = |rule: Option<String>| Known { repo: repo.0.to_string(), rule };
        let own = rules.iter().filter(|rule| rule.source == RuleSource::Repository);
        let said: Vec<(&Arc<IgnoreRule>, Known)> =
            own.map(|rule| (rule, of_repo(Some(rule.to_string())))).collect();
        let all = [of_repo(None)].into_iter().chain(said.iter().map(|(_, known)| known.clone()));
        let mut added: BTreeSet<Known> = self.0.add_all(all.collect()).into_iter().collect();
        let first = added.remove(&of_repo(None));
        // Of two that read the same the first stands for both.
        let new: Vec<_> =
            said.iter().filter(|(_, known)| added.remove(known)).map(|(rule, _)| *rule).collect();
        let one = new.first()?;
        let count =
            if new.len() == 1 { "an ignore rule".to_owned() } else { format!("{} ignore rules", new.len()) };
        let list: Vec<String> =
            new.iter().map(|rule| format!("line {}: {rule}", rule.declared.line.unwrap_or(0))).collect();
        let title = if first {
            format!("{name} brings {count}")
        } else {
            format!("{name} has {count} more than when it was last looked at")
        };
        let notice = if first { Notice::info(title) } else { Notice::warning(title) };
        Some(at(one, notice).cause(list.join("; ")).hint("what they hide is counted as ignored; i shows it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Level;

    fn rules(text: &str) -> Vec<Arc<IgnoreRule>> {
        read_repository_file(text.as_bytes(), REPOSITORY_FILE).0
    }

    #[test]
    fn rules_that_a_repo_has_not_had_before_are_said_once() {
        let state = tempfile::tempdir().unwrap();
        let repo = RepoId("fleet".into());
        let one = rules("ignore:\n- {kind: Deployment, fields: .spec.replicas}\n");
        let two =
            rules("ignore:\n- {kind: Secret, fields: .}\n- {kind: Deployment, fields: .spec.replicas}\n");
        let known = KnownRules::open(state.path()).unwrap();
        let first = known.news(&repo, "fleet", &one).unwrap();
        assert_eq!((first.level, first.title.as_str()), (Level::Info, "fleet brings an ignore rule"));
        assert_eq!(known.news(&repo, "fleet", &one), None);
        let later = KnownRules::open(state.path()).unwrap();
        let more = later.news(&repo, "fleet", &two).unwrap();
        assert_eq!(
            (more.level, more.title.as_str(), more.cause.as_deref(), more.line),
            (
                Level::Warning,
                "fleet has an ignore rule more than when it was last looked at",
                Some("line 2: kind Secret, ."),
                Some(2)
            )
        );
        let empty = KnownRules::open(state.path()).unwrap();
        assert_eq!(empty.news(&RepoId("other".into()), "other", &[]), None);
        let first_rule = empty.news(&RepoId("other".into()), "other", &one).unwrap();
        assert_eq!(first_rule.level, Level::Warning, "the repo was looked at before, without it");
    }

    #[test]
    fn rules_that_are_about_nothing_or_name_nothing_are_said_and_a_failure_is_said_once() {
        let all = rules(
            "ignore:\n- {kind: A, fields: .spec}\n- {kind: B, fields: .spec}\n- {kind: C, jq: .spec}\n- {kind: D, fields: .spec}\n",
        );
        let used = |at: usize, names, failed: Option<&str>| RuleUse {
            rule: all[at].clone(),
            names,
            hides: 0,
            failed: failed.map(str::to_owned),
        };
        let mut ledger = Ledger::default();
        let uses = [used(0, true, None), used(1, false, None), used(2, false, Some("slow"))];
        assert_eq!(ledger.record("fleet", &uses).len(), 1);
        assert!(ledger.record("fleet", &[used(2, false, Some("slow"))]).is_empty());
        let hold = || Ignoring::default().with(&all);
        let of = |repo: &str| (repo.to_owned(), hold());
        let idle: Vec<_> = ledger.idle([of("fleet")]).into_iter().map(|n| (n.line, n.title)).collect();
        let elsewhere = ledger.idle([of("fleet"), of("other"), of("other")]);
        assert_eq!(
            elsewhere.len(),
            2 + 4,
            "what a repo's rule does says nothing of another's that reads the same"
        );
        assert_eq!(
            idle,
            [
                (Some(3), "an ignore rule names nothing that is there: kind B, .spec".to_owned()),
                (Some(5), "an ignore rule is about no object of this run: kind D, .spec".to_owned()),
            ]
        );
    }
}
