//! The only layer that touches mission files: layout, locks, commits, reading.

pub mod folder;
pub mod journal;
pub mod layout;
pub mod lock;
pub mod survey;
