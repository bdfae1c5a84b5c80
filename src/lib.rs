//! mcell: mission cells on disk.

pub mod base;
