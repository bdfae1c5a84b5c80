//! mcell: mission cells on disk.
//!
//! The map of the house. Arrows point down only; `tests/layers.rs` keeps it so.
//!
//! ```text
//! cli      one file a command: arguments and words
//! daemon   the Lazarus Pit: sweep, judge, act; listener, routes, metrics, stories
//! ops      use cases: lock, read, decide, write
//! runner   one process an agent: starts it, takes its log, ends last; and what finds and ends what a dead one left
//! store    the only layer that touches mission files: layout, lock, commit, survey
//! revival  what follows when an agent falls; pure
//! health   what the signs of an agent mean; pure
//! mission  the nouns and their rules: cell, agent, task, policy, isolation, permission
//! ui       how we speak: printer, report, table, prompt, trouble; knows no noun
//! base     error, clock, ids, text, finding, document, env: knows nothing of missions
//! ```

pub mod base;
pub mod cli;
pub mod daemon;
pub mod health;
pub mod mission;
pub mod ops;
pub mod revival;
pub mod runner;
pub mod store;
pub mod ui;
