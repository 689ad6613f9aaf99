//! Defines who wrote a live field, as far as managed fields tell, and what follows for its class.
//!
//! Managed fields record the last writer of what is there: who deleted a field is not recorded, and a source that hides
//! them tells nothing at all.

use super::bookkeeping::INSTANCE_LABEL;
use super::deployer::{Deployer, Record, deployer, record};
use super::{Context, Managers};
use crate::model::field_path::Segment;
use crate::model::manager::ManagerKind;
use crate::model::sealed::LAST_APPLIED;
use crate::model::{
    BuiltIn, Cause, Class, FieldPath, FieldSet, LiveObject, ManagedEntry, Manifest, Operation, Value, Writer,
};
use std::cell::OnceCell;

/// What is known of the writers of one object.
pub(super) struct Ownership<'a> {
    live: &'a LiveObject,
    desired: &'a Manifest,
    context: &'a Context<'a>,
    /// What the deployer last applied, where it keeps it: last-applied, or Helm's previous manifest.
    pub applied: Option<&'a Value>,
    /// Read from managed fields once a difference asks for it: of most objects nothing differs.
    writers: OnceCell<Writers<'a>>,
}

/// What managed fields tell once they are read.
struct Writers<'a> {
    /// Which entries are the deployer's own, by position.
    own: Vec<Own>,
    /// What the deployer last applied, where it applies server-side.
    applied_set: Option<&'a FieldSet>,
    server_side: bool,
    /// The deployer keeps no record: what it owns and Git does not declare was once declared.
    without_record: bool,
}

/// Whether an entry is the deployer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    No,
    Yes,
    /// What admission added to the deployer's own request: an Update entry of its name and time.
    Admission,
}

/// What is known of one difference besides its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Provenance {
    pub class: Class,
    pub counts: bool,
    pub cause: Cause,
    pub writer: Option<Writer>,
    pub note: Option<String>,
    /// Of a leftover: the other managers that own it.
    pub kept_by: Vec<String>,
}

impl Provenance {
    /// Says what a declared field is that is not there. `applied`: whether it was applied last, where there is a record.
    pub fn deleted(applied: Option<bool>) -> Self {
        let (cause, note) = match applied {
            Some(false) => (Cause::UnsyncedCommit, None),
            _ => (Cause::Unknown, Some(NOT_RECORDED.to_owned())),
        };
        Self { class: Class::Deleted, counts: true, cause, writer: None, note, kept_by: Vec::new() }
    }
}

impl Provenance {
    /// Returns whether the live field is one that Git does not declare.
    pub fn live_is_new(&self) -> bool {
        self.class == Class::Foreign
    }
}

const NOT_RECORDED: &str = "the actor is not recorded";

impl<'a> Ownership<'a> {
    pub fn of(live: &'a LiveObject, desired: &'a Manifest, context: &'a Context<'a>) -> Self {
        let applied = match record(live, context.deployer) {
            Record::LastApplied => live.last_applied.as_ref(),
            // An engine that went over to server-side apply leaves last-applied behind, out of date.
            Record::Engine => None,
            Record::None => {
                context.previous.filter(|_| deployer(live, desired, context.deployer) == Ok(Deployer::Helm))
            }
        };
        Self { live, desired, context, applied, writers: OnceCell::new() }
    }

