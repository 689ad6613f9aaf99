//! Defines the tests of the room: real repositories made by the real `git`, in temporary folders and without the
//! configuration of whoever runs them.

mod fixture;
mod opening;
mod revisions;
mod trees;
