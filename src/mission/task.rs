//! A task: what is to be done, by whom, after what, and what may happen to it (docs/task.md).

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Waits to be taken.
    Pending,
    /// An agent works on it.
    InProgress,
    /// Done.
    Completed,
    /// Given up.
    Failed,
}

impl TaskStatus {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            TaskStatus::Pending => "pending",
            TaskStatus::InProgress => "in_progress",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
        }
    }

    /// Tells whether a task may go from `self` to `next`: pending → in_progress → completed or failed, in_progress →
    /// pending (released), and failed or completed back to pending (retry, reopen).
    pub const fn may_become(self, next: Self) -> bool {
        use TaskStatus::{Completed, Failed, InProgress, Pending};
        matches!(
            (self, next),
            (Pending, InProgress)
                | (InProgress, Completed | Failed | Pending)
                | (Failed | Completed, Pending)
        )
    }
}

/// How urgent a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// First.
    High,
    /// In between.
    Medium,
    /// Last.
    Low,
}

impl Priority {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Priority::High => "high",
            Priority::Medium => "medium",
            Priority::Low => "low",
        }
    }
}

/// Who holds a task in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim<S = String> {
    /// The agent that holds it.
    pub agent: S,
    /// The fencing token: rises with each claim; acts with an older one are refused.
    pub token: u64,
    /// When the lease lapses; absent, it holds until its holder is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Seconds of pauses since it was taken: the task's timeout does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_seconds: Option<u64>,
}

/// One task, `tasks/<task_id>.json`. `S` is how text is held: owned in commands, borrowed in scans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task<S = String> {
    /// Equals the file's stem.
    pub task_id: S,
    /// What it is, in one line.
    pub title: S,
    /// What it is, at length.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub description: Option<S>,
    /// The agent it is meant for.
    #[serde(default = "none")]
    pub assigned_to: Option<S>,
    /// Its state.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub status: TaskStatus,
    /// How urgent it is.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub priority: Priority,
    /// Tasks that must be completed first.
    #[serde(default = "Vec::new")]
    pub dependencies: Vec<S>,
    /// Names of the files it makes.
    #[serde(default = "Vec::new")]
    pub artifacts: Vec<S>,
    /// Seconds in progress it should take; overdue is a note. 1800 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// When it was made.
    pub created_at: Time,
    /// When it was completed.
    #[serde(default)]
    pub completed_at: Option<Time>,
    /// When it was last taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// How often it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// Who holds it.
    #[serde(
        deserialize_with = "crate::base::strict::object",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub claim: Option<Claim<S>>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
    /// Capabilities that an agent needs to take it.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub required_capabilities: Vec<S>,
}

/// Seconds a task should take where it does not say.
pub const TIMEOUT: u64 = 1800;

fn none<T>() -> Option<T> {
    None
}

impl<S: AsRef<str>> Task<S> {
    /// Who works on it: the claim's agent, else the one it is assigned to; nobody unless it is in progress.
    pub fn holder(&self) -> Option<&str> {
        if self.status != TaskStatus::InProgress {
            return None;
        }
        self.claim
            .as_ref()
            .map(|claim| claim.agent.as_ref())
            .or(self.assigned_to.as_ref().map(AsRef::as_ref))
    }

    /// Seconds by which the task is late, if it is. Without `started_at` (other tools do not write it) nothing is late.
    pub fn overdue(&self, now: Time) -> Option<u64> {
        let started = self
            .started_at
            .filter(|_| self.status == TaskStatus::InProgress)?;
        let paused = self.claim.as_ref().and_then(|claim| claim.paused_seconds);
        let allowed = self
            .timeout
            .unwrap_or(TIMEOUT)
            .saturating_add(paused.unwrap_or(0));
        u64::try_from(now.since(started))
            .ok()?
            .checked_sub(allowed)
            .filter(|late| *late > 0)
    }
}

impl Task {
    /// An agent takes it, or takes it again. The move itself must be allowed (mission/claim).
    pub fn take(&mut self, claim: Claim, now: Time) -> Result<()> {
        if self.status != TaskStatus::InProgress {
            self.become_status(TaskStatus::InProgress, now)?;
            self.attempts = Some(self.attempts.unwrap_or(0).saturating_add(1));
        }
        self.claim = Some(claim);
        Ok(())
    }

    /// It is done: by its holder, who stays named, with what came of it.
    pub fn complete(
        &mut self,
        artifacts: &[String],
        result: Option<serde_json::Value>,
        now: Time,
    ) -> Result<()> {
        let holder = self.holder().map(str::to_owned);
        self.become_status(TaskStatus::Completed, now)?;
        self.assigned_to = holder.or(self.assigned_to.take());
        for artifact in artifacts {
            if !self.artifacts.contains(artifact) {
                self.artifacts.push(artifact.clone());
            }
        }
        self.result = result.or(self.result.take());
        Ok(())
    }
}

impl<S> Task<S> {
    /// Moves to another state, or says why it cannot (exit 5). Times and holder follow.
    pub fn become_status(&mut self, next: TaskStatus, now: Time) -> Result<()> {
        if !self.status.may_become(next) {
            let (is, wanted) = (self.status.word(), next.word());
            return Err(Error::refused(format!(
                "the task is {is}, and a task that is {is} cannot become {wanted}"
            )));
        }
        self.status = next;
        self.completed_at = (next == TaskStatus::Completed).then_some(now);
        if next == TaskStatus::InProgress {
            self.started_at = Some(now);
        } else {
            self.claim = None;
        }
        if next == TaskStatus::Pending {
            self.started_at = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_task_in_progress_is_completed() {
        use TaskStatus::{Completed, Failed, InProgress, Pending};
        assert!(
            InProgress.may_become(Completed)
                && InProgress.may_become(Failed)
                && InProgress.may_become(Pending)
        );
        assert!(
            !Pending.may_become(Completed)
                && !Failed.may_become(InProgress)
                && !Completed.may_become(Failed)
        );
        assert!(Failed.may_become(Pending) && Completed.may_become(Pending));
    }

    #[test]
    fn high_comes_before_low() {
        assert!(Priority::High < Priority::Medium && Priority::Medium < Priority::Low);
    }
}
