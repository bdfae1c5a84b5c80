//! mcell: mission cells on disk.
//!
//! The map of the house. Arrows point down only; `tests/layers.rs` keeps it so.
//!
//! ```text
//! cli      one file a command: arguments and words
//! ops      use cases: lock, read, decide, write
//! store    the only layer that touches mission files: layout, lock, commit, survey
//! mission  the nouns and their rules: cell, agent, task, policy, isolation, permission
//! ui       how we speak: printer, report, table, prompt, trouble; knows no noun
//! base     error, clock, ids, text, finding, document, env: knows nothing of missions
//! ```

pub mod base;
pub mod cli;
pub mod mission;
pub mod ops;
pub mod store;
pub mod ui;
