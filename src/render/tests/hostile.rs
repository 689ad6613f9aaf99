//! Proves that hostile repositories reach no network, leave no child behind, and get a clear notice.

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Makes a folder with one program that is a shell script.
fn fake(tool: Tool, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(tool.program());
    let version = "case $1 in version) echo v0; exit;; esac\nPATH=/usr/local/bin:/usr/bin:/bin\n";
    std::fs::write(&path, format!("#!/bin/sh\n{version}{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A kustomize that notes in a file that it was started.
fn noting(note: &Path) -> tempfile::TempDir {
    fake(Tool::Kustomize, &format!("touch {}", note.display()))
}

fn kustomization(text: &str) -> MemoryTree {
    with(&[("app/kustomization.yaml", text)])
}

#[tokio::test]
async fn a_reference_onto_the_network_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("started");
    let programs = noting(&note);
    let tools = tools_on(programs.path());
    let table = [
        ("resources:\n- https://example.com/x.yaml", 2, "https://example.com/x.yaml", Some("example.com")),
        ("resources: ['github.com/a/b//c?ref=v1']", 1, "github.com/a/b//c?ref=v1", Some("github.com")),
        ("bases: ['git@git.example.com:a/b.git']", 1, "git@git.example.com:a/b.git", None),
        ("components:\n\n- ssh://u:p@e.com/a", 3, "ssh://e.com/a", None),
        ("crds: ['http://example.com/x']", 1, "http://example.com/x", None),
        ("patches: [{path: 'https://example.com/p'}]", 1, "https://example.com/p", Some("example.com")),
        ("patchesStrategicMerge: ['https://e.com/p']", 1, "https://e.com/p", Some("e.com")),
        ("patchesJson6902: [{path: 'https://e.com/p'}]", 1, "https://e.com/p", Some("e.com")),
        ("replacements: [{path: 'https://e.com/p'}]", 1, "https://e.com/p", Some("e.com")),
        ("openapi: {path: 'https://e.com/p'}", 1, "https://e.com/p", Some("e.com")),
        ("configurations: ['https://e.com/p']", 1, "https://e.com/p", Some("e.com")),
        (
            "configMapGenerator: [{name: x, files: ['k=https://e.com/p']}]",
            1,
            "https://e.com/p",
            Some("e.com"),
        ),
        ("secretGenerator: [{name: x, envs: ['https://e.com/p']}]", 1, "https://e.com/p", Some("e.com")),
        ("generators: ['https://e.com/p']", 1, "https://e.com/p", Some("e.com")),
        ("helmCharts: [{name: x, repo: 'https://e.com/c'}]", 1, "https://e.com/c", Some("e.com")),
        ("helmCharts: [{name: x, repo: 'oci://e.com/c'}]", 1, "oci://e.com/c", None),
        (
            "transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  path: https://e.com/p",
            2,
            "https://e.com/p",
            Some("e.com"),
        ),
        (
            "generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  name: x\n  repo: https://e.com/c",
            2,
            "https://e.com/c",
            Some("e.com"),
        ),
    ];
    for (text, line, reference, host) in table {
        let rendered = render_with(&kustomize_app("app"), kustomization(text), &tools, &context()).await;
        assert_eq!(
            said(&rendered.notices),
            [format!(
                "error shop could not be rendered (app/kustomization.yaml refers to {reference}, on the network) app/kustomization.yaml:{line}"
            )]
        );
        let hint = rendered.notices[0].hint.clone().unwrap();
        assert_eq!(hint.contains("Allow the host"), host.is_some(), "{hint}");
        assert!(host.is_none_or(|host| hint.contains(host)), "{hint}");
        assert!(!rendered.complete);
    }
    assert!(!note.exists(), "nothing was started");
}

#[tokio::test]
async fn a_base_of_a_base_is_looked_at_as_well() {
    let tree = with(&[
        ("app/kustomization.yaml", "resources: [../mid]"),
        ("mid/kustomization.yaml", "components: [deep]"),
        ("mid/deep/kustomization.yaml", "kind: Component\ntransformers: [t]\n"),
        ("mid/deep/t/kustomization.yaml", "resources: [x.yaml]"),
        (
            "mid/deep/t/x.yaml",
            "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: https://e.com/p\n",
        ),
    ]);
    let programs = fake(Tool::Kustomize, "exit 9");
    let rendered = render_with(&kustomize_app("app"), tree, &tools_on(programs.path()), &context()).await;
    assert_eq!(
        said(&rendered.notices),
        [
            "error shop could not be rendered (mid/deep/t/x.yaml refers to https://e.com/p, on the network) mid/deep/t/x.yaml:4"
        ]
    );
}

#[tokio::test]
async fn plugins_that_run_programs_are_refused() {
    let programs = fake(Tool::Kustomize, "exit 9");
    let table = [
        (
            "generators:\n- |-\n  apiVersion: viaduct.ai/v1\n  kind: ksops\n  metadata: {name: x}",
            "viaduct.ai/v1 ksops",
        ),
        (
            "transformers:\n- |-\n  apiVersion: builtin\n  kind: LabelTransformer\n  metadata:\n    name: x\n    annotations:\n      config.kubernetes.io/function: '{exec: {path: ./evil}}'",
            "builtin LabelTransformer",
        ),
    ];
    for (text, plugin) in table {
        let rendered =
            render_with(&kustomize_app("app"), kustomization(text), &tools_on(programs.path()), &context())
                .await;
        assert_eq!(
            said(&rendered.notices),
            [format!(
                "error shop could not be rendered (app/kustomization.yaml asks for the plugin {plugin}, which would run a program) app/kustomization.yaml:2"
            )]
        );
    }
}

#[tokio::test]
async fn files_out_of_the_tree_are_refused() {
    let programs = fake(Tool::Kustomize, "exit 9");
    let table = [
        ("resources: [../../x]", "../../x"),
        ("resources: [/etc/passwd]", "/etc/passwd"),
        ("secretGenerator: [{name: x, files: [link]}]", "link"),
        ("resources: [folder]", "folder"),
    ];
    for (text, reference) in table {
        let tree = kustomization(text).link("app/link", "/etc/shadow").link("app/folder", "../../home");
        let rendered = render_with(&kustomize_app("app"), tree, &tools_on(programs.path()), &context()).await;
        assert_eq!(
            said(&rendered.notices),
            [format!(
                "error shop could not be rendered (app/kustomization.yaml refers to {reference}, which leads out of the repository) app/kustomization.yaml:1"
            )]
        );
    }
    let chart = with(&[("c/Chart.yaml", "apiVersion: v2\nname: c\n")]).link("c/templates", "../../secrets");
    let rendered = render_with(&helm_app("c", &[]), chart, &tools_on(programs.path()), &context()).await;
    assert_eq!(
        said(&rendered.notices),
        ["error shop could not be rendered (c/templates leads out of the tree) c/templates"]
    );
}

#[tokio::test]
async fn a_program_sees_an_exported_copy_an_empty_home_and_no_environment() {
    let programs = fake(
        Tool::Kustomize,
        r#"find "$HOME" . ../.. -path ../../../home -prune -o -type f | sort | sed 's/^/# /'; pwd | sed 's/.*driftdeck-[^/]*/# in /'
           env | grep -vE '^(PWD|OLDPWD|SHLVL|_|DRIFTDECK_CHILD|HOME|TMPDIR|(XDG|HELM)_.*|KUBECONFIG|KUSTOMIZE_PLUGIN_HOME|.*_PROXY|.*_proxy|GIT_.*|LANG|PATH)=' | sed 's/^/# leaked /'
           cat kustomization.yaml | sed 's/^/# /'"#,
    );
    let tree = with(&[
        ("app/kustomization.yaml", "resources: [../base]"),
        ("base/kustomization.yaml", "resources: [x.yaml]"),
        ("base/x.yaml", "a: 1"),
        ("base/unused.yaml", "a: 1"),
        ("other/secret.txt", "x"),
    ]);
    let tools = tools_on(programs.path());
    let app = kustomize_app("app");
    let of_tree: Arc<dyn Tree> = Arc::new(tree);
    let output = kustomize::output(&app, &of_tree, &tools).await;
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines,
        [
            "# ../../tree/app/kustomization.yaml",
            "# ../../tree/base/kustomization.yaml",
            "# ../../tree/base/x.yaml",
            "# ./kustomization.yaml",
            "# in /tree/app",
            "# resources: [../base]",
            "# buildMetadata: [originAnnotations]",
        ]
    );
}

async fn failing(script: &str) -> Vec<String> {
    let programs = fake(Tool::Kustomize, script);
    let tree = kustomization("resources: []");
    let rendered = render_with(&kustomize_app("app"), tree, &tools_on(programs.path()), &context()).await;
    assert!(rendered.manifests.is_empty() && !rendered.complete);
    said(&rendered.notices)
}

#[tokio::test]
async fn the_tools_own_words_are_told_with_paths_of_the_repository() {
    assert_eq!(
        failing(r#"echo "Error: accumulating $PWD/x.yaml: no such file" >&2; exit 1"#).await,
        [
            "error kustomize could not render shop (Error: accumulating app/x.yaml: no such file) app/kustomization.yaml"
        ]
    );
}

#[tokio::test]
async fn ten_gigabytes_of_output_are_cut_off() {
    let said = failing("yes 'a: b' | head -c 10737418240").await;
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("printed more than"), "{said:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_fork_bomb_is_ended_and_nothing_survives() {
    // Harmless where the test fails: it ends after some levels.
    let said =
        failing("b() { [ $1 -gt 9 ] || { b $(($1+1)) & b $(($1+1)) & }; exec sleep 62.001; }; b 0").await;
    assert!(said[0].contains("started more than"), "{said:?}");
    let alive = std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        std::fs::read(process.path().join("cmdline"))
            .is_ok_and(|line| line.windows(6).any(|w| w == b"62.001"))
    });
    assert!(!alive);
}

