//! The Lazarus Pit: watches every cell of a root, listens for heartbeats, and acts on what it sees.

pub mod desk;
pub mod events;
pub mod listen;
pub mod log;
pub mod message;
pub mod metrics;
pub mod pool;
pub mod routes;
pub mod run;
pub mod setup;
pub mod story;
pub mod supervisor;
pub mod tell;
pub mod tree;
pub mod world;
