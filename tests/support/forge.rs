//! The Git forge that `tests/control-plane/with --forge` started: repositories of a test's own in it, and what is done
//! there by its API.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use super::plane::Plane;
use super::programs::{Home, Run};
use super::proxy::{FaultProxy, client_tls};
use super::repository::Repository;

/// Counts the keys, so that each has a title of its own.
static KEYS: AtomicUsize = AtomicUsize::new(0);

/// The running forge. It has the API server's certificate.
#[derive(Clone, Debug)]
pub struct Forge {
    /// `https://127.0.0.1:PORT`
    pub url: String,
    /// `ssh://git@127.0.0.1:PORT`
    pub ssh: String,
    pub folder: PathBuf,
    pub owner: Account,
    /// Owns nothing, and may read what is public.
    pub reader: Account,
    plane: Plane,
}

/// A user of the forge.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub token: String,
}

impl Forge {
    pub fn of_this_run() -> Self {
        let variable = |name: &str| {
            let name = format!("DRIFTDECK_TEST_FORGE{name}");
            std::env::var(&name).unwrap_or_else(|_| {
                panic!("{name} is not set: this test needs the forge, which tests/run starts")
            })
        };
        Self {
            url: variable(""),
            ssh: variable("_SSH"),
            folder: variable("_FOLDER").into(),
            owner: Account { name: variable("_USER"), token: variable("_TOKEN") },
            reader: Account { name: variable("_READER"), token: variable("_READER_TOKEN") },
            plane: Plane::of_this_run(),
        }
    }

    /// The authority that vouches for the forge's certificate.
    pub fn authority(&self) -> PathBuf {
        self.plane.folder.join("ca.crt")
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("https://")
    }

    /// A proxy in front of the forge that breaks things on purpose.
    pub fn proxy(&self) -> FaultProxy {
        let mut plane = self.plane.clone();
        plane.server.clone_from(&self.url);
        FaultProxy::in_front_of(&plane)
    }

    /// A home whose git trusts the forge, and whose credential helper knows an account.
    pub fn home(&self, account: &Account) -> Home {
        let mut home = Home::new();
        home.set("GIT_SSL_CAINFO", self.authority().display().to_string());
        let Account { name, token } = account;
        let helper = format!("!f() {{ test $1 = get && echo username={name} && echo password={token}; }}; f");
        home.write(
            "gitconfig",
            format!(
                "[credential]\n\thelper = \"{helper}\"\n[user]\n\tname = Ana\n\temail = ana@example.com\n"
            ),
        );
        home
    }

