//! Which requests there are, and which one is meant.

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::mission::revival::{Revival, Status};
use crate::mission::timeline::{Did, Passed, Step};
use crate::ops::find::Scope;
use crate::store::cell::OpenCell;
use crate::store::{layout, revival};
use schemars::JsonSchema;
use serde::Serialize;

/// A request as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The agent.
    pub agent_id: String,
    /// How it stands.
    pub status: Status,
    /// Why it is asked for.
    pub reason: String,
    /// Why it stands so: what it waits for, or how it ended.
    pub why: Option<String>,
    /// When it was asked for.
    pub requested_at: Time,
    /// Who asked.
    pub requested_by: String,
    /// Whether the agent was broken on purpose.
    pub is_drill: bool,
    /// It is not carried out before this.
    pub not_before: Option<Time>,
    /// The operator who approved or denied it.
    pub answered_by: Option<String>,
    /// The life that was begun for it.
    pub incarnation: Option<u64>,
    /// The checkpoint that life goes on from; null: it began anew, or was not begun.
    pub checkpoint: Option<u64>,
    /// When its process was started.
    pub started_at: Option<Time>,
    /// When the agent had proved that it lives.
    pub revived_at: Option<Time>,
    /// When it was over, however.
    pub closed_at: Option<Time>,
    /// The process of that life.
    pub pid: Option<u32>,
    /// Its story: every step, the oldest first. Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<ToldStep>,
}

/// A step of a story as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ToldStep {
    /// What.
    pub step: Did,
    /// When.
    pub at: Time,
    /// Seconds since the first step; null where that is not known, as across a boot.
    pub after: Option<f64>,
    /// Seconds since the step before; null where that is not known.
    pub since_last: Option<f64>,
    /// Why, or what it came to.
    pub what: Option<String>,
    /// The life of the agent that it is about.
    pub incarnation: Option<u64>,
    /// The process of that life.
    pub pid: Option<u32>,
    /// The checkpoint that it goes on from.
    pub checkpoint: Option<u64>,
    /// Younger checkpoints that were passed over.
    pub passed_over: Vec<Passed>,
}

/// The steps of a story with the seconds between them.
fn story(steps: Vec<Step>) -> Vec<ToldStep> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "milliseconds of an incident are far below 2^53"
    )]
    let between = |earlier: Option<&Step>, step: &Step| {
        let milliseconds = step.since(earlier?)?;
        Some(milliseconds as f64 / 1000.0)
    };
    let mut last = None;
    let seconds: Vec<_> = steps
        .iter()
        .map(|step| {
            let since_last = between(last.replace(step), step);
            (between(steps.first(), step), since_last)
        })
        .collect();
    let told = steps.into_iter().zip(seconds);
    told.map(|(step, (after, since_last))| ToldStep {
        step: step.step,
        at: step.at,
        after,
        since_last,
        what: step.what,
        incarnation: step.incarnation,
        pid: step.pid,
        checkpoint: step.checkpoint,
        passed_over: step.passed_over,
    })
    .collect()
}

impl From<Revival> for Told {
    fn from(revival: Revival) -> Self {
        Told {
            id: revival.id,
            cell_id: revival.cell_id,
            agent_id: revival.agent_id,
            status: revival.status,
            reason: revival.reason,
            why: revival.why,
            requested_at: revival.requested_at,
            requested_by: revival.requested_by,
            is_drill: revival.is_drill,
            not_before: revival.not_before.map(|wait| wait.expires_at),
            answered_by: revival.answered_by,
            incarnation: revival.incarnation,
            checkpoint: revival.checkpoint,
            started_at: revival.started_at,
            revived_at: revival.revived_at,
            closed_at: revival.closed_at,
            pid: revival.pid,
            steps: story(revival.steps),
        }
    }
}

