//! mcell: mission cells on disk.

pub mod base;
pub mod mission;
