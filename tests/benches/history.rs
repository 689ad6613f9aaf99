//! The first page of an app's history, in a repository of 100,000 commits of 200 apps, beside `git log` in the same run:
//! without a commit-graph, and with one that knows changed paths.

use crate::figures::{Times, figure, figure_and_aim, subject, timed};
use driftdeck::git::{Git, Repo};
use driftdeck::model::{Oid, limits};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tokio_util::sync::CancellationToken;

const COMMITS: usize = 100_000;
const APPS: usize = 200;
const ROUNDS: usize = 10;
const APP: &str = "apps/app007";

pub fn measure() {
    subject("history: the first page of an app, 100,000 commits of 200 apps");
    let folder = tempfile::tempdir().unwrap();
    let (made, ()) = timed(|| fill(folder.path()));
    figure("making the repository (not part of any figure below)", &crate::figures::words(made));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (found, git) =
        timed(|| runtime.block_on(Git::find(std::env::vars_os(), &CancellationToken::new())).unwrap());
    figure("finding git, once in a run", &crate::figures::words(found));
    pages(folder.path(), &runtime, &git, "no commit-graph");
    git_in(folder.path(), &["commit-graph", "write", "--reachable", "--changed-paths"]);
    pages(folder.path(), &runtime, &git, "a commit-graph with changed paths");
}

fn pages(folder: &Path, runtime: &tokio::runtime::Runtime, git: &Git, with: &str) {
    let head = Oid(git_in(folder, &["rev-parse", "main"]).trim().to_owned());
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    let mut first = None;
    for _ in 0..ROUNDS {
        let (time, page) = timed(|| {
            let repo = Repo::open(folder).unwrap();
            let paths = [APP.to_owned()];
            let cancel = CancellationToken::new();
            let asked = repo.history(Some(git), &head, &paths, limits::HISTORY_PAGE, &cancel);
            runtime.block_on(asked).unwrap()
        });
        assert_eq!((page.commits.len(), page.more), (limits::HISTORY_PAGE, true));
        first.get_or_insert(time);
        ours.add(time);
        let (time, log) = timed(|| {
            let count = format!("-{}", limits::HISTORY_PAGE);
            git_in(folder, &["log", &count, "--format=%H %an %at %s", "main", "--", APP])
        });
        assert_eq!(log.lines().count(), limits::HISTORY_PAGE);
        theirs.add(time);
    }
    let first = crate::figures::words(first.unwrap());
    figure_and_aim(&format!("first page, {with}: the first time"), &first, "150 ms");
    figure_and_aim(&format!("first page, {with}"), &ours.to_string(), "30 ms");
    figure(&format!("`git log -{}`, {with}", limits::HISTORY_PAGE), &theirs.to_string());
}

/// Fills a repository by `git fast-import`, each commit with one file of one app, chosen by a fixed seed.
fn fill(folder: &Path) {
    git_in(folder, &["init", "-q", "--bare", "-b", "main", "."]);
    let mut stream = String::from("reset refs/heads/main\n");
    let mut seed = 7_u64;
    for n in 0..COMMITS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let app = usize::try_from(seed >> 33).unwrap() % APPS;
        let (time, message) = (1_500_000_000 + n * 900, format!("Change {n} (#{})", n % 900));
        let _ = write!(
            stream,
            "commit refs/heads/main\nauthor Ana <ana@example.com> {time} +0000\ncommitter Ana <ana@example.com> {time} +0000\ndata {}\n{message}\n",
            message.len()
        );
        if n == 0 {
            for app in 0..APPS {
                let _ = write!(stream, "M 100644 inline apps/app{app:03}/service.yaml\ndata 5\na: 0\n\n");
            }
        }
        let text = format!("a: {n}\n");
        let _ =
            write!(stream, "M 100644 inline apps/app{app:03}/deployment.yaml\ndata {}\n{text}\n", text.len());
    }
    let mut child = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    git_in(folder, &["-c", "gc.writeCommitGraph=false", "gc", "-q"]);
}

fn git_in(folder: &Path, words: &[&str]) -> String {
    let done = Command::new("git").args(words).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
