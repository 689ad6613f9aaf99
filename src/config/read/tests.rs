//! The reading of `config.yaml`: whole files in, settings or all mistakes out.

use super::*;
use crate::config::settings::Settings;
use crate::model::IgnoreRule;
use crate::model::health_rule::{ConditionFits, HealthTest, RuleMessage, ValuePath};
use crate::model::ignore::{FieldPattern, Fields, Objects};
use crate::model::{HealthRule, HealthStatus, KindPattern};
use std::sync::Arc;

const EXAMPLE: &str = include_str!("../../../config/config.example.yaml");

fn read(text: &str) -> Result<Settings, Broken> {
    Settings::read(text, Path::new("/home/ana/.config/driftdeck/config.yaml"), Some(Path::new("/home/ana")))
}

/// Returns mistakes as `line: title (hint)`, and whom they concern.
fn mistakes(text: &str) -> (Vec<String>, Doubt) {
    let broken = read(text).expect_err("mistakes");
    let lines = broken.notices.iter().map(|notice| {
        assert_eq!(notice.file.as_deref(), Some("/home/ana/.config/driftdeck/config.yaml"));
        let line = notice.line.map_or_else(|| "?".to_owned(), |line| line.to_string());
        let hint = notice.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{line}: {}{hint}", notice.title)
    });
    (lines.collect(), broken.doubt)
}

fn contexts(names: &[&str]) -> Doubt {
    Doubt::Contexts(names.iter().map(|name| (*name).to_owned()).collect())
}

fn origin_at(line: usize) -> Origin {
    Origin { file: "/home/ana/.config/driftdeck/config.yaml".into(), document: 0, line: Some(line) }
}

fn line_of(text: &str) -> usize {
    EXAMPLE.lines().position(|line| line.trim_start() == text).expect(text) + 1
}

fn widget(test: HealthTest, status: HealthStatus, message: Option<&str>) -> (KindPattern, HealthRule) {
    let kind = KindPattern { group: "example.com".into(), kind: "Widget".into() };
    let message = message.map(|text| RuleMessage::Text(text.to_owned()));
    (kind, HealthRule { tests: vec![test], status, message })
}

