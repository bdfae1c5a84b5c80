//! An operator's own request: it is its own approval, lifts quarantine, and begins to count anew.

use super::fall::told;
use super::{Terms, conclude, open_of, put, steps, timeline};
use crate::base::boot::Moment;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, RevivalId};
use crate::mission::revival::{Revival, Status};
use crate::mission::run::Wanted;
use crate::ops::agent::show;
use crate::ops::presence;
use crate::ops::run::{self, State};
use crate::ops::session::Session;
use crate::revival::{self, Record, is_due};
use crate::store::cell::OpenCell;
use crate::store::root::Root;
use crate::store::{revival as on_disk, run as lives};
use std::time::{Duration, Instant};

/// How long a process lives that is to prove no more than that.
const ALIVE_FOR: Duration = Duration::from_secs(5);
/// How long whoever waits for a daemon waits beyond the time that an agent has to prove that it lives.
const BEYOND: Duration = Duration::from_secs(30);

/// Asks for an agent to be brought back, now. What cannot be started as things are is refused (exit 5), and so is one that
/// is well. Gives the request; a daemon carries it out, or [`see_through`] does.
pub fn request(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    reason: Option<&str>,
) -> Result<Revival> {
    session.require_operator("bring an agent back")?;
    show(cell, id)?;
    run::look(session, cell, id)?;
    let _acting = lives::act(cell.folder(), id, session.wait("revive")?)?;
    let mut writing = session.write(cell, "revive")?;
    let mut state = State::read(&writing, id)?;
    let by = session.actor();
    let lives = lives::lives(cell.folder(), id)?;
    let mut asked = match open_of(&writing, &state)? {
        // It is at it. One that ended since is begun again, and not when its wait is over.
        Some(open)
            if open.status == Status::Running
                && lives
                && !steps::is_of_older_life(cell, id, &open)? =>
        {
            return Ok(open);
        }
        Some(open) => open,
        None => {
            let reason = reason.unwrap_or("an operator asks for it").to_owned();
            let name = on_disk::new_id(cell)?;
            let revival = Revival::new(&name, cell.id(), id, reason, writing.now());
            let mut revival = revival.by(by.clone());
            let note = lives::read(cell.folder(), id)?.unwrap_or_default();
            let now = Moment::showing(writing.now());
            let why = format!("asked for by {by}");
            timeline::begin(&mut revival, &note, lives, Some(&why), &now);
            revival
        }
    };
    revival::ask(&mut asked, by, &session.moment());
    state.want(Wanted::Running);
    state.suppress(false);
    state.remember(Record::default(), &session.moment())?;
    put(&mut writing, id, &mut state, &asked)?;
    writing.commit(&told(&asked))?;
    Ok(asked)
}

/// Sees a request through to its end, or to the next wait: waits for the daemon that carries it out, or does so itself
/// where none runs.
pub fn see_through(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    revival: &Revival,
    terms: Terms,
) -> Result<Revival> {
    let name = RevivalId::new(revival.id.as_str())?;
    let root = Root::open(cell.root_folder()?.path())?;
    let timeout = super::revive_timeout(cell)?;
    let end = Instant::now() + timeout + BEYOND;
    loop {
        if presence::look(&root)?.running().is_none() {
            return alone(session, cell, id, &name, terms);
        }
        let now = on_disk::read(cell, &name)?.ok_or_else(|| steps::gone(id))?;
        let waits = now.status == Status::Pending && !is_due(&now, &session.moment());
        if !now.status.is_open() || waits || Instant::now() >= end {
            return Ok(now);
        }
        run::pause();
    }
}

/// The same where no daemon runs.
fn alone(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    name: &RevivalId,
    terms: Terms,
) -> Result<Revival> {
    steps::carry_out(session, cell, id, terms)?;
    let now = on_disk::read(cell, name)?.ok_or_else(|| steps::gone(id))?;
    let (Status::Running, Some(life)) = (now.status, now.incarnation) else {
        return Ok(now);
    };
    (session.tell)("no daemon runs: its process is watched for 5 s, and nothing else");
    let end = Instant::now() + ALIVE_FOR;
    let in_vain = loop {
        if !lives::lives(cell.folder(), id)? {
            break Some("it ended before it had proved that it lives");
        }
        if Instant::now() >= end {
            break None;
        }
        run::pause();
    };
    conclude(session, cell, id, life, in_vain, terms)?;
    on_disk::read(cell, name)?.ok_or_else(|| steps::gone(id))
}

/// Whether a life was begun to bring an agent back, and has not proved yet that it lives: that is gone on with, however well
/// the agent looks.
pub fn is_under_way(cell: &OpenCell, id: &AgentId) -> Result<bool> {
    let open = match State::seen(cell, id)?.revival() {
        Some(open) => on_disk::read(cell, &open)?,
        None => None,
    };
    Ok(open.is_some_and(|open| open.status == Status::Running))
}

/// Refuses to bring back what is well (exit 5).
pub fn require_unwell(id: &AgentId, state: &str) -> Result<()> {
    if state == "healthy" {
        return Err(Error::refused(format!("{id} is healthy")).hint(format!(
            "`mcell agent restart {id}` starts it again all the same"
        )));
    }
    Ok(())
}