    /// Makes a key pair in a home, gives its public half to an account, and returns the ssh command that uses it and
    /// believes this forge's key alone.
    pub fn ssh_command(&self, home: &Home, account: &Account) -> String {
        let key = home.path().join("key");
        let mut command = home.command("ssh-keygen");
        Run::of(command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&key)).exits(0);
        let public = std::fs::read_to_string(key.with_extension("pub")).expect("a public key");
        let title = format!("key {}-{}", std::process::id(), KEYS.fetch_add(1, Ordering::Relaxed));
        let (status, said) =
            self.ask_as(account, "POST", "/api/v1/user/keys", &json!({"title": title, "key": public.trim()}));
        assert_eq!(status, 201, "{said}");
        let host_key = std::fs::read_to_string(self.folder.join("ssh_host.pub")).expect("the forge's key");
        let address = self.ssh.trim_start_matches("ssh://git@").replace("127.0.0.1:", "[127.0.0.1]:");
        let known = home.write("known_hosts", format!("{address} {host_key}"));
        Self::ssh_with(&key, &known)
    }

    /// The ssh command that uses a key and a list of known hosts, and nothing else of the user's.
    pub fn ssh_with(key: &std::path::Path, known: &std::path::Path) -> String {
        format!(
            "ssh -F /dev/null -oIdentitiesOnly=yes -oStrictHostKeyChecking=yes -oUserKnownHostsFile={} -i {}",
            known.display(),
            key.display()
        )
    }

    /// Asks the API as the owner; returns the status and what was said.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask_as(&self.owner, method, path, body)
    }

    #[track_caller]
    pub fn ask_as(&self, account: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.page_as(account, method, path, &body.to_string());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Asks for anything that the forge serves; returns the status and the text.
    #[track_caller]
    pub fn page_as(&self, account: &Account, method: &str, path: &str, body: &str) -> (u16, String) {
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let connection = ClientConnection::new(Arc::new(client_tls(&self.plane)), name).expect("a client");
        let mut stream = StreamOwned::new(connection, TcpStream::connect(self.host()).expect("the forge"));
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: token {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host(),
            account.token,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        // A server that closes without saying goodbye has said all the same what it had to.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer of the forge");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Makes an empty repository of the owner's that no other test has.
    #[track_caller]
    pub fn repository(&self, subject: &str) -> ForgeRepository {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{subject}-{}-{number}", std::process::id());
        let wish = json!({"name": name, "default_branch": "main", "private": false});
        let (status, said) = self.ask("POST", "/api/v1/user/repos", &wish);
        assert_eq!(status, 201, "{said}");
        ForgeRepository { forge: self.clone(), name }
    }

    /// Makes a repository of the forge from one on the disk, whose `origin` it becomes, with `main` tracking it.
    #[track_caller]
    pub fn of_repository(&self, subject: &str, local: &Repository) -> ForgeRepository {
        let remote = self.repository(subject);
        let authority = format!("http.sslCAInfo={}", self.authority().display());
        let url = remote.url();
        let with_token =
            url.replace("https://", &format!("https://{}:{}@", self.owner.name, self.owner.token));
        local.git(&["-c", &authority, "push", "--quiet", &with_token, "main:main"]);
        // It looks at what was pushed in the background, and offers no requests for a repository that it takes for empty.
        super::eventually("the forge has taken in what was pushed", || {
            (remote.ask("GET", "", &Value::Null)["empty"] == false).then_some(())
        });
        local.git(&["remote", "add", "origin", &url]);
        local.git(&[
            "-c",
            &authority,
            "fetch",
            "--quiet",
            &with_token,
            "+refs/heads/*:refs/remotes/origin/*",
        ]);
        local.git(&["branch", "--quiet", "--set-upstream-to=origin/main", "main"]);
        remote
    }
}

/// A repository of the forge.
pub struct ForgeRepository {
    pub forge: Forge,
    pub name: String,
}

impl ForgeRepository {
    /// `OWNER/NAME`
    pub fn path(&self) -> String {
        format!("{}/{}", self.forge.owner.name, self.name)
    }

    pub fn url(&self) -> String {
        format!("{}/{}.git", self.forge.url, self.path())
    }

    pub fn ssh_url(&self) -> String {
        format!("{}/{}.git", self.forge.ssh, self.path())
    }

    /// Its folder on the forge's disk.
    pub fn folder(&self) -> PathBuf {
        self.forge.folder.join("repositories").join(format!("{}.git", self.path()))
    }

    /// Asks the API about this repository: `rest` follows its path.
    #[track_caller]
    pub fn ask(&self, method: &str, rest: &str, body: &Value) -> Value {
        let (status, said) = self.forge.ask(method, &format!("/api/v1/repos/{}{rest}", self.path()), body);
        assert!((200..300).contains(&status), "{method} {rest}: {status} {said}");
        said
    }

    /// Where a branch is; `None`: there is none.
    pub fn head(&self, branch: &str) -> Option<String> {
        let git_dir = format!("--git-dir={}", self.folder().display());
        let name = format!("refs/heads/{branch}");
        let run =
            Run::of(Home::new().command("git").args([&git_dir, "rev-parse", "--verify", "--quiet", &name]));
        (run.code == 0).then(|| run.stdout.trim().to_owned())
    }

    /// Lets nobody push to a branch.
    pub fn protect(&self, branch: &str) {
        self.ask("POST", "/branch_protections", &json!({"rule_name": branch, "enable_push": false}));
    }

    pub fn archive(&self) {
        self.ask("PATCH", "", &json!({"archived": true}));
    }

    /// Gives a user rights on it: `read`, `write` or `admin`.
    pub fn admit(&self, account: &Account, permission: &str) {
        let rest = format!("/collaborators/{}", account.name);
        self.ask("PUT", &rest, &json!({"permission": permission}));
    }

    /// Has a script judge every push, beside the forge's own rules.
    pub fn pre_receive(&self, script: &str) {
        let file = self.folder().join("hooks/pre-receive.d/test");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a hook");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("a hook that runs");
    }

    /// Tells how a check of a commit went: `pending`, `success`, `failure`.
    pub fn check(&self, commit: &str, name: &str, state: &str) {
        self.ask("POST", &format!("/statuses/{commit}"), &json!({"context": name, "state": state}));
    }

    /// All its requests that are open or not.
    pub fn requests(&self) -> Vec<Value> {
        self.ask("GET", "/pulls?state=all", &Value::Null).as_array().cloned().unwrap_or_default()
    }

    pub fn merge(&self, number: u64) {
        // It looks first whether the two go together, in the background.
        super::eventually("the request is merged", || {
            let path = format!("/api/v1/repos/{}/pulls/{number}/merge", self.path());
            let (status, said) = self.forge.ask("POST", &path, &json!({"Do": "merge"}));
            assert!(matches!(status, 200 | 405 | 409), "{status} {said}");
            (status == 200).then_some(())
        });
    }
}
