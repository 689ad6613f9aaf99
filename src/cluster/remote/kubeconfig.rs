//! Reads kubeconfigs as kubectl does: several files, merged; contexts; the proxy that Go's client would take.
//!
//! Source of the rules: "Organizing Cluster Access Using kubeconfig Files" in the Kubernetes documentation (the first
//! file to set a value wins; missing files of `KUBECONFIG` are skipped, a file given by `--kubeconfig` must be there)
//! and Go's `net/http.ProxyFromEnvironment`.

use crate::cluster::ClusterError;
use kube::config::{AuthInfo, Config, ExecConfig, Kubeconfig, KubeconfigError};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The name under which the service account of the pod that driftdeck runs in is listed.
pub const IN_CLUSTER: &str = "in-cluster";

/// Where kubeconfigs are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `--kubeconfig`: only this file, and it must be there.
    pub file: Option<PathBuf>,
    /// `KUBECONFIG`.
    pub variable: Option<OsString>,
    pub home: Option<PathBuf>,
    /// Whether a service account of a pod is there to fall back on.
    pub in_cluster: bool,
}

/// One way to a cluster, as a kubeconfig names it. Nothing of the user's credentials is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextInfo {
    pub name: String,
    pub server: Option<String>,
    pub namespace: Option<String>,
    /// The kubeconfig's name of the user, not who the cluster thinks it is.
    pub user: Option<String>,
    pub current: bool,
}

impl Sources {
    /// Looks at this process's environment; `file` is what `--kubeconfig` gave.
    pub fn of_this_process(file: Option<PathBuf>) -> Self {
        Self {
            file,
            variable: std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()),
            home: std::env::var_os("HOME").filter(|value| !value.is_empty()).map(PathBuf::from),
            in_cluster: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
                && Path::new("/var/run/secrets/kubernetes.io/serviceaccount/token").is_file(),
        }
    }

    /// Returns every context, the current one marked. Where there is no kubeconfig, none, or the pod's own.
    pub fn contexts(&self) -> Result<Vec<ContextInfo>, ClusterError> {
        let merged = self.load()?;
        if merged.contexts.is_empty() && self.in_cluster {
            return Ok(vec![ContextInfo {
                name: IN_CLUSTER.to_owned(),
                server: None,
                namespace: None,
                user: None,
                current: true,
            }]);
        }
        let current = merged.current_context.clone();
        let named = merged.contexts.into_iter().filter_map(|named| Some((named.name, named.context?)));
        let infos = named.map(|(name, context)| ContextInfo {
            server: merged
                .clusters
                .iter()
                .find(|cluster| cluster.name == context.cluster)
                .and_then(|cluster| cluster.cluster.as_ref()?.server.clone()),
            namespace: context.namespace.filter(|n| !n.is_empty()),
            user: context.user.filter(|u| !u.is_empty()),
            current: current.as_deref() == Some(&name),
            name,
        });
        Ok(infos.collect())
    }

    /// Reads and merges the files.
    pub(super) fn load(&self) -> Result<Kubeconfig, ClusterError> {
        if let Some(file) = &self.file {
            return read(file)?.ok_or_else(|| ClusterError::Kubeconfig {
                file: file.display().to_string(),
                reason: "there is no such file".to_owned(),
            });
        }
        let listed = self.variable.iter().flat_map(std::env::split_paths);
        let mut files: Vec<PathBuf> = listed.filter(|path| !path.as_os_str().is_empty()).collect();
        if files.is_empty() {
            files.extend(self.home.as_ref().map(|home| home.join(".kube/config")));
        }
        let mut merged = Kubeconfig::default();
        for file in files {
            let Some(mut next) = read(&file)? else { continue };
            // To kubectl an empty name is no name.
            next.current_context = next.current_context.filter(|name| !name.is_empty());
            merged = merged.merge(next).map_err(|error| unreadable(&file, &error))?;
        }
        Ok(merged)
    }

    /// Makes the configuration of a context, and takes the credential plugin out of it: driftdeck runs that itself.
    /// Returns what a context leads to, without contacting it: the server and the authority that vouches for it.
    /// `None` where the context is not complete.
    pub fn place(&self, context: &str) -> Option<Place> {
        let (config, _) = self.resolve(context).ok()?;
        Some(Place { server: config.cluster_url.to_string(), authority: config.root_cert })
    }

    pub(super) fn resolve(&self, context: &str) -> Result<(Config, Option<ExecConfig>), ClusterError> {
        let merged = self.load()?;
        if merged.contexts.is_empty() && self.in_cluster && context == IN_CLUSTER {
            let config = Config::incluster().map_err(|error| credentials(context, &error.to_string()))?;
            return Ok((config, None));
        }
        if !merged.contexts.iter().any(|named| named.name == context) {
            return Err(ClusterError::NoContext { name: context.to_owned() });
        }
        let place = merged.contexts.into_iter().find(|named| named.name == context);
        let place = place.and_then(|named| named.context).unwrap_or_default();
        let found = merged.clusters.into_iter().find(|cluster| cluster.name == place.cluster);
        let cluster = found
            .ok_or_else(|| credentials(context, "its cluster is not in the kubeconfig"))?
            .cluster
            .unwrap_or_default();
        let user = merged.auth_infos.into_iter().find(|named| Some(&named.name) == place.user.as_ref());
        let mut info = user.and_then(|named| named.auth_info).unwrap_or_default();
        check_provider(context, &info)?;
        // kubectl: a token or client certificate of the kubeconfig's own comes before the plugin.
        let taken = info.exec.take();
        let mut exec = taken.filter(|_| info.token.is_none() && info.client_certificate_data.is_none());
        if let Some(exec) = exec.as_mut().filter(|exec| exec.provide_cluster_info) {
            exec.cluster = Some((&cluster).try_into().map_err(|error| reason_of(context, &error))?);
        }
        let mut config = config_of(context, &cluster)?;
        config.auth_info = info;
        if let Some(namespace) = place.namespace {
            config.default_namespace = namespace;
        }
        let proxy = cluster.proxy_url.filter(|url| !url.is_empty());
        let proxy = proxy.or_else(|| proxy_for(&config.cluster_url, &|name| std::env::var(name).ok()));
        config.proxy_url = match proxy.map(|url| plain_socks(&url)) {
            Some(url) => Some(url.parse().map_err(|_| credentials(context, "its proxy is no URL"))?),
            None => None,
        };
        Ok((config, exec))
    }
}

