//! Who wrote a line, on repositories that real git made.

use super::fixture::{Ground, Made, git};
use crate::git::{Begin, Known, LineBy, Repo};
use crate::model::Oid;
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

const FILE: &str = "apps/web/deployment.yaml";

/// Says for each line who wrote it: the subject of the commit, with `…` where history ends there.
fn by(repo: &Made, file: &str, lines: &[usize]) -> Vec<String> {
    let head = Oid(repo.git(&["rev-parse", "HEAD"]));
    told(repo, file, Begin::Commit(&head), lines)
}

fn told(repo: &Made, file: &str, begin: Begin<'_>, lines: &[usize]) -> Vec<String> {
    let opened = Repo::open(&repo.path).unwrap();
    let asked: BTreeSet<usize> = lines.iter().copied().collect();
    let told = opened.blame(file, begin, &asked, &CancellationToken::new());
    let words = |by: &LineBy| match by {
        LineBy::Commit(Known { facts, or_earlier: false }) => facts.subject.clone(),
        LineBy::Commit(Known { facts, or_earlier: true }) => format!("{} …", facts.subject),
        LineBy::Uncommitted => "uncommitted".to_owned(),
        LineBy::GivenUp => "given up".to_owned(),
    };
    lines.iter().map(|line| told.get(line).map_or_else(|| "no line".to_owned(), words)).collect()
}

/// What `git blame` itself says.
fn by_git(repo: &Made, file: &str, lines: &[usize]) -> Vec<String> {
    let porcelain = repo.git(&["blame", "--line-porcelain", "HEAD", "--", file]);
    let subjects: Vec<&str> = porcelain.lines().filter_map(|line| line.strip_prefix("summary ")).collect();
    lines.iter().map(|line| subjects[line - 1].to_owned()).collect()
}

#[test]
fn a_line_is_the_commits_that_wrote_it_wherever_it_stands_since() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    repo.write(FILE, "a: 1\nb: 2\nc: 3\n").commit("first");
    repo.write(FILE, "a: 1\nb: 5\nc: 3\n").commit("second");
    repo.write("README", "x").commit("of something else");
    repo.write(FILE, "# head\n# more\na: 1\nb: 5\nc: 3\nd: 4\n").commit("third");
    repo.write(FILE, "# head\na: 1\nb: 5\nc: 3\nd: 4\n").commit("fourth takes a line away");
    let lines = [1, 2, 3, 4, 5];
    let words = by(&repo, FILE, &lines);
    assert_eq!(words, ["third", "first", "second", "first", "third"]);
    assert_eq!(words, by_git(&repo, FILE, &lines));
    assert_eq!(by(&repo, FILE, &[77]), ["no line"]);
    assert_eq!(by(&repo, "nowhere.yaml", &[1]), ["no line"]);
}

#[test]
fn a_renamed_file_and_a_merge_are_followed() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    let body = "kind: Deployment\nname: web\nreplicas: 1\nimage: a\nport: 80\nhost: x\n";
    repo.write("web.yaml", body).commit("first");
    std::fs::create_dir_all(repo.path.join("apps/web")).unwrap();
    repo.git(&["mv", "web.yaml", FILE]);
    repo.write(FILE, &body.replace("image: a", "image: b")).commit("moved");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write(FILE, &body.replace("image: a", "image: b").replace("host: x", "host: y"))
        .commit("on the side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write(FILE, &body.replace("image: a", "image: b").replace("replicas: 1", "replicas: 3"))
        .commit("on main");
    repo.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    let lines = [1, 2, 3, 4, 5, 6];
    let words = by(&repo, FILE, &lines);
    assert_eq!(words, ["first", "first", "on main", "moved", "first", "on the side"]);
    assert_eq!(words, by_git(&repo, FILE, &lines));
}

#[test]
fn what_is_not_committed_is_said_to_be_so() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    repo.write(FILE, "a: 1\nb: 2\n");
    let text = b"a: 1\nb: 2\n";
    let working = |head| Begin::Working { head, text: text.as_slice() };
    assert_eq!(told(&repo, FILE, working(None), &[1, 9]), ["uncommitted", "no line"], "no commit at all");
    let first = Oid(repo.commit("first"));
    assert_eq!(told(&repo, FILE, working(Some(&first)), &[1, 2]), ["first", "first"]);
    let text = b"new: 0\na: 1\nb: 3\n";
    let working = Begin::Working { head: Some(&first), text };
    assert_eq!(told(&repo, FILE, working, &[1, 2, 3]), ["uncommitted", "first", "uncommitted"]);
    let working = Begin::Working { head: Some(&first), text };
    assert_eq!(told(&repo, "apps/new.yaml", working, &[1]), ["uncommitted"], "a file that is new");
}

