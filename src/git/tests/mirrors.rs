//! Fetching, with the real git speaking its real protocol over a made-up ssh: a script that runs on this machine what it
//! is asked to run on the other.

use super::fixture::{Ground, Made, git};
use crate::git::{Ask, FetchError, FetchOutcome, Git, Mirror, Progress, RefMove, RemoteUrl, Stage};
use crate::model::{Oid, Revision};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A remote, the made-up ssh that leads to it, and a home.
struct World {
    ground: Ground,
    remote: Made,
    /// A clone of the remote to commit in.
    work: Made,
}

const THROUGH: &str =
    "#!/bin/sh\necho \"$@\" >> \"$(dirname \"$0\")/asked\"\nfor last; do :; done\nexec sh -c \"$last\"\n";

impl World {
    fn new() -> Self {
        let ground = Ground::new();
        let remote = ground.bare("fleet.git");
        git(&ground.path(), &["clone", "-q", "fleet.git", "work"]);
        let work = Made { path: ground.path().join("work") };
        std::fs::create_dir(ground.path().join("home")).expect("a home");
        let world = Self { ground, remote, work };
        world.ssh(THROUGH);
        world
    }

    /// Puts a made-up `ssh` on the path.
    fn ssh(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let bin = self.ground.path().join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        // Not written in place: the file may be running.
        let fresh = bin.join("fresh");
        std::fs::write(&fresh, script).expect("a script");
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o700)).expect("a mode");
        std::fs::rename(fresh, bin.join("ssh")).expect("a move");
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        let mut path = self.ground.path().join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").expect("a PATH"));
        vec![
            ("PATH".into(), path),
            ("HOME".into(), self.ground.path().join("home").into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("GIT_DIR".into(), "/nonexistent".into()),
            ("GIT_TRACE".into(), self.ground.path().join("trace").into()),
        ]
    }

    fn url(&self) -> RemoteUrl {
        RemoteUrl::read(&format!("ssh://git@remote.invalid{}", self.remote.path.display())).expect("a URL")
    }

    async fn mirror_of(&self, url: RemoteUrl) -> Mirror {
        let git = Git::find(self.env(), &CancellationToken::new()).await.expect("git");
        Mirror::of(url, &self.ground.path().join("cache"), git)
    }

    async fn mirror(&self) -> Mirror {
        self.mirror_of(self.url()).await
    }

    fn push(&self, refs: &[&str]) {
        let mut arguments = vec!["push", "-q", "--force", "origin"];
        arguments.extend(refs);
        self.work.git(&arguments);
    }

    fn mirror_folder(&self) -> PathBuf {
        let mirrors = self.ground.path().join("cache/mirrors");
        let mut folders =
            std::fs::read_dir(mirrors).expect("mirrors").map(|entry| entry.expect("an entry").path());
        folders.find(|path| path.extension().is_some_and(|e| e == "git")).expect("a mirror")
    }
}

async fn fetch(mirror: &Mirror) -> Result<FetchOutcome, FetchError> {
    mirror.fetch(&mut |_| {}, &CancellationToken::new()).await
}

fn moved(name: &str, before: Option<&str>, after: Option<&str>) -> RefMove {
    RefMove {
        name: name.into(),
        before: before.map(|id| Oid(id.into())),
        after: after.map(|id| Oid(id.into())),
    }
}

fn read(mirror: &Mirror, ask: &Ask, file: &str) -> (Revision, String) {
    let snapshot = mirror.repo().expect("fetched").expect("it opens").revision(ask).expect("a revision");
    let bytes = snapshot.tree.read(file).expect("a file");
    (snapshot.revision, String::from_utf8(bytes).expect("text"))
}

#[tokio::test]
async fn a_fetched_mirror_has_branches_tags_and_the_default_branch() {
    let world = World::new();
    let first = world.work.write("a.yaml", "a: 1\n").commit("first");
    world.work.git(&["tag", "v1"]);
    let second = world.work.write("a.yaml", "a: 2\n").commit("second");
    world.push(&["main:trunk", "v1"]);
    world.remote.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let mirror = world.mirror().await;
    assert!(mirror.repo().is_none());

    let mut stages = Vec::new();
    let outcome = mirror.fetch(&mut |at: Progress| stages.push(at.stage), &CancellationToken::new()).await;
    assert_eq!(
        outcome.expect("a fetch"),
        FetchOutcome {
            moved: vec![
                moved("refs/heads/trunk", None, Some(&second)),
                moved("refs/tags/v1", None, Some(&first))
            ],
            default_branch: Some("trunk".into()),
        }
    );
    assert_eq!((stages.first(), stages.contains(&Stage::Preparing)), (Some(&Stage::Connecting), true));
    let (revision, text) = read(&mirror, &Ask::Default, "a.yaml");
    assert_eq!((revision.asked.words(), text.as_str()), ("trunk", "a: 2\n"));
    assert_eq!(read(&mirror, &Ask::Name("v1".into()), "a.yaml").1, "a: 1\n");
    let (revision, _) = read(&mirror, &Ask::Name("origin/trunk".into()), "a.yaml");
    assert_eq!(revision.commit, Some(Oid(second)));
    let repo = mirror.repo().expect("fetched").expect("it opens");
    assert_eq!((repo.name(), &*repo.id().0), ("fleet", mirror.url().canonical().as_str()));

    let asked = std::fs::read_to_string(world.ground.path().join("bin/asked")).expect("ssh was asked");
    assert!(asked.lines().all(|line| line.contains("-oBatchMode=yes")), "{asked}");
    assert!(!world.ground.path().join("trace").exists(), "variables that redirect git stay behind");
}

