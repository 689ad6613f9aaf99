//! The control plane that `tests/control-plane/with` started: how to reach it, and a namespace of one's own in it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::patience::eventually;
use super::programs::{Home, Run};

/// One running control plane.
#[derive(Clone, Debug)]
pub struct Plane {
    /// The folder with ca.crt, server.crt, server.key, admin.crt, admin.key, USER.token and the logs.
    pub folder: PathBuf,
    pub kubeconfig: PathBuf,
    /// `https://127.0.0.1:PORT`
    pub server: String,
    suffix: &'static str,
}

impl Plane {
    /// The control plane of this test run.
    pub fn of_this_run() -> Self {
        Self::from_environment("")
    }

    /// The second, independent API server; it has no controllers.
    pub fn second() -> Self {
        Self::from_environment("_2")
    }

    fn from_environment(suffix: &'static str) -> Self {
        let variable = |name: &str| {
            let name = format!("DRIFTDECK_TEST_{name}{suffix}");
            std::env::var(&name).unwrap_or_else(|_| {
                panic!("{name} is not set: this test needs the control plane, which tests/run starts")
            })
        };
        Self {
            folder: variable("PLANE").into(),
            kubeconfig: variable("KUBECONFIG").into(),
            server: variable("SERVER"),
            suffix,
        }
    }

    /// A way in as `admin`, `viewer`, `ana` or `ben`.
    pub fn access(&self, user: &str) -> Access {
        let token =
            std::fs::read_to_string(self.folder.join(format!("{user}.token"))).expect("a user's token");
        Access {
            server: self.server.clone(),
            authority: self.folder.join("ca.crt"),
            token,
            user: user.to_owned(),
            context: "plane".to_owned(),
            namespace: None,
        }
    }

    /// Runs the built kubectl as administrator with something on its standard input, whatever comes of it.
    pub fn try_kubectl<S: AsRef<str>>(&self, arguments: &[S], input: &str) -> Run {
        let home = Home::new();
        let mut command = home.command("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments.iter().map(AsRef::as_ref));
        Run::of(command.write_stdin(input))
    }

    /// Runs kubectl as administrator and returns its stdout; panics where it fails.
    #[track_caller]
    pub fn kubectl<S: AsRef<str>>(&self, arguments: &[S]) -> String {
        self.try_kubectl(arguments, "").exits(0).stdout
    }

    /// Waits until the server has taken up definitions: names (`crd/NAME`), or `crd --all`.
    ///
    /// Of a definition that has no conditions yet, `kubectl wait` says that it cannot read them, and gives up at once: it
    /// is asked again.
    #[track_caller]
    #[allow(clippy::disallowed_methods, reason = "the tests are no async tasks")]
    pub fn established<S: AsRef<str>>(&self, which: &[S]) {
        let mut words = vec!["wait", "--for=condition=Established", "--timeout=60s"];
        words.extend(which.iter().map(AsRef::as_ref));
        let run = eventually("the definitions have conditions", || {
            Some(self.try_kubectl(&words, "")).filter(|run| !run.stderr.contains("accessor error"))
        });
        run.exits(0);
    }
}

/// A way into a cluster, to be written down as a kubeconfig with one context.
#[derive(Clone, Debug)]
pub struct Access {
    pub server: String,
    pub authority: PathBuf,
    pub token: String,
    pub user: String,
    pub context: String,
    pub namespace: Option<String>,
}

impl Access {
    /// The same way by another address: a fault proxy's.
    #[must_use]
    pub fn by(mut self, server: impl Into<String>) -> Self {
        self.server = server.into();
        self
    }

    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    #[must_use]
    pub fn named(mut self, context: impl Into<String>) -> Self {
        self.context = context.into();
        self
    }

    /// The kubeconfig, as YAML.
    pub fn kubeconfig(&self) -> String {
        let Self { server, authority, token, user, context, namespace } = self;
        let namespace = namespace.as_ref().map(|name| format!(", namespace: {name}")).unwrap_or_default();
        format!(
            "apiVersion: v1\nkind: Config\n\
             clusters:\n- {{name: {context}, cluster: {{server: '{server}', certificate-authority: '{}'}}}}\n\
             users:\n- {{name: {user}, user: {{token: {token}}}}}\n\
             contexts:\n- {{name: {context}, context: {{cluster: {context}, user: {user}{namespace}}}}}\n\
             current-context: {context}\n",
            authority.display(),
        )
    }

