//! The Lazarus Pit: watches every cell of a root, listens for heartbeats, and acts on what it sees.

pub mod listen;
pub mod message;
