//! What one can do with a cell as a whole.

mod backup;
mod look;
mod moves;
mod remove;
mod restore;
mod rise;
mod take_over;

pub use backup::{BackedUp, back_up, file_name, to_file};
pub use look::{Agents, Row, Shown, Tasks, glance, list, show};
pub use moves::{
    AtWork, Changed, Moved, PROTECTED, complete, edit, fail, pause, reopen, resume, set,
};
pub use remove::{prune, remove, to_prune};
pub use restore::{Restored, restore};
pub use take_over::{TakenOver, take_over};
