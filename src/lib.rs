//! driftdeck: interactive drift inspection for people who run Kubernetes from Git.
//!
//! This is the map of the code. Each room is a module; a room imports only the rooms below it (the layer test holds it).
//!
//! ```text
//! shell, cli                terminal, event loop; the headless commands
//! ui, runtime               draws the deck's state; performs its effects
//! deck, pipeline            the terminal app as data; from a change to a verdict
//! action                    plans and executes writes
//! git, render, cluster, drift    objects; manifests; Kubernetes; the comparison. They never import each other
//! gitops                    the engines: their objects, and how their automation is paused
//! config                    settings, paths, private files
//! model, text, process      the nouns; what comes as text; child programs
//! ```
//!
//! Data flows one way: the pipeline discovers apps in a repo, matches them to clusters, renders what Git declares, watches
//! what the clusters hold, judges the difference, and emits [`model::update::Update`]s. The deck folds those into its
//! state; `check` gathers them into a document.

pub mod action;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod deck;
pub mod drift;
pub mod git;
pub mod gitops;
pub mod model;
pub mod pipeline;
pub mod process;
pub mod render;
pub mod runtime;
pub mod shell;
pub mod text;
pub mod ui;
