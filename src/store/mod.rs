//! The only layer that touches mission files: layout, locks, commits, reading.

pub mod archive;
pub mod beat;
pub mod cell;
pub mod census;
pub mod commit;
pub mod daemon_log;
pub mod fence;
pub mod folder;
pub mod fs2;
pub mod half;
pub mod handoff;
pub mod health;
pub mod incoming;
pub mod inotify;
pub mod journal;
pub mod layout;
pub mod lock;
pub mod own;
pub mod read;
pub mod revival;
pub mod root;
pub mod run;
pub mod socket;
pub mod survey;
pub mod tail;
pub mod trial;
pub mod walk;
pub mod watch;
pub mod workers;

#[cfg(test)]
mod tests;
