//! Use cases: what one can do with a noun in a cell on disk. Lock, read, decide (the noun does), write.

pub mod agent;
pub mod artifact;
pub mod cell;
pub mod changes;
pub mod checkpoint;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod drill;
pub mod due;
pub mod edit;
pub mod export;
pub mod find;
pub mod gateway;
pub mod handoff;
pub mod health;
pub mod heartbeat;
pub mod hold;
pub mod http;
pub mod init;
pub mod isolation;
pub mod journal;
pub mod operator;
pub mod permission;
pub mod policy;
pub mod presence;
pub mod probe;
pub mod revival;
pub mod run;
pub mod scan;
pub mod session;
pub mod set;
pub mod sight;
pub(crate) mod stop_point;
pub mod task;
pub mod template;
pub mod trash;
pub mod validate;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
pub(crate) mod world;

pub use session::Session;
