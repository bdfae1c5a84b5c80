//! Who gives what to whom, as the lock sees it, and whether that may be.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, HandoffId, TaskId};
use crate::base::text::shown;
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::{Cell, CellStatus};
use crate::mission::claim::{self, Claimant, Hindrance, Wanted};
use crate::mission::handoff::{Approval, Carried, Handoff, HandoffState};
use crate::mission::permission::{self, Asker, Obstacle, Permissions};
use crate::mission::policy::{Effective, Policies};
use crate::mission::task::{Claim, Task, TaskStatus};
use crate::ops::checkpoint;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;

/// A task on its way from one agent to another.
pub(super) struct Pass<'a> {
    pub(super) id: &'a TaskId,
    pub(super) task: Task,
    /// Who holds it.
    pub(super) from: Option<String>,
    pub(super) to: &'a AgentId,
    taker: Agent,
    permissions: Option<Permissions>,
    policies: Effective,
    cell: Cell,
}

impl<'a> Pass<'a> {
    pub(super) fn read(writing: &Writing<'_>, id: &'a TaskId, to: &'a AgentId) -> Result<Self> {
        let cell: Cell = writing
            .read(layout::CELL)?
            .ok_or_else(|| writing.cell().no_cell())?;
        let task: Task = writing
            .read(&layout::task(id))?
            .ok_or_else(|| crate::ops::task::not_here(writing.cell(), id))?;
        let taker = writing
            .read(&layout::agent(to))?
            .ok_or_else(|| crate::ops::agent::not_here(writing.cell(), to))?;
        let config: Option<Policies> = writing.read(layout::POLICIES)?;
        Ok(Pass {
            from: task.holder().map(str::to_owned),
            policies: Effective::of(&cell, config.as_ref()),
            permissions: writing.read(layout::PERMISSIONS)?,
            id,
            task,
            to,
            taker,
            cell,
        })
    }

    /// Tells whether the cell is paused, and its clocks stand still.
    pub(super) fn cell_stands(&self) -> bool {
        self.cell.status == CellStatus::Paused
    }

    /// Tells whether an operator must agree.
    pub(super) fn needs_approval(&self) -> bool {
        permission::needs_approval(self.policies.handoff_approval.value)
    }

    /// The task as the taker would have it: its own, whoever held it.
    pub(super) fn given(&self) -> Task {
        let mut task = self.task.clone();
        task.assigned_to = Some(self.to.to_string());
        if task.status == TaskStatus::InProgress {
            let before = task.claim.take();
            task.claim = Some(Claim {
                agent: self.to.to_string(),
                token: 0,
                expires_at: None,
                paused_seconds: before.and_then(|claim| claim.paused_seconds),
            });
        }
        task
    }

    /// Refuses what policy, role, permissions or capabilities forbid, whoever asks (exit 5).
    pub(super) fn require_possible(&self) -> Result<()> {
        let (id, to) = (self.id, self.to);
        if self.from.as_deref() == Some(to.as_str()) {
            return Err(Error::refused(format!("{to} holds {id} already")));
        }
        self.require_open_task()?;
        self.require_no_obstacle()?;
        let task = self.given();
        let wanted = Wanted {
            id: id.as_str(),
            task: &task,
            cell: self.cell.status,
            waits_for: &[],
        };
        let claimant = Claimant {
            id: to.as_str(),
            agent: &self.taker,
            permissions: self.permissions.as_ref(),
            busy_with: None,
        };
        // What passes (a pause, other work) keeps nobody from being asked.
        let lasts = |hindrance: &Hindrance| {
            matches!(
                hindrance,
                Hindrance::Agent(AgentStatus::Failed)
                    | Hindrance::Forbidden(_)
                    | Hindrance::Lacks(_)
            )
        };
        match claim::hindrances(wanted, claimant)
            .iter()
            .find(|one| lasts(one))
        {
            None => Ok(()),
            Some(hindrance) => {
                let refused = Error::refused(hindrance.words(to.as_str(), id.as_str()));
                Err(match hindrance.hint(to.as_str(), id.as_str()) {
                    Some(hint) => refused.hint(hint),
                    None => refused,
                })
            }
        }
    }

