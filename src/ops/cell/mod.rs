//! What one can do with a cell as a whole.

mod look;
mod moves;
mod remove;

pub use look::{Agents, Row, Shown, Tasks, glance, list, show};
pub use moves::{
    AtWork, Changed, Moved, PROTECTED, complete, edit, fail, pause, reopen, resume, set,
};
pub use remove::{prune, remove, to_prune};
