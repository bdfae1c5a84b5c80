//! What follows when an agent falls: whether it is brought back, when, and by which rung of the ladder. Pure: no disk, no
//! clock, no process. Times are milliseconds since the boot, sleep included.

mod answer;
mod fall;
mod ladder;
mod record;
mod steps;
mod suspects;

pub use answer::{Answer, ask};
pub use fall::{Cause, Draft, News, Rule, meaning};
pub use ladder::{CLIMBED, Rung, rung};
pub use record::{Fall, Record, Verdict};
pub use steps::{
    awaits, begin, counts, impossible, in_vain, is_due, left, recovered, stop, take_up, verified,
    wait_until,
};
pub use suspects::{Burden, Suspects};

use crate::mission::policy::AutoRevive;

/// The policy that counts: the cell's, under the ceiling of the daemon's own `auto_revive`, which turns a `yes` into `ask`
/// and nothing else.
pub fn policy(of_cell: AutoRevive, ceiling: bool) -> AutoRevive {
    match of_cell {
        AutoRevive::Yes if !ceiling => AutoRevive::Ask,
        policy => policy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemons_ceiling_turns_yes_into_ask_and_nothing_else() {
        use AutoRevive::{Ask, No, Yes};
        for (of_cell, ceiling, counts) in [
            (Yes, true, Yes),
            (Ask, true, Ask),
            (No, true, No),
            (Yes, false, Ask),
            (Ask, false, Ask),
            (No, false, No),
        ] {
            assert_eq!(policy(of_cell, ceiling), counts);
        }
    }
}