/// Makes the configuration of a cluster, without a user and without a proxy.
///
/// kube's own way reads `NO_PROXY` whatever it is, refuses what Go's client takes (a comma at the end), and holds it
/// against the proxy instead of the server.
fn config_of(context: &str, cluster: &kube::config::Cluster) -> Result<Config, ClusterError> {
    let refuse = |reason: &str| credentials(context, reason);
    let server = cluster.server.as_deref().ok_or_else(|| refuse("its cluster has no server"))?;
    let mut config = Config::new(server.parse().map_err(|_| refuse("its server is no URL"))?);
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    let unreadable = || refuse("its certificate authority cannot be read");
    let authority = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => Some(base64(data).ok_or_else(unreadable)?),
        (None, Some(file)) => Some(std::fs::read(file).map_err(|_| unreadable())?),
        (None, None) => None,
    };
    if let Some(pem) = authority {
        let certificates = certificates(&String::from_utf8_lossy(&pem));
        config.root_cert =
            Some(certificates.ok_or_else(|| refuse("its certificate authority holds no certificate"))?);
    }
    Ok(config)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(compact).ok()
}

/// Returns the certificates of a PEM text; `None` where one is broken or there is none.
fn certificates(pem: &str) -> Option<Vec<Vec<u8>>> {
    let blocks = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    let found: Option<Vec<_>> =
        blocks.map(|block| base64(block.split_once("-----END CERTIFICATE-----")?.0)).collect();
    found.filter(|certificates| !certificates.is_empty())
}

/// What a context leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    server: String,
    authority: Option<Vec<Vec<u8>>>,
}

/// Reads one file; `None` if there is none.
fn read(file: &Path) -> Result<Option<Kubeconfig>, ClusterError> {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match Kubeconfig::read_from(absolute) {
        Ok(config) => Ok(Some(config)),
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(unreadable(file, &error)),
    }
}

/// Says what is wrong with a file. A parser's own words may quote a token, so only a read error's are kept.
fn unreadable(file: &Path, error: &KubeconfigError) -> ClusterError {
    let reason = match error {
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "its kind or apiVersion is not that of the files before it".to_owned()
        }
        _ => "it is no YAML of the form of a kubeconfig".to_owned(),
    };
    ClusterError::Kubeconfig { file: file.display().to_string(), reason }
}

fn reason_of(context: &str, error: &KubeconfigError) -> ClusterError {
    let reason = match error {
        KubeconfigError::LoadCertificateAuthority(_) => "its certificate authority cannot be read",
        _ => "its entry in the kubeconfig is not complete",
    };
    credentials(context, reason)
}

