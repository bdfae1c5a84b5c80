//! What an operator says to a request.

use super::{Record, Suspects};
use crate::base::boot::Moment;
use crate::mission::revival::{Revival, Status};

/// What an operator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Bring it back: it waits for nothing any more.
    Approve,
    /// Do not, and do not ask again by itself.
    Deny,
    /// Take it back; the same, but nobody was asked.
    Cancel,
}

impl Answer {
    /// The act in the journal.
    pub const fn act(self) -> &'static str {
        match self {
            Answer::Approve => "revival approve",
            Answer::Deny => "revival deny",
            Answer::Cancel => "revival cancel",
        }
    }

    /// Whether it may be given to a request that stands so.
    pub fn may_be_given(self, status: Status) -> bool {
        match self {
            Answer::Approve => matches!(
                status,
                Status::PendingApproval | Status::Held | Status::Pending
            ),
            Answer::Deny => status == Status::PendingApproval,
            // One that was started is started: what is left to say is whether it lives.
            Answer::Cancel => status.is_open() && status != Status::Running,
        }
    }

    /// Gives it; what was suspected is tried once more with a yes. Tells whether nobody asks for the agent again by itself from now on.
    pub fn give(self, open: &mut Revival, record: &mut Record, by: String, now: &Moment) -> bool {
        if self == Answer::Approve {
            record.suspects = Suspects::default();
        }
        let (status, why) = match self {
            Answer::Approve => (Status::Pending, format!("approved by {by}")),
            Answer::Deny => (Status::Denied, format!("denied by {by}")),
            Answer::Cancel => (Status::Cancelled, format!("taken back by {by}")),
        };
        open.become_status(status, Some(why), now.wall);
        open.not_before = None;
        open.is_free = self == Answer::Approve;
        if self != Answer::Cancel {
            open.answered_by = Some(by);
        }
        self != Answer::Approve
    }
}

/// An operator asks for it: that is its own approval, and it waits for nothing.
pub fn ask(open: &mut Revival, by: String, now: &Moment) {
    let why = Some(format!("asked for by {by}"));
    open.become_status(Status::Pending, why, now.wall);
    open.not_before = None;
    open.is_free = true;
    open.answered_by = Some(by);
}
