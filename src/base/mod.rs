//! What every layer stands on; it knows nothing of missions.

pub mod duration;
