//! `driftdeck doctor`: what driftdeck found on this machine and in the clusters, what is missing, and what follows; with
//! `--exact` how far the comparison here agrees with the API server.

use crate::cli::arguments::{Options, Places};
use crate::cli::document::{self, Findings, SCHEMA, worst_first};
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, check, now, opening, written};
use crate::model::{Disagreement, Manifest, Notice};
use crate::pipeline::examine::{self, Condition, Finding};
use crate::pipeline::opening::contexts_found;
use crate::pipeline::setup::find_tools;
use crate::text;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::sync::Arc;

/// How far the comparison here agrees with the API server.
struct Agreement {
    objects: usize,
    agree: usize,
    /// Each with the object that it is about.
    disagreements: Vec<(String, Disagreement)>,
    /// Objects that the API server did not answer for.
    local: usize,
}

/// Examines the machine and the clusters. What could not be opened is a finding, not a failure.
pub async fn run(places: &Places, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let mut found = Vec::new();
    let mut agreement = None;
    let mut notices = Vec::new();
    match opening::open(&places.places, options, false) {
        Ok(opened) => {
            let (tools, clusters) = (opened.setup.tools.clone(), opened.setup.clusters.clone());
            found.extend(examine::machine(&tools, opened.folders.as_ref(), options.config.as_deref()).await);
            found.push(kubeconfig(options));
            found.extend(examine::built_in_rules(opened.setup.ignoring.built_in));
            let (gathered, handle) = check::gather_opened(opened, options, output).await?;
            let findings = gathered.findings();
            found.extend(repositories(&findings));
            for setup in &clusters {
                let mut declared: Vec<Arc<Manifest>> = Vec::new();
                for app in findings.apps.iter().filter(|app| app.cluster == setup.cluster.name()) {
                    let deployed = handle.deployed(app.status.id.clone()).await;
                    declared.extend(deployed.into_iter().flat_map(|deployed| deployed.manifests));
                }
                found.extend(examine::cluster(setup, &declared).await);
            }
            agreement = options.exact.then(|| agreed(&findings));
            notices = findings.notices;
        }
        Err(notice) => {
            let tools = find_tools(Vec::new());
            let folders = crate::config::paths::Folders::of_this_user().ok();
            found.extend(examine::machine(&tools, folders.as_ref(), options.config.as_deref()).await);
            found.push(kubeconfig(options));
            let follows = notice.hint.clone().unwrap_or_else(|| "nothing can be compared".to_owned());
            found.push(Finding::missing("repositories", "opening", notice.title.clone(), follows));
        }
    }
    worst_first(&mut notices);
    output.notices(&notices);
    let document = || to_json(&found, agreement.as_ref(), &notices);
    written(output.document(document, || to_text(&found, agreement.as_ref())))?;
    Ok(Exit::Success)
}

fn kubeconfig(options: &Options) -> Finding {
    let area = "machine";
    match contexts_found(options.kubeconfig.clone()) {
        Ok(contexts) if contexts.is_empty() => {
            Finding::missing(area, "kubeconfig", "no context is known", "no cluster is looked at")
        }
        Ok(contexts) => Finding::fine(area, "kubeconfig", format!("contexts: {}", contexts.join(", "))),
        Err(why) => Finding::missing(area, "kubeconfig", why, "no cluster is looked at"),
    }
}

fn repositories(findings: &Findings) -> Vec<Finding> {
    let area = "repositories";
    let repo = |repo: &crate::model::status::RepoStatus| {
        let place = &repo.location;
        if let Some(notice) = &repo.notice {
            let says = format!("{place}: {}", notice.title);
            return Finding::limited(area, "repository", says, "it is shown as last read");
        }
        let apps = findings.apps.iter().filter(|app| app.repo == *place).count();
        Finding::fine(area, "repository", format!("{place}: {apps} apps in the clusters looked at"))
    };
    findings.repos.iter().map(repo).collect()
}

fn agreed(findings: &Findings) -> Agreement {
    let mut agreement = Agreement { objects: 0, agree: 0, disagreements: Vec::new(), local: 0 };
    for entry in &findings.resources {
        let judgement = &entry.status.judgement;
        match &judgement.exact {
            Some(exact) => {
                agreement.objects += 1;
                agreement.agree += usize::from(exact.disagreements.is_empty());
                let object = entry.status.id.to_string();
                agreement
                    .disagreements
                    .extend(exact.disagreements.iter().map(|d| (object.clone(), d.clone())));
            }
            None => agreement.local += usize::from(judgement.needs_exact.is_some()),
        }
    }
    agreement
}

impl Agreement {
    /// Returns the share that agrees, in percent.
    #[allow(clippy::cast_precision_loss)] // objects are counted in thousands
    fn percent(&self) -> f64 {
        if self.objects == 0 { 100.0 } else { self.agree as f64 * 100.0 / self.objects as f64 }
    }
}

fn to_json(found: &[Finding], agreement: Option<&Agreement>, notices: &[Notice]) -> Json {
    let finding = |f: &Finding| {
        json!({
            "area": f.area, "subject": f.subject, "condition": f.condition.word(), "says": f.says, "follows": f.follows,
        })
    };
    let agreement = agreement.map(|a| {
        let disagreement = |(object, d): &(String, Disagreement)| {
            let mut json = document::disagreement(d);
            json["object"] = object.as_str().into();
            json
        };
        json!({
            "objects": a.objects, "agree": a.agree, "percent": a.percent(), "withoutAnswer": a.local,
            "disagreements": a.disagreements.iter().map(disagreement).collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": SCHEMA, "command": "doctor", "at": document::time(now()),
        "findings": found.iter().map(finding).collect::<Vec<_>>(),
        "agreement": agreement,
        "notices": document::notices(notices),
    })
}

fn to_text(found: &[Finding], agreement: Option<&Agreement>) -> String {
    let mut out = String::new();
    let mut area = "";
    for finding in found {
        if finding.area != area {
            area = &finding.area;
            let _ = writeln!(out, "{}", text::terminal(area));
        }
        let mark = match finding.condition {
            Condition::Fine => ' ',
            Condition::Limited => '!',
            Condition::Missing => '-',
        };
        let _ = writeln!(out, "{mark} {:<22} {}", finding.subject, text::terminal(&finding.says));
        if let Some(follows) = &finding.follows {
            let _ = writeln!(out, "{:>25}{}", "", text::terminal(follows));
        }
    }
    if let Some(agreement) = agreement {
        let Agreement { objects, agree, disagreements, local } = agreement;
        let _ = writeln!(
            out,
            "local against exact\n  agreement              {agree} of {objects} objects, {:.2} %",
            agreement.percent()
        );
        if *local > 0 {
            let _ = writeln!(out, "! without an answer      {local}");
        }
        for (object, disagreement) in disagreements {
            let words = format!("{object} {}", disagreement.words());
            let _ = writeln!(out, "! {}", text::terminal(&words));
        }
    }
    out
}