    fn writers(&self) -> &Writers<'a> {
        self.writers.get_or_init(|| {
            let Self { live, desired, context, .. } = self;
            let entries = self.entries().unwrap_or_default();
            let found = deployer(live, desired, context.deployer);
            let applied_by = |manager: &str| {
                let applies = |e: &&ManagedEntry| e.operation == Operation::Apply && e.subresource.is_none();
                entries.iter().filter(applies).find(|e| e.manager == manager)
            };
            let apply = match &found {
                Ok(Deployer::ServerSide { manager }) => applied_by(manager),
                _ => None,
            };
            let own = entries
                .iter()
                .map(|entry| match &found {
                    Ok(deployer) => own_entry(entry, deployer, apply, context.managers),
                    Err(tie) if tie.managers.contains(&entry.manager) => Own::Yes,
                    Err(_) => Own::No,
                })
                .collect();
            Writers {
                own,
                applied_set: apply.map(|entry| &*entry.fields),
                server_side: apply.is_some() || found.is_err(),
                without_record: matches!(found, Ok(Deployer::Helm)) && context.previous.is_none(),
            }
        })
    }

    /// Returns the entries; `None` where the source hides managed fields.
    fn entries(&self) -> Option<&'a [ManagedEntry]> {
        self.live.managed.as_deref()
    }

    /// Returns whether a built-in rule holds.
    pub fn holds(&self, rule: BuiltIn) -> bool {
        self.context.rules.holds(rule)
    }

    /// Returns whether the source shows managed fields.
    pub fn is_recorded(&self) -> bool {
        self.entries().is_some_and(|entries| !entries.is_empty())
    }

    fn each(&self) -> impl Iterator<Item = (&'a ManagedEntry, Own)> + '_ {
        self.entries().unwrap_or_default().iter().zip(self.writers().own.iter().copied())
    }

    /// Returns the most specific entry that owns a path, of several the one that wrote last. The order of the entries
    /// decides nothing.
    fn last_writer(&self, path: &FieldPath) -> Option<(&'a ManagedEntry, Own)> {
        self.each()
            .filter_map(|(entry, own)| {
                let depth = if entry.fields.touches(path) {
                    path.0.len() + 1
                } else {
                    entry.fields.deepest_owner(path)?
                };
                Some(((depth, entry.time, own == Own::No, name_of(entry)), (entry, own)))
            })
            .max_by(|(a, _), (b, _)| a.cmp(b))
            .map(|(_, found)| found)
    }

    /// Says what a declared field is whose live value differs. `unsynced`: live is what was applied last; `as_applied`: Git
    /// declares what was applied last; both `None` where there is no record.
    pub fn changed(&self, path: &FieldPath, unsynced: Option<bool>, as_applied: Option<bool>) -> Provenance {
        let found = self.last_writer(path);
        let (class, cause) = match found {
            _ if unsynced == Some(true) => (Class::Changed, Cause::UnsyncedCommit),
            None if self.writers().server_side => (Class::Changed, Cause::UnsyncedCommit),
            None => (Class::Changed, Cause::Unknown),
            Some((_, Own::Admission)) => (Class::Changed, Cause::Webhook),
            Some((_, Own::Yes)) if as_applied == Some(true) => (Class::Changed, Cause::Webhook),
            Some((_, Own::Yes)) => (Class::Changed, Cause::UnsyncedCommit),
            Some((entry, Own::No)) => match self.context.managers.kind(&entry.manager) {
                ManagerKind::Person => (Class::Changed, Cause::ByHand),
                ManagerKind::Controller => (Class::Contended, Cause::Controller),
                ManagerKind::Deployer => (Class::Changed, Cause::Controller),
                ManagerKind::Unknown => (Class::Changed, Cause::Unknown),
            },
        };
        let writer = found.map(|(e, _)| self.writer(e));
        Provenance { class, counts: true, cause, writer, note: None, kept_by: Vec::new() }
    }

    /// Says what a live field is that Git does not declare. `applied`: the record of what was applied last holds it;
    /// `content`: it is under `spec` or `data`.
    pub fn undeclared(&self, path: &FieldPath, applied: bool, content: bool) -> Provenance {
        let mut owners: Vec<(&ManagedEntry, Own)> =
            self.each().filter(|(entry, _)| entry.fields.touches(path)).collect();
        owners.sort_by_key(|(entry, _)| (std::cmp::Reverse(entry.time), name_of(entry)));
        let own = owners.iter().any(|(_, own)| *own == Own::Yes);
        let set_holds = self.writers().applied_set.is_some_and(|set| set.touches(path));
        if applied || set_holds || (self.writers().without_record && own) {
            return self.leftover(&owners);
        }
        let of_kind = |kind: ManagerKind| {
            owners.iter().find(|(e, own)| *own == Own::No && self.context.managers.kind(&e.manager) == kind)
        };
        let foreign = |entry: Option<&ManagedEntry>, counts, cause| Provenance {
            class: Class::Foreign,
            counts,
            cause,
            writer: entry.map(|entry| self.writer(entry)),
            note: None,
            kept_by: Vec::new(),
        };
        if let Some((entry, _)) = of_kind(ManagerKind::Person) {
            let restart = is_restart(path) && self.holds(BuiltIn::RolloutRestart);
            return foreign(Some(entry), !restart, Cause::ByHand);
        }
        if let Some((entry, _)) = of_kind(ManagerKind::Unknown) {
            let injected = is_injected(path) && self.holds(BuiltIn::InjectedCertificates);
            return foreign(Some(entry), content && !injected, Cause::Unknown);
        }
        match owners.first() {
            Some((entry, Own::No)) => foreign(Some(entry), false, Cause::Controller),
            // The deployer's own request, and not what it declared: admission added it.
            Some((entry, _)) => foreign(Some(entry), false, Cause::Webhook),
            None => foreign(None, false, Cause::Unknown),
        }
    }

    fn leftover(&self, owners: &[(&ManagedEntry, Own)]) -> Provenance {
        let keepers: Vec<&ManagedEntry> =
            owners.iter().filter(|(_, own)| *own == Own::No).map(|(entry, _)| *entry).collect();
        let mut kept_by: Vec<String> = Vec::new();
        for entry in &keepers {
            if !kept_by.contains(&entry.manager) {
                kept_by.push(entry.manager.clone());
            }
        }
        let by_controllers_alone = !keepers.is_empty()
            && keepers.iter().all(|e| self.context.managers.kind(&e.manager) == ManagerKind::Controller);
        Provenance {
            class: Class::Leftover,
            counts: !by_controllers_alone,
            cause: Cause::UnsyncedCommit,
            writer: keepers
                .first()
                .copied()
                .or_else(|| owners.first().map(|(e, _)| *e))
                .map(|e| self.writer(e)),
            note: (!kept_by.is_empty()).then(|| format!("kept by {}", kept_by.join(", "))),
            kept_by,
        }
    }

    /// Returns the writer that an entry stands for, with the name that people know.
    fn writer(&self, entry: &ManagedEntry) -> Writer {
        Writer {
            manager: entry.manager.clone(),
            called: self.context.managers.called(&entry.manager).map(str::to_owned),
            operation: entry.operation,
            subresource: entry.subresource.clone(),
            time: entry.time,
        }
    }

    /// Returns the live object.
    pub fn live(&self) -> &'a LiveObject {
        self.live
    }

    /// Returns the autoscaler that sets the replicas, or the resources, of the object.
    pub fn autoscaler(&self, replicas: bool) -> Option<String> {
        self.context.autoscaled.by(self.live, replicas).map(str::to_owned)
    }

    /// Returns whether an instance label that Git does not declare is Argo CD's tracking: the object's tracking id names
    /// the same Application, or Argo CD wrote the label.
    ///
    /// Source: Argo CD, "Resource Tracking": the methods `label` and `annotation+label`.
    pub fn is_argo_cds(&self, label: &Value) -> bool {
        let id = self.live.annotation("argocd.argoproj.io/tracking-id");
        let application = id.and_then(|id| id.split(':').next());
        let path = FieldPath::fields(&["metadata", "labels", INSTANCE_LABEL]);
        let wrote = |e: &ManagedEntry| e.manager.starts_with("argocd-") && e.fields.touches(&path);
        (application.is_some() && application == label.as_str())
            || self.entries().unwrap_or_default().iter().any(wrote)
    }

    /// Returns whether a person is among those who own a path or something under it, by more than having created the
    /// object: whoever creates one owns what the server filled in as well.
    pub fn by_a_person(&self, path: &FieldPath) -> bool {
        let created = self.live.body.str_at(&["metadata", "creationTimestamp"]);
        let created = created.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let creates =
            |e: &ManagedEntry| e.operation == Operation::Update && e.time.is_some() && e.time == created;
        self.each().any(|(entry, own)| {
            own == Own::No
                && !creates(entry)
                && entry.fields.touches(path)
                && self.context.managers.kind(&entry.manager) == ManagerKind::Person
        })
    }

    /// Returns whether a controller wrote a path last.
    pub fn by_a_controller(&self, path: &FieldPath) -> Option<Writer> {
        let (entry, own) = self.last_writer(path)?;
        let controller =
            own == Own::No && self.context.managers.kind(&entry.manager) == ManagerKind::Controller;
        controller.then(|| self.writer(entry))
    }
}

