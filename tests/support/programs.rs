//! Runs programs in a home of their own: nothing of the user's is read, nothing is left behind.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The longest that a program may run before the test gives it up.
const BOUND: Duration = Duration::from_secs(120);

/// A home folder of one test, with the XDG folders and a temporary folder within, and no kubeconfig yet.
pub struct Home {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Home {
    pub fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("driftdeck-home-").tempdir().expect("a temporary folder");
        for name in ["config", "cache", "state", "data", "run", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder in the home");
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let path = match std::env::var("DRIFTDECK_TEST_BIN") {
            Ok(bin) => format!("{bin}:{path}"),
            Err(_) => path,
        };
        let environment = [
            ("PATH", path),
            ("HOME", folder.path().display().to_string()),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("TMPDIR", at("tmp")),
            ("KUBECONFIG", at("kubeconfig")),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_CONFIG_GLOBAL", at("gitconfig")),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { folder, environment }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where this home's kubeconfig is, or would be.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path().join("kubeconfig")
    }

    /// The whole environment that programs of this home see.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Sets one variable for all programs that are run from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Takes one variable away from all programs that are run from now on.
    pub fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Writes a file below the home, with its folders.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders in the home");
        std::fs::write(&path, content).expect("a file in the home");
        path
    }

    /// Copies a folder with everything in it to a place below the home.
    pub fn copy(&self, from: &Path, to: &str) -> PathBuf {
        for entry in std::fs::read_dir(from).expect("a folder to copy").map(|entry| entry.expect("an entry"))
        {
            let below = format!("{to}/{}", entry.file_name().to_str().expect("a name in UTF-8"));
            if entry.path().is_dir() {
                self.copy(&entry.path(), &below);
            } else {
                self.write(below, std::fs::read(entry.path()).expect("a file to copy"));
            }
        }
        self.path().join(to)
    }

    /// A program that sees this home only, with a bound on its time and nothing on its standard input.
    pub fn command(&self, program: impl AsRef<OsStr>) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(program);
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(self.path()).timeout(BOUND);
        command
    }

    /// Runs the program under test, in the home folder, without input, until it ends.
    pub fn driftdeck<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Run {
        self.driftdeck_in(self.path(), arguments, "")
    }

    /// Runs the program under test in a folder with something on its standard input.
    pub fn driftdeck_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
        &self,
        folder: impl AsRef<Path>,
        arguments: I,
        input: impl Into<Vec<u8>>,
    ) -> Run {
        let mut command = self.command(env!("CARGO_BIN_EXE_driftdeck"));
        command.current_dir(folder).args(arguments).write_stdin(input);
        Run::of(&mut command)
    }
}

/// What came of running a program.
#[derive(Debug)]
pub struct Run {
    /// The exit code; 128 and the signal's number where a signal ended it, as a shell reports it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end.
    pub fn of(command: &mut assert_cmd::Command) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let Output { status, stdout, stderr } = command.output().expect("a program that can be started");
        Self {
            code: status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Asserts the exit code; says everything about the run where it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Reads stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("stdout is not JSON: {error}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
        })
    }
}

/// Returns a folder of the corpus that `DRIFTDECK_CORPUS` points at; without one says loudly that the calling test
/// proves nothing today.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("DRIFTDECK_CORPUS") else {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Past the test runner's capture, so that it is seen when the test passes.
        let _ = writeln!(std::io::stderr(), "NOT RUN: {test} needs DRIFTDECK_CORPUS, which is not set");
        return None;
    };
    let path = Path::new(&root).join(folder);
    assert!(path.is_dir(), "DRIFTDECK_CORPUS has no folder {folder}");
    Some(path)
}
