//! Defines the tests of the room: real repositories made by the real `git`, in temporary folders and without the
//! configuration of whoever runs them.

mod blame;
mod canaries;
mod committing;
mod fixture;
mod history;
mod landing;
mod mirrors;
mod opening;
mod proposing;
mod revisions;
mod trees;
mod watches;
mod writing;
