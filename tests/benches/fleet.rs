//! 10,000 objects of 20 kinds, in Git and in the cluster alike: 20 apps, each with a namespace of its own.
//!
//! The kinds are such that no controller keeps writing them afterwards.

use std::fmt::Write as _;
use std::time::Duration;

use futures::StreamExt as _;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::figures::{figure, subject, timed, words};
use crate::support::{Home, Plane, Repository};

const APPS: usize = 20;
/// Of each kind, in each app.
const EACH: usize = 25;
/// How many requests are on their way at once while the cluster is filled.
const AT_ONCE: usize = 8;

/// A kind with what its objects consist of, beside name and labels. `<n>` stands for the object's number in its app,
/// `<pod>` for a pod's spec and `<job>` for one that ends.
struct Kind {
    api: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    content: &'static str,
}

const fn kind(
    api: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    content: &'static str,
) -> Kind {
    Kind { api, kind, plural, namespaced, content }
}

const POD: &str = "{containers: [{name: app, image: 'registry.example.com/shop/app:1.<n>', args: ['--port=8080'], \
    ports: [{name: http, containerPort: 8080}], env: [{name: MODE, value: fast}, {name: LEVEL, value: info}], \
    resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}, \
    readinessProbe: {httpGet: {path: /ready, port: http}}}]}";

const KINDS: [Kind; 20] = [
    kind(
        "v1",
        "ConfigMap",
        "configmaps",
        true,
        "data: {mode: calm, level: info, settings: 'a=1, b=2, c=<n>'}",
    ),
    kind("v1", "Secret", "secrets", true, "stringData: {user: app, password: never-shown-<n>}"),
    kind("v1", "ServiceAccount", "serviceaccounts", true, "automountServiceAccountToken: false"),
    kind(
        "v1",
        "Service",
        "services",
        true,
        "spec: {clusterIP: None, ports: [{name: http, port: 80, targetPort: http}, {name: metrics, port: 9090}]}",
    ),
    kind(
        "v1",
        "PodTemplate",
        "podtemplates",
        true,
        "template: {metadata: {labels: {app: a<n>}}, spec: <pod>}",
    ),
    kind(
        "v1",
        "LimitRange",
        "limitranges",
        true,
        "spec: {limits: [{type: Container, default: {cpu: '1'}, defaultRequest: {cpu: 100m}}]}",
    ),
    kind(
        "apps/v1",
        "Deployment",
        "deployments",
        true,
        "spec: {replicas: 0, paused: true, selector: {matchLabels: {app: a<n>}}, \
         template: {metadata: {labels: {app: a<n>}}, spec: <pod>}}",
    ),
    kind("apps/v1", "ControllerRevision", "controllerrevisions", true, "revision: 1\ndata: {a: b}"),
    kind(
        "batch/v1",
        "CronJob",
        "cronjobs",
        true,
        "spec: {schedule: '0 3 * * *', suspend: true, jobTemplate: {spec: {template: {spec: <job>}}}}",
    ),
    kind(
        "rbac.authorization.k8s.io/v1",
        "Role",
        "roles",
        true,
        "rules: [{apiGroups: [''], resources: [configmaps], verbs: [get, list, watch]}]",
    ),
    kind(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "rolebindings",
        true,
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: object-<n>}\n\
         subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: ana}]",
    ),
    kind(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "networkpolicies",
        true,
        "spec: {podSelector: {matchLabels: {app: a<n>}}, policyTypes: [Ingress], ingress: [{ports: [{port: 80}]}]}",
    ),
    kind(
        "networking.k8s.io/v1",
        "Ingress",
        "ingresses",
        true,
        "spec: {rules: [{host: a<n>.example.com, http: {paths: [{path: /, pathType: Prefix, \
         backend: {service: {name: object-<n>, port: {number: 80}}}}]}}]}",
    ),
    kind(
        "coordination.k8s.io/v1",
        "Lease",
        "leases",
        true,
        "spec: {holderIdentity: nobody, leaseDurationSeconds: 15}",
    ),
    kind(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "endpointslices",
        true,
        "addressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.1.2.3]}]",
    ),
    kind(
        "storage.k8s.io/v1",
        "CSIStorageCapacity",
        "csistoragecapacities",
        true,
        "storageClassName: fast\ncapacity: 100Gi",
    ),
    kind(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        "clusterroles",
        false,
        "rules: [{apiGroups: [apps], resources: [deployments], verbs: [get, list, watch]}]",
    ),
    kind(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        false,
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: fleet}\n\
         subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: ana}]",
    ),
    kind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", false, "value: 1000"),
    kind("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", false, "handler: runc"),
];

impl Kind {
    fn manifest(&self, app: usize, number: usize) -> String {
        let (api, kind) = (self.api, self.kind);
        let place = if self.namespaced { format!(", namespace: {}", namespace(app)) } else { String::new() };
        let job = POD.replace("{containers:", "{restartPolicy: Never, containers:");
        let content = self.content.replace("<pod>", POD).replace("<job>", &job);
        let content = content.replace("<n>", &number.to_string());
        let name = self.name(app, number);
        format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}{place}, \
             labels: {{app.kubernetes.io/name: app-{app:02}, app.kubernetes.io/part-of: fleet}}}}\n{content}\n"
        )
    }

    fn name(&self, app: usize, number: usize) -> String {
        if self.namespaced { format!("object-{number}") } else { format!("fleet-{app:02}-{number}") }
    }

    /// The path of its list: everywhere, or in one namespace.
    fn list(&self, namespace: Option<&str>) -> String {
        let root = if self.api == "v1" { "/api/v1".to_owned() } else { format!("/apis/{}", self.api) };
        let place = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        format!("{root}{place}/{}", self.plural)
    }
}

