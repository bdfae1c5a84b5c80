//! What a start goes on from: a checkpoint that is what was saved, or nothing.

use super::state::State;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::base::text::listed;
use crate::mission::agent::Run;
use crate::mission::placeholder::wants_checkpoint;
use crate::ops::agent::show;
use crate::ops::checkpoint::{self, Broken, Generation};
use crate::ops::session::Session;
use crate::revival::{Record, Rung, rung};
use crate::store::cell::OpenCell;

/// What a start goes on from.
pub(super) struct Origin {
    /// A checkpoint; none: it begins anew.
    pub(super) generation: Option<Generation>,
    /// Younger ones that are not what was saved.
    pub(super) passed_over: Broken,
    /// Those that it failed from too often.
    pub(super) suspects: Vec<u64>,
}

/// Why an agent has nothing to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeadEnd {
    /// It may start from a checkpoint only, and there is none that is what was saved.
    NoneGood,
    /// There are none but those that it failed from too often, and it cannot begin anew.
    Suspects(Vec<u64>),
}

impl DeadEnd {
    /// In words.
    pub(crate) fn words(&self, id: &AgentId) -> String {
        match self {
            DeadEnd::NoneGood => {
                format!("{id} may start from a checkpoint only, and no good one is left")
            }
            DeadEnd::Suspects(numbers) => format!(
                "{id} failed three times from checkpoint {}, and has nothing else to go on from",
                listed(numbers)
            ),
        }
    }

    /// As a refusal (exit 5).
    pub(super) fn refusal(&self, id: &AgentId) -> Error {
        let refused = Error::refused(self.words(id));
        match self {
            DeadEnd::NoneGood => refused
                .hint(format!(
                    "`mcell checkpoint verify {id}` says what is wrong with them"
                ))
                .hint("`mcell policy set checkpoint_required=false` lets agents begin anew"),
            DeadEnd::Suspects(_) => {
                refused.hint(format!("`mcell revive {id}` tries them once more"))
            }
        }
    }
}

/// What an agent goes on from, by what is remembered of its falls; or why there is nothing.
pub(super) fn choose(
    cell: &OpenCell,
    id: &AgentId,
    run: &Run,
    falls: &Record,
) -> Result<std::result::Result<Origin, DeadEnd>> {
    let needs_one = requires_checkpoint(cell)?;
    let may_begin_anew = !needs_one && begins_anew(run);
    let mut suspects = Vec::new();
    let (mut generation, mut passed_over) = checkpoint::good(cell, id, 0, |number| {
        let is_suspect = falls.suspects.has_checkpoint(number);
        suspects.extend(is_suspect.then_some(number));
        is_suspect
    })?;
    if falls.tries > 1 && generation.is_some() {
        let is_suspect = |number| falls.suspects.has_checkpoint(number);
        let (older, broken) = checkpoint::good(cell, id, 1, is_suspect)?;
        match rung(falls.tries, older.is_some(), may_begin_anew) {
            Rung::Newest => {}
            Rung::Older => (generation, passed_over) = (older, broken),
            Rung::Anew => generation = None,
        }
    }
    Ok(match generation {
        None if !suspects.is_empty() && !may_begin_anew => Err(DeadEnd::Suspects(suspects)),
        None if needs_one => Err(DeadEnd::NoneGood),
        generation => Ok(Origin {
            generation,
            passed_over,
            suspects,
        }),
    })
}

/// Why an agent that could not be started will not be startable the next time either; none if nothing says so.
pub(crate) fn dead_end(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
) -> Result<Option<DeadEnd>> {
    let Some(run) = show(cell, id)?.run else {
        return Ok(None);
    };
    let falls = State::seen(cell, id)?.record(&session.moment());
    Ok(choose(cell, id, &run, &falls)?.err())
}

fn requires_checkpoint(cell: &OpenCell) -> Result<bool> {
    let policies = cell.policies()?;
    Ok(policies.is_some_and(|policies| policies.checkpoint_required == Some(true)))
}

/// Whether its command speaks of a checkpoint.
pub(super) fn is_bound(run: &Run) -> bool {
    run.command.iter().any(|text| wants_checkpoint(text))
}

/// Whether it has a command for a start without a checkpoint.
fn begins_anew(run: &Run) -> bool {
    !is_bound(run) || !run.fresh_command.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::checkpoint::{Gift, NewCheckpoint, save};
    use crate::ops::world::World;
    use crate::revival::Burden;

    /// A world whose agent has saved so many checkpoints.
    fn saved(number: usize) -> (World, AgentId) {
        let world = World::new();
        let agent = world.add_agent();
        let gift = |name: &str| {
            Some(Gift {
                name: name.to_owned(),
                text: b"{}".to_vec(),
            })
        };
        let new = NewCheckpoint {
            state: gift("state"),
            context: gift("context"),
            artifacts: Vec::new(),
        };
        for _ in 0..number {
            save(&world.session, &world.cell, &agent, &new).unwrap();
        }
        (world, agent)
    }

    fn run(command: &[&str]) -> Run {
        serde_json::from_value(serde_json::json!({ "command": command })).unwrap()
    }

    /// An agent that failed so often from each of these.
    fn failed(from: &[u64]) -> Record {
        let mut record = Record::default();
        for number in from {
            let burden = Burden {
                checkpoint: Some(*number),
                task: None,
            };
            record.suspects.failed(&burden);
        }
        record
    }

    #[test]
    fn a_checkpoint_that_it_failed_from_three_times_is_passed_over_and_named() {
        // hermes-agent 49201, 7536: resume replayed the very command that killed it.
        let (world, agent) = saved(2);
        let choose = |falls: &Record| {
            let run = run(&["work"]);
            let origin = choose(&world.cell, &agent, &run, falls).unwrap().unwrap();
            let number = origin.generation.map(|generation| generation.number);
            (number, origin.suspects)
        };
        assert_eq!(choose(&failed(&[2, 2])), (Some(2), vec![]));
        assert_eq!(choose(&failed(&[2, 2, 2])), (Some(1), vec![2]));
        let both = failed(&[2, 2, 2, 1, 1, 1]);
        assert_eq!(choose(&both), (None, vec![2, 1]));
    }

    #[test]
    fn who_cannot_begin_anew_and_has_suspects_only_is_at_a_dead_end() {
        let (world, agent) = saved(1);
        let bound = run(&["work", "--resume", "{checkpoint}"]);
        let falls = failed(&[1, 1, 1]);
        let end = choose(&world.cell, &agent, &bound, &falls).unwrap().err();
        assert_eq!(end, Some(DeadEnd::Suspects(vec![1])));
        let words = end.unwrap().words(&agent);
        assert!(words.contains("three times from checkpoint 1"), "{words}");
    }

    #[test]
    fn where_a_checkpoint_is_required_having_none_is_a_dead_end_from_the_start() {
        let (world, agent) = saved(0);
        world.write("config/policies.json", r#"{"checkpoint_required": true}"#);
        let none = Record::default();
        let end = choose(&world.cell, &agent, &run(&["work"]), &none).unwrap();
        assert_eq!(end.err(), Some(DeadEnd::NoneGood));
    }
}
