//! Defines the objects that are not compared, because they are made anew each time or their annotations say so.

use super::IgnoreRules;
use crate::model::{BuiltIn, LiveObject, Manifest, Value, Why};

/// Returns why a declared object is not compared.
///
/// Hooks of Helm and Argo CD are run and gone, whoever deploys. Flux leaves objects alone that say
/// `reconcile: disabled` or `ssa: Ignore`, in Git or in the cluster, and with `ssa: IfNotPresent` those that are there.
pub(super) fn why_declared(
    desired: &Manifest,
    live: Option<&LiveObject>,
    rules: &IgnoreRules,
) -> Option<Why> {
    if desired.id.name.is_none() && desired.body.str_at(&["metadata", "generateName"]).is_some() {
        return Some(Why::new("generateName"));
    }
    let hook = hook(&desired.body).filter(|_| rules.holds(BuiltIn::Hooks));
    let honoured = rules.holds(BuiltIn::EngineAnnotations);
    hook.or_else(|| skipped(&desired.body, live.is_some()).filter(|_| honoured))
        .or_else(|| skipped(&live?.body, true).filter(|_| honoured))
}

/// Returns why a live object that Git does not declare is no extra.
pub(super) fn why_extra(live: &LiveObject, rules: &IgnoreRules) -> Option<Why> {
    let ignored = annotation(&live.body, "argocd.argoproj.io/compare-options")
        .is_some_and(|options| options.split(',').any(|o| o.trim() == "IgnoreExtraneous"));
    let ignored = ignored.then(|| Why::new("argocd.argoproj.io/compare-options: IgnoreExtraneous"));
    let hook = hook(&live.body).filter(|_| rules.holds(BuiltIn::Hooks));
    let left_alone = ignored.or_else(|| skipped(&live.body, true));
    hook.or_else(|| left_alone.filter(|_| rules.holds(BuiltIn::EngineAnnotations)))
}

fn annotation<'v>(body: &'v Value, key: &str) -> Option<&'v str> {
    body.str_at(&["metadata", "annotations", key])
}

fn hook(body: &Value) -> Option<Why> {
    ["helm.sh/hook", "argocd.argoproj.io/hook"].iter().find_map(|key| {
        let when = annotation(body, key).filter(|when| !when.is_empty())?;
        Some(Why::new(format!("{key}: {when}")))
    })
}

fn skipped(body: &Value, there: bool) -> Option<Why> {
    const SKIP: [(&str, &str); 6] = [
        ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
        ("kustomize.toolkit.fluxcd.io/ssa", "ignore"),
        ("kustomize.toolkit.fluxcd.io/ssa", "ifnotpresent"),
        ("helm.toolkit.fluxcd.io/driftdetection", "disabled"),
        ("argocd.argoproj.io/skip-reconcile", "true"),
        ("config.kubernetes.io/local-config", "true"),
    ];
    let annotations = body.at(&["metadata", "annotations"]).and_then(Value::as_map)?;
    annotations.iter().find_map(|(key, value)| {
        let value = value.as_str()?;
        let says = |(k, v): &&(&str, &str)| key.eq_ignore_ascii_case(k) && value.eq_ignore_ascii_case(v);
        let (_, found) = SKIP.iter().find(says)?;
        // What is to be made only where it is missing is compared until it is there.
        (*found != "ifnotpresent" || there).then(|| Why::new(format!("{key}: {value}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn hooks_and_what_deployers_are_told_to_skip_say_why() {
        let body = |key: &str, value: &str| value!({"metadata": {"annotations": {key: value}}});
        let why = |body: &Value| hook(body).or_else(|| skipped(body, true)).map(|w| w.0);
        assert_eq!(why(&body("helm.sh/hook", "pre-install")).unwrap(), "helm.sh/hook: pre-install");
        assert_eq!(
            why(&body("kustomize.toolkit.fluxcd.io/ssa", "Ignore")).unwrap(),
            "kustomize.toolkit.fluxcd.io/ssa: Ignore"
        );
        assert_eq!(why(&body("kustomize.toolkit.fluxcd.io/ssa", "Merge")), None);
        assert_eq!(why(&body("helm.sh/resource-policy", "keep")), None);
        assert_eq!(skipped(&body("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent"), false), None);
    }
}