#[test]
fn the_example_says_every_setting() {
    let settings = read(EXAMPLE).expect("it reads");
    assert_eq!(
        settings,
        Settings {
            repos: vec![
                RepoSetting {
                    place: Place::Url("git@git.example.com:shop/fleet.git".into()),
                    name: Some("fleet".into()),
                    revision: Some("main".into()),
                    fetch_every: Some(Duration::from_secs(60)),
                    declared: origin_at(line_of("- url: git@git.example.com:shop/fleet.git")),
                },
                RepoSetting {
                    place: Place::Path("/home/ana/src/infra".into()),
                    name: None,
                    revision: None,
                    fetch_every: Some(FETCH_EVERY),
                    declared: origin_at(line_of("- path: ~/src/infra")),
                },
            ],
            discovery: true,
            apps: vec![AppSetting {
                name: "web".into(),
                repo: Some("fleet".into()),
                path: "apps/web".into(),
                revision: Some("release".into()),
                contexts: vec!["prod-eu".into(), "prod-us".into()],
                namespace: Some("shop".into()),
                values: vec!["apps/web/values.yaml".into(), "apps/web/values-prod.yaml".into()],
                declared: origin_at(line_of("- name: web")),
            }],
            clusters: vec![ClusterSetting {
                context: "prod-eu".into(),
                name: Some("Europe".into()),
                kubeconfig: Some("/home/ana/.kube/prod.yaml".into()),
                protected: Some(true),
                read_only: false,
                declared: origin_at(line_of("- context: prod-eu")),
            }],
            hosts: Hosts { git: vec!["git.example.com".into()], kustomize: vec!["github.com".into()] },
            secrets: SecretSettings {
                mask: vec![Glob::new("*-license"), Glob::new("stripe*")],
                list_cluster_wide: false,
            },
            exact_background: 0,
            managers: vec![
                KnownManager {
                    name: "shopctl*".into(),
                    kind: Some(ManagerKind::Person),
                    called: Some("shopctl by hand".into()),
                    declared: origin_at(line_of("- name: shopctl*")),
                },
                KnownManager {
                    name: "price-sync".into(),
                    kind: Some(ManagerKind::Controller),
                    called: None,
                    declared: origin_at(line_of("- name: price-sync")),
                },
            ],
            health: vec![
                widget(
                    HealthTest::Condition {
                        kind: "Ready".into(),
                        fits: ConditionFits {
                            status: vec!["False".into()],
                            reason: vec!["QuotaExceeded".into(), "Image*".into()],
                        },
                    },
                    HealthStatus::Degraded,
                    None,
                ),
                widget(
                    HealthTest::Is {
                        path: ValuePath::parse("status.phase").expect("a path"),
                        patterns: vec!["Draining".into(), "Moving".into()],
                    },
                    HealthStatus::Progressing,
                    Some("the widget moves"),
                ),
            ],
            ignore: vec![Arc::new(IgnoreRule {
                objects: Objects {
                    group: Some(Glob::new("apps")),
                    kind: Some(Glob::new("Deployment")),
                    namespace: Some(Glob::new("shop")),
                    name: Some(Glob::new("web-*")),
                    labels: vec![("team".into(), Some(Glob::new("payments")))],
                },
                fields: vec![
                    Fields::Path(
                        FieldPattern::read(r#".spec.template.spec.containers[name="app"].image"#).unwrap(),
                    ),
                    Fields::Pointer(vec!["spec".into(), "replicas".into()]),
                    Fields::Jq(
                        r#".spec.template.spec.initContainers[] | select(.name == "injected")"#.into()
                    ),
                ],
                managers: vec![Glob::new("image-updater")],
                reason: Some("the image updater sets it".into()),
                source: RuleSource::Configuration,
                declared: origin_at(line_of("- group: apps")),
            })],
            built_in_off: Vec::new(),
            theme: Some("dark".into()),
            glyphs: Glyphs::Auto,
            time_zone: None,
            keys: [("refresh", "ctrl-r"), ("sync", "S")]
                .map(|(command, key)| {
                    let declared = origin_at(line_of(&format!("{command}: {key}")));
                    (command.to_owned(), KeySetting { key: key.into(), declared })
                })
                .into(),
        }
    );
    for rule in BuiltIn::ALL {
        let line = format!("  {}: true\n", rule.name());
        assert!(EXAMPLE.contains(&line), "{}", rule.name());
    }
    for key in TOP {
        assert!(EXAMPLE.contains(&format!("\n{key}:")), "{key} is missing");
    }
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "# nothing\n", "---\n", "repos:\napps: []\nkeys: {}\n"] {
        assert_eq!(read(text), Ok(Settings::default()), "{text}");
    }
}

#[test]
fn a_rule_of_health_with_a_mistake_names_its_line_and_key() {
    let text = "\
health:
- kind: Widget
  status: Degraded
- kind: Widget
  condition: Ready
  field: status.phase
  status: Degraded
- condition: Ready
  status: degraded
- kind: Widget
  field: status..phase
  is: [{}]
  status: Degraded
- kind: Widget
  field: status.phase
  reason: Why
  statu: Degraded
";
    assert_eq!(
        mistakes(text).0,
        [
            "2: health[0]: a rule of health needs a condition or a field",
            "4: health[1]: a rule of health has either a condition or a field",
            "8: health[2]: a rule of health needs a kind",
            "9: health[2].status: this wants one of Healthy, Progressing, Degraded, Suspended, Missing, Unknown (did you \
             mean Degraded?)",
            "11: health[3].field: this wants names of fields with dots between, such as status.phase",
            "12: health[3].is[0]: this wants a text, a number, true or false",
            "14: health[4]: a rule of health needs a status",
            "16: health[4].reason: only a condition has a reason",
            "17: health[4].statu: there is no such key (did you mean status?)",
        ]
    );
}