    fn require_open_task(&self) -> Result<()> {
        let id = self.id;
        let verb = match self.task.status {
            TaskStatus::Pending | TaskStatus::InProgress => return Ok(()),
            TaskStatus::Completed => "reopen",
            TaskStatus::Failed => "retry",
        };
        Err(Error::refused(format!(
            "{id} is {}, and only an open task is handed on",
            self.task.status.word()
        ))
        .hint(format!("`mcell task {verb} {id}` makes it pending again")))
    }

    /// Refuses what the policy, the role or the lists of handoffs forbid. Lists count where there is a giver.
    fn require_no_obstacle(&self) -> Result<()> {
        let (id, to) = (self.id, self.to);
        let taker = Asker {
            id: to.as_str(),
            role: self.taker.role,
        };
        let giver = self.from.as_deref().unwrap_or("nobody");
        let entry = |agent: &str| {
            let all = self.permissions.as_ref().filter(|_| self.from.is_some());
            all.and_then(|all| all.of(agent))
        };
        let entries = (entry(giver), entry(to.as_str()));
        let allowed = self.policies.handoff_allowed.value;
        let Some(obstacle) = permission::obstacle(entries, allowed, giver, taker) else {
            return Ok(());
        };
        let giver = shown(giver);
        let hint = match obstacle {
            Obstacle::Policy => format!(
                "`mcell policy set handoff_allowed=true`; or `mcell task release {id}`, then `mcell task assign {id} {to}`"
            ),
            Obstacle::Role => format!("`mcell why {id}` names who could do it"),
            Obstacle::To => format!(
                "an operator can allow it: `mcell permission grant {giver} handoff_to {to}`"
            ),
            Obstacle::From => format!(
                "an operator can allow it: `mcell permission grant {to} handoff_from {giver}`"
            ),
        };
        let because = obstacle.words(&giver, taker);
        Err(Error::refused(format!("{id} cannot be handed to {to}: {because}")).hint(hint))
    }

    /// The task with what belongs to it, as it stands now. How long it waits is for the caller to say.
    pub(super) fn bundle(
        &self,
        session: &Session,
        writing: &Writing<'_>,
        id: &HandoffId,
        reason: Option<&str>,
    ) -> Result<Handoff> {
        let task = serde_json::to_value(&self.task)
            .map_err(|error| Error::bug(format!("a task cannot be written: {error}")))?;
        let approval = match (&session.agent, self.needs_approval()) {
            (_, false) => Approval::None,
            (Some(_), true) => Approval::Waiting,
            // Whoever asks is the operator who would be asked.
            (None, true) => Approval::Approved,
        };
        let checkpoint = match &self.from {
            Some(from) => newest_checkpoint(writing.cell(), from)?,
            None => None,
        };
        Ok(Handoff {
            id: id.to_string(),
            task_id: self.id.to_string(),
            from: self.from.clone(),
            to: self.to.to_string(),
            by: session.actor(),
            reason: reason.map(str::to_owned),
            state: HandoffState::Offered,
            approval,
            offered_at: writing.now(),
            deadline: None,
            closed_at: None,
            because: None,
            token: self.task.claim.as_ref().map(|claim| claim.token),
            checkpoint,
            artifacts: self.task.artifacts.clone(),
            task,
        })
    }
}

/// The newest checkpoint of an agent, by its manifest.
fn newest_checkpoint(cell: &OpenCell, agent: &str) -> Result<Option<Carried>> {
    let Ok(agent) = AgentId::new(agent) else {
        return Ok(None);
    };
    let latest = checkpoint::latest(cell, &agent)?;
    Ok(latest.map(|generation| Carried {
        generation: generation.number,
        sha256: generation.manifest_sha256,
    }))
}
