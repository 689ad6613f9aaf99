//! `driftdeck revert` without a cluster: what is committed, where, by whom, and what is left alone.

use crate::support::{Home, Repository};
use serde_json::{Value, json};

const WHO: &str = "[user]\n\tname = Ana Lima\n\temail = ana@example.com\n";

fn map(name: &str, colour: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{colour: {colour}}}\n")
}

fn home() -> Home {
    let home = Home::new();
    home.write("gitconfig", WHO);
    home
}

/// Three commits: `web` is blue, then red with one file more, then another app changes.
struct Fleet {
    home: Home,
    repository: Repository,
    commits: [String; 3],
}

fn fleet() -> Fleet {
    let repository = Repository::new();
    let one = repository.write("web/a.yaml", map("web", "blue")).commit("Paint it blue");
    repository.write("web/b.yaml", map("more", "red"));
    let two = repository.write("web/a.yaml", map("web", "red")).commit("Paint it red (#7)");
    let three = repository.write("api/a.yaml", map("api", "green")).commit("Add api");
    Fleet { home: home(), repository, commits: [one, two, three] }
}

impl Fleet {
    fn run(&self, words: &[&str], code: i32) -> Value {
        let all = ["revert", "web"].iter().chain(words).chain(&["-o", "json"]);
        self.home.driftdeck_in(self.repository.path(), all, "").exits(code).json()
    }

    fn git(&self, words: &[&str]) -> String {
        self.repository.git(words).trim().to_owned()
    }

    fn journal(&self) -> Vec<Value> {
        let said = self.home.driftdeck(["journal", "-o", "json"]).exits(0).json();
        said["entries"].as_array().unwrap().clone()
    }
}

#[test]
fn the_path_is_as_it_was_and_later_changes_elsewhere_stay() {
    let fleet = fleet();
    let [one, _, three] = &fleet.commits;
    let planned = fleet.run(&[one, "--dry-run"], 0);
    let plan = &planned["plan"];
    assert_eq!(
        plan["files"],
        json!([
            {"path": "web/a.yaml", "change": "changed", "added": 1, "removed": 1},
            {"path": "web/b.yaml", "change": "removed", "added": 0, "removed": 4},
        ])
    );
    assert_eq!(
        (&plan["steps"][0]["action"], &plan["steps"][0]["outcome"]),
        (&json!("commit"), &json!("planned"))
    );
    assert_eq!((&planned["commit"], &planned["branch"]), (&Value::Null, &json!("main")));
    assert_eq!((fleet.git(&["rev-parse", "main"]), fleet.journal().len()), (three.clone(), 0));

    // Somebody's work on another file goes on.
    fleet.repository.write("notes.txt", "mine\n");
    let done = fleet.run(&[one, "--yes"], 0);
    let commit = done["commit"].as_str().unwrap();
    assert_eq!(fleet.git(&["rev-parse", "main", "main~1"]), format!("{commit}\n{three}"));
    assert_eq!(fleet.git(&["rev-parse", "main:web"]), fleet.git(&["rev-parse", &format!("{one}:web")]));
    assert_eq!(fleet.git(&["rev-parse", "main:api"]), fleet.git(&["rev-parse", &format!("{three}:api")]));
    assert_eq!(fleet.git(&["status", "--porcelain"]), "?? notes.txt");
    let said = fleet.git(&["log", "-1", "--format=%an <%ae>%n%B"]);
    let short = &one[..7];
    assert!(
        said.starts_with(&format!("Ana Lima <ana@example.com>\nRevert web to {short}\n\nweb is again")),
        "{said}"
    );
    let trailer = fleet.git(&["log", "-1", "--format=%(trailers:key=Driftdeck-Action,valueonly)"]);
    assert_eq!(trailer, format!("revert web to {one}; {}", done["plan"]["id"].as_str().unwrap()));
    fleet.git(&["fsck", "--strict"]);

    let journal = fleet.journal();
    assert_eq!((&journal[0]["command"], &journal[0]["outcome"]), (&json!("revert"), &json!("applied")));
    assert_eq!(journal[0]["plan"]["commit"], commit);
    let again = fleet.run(&[one, "--yes"], 0);
    assert_eq!((&again["plan"]["steps"], &again["commit"]), (&json!([]), &Value::Null));
}

