//! The counters of a cell: fencing tokens, and the highest numbers ever given, so that "next free" never gives an id twice.

use crate::base::error::{Error, Result};
use crate::base::ids::number_of;
use crate::store::commit::Writing;
use crate::store::layout;
use serde::{Deserialize, Serialize};

/// `.mcell/fence`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// How ids made by "next free" begin.
pub const AGENT_PREFIX: &str = "agent_";
/// How ids made by "next free" begin.
pub const TASK_PREFIX: &str = "task_";

/// Reads the counters; if they are lost, what the journal knows of ids stands in.
pub fn read(writing: &Writing<'_>) -> Result<Fence> {
    if let Some(text) = writing.text(layout::FENCE)? {
        return serde_json::from_slice(&text).map_err(|error| {
            Error::malformed(format!(
                "{} cannot be read: {error}",
                writing.cell().folder().path_of(layout::FENCE).display()
            ))
            .hint("move it away: the next command makes it again from the journal")
        });
    }
    let mut fence = Fence::default();
    let journal = writing
        .cell()
        .folder()
        .read_long(layout::JOURNAL)?
        .unwrap_or_default();
    for line in journal.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<crate::store::journal::Line>(line) else {
            continue;
        };
        for change in &line.files {
            fence.remember(&change.file);
        }
    }
    Ok(fence)
}

/// Stages that the id of a file was given, and is never given again: for a file that is removed.
pub fn retire(writing: &mut Writing<'_>, file: &str) -> Result<()> {
    let known = read(writing)?;
    let mut fence = known;
    fence.remember(file);
    if fence != known {
        writing.put_text(layout::FENCE, crate::store::commit::pretty(&fence)?)?;
    }
    Ok(())
}

impl Fence {
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