#[test]
fn a_shallow_clone_says_where_its_history_ends() {
    let ground = Ground::new();
    let origin = ground.repo("origin");
    origin.write(FILE, "a: 1\nb: 2\n").commit("first");
    origin.write(FILE, "a: 1\nb: 3\n").commit("second");
    origin.write(FILE, "a: 1\nb: 3\nc: 4\n").commit("third");
    let url = format!("file://{}", origin.path.display());
    git(&ground.path(), &["clone", "-q", "--depth", "2", &url, "clone"]);
    let clone = Made { path: ground.path().join("clone") };
    assert_eq!(by(&clone, FILE, &[1, 2, 3]), ["second …", "second …", "third"]);
    let opened = Repo::open(&clone.path).unwrap();
    let head = Oid(clone.git(&["rev-parse", "HEAD"]));
    let touched = opened.last_touching(&head, &[FILE.to_owned()], &CancellationToken::new()).unwrap();
    assert_eq!((touched.facts.subject.as_str(), touched.or_earlier), ("third", false));
}

#[test]
fn a_walk_that_is_given_up_says_so() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    let head = Oid(repo.write(FILE, "a: 1\n").commit("first"));
    let stop = CancellationToken::new();
    stop.cancel();
    let opened = Repo::open(&repo.path).unwrap();
    let told = opened.blame(FILE, Begin::Commit(&head), &BTreeSet::from([1]), &stop);
    assert_eq!(told.into_values().collect::<Vec<_>>(), [LineBy::GivenUp]);
}

#[test]
fn states_and_versions_are_told_by_the_commits_that_made_them() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    repo.write("README", "x").commit("before the app");
    repo.write("apps/web/a.yaml", "a: 1\n").commit("first");
    repo.write("README", "y").commit("not the app");
    repo.write("base/b.yaml", "b: 1\n").commit("the base");
    repo.write("apps/web/a.yaml", "a: 2\n").commit("second");
    repo.write("README", "z").commit("not the app either");
    let head = Oid(repo.git(&["rev-parse", "HEAD"]));
    let opened = Repo::open(&repo.path).unwrap();
    let stop = CancellationToken::new();
    let states = |paths: &[&str], limit| {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let states = opened.past_states(&head, &paths, limit, &stop);
        states.into_iter().map(|s| (s.since.facts.subject, s.behind)).collect::<Vec<_>>()
    };
    assert_eq!(states(&["apps/web"], 9), [("first".to_owned(), 1)]);
    let both = [("the base".to_owned(), 1), ("first".to_owned(), 2)];
    assert_eq!(states(&["apps/web", "base"], 9), both);
    assert_eq!(states(&["apps/web", "base"], 1), both[..1]);
    let (versions, more) = opened.versions("apps/web/a.yaml", &head, 9, &stop);
    let said: Vec<_> = versions
        .iter()
        .map(|v| (v.since.facts.subject.as_str(), String::from_utf8_lossy(&v.text).into_owned()))
        .collect();
    assert_eq!(said, [("second", "a: 2\n".to_owned()), ("first", "a: 1\n".to_owned())]);
    assert!(!more);
    assert!(opened.versions("apps/web/a.yaml", &head, 1, &stop).1, "there is more");
    let last = opened.last_touching(&head, &["base".to_owned()], &stop).unwrap();
    assert_eq!(last.facts.subject, "the base");
}

/// Measured, and printed: `cargo test --lib deep_history -- --ignored --nocapture`.
#[test]
#[ignore = "makes five thousand commits and prints how long a line takes"]
fn a_line_of_a_deep_history() {
    let ground = Ground::new();
    let repo = ground.bare("fleet");
    let mut stream = String::new();
    for at in 0..5_000_usize {
        let file =
            if at % 10 == 0 { FILE.to_owned() } else { format!("apps/a{}/x{}.yaml", at % 40, at % 300) };
        let text: String =
            (0..40).map(|line| format!("l{line}: {}\n", if line == at / 10 % 37 { at } else { 0 })).collect();
        stream += &format!(
            "commit refs/heads/main\ncommitter Ana <ana@example.com> {} +0000\ndata 2\nc\nM 644 inline {file}\ndata {}\n{text}\n",
            1_700_000_000 + at,
            text.len()
        );
    }
    let file = ground.path().join("stream");
    std::fs::write(&file, stream).unwrap();
    let script = format!("git fast-import --quiet < {}", file.display());
    let made =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(&repo.path).status().unwrap();
    assert!(made.success());
    let head = Oid(repo.git(&["rev-parse", "main"]));
    let opened = Repo::open(&repo.path).unwrap();
    let (stop, asked) = (CancellationToken::new(), BTreeSet::from([39, 40]));
    let start = std::time::Instant::now();
    let told = opened.blame(FILE, Begin::Commit(&head), &asked, &stop);
    println!("two lines that the first of 5,000 commits wrote: {:?}, {told:?}", start.elapsed());
    let start = std::time::Instant::now();
    let mut options = git2::BlameOptions::new();
    options.min_line(39).max_line(40).newest_commit(git2::Oid::from_str(&head.0).unwrap());
    let plain = git2::Repository::open(&repo.path).unwrap();
    let blamed = plain.blame_file(std::path::Path::new(FILE), Some(&mut options)).map(|b| b.len());
    println!("libgit2's blame of the same: {:?}, {blamed:?}", start.elapsed());
    let start = std::time::Instant::now();
    repo.git(&["blame", "-L39,40", "main", "--", FILE]);
    println!("git blame of the same: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let states = opened.past_states(&head, &["apps/a3".to_owned()], 20, &stop).len();
    println!("{states} earlier states of a folder: {:?}", start.elapsed());
}
