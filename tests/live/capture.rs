//! Captures what was changed by hand on the real API server: once the edits are committed, Git and the cluster agree, also
//! by the server's own word.

use crate::support::{Namespace, Repository};
use driftdeck::action::capture::{Captured, Chosen, Ground, capture};
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::app::HelmSpec;
use driftdeck::model::{
    App, AppId, ClusterId, Engine, LiveObject, Manifest, MemoryTree, Origin, RenderSpec, RepoId, Tree,
};
use driftdeck::pipeline::rendering::is_namespaced;
use driftdeck::render::{RenderContext, Rendered, Tools, render};
use driftdeck::text::yaml;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # the shop
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: registry.invalid/web:1.4.2
        env:
        - name: MODE
          value: fast
";

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  mode: fast
  colour: red  # goes
";

/// An app that is deployed.
struct Deployed {
    namespace: Namespace,
    repo: Repository,
    app: App,
    files: Vec<(String, String)>,
}

impl Deployed {
    /// Commits an app's files and applies what they render to.
    async fn new(subject: &str, path: &str, spec: RenderSpec, files: &[(&str, &str)]) -> Self {
        let (namespace, repo) = (Namespace::new(subject), Repository::named("fleet"));
        for (file, text) in files {
            repo.write(file, text);
        }
        repo.commit("Add the shop");
        let app = App {
            id: AppId { repo: RepoId("/r".into()), name: "web".to_owned() },
            path: path.to_owned(),
            spec,
            engine: Engine::None,
            namespace: None,
            contexts: Vec::new(),
            revision: None,
            declared: Origin::default(),
            expected: true,
        };
        let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        let deployed = Self { namespace, repo, app, files };
        let rendered = deployed.rendered().await;
        let manifests: Vec<String> =
            rendered.manifests.iter().map(|manifest| yaml::write(&manifest.body)).collect();
        deployed.namespace.apply(&manifests.join("---\n"));
        deployed
    }

    fn tree(&self) -> Arc<dyn Tree> {
        let tree = self
            .files
            .iter()
            .fold(MemoryTree::default(), |tree, (path, text)| tree.file(path, text.as_str()));
        Arc::new(tree)
    }

    fn context(&self) -> RenderContext {
        RenderContext {
            namespace_asked: Some(self.namespace.name.clone()),
            namespaced: Arc::new(is_namespaced),
            ..RenderContext::unknown(ClusterId("plane".into()))
        }
    }

    async fn rendered(&self) -> Rendered {
        let rendered =
            render(&self.app, &self.tree(), &tools(), &self.context(), &CancellationToken::new()).await;
        assert!(rendered.complete, "{:?}", rendered.notices);
        rendered
    }

    /// Scales, takes another image, adds a variable, deletes a key: by kubectl.
    fn change_by_hand(&self) {
        let kubectl = |words: &[&str]| drop(self.namespace.kubectl(words));
        kubectl(&["scale", "deployment/web", "--replicas=2"]);
        kubectl(&["set", "image", "deployment/web", "web=registry.invalid/web:1.5.0"]);
        kubectl(&["set", "env", "deployment/web", "LEVEL=3"]);
        self.namespace.patch(
            "configmap/settings",
            "json",
            r#"[{"op":"remove","path":"/data/colour"}]"#,
            "kubectl-edit",
        );
    }

    /// Returns what differs of an object.
    fn chosen(&self, manifest: &Manifest) -> Chosen {
        let kind = manifest.kind.kind.to_lowercase();
        let name = manifest.id.name.clone().unwrap();
        let json = self.namespace.get(&format!("{kind}/{name}")).expect("it is there").to_string();
        let live = LiveObject::from_json(&ClusterId("plane".into()), json.as_bytes()).expect("an object");
        let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
        let judgement = judge(Some(manifest), Some(&live), &Context::new(&schema, &managers, &autoscaled));
        let changes = judgement.changes.into_iter().filter(|change| change.counts).collect();
        Chosen { id: manifest.id.clone(), live: Some(live), changes }
    }

    /// Captures everything, commits it, and returns what was captured.
    async fn captured(&self) -> Captured {
        let rendered = self.rendered().await;
        let chosen: Vec<Chosen> = rendered.manifests.iter().map(|manifest| self.chosen(manifest)).collect();
        let (tree, tools, context) = (self.tree(), tools(), self.context());
        let ground = Ground { app: &self.app, tree: &tree, tools: &tools, context: &context };
        let captured = capture(&ground, &chosen, &CancellationToken::new()).await.expect("captured");
        for edit in &captured.edits {
            self.repo.write(&edit.path, edit.after.as_ref().expect("no file goes").bytes.as_ref());
        }
        self.repo.commit("Capture what was changed by hand");
        captured
    }