#[test]
fn without_an_answer_nothing_is_committed() {
    let fleet = fleet();
    let run = fleet.run(&[&fleet.commits[0]], 2);
    assert_eq!(run["notices"][0]["title"], "nothing was written: the plan is not confirmed");
    assert_eq!(fleet.git(&["rev-parse", "main"]), fleet.commits[2]);
}

#[test]
fn one_commit_alone_is_taken_out_and_a_conflict_is_told() {
    let fleet = fleet();
    let [_, two, _] = &fleet.commits;
    let done = fleet.run(&[two, "--only-commit", "--yes", "-m", "It was too red\n\nSee the incident."], 0);
    assert!(done["commit"].is_string());
    assert_eq!(
        std::fs::read_to_string(fleet.repository.path().join("web/a.yaml")).unwrap(),
        map("web", "blue")
    );
    let said = fleet.git(&["log", "-1", "--format=%B"]);
    assert!(said.starts_with("It was too red\n\nSee the incident.\n\nDriftdeck-Action: revert"), "{said}");

    let head = fleet.repository.write("web/a.yaml", map("web", "black")).commit("Paint it black");
    let all = ["revert", "web", two, "--only-commit", "--yes"];
    let run = fleet.home.driftdeck_in(fleet.repository.path(), all, "").exits(2);
    assert!(
        run.stderr.contains("web/a.yaml") && run.stderr.contains("cannot be taken out again"),
        "{}",
        run.stderr
    );
    assert_eq!(
        (fleet.git(&["rev-parse", "main"]), fleet.git(&["status", "--porcelain"])),
        (head, String::new())
    );
}

#[test]
fn uncommitted_changes_at_those_paths_get_a_branch_of_its_own_or_stay_when_told_to() {
    let fleet = fleet();
    let [one, _, three] = &fleet.commits;
    fleet.repository.write("web/a.yaml", map("web", "pink"));
    let done = fleet.run(&[one, "--yes"], 0);
    let branch = format!("driftdeck/web-revert-{}", &one[..7]);
    assert_eq!(done["branch"], branch.as_str());
    let note = done["plan"]["steps"][0]["note"].as_str().unwrap();
    assert!(note.ends_with("because web/a.yaml has uncommitted changes"), "{note}");
    assert_eq!(fleet.git(&["rev-parse", &branch]), done["commit"].as_str().unwrap());
    assert_eq!(
        (fleet.git(&["rev-parse", "main"]), fleet.git(&["status", "--porcelain"])),
        (three.clone(), "M web/a.yaml".to_owned())
    );
    let second = fleet.run(&[one, "--yes"], 0);
    assert_eq!(second["branch"], format!("{branch}-2"));

    let done = fleet.run(&[one, "--yes", "--dirty"], 0);
    assert_eq!(done["branch"], "main");
    assert_eq!(
        std::fs::read_to_string(fleet.repository.path().join("web/a.yaml")).unwrap(),
        map("web", "pink")
    );
    assert_eq!(fleet.git(&["status", "--porcelain"]), "M web/a.yaml");
}

