//! A command may be killed at any moment: the cell is old or new, never torn, and the next command needs no help.
//!
//! A kill comes before its call is done, so what is on disk is the same at every call between two that change something:
//! one kill at each call that changes, locks or ends the process is a kill at every call.

use crate::injection::{nothing_wrong, sweep};
use crate::swept::{Swept, WRITERS, talk};
use crate::world::require;
use std::os::unix::process::ExitStatusExt;

#[test]
fn a_command_killed_at_any_system_call_leaves_the_cell_old_or_new() {
    if !require("strace") {
        return;
    }
    let mut kills = 0;
    let mut wrong = Vec::new();
    for (before, line) in WRITERS {
        let swept = Swept::new(*before, line);
        let places: Vec<_> = swept.calls.iter().filter(|call| call.changes()).collect();
        kills += places.len();
        wrong.extend(sweep(&places, |number, call| {
            let copy = swept.start.copy(&format!("killed-{number}"));
            let output = swept
                .start
                .inject(&copy, call, "signal=SIGKILL", &swept.words);
            let mut wrong = Vec::new();
            if output.status.signal() != Some(9) {
                wrong.push(format!("it was not killed: {}", talk(&output)));
            }
            wrong.extend(swept.torn(&copy));
            wrong.extend(swept.after(&copy));
            let _ = std::fs::remove_dir_all(&copy);
            let place = |what| format!("`{line}` ({before:?}) killed at {call}\n    {what}");
            wrong.into_iter().map(place).collect()
        }));
    }
    nothing_wrong(&wrong, kills);
}
