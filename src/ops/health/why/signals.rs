//! Every sort of sign of an agent, in words and numbers.

use super::at;
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::health::reason::Idle;
use crate::health::roster::Watched;
use crate::health::signs::{Due, Sort, Told};
use crate::health::state::State;
use schemars::JsonSchema;
use serde::Serialize;

/// One sort of sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignalSeen {
    /// Which.
    pub signal: Sort,
    /// Whether it is due.
    pub due: bool,
    /// Why it is, or is not.
    pub because: String,
    /// When the last one came.
    pub last: Option<Time>,
    /// Seconds since then.
    pub silent: Option<u64>,
    /// Seconds of silence that mean degraded.
    pub degraded_after: Option<u64>,
    /// Seconds of silence that mean unhealthy.
    pub unhealthy_after: Option<u64>,
    /// Bad ones in a row.
    pub failures: u64,
    /// Good ones in a row since it was down; null if it is not.
    pub recovered: Option<u64>,
    /// What is made of it; null if it is not due.
    pub status: Option<State>,
    /// Why, in a sentence.
    pub reason: Option<String>,
}

pub(super) fn of(watched: &Watched, note: Option<&str>, now: Clocks) -> Vec<SignalSeen> {
    let told = watched.signs.explain(&watched.case, now.up);
    told.into_iter()
        .map(|told| SignalSeen {
            signal: told.sort,
            due: told.due != Due::No,
            because: because(watched, &told, note),
            last: told.last.and_then(|last| at(last, now)),
            silent: told.last.map(|last| now.up.saturating_sub(last) / 1000),
            degraded_after: told.silence.map(|(late, _)| late),
            unhealthy_after: told.silence.map(|(_, dead)| dead),
            failures: told.bad,
            recovered: told.good,
            status: told.verdict.as_ref().map(|verdict| verdict.state),
            reason: told.verdict.map(|verdict| verdict.reason.to_string()),
        })
        .collect()
}

fn because(watched: &Watched, told: &Told<'_>, note: Option<&str>) -> String {
    match (told.sort, told.due) {
        (Sort::Process, Due::No) => match watched.case.idle {
            Some(Idle::NotWanted) => String::from("mcell is not to keep it running"),
            _ => String::from("it has no command: somebody else starts it"),
        },
        (Sort::Process, _) => String::from("mcell is to keep it running"),
        (Sort::Heartbeat, Due::No) => {
            String::from("none came in this life, and `health.expect` does not name it")
        }
        (Sort::Notify, Due::No) => {
            String::from("its watchdog never pinged, and `health.expect` does not name it")
        }
        (Sort::Output, Due::No) => String::from("`health.output_timeout` is not set"),
        (Sort::Output, _) => String::from("`health.output_timeout` is set"),
        (Sort::Probe, Due::No) => {
            note.map_or_else(|| String::from("it has no gateway"), str::to_owned)
        }
        (Sort::Probe, _) => String::from("its gateway can be asked"),
        (Sort::Failure, _) => String::from("it reported one"),
        (_, Due::Expected) => String::from("`health.expect` names it"),
        (_, Due::Begun | Due::Itself) => String::from("the first one came"),
    }
}
