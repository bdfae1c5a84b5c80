//! The only layer that touches mission files: layout, locks, commits, reading.

pub mod cell;
pub mod commit;
pub mod fence;
pub mod folder;
pub mod journal;
pub mod layout;
pub mod lock;
pub mod read;
pub mod root;
pub mod survey;

#[cfg(test)]
mod tests;
