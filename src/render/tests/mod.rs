//! Proves rendering on whole apps.
