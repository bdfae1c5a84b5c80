//! An agent fell: what that means, and what follows.

use super::steps::{self, Step};
use super::substitute::hand_on;
use super::{Terms, open_of, put, rule_of, timeline};
use crate::base::boot::Moment;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, Terms as Ends, Wanted};
use crate::ops::run::{State, is_at_home};
use crate::ops::session::Session;
use crate::ops::stop_point;
use crate::revival::{Burden, Cause, Draft, News, is_due};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::{revival as on_disk, run};

/// What followed.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// Nothing: it runs, or it is not to be brought back.
    Nothing,
    /// The cell is at home on another host: here it is watched only.
    Elsewhere,
    /// It has done what it was there for.
    Finished,
    /// A request stands so. Whether it is given up for a while: a person is told.
    Asked {
        /// The request.
        revival: Box<Revival>,
        /// Whether that is new.
        is_quarantined: bool,
    },
    /// It was started again.
    Started(Box<Revival>),
}

/// Sees to an agent that fell: what its end means and what the policy says decide whether it is finished, is started again
/// now or later, or waits for an operator.
pub fn fallen(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    news: &News,
    terms: Terms,
) -> Result<Done> {
    let _acting = run::act(cell.folder(), id, session.wait("revive")?)?;
    let agent = match cell.agent(id)? {
        Some(agent) if agent.status != AgentStatus::Paused => agent,
        _ => return Ok(Done::Nothing),
    };
    let lives = run::lives(cell.folder(), id)?;
    let known = State::seen(cell, id)?.known();
    let (is_wanted, begun) = (known.wanted == Some(Wanted::Running), known.incarnation);
    let is_active = cell.cell()?.status == CellStatus::Active;
    let ends = match &agent.run {
        Some(run) if is_wanted && is_active && (!lives || news.is_silent) => Ends::of(run),
        _ => return Ok(Done::Nothing),
    };
    if !is_at_home(session, cell)? {
        return Ok(Done::Elsewhere);
    }
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    let mut cause = Cause::of(news, &ends, &note, begun, lives, &session.moment());
    let state = State::seen(cell, id)?;
    let now = session.moment();
    let drill = state.drill();
    match drill.filter(|drill| drill.broke(note.incarnation, &now)) {
        Some(drill) => cause = cause.of_drill(&drill),
        None => cause.burden = Burden::of(&agent, state.checkpoint(), &note, now.wall),
    }
    if cause.meaning == Meaning::Finished {
        return finish(session, cell, id);
    }
    let open = of_cell_without_lock(cell, id)?;
    if let Some(open) = open {
        if !cause.ends(&open, &note) {
            return Ok(Done::Asked {
                revival: Box::new(open),
                is_quarantined: false,
            });
        }
        withdraw(session, cell, id, open)?;
    }
    let name = on_disk::new_id(cell)?;
    let reason = cause.reason.clone();
    let revival = Revival::new(&name, cell.id(), id, reason, session.moment().wall);
    let mut revival = revival.by(session.actor());
    let seen = Moment::showing(session.moment().wall);
    timeline::begin(&mut revival, &note, lives, None, &seen);
    let rule = rule_of(cell, id, terms)?;
    let now = session.moment();
    let record = State::seen(cell, id)?.record(&now);
    let mut draft = Draft::make(revival, record, &cause, news, rule, &now);
    if draft.is_quarantined {
        hand_on(session, cell, id, &mut draft.revival)?;
    }
    match begin(session, cell, id, terms, &draft) {
        Err(error) => match of_cell_without_lock(cell, id)? {
            Some(open) if open.id != draft.revival.id => Ok(Done::Asked {
                revival: Box::new(open),
                is_quarantined: false,
            }),
            _ => Err(error),
        },
        done => done,
    }
}

fn withdraw(session: &Session, cell: &OpenCell, id: &AgentId, mut open: Revival) -> Result<()> {
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let why = Some(String::from("it asked to be started again"));
    open.become_status(Status::Cancelled, why, writing.now());
    put(&mut writing, id, &mut state, &open)?;
    writing.commit(&told(&open))?;
    stop_point::reached(&session.env, "withdraw");
    Ok(())
}

/// The open request of an agent. Whoever changes it holds the agent's `.act`, as the caller does.
pub(super) fn of_cell_without_lock(cell: &OpenCell, id: &AgentId) -> Result<Option<Revival>> {
    let open = match State::seen(cell, id)?.revival() {
        Some(open) => on_disk::read(cell, &open)?,
        None => None,
    };
    Ok(open.filter(|open| open.status.is_open()))
}

/// It ended with 0: it is not wanted any more, and what it held is free.
fn finish(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Done> {
    {
        let mut writing = session.write(cell, "agent finished")?;
        let mut state = State::read(&writing, id)?;
        state.want(Wanted::Stopped);
        if let Some(mut open) = open_of(&writing, &state)? {
            let why = Some(String::from("it has finished"));
            open.become_status(Status::Cancelled, why, writing.now());
            put(&mut writing, id, &mut state, &open)?;
        }
        state.put(&mut writing, id)?;
        writing.commit(&format!("{id} has finished: exit 0"))?;
    }
    stop_point::reached(&session.env, "finish");
    session.write(cell, "agent finished").map(drop)?;
    Ok(Done::Finished)
}

/// Files a request, and carries it out if it is due.
fn begin(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    terms: Terms,
    draft: &Draft,
) -> Result<Done> {
    if !is_due(&draft.revival, &session.moment()) {
        let revival = Box::new(file(session, cell, id, draft)?);
        if draft.is_suppressed {
            // What it held is free now, if nothing of it runs.
            session.write(cell, "revive").map(drop)?;
        }
        return Ok(Done::Asked {
            revival,
            is_quarantined: draft.is_quarantined,
        });
    }
    // What is carried out at once is filed with its first step, in one commit: the agent is down meanwhile.
    Ok(match steps::carry(session, cell, id, terms, Some(draft))? {
        Step::Started(revival) => Done::Started(revival),
        Step::Waits(revival, is_quarantined) => Done::Asked {
            revival,
            is_quarantined,
        },
    })
}

/// Stages what is to be remembered of the agent. Refused (exit 6) if there is an open request after all: whoever filed that
/// was killed before all of it was in its place, and the lock that is held now has put it there.
pub(super) fn remember(
    writing: &Writing<'_>,
    draft: &Draft,
    state: &mut State,
    now: &Moment,
) -> Result<()> {
    if let Some(open) = open_of(writing, state)? {
        let told = format!("{} is asked for already: {}", open.agent_id, open.id);
        return Err(Error::new(Kind::Busy, told).hint(format!(
            "`mcell revival show {}` tells how it stands",
            open.id
        )));
    }
    state.suppress(draft.is_suppressed);
    state.remember(draft.record.clone(), now)
}

/// Files a request, and gives it.
pub(super) fn file(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    draft: &Draft,
) -> Result<Revival> {
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    remember(&writing, draft, &mut state, &session.moment())?;
    put(&mut writing, id, &mut state, &draft.revival)?;
    writing.commit(&told(&draft.revival))?;
    stop_point::reached(&session.env, "ask");
    Ok(draft.revival.clone())
}

/// What the journal says of a request.
pub(super) fn told(revival: &Revival) -> String {
    let (id, agent, word) = (&revival.id, &revival.agent_id, revival.status.word());
    let word = word.replace('_', " ");
    match &revival.why {
        Some(why) => format!(
            "revival {id} of {agent} is {word}: {why} ({})",
            revival.reason
        ),
        None => format!("revival {id} of {agent} is {word}: {}", revival.reason),
    }
}
