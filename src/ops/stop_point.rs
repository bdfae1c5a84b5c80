//! Where a test has this process killed: right after a step that is on disk, before the next.

use crate::base::env::Env;
use rustix::process::{Signal, getpid, kill_process};

/// The variable that names the step. It is heeded by builds with debug assertions only: a release has no such place.
const KNOB: &str = "MCELL_STOP_AFTER";

/// This step is done. Kills this process, as a machine that runs out of memory would, if a test named the step.
pub(crate) fn reached(env: &Env, step: &str) {
    if cfg!(debug_assertions) && env.word(KNOB) == Some(step) {
        // SIGKILL to oneself is taken before the call gives anything back.
        _ = kill_process(getpid(), Signal::KILL);
    }
}