#[test]
fn every_mistake_names_its_line_and_key_and_what_was_meant() {
    let text = "\
thme: dark
repos:
- url: https://h.example/x
  path: ./x
- revison: main
- path: 7
  fetch: 1s
apps:
  name: web
hosts:
  git: [\"https://h.example\", 'ok.example']
secrets:
  mask: [7]
glyphs: emoji
time-zone: Mars/Base
keys: [S]
discovery: sometimes
";
    assert_eq!(
        mistakes(text).0,
        [
            "1: thme: there is no such key (did you mean theme?)",
            "3: repos[0]: a repo has either a url or a path",
            "5: repos[1].revison: there is no such key (did you mean revision?)",
            "5: repos[1]: a repo needs a url or a path",
            "6: repos[2].path: this wants a text (put it in quotes)",
            "8: apps: this wants a list",
            "11: hosts.git[0]: this wants the name of a host, such as github.com",
            "13: secrets.mask[0]: this wants a text (put it in quotes)",
            "14: glyphs: this wants auto, unicode, ascii or words",
            "15: time-zone: this wants local, or a time zone such as Europe/Berlin or UTC",
            "16: keys: this wants keys and values",
            "17: discovery: this wants true or false",
        ]
    );
    assert_eq!(
        mistakes("colour: blue\n").0,
        [
            "1: colour: there is no such key (known here: repos, discovery, apps, clusters, hosts, secrets, exact, managers, health, ignore, built-in-rules, theme, glyphs, time-zone, keys)"
        ]
    );
}

#[test]
fn a_mistake_says_which_clusters_it_may_concern() {
    for (text, doubt) in [
        ("thme: dark\n", contexts(&[])),
        ("glyphs: emoji\n", contexts(&[])),
        ("clusters:\n- {context: a, protectd: true}\n- {context: b}\n", contexts(&["a"])),
        ("clusters:\n- {context: a}\n- {context: a, read-only: true}\n", contexts(&["a"])),
        ("clusters:\n- {contxt: a, read-only: true}\n", Doubt::Everything),
        ("clusters: {context: a}\n", Doubt::Everything),
        ("cluster:\n- {context: a, read-only: true}\n", Doubt::Everything),
        ("something: else\n", Doubt::Everything),
        ("apps:\n- {name: web, path: a, contexts: [a, b], namespce: x}\n", contexts(&["a", "b"])),
        ("apps:\n- {name: web, path: ../x}\n", Doubt::Everything),
        ("a: b: c\n", Doubt::Everything),
        ("[]\n", Doubt::Everything),
        ("theme: dark\n---\ntheme: light\n", Doubt::Everything),
        ("clusters: []\nclusters: []\n", Doubt::Everything),
    ] {
        assert_eq!(mistakes(text).1, doubt, "{text}");
    }
}

#[test]
fn intervals_have_bounds_and_can_be_never() {
    let interval = |text: &str| {
        read(&format!("repos:\n- path: x\n  fetch: {text}\n"))
            .map(|settings| settings.repos[0].fetch_every.map(|d| d.as_secs()))
            .map_err(|broken| broken.notices[0].line)
    };
    for (text, seconds) in [("5m", 300), ("1h30m", 5400), ("10s", 10), ("7d", 604_800)] {
        assert_eq!(interval(text), Ok(Some(seconds)), "{text}");
    }
    assert_eq!(interval("never"), Ok(None));
    for text in ["9s", "8d", "-5m", "5", "soon", "''"] {
        assert_eq!(interval(text), Err(Some(3)), "{text}");
    }
}

#[test]
fn paths_are_relative_to_the_file_and_may_start_at_home() {
    let path =
        |text: &str| match &read(&format!("repos:\n- path: {text}\n")).expect("it reads").repos[0].place {
            Place::Path(path) => path.display().to_string(),
            Place::Url(url) => url.clone(),
        };
    assert_eq!(
        [path("x"), path("/srv/x"), path("~/x"), path("'~'"), path("~ana/x")],
        [
            "/home/ana/.config/driftdeck/x",
            "/srv/x",
            "/home/ana/x",
            "/home/ana/",
            "/home/ana/.config/driftdeck/~ana/x"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_manager_names_line_and_key() {
    let text = "managers:\n- is: person\n- name: a\n- name: b\n  is: robot\n- name: c\n  called: C\n  kind: person\n";
    assert_eq!(
        mistakes(text),
        (
            vec![
                "2: managers[0]: a manager needs a name".to_owned(),
                "3: managers[1]: a manager needs is, or called, or both".to_owned(),
                "5: managers[2].is: this wants person, deployer or controller".to_owned(),
                "8: managers[3].kind: there is no such key (known here: name, is, called)".to_owned(),
            ],
            Doubt::none()
        )
    );
}
