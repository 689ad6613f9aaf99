//! Repositories that set everything that could name a program to a canary: none of them ever runs.

use super::fixture::{Ground, Made, git, run};
use crate::git::{Ask, Git, Mirror, RemoteUrl, Repo};
use crate::model::{Oid, Tree};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// Settings that make git run a program (git-config's documentation), and those that would let it.
const SETTINGS: [&str; 38] = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.gitProxy",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.alternateRefsCommand",
    "sequence.editor",
    "credential.helper",
    "credential.https://remote.invalid.helper",
    "diff.external",
    "diff.canary.textconv",
    "diff.canary.command",
    "filter.canary.clean",
    "filter.canary.smudge",
    "filter.canary.process",
    "merge.canary.driver",
    "gpg.program",
    "gpg.ssh.program",
    "gpg.x509.program",
    "gpg.ssh.defaultKeyCommand",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
    "remote.origin.vcs",
    "pager.status",
    "pager.fetch",
    "alias.status",
    "alias.fetch",
    "alias.ls-remote",
    "interactive.diffFilter",
    "trailer.canary.command",
    "trailer.canary.cmd",
    "man.canary.cmd",
    "browser.canary.cmd",
    "difftool.canary.cmd",
    "mergetool.canary.cmd",
    "submodule.canary.update",
];
const HOOKS: [&str; 12] = [
    "pre-commit",
    "post-checkout",
    "post-index-change",
    "fsmonitor-watchman",
    "reference-transaction",
    "pre-auto-gc",
    "post-update",
    "update",
    "pre-receive",
    "post-receive",
    "proc-receive",
    "post-rewrite",
];

struct Canary {
    program: PathBuf,
    sang: PathBuf,
}

impl Canary {
    fn new(ground: &Ground) -> Self {
        let sang = ground.path().join("sang");
        let program = ground.path().join("canary");
        std::fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\n", sang.display()))
            .expect("a file");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        Self { program, sang }
    }

    /// Sets every setting and hook of a repository to the canary. Written by hand: git itself would run some of them.
    fn nest(&self, git_folder: &Path) {
        let hooks = git_folder.join("hooks");
        std::fs::create_dir_all(&hooks).expect("a folder");
        for hook in HOOKS {
            std::fs::copy(&self.program, hooks.join(hook)).expect("a hook");
        }
        let canary = self.program.display();
        let mut lines = vec![std::fs::read_to_string(git_folder.join("config")).expect("a configuration")];
        for setting in SETTINGS {
            let (section, key) = setting.rsplit_once('.').expect("a key");
            let shell = matches!(key, "helper" | "update") || section == "alias";
            let section = match section.split_once('.') {
                Some((name, sub)) => format!("{name} \"{sub}\""),
                None => section.to_owned(),
            };
            lines.push(format!("[{section}]\n\t{key} = \"{}{canary}\"", if shell { "!" } else { "" }));
        }
        lines.push(format!("[core]\n\thooksPath = \"{}\"", hooks.display()));
        lines.push(format!("[remote \"origin\"]\n\turl = \"ext::{canary}\""));
        lines.push("[protocol \"ext\"]\n\tallow = always".to_owned());
        lines.push(format!("[url \"ext::{canary} \"]\n\tinsteadOf = ssh://git@remote.invalid/\n"));
        let text = lines.join("\n");
        std::fs::write(git_folder.join("config"), text).expect("a configuration");
        std::fs::create_dir_all(git_folder.join("info")).expect("a folder");
        std::fs::write(git_folder.join("info/attributes"), "* filter=canary diff=canary merge=canary\n")
            .expect("a file");
    }

    fn assert_silent(&self) {
        assert_eq!(std::fs::read_to_string(&self.sang).unwrap_or_default(), "");
    }
}

/// Reads every file of a tree and digests it.
fn walk(tree: &dyn Tree, folder: &str) {
    tree.digest(folder).expect("a digest");
    for entry in tree.list(folder).expect("a list") {
        let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
        if tree.read(&path).is_err() && tree.list(&path).is_ok() {
            walk(tree, &path);
        }
    }
}

fn hostile(ground: &Ground, canary: &Canary) -> Made {
    let made = ground.repo("hostile");
    made.write(".gitattributes", "* filter=canary diff=canary merge=canary ident text=auto\n");
    made.write("apps/web/a.yaml", "a: 1\n").write("b.yaml", "b: 1\n").commit("first");
    canary.nest(&made.path.join(".git"));
    // The same size and another content, so that only a look inside can tell.
    made.write("b.yaml", "b: 2\n").write("new.yaml", "n: 1\n");
    made
}

