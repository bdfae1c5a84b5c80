//! What a scan sees of the root's daemon.

use crate::base::clock::Time;
use crate::base::duration::age;
use crate::ops::presence::Presence;
use schemars::JsonSchema;
use serde::Serialize;

/// What a scan sees of the root's daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DaemonSeen {
    /// Whether it runs.
    pub running: bool,
    /// Whether it was stopped in order.
    pub stopped: bool,
    /// Its process, if it runs.
    pub pid: Option<u32>,
    /// When its last sweep ended; null if none ever ran.
    pub last_sweep: Option<Time>,
}

impl DaemonSeen {
    pub(super) fn of(presence: &Presence) -> Self {
        let about = match presence {
            Presence::Runs(about) | Presence::Stopped(about) | Presence::Fell(about) => Some(about),
            Presence::Never => None,
        };
        DaemonSeen {
            running: presence.running().is_some(),
            stopped: matches!(presence, Presence::Stopped(_)),
            pid: presence.running().map(|about| about.pid),
            last_sweep: about.and_then(|about| about.last_sweep),
        }
    }

    /// Whether one ran, and ended without having been told to.
    pub fn fell(&self) -> bool {
        !self.running && !self.stopped && self.last_sweep.is_some()
    }

    /// That it does not run, in a sentence.
    pub fn down(&self, now: Time) -> String {
        let sweep = self.last_sweep.map_or_else(String::new, |last| {
            let past = u64::try_from(now.since(last)).unwrap_or(0);
            format!(" (last sweep {})", age(past))
        });
        format!("the daemon of this root does not run{sweep}")
    }
}
