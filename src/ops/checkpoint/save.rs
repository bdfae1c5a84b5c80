//! Saving a checkpoint: a generation is made beside, and placed in one commit with the fleet's files.

use super::contents::{Contents, NewCheckpoint};
use super::{look, note_of, numbers};
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::Agent;
use crate::mission::checkpoint::{KEPT, Manifest, surplus};
use crate::mission::claim;
use crate::mission::task::Task;
use crate::ops::session::{CLAIM, Session};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;

/// How often a checkpoint is made anew since the agent's claim changed meanwhile.
const TRIES: u32 = 3;

/// A checkpoint that was saved.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Saved {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// Its number.
    pub generation: u64,
    /// What belongs to it.
    pub manifest: Manifest,
    /// The older generations that were deleted.
    pub dropped: Vec<u64>,
    /// What lies in checkpoints/AGENT/artifacts/ and was not saved, since it is no plain file.
    pub left_out: Vec<String>,
}

/// Saves a checkpoint of an agent. An agent saves its own only, with the token of the task that it holds.
pub fn save(
    session: &Session,
    cell: &OpenCell,
    agent: &AgentId,
    new: &NewCheckpoint,
) -> Result<Saved> {
    if let Some(acting) = session.agent.as_ref().filter(|acting| *acting != agent) {
        return Err(Error::refused(format!(
            "{acting} may save its own checkpoint only, not that of {agent}"
        ))
        .hint(format!("`mcell checkpoint save --as {acting}`")));
    }
    crate::ops::agent::show(cell, agent)?;
    let contents = Contents::gather(cell, agent, new)?;
    for _ in 0..TRIES {
        let claim = claim_of(agent, |file| cell.record(file), |file| cell.record(file))?;
        let manifest = Manifest {
            agent: agent.to_string(),
            saved_at: session.env.clock.now(),
            saved_by: session.actor(),
            task: claim.as_ref().map(|(task, _)| task.clone()),
            token: claim.as_ref().and_then(|(_, token)| *token),
            files: Vec::new(),
        };
        let (made, manifest) = contents.make(cell, manifest)?;
        let copies = contents.copies(cell, agent, &manifest)?;
        let mut writing = session.write(cell, "checkpoint save")?;
        require_own(session, &writing, agent)?;
        if claim_of(agent, |file| writing.read(file), |file| writing.read(file))? != claim {
            continue;
        }
        let number = numbers(cell, agent)?.last().map_or(1, |last| last + 1);
        writing.put_made(&layout::generation(agent, number), made)?;
        for (name, text) in &contents.texts {
            if contents.given.contains(name) {
                let file = layout::join(&layout::checkpoint(agent), name);
                writing.put_text(&file, text.clone())?;
            }
        }
        for (file, copy) in copies {
            writing.put_made(&file, copy)?;
        }
        put_note(&mut writing, agent, &manifest)?;
        writing.commit(&format!("saved checkpoint {number} of {agent}"))?;
        let dropped = drop_older(session, &mut writing, agent, number)?;
        return Ok(Saved {
            cell_id: cell.id().to_string(),
            agent_id: agent.to_string(),
            generation: number,
            manifest,
            dropped,
            left_out: contents.left_out,
        });
    }
    Err(Error::new(
        Kind::Busy,
        format!("the claim of {agent} changes all the time"),
    )
    .hint("save again"))
}

/// Stages what the agent's file says of its checkpoint.
pub(super) fn put_note(
    writing: &mut Writing<'_>,
    agent: &AgentId,
    manifest: &Manifest,
) -> Result<()> {
    let file = layout::agent(agent);
    let mut record: Agent = writing
        .read(&file)?
        .ok_or_else(|| crate::ops::agent::not_here(writing.cell(), agent))?;
    record.checkpoint = Some(note_of(manifest));
    writing.put(&file, &record).map(|_| ())
}

/// Reads the new generation back, and only then deletes those before the last three. It is saved by now: what cannot be
/// deleted is told, and goes with the next save.
fn drop_older(
    session: &Session,
    writing: &mut Writing<'_>,
    agent: &AgentId,
    number: u64,
) -> Result<Vec<u64>> {
    let cell = writing.cell();
    let unknown = |error: Error| {
        error
            .of_kind(Kind::OutcomeUnknown)
            .hint("it is written, and the older ones are kept; save again")
    };
    let found = look::examine(cell, agent, number).map_err(unknown)?;
    if let Some(flaw) = found.flaws.first() {
        let flaw = flaw.words();
        return Err(unknown(Error::new(
            Kind::OutcomeUnknown,
            format!("checkpoint {number} of {agent} was saved, and does not read back: {flaw}"),
        )));
    }
    let due = numbers(cell, agent).map_err(unknown)?;
    let mut dropped = surplus(&due, KEPT, Some(number));
    for (at, old) in dropped.clone().into_iter().enumerate() {
        if let Err(error) = writing.discard(&layout::generation(agent, old)) {
            (session.tell)(&format!(
                "checkpoint {old} of {agent} is not needed any more, and could not be deleted: {error}"
            ));
            dropped.truncate(at);
            break;
        }
    }
    Ok(dropped)
}

/// The task that an agent holds, and its token.
fn claim_of(
    agent: &AgentId,
    read_agent: impl Fn(&str) -> Result<Option<Agent>>,
    read_task: impl Fn(&str) -> Result<Option<Task>>,
) -> Result<Option<(String, Option<u64>)>> {
    let current = read_agent(&layout::agent(agent))?.and_then(|agent| agent.current_task);
    let Some(id) = current.and_then(|id| TaskId::new(id).ok()) else {
        return Ok(None);
    };
    let task = read_task(&layout::task(&id))?;
    Ok(task
        .filter(|task| task.holder() == Some(agent.as_str()))
        .map(|task| (id.to_string(), task.claim.map(|claim| claim.token))))
}

/// Refuses an agent that comes with an older token than that of the task it holds, or with one of a task that it does
/// not hold any more (exit 5, `fenced`).
fn require_own(session: &Session, writing: &Writing<'_>, agent: &AgentId) -> Result<()> {
    if session.agent.is_none() {
        return Ok(());
    }
    let held = claim_of(agent, |file| writing.read(file), |file| writing.read(file))?;
    let held = held.map(|(task, _)| task);
    let named = match session.token {
        Some(_) => None,
        None => session
            .env
            .word(CLAIM)
            .and_then(|claim| claim.rsplit_once(':'))
            .map(|(task, _)| task.to_owned()),
    };
    let Some(id) = named.or(held) else {
        return match session.token_for("")? {
            None => Ok(()),
            Some(token) => Err(Error::new(
                Kind::Fenced,
                format!("{agent} holds no task now, so the token {token} is an older one"),
            )
            .hint(format!(
                "stop working on it; `mcell agent show {agent}` tells how it stands"
            ))),
        };
    };
    let token = session.token_for(&id)?;
    let task_id = TaskId::new(id.as_str())?;
    let task: Task = writing.read(&layout::task(&task_id))?.ok_or_else(|| {
        Error::new(Kind::Fenced, format!("{id} is not in this cell any more"))
            .hint("stop working on it")
    })?;
    claim::require_holder(&id, &task, agent.as_str(), token)
}
