//! The steps of a try: the older life is fenced, stopped, and a new one is started from its checkpoint; then that proves
//! that it lives, or the try was in vain.

use super::fall::{file, of_cell_without_lock, remember, told};
use super::substitute::hand_on;
use super::{Terms, open_of, put, rule_of, timeline};
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, RunNote, Terms as Ends};
use crate::ops::agent::show;
use crate::ops::run::{DeadEnd, State, dead_end, launch};
use crate::ops::session::Session;
use crate::ops::stop_point;
use crate::revival::{self, Burden, Draft, is_due};
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
    let Some(open) = take_up(session, cell, id, terms)? else {
        return Ok(None);
    };
    if !is_due(&open, &session.moment()) {
        return Ok(Some((open, false)));
    }
    Ok(Some(match carry(session, cell, id, terms, None)? {
        Step::Started(revival) => (*revival, false),
        Step::Waits(revival, is_quarantined) => (*revival, is_quarantined),
    }))
}

/// What the end of an agent's process means.
fn meaning(cell: &OpenCell, id: &AgentId, state: &State, note: &RunNote) -> Result<Meaning> {
    let lives = run::lives(cell.folder(), id)?;
    let begun = state.known().incarnation;
    let agent = cell.agent(id)?;
    let run = agent.as_ref().and_then(|agent| agent.run.as_ref());
    Ok(run.map_or(Meaning::Died, |run| {
        revival::meaning(&Ends::of(run), note, begun, lives)
    }))
}

/// The open request of an agent, if it is to be carried out now, or if its policy, which may have changed, stops it. One
/// that was held is not held any more.
fn take_up(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    terms: Terms,
) -> Result<Option<Revival>> {
    let rule = rule_of(cell, id, terms)?;
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let Some(mut open) = open_of(&writing, &state)? else {
        return Ok(None);
    };
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    let meaning = meaning(cell, id, &state, &note)?;
    let now = session.moment();
    let mut is_stopped = false;
    let mut has_changed = revival::take_up(&mut open, &note, &now);
    if is_due(&open, &now)
        && let Some(is_suppressed) = revival::stop(&mut open, rule.policy, meaning, &now)
    {
        state.suppress(is_suppressed);
        (has_changed, is_stopped) = (true, true);
    }
    if has_changed {
        put(&mut writing, id, &mut state, &open)?;
        writing.commit(&told(&open))?;
        stop_point::reached(&session.env, "lift");
    }
    Ok((is_stopped || is_due(&open, &now)).then_some(open))
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
                remember(writing, draft, state, &session.moment())?;
                draft.revival.clone()
            }
            None => open_of(writing, state)?.ok_or_else(|| gone(id))?,
        };
        revival::begin(&mut open, life, plan.checkpoint, &session.moment());
        open.passed_over = timeline::passed_over(plan);
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
            let pid = started.pid;
            timeline::started(&mut open, &started);
            (open.started_at, open.pid) = (Some(writing.now()), Some(pid));
            put(&mut writing, id, &mut state, &open)?;
            writing.commit(&format!("revival {}: {id} runs as pid {pid}", open.id))?;
            stop_point::reached(&session.env, "note");
            Ok(Step::Started(Box::new(open)))
        }
        (Ok(_), None) => Err(Error::bug("a life was begun for no request")),
        (Err(error), _) if !revival::counts(error.kind()) => Err(error),
        (Err(error), carried) => {
            if let (Some(draft), None) = (draft, carried) {
                file(session, cell, id, draft)?;
            }
            if let Some(end) = dead_end(session, cell, id)? {
                let revival = ends_here(session, cell, id, &end)?;
                return Ok(Step::Waits(Box::new(revival), false));
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
        let Some(mut open) = open.filter(|open| revival::awaits(open, incarnation)) else {
            return Ok(None);
        };
        if in_vain_since.is_none() {
            let now = session.moment();
            let mut record = state.record(&now);
            revival::verified(&mut open, &mut record, &now);
            state.remember(record, &now)?;
            put(&mut writing, id, &mut state, &open)?;
            writing.commit(&told(&open))?;
            stop_point::reached(&session.env, "close");
            return Ok(Some((open, false)));
        }
    }
    let why = in_vain_since.unwrap_or_default();
    in_vain(session, cell, id, why, terms).map(Some)
}

/// Closes the open request of an agent that got well by itself while it waited. Gives it, if it was closed.
pub fn recovered(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Option<Revival>> {
    let _acting = run::act(cell.folder(), id, session.wait("revive")?)?;
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let now = session.moment();
    let mut record = state.record(&now);
    let Some(mut open) = open_of(&writing, &state)? else {
        return Ok(None);
    };
    let lives = run::lives(cell.folder(), id)?;
    if !lives || !revival::recovered(&mut open, &mut record, &now) {
        return Ok(None);
    }
    state.remember(record, &now)?;
    put(&mut writing, id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    Ok(Some(open))
}

/// A try that the next one would only repeat: it failed, or an operator is asked.
fn ends_here(session: &Session, cell: &OpenCell, id: &AgentId, end: &DeadEnd) -> Result<Revival> {
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let mut open = open_of(&writing, &state)?.ok_or_else(|| gone(id))?;
    let status = match end {
        DeadEnd::NoneGood => Status::Failed,
        DeadEnd::Suspects(_) => Status::PendingApproval,
    };
    open.become_status(status, Some(end.words(id)), writing.now());
    // Nobody asks for it again by itself: a person has to see to it.
    state.suppress(!status.is_open());
    put(&mut writing, id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    drop(writing);
    // What it held is free now, if nothing of it runs.
    session.write(cell, "revive").map(drop)?;
    Ok(open)
}

/// A try was in vain: the request waits for the next, for an operator, or its agent is given up for a while.
fn in_vain(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    why: &str,
    terms: Terms,
) -> Result<(Revival, bool)> {
    let rule = rule_of(cell, id, terms)?;
    let now = session.moment();
    // Whoever changes it holds the agent's `.act`, as the caller does.
    let state = State::seen(cell, id)?;
    let mut open = of_cell_without_lock(cell, id)?.ok_or_else(|| gone(id))?;
    let mut record = state.record(&now);
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    let has_lived = open.incarnation == Some(note.incarnation);
    let is_permanent = has_lived && meaning(cell, id, &state, &note)? == Meaning::Permanent;
    let is_quarantined = if is_permanent {
        revival::impossible(&mut open, &now);
        false
    } else {
        let burden = if has_lived {
            Burden::of(&show(cell, id)?, state.checkpoint(), &note, now.wall)
        } else {
            Burden::default()
        };
        revival::in_vain(&mut open, &mut record, why, &burden, rule, &now)
    };
    let is_climbed = is_quarantined || record.tries >= revival::CLIMBED;
    if is_climbed && open.status == Status::Pending {
        hand_on(session, cell, id, &mut open)?;
    }
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    state.remember(record, &now)?;
    put(&mut writing, id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    stop_point::reached(&session.env, "vain");
    Ok((open, is_quarantined))
}