    /// Makes this the kubeconfig of a home.
    pub fn write_into(&self, home: &Home) -> PathBuf {
        home.write("kubeconfig", self.kubeconfig())
    }
}

/// A namespace of one test, deleted when it goes out of scope.
pub struct Namespace {
    pub name: String,
    pub plane: Plane,
}

impl Namespace {
    /// Creates a namespace that no other test has, in the control plane of this run.
    pub fn new(subject: &str) -> Self {
        Self::on(Plane::of_this_run(), subject)
    }

    pub fn on(plane: Plane, subject: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{subject}-{}-{number}", std::process::id());
        plane.kubectl(&["create", "namespace", &name]);
        Self { name, plane }
    }

    /// The administrator's way in, with this namespace as the context's own.
    pub fn access(&self) -> Access {
        self.plane.access("admin").in_namespace(&self.name)
    }

    /// A home whose kubeconfig leads into this namespace as administrator.
    pub fn home(&self) -> Home {
        let home = Home::new();
        self.access().write_into(&home);
        home
    }

    /// Runs kubectl in this namespace, whatever comes of it.
    pub fn try_kubectl<S: AsRef<str>>(&self, arguments: &[S], input: &str) -> Run {
        let mut all = vec!["--namespace", &self.name];
        all.extend(arguments.iter().map(AsRef::as_ref));
        self.plane.try_kubectl(&all, input)
    }

    /// Runs kubectl in this namespace and returns its stdout; panics where it fails.
    #[track_caller]
    pub fn kubectl<S: AsRef<str>>(&self, arguments: &[S]) -> String {
        self.try_kubectl(arguments, "").exits(0).stdout
    }

    /// Applies manifests as `kubectl apply` does by default: client-side, with the last-applied annotation.
    #[track_caller]
    pub fn apply(&self, manifests: &str) -> String {
        self.try_kubectl(&["apply", "-f", "-"], manifests).exits(0).stdout
    }

    /// Applies manifests with server-side apply under a field manager.
    #[track_caller]
    pub fn apply_server_side(&self, manifests: &str, manager: &str) -> String {
        let manager = format!("--field-manager={manager}");
        self.try_kubectl(&["apply", "--server-side", &manager, "-f", "-"], manifests).exits(0).stdout
    }

    /// Applies a file or folder client-side.
    #[track_caller]
    pub fn apply_path(&self, path: impl AsRef<Path>) -> String {
        self.kubectl(&["apply", "-f", &path.as_ref().display().to_string()])
    }

    /// Patches an object under a field manager's name; `kind` is `merge`, `json` or `strategic`.
    #[track_caller]
    pub fn patch(&self, object: &str, kind: &str, patch: &str, manager: &str) {
        let (kind, manager) = (format!("--type={kind}"), format!("--field-manager={manager}"));
        self.kubectl(&["patch", object, &kind, &manager, "--patch", patch]);
    }

    /// Reads an object (`deployment/web`) with its managed fields; none where it does not exist.
    #[track_caller]
    pub fn get(&self, object: &str) -> Option<Value> {
        let run = self
            .try_kubectl(&["get", object, "--ignore-not-found", "--show-managed-fields", "-o", "json"], "");
        let run = run.exits(0);
        (!run.stdout.trim().is_empty()).then(|| run.json())
    }

    /// Waits until an object exists and satisfies a condition, and returns it.
    #[track_caller]
    pub fn await_object(&self, object: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{object}: {what}"), || self.get(object).filter(|live| holds(live)))
    }

    /// Grants a user verbs on resources (`deployments.apps`) within this namespace, and nowhere else.
    #[track_caller]
    pub fn allow(&self, user: &str, verbs: &str, resources: &str) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let role = format!("{user}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let (verbs, resources) = (format!("--verb={verbs}"), format!("--resource={resources}"));
        self.kubectl(&["create", "role", &role, &verbs, &resources]);
        let (role_flag, user_flag) = (format!("--role={role}"), format!("--user={user}"));
        self.kubectl(&["create", "rolebinding", &role, &role_flag, &user_flag]);
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Best effort: the whole control plane is thrown away at the end of the run.
        let _ = self.plane.try_kubectl(&["delete", "namespace", &self.name, "--wait=false"], "");
    }
}
