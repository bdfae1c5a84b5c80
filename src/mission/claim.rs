//! Claims: who may take a task, who may act on one that is taken, and when it is free again (docs/task.md).

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::text::shown;
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::CellStatus;
use crate::mission::lease::Lease;
use crate::mission::permission::{self, Asker, Permissions, Verb};
use crate::mission::task::{Claim, Task, TaskStatus};
use serde::{Deserialize, Serialize};

/// What the cell remembers of a task that is taken, beside the task's own claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who took it.
    pub agent: String,
    /// Its fencing token.
    pub token: u64,
    /// How long it holds; absent, until its holder is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Since when it stands still, because its cell or its holder is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_since: Option<Time>,
}

impl Hold {
    /// What a task's own claim says: of a lease, only when it lapses.
    pub fn of(claim: &Claim) -> Self {
        Hold {
            agent: claim.agent.clone(),
            token: claim.token,
            lease: claim.expires_at.map(|expires_at| Lease {
                seconds: 0,
                boot: None,
                until: 0,
                expires_at,
                left: None,
            }),
            still_since: None,
        }
    }

    /// Lets it stand still, or go on: gives the seconds that it stood still, where that just ended.
    pub fn pace(&mut self, is_paused: bool, now: &Moment) -> Option<u64> {
        match (is_paused, self.still_since) {
            (true, None) => {
                self.still_since = Some(now.wall);
                if let Some(lease) = &mut self.lease {
                    lease.freeze(now);
                }
                None
            }
            (false, Some(since)) => {
                self.still_since = None;
                if let Some(lease) = &mut self.lease {
                    lease.thaw(now);
                }
                Some(u64::try_from(now.wall.since(since)).unwrap_or(0))
            }
            _ => None,
        }
    }

    /// Why the task is free again, if it is: its holder is gone, or its lease lapsed. The one rule of it.
    pub fn ended(&self, holder: Option<&Agent>, now: &Moment) -> Option<Ended> {
        match holder.map(|agent| agent.status) {
            None => Some(Ended::Removed),
            Some(AgentStatus::Failed) => Some(Ended::Failed),
            Some(_) => self
                .lease
                .as_ref()
                .is_some_and(|lease| lease.has_lapsed(now))
                .then_some(Ended::Lapsed),
        }
    }
}

/// Why a task was taken from its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The holder is no agent of the cell any more.
    Removed,
    /// The holder was given up.
    Failed,
    /// The holder's process was stopped, and is not wanted.
    Stopped,
    /// The holder's process is dead, and is not brought back.
    GivenUp,
    /// The lease was not renewed in time.
    Lapsed,
}

impl Ended {
    /// In words.
    pub fn words(self, agent: &str) -> String {
        let agent = shown(agent);
        match self {
            Ended::Removed => format!("{agent} was removed"),
            Ended::Failed => format!("{agent} failed"),
            Ended::Stopped => format!("{agent} was stopped"),
            Ended::GivenUp => format!("{agent} is dead, and is not brought back"),
            Ended::Lapsed => format!("the lease of {agent} lapsed"),
        }
    }
}

/// The agent who wants a task.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// Its id.
    pub id: &'a str,
    /// Itself.
    pub agent: &'a Agent,
    /// The permissions of its cell.
    pub permissions: Option<&'a Permissions>,
    /// Another task that it holds.
    pub busy_with: Option<&'a str>,
}

/// The task that is wanted, and what is around it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its id.
    pub id: &'a str,
    /// Itself.
    pub task: &'a Task,
    /// The state of its cell.
    pub cell: CellStatus,
    /// What it still waits for, a sentence each: "task_001 is pending".
    pub waits_for: &'a [String],
}

/// What keeps an agent from taking a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The cell is not active.
    Cell(CellStatus),
    /// The task is not pending, and nobody holds it.
    State(TaskStatus),
    /// Another holds it.
    Held(String),
    /// It waits for others, a sentence each.
    Waits(Vec<String>),
    /// The agent is paused or was given up.
    Agent(AgentStatus),
    /// Role or permissions forbid it; why.
    Forbidden(String),
    /// Capabilities that the task requires and the agent does not have.
    Lacks(Vec<String>),
    /// The agent holds another task.
    Busy(String),
}

impl Hindrance {
    /// Tells whether it lies in the task: then no other agent may take it either.
    pub const fn is_of_the_task(&self) -> bool {
        matches!(
            self,
            Hindrance::Cell(_) | Hindrance::State(_) | Hindrance::Held(_) | Hindrance::Waits(_)
        )
    }

