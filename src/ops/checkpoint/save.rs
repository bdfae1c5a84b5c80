//! Saving a checkpoint: a generation is made beside, and placed in one commit with the fleet's files.

use super::{look, note_of, numbers};
use crate::base::document::Document;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::shown;
use crate::mission::agent::Agent;
use crate::mission::checkpoint::{
    ARTIFACTS, CONTEXT, KEPT, Manifest, Part, STATE, is_artifact_name, require_artifact_name,
    surplus,
};
use crate::mission::claim;
use crate::mission::task::Task;
use crate::ops::session::{CLAIM, Session};
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::folder::Sort;
use crate::store::incoming::{Incoming, NewFolder, measure, open_beneath, open_source};
use crate::store::{layout, read};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

/// How often a checkpoint is made anew since the agent's claim changed meanwhile.
const TRIES: u32 = 3;

/// A text that is given to be saved.
#[derive(Clone, Debug)]
pub struct Gift {
    /// What people call it: a path, or "standard input".
    pub name: String,
    /// The text: one JSON object of at most 16 MiB.
    pub text: Vec<u8>,
}

/// What is given to be saved. What is not is taken from checkpoints/AGENT/, where the agent writes.
#[derive(Clone, Debug, Default)]
pub struct NewCheckpoint {
    /// The state.
    pub state: Option<Gift>,
    /// The context.
    pub context: Option<Gift>,
    /// Files to save with them, beside those that lie in artifacts/ already.
    pub artifacts: Vec<PathBuf>,
}

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

/// What is to be saved, read and checked.
struct Contents {
    texts: Vec<(&'static str, Vec<u8>)>,
    /// By name; whether it was given, or lies in the folder.
    files: BTreeMap<String, (File, bool)>,
    given: Vec<&'static str>,
    left_out: Vec<String>,
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

impl Contents {
    fn gather(cell: &OpenCell, agent: &AgentId, new: &NewCheckpoint) -> Result<Self> {
        let place = layout::checkpoint(agent);
        let (mut texts, mut given) = (Vec::new(), Vec::new());
        for (name, gift) in [(STATE, &new.state), (CONTEXT, &new.context)] {
            if let Some(gift) = gift {
                require_object(&gift.name, &gift.text)?;
                texts.push((name, gift.text.clone()));
                given.push(name);
                continue;
            }
            let file = layout::join(&place, name);
            if let Some(text) = cell.folder().read(&file)? {
                require_object(&cell.folder().path_of(&file).display().to_string(), &text)?;
                texts.push((name, text));
            }
        }
        let (mut files, left_out) = lying(cell, &layout::join(&place, ARTIFACTS))?;
        for path in &new.artifacts {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| {
                Error::usage(format!("{} has no name to save it under", path.display()))
            })?;
            require_artifact_name(name)?;
            let before = files.insert(name.to_owned(), (open_source(path)?, true));
            if before.is_some_and(|(_, is_given)| is_given) {
                return Err(
                    Error::usage(format!("two artifacts are called `{}`", shown(name)))
                        .hint("give one of them another name"),
                );
            }
        }
        if texts.is_empty() {
            let place = cell.folder().path_of(&place);
            return Err(Error::not_found(format!(
                "there is nothing to save: neither {STATE} nor {CONTEXT} lies in {}",
                place.display()
            ))
            .hint(format!(
                "write them there, or name them: `mcell checkpoint save {agent} --state FILE --context FILE`"
            )));
        }
        Ok(Contents {
            texts,
            files,
            given,
            left_out,
        })
    }

    /// Makes the generation where no sweep and no reader takes it for one.
    fn make(&self, cell: &OpenCell, mut manifest: Manifest) -> Result<(Incoming, Manifest)> {
        let folder = NewFolder::begin(cell)?;
        let mut add = |name: String, copied: crate::store::incoming::Copied| {
            manifest.files.push(Part {
                name,
                sha256: copied.sha256,
                bytes: copied.bytes,
            });
        };
        for (name, text) in &self.texts {
            add((*name).to_owned(), folder.write(name, text)?);
        }
        for (name, (file, _)) in &self.files {
            let name = layout::join(ARTIFACTS, name);
            let copied = folder.copy(&name, file)?;
            add(name, copied);
        }
        let made = folder.finish(&pretty(&manifest)?)?;
        Ok((made, manifest))
    }

    /// Copies of the artifacts that were given, for the fleet's folder; those that lie there already are left alone.
    fn copies(
        &self,
        cell: &OpenCell,
        agent: &AgentId,
        manifest: &Manifest,
    ) -> Result<Vec<(String, Incoming)>> {
        let place = layout::join(&layout::checkpoint(agent), ARTIFACTS);
        let mut copies = Vec::new();
        for (name, (file, is_given)) in &self.files {
            let target = layout::join(&place, name);
            let saved = manifest.part(&layout::join(ARTIFACTS, name));
            let is_there = || -> Result<bool> {
                let there = measure(cell.folder(), &target)?;
                Ok(there.map(|there| there.sha256) == saved.map(|part| part.sha256.clone()))
            };
            if *is_given && !is_there()? {
                copies.push((target, Incoming::copy(cell, file)?));
            }
        }
        Ok(copies)
    }
}

/// The plain files of a folder by name, opened, and the names of what else lies there.
fn lying(cell: &OpenCell, place: &str) -> Result<(BTreeMap<String, (File, bool)>, Vec<String>)> {
    let (mut files, mut left_out) = (BTreeMap::new(), Vec::new());
    for entry in cell.folder().list(place)?.unwrap_or_default() {
        // Temps of others.
        if entry.name.starts_with(b".") {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let is_plain = entry.sort == Sort::File
            && name.as_bytes() == entry.name.as_slice()
            && is_artifact_name(&name);
        let opened = match is_plain {
            true => open_beneath(cell.folder(), &layout::join(place, &name))?,
            false => None,
        };
        match opened {
            Some(file) => {
                files.insert(name, (file, false));
            }
            None if is_plain => {}
            None => left_out.push(name),
        }
    }
    Ok((files, left_out))
}

/// Refuses a text that is not one JSON object of at most 16 MiB (exit 4).
fn require_object(name: &str, text: &[u8]) -> Result<()> {
    if text.len() as u64 > layout::LARGEST {
        return Err(Error::malformed(format!(
            "{name} is too large: a checkpoint's state and context have at most {} bytes each",
            layout::LARGEST
        ))
        .hint("save what is large as a file: `--artifact FILE`"));
    }
    let document = Document::parse(text).map_err(|fault| {
        let range = fault.offset..fault.offset + 1;
        Error::malformed(fault.message).at(read::excerpt(name, text, range))
    })?;
    let root = document.root();
    if root.kind() == crate::base::document::Kind::Object {
        return Ok(());
    }
    Err(Error::malformed(format!(
        "an object is needed here, not {}",
        root.kind().words()
    ))
    .at(read::excerpt(name, text, root.range())))
}
