//! Defines the one trait for a cluster and its implementations.
//!
//! `remote` is a Kubernetes API through a kubeconfig context and holds all of kube; `offline` is in memory: the demo's
//! world, snapshots of files, and tests that need no server. Everything above speaks only to [`Cluster`] and [`Writer`].
//!
//! All requests pass one gate: reads and named reviews through [`Cluster`], dry runs only through
//! [`Cluster::dry_run`], writes only through a [`Writer`], which is not constructed in read-only.

pub mod access;
mod body;
pub mod builtin;
pub mod discovery;
pub mod offline;
pub mod openapi;
pub mod remote;

pub use access::{Cluster, ClusterError, LogOf, Login, Part, Patch, Propagation, WatchEvent, Write, Writer};
pub use offline::Offline;
pub use remote::Remote;