fn namespace(app: usize) -> String {
    format!("fleet-{app:02}")
}

/// The objects, in a repository and in the cluster.
pub struct Fleet {
    pub plane: Plane,
    pub repository: Repository,
    pub client: Client,
    pub runtime: tokio::runtime::Runtime,
}

impl Fleet {
    pub const OBJECTS: usize = APPS * EACH * KINDS.len();

    /// Writes and commits the manifests, and applies them all, server-side, in kubectl's name.
    pub fn create() -> Self {
        subject(&format!("fleet: {} objects of {} kinds in {APPS} apps", Self::OBJECTS, KINDS.len()));
        let plane = Plane::of_this_run();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let client = runtime.block_on(client(&plane));
        let repository = Repository::new();
        for app in 0..APPS {
            for kind in &KINDS {
                let documents = (0..EACH).fold(String::new(), |mut text, number| {
                    let _ = write!(text, "---\n{}", kind.manifest(app, number));
                    text
                });
                repository.write(&format!("apps/app-{app:02}/{}.yaml", kind.plural), documents);
            }
        }
        repository.commit("Declare the fleet");
        let (time, ()) = timed(|| runtime.block_on(fill(&client)));
        figure("applying them all (not part of any figure below)", &words(time));
        let fleet = Self { plane, repository, client, runtime };
        fleet.await_calm();
        fleet
    }

    /// Waits until no controller writes the objects any more: the Deployments have their status.
    fn await_calm(&self) {
        crate::support::eventually_within(Duration::from_secs(180), "controllers are done", || {
            let list = self.runtime.block_on(get(&self.client, "/apis/apps/v1/deployments"));
            (list.matches("\"observedGeneration\"").count() >= APPS * EACH).then_some(())
        });
    }

    /// A home whose kubeconfig leads to the cluster as administrator.
    pub fn home(&self) -> Home {
        let home = Home::new();
        self.plane.access("admin").write_into(&home);
        home
    }

    /// The lists that hold all these objects: everywhere, Secrets in each namespace alone.
    pub fn lists() -> Vec<String> {
        let secrets = |kind: &Kind| kind.kind == "Secret";
        let each = |kind: &Kind| (0..APPS).map(|app| kind.list(Some(&namespace(app)))).collect::<Vec<_>>();
        KINDS.iter().flat_map(|kind| if secrets(kind) { each(kind) } else { vec![kind.list(None)] }).collect()
    }

    /// Reads all lists at once, page by page, and returns how many bytes came.
    pub fn read_lists(&self) -> usize {
        self.runtime.block_on(async {
            let reads = Self::lists().into_iter().map(|path| read_list(&self.client, path));
            futures::future::join_all(reads).await.into_iter().sum()
        })
    }

    /// Sets the value of a ConfigMap of the first app, by hand.
    pub fn edit(&self, value: &str) {
        self.edit_in(0, "object-7", value);
    }

    /// Sets the value of a ConfigMap of an app, by hand.
    pub fn edit_in(&self, app: usize, name: &str, value: &str) {
        let namespace = namespace(app);
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}?fieldManager=kubectl-edit");
        let body = serde_json::json!({ "data": { "mode": value } }).to_string();
        self.runtime.block_on(patch(&self.client, &path, "application/merge-patch+json", body));
    }
}

async fn client(plane: &Plane) -> Client {
    let kubeconfig = Kubeconfig::read_from(&plane.kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

async fn fill(client: &Client) {
    let namespaces = (0..APPS).map(|app| {
        let name = namespace(app);
        let body = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        (format!("/api/v1/namespaces/{name}"), body)
    });
    apply_all(client, namespaces.collect()).await;
    let objects = KINDS.iter().flat_map(|kind| {
        (0..APPS * EACH).map(move |i| {
            let (app, number) = (i / EACH, i % EACH);
            let place = kind.namespaced.then(|| namespace(app));
            let path = format!("{}/{}", kind.list(place.as_deref()), kind.name(app, number));
            (path, kind.manifest(app, number))
        })
    });
    apply_all(client, objects.collect()).await;
}

async fn apply_all(client: &Client, objects: Vec<(String, String)>) {
    let applied = futures::stream::iter(objects).map(|(path, body)| async move {
        let path = format!("{path}?fieldManager=kubectl&force=true");
        patch(client, &path, "application/apply-patch+yaml", body).await;
    });
    applied.buffer_unordered(AT_ONCE).collect::<()>().await;
}

async fn patch(client: &Client, path: &str, kind: &str, body: String) {
    let request = http::Request::patch(path).header("content-type", kind).body(Body::from(body.into_bytes()));
    let answer = client.send(request.unwrap()).await.unwrap();
    let status = answer.status();
    let text = answer.into_body().collect_bytes().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&text));
}

async fn get(client: &Client, path: &str) -> String {
    client.request_text(http::Request::get(path).body(Vec::new()).unwrap()).await.unwrap()
}

async fn read_list(client: &Client, path: String) -> usize {
    let (mut bytes, mut next) = (0, String::new());
    loop {
        let page = get(client, &format!("{path}?limit=500{next}")).await;
        bytes += page.len();
        // It stands in the metadata before the items.
        let head = page.split_once("\"items\"").map_or(page.as_str(), |(head, _)| head);
        let Some((_, rest)) = head.split_once("\"continue\":\"") else { return bytes };
        next = format!("&continue={}", rest.split('"').next().unwrap_or_default());
    }
}
