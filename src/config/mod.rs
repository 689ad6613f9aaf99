//! Defines settings and where files are kept: files become typed values here.

pub mod log;
pub mod paths;
pub mod private;