    /// In a sentence.
    pub fn words(&self, agent: &str, task: &str) -> String {
        match self {
            Hindrance::Cell(status) => format!("the cell is {}", status.word()),
            Hindrance::State(status) => {
                format!("{task} is {}", status.word().replace('_', " "))
            }
            Hindrance::Held(holder) => format!("{} holds {task}", shown(holder)),
            Hindrance::Waits(why) => format!("{task} waits: {}", why.join(", ")),
            Hindrance::Agent(status) => format!("{agent} is {}", status.word()),
            Hindrance::Forbidden(because) => format!("{agent} may not execute {task}: {because}"),
            Hindrance::Lacks(capabilities) => format!(
                "{task} requires {}, which {agent} does not have",
                shown(&capabilities.join(", "))
            ),
            Hindrance::Busy(other) => {
                format!(
                    "{agent} holds {} already, and one task at a time is all",
                    shown(other)
                )
            }
        }
    }

    /// The way out, if there is one to type.
    pub fn hint(&self, agent: &str, task: &str) -> Option<String> {
        Some(match self {
            Hindrance::Cell(CellStatus::Paused) => {
                String::from("an operator lets it go on: `mcell cell resume`")
            }
            Hindrance::Cell(_) => String::from("an operator opens it again: `mcell cell reopen`"),
            Hindrance::State(TaskStatus::Failed) => {
                format!("`mcell task retry {task}` makes it pending again")
            }
            Hindrance::State(_) | Hindrance::Held(_) | Hindrance::Waits(_) => {
                String::from("`mcell task claim --next` takes the best task that is ready")
            }
            Hindrance::Agent(_) => {
                format!("an operator lets it go on: `mcell agent resume {agent}`")
            }
            Hindrance::Forbidden(_) => {
                format!("an operator can allow it: `mcell permission grant {agent} execute {task}`")
            }
            Hindrance::Lacks(_) => format!("`mcell why {task}` names who could take it"),
            Hindrance::Busy(other) => format!(
                "complete it first: `mcell task complete {other}`, or give it back: `mcell task release {other}`"
            ),
        })
    }
}

/// Everything that keeps an agent from taking a task; nothing: it may. What lies in the task comes first.
pub fn hindrances(wanted: Wanted<'_>, claimant: Claimant<'_>) -> Vec<Hindrance> {
    let task = wanted.task;
    let mut found = hindrances_of_task(wanted, Some(claimant.id));
    match claimant.agent.status {
        AgentStatus::Idle | AgentStatus::Active => {}
        status => found.push(Hindrance::Agent(status)),
    }
    let asker = Asker {
        id: claimant.id,
        role: claimant.agent.role,
    };
    let answer = permission::allows(
        claimant.permissions,
        asker,
        Verb::Execute,
        wanted.id,
        task.assigned_to.as_deref(),
    );
    if !answer.allowed {
        found.push(Hindrance::Forbidden(answer.because));
    }
    let lacks: Vec<String> = task
        .required_capabilities
        .iter()
        .filter(|capability| !claimant.agent.capabilities.contains(capability))
        .cloned()
        .collect();
    if !lacks.is_empty() {
        found.push(Hindrance::Lacks(lacks));
    }
    if let Some(other) = claimant.busy_with.filter(|other| *other != wanted.id) {
        found.push(Hindrance::Busy(other.to_owned()));
    }
    found
}

/// What keeps everybody from taking a task, except for who holds it.
pub fn hindrances_of_task(wanted: Wanted<'_>, claimant: Option<&str>) -> Vec<Hindrance> {
    let mut found = Vec::new();
    if wanted.cell != CellStatus::Active {
        found.push(Hindrance::Cell(wanted.cell));
    }
    match (wanted.task.status, wanted.task.holder()) {
        (TaskStatus::Pending, _) => {}
        (TaskStatus::InProgress, Some(holder)) if Some(holder) == claimant => {}
        (TaskStatus::InProgress, Some(holder)) => found.push(Hindrance::Held(holder.to_owned())),
        (status, _) => found.push(Hindrance::State(status)),
    }
    if !wanted.waits_for.is_empty() {
        found.push(Hindrance::Waits(wanted.waits_for.to_vec()));
    }
    found
}

/// The first thing that keeps an agent from taking a task, as a refusal (exit 5).
pub fn require_claimable(wanted: Wanted<'_>, claimant: Claimant<'_>) -> Result<()> {
    let found = hindrances(wanted, claimant);
    let Some(first) = found.first() else {
        return Ok(());
    };
    let refused = Error::refused(first.words(claimant.id, wanted.id));
    Err(match first.hint(claimant.id, wanted.id) {
        Some(hint) => refused.hint(hint),
        None => refused,
    })
}