impl Told {
    /// Whether nothing comes of it before an operator says something.
    pub fn waits_for_operator(&self) -> bool {
        self.status == Status::PendingApproval
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Listed {
    /// The requests, the oldest first.
    pub revivals: Vec<Told>,
    /// Of how many cells.
    pub cells: usize,
    /// What could not be read.
    pub troubles: Vec<Error>,
}

/// The requests of a scope: those that are open, or all that are kept.
pub fn list(scope: &Scope, all: bool) -> Result<Listed> {
    let (seen, troubles) = scope.look_around(all, |cell| of_cell(cell, all))?;
    let cells = seen.len() + troubles.len();
    let mut revivals: Vec<Told> = seen.into_iter().flatten().map(Told::from).collect();
    revivals.iter_mut().for_each(|told| told.steps.clear());
    revivals
        .sort_by(|one, other| (one.requested_at, &one.id).cmp(&(other.requested_at, &other.id)));
    Ok(Listed {
        revivals,
        cells,
        troubles,
    })
}

/// The requests of one cell.
fn of_cell(cell: &OpenCell, all: bool) -> Result<Vec<Revival>> {
    let mut found: Vec<Revival> = Vec::new();
    let folders: &[&str] = if all {
        &[layout::OPEN_REVIVALS, layout::REVIVALS]
    } else {
        &[layout::OPEN_REVIVALS]
    };
    for folder in folders {
        for id in revival::ids(cell, folder)? {
            // It may have gone to the other folder, or away, since.
            let known = found.iter().any(|one| one.id == id.as_str());
            if !known {
                found.extend(revival::read(cell, &id)?);
            }
        }
    }
    Ok(found)
}

/// The one request of a scope whose id begins so, with its cell (exit 3 if there is none, 2 if there are several).
pub fn find(scope: &Scope, beginning: &str) -> Result<(OpenCell, Revival)> {
    let (seen, troubles) = scope.look_around(true, |cell| {
        let meant = |one: &Revival| one.id.starts_with(beginning);
        let found: Vec<_> = of_cell(cell, true)?.into_iter().filter(meant).collect();
        Ok((cell.path().to_path_buf(), found))
    })?;
    let mut found: Vec<_> = seen
        .into_iter()
        .flat_map(|(path, found)| found.into_iter().map(move |one| (path.clone(), one)))
        .collect();
    // Whose whole id that is goes first.
    let whole = found.iter().position(|(_, one)| one.id == beginning);
    match (whole, found.len()) {
        (None, 0) => match troubles.into_iter().next() {
            Some(trouble) => Err(trouble),
            None => Err(
                Error::not_found(format!("there is no revival {}", shown(beginning)))
                    .hint("`mcell revival list --all` shows those that are kept"),
            ),
        },
        (None, 2..) => {
            let ids: Vec<&str> = found.iter().map(|(_, one)| one.id.as_str()).collect();
            let told = format!("{} begins several: {}", shown(beginning), ids.join(", "));
            Err(Error::usage(told).hint("type more of it"))
        }
        (at, _) => {
            let (path, revival) = found.swap_remove(at.unwrap_or(0));
            Ok((OpenCell::open(&path)?, revival))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::RevivalId;
    use crate::ops::revival::put;
    use crate::ops::run::State;
    use crate::ops::world::World;
    use crate::store::revival::KEPT;

    #[test]
    fn requests_do_not_pile_up_the_newest_hundred_that_are_over_are_kept() {
        // The fleet's first queue was never pruned.
        let mut world = World::in_memory();
        let agent = world.add_agent();
        let mut ids = Vec::new();
        for _ in 0..=KEPT {
            world.seconds_pass(1);
            let id = RevivalId::random();
            let mut writing = world.session.write(&world.cell, "revive").unwrap();
            let mut state = State::read(&writing, &agent).unwrap();
            let why = String::from("it fell");
            let mut one = Revival::new(&id, world.cell.id(), &agent, why, writing.now());
            one.become_status(Status::Suppressed, None, writing.now());
            put(&mut writing, &agent, &mut state, &one).unwrap();
            writing.commit("over").unwrap();
            ids.push(id);
        }
        let kept = revival::ids(&world.cell, layout::REVIVALS).unwrap();
        assert_eq!(kept.len(), KEPT);
        assert!(!kept.contains(&ids[0]) && kept.contains(&ids[1]));
        assert!(
            revival::ids(&world.cell, layout::OPEN_REVIVALS)
                .unwrap()
                .is_empty()
        );
    }
}
