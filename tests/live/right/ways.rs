//! The usual ways in which manifests get into a cluster.

use crate::support::{Home, Namespace, Plane, Run};
use std::path::Path;

/// One project, applied in one way.
pub struct Way {
    pub what: &'static str,
    /// Where driftdeck finds it, from the home.
    pub path: String,
    pub namespace: String,
    pub plane: Plane,
    /// How `kubectl diff` is asked about it.
    pub diff: Vec<&'static str>,
}

/// Manifests of many kinds.
const OWN: &str = include_str!("own.yaml");

/// Applies one project after the other and has each looked at, with how many tries.
pub fn each(manifests: &Path, mut look: impl FnMut(&Way, &Home, usize)) {
    kube_prometheus(manifests, &mut look);
    let plane = Plane::of_this_run();
    let home = &Home::new();
    plane.access("admin").write_into(home);

    let namespace = Namespace::new("right-helm");
    let chart = home.copy(&manifests.join("podinfo/charts/podinfo"), "helm/podinfo");
    let install = ["install", "podinfo", ".", "--namespace", &namespace.name];
    Run::of(home.command("helm").current_dir(&chart).args(install)).exits(0);
    look(&way("podinfo, `helm install`", "helm/podinfo", &namespace, &[]), home, 30);

    let namespace = Namespace::new("right-kustomize");
    let folder = home.copy(&manifests.join("podinfo/kustomize"), "kustomize/podinfo");
    let built = plane.kubectl(&["kustomize", &folder.display().to_string()]);
    namespace.apply(&built);
    look(
        &way("podinfo, `kustomize build` piped to `kubectl apply`", "kustomize/podinfo", &namespace, &[]),
        home,
        30,
    );

    home.write("own/shop/all.yaml", OWN);
    let namespace = Namespace::new("right-own");
    namespace.apply(OWN);
    look(&way("16 kinds, `kubectl apply`", "own/shop", &namespace, &[]), home, 40);

    let namespace = Namespace::new("right-argocd");
    let tracked = tracked(OWN, &namespace.name);
    let apply = ["apply", "--field-manager=argocd-controller", "-f", "-"];
    namespace.try_kubectl(&apply, &tracked).exits(0);
    look(
        &way("16 kinds, as Argo CD applies them, with its tracking marks", "own/shop", &namespace, &[]),
        home,
        40,
    );
}

fn way(what: &'static str, path: &str, namespace: &Namespace, diff: &[&'static str]) -> Way {
    Way {
        what,
        path: path.to_owned(),
        namespace: namespace.name.clone(),
        plane: namespace.plane.clone(),
        diff: diff.to_vec(),
    }
}

fn kube_prometheus(manifests: &Path, look: &mut impl FnMut(&Way, &Home, usize)) {
    // It is in one namespace of the second server, whoever applies it.
    let _alone = crate::whole::MONITORING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (plane, home) = (Plane::second(), &Home::new());
    plane.access("admin").write_into(home);
    let folder = home.copy(&manifests.join("kube-prometheus/manifests"), "prometheus/monitoring");
    let setup = home.copy(&manifests.join("kube-prometheus/manifests/setup"), "setup");
    std::fs::remove_dir_all(folder.join("setup")).expect("the setup goes first");
    // Its definitions are too long for last-applied: its own README applies them so.
    plane.kubectl(&["apply", "--server-side", "-f", &setup.display().to_string()]);
    plane.established(&["crd", "--all"]);
    let files = folder.display().to_string();
    let ways: [(&str, &[&str], &[&str]); 2] = [
        ("kube-prometheus, `kubectl apply`", &["apply", "-f", &files], &[]),
        (
            "kube-prometheus, `kubectl apply --server-side`",
            &["apply", "--server-side", "--field-manager=fleet", "-f", &files],
            &["--server-side", "--field-manager=fleet", "--force-conflicts"],
        ),
    ];
    for (what, apply, diff) in ways {
        plane.kubectl(apply);
        let path = "prometheus/monitoring".to_owned();
        let namespace = "monitoring".to_owned();
        look(&Way { what, path, namespace, plane: plane.clone(), diff: diff.to_vec() }, home, 100);
        plane.kubectl(&["delete", "--wait=true", "-f", &files]);
    }
}

/// Adds the marks by which Argo CD tracks objects to each of some manifests.
fn tracked(manifests: &str, namespace: &str) -> String {
    let mut out = String::new();
    for document in manifests.split("\n---\n") {
        let field = |name: &str| {
            let line = document.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let (group, kind) = (field("apiVersion:"), field("kind:"));
        let group = group.split_once('/').map_or("", |(group, _)| group).to_owned();
        let name = document.split("name: ").nth(1).and_then(|rest| rest.split([',', '}', '\n']).next());
        let id = format!("shop:{group}/{kind}:{namespace}/{}", name.unwrap_or_default());
        let marks = format!(
            "metadata:\n  annotations: {{argocd.argoproj.io/tracking-id: '{id}'}}\n  labels: {{app.kubernetes.io/instance: shop}}\n  name:"
        );
        out += &document.replacen("metadata:\n  name:", &marks, 1);
        out += "\n---\n";
    }
    out
}
