//! What the integration tests share: the control plane and forge, programs in a hermetic environment, Git repositories, a
//! terminal, the fault proxy, and patience.
//!
//! Each test crate takes it in with `#[path = "../support/mod.rs"] mod support;`.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "each test crate uses a part of it, and whatever goes wrong here ends the test"
)]

pub mod canary;
pub mod forge;
pub mod git_server;
pub mod hanging;
pub mod https;
pub mod patience;
pub mod plane;
pub mod programs;
pub mod proxy;
pub mod repository;
pub mod terminal;
pub mod tunnel;
pub mod webhook;

pub use forge::{Account, Forge, ForgeRepository};
pub use git_server::GitServer;
pub use https::Https;
pub use patience::{eventually, eventually_within, never_within};
pub use plane::{Access, Namespace, Plane};
pub use programs::{Home, Run, corpus};
pub use proxy::{Fault, FaultProxy, Matching, Seen};
pub use repository::Repository;
pub use terminal::Terminal;
pub use tunnel::Tunnel;
pub use webhook::Webhook;