/// Refuses an act of an agent on a task that is not its own (any more), or that comes with an older token than the
/// present one (exit 5, `fenced`).
pub fn require_holder(id: &str, task: &Task, agent: &str, token: Option<u64>) -> Result<()> {
    let fenced = |message: String| {
        Error::new(Kind::Fenced, message).hint(format!(
            "stop working on it; `mcell task show {id}` tells how it stands"
        ))
    };
    match task.holder() {
        Some(holder) if holder == agent => {}
        Some(holder) => {
            return Err(fenced(format!(
                "{} holds {id} now, not {agent}",
                shown(holder)
            )));
        }
        None if token.is_some() && task.status == TaskStatus::Pending => {
            return Err(fenced(format!(
                "{agent} does not hold {id} any more: it is free again"
            )));
        }
        None => {
            let refused = Error::refused(format!(
                "{agent} does not hold {id}, which is {}",
                task.status.word().replace('_', " ")
            ));
            return Err(match task.status {
                TaskStatus::Pending => {
                    refused.hint(format!("take it first: `mcell task claim {id}`"))
                }
                _ => refused,
            });
        }
    }
    let present = task.claim.as_ref().map(|claim| claim.token);
    match (token, present) {
        (Some(token), Some(present)) if token != present => Err(fenced(format!(
            "the token {token} of {id} is not the present one, {present}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mission::agent::Role;
    use serde_json::json;

    fn agent(role: Role) -> Agent {
        serde_json::from_value(json!({
            "agent_id": "agent_001", "name": "W", "role": role.word(), "status": "idle", "capabilities": ["rust"],
        }))
        .unwrap()
    }

    fn task(more: &serde_json::Value) -> Task {
        let mut task = json!({
            "task_id": "task_001", "title": "T", "status": "pending", "priority": "high",
            "created_at": "2026-01-02T03:04:05Z",
        });
        for (name, value) in more.as_object().unwrap() {
            task[name] = value.clone();
        }
        serde_json::from_value(task).unwrap()
    }

    fn found(task: &Task, agent: &Agent, busy_with: Option<&str>) -> Vec<Hindrance> {
        let wanted = Wanted {
            id: "task_001",
            task,
            cell: CellStatus::Active,
            waits_for: &[],
        };
        let claimant = Claimant {
            id: "agent_001",
            agent,
            permissions: None,
            busy_with,
        };
        hindrances(wanted, claimant)
    }

    #[test]
    fn a_free_task_is_taken_by_who_may_work_and_can() {
        assert!(found(&task(&json!({})), &agent(Role::Write), None).is_empty());
        let reader = found(&task(&json!({})), &agent(Role::Audit), None);
        assert!(matches!(reader.as_slice(), [Hindrance::Forbidden(_)]));
        let hard = task(&json!({"required_capabilities": ["rust", "haskell"]}));
        assert_eq!(
            found(&hard, &agent(Role::Write), None),
            [Hindrance::Lacks(vec!["haskell".into()])]
        );
    }

    #[test]
    fn one_task_at_a_time() {
        let busy = found(&task(&json!({})), &agent(Role::Write), Some("task_002"));
        assert_eq!(busy, [Hindrance::Busy("task_002".into())]);
        assert!(found(&task(&json!({})), &agent(Role::Write), Some("task_001")).is_empty());
    }

    #[test]
    fn a_task_that_another_holds_is_not_taken_and_its_own_is_taken_again() {
        let held =
            |by: &str| task(&json!({"status": "in_progress", "claim": {"agent": by, "token": 3}}));
        assert_eq!(
            found(&held("agent_002"), &agent(Role::Write), None),
            [Hindrance::Held("agent_002".into())]
        );
        assert!(found(&held("agent_001"), &agent(Role::Write), None).is_empty());
    }

    #[test]
    fn an_act_with_an_older_token_is_fenced() {
        let held =
            task(&json!({"status": "in_progress", "claim": {"agent": "agent_001", "token": 3}}));
        let kind = |agent, token| {
            require_holder("task_001", &held, agent, token).map_err(|error| error.kind())
        };
        assert_eq!(kind("agent_001", None), Ok(()));
        assert_eq!(kind("agent_001", Some(3)), Ok(()));
        assert_eq!(kind("agent_001", Some(2)), Err(Kind::Fenced));
        assert_eq!(kind("agent_002", Some(2)), Err(Kind::Fenced));
        let free = task(&json!({}));
        let kind = |token| {
            require_holder("task_001", &free, "agent_001", token).map_err(|error| error.kind())
        };
        assert_eq!(kind(Some(2)), Err(Kind::Fenced));
        assert_eq!(kind(None), Err(Kind::Refused));
    }

    #[test]
    fn a_claim_without_a_lease_holds_until_its_holder_is_gone() {
        let hold = Hold {
            agent: "agent_001".into(),
            token: 1,
            lease: None,
            still_since: None,
        };
        let years_later = Moment {
            wall: Time::parse("2036-01-02T03:04:05Z").unwrap(),
            boot: None,
            up: 0,
        };
        let mut holder = agent(Role::Write);
        assert_eq!(hold.ended(Some(&holder), &years_later), None);
        holder.status = AgentStatus::Paused;
        assert_eq!(hold.ended(Some(&holder), &years_later), None);
        holder.status = AgentStatus::Failed;
        assert_eq!(hold.ended(Some(&holder), &years_later), Some(Ended::Failed));
        assert_eq!(hold.ended(None, &years_later), Some(Ended::Removed));
    }
}