#[tokio::test]
async fn a_hanging_tool_ends_with_the_render() {
    let programs = fake(Tool::Kustomize, "sleep 62.002 & sleep 62.002");
    let tools = tools_on(programs.path());
    let tree: Arc<dyn Tree> = Arc::new(kustomization("resources: []"));
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let (tools, cancel) = (tools.clone(), cancel.clone());
        async move { render(&kustomize_app("app"), &tree, &tools, &context(), &cancel).await }
    });
    let alive = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
            std::fs::read(process.path().join("cmdline"))
                .is_ok_and(|line| line.windows(6).any(|w| w == b"62.002"))
        })
    };
    while !alive() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    cancel.cancel();
    let rendered = running.await.unwrap();
    assert_eq!(said(&rendered.notices), ["error shop could not be rendered (cancelled) declared.yaml:1"]);
    assert!(!alive());
}

#[tokio::test]
async fn values_of_secrets_are_not_repeated_from_a_tools_words() {
    let programs =
        fake(Tool::Kustomize, r#"echo "Error: cannot unmarshal \"canary\" in 'app/x.yaml'" >&2; exit 1"#);
    let tree = kustomization("secretGenerator: [{name: s, literals: ['p=canary']}]");
    let rendered = render_with(&kustomize_app("app"), tree, &tools_on(programs.path()), &context()).await;
    assert_eq!(
        said(&rendered.notices),
        [
            "error kustomize could not render shop (Error: cannot unmarshal \"…\" in 'app/x.yaml') app/kustomization.yaml"
        ]
    );
}

#[tokio::test]
async fn an_exported_copy_is_bounded_and_removed() {
    let large = "x".repeat(9 << 20);
    let mut tree = kustomization(
        "configMapGenerator: [{name: x, files: [a/0, a/1, a/2, a/3, a/4, a/5, a/6, a/7, a/8, a/9, a/10, a/11, a/12, a/13, a/14, a/15, a/16, a/17, a/18, a/19, a/20, a/21, a/22, a/23, a/24, a/25, a/26, a/27, a/28, a/29]}]",
    );
    for index in 0..30 {
        tree = tree.file(&format!("app/a/{index}"), large.clone());
    }
    let programs = fake(Tool::Kustomize, "exit 9");
    let scratch = tempfile::tempdir().unwrap();
    let tools = Tools::on(programs.path().as_os_str(), scratch.path());
    let rendered = render_with(&kustomize_app("app"), tree, &tools, &context()).await;
    assert_eq!(
        said(&rendered.notices),
        ["error shop could not be rendered (app needs more than 256 MiB of files) declared.yaml:1"]
    );
    let small = kustomization("resources: []");
    let rendered = render_with(&kustomize_app("app"), small, &tools, &context()).await;
    assert!(!rendered.complete);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_same_files_are_not_rendered_twice_and_secrets_are_kept_sealed() {
    struct Shelf(std::sync::Mutex<Vec<(String, Vec<u8>)>>);
    impl Store for Shelf {
        fn load(&self, key: &str) -> Option<Vec<u8>> {
            self.0.lock().unwrap().iter().find(|(k, _)| k == key).map(|(_, bytes)| bytes.clone())
        }
        fn save(&self, key: &str, bytes: &[u8]) {
            self.0.lock().unwrap().push((key.to_owned(), bytes.to_vec()));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("runs");
    let script = format!(
        "echo run >> {}\nprintf 'apiVersion: v1\\nkind: %s\\nmetadata: {{name: x}}\\nstringData: {{p: canary}}\\n' \"$(grep -o 'Secret\\|ConfigMap' x.yaml)\"",
        note.display()
    );
    let programs = fake(Tool::Kustomize, &script);
    let shelf = Arc::new(Shelf(std::sync::Mutex::default()));
    let runs = || std::fs::read_to_string(&note).unwrap_or_default().lines().count();
    let tree = |kind: &str| with(&[("app/kustomization.yaml", "resources: [x.yaml]"), ("app/x.yaml", kind)]);
    for (kind, saved) in [("ConfigMap", 1), ("Secret", 1)] {
        let before = runs();
        let tools = tools_on(programs.path()).keep_in(shelf.clone());
        let first = render_with(&kustomize_app("app"), tree(kind), &tools, &context()).await;
        let again = render_with(&kustomize_app("app"), tree(kind), &tools, &context()).await;
        assert_eq!((first.manifests.len(), &first), (1, &again), "{kind}");
        assert_eq!(runs(), before + 1, "{kind}");
        assert_eq!(shelf.0.lock().unwrap().len(), saved, "{kind}");
        assert_eq!(first.manifests[0].body.holds_sealed(), kind == "Secret");
    }
    let other_process = tools_on(programs.path()).keep_in(shelf);
    render_with(&kustomize_app("app"), tree("ConfigMap"), &other_process, &context()).await;
    assert_eq!(runs(), 2, "what the store has is not rendered again");
}

#[tokio::test]
async fn a_program_with_an_allowed_reference_gets_no_further_than_the_allowed_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    let script = format!(
        "exec > {}\necho $GIT_ALLOW_PROTOCOL\n\
         for p in $HTTP_PROXY $HTTPS_PROXY $ALL_PROXY $http_proxy $https_proxy $all_proxy; do echo $p; done | sort -u | wc -l\n\
         bash -c 'exec 3<>/dev/tcp/127.0.0.1/'${{https_proxy##*:}}'; printf \"CONNECT other.example.com:443 HTTP/1.1\\r\\n\\r\\n\" >&3; head -1 <&3'\n",
        note.display()
    );
    let programs = fake(Tool::Kustomize, &script);
    let tools = tools_on(programs.path()).allow_hosts(["e.com".to_owned()]);
    let tree = kustomization("resources: ['https://e.com/x.yaml']");
    render_with(&kustomize_app("app"), tree, &tools, &context()).await;
    let said = std::fs::read_to_string(&note).unwrap();
    assert_eq!(said.trim_end(), "https\n1\nHTTP/1.1 403 Host not allowed");
}
