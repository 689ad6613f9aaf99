use driftdeck::model::{Opener, Sealed};
use driftdeck::text::Outside;

fn main() {
    let sealed = Sealed::text("canary".to_owned());
    let _ = &sealed.raw;
    let _ = &sealed.plain;
    let _ = sealed.open(&Opener::new());
    let _ = &Outside::new("canary").0;
}
