//! The request to bring an agent back: how it stands, and what may happen to it (docs/revival.md).

use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId, RevivalId};
use crate::mission::lease::Lease;
use crate::mission::timeline::{Passed, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its time, or for one of the two slots.
    Pending,
    /// It waits for an operator.
    PendingApproval,
    /// It waits for what holds all revivals to end.
    Held,
    /// The agent was started, and has to prove that it lives.
    Running,
    /// The agent lives.
    Revived,
    /// The try was in vain.
    Failed,
    /// An operator said no.
    Denied,
    /// It was taken back.
    Cancelled,
    /// The policy says no.
    Suppressed,
}

impl Status {
    /// Every state, in the order in which a request goes through them.
    pub const ALL: [Status; 9] = [
        Status::Pending,
        Status::PendingApproval,
        Status::Held,
        Status::Running,
        Status::Revived,
        Status::Failed,
        Status::Denied,
        Status::Cancelled,
        Status::Suppressed,
    ];

    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::PendingApproval => "pending_approval",
            Status::Held => "held",
            Status::Running => "running",
            Status::Revived => "revived",
            Status::Failed => "failed",
            Status::Denied => "denied",
            Status::Cancelled => "cancelled",
            Status::Suppressed => "suppressed",
        }
    }

    /// Whether something may still come of it.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Status::Pending | Status::PendingApproval | Status::Held | Status::Running
        )
    }
}

/// One request, `.mcell/revivals/open/<id>.json` until it is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revival {
    /// Its id: the stem of its file.
    pub id: String,
    /// The agent.
    pub agent_id: String,
    /// Its cell.
    pub cell_id: String,
    /// Why it is asked for.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: Time,
    /// Who asked: an operator, an agent, or the daemon.
    pub requested_by: String,
    /// Whether the agent was broken on purpose: that counts as no fall of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_drill: bool,
    /// How it stands.
    pub status: Status,
    /// Why it stands so: what it waits for, or how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// It is not carried out before this is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Lease>,
    /// No policy is asked: an operator said so, the agent asked for it itself, or the machine was started again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_free: bool,
    /// The operator who approved or denied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// The life that was begun for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
    /// The checkpoint that life goes on from; none: it began anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// When its process was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the agent had proved that it lives.
    #[serde(default)]
    pub revived_at: Option<Time>,
    /// When it was over, however.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    /// The process of that life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Younger checkpoints that are not what was saved, and so were passed over for that life.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<Passed>,
    /// Its story: every step, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Revival {
    /// One that is made now, and waits for nothing.
    pub fn new(id: &RevivalId, cell: &CellId, agent: &AgentId, reason: String, now: Time) -> Self {
        Revival {
            id: id.to_string(),
            agent_id: agent.to_string(),
            cell_id: cell.to_string(),
            reason,
            requested_at: now,
            requested_by: String::new(),
            is_drill: false,
            status: Status::Pending,
            why: None,
            not_before: None,
            is_free: false,
            answered_by: None,
            incarnation: None,
            checkpoint: None,
            started_at: None,
            revived_at: None,
            closed_at: None,
            pid: None,
            passed_over: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// The same, with who asks for it.
    #[must_use]
    pub fn by(mut self, who: String) -> Self {
        self.requested_by = who;
        self
    }

    /// Goes on to another state, for a reason.
    pub fn become_status(&mut self, status: Status, why: Option<String>, now: Time) {
        self.status = status;
        self.why = why;
        if status == Status::Revived {
            self.revived_at = Some(now);
        }
        if !status.is_open() {
            self.closed_at = Some(now);
            self.not_before = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_word() {
        for status in Status::ALL {
            let word = serde_json::to_value(status).unwrap();
            assert_eq!(word, status.word());
        }
        assert_eq!(
            Status::ALL.iter().filter(|status| status.is_open()).count(),
            4
        );
    }
}