#[test]
fn what_the_app_includes_goes_back_only_when_asked_for_and_who_shares_it_is_named() {
    let (home, repository) = (home(), Repository::new());
    let kustomization = "resources: [../../base]\n";
    repository
        .write("base/kustomization.yaml", "resources: [a.yaml]\n")
        .write("base/a.yaml", map("web", "blue"));
    repository.write("clusters/eu/kustomization.yaml", format!("{kustomization}namePrefix: eu-\n"));
    let one = repository
        .write("clusters/us/kustomization.yaml", format!("{kustomization}namePrefix: us-\n"))
        .commit("One");
    repository.write("base/a.yaml", map("web", "red")).commit("Red");
    repository
        .write("clusters/eu/kustomization.yaml", format!("{kustomization}namePrefix: e-\n"))
        .commit("Shorter");
    let run = |words: &[&str]| {
        let all = ["revert", "eu", one.as_str(), "--dry-run", "-o", "json"]
            .into_iter()
            .chain(words.iter().copied());
        home.driftdeck_in(repository.path(), all, "").exits(0).json()
    };
    let paths = |document: &Value| {
        let files = document["plan"]["files"].as_array().unwrap().iter();
        files.map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let own = run(&[]);
    assert_eq!(paths(&own), ["clusters/eu/kustomization.yaml"]);
    assert_eq!(own["plan"]["included"], json!([{"path": "base/a.yaml", "ticked": false}]));
    assert_eq!(own["plan"]["sharedWith"], json!([]));
    for words in [&["--include", "base/a.yaml"][..], &["--include-all"]] {
        let all = run(words);
        assert_eq!(paths(&all), ["base/a.yaml", "clusters/eu/kustomization.yaml"]);
        assert_eq!(all["plan"]["sharedWith"], json!(["us"]));
    }
}

#[test]
fn what_cannot_be_gone_back_to_says_why() {
    let fleet = fleet();
    for (words, said) in [
        (["revert", "web", "nowhere"], "has no branch, tag or commit nowhere"),
        (["revert", "api", "HEAD~2"], "api is not in"),
        (["revert", "wep", "HEAD"], "there is no app wep"),
    ] {
        let run = fleet.home.driftdeck_in(fleet.repository.path(), words, "").exits(2);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
    let nobody = Home::new();
    nobody.write("gitconfig", "[user]\n\tuseConfigOnly = true\n");
    let run = nobody.driftdeck_in(fleet.repository.path(), ["revert", "web", "HEAD~2"], "").exits(2);
    assert!(
        run.stderr.contains("git does not know who commits") && run.stderr.contains("user.name"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_driftdeck_that_is_killed_while_it_commits_leaves_the_repository_whole_and_says_so_next_time() {
    let mut fleet = fleet();
    let [one, _, three] = fleet.commits.clone();
    // A git that waits where the commit is made.
    let git = which_git();
    let mark = fleet.home.path().join("waiting");
    let script = format!(
        "#!/bin/sh\nfor word; do [ \"$word\" = commit-tree ] && {{ touch {}; sleep 60; }}; done\nexec {git} \"$@\"\n",
        mark.display()
    );
    let wrapper = fleet.home.write("slow/git", script);
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = fleet.home.environment().iter().find(|(name, _)| name == "PATH").unwrap().1.clone();
    fleet.home.set("PATH", format!("{}:{path}", wrapper.parent().unwrap().display()));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .args(["revert", "web", &one, "--yes"])
        .env_clear()
        .envs(fleet.home.environment().iter().cloned())
        .current_dir(fleet.repository.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    crate::support::eventually("git is asked to commit", || mark.exists().then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    fleet.home.set("PATH", path);
    assert_eq!(
        (fleet.git(&["rev-parse", "main"]), fleet.git(&["status", "--porcelain"])),
        (three, String::new())
    );
    fleet.git(&["fsck", "--strict"]);
    assert_eq!(fleet.journal().len(), 0, "nothing is told before it is known");

    let planned = fleet.run(&[&one, "--dry-run"], 0);
    let said = planned["notices"][0]["title"].as_str().unwrap();
    assert_eq!(said, "an interrupted revert of web: no commit had been made");
    assert_eq!(fleet.journal()[0]["outcome"], "cancelled");
    assert!(fleet.run(&[&one, "--yes"], 0)["commit"].is_string());
}

fn which_git() -> String {
    let paths = std::env::var("PATH").unwrap();
    let found = paths.split(':').map(|folder| format!("{folder}/git"));
    found.into_iter().find(|path| std::path::Path::new(path).is_file()).unwrap()
}

#[test]
fn several_at_once_do_not_harm_each_other() {
    let fleet = fleet();
    let base = fleet.git(&["rev-parse", "main"]);
    let all: Vec<(i32, Option<String>)> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|at| {
                let (fleet, to) = (&fleet, &fleet.commits[at % 2]);
                scope.spawn(move || {
                    let words = ["revert", "web", to, "--yes", "-o", "json"];
                    let run = fleet.home.driftdeck_in(fleet.repository.path(), words, "");
                    let commit = run.json()["commit"].as_str().map(str::to_owned);
                    (run.code, commit)
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    fleet.git(&["fsck", "--strict"]);
    assert!(all.iter().any(|(code, commit)| *code == 0 && commit.is_some()), "{all:?}");
    let line = fleet.git(&["rev-list", "--all"]);
    for (code, commit) in all {
        // Who came too late has written nothing, or on a branch of its own, and says so.
        assert!([0, 2].contains(&code));
        if let Some(commit) = commit {
            assert!(line.contains(&commit), "{commit} is lost");
        }
    }
    assert!(fleet.git(&["rev-list", "main"]).contains(&base));
    assert_eq!(fleet.git(&["status", "--porcelain"]), "");
}
