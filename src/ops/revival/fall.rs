//! An agent fell: what that means, and what follows.

use super::steps::{self, Step};
use super::{Terms, open_of, policy_of, put, wait_until};
use crate::base::backoff;
use crate::base::boot::Moment;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::CellStatus;
use crate::mission::policy::AutoRevive;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, RunNote, Terms as Ends, Wanted};
use crate::ops::run::{State, is_at_home};
use crate::ops::session::Session;
use crate::ops::stop_point;
use crate::revival::{Fall, Record, Verdict};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::{revival as on_disk, run};

/// What is known of a fall.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Why the agent counts as fallen, in a sentence.
    pub reason: String,
    /// Whether it does though its process lives: it is silent, or its gateway fails.
    pub is_silent: bool,
    /// What holds revivals, if something does: of those alone that are silent.
    pub held: Option<String>,
}

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
    let is_wanted = State::seen(cell, id)?.wanted() == Some(Wanted::Running);
    let is_active = cell.cell()?.status == CellStatus::Active;
    if !is_wanted || !is_active || agent.run.is_none() || (lives && !news.is_silent) {
        return Ok(Done::Nothing);
    }
    if !is_at_home(session, cell)? {
        return Ok(Done::Elsewhere);
    }
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    let now = session.moment();
    let meaning = if lives {
        Meaning::Died
    } else {
        meaning(&agent, &note)
    };
    if meaning == Meaning::Finished {
        return finish(session, cell, id);
    }
    let cause = Cause {
        // After a reboot what is wanted is started, as it was before: no policy, no count.
        is_of_another_boot: !lives && note.boot.is_some() && note.boot != now.boot,
        meaning,
        reason: reason(news, &note, lives),
    };
    let open = of_cell_without_lock(cell, id)?;
    if let Some(open) = open {
        let has_asked = cause.meaning == Meaning::Restart && open.status == Status::Running;
        if !has_asked || Some(note.incarnation) != open.incarnation {
            return Ok(Done::Asked {
                revival: Box::new(open),
                is_quarantined: false,
            });
        }
        // Its life ended in its own way before it had proved anything: that is no try in vain.
        withdraw(session, cell, id, open)?;
    }
    let draft = Draft::make(session, cell, id, news, terms, cause)?;
    match draft.begin(session, cell, id, terms) {
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
fn of_cell_without_lock(cell: &OpenCell, id: &AgentId) -> Result<Option<Revival>> {
    let open = match State::seen(cell, id)?.revival() {
        Some(open) => on_disk::read(cell, &open)?,
        None => None,
    };
    Ok(open.filter(|open| open.status.is_open()))
}

/// Whether a request is carried out now.
pub(super) fn is_due(revival: &Revival, now: &Moment) -> bool {
    let is_over = |wait: &crate::mission::lease::Lease| wait.has_lapsed(now);
    revival.status == Status::Pending && revival.not_before.as_ref().is_none_or(is_over)
}

/// Why an agent is started again.
struct Cause {
    is_of_another_boot: bool,
    meaning: Meaning,
    reason: String,
}

fn meaning(agent: &Agent, note: &RunNote) -> Meaning {
    match (&note.end, &agent.run) {
        (Some(end), Some(run)) if !end.is_ordered => Ends::of(run).meaning(end),
        // Its runner was killed, or was told to stop it by somebody who did not say that it is not wanted.
        _ => Meaning::Died,
    }
}

fn reason(news: &News, note: &RunNote, lives: bool) -> String {
    match note.end.filter(|_| !lives) {
        Some(end) => format!("{}: {end}", news.reason),
        None => news.reason.clone(),
    }
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

/// A request that is not filed yet, and what is to be remembered with it.
pub(super) struct Draft {
    pub(super) revival: Revival,
    record: Record,
    is_suppressed: bool,
    is_quarantined: bool,
}

impl Draft {
    fn make(
        session: &Session,
        cell: &OpenCell,
        id: &AgentId,
        news: &News,
        terms: Terms,
        cause: Cause,
    ) -> Result<Self> {
        let (policy, retries) = policy_of(cell, terms)?;
        let now = session.moment();
        let name = on_disk::new_id(cell)?;
        let revival = Revival::new(&name, cell.id(), id, cause.reason, now.wall);
        let mut draft = Draft {
            revival: revival.by(session.actor()),
            record: State::seen(cell, id)?.record(&now),
            is_suppressed: false,
            is_quarantined: false,
        };
        if cause.is_of_another_boot {
            draft.revival.why = Some(String::from("the machine was started again"));
            return Ok(draft);
        }
        let how = match cause.meaning {
            Meaning::Restart => Fall::Asked,
            _ => Fall::Died,
        };
        let seed = backoff::seed(&[cell.id().as_str(), id.as_str()]);
        let (at, asked_itself) = match draft.record.fell(how, retries, seed, now.up) {
            Verdict::Start(at) => (at, true),
            Verdict::Try(at) => (at, false),
            Verdict::Quarantine(at) => {
                draft.is_quarantined = true;
                draft.revival.why = Some(String::from(
                    "quarantined: it falls again and again; it is tried every half hour",
                ));
                (at, false)
            }
        };
        draft.revival.not_before = wait_until(at, &now);
        if let Some((status, why)) = stands(policy, cause.meaning, asked_itself, news) {
            draft.is_suppressed = status == Status::Suppressed;
            draft.revival.become_status(status, Some(why), now.wall);
        }
        Ok(draft)
    }

    /// Files it, and carries it out if it is due.
    fn begin(
        &self,
        session: &Session,
        cell: &OpenCell,
        id: &AgentId,
        terms: Terms,
    ) -> Result<Done> {
        if !is_due(&self.revival, &session.moment()) {
            return Ok(Done::Asked {
                revival: Box::new(self.file(session, cell, id)?),
                is_quarantined: self.is_quarantined,
            });
        }
        // What is carried out at once is filed with its first step, in one commit: the agent is down meanwhile.
        let step = steps::carry(session, cell, id, terms, Some(self))?;
        Ok(match step {
            Step::Started(revival) => Done::Started(revival),
            Step::Waits(revival, is_quarantined) => Done::Asked {
                revival,
                is_quarantined,
            },
        })
    }

    /// Stages what is to be remembered of the agent. Refused (exit 6) if there is an open request after all: whoever filed
    /// that was killed before all of it was in its place, and the lock that is held now has put it there.
    pub(super) fn remember(
        &self,
        writing: &Writing<'_>,
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
        state.suppress(self.is_suppressed);
        state.remember(self.record.clone(), now)
    }

    /// Files it, and gives the request.
    pub(super) fn file(&self, session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Revival> {
        let mut writing = session.write(cell, "revive")?;
        let mut state = State::read(&writing, id)?;
        self.remember(&writing, &mut state, &session.moment())?;
        put(&mut writing, id, &mut state, &self.revival)?;
        writing.commit(&told(&self.revival))?;
        stop_point::reached(&session.env, "ask");
        Ok(self.revival.clone())
    }
}

/// How a new request stands, if it is not simply to be carried out.
fn stands(
    policy: AutoRevive,
    meaning: Meaning,
    asked_itself: bool,
    news: &News,
) -> Option<(Status, String)> {
    if meaning == Meaning::Permanent {
        let why = "it says that it cannot run as things are, and will say so again";
        return Some((Status::PendingApproval, why.to_owned()));
    }
    if asked_itself {
        return None;
    }
    match (policy, &news.held) {
        (AutoRevive::No, _) => Some((Status::Suppressed, String::from("auto_revive is no"))),
        (AutoRevive::Ask, _) => {
            let why = String::from("auto_revive is ask");
            Some((Status::PendingApproval, why))
        }
        (AutoRevive::Yes, Some(held)) => Some((Status::Held, held.clone())),
        (AutoRevive::Yes, None) => None,
    }
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
