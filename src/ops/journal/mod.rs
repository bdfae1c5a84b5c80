//! The journal: what was done in a cell, and whether the record still tells the truth.

mod head;
mod show;
mod verify;

pub use head::{Head, head};
pub use show::{Entry, Listener, Reading, Told, Wanted};
pub use verify::{Flaw, Verified, Verify, verify};
