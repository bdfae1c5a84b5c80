//! What became of the agent that the demo kills: every figure is measured, none is known beforehand.

use crate::base::boot::Moment;
use crate::base::clock::{Clock, Time};
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::revival::{Revival, Status};
use crate::mission::task::TaskStatus;
use crate::mission::timeline::{Did, Step};
use crate::store::cell::OpenCell;
use crate::store::{layout, revival, run};
use crate::ui::table::Table;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often is looked whether the task is done.
const LOOK: Duration = Duration::from_millis(5);

/// An agent of the demo that was killed. Times are seconds since then; null where it did not come to that.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Recovery {
    /// The agent.
    pub agent_id: String,
    /// Its process.
    pub pid: u32,
    /// When it was killed.
    pub killed_at: Time,
    /// When that was noticed.
    pub noticed_after: Option<f64>,
    /// When its new process ran.
    pub started_after: Option<f64>,
    /// When it had proved that it lives.
    pub verified_after: Option<f64>,
    /// The checkpoint that it went on from.
    pub checkpoint: Option<u64>,
    /// When the task that it was at was done.
    pub task_finished_after: Option<f64>,
    /// The request to bring it back.
    pub revival: String,
}

impl Recovery {
    /// The table of all.
    pub(super) fn table(all: &[Recovery]) -> Table {
        let mut table = Table::new([
            "AGENT",
            "KILLED",
            "NOTICED AFTER",
            "NEW PROCESS AFTER",
            "VERIFIED AFTER",
            "TASK FINISHED AFTER",
        ]);
        let seconds = |after: Option<f64>| {
            after.map_or_else(|| String::from("never"), |after| format!("{after:.3} s"))
        };
        for one in all {
            table.row([
                one.agent_id.clone(),
                one.killed_at.local_to_the_second(one.killed_at),
                seconds(one.noticed_after),
                seconds(one.started_after),
                seconds(one.verified_after),
                seconds(one.task_finished_after),
            ]);
        }
        table
    }
}

/// An agent that is about to be killed.
pub(super) struct Blow {
    agent: AgentId,
    cell: PathBuf,
    /// Its process.
    pub(super) pid: u32,
    struck: Moment,
    task: JoinHandle<Option<Moment>>,
}

impl Blow {
    /// Takes note of the moment. The end of its task is waited for from now on: other steps take their time meanwhile.
    pub(super) fn at(cell: &Path, agent: &str, patience: Duration) -> Result<Self> {
        let agent = AgentId::new(agent)?;
        let open = OpenCell::open(cell)?;
        let note = run::read(open.folder(), &agent)?.unwrap_or_default();
        let missing = |what: &str| Error::bug(format!("{agent} of the demo has no {what}"));
        let pid = note.pid.ok_or_else(|| missing("process"))?;
        let task = open.agent(&agent)?.and_then(|agent| agent.current_task);
        let task = TaskId::new(task.ok_or_else(|| missing("task"))?)?;
        Ok(Blow {
            cell: cell.to_path_buf(),
            pid,
            struck: Moment::now(Clock::System),
            task: std::thread::spawn(move || finished(&open, &task, patience)),
            agent,
        })
    }

    /// The request that was made for it; none yet.
    pub(super) fn request(&self) -> Result<Option<Revival>> {
        let cell = OpenCell::open(&self.cell)?;
        for folder in [layout::OPEN_REVIVALS, layout::REVIVALS] {
            for id in revival::ids(&cell, folder)? {
                let request = revival::read(&cell, &id)?;
                let is_it = |request: &Revival| {
                    let fell = request.step(Did::Fell);
                    request.agent_id == self.agent.as_str()
                        && fell.is_some_and(|fell| fell.pid == Some(self.pid))
                };
                if request.as_ref().is_some_and(is_it) {
                    return Ok(request);
                }
            }
        }
        Ok(None)
    }

    /// Whether it is brought back.
    pub(super) fn is_over(&self) -> Result<bool> {
        let request = self.request()?;
        Ok(request.is_some_and(|request| request.status == Status::Revived))
    }

    /// What became of it.
    pub(super) fn recovery(self) -> Result<Recovery> {
        let request = self
            .request()?
            .ok_or_else(|| Error::bug(format!("nobody noticed that {} died", self.agent)))?;
        let blow = Step::new(Did::Fell, &self.struck);
        #[allow(
            clippy::cast_precision_loss,
            reason = "milliseconds of a demo are far below 2^53"
        )]
        let after = |step: &Step| Some(step.since(&blow)? as f64 / 1000.0);
        let step = |did| request.step(did).and_then(after);
        // Whoever looked ends with its patience.
        let finished = self.task.join().ok().flatten();
        Ok(Recovery {
            agent_id: self.agent.to_string(),
            pid: self.pid,
            killed_at: self.struck.wall,
            noticed_after: step(Did::Asked),
            started_after: step(Did::Started),
            verified_after: step(Did::Revived),
            checkpoint: request.step(Did::Begun).and_then(|step| step.checkpoint),
            task_finished_after: finished.and_then(|now| after(&Step::new(Did::Revived, &now))),
            revival: request.id,
        })
    }
}

/// When a task is done; none if it is not in time.
fn finished(cell: &OpenCell, task: &TaskId, patience: Duration) -> Option<Moment> {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        let task = cell.task(task).ok().flatten();
        if task.is_some_and(|task| task.status == TaskStatus::Completed) {
            return Some(Moment::now(Clock::System));
        }
        std::thread::park_timeout(LOOK);
    }
    None
}
