//! What an operator says to a request.

use super::fall::told;
use super::put;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::revival::{Revival, Status};
use crate::ops::run::State;
use crate::ops::session::Session;
use crate::revival::Answer;
use crate::store::cell::OpenCell;
use crate::store::{revival as on_disk, run};

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
    let now = session.moment();
    let mut record = state.record(&now);
    let is_suppressed = answer.give(&mut open, &mut record, session.actor(), &now);
    state.suppress(is_suppressed);
    state.remember(record, &now)?;
    put(&mut writing, &id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    drop(writing);
    if is_suppressed {
        // What it held is free now, if nothing of it runs.
        session.write(cell, answer.act()).map(drop)?;
    }
    Ok(open)
}
