//! Suspects: a checkpoint or a task under which an agent fails again and again. They are counted over incidents, so that
//! neither is tried for ever.

use crate::base::clock::Time;
use crate::mission::agent::Agent;
use crate::mission::run::RunNote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many failures make a suspect.
const AT: u32 = 3;
/// So many of each kind are remembered.
const KEPT: usize = 16;

/// A life that lasted so many seconds did not fail because of what it went on from.
const EARLY: u64 = 600;

/// What a life went on from and what it worked on: if it failed, each may be why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burden {
    /// The generation of its checkpoint, if it failed soon after it began.
    pub checkpoint: Option<u64>,
    /// The task.
    pub task: Option<String>,
}

impl Burden {
    /// That of an agent's present life, which went on from that checkpoint.
    pub fn of(agent: &Agent, checkpoint: Option<u64>, note: &RunNote, now: Time) -> Self {
        let is_early = note.lasted(now).is_some_and(|seconds| seconds < EARLY);
        Burden {
            checkpoint: checkpoint.filter(|_| is_early),
            task: agent.current_task.clone(),
        }
    }
}

/// How often an agent failed, by what it went on from and by what it worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suspects {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checkpoints: BTreeMap<u64, u32>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tasks: BTreeMap<String, u32>,
}

impl Suspects {
    /// A life failed. Gives a sentence if the task that it held is a suspect by now.
    pub fn failed(&mut self, burden: &Burden) -> Option<String> {
        if let Some(number) = burden.checkpoint {
            *self.checkpoints.entry(number).or_default() += 1;
            // The oldest are the first to be pruned on disk, too.
            while self.checkpoints.len() > KEPT {
                self.checkpoints.pop_first();
            }
        }
        let id = burden.task.as_deref()?;
        *self.tasks.entry(id.to_owned()).or_default() += 1;
        while self.tasks.len() > KEPT {
            self.drop_least(id);
        }
        self.has_task(id).then(|| {
            format!("it fell three times over {id}, which may be why; a yes tries it once more")
        })
    }

    /// Forgets the task with the fewest failures, but for that one.
    fn drop_least(&mut self, but: &str) {
        let others = self.tasks.iter().filter(|(id, _)| *id != but);
        let least = others.min_by_key(|(_, failures)| **failures);
        if let Some(id) = least.map(|(id, _)| id.clone()) {
            self.tasks.remove(&id);
        }
    }

    /// Whether a checkpoint is not gone on from any more.
    pub fn has_checkpoint(&self, number: u64) -> bool {
        self.checkpoints
            .get(&number)
            .is_some_and(|failures| *failures >= AT)
    }

    /// Whether an agent is not brought back to this task without somebody's word.
    pub fn has_task(&self, id: &str) -> bool {
        self.tasks.get(id).is_some_and(|failures| *failures >= AT)
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.checkpoints.is_empty() && self.tasks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burden(checkpoint: Option<u64>, task: Option<&str>) -> Burden {
        Burden {
            checkpoint,
            task: task.map(str::to_owned),
        }
    }

    #[test]
    fn the_same_checkpoint_three_times_is_a_suspect_and_its_neighbour_is_not() {
        // hermes-agent 49201, 7536: a resume replayed the very command that killed it.
        let mut suspects = Suspects::default();
        for before in 0..3 {
            assert!(!suspects.has_checkpoint(7), "after {before}");
            suspects.failed(&burden(Some(7), None));
        }
        assert!(suspects.has_checkpoint(7) && !suspects.has_checkpoint(6));
    }

    #[test]
    fn a_task_that_kills_its_agent_is_a_suspect_at_the_third_time() {
        // gastown 4044: 75 restarts for one task.
        let mut suspects = Suspects::default();
        suspects.failed(&burden(Some(1), Some("task_001")));
        suspects.failed(&burden(Some(2), Some("task_001")));
        suspects.failed(&burden(Some(2), Some("task_002")));
        assert!(!suspects.has_task("task_001"));
        suspects.failed(&burden(None, Some("task_001")));
        assert!(suspects.has_task("task_001") && !suspects.has_task("task_002"));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_worst_is_kept() {
        let mut suspects = Suspects::default();
        for _ in 0..3 {
            suspects.failed(&burden(None, Some("task_bad")));
        }
        for number in 0..100 {
            suspects.failed(&burden(Some(number), Some(&format!("task_{number}"))));
        }
        assert!(suspects.has_task("task_bad"));
        assert_eq!((suspects.checkpoints.len(), suspects.tasks.len()), (16, 16));
    }

    #[test]
    fn it_reads_back_what_it_wrote() {
        let mut suspects = Suspects::default();
        suspects.failed(&burden(Some(7), Some("task_001")));
        let value = serde_json::to_value(&suspects).unwrap();
        assert_eq!(serde_json::from_value::<Suspects>(value).unwrap(), suspects);
    }
}
