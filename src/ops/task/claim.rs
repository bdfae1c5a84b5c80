//! Taking a task: one atomic act under the cell's lock, so of many who race for one exactly one wins.

use crate::base::boot::Moment;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::count;
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::{Cell, CellStatus};
use crate::mission::claim::{self, Claimant, Hold, Wanted};
use crate::mission::lease::Lease;
use crate::mission::permission::Permissions;
use crate::mission::task::{Claim, Task, TaskStatus};
use crate::ops::session::Session;
use crate::ops::task::change::worklist;
use crate::ops::task::not_here;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::fence::{self, Fence};
use crate::store::layout;

/// A task that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The task as it now stands; its claim has the token.
    pub task: Task,
    /// Whether its holder had it already.
    pub renewed: bool,
}

/// Who takes, and where.
pub(crate) struct Taker {
    pub(crate) id: AgentId,
    pub(crate) agent: Agent,
    pub(crate) permissions: Option<Permissions>,
    pub(crate) cell: CellStatus,
    pub(crate) fence: Fence,
    pub(crate) now: Moment,
}

/// The acting agent takes a task, or takes it again with a new token. `lease`: seconds it holds from each act of the
/// agent; without one it holds until the agent is gone.
pub fn claim(
    session: &Session,
    cell: &OpenCell,
    id: &TaskId,
    lease: Option<u64>,
) -> Result<Claimed> {
    session.require_agent("claim a task")?;
    let mut writing = session.write(cell, "task claim")?;
    let taker = Taker::read(session, &writing)?;
    let task: Task = writing
        .read(&layout::task(id))?
        .ok_or_else(|| not_here(cell, id))?;
    let waits_for = waits_for(&writing, &task)?;
    let wanted = Wanted {
        id: id.as_str(),
        task: &task,
        cell: taker.cell,
        waits_for: &waits_for,
    };
    let busy = taker.busy_with(&writing)?;
    claim::require_claimable(wanted, taker.claimant(busy.as_deref()))?;
    taker.take(&mut writing, id, task, lease)
}

/// The acting agent takes the best task that is ready and that it may do: by priority, then age, then id. One that it
/// holds already is taken again. None: the answer is no (exit 1).
pub fn claim_next(session: &Session, cell: &OpenCell, lease: Option<u64>) -> Result<Claimed> {
    session.require_agent("claim a task")?;
    let mut writing = session.write(cell, "task claim")?;
    let taker = Taker::read(session, &writing)?;
    let tasks = worklist(&writing)?;
    let busy = taker.busy_with(&writing)?;
    let held = busy.as_deref().and_then(|id| Some((id, tasks.get(id)?)));
    let ready = tasks.ready(taker.cell);
    let may = |id: &str, task: &Task| {
        let wanted = Wanted {
            id,
            task,
            cell: taker.cell,
            waits_for: &[],
        };
        claim::hindrances(wanted, taker.claimant(busy.as_deref())).is_empty()
    };
    let first = held
        .into_iter()
        .chain(ready.iter().copied())
        .find(|(id, task)| may(id, task));
    if let Some((id, task)) = first {
        let (id, task) = (TaskId::new(id)?, task.clone());
        return taker.take(&mut writing, &id, task, lease);
    }
    let open = tasks
        .all()
        .filter(|(_, task)| matches!(task.status, TaskStatus::Pending | TaskStatus::InProgress))
        .count();
    let message = match (open, ready.len()) {
        (0, _) => String::from("there is no open task in this cell"),
        (open, 0) => format!("no task is ready; {} not done yet", are(open)),
        (_, ready) => format!("{} ready, but none for {}", are(ready), taker.id),
    };
    Err(Error::new(Kind::No, message)
        .hint("`mcell task list` shows them, and `mcell why TASK` why one waits"))
}

fn are(number: usize) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", count(number, "task"))
}

impl Taker {
    /// The acting agent.
    pub(crate) fn read(session: &Session, writing: &Writing<'_>) -> Result<Self> {
        let id = session.require_agent("claim a task")?.clone();
        let cell: Cell = writing
            .read(layout::CELL)?
            .ok_or_else(|| writing.cell().no_cell())?;
        let agent = writing
            .read(&layout::agent(&id))?
            .ok_or_else(|| crate::ops::agent::not_here(writing.cell(), &id))?;
        Ok(Taker {
            agent,
            permissions: writing.read(layout::PERMISSIONS)?,
            cell: cell.status,
            fence: fence::read(writing)?,
            now: session.moment(),
            id,
        })
    }

