//! Runs credential plugins: captured, without a terminal, with a time limit; or by hand, when the user asked to log in.
//!
//! Source of the protocol: "client-go credential plugins" in the Kubernetes documentation (`ExecCredential`). kube's own
//! way hands the terminal to the plugin and waits without end, so it is never used.

use crate::cluster::ClusterError;
use crate::model::{Timestamp, limits};
use crate::process::{self, Job, Limits};
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// What a plugin handed out. It has no `Debug` on purpose.
pub(super) struct Handed {
    token: Option<Zeroizing<String>>,
    certificate: Option<(String, Zeroizing<String>)>,
    /// When it must be asked again; `None`: not before the server refuses.
    pub until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Handed {
    /// Puts the credentials where kube looks for them.
    pub fn put_into(&self, info: &mut AuthInfo) {
        use base64::Engine as _;
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        info.token = self.token.as_ref().map(|token| token.to_string().into());
        if let Some((certificate, key)) = &self.certificate {
            info.client_certificate_data = Some(base64(certificate));
            info.client_key_data = Some(base64(key).into());
        }
    }
}

/// A plugin that is installed, with the environment that it is to see. The plugin is the user's own and finds its
/// profile, cache and proxy there, as with kubectl.
struct Plugin {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(OsString, OsString)>,
}

impl Plugin {
    fn find(exec: &ExecConfig, interactive: bool) -> Result<Self, String> {
        let command = exec.command.clone().unwrap_or_default();
        let search_path = std::env::var_os("PATH").unwrap_or_default();
        let program = if command.contains('/') {
            PathBuf::from(&command)
        } else {
            process::find_program(&command, &search_path).ok_or_else(|| {
                let hint = exec.install_hint.as_deref().map(|hint| format!(": {}", hint.trim()));
                format!("{command} is not installed{}", hint.unwrap_or_default())
            })?
        };
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        let mut set = |name: &str, value: &str| {
            environment.retain(|(known, _)| known.as_os_str() != name);
            environment.push((name.into(), value.into()));
        };
        for entry in exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (entry.get("name"), entry.get("value")) {
                set(name, value);
            }
        }
        set("KUBERNETES_EXEC_INFO", &exec_info(exec, interactive));
        Ok(Self { program, arguments: exec.args.clone().unwrap_or_default(), environment })
    }
}

/// Runs the plugin of a context and returns what it handed out.
pub(super) async fn ask(context: &str, exec: &ExecConfig) -> Result<Handed, ClusterError> {
    let failed = |reason: String| ClusterError::Credentials { context: context.to_owned(), reason };
    let command = exec.command.as_deref().unwrap_or_default();
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(failed(format!("{command} wants a terminal: log in by hand, or with kubectl")));
    }
    let plugin = Plugin::find(exec, false).map_err(failed)?;
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let mut job =
        Job::new(plugin.program, folder, Limits::within(limits::CREDENTIAL_TIME)).args(plugin.arguments);
    job.env = plugin.environment;

    let finished = process::run(job, &CancellationToken::new()).await.and_then(process::Finished::success);
    // What it printed may be a token, so neither output nor a parser's words about it are handed on.
    let finished = finished.map_err(|error| failed(error.to_string()))?;
    let stdout = Zeroizing::new(finished.stdout);
    read(&stdout).ok_or_else(|| failed(format!("{command} printed no credentials")))
}

/// Runs the plugin with the terminal, as long as the user takes, and returns what it handed out.
pub(super) fn ask_by_hand(context: &str, exec: &ExecConfig) -> Result<Handed, ClusterError> {
    let failed = |reason: String| ClusterError::Credentials { context: context.to_owned(), reason };
    let command = exec.command.as_deref().unwrap_or_default();
    let plugin = Plugin::find(exec, true).map_err(failed)?;
    let ran = Command::new(plugin.program)
        .args(plugin.arguments)
        .env_clear()
        .envs(plugin.environment)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("{command} could not be started: {error}")))?;
    let stdout = Zeroizing::new(ran.stdout);
    if !ran.status.success() {
        return Err(failed(format!("{command} ended with {}", ran.status)));
    }
    read(&stdout).ok_or_else(|| failed(format!("{command} printed no credentials")))
}

fn exec_info(exec: &ExecConfig, interactive: bool) -> String {
    let mut spec = serde_json::json!({ "interactive": interactive });
    if let (Some(cluster), Some(spec)) = (&exec.cluster, spec.as_object_mut()) {
        spec.insert("cluster".to_owned(), serde_json::to_value(cluster).unwrap_or_default());
    }
    serde_json::json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec }).to_string()
}

fn read(stdout: &[u8]) -> Option<Handed> {
    let status = serde_json::from_slice::<Answer>(stdout).ok()?.status?;
    let token = status.token.filter(|token| !token.is_empty()).map(Zeroizing::new);
    let certificate = status.client_certificate_data.zip(status.client_key_data.map(Zeroizing::new));
    if token.is_none() && certificate.is_none() {
        return None;
    }
    let until = match status.expiration_timestamp {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    Some(Handed { token, certificate, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn plugin(folder: &std::path::Path, script: &str) -> ExecConfig {
        let path = folder.join("plugin");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1".into()),
            command: path.to_str().map(str::to_owned),
            ..ExecConfig::default()
        }
    }

    #[tokio::test]
    async fn a_plugin_is_run_without_a_terminal_and_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac
            [ -t 0 ] && exit 4; read line && exit 5; [ "$EXTRA" = yes ] || exit 6
            echo '{"status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}}'"#;
        let mut exec = plugin(folder.path(), script);
        let pair = [("name", "EXTRA"), ("value", "yes")];
        exec.env = Some(vec![pair.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()]);
        let handed = ask("c", &exec).await.unwrap();
        assert_eq!(handed.until, "2030-01-01T00:00:00Z".parse().ok());
        let mut info = AuthInfo::default();
        handed.put_into(&mut info);
        assert!(info.token.is_some());
    }

    #[tokio::test]
    async fn what_a_failing_plugin_printed_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        for script in
            ["echo '{\"status\":{\"token\":{\"canary\":1}}}'", "echo canary; echo please log in >&2; exit 1"]
        {
            let Err(error) = ask("c", &plugin(folder.path(), script)).await else {
                panic!("it handed something out")
            };
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        let Err(error) = ask("c", &plugin(folder.path(), "echo please log in >&2; exit 1")).await else {
            panic!()
        };
        assert!(error.to_string().contains("please log in"), "{error}");
    }

    #[tokio::test]
    async fn a_plugin_that_is_missing_or_wants_a_terminal_is_named() {
        let exec = ExecConfig {
            command: Some("no-such-plugin-anywhere".into()),
            install_hint: Some("brew install it".into()),
            ..ExecConfig::default()
        };
        let Err(error) = ask("c", &exec).await else { panic!() };
        assert!(
            error.to_string().ends_with("no-such-plugin-anywhere is not installed: brew install it"),
            "{error}"
        );
        let exec = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..exec };
        let Err(error) = ask("c", &exec).await else { panic!() };
        assert!(error.to_string().contains("wants a terminal"), "{error}");
    }
}