#[test]
fn the_canary_sings_when_git_itself_looks() {
    let ground = Ground::new();
    let canary = Canary::new(&ground);
    let made = hostile(&ground, &canary);
    // The canary does not answer as git wants it to, so that git itself fails.
    run(&made.path, &["diff"]);
    assert_ne!(
        std::fs::read_to_string(&canary.sang).unwrap_or_default(),
        "",
        "else the other tests prove nothing"
    );
}

#[test]
fn opening_reading_and_asking_a_local_repository_runs_nothing() {
    let ground = Ground::new();
    let canary = Canary::new(&ground);
    let made = hostile(&ground, &canary);
    let repo = Repo::open(&made.path).expect("it opens");
    for ask in [Ask::Default, Ask::Head, Ask::Name("main".into())] {
        let snapshot = repo.revision(&ask).expect("a revision");
        assert_eq!(snapshot.revision.dirty, ask == Ask::Default);
        walk(&*snapshot.tree, "");
        let _ = repo.status(Some(&snapshot));
    }
    assert_eq!(repo.dirty_under(&["b.yaml".into()]), Ok(true));
    assert_eq!(repo.dirty_under(&["apps".into()]), Ok(false));
    assert_eq!((repo.notices(), repo.origin_url()), (vec![], None));
    canary.assert_silent();
}

#[tokio::test]
async fn walking_the_history_of_a_local_repository_runs_nothing() {
    let ground = Ground::new();
    let canary = Canary::new(&ground);
    let made = hostile(&ground, &canary);
    let head = Oid(made.git(&["rev-parse", "HEAD"]));
    let env = [("PATH", std::env::var_os("PATH").expect("a PATH")), ("HOME", "/nonexistent".into())];
    let env = env.map(|(name, value)| (OsString::from(name), value));
    let cancel = CancellationToken::new();
    let git = Git::find(env, &cancel).await.expect("git");
    let repo = Repo::open(&made.path).expect("it opens");
    let told = repo.history(Some(&git), &head, &["apps".into()], 10, &cancel).await.expect("a history");
    assert_eq!(told.commits.len(), 1);
    assert_eq!(repo.count(&git, &head, &cancel).await, Some(1));
    assert_eq!(repo.signatures(&git, std::slice::from_ref(&head), &cancel).await.len(), 1);
    canary.assert_silent();
}

#[tokio::test]
async fn fetching_into_a_mirror_that_somebody_tampered_with_runs_nothing() {
    let ground = Ground::new();
    let canary = Canary::new(&ground);
    let work = ground.repo("work");
    work.write("a.yaml", "a: 1\n").commit("first");
    git(&ground.path(), &["clone", "-q", "--bare", "work", "fleet.git"]);
    let bin = ground.path().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    std::fs::write(bin.join("ssh"), "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n")
        .expect("a script");
    std::fs::set_permissions(bin.join("ssh"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let env: [(OsString, OsString); 4] = [
        ("PATH".into(), path.into()),
        ("HOME".into(), "/nonexistent".into()),
        ("GIT_ASKPASS".into(), canary.program.clone().into()),
        ("GIT_EXTERNAL_DIFF".into(), canary.program.clone().into()),
    ];
    let cancel = CancellationToken::new();
    let git = Git::find(env, &cancel).await.expect("git");
    let url = format!("ssh://git@remote.invalid{}/fleet.git", ground.path().display());
    let mirror = Mirror::of(RemoteUrl::read(&url).expect("a URL"), &ground.path().join("cache"), git);
    mirror.fetch(&mut |_| {}, &cancel).await.expect("a fetch");
    for entry in std::fs::read_dir(ground.path().join("cache/mirrors")).expect("mirrors") {
        let folder = entry.expect("an entry").path();
        if folder.is_dir() {
            canary.nest(&folder);
        }
    }
    work.write("a.yaml", "a: 2\n").commit("second");
    work.git(&["push", "-q", "../fleet.git", "main"]);
    assert_eq!(mirror.fetch(&mut |_| {}, &cancel).await.expect("a fetch").moved.len(), 1);
    let repo = mirror.repo().expect("fetched").expect("it opens");
    walk(&*repo.revision(&Ask::Default).expect("a revision").tree, "");
    canary.assert_silent();
}