#[tokio::test]
async fn a_forced_push_and_a_deleted_branch_move_the_mirror() {
    let world = World::new();
    let first = world.work.write("a.yaml", "a: 1\n").commit("first");
    world.work.git(&["branch", "old"]);
    world.push(&["main", "old"]);
    let mirror = world.mirror().await;
    fetch(&mirror).await.expect("a fetch");
    world.work.write("a.yaml", "a: 3\n").git(&["commit", "-q", "-a", "--amend", "-m", "rewritten"]);
    let rewritten = world.work.git(&["rev-parse", "HEAD"]);
    // A branch where the folder of the deleted one was.
    world.push(&["main", ":old", "main:old/two"]);
    assert_eq!(
        fetch(&mirror).await.expect("a fetch").moved,
        [
            moved("refs/heads/main", Some(&first), Some(&rewritten)),
            moved("refs/heads/old", Some(&first), None),
            moved("refs/heads/old/two", None, Some(&rewritten)),
        ]
    );
    assert_eq!(read(&mirror, &Ask::Default, "a.yaml").1, "a: 3\n");
    assert_eq!(fetch(&mirror).await.expect("a fetch").moved, [], "nothing moved since");
    let asked = std::fs::read_to_string(world.ground.path().join("bin/asked")).expect("ssh was asked");
    assert_eq!(asked.lines().count(), 5, "an unmoved remote is asked once and fetched from never");
}

#[tokio::test]
async fn an_empty_remote_is_fetched_and_has_no_commits() {
    let world = World::new();
    let mirror = world.mirror().await;
    assert_eq!(fetch(&mirror).await.expect("a fetch").moved, []);
    let repo = mirror.repo().expect("fetched").expect("it opens");
    assert_eq!(
        repo.revision(&Ask::Default).err().map(|e| e.to_string()),
        Some("fleet has no commits yet".into())
    );
}

#[tokio::test]
async fn two_driftdecks_that_fetch_at_once_both_succeed() {
    let world = World::new();
    world.work.write("a.yaml", "a: 1\n").commit("first");
    world.push(&["main"]);
    let (one, two) = (world.mirror().await, world.mirror().await);
    let (first, second) = tokio::join!(fetch(&one), fetch(&two));
    let mut moves = [first.expect("a fetch").moved.len(), second.expect("a fetch").moved.len()];
    moves.sort_unstable();
    assert_eq!(moves, [0, 1], "the second one finds nothing left to do");
}

#[tokio::test]
async fn a_remote_that_never_answers_is_given_up_in_time_and_on_request() {
    let world = World::new();
    world.ssh("#!/bin/sh\nsleep 1000\n");
    let slow = world.mirror().await.within(Duration::from_millis(200));
    assert!(matches!(fetch(&slow).await, Err(FetchError::TimedOut { .. })));
    let cancel = CancellationToken::new();
    let mirror = world.mirror().await;
    let mut started = |at: Progress| {
        if at.stage == Stage::Connecting {
            cancel.cancel();
        }
    };
    assert!(matches!(mirror.fetch(&mut started, &cancel).await, Err(FetchError::Cancelled { .. })));
    world.ssh(THROUGH);
    world.work.commit("first");
    world.push(&["main"]);
    assert_eq!(fetch(&mirror).await.expect("nothing holds the lock any more").moved.len(), 1);
}

#[tokio::test]
async fn what_ssh_says_is_understood() {
    let world = World::new();
    let mirror = world.mirror().await;
    let remote = mirror.url().canonical();
    for (words, title) in [
        (
            "git@remote.invalid: Permission denied (publickey).",
            format!("{remote} asked for credentials and none were found that it takes"),
        ),
        ("Host key verification failed.", "the key of the host remote.invalid is not known".into()),
        (
            "ssh: connect to host remote.invalid port 22: Connection refused",
            "remote.invalid does not answer".into(),
        ),
        (
            "ssh: Could not resolve hostname remote.invalid: Name or service not known",
            "there is no host remote.invalid".into(),
        ),
    ] {
        world.ssh(&format!("#!/bin/sh\necho '{words}' >&2\nexit 255\n"));
        assert_eq!(fetch(&mirror).await.expect_err("a failure").to_string(), title);
    }
    assert!(mirror.repo().is_none());
}

