//! driftdeck.
