//! Defines the tests of the room: real repositories made by the real `git`, in temporary folders and without the
//! configuration of whoever runs them.

mod blame;
mod canaries;
mod fixture;
mod history;
mod mirrors;
mod opening;
mod revisions;
mod trees;
mod watches;
mod writing;
