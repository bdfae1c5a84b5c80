//! The Lazarus Pit: watches every cell of a root, listens for heartbeats, and acts on what it sees.

pub mod desk;
pub mod log;
pub mod metrics;
pub mod story;
pub mod supervisor;
pub mod tell;
pub mod tree;
pub mod world;
