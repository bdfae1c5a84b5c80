//! What one can do with the process of an agent: start it, stop it, start it again (docs/agent.md).
//!
//! Whoever does holds `.mcell/run/<agent>.act` over all steps, and no mission lock over a spawn or a wait.

mod environment;
mod foreground;
mod ground;
mod life;
mod look;
mod origin;
mod plan;
mod start;
mod state;
mod stop;

use rustix::event::poll;
use rustix::time::Timespec;

pub use foreground::{Foreground, start_here};
pub use look::{LifeSeen, running, seen};
pub(crate) use origin::{DeadEnd, dead_end};
pub use plan::Plan;
pub use start::{Ground, Started, look, start};
pub(crate) use start::{is_at_home, launch};
pub(crate) use state::State;
pub use stop::{Stopped, restart, stop};

/// Between two looks at what another process does.
pub(crate) fn pause() {
    let step = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };
    // A signal may end it before.
    _ = poll(&mut [], Some(&step));
}
