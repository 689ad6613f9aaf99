use driftdeck::model::{Sealed, Value};

fn copied<T: Clone>() {}
fn printed<T: std::fmt::Display>() {}
fn serialised<T: serde::Serialize>() {}

fn main() {
    copied::<Sealed>();
    printed::<Sealed>();
    serialised::<Sealed>();
    serialised::<Value>();
}