fn credentials(context: &str, reason: &str) -> ClusterError {
    ClusterError::Credentials { context: context.to_owned(), reason: reason.to_owned() }
}

/// Refuses auth providers, which kubectl dropped in 1.26, except the token that `oidc` had left behind.
fn check_provider(context: &str, info: &AuthInfo) -> Result<(), ClusterError> {
    match &info.auth_provider {
        Some(provider) if provider.name != "oidc" => Err(credentials(
            context,
            "its auth provider is of a kind that kubectl no longer knows; use a plugin",
        )),
        _ => Ok(()),
    }
}

/// Returns `socks5h` as `socks5`: names are resolved by the proxy either way.
fn plain_socks(url: &str) -> String {
    url.strip_prefix("socks5h://").map_or_else(|| url.to_owned(), |rest| format!("socks5://{rest}"))
}

/// Returns the proxy that the environment names for a server, as Go's client takes it: none for this machine itself.
fn proxy_for(server: &http::Uri, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let either = |name: &str| {
        variable(name).or_else(|| variable(&name.to_lowercase())).filter(|value| !value.trim().is_empty())
    };
    let host = server.host()?.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    let address: Option<std::net::IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return None;
    }
    let proxy = either(if server.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" })?;
    let excluded = either("NO_PROXY").unwrap_or_default();
    let port = server.port_u16();
    if excluded.split(',').map(str::trim).any(|rule| is_excluded(rule, &host, address, port)) {
        return None;
    }
    Some(if proxy.contains("://") { proxy } else { format!("http://{proxy}") })
}

