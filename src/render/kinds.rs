//! Defines which documents are objects that a cluster could serve, and which only look like them.
//!
//! Many tools write their own files with `apiVersion` and `kind`. Nothing in such a file says that no API server serves
//! it, so the known ones are listed here, each with its source.

use crate::model::GroupVersionKind;
use crate::text::yaml::read_documents;

/// The API groups of Kubernetes itself that have no dot; every other group has one.
///
/// Source: k8s.io/api, and the validation of CustomResourceDefinitions ("should be a domain with at least one dot").
const GROUPS_WITHOUT_DOT: [&str; 6] = ["", "apps", "autoscaling", "batch", "extensions", "policy"];

/// What no cluster serves: the group (`*.` in front: and every group under it) and, unless all of it, the kinds.
const FILES_OF_TOOLS: [(&str, &[&str]); 38] = [
    // Kubernetes' own programs: k8s.io/kubelet, kube-proxy, kube-scheduler, kube-controller-manager, apiserver, client-go.
    ("kubeadm.k8s.io", &[]),
    ("kubelet.config.k8s.io", &[]),
    ("kubeproxy.config.k8s.io", &[]),
    ("kubescheduler.config.k8s.io", &[]),
    ("kubecontrollermanager.config.k8s.io", &[]),
    ("controllermanager.config.k8s.io", &[]),
    ("cloudcontrollermanager.config.k8s.io", &[]),
    ("apiserver.config.k8s.io", &[]),
    ("apiserver.k8s.io", &[]),
    ("audit.k8s.io", &[]),
    ("client.authentication.k8s.io", &[]),
    ("imagepolicy.k8s.io", &[]),
    ("abac.authorization.kubernetes.io", &[]),
    ("admission.k8s.io", &[]),
    ("pod-security.admission.config.k8s.io", &[]),
    ("credentialprovider.kubelet.k8s.io", &[]),
    ("kubectl.config.k8s.io", &[]),
    ("", &["Config", "ResourceList"]),
    // Kustomize and kpt: files of the tools, functions and their results.
    ("kustomize.config.k8s.io", &[]),
    ("config.kubernetes.io", &[]),
    ("kpt.dev", &["Kptfile"]),
    ("fn.kpt.dev", &[]),
    ("viaduct.ai", &["ksops"]),
    // Clusters for development: kind, k3d, ctlptl, and kuttl's and chainsaw's tests.
    ("kind.x-k8s.io", &[]),
    ("kind.sigs.k8s.io", &[]),
    ("k3d.io", &[]),
    ("ctlptl.dev", &[]),
    ("kuttl.dev", &[]),
    ("chainsaw.kyverno.io", &[]),
    ("cli.kyverno.io", &[]),
    // Clusters that a program of their makers builds: eksctl, k0sctl, kops.
    ("eksctl.io", &[]),
    ("k0sctl.k0sproject.io", &[]),
    ("kops.k8s.io", &[]),
    // Catalogues and plugins: Backstage, krew, operator-sdk, controller-runtime's configuration, mirrors of oc.
    ("*.backstage.io", &[]),
    ("krew.googlecontainertools.github.com", &[]),
    ("scorecard.operatorframework.io", &[]),
    ("controller-runtime.sigs.k8s.io", &[]),
    ("mirror.openshift.io", &["ImageSetConfiguration"]),
];

/// Returns whether a cluster could serve the kind.
pub fn is_served_kind(kind: &GroupVersionKind) -> bool {
    if kind.kind.is_empty() || !is_served_version(&kind.api_version()) {
        return false;
    }
    !FILES_OF_TOOLS.iter().any(|(group, kinds)| {
        let same_group = match group.strip_prefix("*.") {
            Some(domain) => kind.group == domain || kind.group.ends_with(&group[1..]),
            None => kind.group == *group,
        };
        same_group && (kinds.is_empty() || kinds.contains(&kind.kind.as_str()))
    })
}

/// Returns whether an `apiVersion` is one that an API server could have.
pub(super) fn is_served_version(api_version: &str) -> bool {
    match api_version.split_once('/') {
        None => api_version == "v1",
        Some((group, version)) => {
            is_domain(group)
                && (group.contains('.') || GROUPS_WITHOUT_DOT[1..].contains(&group))
                && is_label(version)
        }
    }
}

fn is_domain(group: &str) -> bool {
    !group.is_empty() && group.split('.').all(is_label)
}

/// Returns whether a text is a label of DNS (RFC 1123).
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns the line, counted from 1, of the first document of a file that a cluster could serve.
pub fn first_manifest(text: &[u8]) -> Option<usize> {
    match glance(text) {
        Glance::Manifest { line } => Some(line),
        Glance::Nothing => None,
        Glance::Unclear => read_documents(text).into_iter().flatten().find_map(|document| {
            let kind = GroupVersionKind::from_api_version(
                document.value.str_at(&["apiVersion"])?,
                document.value.str_at(&["kind"])?,
            );
            is_served_kind(&kind).then_some(document.line)
        }),
    }
}

/// What a look at a file's text shows, without parsing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glance {
    /// A manifest begins at this line, counted from 1.
    Manifest { line: usize },
    /// Only a parser can tell: JSON, or YAML in flow style.
    Unclear,
    /// Nothing that a cluster could serve.
    Nothing,
}

