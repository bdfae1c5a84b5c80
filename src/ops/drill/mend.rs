//! What a drill broke is made whole again, whatever came of it.

use super::measure::Seen;
use super::{Plan, look};
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::drill::Blow;
use crate::mission::revival::{Revival, Status};
use crate::ops::revival;
use crate::ops::run::State;
use crate::ops::session::Session;
use crate::runner::Handle;
use crate::store::cell::OpenCell;
use crate::store::revival as on_disk;
use crate::store::root::Root;
use crate::store::run;
use rustix::process::Signal;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// How an agent came to be as it was before a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mended {
    /// The daemon brought it back in time.
    ByDaemon,
    /// The daemon brought it back, too late.
    Late,
    /// Nobody had; the drill brought it back.
    ByDrill,
    /// It stood still, and was let go on.
    Continued,
    /// The signal did not end it: it runs as before.
    Unbroken,
    /// The drill was interrupted; the daemon is at it.
    LeftToDaemon,
    /// It could not be brought back.
    Down,
}

/// Makes whole again what was broken; gives the request of whoever did that, if it was not done in time.
pub(super) fn mend(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    plan: &Plan,
    handle: &Handle,
    seen: Seen,
) -> Result<(Mended, Option<Revival>)> {
    if seen == Seen::Back {
        return Ok((Mended::ByDaemon, None));
    }
    let storage = |error| Error::storage(format_args!("mend {id}"), error);
    if plan.kill == Blow::Stop {
        // One that is over takes no signal.
        handle.signal(Signal::CONT).map_err(storage)?;
    }
    let is_over = handle.wait(Duration::ZERO).map_err(storage)?;
    if !is_over {
        return Ok(match plan.kill {
            Blow::Stop => (Mended::Continued, None),
            Blow::Term | Blow::Kill => (Mended::Unbroken, None),
        });
    }
    if seen == Seen::Interrupted {
        return Ok((Mended::LeftToDaemon, None));
    }
    bring_back(session, cell, id, plan)
}

/// As an operator's own revive does; what the daemon has begun is waited for.
fn bring_back(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    plan: &Plan,
) -> Result<(Mended, Option<Revival>)> {
    let root = Root::open(cell.root_folder()?.path())?;
    let terms = look::terms(session, &root)?;
    let open = match State::seen(cell, id)?.revival() {
        Some(open) => on_disk::read(cell, &open)?,
        None => None,
    };
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    let runs_again = note.incarnation > plan.incarnation && run::lives(cell.folder(), id)?;
    if open.is_none() && runs_again {
        return Ok((Mended::Late, None));
    }
    let reason = "a drill that nobody answered";
    let request = revival::request(session, cell, id, Some(reason))?;
    // What the daemon has begun meanwhile is left to it.
    let mended = if request.answered_by.is_some() {
        (session.tell)(&format!(
            "{id} was not brought back in time: it is now, by the drill itself"
        ));
        Mended::ByDrill
    } else {
        Mended::Late
    };
    let request = revival::see_through(session, cell, id, &request, terms)?;
    let is_back = request.status == Status::Revived;
    Ok((if is_back { mended } else { Mended::Down }, Some(request)))
}
