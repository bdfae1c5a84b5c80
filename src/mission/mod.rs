//! The nouns of a mission and their rules: no disk, no clock, no printing.

pub mod amount;
pub mod drawing;
pub mod graph;
