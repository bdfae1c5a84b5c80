//! The end of an agent's process: in order, or what is left of one whose runner is dead.

use super::pause;
use super::start::{self, Started};
use super::state::State;
use crate::base::boot::Moment;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::base::process::Process;
use crate::mission::revival::Status;
use crate::mission::run::{End, RunNote, STOP_TIMEOUT, Wanted};
use crate::ops::agent::show;
use crate::ops::session::Session;
use crate::runner::{self, Handle};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::{revival, run};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How long a runner may take beyond its agent's time to end: what it killed has to be over, and its end on disk.
const BEYOND: Duration = Duration::from_secs(10);

/// What became of a stop.
#[derive(Clone, Debug, PartialEq)]
pub struct Stopped {
    /// Which life of the agent ended; none if nothing ran.
    pub incarnation: Option<u64>,
    /// How it ended; none if nothing ran, or if its runner was killed.
    pub end: Option<End>,
    /// How many processes were left of it without a runner, and were ended.
    pub left: usize,
}

/// Stops an agent: it is not wanted any more, its process is asked to end, and killed if it does not in its time. `at_once`:
/// killed without being asked.
pub fn stop(session: &Session, cell: &OpenCell, id: &AgentId, at_once: bool) -> Result<Stopped> {
    session.require_operator("stop an agent")?;
    show(cell, id)?;
    let _acting = run::act(cell.folder(), id, session.wait("agent stop")?)?;
    {
        let mut writing = session.write(cell, "agent stop")?;
        let mut state = State::read(&writing, id)?;
        state.want(Wanted::Stopped);
        cancel(&mut writing, &mut state)?;
        state.put(&mut writing, id)?;
        writing.commit(&format!("{id} is not wanted"))?;
    }
    if !at_once {
        ask_to_save(session, cell, id)?;
    }
    let stopped = end(session, cell, id, at_once)?;
    // What it held is free now; whoever writes first sees to it.
    session.write(cell, "agent stop").map(drop)?;
    Ok(stopped)
}

/// Stages that an agent's open request is taken back: what becomes of it is in an operator's hands.
pub(super) fn cancel(writing: &mut Writing<'_>, state: &mut State) -> Result<()> {
    let Some(id) = state.revival() else {
        return Ok(());
    };
    if let Some(mut open) = revival::read_open(writing, &id)? {
        let by = format!("{} by {}", writing.act().name, writing.act().by);
        open.become_status(Status::Cancelled, Some(by), writing.now());
        open.note(&Moment::showing(writing.now()));
        revival::put(writing, &open)?;
    }
    state.ask(None);
    Ok(())
}

/// Stops an agent, if it runs, and starts it again.
pub fn restart(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<(Stopped, Started)> {
    session.require_operator("restart an agent")?;
    // What would be refused is refused while the old one lives.
    start::look(session, cell, id)?;
    let _acting = run::act(cell.folder(), id, session.wait("agent restart")?)?;
    ask_to_save(session, cell, id)?;
    let stopped = end(session, cell, id, false)?;
    let started = start::begin(session, cell, id, "agent restart", runner::start)?;
    Ok((stopped, started))
}

/// Ends whatever runs of an agent; its `.act` is held.
pub(super) fn end(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    at_once: bool,
) -> Result<Stopped> {
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    if run::lives(cell.folder(), id)? {
        let patience = end_by_runner(cell, id, &note, at_once)?;
        if run::lives(cell.folder(), id)? {
            let waited = patience.as_secs();
            return Err(Error::new(
                Kind::Busy,
                format!("{id} did not end in {waited} s: what is left of it cannot be killed"),
            )
            .hint(
                "a process that waits for a disk or the net in the kernel ends when that answers",
            ));
        }
    } else if note.is_over() {
        return Ok(Stopped {
            incarnation: None,
            end: None,
            left: 0,
        });
    }
    let left = end_leftovers(session, cell, id)?;
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    Ok(Stopped {
        incarnation: Some(note.incarnation),
        end: note.end,
        left,
    })
}

/// Lets an agent that runs save its state, where it has a command for that (`run.checkpoint`), in the time that it has to
/// end. That it fails keeps nobody from ending it, and is told.
fn ask_to_save(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<()> {
    let before = run::read(cell.folder(), id)?.unwrap_or_default();
    if !before.can_save || !run::lives(cell.folder(), id)? {
        return Ok(());
    }
    let (Some(handle), patience) = runner_of(cell, id, &before)? else {
        return Ok(());
    };
    signal(id, &handle, Signal::USR1)?;
    let last = before.saved.map_or(0, |saved| saved.number);
    let end = Instant::now() + patience;
    let failure = loop {
        let note = run::read(cell.folder(), id)?.unwrap_or_default();
        if let Some(saved) = note.saved.filter(|saved| saved.number > last) {
            break saved.failure();
        }
        if !run::lives(cell.folder(), id)? || Instant::now() >= end {
            break Some(String::from("nobody told what came of it"));
        }
        pause();
    };
    if let Some(why) = failure {
        let told = format!("{id} did not save its state before it was stopped: {why}");
        (session.tell)(&told);
        session.write(cell, "agent checkpoint")?.note(&told)?;
    }
    Ok(())
}

/// Tells the runner to end its agent, and waits until it has. Gives how long it had.
fn end_by_runner(cell: &OpenCell, id: &AgentId, note: &RunNote, at_once: bool) -> Result<Duration> {
    let (handle, patience) = runner_of(cell, id, note)?;
    // None: it ended between the two looks.
    if let Some(handle) = handle {
        signal(
            id,
            &handle,
            if at_once { Signal::INT } else { Signal::TERM },
        )?;
        let storage = |error| Error::storage(format_args!("stop {id}"), error);
        handle.wait(patience).map_err(storage)?;
    }
    Ok(patience)
}

fn signal(id: &AgentId, runner: &Handle, signal: Signal) -> Result<()> {
    runner.signal(signal).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Error::refused(format!("{id} runs as another user")).hint("ask its owner, or use sudo")
        }
        _ => Error::storage(format_args!("stop {id}"), error),
    })
}

/// The runner of an agent, none if it is over by now; and how long it may take to do what it is told.
fn runner_of(cell: &OpenCell, id: &AgentId, note: &RunNote) -> Result<(Option<Handle>, Duration)> {
    let storage = |error| Error::storage(format_args!("stop {id}"), error);
    let timeout = show(cell, id)?.run.and_then(|run| run.stop_timeout);
    let patience = Duration::from_secs(timeout.unwrap_or(STOP_TIMEOUT)) + BEYOND;
    let unknown = || {
        Error::refused(format!("{id} runs, and its runner is not known"))
            .hint("something else holds its lock; `mcell doctor` may say what")
    };
    let runner = note.runner.ok_or_else(unknown)?;
    let pid = i32::try_from(runner.pid).map_err(|_| unknown())?;
    let seen = Process::of(pid).map_err(storage)?;
    let handle = match seen.filter(|seen| seen.started == runner.started) {
        Some(seen) => Handle::of(seen).map_err(storage)?,
        None => None,
    };
    Ok((handle, patience))
}

/// Ends what is left of a run whose runner is dead; nothing may start beside it.
fn end_leftovers(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<usize> {
    let Some(note) = run::read(cell.folder(), id)? else {
        return Ok(0);
    };
    if note.is_over() {
        return Ok(0);
    }
    let left = runner::sweep(cell.id(), cell.path(), id, &note)?;
    if left > 0 {
        (session.tell)(&format!(
            "the runner of {id} was killed; {left} of its processes were left, and are ended"
        ));
    }
    Ok(left)
}
