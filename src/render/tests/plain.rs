//! Proves how plain manifests are read.

use super::*;
use crate::value;

async fn plain(files: &[(&str, &str)]) -> Rendered {
    render_with(&plain_app(""), with(files), &tools_on(""), &context()).await
}

#[tokio::test]
async fn every_object_is_found_with_file_document_and_line() {
    let rendered = plain(&[
        ("a.yaml", "# c\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n---\n---\n# only\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n"),
        ("b/c.json", "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\",\n \"metadata\": {\"name\": \"three\"}}"),
        ("b/README.md", "kind: no"),
        (".hidden/x.yaml", "{"),
    ])
    .await;
    assert_eq!(
        shown(&rendered),
        [
            "ConfigMap/of-context/one a.yaml#0:2",
            "Namespace/two a.yaml#2:10",
            "Deployment.apps/of-context/three b/c.json#0:1"
        ]
    );
    assert_eq!((rendered.notices.as_slice(), rendered.complete), (&[][..], true));
    assert_eq!(rendered.manifests[0].origin_of(["metadata", "name"]).line, Some(5));
}

#[tokio::test]
async fn lists_are_flattened_with_the_lines_of_their_items() {
    let rendered = plain(&[(
        "l.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: b}\n    data: {x: 1, x: 2}\n  - metadata: {name: c}\n",
    )])
    .await;
    assert_eq!(
        shown(&rendered),
        [
            "Service/of-context/a l.yaml#0:4",
            "ConfigMap/of-context/b l.yaml#0:10",
            "ConfigMap/of-context/c l.yaml#0:12"
        ]
    );
    let problems = &rendered.manifests[1].problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].path.as_str(), problems[0].line), (".data.x", Some(11)));
    assert_eq!(problems[0].file.as_deref(), Some("l.yaml"));
    assert!(rendered.manifests[2].problems.is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_the_rest_is_there() {
    let rendered = plain(&[(
        "x.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\na: [\n---\napiVersion: v1\nkind: Pod\n---\nkind: Pod\nmetadata: {name: b}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: 7}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: z}\n",
    )])
    .await;
    assert_eq!(shown(&rendered), ["Pod/of-context/a x.yaml#0:1", "Pod/of-context/z x.yaml#5:17"]);
    assert!(!rendered.complete);
    assert!(rendered.notices.iter().all(|notice| notice.level == Level::Error));
    let said = said(&rendered.notices);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].starts_with("error document 2 of x.yaml cannot be read ("), "{said:?}");
    assert_eq!(
        &said[1..],
        [
            "error document 3 of x.yaml is no manifest: metadata.name is missing x.yaml:7",
            "error document 4 of x.yaml is no manifest: apiVersion is missing x.yaml:10",
            "error document 5 of x.yaml is no manifest: metadata.name is no text x.yaml:13",
        ]
    );
}

#[tokio::test]
async fn what_is_no_manifest_is_skipped_in_a_folder_and_refused_by_name() {
    let files = [
        ("values.yaml", "image: {tag: 1}\nkind: Deployment\n"),
        ("skaffold.yaml", "apiVersion: skaffold/v3\nkind: Config\nmetadata: {name: x}\n"),
        ("kustomization.yaml", "resources: []\n"),
        ("p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"),
    ];
    let folder = plain(&files).await;
    assert_eq!(shown(&folder), ["Pod/of-context/p p.yaml#0:1"]);
    assert_eq!(said(&folder.notices), <[&str; 0]>::default());
    let file = render_with(&plain_app("values.yaml"), with(&files), &tools_on(""), &context()).await;
    assert_eq!(
        said(&file.notices),
        ["error document 1 of values.yaml is no manifest: apiVersion is missing values.yaml:1"]
    );
    let empty = plain(&[("README.md", "")]).await;
    assert_eq!(said(&empty.notices), ["warning the folder holds no manifests"]);
    assert!(empty.complete);
}

#[tokio::test]
async fn a_namespace_comes_from_the_first_that_names_one() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: own}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n---\napiVersion: x.io/v1\nkind: Widget\nmetadata: {name: w}\n";
    let ids = async |context: &RenderContext, of_app: Option<&str>| {
        let app = App { namespace: of_app.map(ToOwned::to_owned), ..plain_app("x.yaml") };
        let rendered = render_with(&app, with(&[("x.yaml", text)]), &tools_on(""), context).await;
        rendered.manifests.iter().map(|m| m.id.to_string()).collect::<Vec<_>>()
    };
    let asked = RenderContext { namespace_asked: Some("asked".to_owned()), ..context() };
    let nothing = RenderContext { namespace_of_context: None, ..context() };
    assert_eq!(ids(&asked, Some("config")).await, ["Pod/own/a", "Pod/asked/b", "Widget.x.io/asked/w"]);
    assert_eq!(ids(&context(), Some("config")).await, ["Pod/own/a", "Pod/config/b", "Widget.x.io/config/w"]);
    assert_eq!(ids(&context(), None).await, ["Pod/own/a", "Pod/of-context/b", "Widget.x.io/w"]);
    assert_eq!(ids(&nothing, None).await, ["Pod/own/a", "Pod/default/b", "Widget.x.io/w"]);
}