#[tokio::test]
async fn a_remote_that_is_not_there_says_so() {
    let world = World::new();
    let url = RemoteUrl::read("ssh://git@remote.invalid/nowhere/fleet.git").expect("a URL");
    let error = fetch(&world.mirror_of(url).await).await.expect_err("a failure");
    assert_eq!(error.to_string(), "ssh://remote.invalid/nowhere/fleet is not there, or not for this user");
}

#[tokio::test]
async fn https_that_nobody_answers_or_that_is_none_is_no_answer() {
    let world = World::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let no_tls = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            use tokio::io::AsyncWriteExt as _;
            let _ = stream.write_all(b"HTTP/1.1 400 this is no TLS\r\n\r\n").await;
        }
    });
    let url = RemoteUrl::read(&format!("https://127.0.0.1:{port}/fleet")).expect("a URL");
    let mirror = world.mirror_of(url).await;
    assert!(fetch(&mirror).await.is_err());
    no_tls.abort();
    let _ = no_tls.await;
    assert_eq!(fetch(&mirror).await.expect_err("a failure").to_string(), "127.0.0.1 does not answer");
}

#[tokio::test]
async fn a_url_that_the_users_configuration_turns_into_another_transport_is_not_contacted() {
    let world = World::new();
    let elsewhere =
        format!("[url \"{}/\"]\n\tinsteadOf = https://git.example.com/\n", world.ground.path().display());
    std::fs::write(world.ground.path().join("home/.gitconfig"), elsewhere).expect("a file");
    let mirror = world.mirror_of(RemoteUrl::read("https://git.example.com/fleet.git").expect("a URL")).await;
    assert_eq!(
        fetch(&mirror).await.expect_err("a refusal").to_string(),
        "git's configuration turns https://git.example.com/fleet into something that is neither https nor ssh"
    );
}

#[tokio::test]
async fn a_broken_mirror_is_made_anew_and_a_left_lock_does_not_stop_it() {
    let world = World::new();
    world.work.write("a.yaml", "a: 1\n").commit("first");
    world.push(&["main"]);
    let mirror = world.mirror().await;
    fetch(&mirror).await.expect("a fetch");
    let folder = world.mirror_folder();
    std::fs::write(folder.join("packed-refs.lock"), "").expect("a file");
    std::fs::write(folder.join("refs/heads/main.lock"), "").expect("a file");
    world.work.write("a.yaml", "a: 2\n").commit("second");
    world.push(&["main"]);
    fetch(&mirror).await.expect("a fetch in spite of a killed git's locks");
    assert_eq!(read(&mirror, &Ask::Default, "a.yaml").1, "a: 2\n");
    std::fs::write(folder.join("HEAD"), "nonsense").expect("a file");
    fetch(&mirror).await.expect("a fetch into a new mirror");
    assert_eq!(read(&mirror, &Ask::Default, "a.yaml").1, "a: 2\n");
}

#[tokio::test]
async fn the_cache_is_private_and_somebody_elses_is_not_used() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    let mirror = world.mirror().await;
    fetch(&mirror).await.expect("a fetch");
    let folder = world.mirror_folder();
    for (path, mode) in
        [(folder.clone(), 0o700), (folder.join("config"), 0o600), (folder.with_extension("lock"), 0o600)]
    {
        assert_eq!(path.metadata().expect("it is there").mode() & 0o777, mode, "{}", path.display());
    }
    std::fs::rename(&folder, world.ground.path().join("theirs")).expect("a move");
    std::os::unix::fs::symlink(world.ground.path().join("theirs"), &folder).expect("a link");
    assert!(matches!(fetch(&mirror).await, Err(FetchError::NotPrivate { .. })));
}

#[tokio::test]
async fn a_machine_without_git_is_told_what_is_missing() {
    let ground = Ground::new();
    let cancel = CancellationToken::new();
    let env = |path: PathBuf| [(OsString::from("PATH"), OsString::from(path))];
    let error = Git::find(env(ground.path()), &cancel).await.err().expect("none");
    assert_eq!(error.to_string(), "git is not installed, or not on PATH");
    let world = World::new();
    world.ssh("#!/bin/sh\necho git version 2.11.0\n");
    std::fs::rename(world.ground.path().join("bin/ssh"), world.ground.path().join("bin/git"))
        .expect("a move");
    let error = Git::find(env(world.ground.path().join("bin")), &cancel).await.err().expect("too old");
    assert_eq!(error.to_string(), "git 2.11.0 is too old: 2.30 or newer is needed");
}
