//! What a life that failed went on from, and what it worked on: each may be why.

use crate::base::clock::Time;
use crate::mission::agent::Agent;
use crate::mission::run::RunNote;
use crate::ops::run::State;
use crate::revival::Record;

/// A life that lasted so many seconds did not fail because of what it went on from.
const EARLY: u64 = 600;

/// Counts the failure of a life. Gives a sentence if the task that it held is a suspect by now.
pub(super) fn blame(
    record: &mut Record,
    agent: &Agent,
    state: &State,
    note: &RunNote,
    now: Time,
) -> Option<String> {
    let is_early = note.lasted(now).is_some_and(|seconds| seconds < EARLY);
    let task = agent.current_task.as_deref();
    let checkpoint = state.checkpoint().filter(|_| is_early);
    record.suspects.failed(checkpoint, task);
    let task = task.filter(|task| record.suspects.has_task(task))?;
    Some(format!(
        "it fell three times over {task}, which may be why; a yes tries it once more"
    ))
}