/// Returns whether a rule of `NO_PROXY` matches: `*`, a domain with its subdomains, an address, a range, with a port.
fn is_excluded(rule: &str, host: &str, address: Option<std::net::IpAddr>, port: Option<u16>) -> bool {
    if rule == "*" {
        return true;
    }
    let rule = rule.to_lowercase();
    if let (Some((network, bits)), Some(address)) = (rule.split_once('/'), address) {
        return in_range(network, bits, address);
    }
    let (name, wanted) = match rule.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') => (name.to_owned(), digits.parse::<u16>().ok()),
        _ => (rule.clone(), None),
    };
    if wanted.is_some() && wanted != port {
        return false;
    }
    let domain = name.trim_start_matches('*').trim_start_matches('.');
    let only_below = name.starts_with('.') || name.starts_with('*');
    !domain.is_empty()
        && ((host == domain && !only_below)
            || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn in_range(network: &str, bits: &str, address: std::net::IpAddr) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<std::net::IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let octets = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(v4) => v4.octets().to_vec(),
        std::net::IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let (network, address) = (octets(network), octets(address));
    network.len() == address.len()
        && network.iter().zip(&address).enumerate().all(|(at, (a, b))| {
            let left = bits.saturating_sub(u32::try_from(at).unwrap_or(u32::MAX).saturating_mul(8)).min(8);
            let mask = u8::try_from(0xff00_u32 >> left & 0xff).unwrap_or(0);
            a & mask == b & mask
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn of(files: &[PathBuf]) -> Sources {
        Sources { variable: Some(std::env::join_paths(files).unwrap()), ..Sources::default() }
    }

    const FIRST: &str = "apiVersion: v1\nkind: Config\ncurrent-context: ''\n\
        clusters: [{name: c, cluster: {server: 'https://one', certificate-authority: ca.crt}}]\n\
        users: [{name: red, user: {token: first}}]\n\
        contexts: [{name: a, context: {cluster: c, user: red, namespace: shop}}]\n";
    const SECOND: &str = "apiVersion: v1\nkind: Config\ncurrent-context: b\n\
        clusters: [{name: c, cluster: {server: 'https://two'}}, {name: d, cluster: {server: 'https://three'}}]\n\
        users: [{name: red, user: {token: second, username: u}}, {name: blue, user: {exec: {apiVersion: x, command: bin/plugin}}}]\n\
        contexts: [{name: a, context: {cluster: d, user: blue}}, {name: b, context: {cluster: d, user: blue}}]\n";

    #[test]
    fn the_first_file_to_set_a_value_wins_and_missing_files_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            folder.path().join("missing"),
            written(folder.path(), "first/config", FIRST),
            written(folder.path(), "second/config", SECOND),
        ];
        let contexts = of(&files).contexts().unwrap();
        let shown: Vec<_> =
            contexts.iter().map(|c| (c.name.as_str(), c.server.as_deref(), c.current)).collect();
        assert_eq!(shown, [("a", Some("https://one"), false), ("b", Some("https://three"), true)]);
        assert_eq!(contexts[0].namespace.as_deref(), Some("shop"));
        let merged = of(&files).load().unwrap();
        assert_eq!(
            merged.clusters[0].cluster.as_ref().unwrap().certificate_authority.as_deref(),
            folder.path().join("first/ca.crt").to_str(),
            "a relative path is relative to its own file"
        );
        assert_eq!(
            merged.auth_infos[0].auth_info.as_ref().unwrap().username,
            None,
            "red is the first file's alone"
        );
        let exec = merged.auth_infos[1].auth_info.as_ref().unwrap().exec.as_ref().unwrap();
        assert_eq!(exec.command.as_deref(), folder.path().join("second/bin/plugin").to_str());
    }

    #[test]
    fn without_any_kubeconfig_there_is_no_context_unless_in_a_pod() {
        let home = tempfile::tempdir().unwrap();
        let sources = Sources { home: Some(home.path().to_owned()), ..Sources::default() };
        assert_eq!(sources.contexts(), Ok(Vec::new()));
        let pod = Sources { in_cluster: true, ..sources };
        assert_eq!(pod.contexts().unwrap()[0].name, IN_CLUSTER);
    }

    #[test]
    fn a_broken_or_missing_file_is_named_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let broken = written(folder.path(), "broken", "users: [{name: u, user: {token: {canary: canary}}}]");
        let error = of(std::slice::from_ref(&broken)).contexts().unwrap_err();
        let said = error.to_string();
        assert!(said.contains("broken") && !said.contains("canary"), "{said}");
        let missing = Sources { file: Some(folder.path().join("none")), ..Sources::default() };
        assert!(missing.contexts().unwrap_err().to_string().ends_with("there is no such file"));
    }

    #[test]
    fn an_unknown_context_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let sources = of(&[written(folder.path(), "second", SECOND)]);
        let error = sources.resolve("nobody").unwrap_err();
        assert_eq!(error, ClusterError::NoContext { name: "nobody".into() });
        let (config, exec) = sources.resolve("b").unwrap();
        assert_eq!(config.cluster_url.to_string(), "https://three/");
        assert!(exec.is_some() && config.auth_info.exec.is_none(), "kube never runs the plugin itself");
    }

    #[test]
    fn a_certificate_authority_is_read_from_data_and_a_broken_one_is_named() {
        let cluster = |pem: &str| {
            use base64::Engine as _;
            let data = base64::engine::general_purpose::STANDARD.encode(pem);
            kube::config::Cluster {
                server: Some("https://one".into()),
                certificate_authority_data: Some(data),
                ..kube::config::Cluster::default()
            }
        };
        let block = |text: &str| {
            format!("a remark\n-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        };
        let two = config_of("c", &cluster(&(block("b25l") + &block("dHdv")))).unwrap();
        assert_eq!(two.root_cert, Some(vec![b"one".to_vec(), b"two".to_vec()]));
        for broken in
            [String::new(), "text".to_owned(), block("!!"), "-----BEGIN CERTIFICATE-----\nb25l".into()]
        {
            let error = config_of("c", &cluster(&broken)).unwrap_err();
            assert!(error.to_string().ends_with("holds no certificate"), "{broken}: {error}");
        }
    }

    #[test]
    fn the_proxy_is_the_one_that_go_would_take() {
        let cases = [
            ("https://api.example.com:6443", "", Some("http://proxy:8080")),
            ("https://api.example.com:6443", "example.com", None),
            ("https://api.example.com:6443", ".example.com", None),
            ("https://example.com", ".example.com", Some("http://proxy:8080")),
            ("https://api.example.com:6443", "api.example.com:443", Some("http://proxy:8080")),
            ("https://api.example.com:6443", "other, api.example.com:6443", None),
            ("https://badexample.com", "example.com", Some("http://proxy:8080")),
            ("https://10.1.2.3:6443", "10.0.0.0/8", None),
            ("https://11.1.2.3:6443", "10.0.0.0/8", Some("http://proxy:8080")),
            ("https://10.1.2.3:6443", "*", None),
            ("https://127.0.0.1:6443", "", None),
            ("https://localhost:6443", "", None),
            ("http://api.example.com", "", None),
        ];
        for (server, excluded, proxy) in cases {
            let variable = |name: &str| match name {
                "HTTPS_PROXY" => Some("proxy:8080".to_owned()),
                "NO_PROXY" => Some(excluded.to_owned()),
                _ => None,
            };
            assert_eq!(
                proxy_for(&server.parse().unwrap(), &variable).as_deref(),
                proxy,
                "{server} {excluded}"
            );
        }
    }
}
