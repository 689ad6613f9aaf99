//! Tests that the demo's world is what it promises.