/// Looks for a document with `apiVersion` and `kind` of something that a cluster could serve.
///
/// Discovery looks at every YAML file of a repository, so this reads lines instead of parsing: in block style the fields
/// of a document's own map are the lines that start with them, since everything below is indented.
fn glance(text: &[u8]) -> Glance {
    // A byte order mark, as editors of Windows put it in front.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if !contains(text, b"apiVersion") || !contains(text, b"kind") {
        return Glance::Nothing;
    }
    let first = text.iter().copied().find(|b| !b.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        return Glance::Unclear;
    }
    let mut document = Fields { start: 1, ..Fields::default() };
    for (index, line) in text.split(|b| *b == b'\n').enumerate() {
        if line.starts_with(b"---") {
            if document.is_manifest() {
                return Glance::Manifest { line: document.start };
            }
            document = Fields { start: index + 2, ..Fields::default() };
        } else if matches!(line.first(), Some(b'{' | b'[')) && document.is_empty() {
            return Glance::Unclear;
        } else {
            document.take(line, index + 1);
        }
    }
    if document.is_manifest() { Glance::Manifest { line: document.start } } else { Glance::Nothing }
}

/// The two fields of a document, as far as they were seen.
#[derive(Default)]
struct Fields {
    start: usize,
    seen: bool,
    api_version: Option<String>,
    kind: Option<String>,
}

impl Fields {
    fn take(&mut self, line: &[u8], number: usize) {
        let is_key = line.first().is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'#' | b'%'));
        if is_key && !self.seen {
            (self.seen, self.start) = (true, number);
        }
        if let Some(text) = field(line, "apiVersion") {
            self.api_version = Some(text);
        } else if let Some(text) = field(line, "kind") {
            self.kind = Some(text);
        }
    }

    fn is_empty(&self) -> bool {
        self.api_version.is_none() && self.kind.is_none()
    }

    fn is_manifest(&self) -> bool {
        match (&self.api_version, &self.kind) {
            (Some(api_version), Some(kind)) => {
                is_served_kind(&GroupVersionKind::from_api_version(api_version, kind))
            }
            _ => false,
        }
    }
}

/// Returns the plain or quoted text that a line gives a field.
fn field(line: &[u8], name: &str) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let quoted = |quote: char| line.strip_prefix(quote)?.strip_prefix(name)?.strip_prefix(quote);
    let rest = line.strip_prefix(name).or_else(|| quoted('"')).or_else(|| quoted('\''))?;
    let value = rest.trim_start().strip_prefix(':').filter(|v| v.starts_with([' ', '\t']))?.trim();
    let value = value.split(" #").next().unwrap_or(value).trim_end();
    let unquoted =
        ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote).and_then(|v| v.strip_suffix(*quote)));
    Some(unquoted.unwrap_or(value).to_owned())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_tools_are_no_manifests() {
        let table = [
            ("v1", "ConfigMap", true),
            ("apps/v1", "Deployment", true),
            ("argoproj.io/v1alpha1", "Workflow", true),
            ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", true),
            ("cluster.x-k8s.io/v1beta1", "Cluster", true),
            ("v1", "List", true),
            ("skaffold/v4beta11", "Config", false),
            ("kpt.dev/v1", "Kptfile", false),
            ("kustomize.config.k8s.io/v1beta1", "Kustomization", false),
            ("builtin", "LabelTransformer", false),
            ("kind.x-k8s.io/v1alpha4", "Cluster", false),
            ("kubeadm.k8s.io/v1beta4", "ClusterConfiguration", false),
            ("backstage.io/v1alpha1", "Component", false),
            ("scaffolder.backstage.io/v1beta3", "Template", false),
            ("v1", "Config", false),
            ("v1alpha1", "HostnameConfig", false),
            ("{{ .Values.apiVersion }}", "Ingress", false),
            ("", "X", false),
        ];
        for (api_version, kind, served) in table {
            let kind = GroupVersionKind::from_api_version(api_version, kind);
            assert_eq!(is_served_kind(&kind), served, "{kind:?}");
        }
    }

    #[test]
    fn a_glance_finds_the_first_document_that_a_cluster_could_serve() {
        let table: [(&str, Glance); 8] = [
            ("# c\n\napiVersion: v1\nkind: Pod\n", Glance::Manifest { line: 3 }),
            ("\"kind\": 'Pod' # c\nmetadata: {}\n'apiVersion' : \"v1\"\r\n", Glance::Manifest { line: 1 }),
            (
                "apiVersion: skaffold/v3\nkind: Config\n--- # c\n# c\nkind: Pod\napiVersion: v1",
                Glance::Manifest { line: 5 },
            ),
            ("data:\n  x: |\n    apiVersion: v1\n    kind: Pod\n", Glance::Nothing),
            ("apiVersion: v1\n---\nkind: Pod\n", Glance::Nothing),
            ("{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", Glance::Unclear),
            ("---\n{apiVersion: v1, kind: Pod}", Glance::Unclear),
            ("a: 1", Glance::Nothing),
        ];
        for (text, seen) in table {
            assert_eq!(glance(text.as_bytes()), seen, "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_hides_no_manifest() {
        for text in ["apiVersion: v1\nkind: Service\n", "{\"apiVersion\": \"v1\", \"kind\": \"Service\"}"] {
            assert_eq!(first_manifest(format!("\u{feff}{text}").as_bytes()), Some(1), "{text}");
        }
    }
}
