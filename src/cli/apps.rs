//! `driftdeck apps`: what was discovered, and from where.

use crate::cli::arguments::{Options, Places};
use crate::cli::document::{SCHEMA, notices, worst_first};
use crate::cli::gather::Gathered;
use crate::cli::output::Output;
use crate::cli::report::{self, Style};
use crate::cli::{Exit, Failed, opening, written};
use crate::model::{Level, Notice};
use crate::text;
use serde_json::json;

/// Reads the repos and prints their apps; clusters are not asked.
pub async fn run(places: &Places, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let opened = opening::open_repos(&places.places, options)?;
    let mut gathered = Gathered::default();
    gathered.notices.extend(opened.notices);
    let (_handle, mut updates) = crate::pipeline::run::start(opened.setup);
    gathered.until_settled(&mut updates, options.timeout, output).await;
    let mut said = gathered.notices.clone();
    said.extend(gathered.repos.values().filter_map(|r| r.notice.clone()));
    let rows = rows(&gathered);
    let mistaken = said.iter().any(|notice| notice.level == Level::Error);
    if rows.is_empty() && !mistaken {
        said.push(
            Notice::error("no apps were found")
                .hint("give a PATH with manifests, a kustomization or a chart"),
        );
    }
    worst_first(&mut said);
    let document = json!({
        "schema": SCHEMA, "command": "apps",
        "apps": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        "notices": notices(&said),
    });
    output.notices(&said);
    let style = Style::of(output, options);
    let as_text = || {
        let lines: String = rows.iter().map(Row::to_text).collect();
        report::revisions(gathered.repos.values(), style) + &lines
    };
    written(output.document(|| document, as_text))?;
    Ok(if mistaken || rows.is_empty() { Exit::Failure } else { Exit::Success })
}

/// One app as a row.
struct Row<'a> {
    repo: &'a crate::model::status::RepoStatus,
    app: &'a crate::model::App,
}

fn rows(gathered: &Gathered) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = gathered
        .apps
        .iter()
        .filter_map(|(id, apps)| Some((gathered.repos.get(id)?, apps)))
        .flat_map(|(repo, apps)| apps.iter().map(move |status| Row { repo, app: &status.app }))
        .collect();
    rows.sort_by(|a, b| (&a.app.id.name, &a.repo.location).cmp(&(&b.app.id.name, &b.repo.location)));
    rows
}

impl Row<'_> {
    fn path(&self) -> &str {
        if self.app.path.is_empty() { "." } else { &self.app.path }
    }

    fn to_json(&self) -> serde_json::Value {
        let app = self.app;
        json!({
            "name": app.id.name,
            "engine": app.engine.word(),
            "repo": self.repo.location,
            "path": self.path(),
            "revision": self.repo.revision.as_ref().map(crate::cli::document::revision),
            "cluster": app.contexts.first(),
            "namespace": app.namespace,
            "verdict": null, "why": null, "health": null, "engineVerdict": null,
            "counts": crate::cli::document::counts(&crate::model::Counts::default()),
            "render": app.spec.word(),
            "file": app.declared.file,
            "line": app.declared.line,
        })
    }

    fn to_text(&self) -> String {
        format!(
            "{:<24} {:<10} {:<40} {}\n",
            text::terminal(&self.app.id.name),
            self.app.spec.word(),
            text::terminal(self.path()),
            text::terminal(&self.repo.location),
        )
    }
}
