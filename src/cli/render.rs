//! `driftdeck render`: the manifests of a path with the origin of each; and two renderings against each other.

use crate::cli::arguments::{Options, RenderArguments};
use crate::cli::document::{Findings, ResourceEntry, SCHEMA, notices, problems, worst_first};
use crate::cli::output::{Format, Output};
use crate::cli::report::{self, Order, Style};
use crate::cli::stdin::source;
use crate::cli::{Exit, Failed, now, opening, written};
use crate::model::sealed::open_value;
use crate::model::{FieldPath, Level, Manifest, Notice, Opener, Value};
use crate::pipeline::offline::{self, Source};
use crate::text::{redact, yaml};
use serde_json::{Value as Json, json};
use std::io::IsTerminal;
use tokio_util::sync::CancellationToken;

/// Renders and prints.
pub async fn run(what: &RenderArguments, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let show = what.show_secrets && !(output.format == Format::Json && std::io::stdout().is_terminal());
    if what.show_secrets && !show {
        return Err(Box::new(
            Notice::error("the values of Secrets are not printed as JSON to a terminal")
                .hint("leave --show-secrets out, or redirect the output to a file"),
        ));
    }
    let (how, said) = opening::offline(&what.path, options)?;
    let cancel = CancellationToken::new();
    let mut rendered =
        offline::render(source(&what.path).await?, options.revision.clone(), &how, &cancel).await?;
    rendered.notices.extend(said);
    worst_first(&mut rendered.notices);
    output.notices(&rendered.notices);
    let body = |manifest: &Manifest| -> Json {
        if show {
            open_value(&manifest.body, &Opener::new())
        } else {
            redact::json(&manifest.body, &manifest.id.to_string(), &FieldPath::root())
        }
    };
    let document = json!({
        "schema": SCHEMA,
        "command": "render",
        "manifests": rendered.manifests.iter().map(|m| manifest(m, &body(m))).collect::<Vec<_>>(),
        "notices": notices(&rendered.notices),
    });
    let as_text = || {
        let texts = rendered.manifests.iter().map(|m| {
            let line = m.origin.line.map(|n| format!(":{n}")).unwrap_or_default();
            let origin = format!("# {}{line}", m.origin.file);
            let origin = crate::text::terminal(&origin).into_owned();
            format!("---\n{origin}\n{}", crate::text::terminal_lines(&yaml::write(&Value::from(body(m)))))
        });
        texts.collect()
    };
    written(output.document(|| document, as_text))?;
    let failed = !rendered.complete || rendered.notices.iter().any(|n| n.level == Level::Error);
    Ok(if failed { Exit::Failure } else { Exit::Success })
}

fn manifest(manifest: &Manifest, body: &Json) -> Json {
    json!({
        "group": manifest.kind.group,
        "version": manifest.kind.version,
        "kind": manifest.kind.kind,
        "namespace": manifest.id.namespace,
        "name": manifest.id.name,
        "file": manifest.origin.file,
        "document": manifest.origin.document,
        "line": manifest.origin.line,
        "body": body,
        "problems": problems(&manifest.problems),
    })
}

/// Compares the renderings of two revisions: `base` stands where live would, `--revision` is what Git declares.
pub async fn between(
    base: &str,
    places: &[String],
    options: &Options,
    output: &Output,
) -> Result<Exit, Failed> {
    let path = match places {
        [] => ".".to_owned(),
        [one] => one.clone(),
        _ => {
            return Err(Box::new(
                Notice::error("two renderings are compared of one PATH").hint("give one PATH"),
            ));
        }
    };
    let (how, said) = opening::offline(&path, options)?;
    let cancel = CancellationToken::new();
    let desired =
        offline::render(Source::Path(path.clone()), options.revision.clone(), &how, &cancel).await?;
    let before = offline::render(Source::Path(path), Some(base.to_owned()), &how, &cancel).await?;
    let statuses = offline::between(&before, &desired);
    let mut findings = Findings {
        resources: statuses
            .into_iter()
            .map(|status| ResourceEntry { status, app: None, cluster: None })
            .collect(),
        incomplete: !desired.complete || !before.complete,
        ..Findings::default()
    };
    findings.notices.extend(said);
    findings.notices.extend(desired.notices);
    findings.notices.extend(before.notices);
    findings.sort();
    output.notices(&findings.notices);
    let style = Style::of(output, options);
    written(output.document(
        || findings.to_json("diff", now()),
        || report::changes(&findings, style, Order::LiveFirst, false),
    ))?;
    Ok(Exit::of(&findings, options.strict, options.exit_zero))
}
