//! `driftdeck apply`: a plan in a file is carried out as it was approved, or not at all.

use crate::support::{Access, FaultProxy, Home, Matching, Namespace, Plane, Repository, Run, canary};
use serde_json::{Value, json};

const WEB: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {colour: blue}\n";
const CART: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart}\ndata: {colour: blue}\n";

/// The app `web` of two objects that are deployed and were changed by hand, behind a proxy that counts the writes.
struct Stage {
    namespace: Namespace,
    home: Home,
    repo: Repository,
    proxy: FaultProxy,
}

impl Stage {
    fn new(subject: &str) -> Self {
        Self::called(subject, |access| access)
    }

    fn called(subject: &str, named: impl Fn(Access) -> Access) -> Self {
        let (namespace, repo, home) = (Namespace::new(subject), Repository::named("fleet"), Home::new());
        repo.write("web/web.yaml", WEB).write("web/cart.yaml", CART).commit("Add web");
        namespace.apply(&format!("{WEB}---\n{CART}"));
        for object in ["configmap/web", "configmap/cart"] {
            namespace.patch(object, "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
        }
        let proxy = FaultProxy::in_front_of(&namespace.plane);
        proxy.through(named(namespace.access())).write_into(&home);
        Self { namespace, home, repo, proxy }
    }

    /// Plans a sync and returns what is to be approved.
    fn planned(&self, more: &[&str]) -> Value {
        let words = ["sync", "web", self.repo.path().to_str().unwrap(), "--dry-run", "-o", "json"];
        self.home.driftdeck(words.iter().chain(more).copied()).exits(1).json()
    }

    /// Carries out a plan from a file.
    fn apply(&self, plan: &Value, more: &[&str]) -> Run {
        self.home.write("plan.json", plan.to_string());
        let words = ["apply", "plan.json", self.repo.path().to_str().unwrap(), "-o", "json"];
        self.home.driftdeck(words.iter().chain(more).copied())
    }

    /// How often the cluster was written to through this home.
    fn writes(&self) -> usize {
        self.proxy.seen_matching(&Matching::writes().dry_run(false).namespace(&self.namespace.name)).len()
    }

    fn colours(&self) -> [Value; 2] {
        ["configmap/web", "configmap/cart"]
            .map(|object| self.namespace.get(object).map_or(json!(null), |o| o["data"]["colour"].clone()))
    }
}

fn outcomes(document: &Value) -> Vec<Value> {
    let steps = document["plan"]["steps"].as_array().expect("steps").iter();
    steps.map(|s| json!([s["action"], s["resource"]["name"], s["outcome"]])).collect()
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_that_one_person_made_is_carried_out_once_by_another_from_another_clone() {
    let stage = Stage::new("apply");
    let planned = stage.planned(&[]);
    assert_eq!(stage.writes(), 0);
    let home = Home::new();
    stage.proxy.through(stage.namespace.access().named("theirs")).write_into(&home);
    let clone = home.path().join("clone").display().to_string();
    stage.repo.git(&["clone", "--quiet", ".", &clone]);
    let words = ["apply", "-", &clone, "--yes", "-o", "json"];
    let done = home.driftdeck_in(home.path(), words, planned.to_string()).exits(0).json();
    assert_eq!((&done["command"], &done["verdict"]), (&json!("apply"), &json!("in-sync")));
    assert_eq!(outcomes(&done), [json!(["patch", "cart", "applied"]), json!(["patch", "web", "applied"])]);
    let approved = format!("approved as the plan {}", planned["plan"]["id"].as_str().unwrap());
    assert_eq!(done["plan"]["remarks"], json!([approved]));
    assert_eq!(done["plan"]["boundTo"], planned["plan"]["boundTo"], "it is the same in every run");
    assert_eq!((stage.colours(), stage.writes()), ([json!("blue"), json!("blue")], 2));
    let journal = home.driftdeck(["journal", "-o", "json"]).exits(0).json();
    let line = &journal["entries"][0];
    assert_eq!((&line["command"], &line["outcome"]), (&json!("sync"), &json!("applied")), "{line:#}");
    assert_eq!(line["id"], done["plan"]["id"]);

    let again = home.driftdeck_in(home.path(), words, planned.to_string()).exits(2).json();
    assert_eq!(again["notices"][0]["title"], "nothing was written: the plan is no longer valid");
    let refused = home.driftdeck_in(home.path(), words, done.to_string()).exits(2).json();
    assert!(refused["notices"][0]["cause"].as_str().unwrap().contains("carried out already"), "{refused:#}");
    assert_eq!(stage.writes(), 2);
}

/// Applies a plan that has become another one, and returns why it is refused.
#[track_caller]
fn refused(stage: &Stage, plan: &Value) -> String {
    let (before, writes) = (stage.colours(), stage.writes());
    let run = stage.apply(plan, &["--yes"]).exits(2);
    let document = run.json();
    let notice = &document["notices"][0];
    assert_eq!(notice["title"], "nothing was written: the plan is no longer valid", "{document:#}");
    assert_eq!((stage.colours(), stage.writes()), (before, writes), "{}", stage.proxy.listing());
    assert_eq!(document["verdict"], json!(null));
    assert!(document["plan"]["steps"].is_array(), "the plan of now is there: {document:#}");
    let cause = notice["cause"].as_str().expect("a cause").to_owned();
    cause.replace(&stage.namespace.name, "NAMESPACE")
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_whose_object_moved_is_refused_with_how_and_nothing_is_written() {
    let stage = Stage::new("apply-moved");
    let planned = stage.planned(&[]);
    let web = "configmap/web";
    stage.namespace.patch(web, "merge", r#"{"data":{"size":"big"}}"#, "kubectl-edit");
    assert_eq!(refused(&stage, &planned), "ConfigMap/NAMESPACE/web was changed since");

    let planned = stage.planned(&[]);
    stage.namespace.apply(WEB);
    stage.namespace.patch(web, "merge", r#"{"data":{"size":null}}"#, "kubectl-edit");
    assert_eq!(refused(&stage, &planned), "ConfigMap/NAMESPACE/web: nothing is left to patch there");

    stage.namespace.patch(web, "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    let planned = stage.planned(&[]);
    stage.namespace.kubectl(&["delete", web]);
    assert_eq!(refused(&stage, &planned), "ConfigMap/NAMESPACE/web was deleted since");

    let planned = stage.planned(&[]);
    stage.namespace.apply(&WEB.replace("blue", "red"));
    assert_eq!(refused(&stage, &planned), "ConfigMap/NAMESPACE/web was created since");

    let planned = stage.planned(&[]);
    stage.namespace.kubectl(&["delete", web]);
    stage.namespace.apply(&WEB.replace("blue", "red"));
    assert_eq!(refused(&stage, &planned), "ConfigMap/NAMESPACE/web was deleted and created anew since");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_of_another_commit_or_of_other_files_is_refused_and_nothing_is_written() {
    let stage = Stage::new("apply-commit");
    let planned = stage.planned(&[]);
    stage.repo.write("web/web.yaml", WEB.replace("blue", "green"));
    let dirty = stage.apply(&planned, &["--yes"]).exits(2).json();
    let said = &dirty["notices"][0];
    assert_eq!(said["title"], "nothing was written: the working folder has uncommitted changes");
    assert_eq!(said["hint"], "the plan is of what is committed and pushed");

    let then = stage.repo.head();
    let now = stage.repo.commit("Another colour");
    let moved = format!("it is of {}, and Git is at {} now", &then[..7], &now[..7]);
    let other = "ConfigMap/NAMESPACE/web: to patch it has another effect now";
    assert_eq!(refused(&stage, &planned), format!("{moved}\n{other}"));
    // The same files, in another commit.
    stage.repo.write("web/web.yaml", WEB);
    let now = stage.repo.commit("The colour again");
    let moved = format!("it is of {}, and Git is at {} now", &then[..7], &now[..7]);
    assert_eq!(refused(&stage, &planned), moved);

    // The revision that was asked for is asked for again.
    let of_then = stage.planned(&["--revision", &then]);
    stage.apply(&of_then, &["--yes"]).exits(0);
    assert_eq!(stage.colours(), [json!("blue"), json!("blue")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_file_that_shows_or_asks_for_something_else_is_refused() {
    let stage = Stage::new("apply-edited");
    let planned = stage.planned(&[]);
    let edited = |pointer: &str, value: Value| {
        let mut edited = planned.clone();
        *edited.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} in {planned:#}")) = value;
        edited
    };
    let effect = "ConfigMap/NAMESPACE/cart: to patch it has another effect now";
    for (pointer, value, why) in [
        ("/plan/steps/0/changes/0/desired", json!("purple"), effect),
        ("/plan/steps/0/changes", json!([]), effect),
        ("/plan/steps/0/manager", json!("somebody"), effect),
        ("/plan/steps/0/bound/digest", json!("0"), "ConfigMap/NAMESPACE/cart was changed since"),
        ("/plan/boundTo", json!("0"), "what Git declares renders to something else now"),
        (
            "/plan/request/only",
            json!(["ConfigMap/web"]),
            "ConfigMap/NAMESPACE/cart: nothing is left to patch there",
        ),
    ] {
        assert_eq!(refused(&stage, &edited(pointer, value)), why, "{pointer}");
    }
    let mut swapped = planned.clone();
    swapped["plan"]["steps"].as_array_mut().unwrap().reverse();
    assert_eq!(refused(&stage, &swapped), "its steps come in another order now");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn only_what_the_file_has_ticked_is_written_with_what_it_was_asked_for() {
    let stage = Stage::new("apply-ticks");
    let old = WEB.replace("name: web", "name: old");
    stage.namespace.apply(&old);
    stage.repo.write("web/old.yaml", &old).commit("Add old");
    stage.repo.remove("web/old.yaml");
    stage.repo.commit("Remove old");
    let mut planned = stage.planned(&["--prune", "--only", "ConfigMap/old", "--only", "ConfigMap/cart"]);
    assert_eq!(
        outcomes(&planned),
        [json!(["patch", "cart", "planned"]), json!(["delete", "old", "planned"])]
    );
    planned["plan"]["steps"][0]["ticked"] = json!(false);
    let done = stage.apply(&planned, &["--yes"]).exits(1).json();
    assert_eq!(outcomes(&done), [json!(["patch", "cart", "skipped"]), json!(["delete", "old", "applied"])]);
    assert_eq!(stage.colours(), [json!("red"), json!("red")]);
    assert_eq!(stage.namespace.get("configmap/old"), None);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_with_nothing_to_do_ends_as_a_sync_with_nothing_to_do() {
    let stage = Stage::new("apply-nothing");
    stage.namespace.apply(&format!("{WEB}---\n{CART}"));
    let words = ["sync", "web", stage.repo.path().to_str().unwrap(), "--dry-run", "-o", "json"];
    let planned = stage.home.driftdeck(words).exits(0).json();
    let done = stage.apply(&planned, &[]).exits(0).json();
    assert_eq!((outcomes(&done), &done["verdict"]), (Vec::new(), &json!("in-sync")));
    assert_eq!(stage.writes(), 0);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_for_another_cluster_is_refused_whatever_its_context_is_called() {
    let stage = Stage::new("apply-cluster");
    let planned = stage.planned(&[]);
    let other = Namespace::on(Plane::second(), "apply-cluster");
    let home = other.home();
    home.write("plan.json", planned.to_string());
    let words = ["apply", "plan.json", stage.repo.path().to_str().unwrap(), "--yes", "-o", "json"];
    let document = home.driftdeck(words).exits(2).json();
    let notice = &document["notices"][0];
    assert_eq!(notice["title"], "nothing was written: the plan is for another cluster", "{document:#}");
    assert_eq!(notice["hint"], "choose the plan's cluster with --context");
    assert_eq!(document["plan"], json!(null));
    assert_eq!(other.get("configmap/web"), None);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_with_a_secret_round_trips_and_its_file_holds_no_value() {
    let stage = Stage::new("apply-secret");
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: key}}\ndata: {{key: {}}}\n",
            canary::base64(value)
        )
    };
    let new = secret(canary::DECLARED[0]).replace("name: key", "name: new");
    stage.namespace.apply(&secret(canary::LIVE[0]));
    stage
        .repo
        .write("web/key.yaml", secret(canary::DECLARED[0]))
        .write("web/new.yaml", new)
        .commit("Add keys");
    let planned = stage.planned(&[]);
    canary::absent("the plan", planned.to_string().as_bytes());

    // Another value is another resource version.
    let patch = json!({"data": {"key": canary::base64(canary::LIVE[2])}}).to_string();
    stage.namespace.patch("secret/key", "merge", &patch, "kubectl-edit");
    assert_eq!(refused(&stage, &planned), "Secret/NAMESPACE/key was changed since");

    let planned = stage.planned(&[]);
    let run = stage.apply(&planned, &["--yes"]).exits(0);
    canary::absent("stdout of apply", run.stdout.as_bytes());
    canary::absent("stderr of apply", run.stderr.as_bytes());
    for object in ["secret/key", "secret/new"] {
        let written = stage.namespace.get(object).unwrap();
        assert_eq!(written["data"]["key"], canary::base64(canary::DECLARED[0]).as_str());
    }

    // Of files that are not committed nothing tells that the value is another.
    stage.repo.write("web/key.yaml", secret(canary::DECLARED[2]));
    let planned = stage.planned(&["--dirty"]);
    assert_eq!(
        refused(&stage, &planned),
        "Secret/NAMESPACE/key: whether an uncommitted Secret is the one of then cannot be told"
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_in_a_file_wants_the_same_answers_as_a_sync() {
    let stage = Stage::called("apply-protected", |access| access.named("prod-x"));
    let planned = stage.planned(&[]);
    for (more, title) in [
        (&[][..], "nothing was written: the plan is not confirmed"),
        (&["--yes"], "nothing was written: the plan is not confirmed"),
        (&["--confirm", "prod-y"], "nothing was written: the plan is not confirmed"),
        (&["--confirm", "prod-x", "--read-only"], "prod-x is read-only here"),
    ] {
        let document = stage.apply(&planned, more).exits(2).json();
        assert_eq!(document["notices"][0]["title"], title, "{more:?}");
    }
    assert_eq!((stage.writes(), stage.colours()), (0, [json!("red"), json!("red")]));
    let done = stage.apply(&planned, &["--confirm", "prod-x", "--no-wait"]).exits(0).json();
    assert_eq!((&done["verdict"], stage.writes()), (&json!(null), 2));
}