/// Returns what tells an entry from the others of its object.
fn name_of(entry: &ManagedEntry) -> (&str, Operation, Option<&str>) {
    (&entry.manager, entry.operation, entry.subresource.as_deref())
}

/// Says whether an entry is the deployer's own. A name that people use too is told apart by operation, subresource and
/// time.
fn own_entry(
    entry: &ManagedEntry,
    deployer: &Deployer,
    apply: Option<&ManagedEntry>,
    managers: &Managers,
) -> Own {
    if entry.subresource.is_some() {
        return Own::No;
    }
    let kind = || managers.kind(&entry.manager);
    match deployer {
        Deployer::ServerSide { manager } if entry.manager == *manager => match entry.operation {
            Operation::Apply => Own::Yes,
            Operation::Update if apply.is_some_and(|a| a.time.is_some() && a.time == entry.time) => {
                Own::Admission
            }
            Operation::Update if kind() != ManagerKind::Person => Own::Admission,
            Operation::Update => Own::No,
        },
        Deployer::ClientSide if entry.operation == Operation::Update => {
            let by_name = entry.manager == "kubectl-client-side-apply";
            if by_name || (keeps_last_applied(entry) && kind() != ManagerKind::Person) {
                Own::Yes
            } else {
                Own::No
            }
        }
        Deployer::Helm if entry.manager.eq_ignore_ascii_case("helm") => Own::Yes,
        Deployer::Driftdeck if entry.manager == super::DRIFTDECK => Own::Yes,
        _ => Own::No,
    }
}

fn keeps_last_applied(entry: &ManagedEntry) -> bool {
    let path = FieldPath::fields(&["metadata", "annotations", LAST_APPLIED]);
    entry.fields.owns(&path)
}

/// Row 56 of the catalogue: `kubectl rollout restart` leaves this annotation, which is nobody's drift.
fn is_restart(path: &FieldPath) -> bool {
    matches!(path.0.last(), Some(Segment::Field(name)) if name == "kubectl.kubernetes.io/restartedAt")
}

/// Row 18: a bundle of certificates is there to be injected, by controllers of any name.
fn is_injected(path: &FieldPath) -> bool {
    path.last_field() == Some("caBundle")
}
