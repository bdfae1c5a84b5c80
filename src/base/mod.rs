//! What every layer stands on and what knows nothing of missions: errors, time, names, text, findings, the outside world.

pub mod backoff;
pub mod boot;
pub mod clock;
pub mod document;
pub mod duration;
pub mod env;
pub mod error;
pub mod exit;
pub mod finding;
pub mod host;
pub mod ids;
pub mod process;
pub mod signal;
pub mod strict;
pub mod text;
pub mod variables;