    /// Returns what `check` says: its exit code and verdict.
    fn check(&self, more: &[&str]) -> (i32, String) {
        let home = self.namespace.home();
        let path = self.repo.path().join("web").display().to_string();
        let mut words = vec!["check", &path, "-o", "json"];
        words.extend(more);
        let run = home.driftdeck(words);
        (run.code, format!("{}{}", run.stdout, run.stderr))
    }

    fn agrees(&self, captured: &Captured) {
        assert_eq!(captured.refused, [], "{:?}", captured.refused);
        for more in [&[][..], &["--exact"]] {
            let (code, said) = self.check(more);
            assert_eq!(code, 0, "{more:?}: {said}\n{:?}", captured.told);
        }
    }

    /// Returns a file as it was committed last.
    fn file(&self, path: &str) -> String {
        self.repo.git(&["show", &format!("HEAD:{path}")])
    }
}

fn tools() -> Tools {
    let programs =
        std::env::var_os("DRIFTDECK_TEST_BIN").expect("DRIFTDECK_TEST_BIN names the built programs");
    Tools::on(&programs, std::env::temp_dir())
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn plain_manifests_take_what_was_changed_by_hand() {
    let plain = RenderSpec::Plain { exclude: Vec::new() };
    let files = [("web/web.yaml", DEPLOYMENT), ("web/settings.yaml", SETTINGS)];
    let deployed = Deployed::new("capture-plain", "web", plain, &files).await;
    assert_eq!(deployed.check(&[]).0, 0);
    deployed.change_by_hand();
    assert_eq!(deployed.check(&[]).0, 1);
    let captured = deployed.captured().await;
    deployed.agrees(&captured);
    let wanted = DEPLOYMENT.replace("replicas: 1", "replicas: 2").replace("web:1.4.2", "web:1.5.0")
        + "        - name: LEVEL\n          value: \"3\"\n";
    assert_eq!(deployed.file("web/web.yaml").trim_end(), wanted.trim_end());
    assert_eq!(
        deployed.file("web/settings.yaml").trim_end(),
        SETTINGS.replace("  colour: red  # goes\n", "").trim_end()
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn an_overlay_takes_what_was_changed_by_hand_and_the_base_stays() {
    let overlay = "\
# production
resources:
- ../base
replicas:
- name: web
  count: 1
generatorOptions: {disableNameSuffixHash: true}
configMapGenerator:
- name: settings
  literals:
  - mode=fast
  - colour=red # goes
";
    let files = [
        ("web/kustomization.yaml", overlay),
        ("base/kustomization.yaml", "resources:\n- web.yaml\n"),
        ("base/web.yaml", DEPLOYMENT),
    ];
    let deployed = Deployed::new("capture-kustomize", "web", RenderSpec::Kustomize, &files).await;
    deployed.change_by_hand();
    let captured = deployed.captured().await;
    deployed.agrees(&captured);
    assert_eq!(deployed.file("base/web.yaml").trim_end(), DEPLOYMENT.trim_end());
    let changed = deployed.file("web/kustomization.yaml");
    for line in ["  count: 2\n", "  newTag: 1.5.0\n", "- path: web-deployment-patch.yaml\n", "# production\n"]
    {
        assert!(changed.contains(line), "{changed}");
    }
    assert!(!changed.contains("colour"), "{changed}");
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_charts_values_take_what_was_changed_by_hand() {
    let template = DEPLOYMENT
        .replace("replicas: 1", "replicas: {{ .Values.replicas }}")
        .replace("web:1.4.2", "web:{{ .Values.image.tag | default .Chart.AppVersion }}")
        .replace(
            "        - name: MODE\n          value: fast\n",
            "        {{- toYaml .Values.env | nindent 8 }}\n",
        );
    let settings = SETTINGS
        .replace("  mode: fast\n  colour: red  # goes\n", "  {{- toYaml .Values.settings | nindent 2 }}\n");
    let values = "replicas: 1 # few\nimage: {}\nenv:\n- name: MODE\n  value: fast\nsettings:\n  mode: fast\n  colour: red\n";
    let files = [
        ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.4.2\n"),
        ("web/values.yaml", values),
        ("web/templates/web.yaml", template.as_str()),
        ("web/templates/settings.yaml", settings.as_str()),
    ];
    let helm = RenderSpec::Helm(HelmSpec { release: "web".to_owned(), ..HelmSpec::default() });
    let deployed = Deployed::new("capture-helm", "web", helm, &files).await;
    deployed.change_by_hand();
    let captured = deployed.captured().await;
    deployed.agrees(&captured);
    assert_eq!(
        deployed.file("web/values.yaml").trim_end(),
        "replicas: 2 # few\nimage:\n  tag: 1.5.0\nenv:\n- name: MODE\n  value: fast\n- name: LEVEL\n  value: \"3\"\nsettings:\n  mode: fast"
    );
}