#[tokio::test]
async fn a_cluster_scoped_object_has_no_namespace_whatever_it_says() {
    let rendered = plain(&[(
        "x.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: other}\n---\napiVersion: x.io/v1\nkind: Widget\nmetadata: {name: w, namespace: other}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.x.io}\nspec: {group: x.io, scope: Cluster, names: {kind: Widget}}\n",
    )])
    .await;
    assert_eq!(
        shown(&rendered)[..2],
        ["Namespace/a x.yaml#0:1", "Widget.x.io/w x.yaml#1:5"],
        "the scope of a kind that is declared beside it is known"
    );
    assert_eq!(rendered.manifests[0].body.get("metadata"), Some(&value!({"name": "a"})));
}

#[tokio::test]
async fn generated_names_are_kept_apart_and_an_object_declared_twice_is_told() {
    let rendered = plain(&[
        ("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {generateName: g-}\n---\napiVersion: v1\nkind: Pod\nmetadata: {generateName: h-}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"),
        ("b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {last: 'yes'}}\n"),
    ])
    .await;
    assert_eq!(
        shown(&rendered),
        ["Pod/of-context/* a.yaml#0:1", "Pod/of-context/* a.yaml#1:5", "Pod/of-context/p b.yaml#0:1"]
    );
    assert_eq!(
        said(&rendered.notices),
        [
            "warning Pod/of-context/p is declared twice (in a.yaml:9 and in b.yaml:1; the last counts) b.yaml:1"
        ]
    );
    assert!(rendered.complete);
}

#[tokio::test]
async fn secrets_are_sealed_wherever_they_stand() {
    let rendered = plain(&[(
        "s.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  stringData: {p: canary}\n- apiVersion: v1\n  kind: SecretList\n  items:\n  - metadata: {name: t}\n    data: {p: Y2FuYXJ5}\n",
    )])
    .await;
    assert_eq!(rendered.manifests.len(), 2);
    let printed = format!("{rendered:?}");
    assert!(!printed.contains("canary") && !printed.contains("Y2FuYXJ5"), "{printed}");
    assert!(rendered.manifests.iter().all(|m| m.body.holds_sealed()));
}

#[tokio::test]
async fn links_lead_nowhere_but_into_the_tree() {
    let tree = with(&[
        ("app/a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"),
        ("else/b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n"),
    ])
    .link("app/b.yaml", "else/b.yaml")
    .link("app/folder", "else")
    .link("app/passwd.yaml", "/etc/passwd")
    .link("app/up.yaml", "../../up.yaml");
    let rendered = render_with(&plain_app("app"), tree, &tools_on(""), &context()).await;
    assert_eq!(shown(&rendered), ["Pod/of-context/a app/a.yaml#0:1", "Pod/of-context/b app/b.yaml#0:1"]);
    assert_eq!(
        said(&rendered.notices),
        [
            "error app/passwd.yaml leads out of the tree app/passwd.yaml",
            "error app/up.yaml leads out of the tree app/up.yaml"
        ]
    );
    assert!(!rendered.complete);
}

#[tokio::test]
async fn what_is_excluded_is_left_to_other_apps() {
    let pod = |name: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n");
    let (a, b, c) = (pod("a"), pod("b"), pod("c"));
    let tree = with(&[("k/a.yaml", a.as_str()), ("k/b.yaml", b.as_str()), ("k/sub/c.yaml", c.as_str())]);
    let exclude = vec!["k/b.yaml".to_owned(), "k/sub".to_owned()];
    let app = app("k", RenderSpec::Plain { exclude });
    let rendered = render_with(&app, tree, &tools_on(""), &context()).await;
    assert_eq!(shown(&rendered), ["Pod/of-context/a k/a.yaml#0:1"]);
}

#[tokio::test]
async fn an_absent_tool_is_named() {
    let tree =
        with(&[("k/kustomization.yaml", "resources: []"), ("c/Chart.yaml", "apiVersion: v2\nname: c\n")]);
    let kustomize = render_with(&kustomize_app("k"), tree.clone(), &tools_on(""), &context()).await;
    assert_eq!(kustomize.notices[0].title, "shop needs kustomize or kubectl");
    let helm = render_with(&helm_app("c", &[]), tree, &tools_on(""), &context()).await;
    assert_eq!(helm.notices[0].title, "shop needs helm");
    assert!(!helm.complete && !kustomize.complete);
}
