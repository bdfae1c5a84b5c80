//! The steps of a try: the older life is fenced, stopped, and a new one is started from its checkpoint; then that proves
//! that it lives, or the try was in vain.

use super::fall::{Draft, is_due, told};
use super::{Terms, open_of, policy_of, put, wait_until};
use crate::base::backoff;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::mission::revival::{Revival, Status};
use crate::ops::run::{State, launch};
use crate::ops::session::Session;
use crate::ops::stop_point;
use crate::revival::{Fall, Verdict};
use crate::store::cell::OpenCell;
use crate::store::run;

/// What became of a try so far.
#[derive(Debug)]
pub(super) enum Step {
    /// The agent was started.
    Started(Box<Revival>),
    /// It was not; the request stands so, and whether it is given up for a while from now on.
    Waits(Box<Revival>, bool),
}

/// Carries out the open request of an agent, if it is due: gives it as it then stands, and whether the agent is given up for
/// a while from now on.
pub fn carry_out(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    terms: Terms,
) -> Result<Option<(Revival, bool)>> {
    let _acting = run::act(cell.folder(), id, session.wait("revive")?)?;
    if !is_carried_out(session, cell, id)? {
        return Ok(None);
    }
    Ok(Some(match carry(session, cell, id, terms, None)? {
        Step::Started(revival) => (*revival, false),
        Step::Waits(revival, is_quarantined) => (*revival, is_quarantined),
    }))
}

/// Whether the open request of an agent is to be carried out now; one that was held is not held any more.
fn is_carried_out(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<bool> {
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let Some(mut open) = open_of(&writing, &state)? else {
        return Ok(false);
    };
    // Begun and never started: whoever began it fell in between, and what still lives is an older life.
    let is_half = open.status == Status::Running && is_of_older_life(cell, id, &open)?;
    if open.status == Status::Held || is_half {
        open.become_status(Status::Pending, None, writing.now());
        put(&mut writing, id, &mut state, &open)?;
        writing.commit(&told(&open))?;
        stop_point::reached(&session.env, "lift");
    }
    Ok(is_due(&open, &session.moment()))
}

/// Whether what runs of an agent, or ran last, is an older life than the one that was begun for a request.
pub(super) fn is_of_older_life(cell: &OpenCell, id: &AgentId, open: &Revival) -> Result<bool> {
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    Ok(Some(note.incarnation) < open.incarnation)
}

/// The same for who holds the agent's `.act`, and knows that it is due. `draft`: the request, if it is not filed yet.
pub(super) fn carry(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    terms: Terms,
    draft: Option<&Draft>,
) -> Result<Step> {
    let mut carried = None;
    let started = launch(session, cell, id, "revive", |writing, state, plan, life| {
        let mut open = match draft {
            Some(draft) => {
                draft.remember(writing, state, &session.moment())?;
                draft.revival.clone()
            }
            None => open_of(writing, state)?.ok_or_else(|| gone(id))?,
        };
        open.become_status(Status::Running, None, writing.now());
        (open.incarnation, open.checkpoint) = (Some(life), plan.checkpoint);
        open.started_at = None;
        put(writing, id, state, &open)?;
        let why = format!("; revival {}: {}", open.id, open.reason);
        carried = Some(open);
        Ok(why)
    });
    match (started, carried) {
        (Ok(started), Some(_)) => {
            let mut writing = session.write(cell, "revive")?;
            let mut state = State::read(&writing, id)?;
            let mut open = open_of(&writing, &state)?.ok_or_else(|| gone(id))?;
            open.started_at = Some(writing.now());
            put(&mut writing, id, &mut state, &open)?;
            let pid = started.pid;
            writing.commit(&format!("revival {}: {id} runs as pid {pid}", open.id))?;
            stop_point::reached(&session.env, "note");
            Ok(Step::Started(Box::new(open)))
        }
        (Ok(_), None) => Err(Error::bug("a life was begun for no request")),
        // Whoever has the lock, or the disk, may give it back soon: nothing is counted.
        (Err(error), _) if matches!(error.kind(), Kind::Busy | Kind::OutcomeUnknown) => Err(error),
        (Err(error), carried) => {
            if let (Some(draft), None) = (draft, carried) {
                draft.file(session, cell, id)?;
            }
            let (revival, is_quarantined) = in_vain(session, cell, id, error.message(), terms)?;
            Ok(Step::Waits(Box::new(revival), is_quarantined))
        }
    }
}

pub(super) fn gone(id: &AgentId) -> Error {
    Error::refused(format!("the request to bring {id} back is gone"))
        .hint("an operator took it back meanwhile: `mcell revival list --all`")
}

/// How a try ended, of that life: the agent has proved that it lives, or why it was in vain. Gives the request as it then
/// stands, and whether the agent is given up for a while from now on; none if it is of another life by now.
pub fn conclude(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    incarnation: u64,
    in_vain_since: Option<&str>,
    terms: Terms,
) -> Result<Option<(Revival, bool)>> {
    let _acting = run::act(cell.folder(), id, session.wait("revive")?)?;
    {
        let mut writing = session.write(cell, "revive")?;
        let mut state = State::read(&writing, id)?;
        let open = open_of(&writing, &state)?;
        let is_it = |open: &Revival| {
            open.status == Status::Running && open.incarnation == Some(incarnation)
        };
        let Some(mut open) = open.filter(is_it) else {
            return Ok(None);
        };
        if in_vain_since.is_none() {
            let now = session.moment();
            let mut record = state.record(&now);
            record.verified(now.up);
            state.remember(record, &now)?;
            open.become_status(Status::Revived, None, writing.now());
            put(&mut writing, id, &mut state, &open)?;
            writing.commit(&told(&open))?;
            stop_point::reached(&session.env, "close");
            return Ok(Some((open, false)));
        }
    }
    let why = in_vain_since.unwrap_or_default();
    in_vain(session, cell, id, why, terms).map(Some)
}

/// A try was in vain: the request waits for the next, or its agent is given up for a while.
fn in_vain(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    why: &str,
    terms: Terms,
) -> Result<(Revival, bool)> {
    let (_, retries) = policy_of(cell, terms)?;
    let now = session.moment();
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let mut open = open_of(&writing, &state)?.ok_or_else(|| gone(id))?;
    let mut record = state.record(&now);
    // The one that was open when an older daemon fell may have been forgotten.
    record.is_open = true;
    let seed = backoff::seed(&[cell.id().as_str(), id.as_str()]);
    let verdict = record.fell(Fall::InVain, retries, seed, now.up);
    let (at, is_quarantined) = match verdict {
        Verdict::Try(at) | Verdict::Start(at) => (at, false),
        Verdict::Quarantine(at) => (at, true),
    };
    let why = if is_quarantined {
        format!("quarantined, tried every half hour: {why}")
    } else {
        why.to_owned()
    };
    open.become_status(Status::Pending, Some(why), writing.now());
    open.not_before = wait_until(at, &now);
    state.remember(record, &now)?;
    put(&mut writing, id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    stop_point::reached(&session.env, "vain");
    Ok((open, is_quarantined))
}
