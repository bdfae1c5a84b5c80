//! What an operator says to a request.

use super::fall::told;
use super::put;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::revival::{Revival, Status};
use crate::ops::run::State;
use crate::ops::session::Session;
use crate::revival::Suspects;
use crate::store::cell::OpenCell;
use crate::store::{revival as on_disk, run};

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
    const fn act(self) -> &'static str {
        match self {
            Answer::Approve => "revival approve",
            Answer::Deny => "revival deny",
            Answer::Cancel => "revival cancel",
        }
    }

    fn may_be_given(self, status: Status) -> bool {
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
}

/// Answers a request. An approval is carried out by the daemon, or by whoever asks for it next.
pub fn answer(
    session: &Session,
    cell: &OpenCell,
    revival: &Revival,
    answer: Answer,
) -> Result<Revival> {
    session.require_operator("answer a request to bring an agent back")?;
    let id = AgentId::new(revival.agent_id.as_str())?;
    let _acting = run::act(cell.folder(), &id, session.wait(answer.act())?)?;
    let mut writing = session.write(cell, answer.act())?;
    let mut state = State::read(&writing, &id)?;
    let name = crate::base::ids::RevivalId::new(revival.id.as_str())?;
    let open = on_disk::read_open(&writing, &name)?;
    let word = |status: Status| status.word().replace('_', " ");
    let Some(mut open) = open else {
        return Err(
            Error::refused(format!("{name} is over: it is {}", word(revival.status)))
                .hint(format!("`mcell revival show {name}` tells how it ended")),
        );
    };
    if !answer.may_be_given(open.status) {
        return Err(
            Error::refused(format!("{name} is {}", word(open.status))).hint(format!(
                "`mcell revival show {name}` tells what it waits for"
            )),
        );
    }
    let by = session.actor();
    let (status, why) = match answer {
        Answer::Approve => (Status::Pending, format!("approved by {by}")),
        Answer::Deny => (Status::Denied, format!("denied by {by}")),
        Answer::Cancel => (Status::Cancelled, format!("taken back by {by}")),
    };
    open.become_status(status, Some(why), writing.now());
    open.not_before = None;
    if answer != Answer::Cancel {
        open.answered_by = Some(by);
    }
    state.suppress(answer != Answer::Approve);
    if answer == Answer::Approve {
        let now = session.moment();
        let mut record = state.record(&now);
        record.suspects = Suspects::default();
        state.remember(record, &now)?;
    }
    put(&mut writing, &id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    drop(writing);
    if answer != Answer::Approve {
        // What it held is free now, if nothing of it runs.
        session.write(cell, answer.act()).map(drop)?;
    }
    Ok(open)
}