    /// What the rules of claims want to know of it.
    pub(crate) fn claimant<'a>(&'a self, busy_with: Option<&'a str>) -> Claimant<'a> {
        Claimant {
            id: self.id.as_str(),
            agent: &self.agent,
            permissions: self.permissions.as_ref(),
            busy_with,
        }
    }

    /// The task that it holds, by a claim or as another tool noted it.
    pub(crate) fn busy_with(&self, writing: &Writing<'_>) -> Result<Option<String>> {
        let mut held = self.fence.held.iter();
        if let Some((task, _)) = held.find(|(_, hold)| hold.agent == self.id.as_str()) {
            return Ok(Some(task.clone()));
        }
        let current = self
            .agent
            .current_task
            .as_deref()
            .and_then(|id| TaskId::new(id).ok());
        let Some(id) = current else { return Ok(None) };
        let task: Option<Task> = writing.read(&layout::task(&id))?;
        let is_own = task.is_some_and(|task| task.holder() == Some(self.id.as_str()));
        Ok(is_own.then(|| id.to_string()))
    }

    /// Stages and commits that it takes a task.
    fn take(
        mut self,
        writing: &mut Writing<'_>,
        id: &TaskId,
        task: Task,
        seconds: Option<u64>,
    ) -> Result<Claimed> {
        let renewed = task.status == TaskStatus::InProgress;
        let task = self.stage(writing, id, task, seconds)?;
        let verb = if renewed { "claimed again" } else { "claimed" };
        writing.commit(&format!("{} {verb} {id}", self.id))?;
        Ok(Claimed { task, renewed })
    }

    /// Stages that it takes a task: the task, itself and the fence. Gives the task as it then stands.
    pub(crate) fn stage(
        &mut self,
        writing: &mut Writing<'_>,
        id: &TaskId,
        mut task: Task,
        seconds: Option<u64>,
    ) -> Result<Task> {
        let renewed = task.status == TaskStatus::InProgress;
        let before = self
            .fence
            .held
            .get(id.as_str())
            .and_then(|hold| hold.lease.clone());
        let lease = match (seconds, before) {
            (Some(seconds), _) => Some(Lease::begin(seconds, &self.now)),
            (None, Some(mut lease)) if renewed => {
                lease.renew(&self.now);
                Some(lease)
            }
            _ => None,
        };
        let token = self.fence.next_token();
        let claim = Claim {
            agent: self.id.to_string(),
            token,
            expires_at: lease.as_ref().map(|lease| lease.expires_at),
            paused_seconds: task
                .claim
                .as_ref()
                .filter(|_| renewed)
                .and_then(|claim| claim.paused_seconds),
        };
        task.take(claim, self.now.wall)?;
        let hold = Hold {
            agent: self.id.to_string(),
            token,
            lease,
            still_since: None,
        };
        self.fence.held.insert(id.to_string(), hold);
        self.agent.current_task = Some(id.to_string());
        if self.agent.status == AgentStatus::Idle {
            self.agent.become_status(AgentStatus::Active)?;
        }
        writing.put(&layout::task(id), &task)?;
        writing.put(&layout::agent(&self.id), &self.agent)?;
        fence::put(writing, &self.fence)?;
        Ok(task)
    }
}

/// What a task still waits for, a sentence each.
pub(crate) fn waits_for(writing: &Writing<'_>, task: &Task) -> Result<Vec<String>> {
    let mut waits = Vec::new();
    for id in &task.dependencies {
        let dependency = match TaskId::new(id.as_str()) {
            Ok(id) => writing.read::<Task>(&layout::task(&id))?,
            Err(_) => None,
        };
        match dependency.map(|dependency| dependency.status) {
            Some(TaskStatus::Completed) => {}
            Some(status) => waits.push(format!("{id} is {}", status.word().replace('_', " "))),
            None => waits.push(format!("{id} is not in this cell")),
        }
    }
    waits.dedup();
    Ok(waits)
}
