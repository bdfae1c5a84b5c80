//! What a cell remembers beside its mission files: the last fencing token, the highest numbers ever given, so that "next
//! free" never gives an id twice, who holds which task, and when the next pause ends. One small file, so that a command
//! learns from one read whether anything is due.

use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::number_of;
use crate::mission::claim::Hold;
use crate::mission::lease::Lease;
use crate::mission::task::Task;
use crate::store::commit::{Writing, pretty};
use crate::store::journal::{Line, Lines};
use crate::store::layout;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `.mcell/fence`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The highest token given.
    #[serde(default)]
    pub token: u64,
    /// The highest N of any `agent_N` ever removed.
    #[serde(default)]
    pub agent: u64,
    /// The highest N of any `task_N` ever removed.
    #[serde(default)]
    pub task: u64,
    /// Who holds which task, by the task's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Hold>,
    /// Since when the cell is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_since: Option<Time>,
    /// The handoffs that wait for their taker, by the task's id: one a task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offers: BTreeMap<String, Offer>,
    /// No pause ends before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<Time>,
}

/// What the cell remembers of a handoff that waits for its taker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The handoff.
    pub id: String,
    /// How long it waits. This one counts: it stands still while the cell is paused.
    pub deadline: Lease,
}

/// How ids made by "next free" begin.
pub const AGENT_PREFIX: &str = "agent_";
/// How ids made by "next free" begin.
pub const TASK_PREFIX: &str = "task_";

/// Reads what is there; none if there is no such file.
pub fn find(writing: &Writing<'_>) -> Result<Option<Fence>> {
    let Some(text) = writing.text(layout::FENCE)? else {
        return Ok(None);
    };
    let mut fence: Fence = serde_json::from_slice(&text).map_err(|error| {
        Error::malformed(format!(
            "{} cannot be read: {error}",
            writing.cell().folder().path_of(layout::FENCE).display()
        ))
        .hint("move it away: the next command makes it again from the journal")
    })?;
    // One that was put back from somewhere may be behind; every line of the journal knows the last token.
    fence.token = fence.token.max(writing.token());
    Ok(Some(fence))
}

/// The same; if it is lost, what the journal knows of ids and the tasks of their holders stand in.
pub fn read(writing: &Writing<'_>) -> Result<Fence> {
    if let Some(fence) = find(writing)? {
        return Ok(fence);
    }
    let mut fence = Fence {
        token: writing.token(),
        ..Fence::default()
    };
    let mut lines = Lines::of(writing.cell().folder())?;
    while let Some(line) = lines.next()? {
        let Ok(line) = serde_json::from_slice::<Line>(line.text) else {
            continue;
        };
        for change in &line.files {
            fence.remember(&change.file);
        }
    }
    for id in writing.cell().task_ids()? {
        let Some(task) = writing.read_sound::<Task>(&layout::task(&id))? else {
            continue;
        };
        if let Some(claim) = &task.claim {
            fence.token = fence.token.max(claim.token);
            fence.held.insert(id.to_string(), Hold::of(claim));
        }
    }
    for id in crate::store::handoff::ids(writing.cell(), layout::OFFERS)? {
        // One that is not sound is for the list to name.
        let open = match crate::store::handoff::read_open(writing, &id) {
            Err(error) if error.kind() == Kind::Malformed => None,
            open => open?,
        };
        if let Some(handoff) = open
            && let Some(deadline) = handoff.deadline
        {
            let id = id.to_string();
            fence.offers.insert(handoff.task_id, Offer { id, deadline });
        }
    }
    Ok(fence)
}

/// The lease of a task, for a look without the lock. What cannot be read says nothing here.
pub fn lease_of(cell: &crate::store::cell::OpenCell, task: &str) -> Result<Option<Lease>> {
    Ok(seen(cell)?.held.remove(task).and_then(|hold| hold.lease))
}

/// What is remembered, for a look without the lock. What cannot be read says nothing here.
pub fn seen(cell: &crate::store::cell::OpenCell) -> Result<Fence> {
    let text = cell.folder().read(layout::FENCE)?.unwrap_or_default();
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}

/// Stages it.
pub fn put(writing: &mut Writing<'_>, fence: &Fence) -> Result<()> {
    writing.give_token(fence.token);
    writing.put_text(layout::FENCE, pretty(fence)?).map(|_| ())
}

/// Stages it if something else is changed too: it was lost, or says less than is known.
pub fn put_beside(writing: &mut Writing<'_>, fence: &Fence) -> Result<()> {
    writing.give_token(fence.token);
    writing.put_beside(layout::FENCE, pretty(fence)?)
}

/// Stages that the id of a file was given, and is never given again: for a file that is removed.
pub fn retire(writing: &mut Writing<'_>, file: &str) -> Result<()> {
    let known = read(writing)?;
    let mut fence = known.clone();
    fence.remember(file);
    if fence != known {
        put(writing, &fence)?;
    }
    Ok(())
}

impl Fence {
    /// The next token: higher than any before.
    pub fn next_token(&mut self) -> u64 {
        self.token += 1;
        self.token
    }

    /// Notes that the id of a file was given.
    pub fn remember(&mut self, file: &str) {
        let stem = crate::mission::sheet::stem(file);
        match layout::split(file).0 {
            layout::AGENTS => {
                self.agent = self.agent.max(number_of(stem, AGENT_PREFIX).unwrap_or(0));
            }
            layout::TASKS => self.task = self.task.max(number_of(stem, TASK_PREFIX).unwrap_or(0)),
            _ => {}
        }
    }
}

/// The next free id: above every number in use and every number ever given.
pub fn next<'i>(prefix: &str, given: u64, in_use: impl Iterator<Item = &'i str>) -> String {
    let highest = in_use
        .filter_map(|id| number_of(id, prefix))
        .max()
        .unwrap_or(0)
        .max(given);
    format!("{prefix}{:03}", highest.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_id_is_above_all_ever_given() {
        assert_eq!(next("task_", 0, [].into_iter()), "task_001");
        assert_eq!(
            next("task_", 0, ["task_007", "review"].into_iter()),
            "task_008"
        );
        assert_eq!(next("task_", 12, ["task_007"].into_iter()), "task_013");
        assert_eq!(next("task_", 0, ["task_1000"].into_iter()), "task_1001");
    }
}
