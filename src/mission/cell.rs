//! A mission cell: what its `cell.json` says and what may happen to it (docs/mission-cell-spec.md).

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::mission::isolation::Level;
use crate::mission::policy::AutoRevive;
use serde::{Deserialize, Serialize};

/// The state of a mission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatus {
    /// Work goes on.
    Active,
    /// Held by an operator: nothing becomes ready, clocks stand still.
    Paused,
    /// Done.
    Completed,
    /// Given up.
    Failed,
}

impl CellStatus {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            CellStatus::Active => "active",
            CellStatus::Paused => "paused",
            CellStatus::Completed => "completed",
            CellStatus::Failed => "failed",
        }
    }

    /// Tells whether a cell may go from `self` to `next`: active ⇄ paused, either → completed or failed, and those back
    /// to active by a reopen.
    pub const fn may_become(self, next: Self) -> bool {
        use CellStatus::{Active, Completed, Failed, Paused};
        matches!(
            (self, next),
            (Active, Paused | Completed | Failed)
                | (Paused, Active | Completed | Failed)
                | (Completed | Failed, Active)
        )
    }

    /// Tells whether the mission is over: hidden from lists unless asked for.
    pub const fn is_over(self) -> bool {
        matches!(self, CellStatus::Completed | CellStatus::Failed)
    }
}

/// The policies that `cell.json` may state; the rest, and what overrides these, is in `config/policies.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellPolicies {
    /// Whether a dead agent is brought back.
    #[serde(
        deserialize_with = "crate::base::strict::word_or_null",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub auto_revive: Option<AutoRevive>,
    /// Whether agents may hand tasks on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff_allowed: Option<bool>,
    /// Seconds between checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_interval: Option<u64>,
}

/// The mission's own file, `cell.json`. `S` is how text is held: owned in commands, borrowed in scans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell<S = String> {
    /// A UUID; should equal the folder's name, which is what counts.
    pub cell_id: S,
    /// 1 to 200 characters.
    pub mission_name: S,
    /// When it was made.
    pub created_at: Time,
    /// An agent's id or an operator's name.
    pub created_by: S,
    /// The mission's state.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub status: CellStatus,
    /// How strictly its agents are kept apart.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub isolation_level: Level,
    /// The most agents it may have; 10 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_agents: Option<u64>,
    /// Seconds the mission may take from `created_at`; overdue is a note, never an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// The policies stated here.
    #[serde(
        deserialize_with = "crate::base::strict::object",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub policies: Option<CellPolicies>,
    /// When a pause ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Time>,
    /// Seconds of its pauses that are over: the timeout does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_seconds: Option<u64>,
}

/// How many agents a cell may have where it does not say.
pub const MAX_AGENTS: u64 = 10;

impl<S> Cell<S> {
    /// The most agents it may have.
    pub fn max_agents(&self) -> u64 {
        self.max_agents.unwrap_or(MAX_AGENTS)
    }

    /// Seconds by which the mission is late, if it is.
    pub fn overdue(&self, now: Time) -> Option<u64> {
        let allowed = self.timeout.filter(|_| self.status == CellStatus::Active)?;
        let allowed = allowed.saturating_add(self.paused_seconds.unwrap_or(0));
        u64::try_from(now.since(self.created_at))
            .ok()?
            .checked_sub(allowed)
            .filter(|late| *late > 0)
    }

    /// Moves to another state, or says why it cannot (exit 5).
    pub fn become_status(&mut self, next: CellStatus) -> Result<()> {
        if self.status.may_become(next) {
            self.status = next;
            if next != CellStatus::Paused {
                self.paused_until = None;
            }
            return Ok(());
        }
        let (is, wanted) = (self.status.word(), next.word());
        let refused = Error::refused(format!(
            "the cell is {is}, and a cell that is {is} cannot become {wanted}"
        ));
        Err(match self.status {
            CellStatus::Completed | CellStatus::Failed => {
                refused.hint("open it again with `mcell cell reopen`")
            }
            _ => refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CellStatus::{Active, Completed, Failed, Paused};

    #[test]
    fn a_finished_cell_only_reopens() {
        for over in [Completed, Failed] {
            assert!(over.may_become(Active));
            assert!(
                !over.may_become(Paused) && !over.may_become(Completed) && !over.may_become(Failed)
            );
        }
        assert!(
            Active.may_become(Paused) && Paused.may_become(Active) && Paused.may_become(Failed)
        );
        assert!(!Active.may_become(Active));
    }
}
