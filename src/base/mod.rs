//! What knows nothing of missions.

pub mod document;
