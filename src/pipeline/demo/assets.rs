//! Holds the demo's files: the repository as it is today, how it came to be, its clusters, and the incident.

/// A file by its path, with its text.
pub(super) type File = (&'static str, &'static str);

macro_rules! embedded {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../assets/demo/", $folder, "/", $path)))),*]
    };
}

/// Every file of the repository at its newest commit.
pub(super) const REPO: &[File] = embedded!("repo":
    "README.md",
    "apps/api/config.yaml",
    "apps/api/database.yaml",
    "apps/api/deployment.yaml",
    "apps/api/service.yaml",
    "apps/campaigns/banners.yaml",
    "apps/campaigns/black-friday.yaml",
    "apps/campaigns/free-shipping.yaml",
    "apps/cart/cart.yaml",
    "apps/cart/config.yaml",
    "apps/cart/redis.yaml",
    "apps/checkout/deployment.yaml",
    "apps/checkout/ingress.yaml",
    "apps/checkout/network-policy.yaml",
    "apps/checkout/service.yaml",
    "apps/debug-tools/toolbox.yaml",
    "apps/mail/digest.yaml",
    "apps/mail/migrate.yaml",
    "apps/mail/templates.yaml",
    "apps/mail/worker.yaml",
    "apps/payments/access.yaml",
    "apps/payments/payments.yaml",
    "apps/payments/provider.yaml",
    "apps/search/index.yaml",
    "apps/search/search.yaml",
    "apps/search/synonyms.yaml",
    "apps/web/autoscaling.yaml",
    "apps/web/config.yaml",
    "apps/web/deployment.yaml",
    "apps/web/ingress.yaml",
    "apps/web/service.yaml",
    "platform/admission/service.yaml",
    "platform/admission/webhook.yaml",
    "platform/namespaces/namespaces.yaml",
);

/// The clusters in the order in which they are shown.
pub(super) const CLUSTERS: &[File] = embedded!("clusters": "prod-eu.yaml", "prod-us.yaml");

/// Objects that clusters have from elsewhere.
pub(super) const OBJECTS: &[File] = embedded!("clusters": "campaigns.yaml", "engines.yaml");

pub(super) const HISTORY: &str = include_str!("../../../assets/demo/history.yaml");
pub(super) const INCIDENT: &str = include_str!("../../../assets/demo/incident.yaml");

/// What containers print.
pub(super) const LOGS: &str = include_str!("../../../assets/demo/logs.yaml");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_of_the_demo_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        let found: BTreeSet<String> = walkdir::WalkDir::new(&root)
            .into_iter()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.path().strip_prefix(&root).unwrap().display().to_string())
            .collect();
        let in_folder = |folder: &str, files: &[File]| {
            files.iter().map(|(p, _)| format!("{folder}/{p}")).collect::<Vec<_>>()
        };
        let embedded = [
            in_folder("repo", REPO),
            in_folder("clusters", CLUSTERS),
            in_folder("clusters", OBJECTS),
            vec!["history.yaml".into(), "incident.yaml".into(), "logs.yaml".into()],
        ];
        assert_eq!(found, embedded.into_iter().flatten().collect());
    }
}
