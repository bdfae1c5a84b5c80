//! What one can do with the artifacts of a cell.

mod collect;
mod look;
mod place;
#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that finds less has failed")]
mod tests;

pub use collect::{Collected, PassedOver, Taken, collect};
pub use look::{Checked, Listed, Seen, look_around, verify};
pub(crate) use place::{Prepared, prepare, stage};

use crate::base::clock::Time;
use crate::base::error::{Error, Kind as ErrorKind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::cut;
use crate::mission::agent::Agent;
use crate::mission::artifact::{self, Kind, Manifest, Name, Note};
use crate::mission::claim;
use crate::mission::permission::Verb;
use crate::mission::task::Task;
use crate::ops::session::{CLAIM, Session};
use crate::ops::task::not_here;
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::folder::Folder;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// Files that shall become artifacts.
#[derive(Clone, Debug, Default)]
pub struct NewArtifacts {
    /// Where they lie, or names of artifacts that are in the cell already.
    pub files: Vec<PathBuf>,
    /// How the only one shall be called.
    pub name: Option<String>,
    /// Their kind; what the end of each name says if not said.
    pub kind: Option<Kind>,
    /// The task that they came of.
    pub task: Option<TaskId>,
    /// Put them in the place of others of the same names.
    pub replace: bool,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is an artifact now.
    Added,
    /// It took the place of another.
    Replaced,
    /// It lay there already, and is noted now.
    Recorded,
    /// It was there, with the same content.
    Unchanged,
}

/// An artifact as it was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Placed {
    /// Its name: the path below `artifacts/`.
    pub artifact: String,
    /// What became of the file.
    pub change: Change,
    /// SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
    /// The task that it came of.
    pub task: Option<String>,
    /// The agent that made it.
    pub agent: Option<String>,
    /// When it was noted.
    pub added_at: Time,
    /// Who noted it.
    pub added_by: String,
}

impl Placed {
    fn of(name: &str, note: &Note, change: Change) -> Self {
        Placed {
            artifact: name.to_owned(),
            change,
            sha256: note.sha256.clone(),
            bytes: note.bytes,
            task: note.task.clone(),
            agent: note.agent.clone(),
            added_at: note.added_at,
            added_by: note.added_by.clone(),
        }
    }

    /// What a task notes of it: its path in the cell.
    pub fn path(&self) -> String {
        layout::artifact(&self.artifact)
    }
}

/// Adds files to the artifacts of a cell, all in one change. Copies are made before the lock is taken.
pub fn add(session: &Session, cell: &OpenCell, new: &NewArtifacts) -> Result<Vec<Placed>> {
    if new.name.is_some() && new.files.len() != 1 {
        return Err(
            Error::usage("`--name` is of one file, and several were named")
                .hint("add them one by one"),
        );
    }
    require_maker(session, |id| cell.agent(id))?;
    let prepared = prepare(session, cell, &new.files, new.name.as_deref(), new.kind)?;
    let mut writing = session.write(cell, "artifact add")?;
    require_maker(session, |id| writing.read(&layout::agent(id)))?;
    let task = task_of(session, &writing, new.task.as_ref())?;
    let id = task.as_ref().map(|(id, _)| id);
    let agent = session.agent.as_ref();
    let placed = stage(&mut writing, prepared, id, agent, new.replace)?;
    if let Some((id, mut task)) = task {
        for one in &placed {
            if !task.artifacts.contains(&one.path()) {
                task.artifacts.push(one.path());
            }
        }
        writing.put(&layout::task(&id), &task)?;
    }
    let names: Vec<&str> = placed.iter().map(|one| one.artifact.as_str()).collect();
    let of = id_words(placed.first().and_then(|one| one.task.as_deref()));
    writing.commit(&format!("added {}{of}", cut(&names.join(", "), 200)))?;
    Ok(placed)
}

fn id_words(task: Option<&str>) -> String {
    task.map(|task| format!(" of {task}")).unwrap_or_default()
}

/// Refuses an agent that makes no artifacts.
fn require_maker(
    session: &Session,
    read: impl Fn(&AgentId) -> Result<Option<Agent>>,
) -> Result<()> {
    let Some(id) = &session.agent else {
        return Ok(());
    };
    let agent =
        read(id)?.ok_or_else(|| Error::refused(format!("{id} is not an agent of this cell")))?;
    artifact::require_maker(id.as_str(), agent.role)
}

/// The task that artifacts come of: the one named, else the one that the acting agent holds.
fn task_of(
    session: &Session,
    writing: &Writing<'_>,
    named: Option<&TaskId>,
) -> Result<Option<(TaskId, Task)>> {
    let read = |id: &TaskId| -> Result<Task> {
        writing
            .read(&layout::task(id))?
            .ok_or_else(|| not_here(writing.cell(), id))
    };
    let Some(agent) = &session.agent else {
        return named.map(|id| Ok((id.clone(), read(id)?))).transpose();
    };
    if let Some(id) = named {
        let task = read(id)?;
        session.require_task(
            writing,
            Verb::Write,
            id.as_str(),
            task.assigned_to.as_deref(),
        )?;
        if let Some(token) = session.token_for(id.as_str())? {
            claim::require_holder(id.as_str(), &task, agent.as_str(), Some(token))?;
        }
        return Ok(Some((id.clone(), task)));
    }
    let claim = session.env.word(CLAIM);
    let claimed = claim
        .and_then(|claim| claim.rsplit_once(':'))
        .map(|(id, _)| id.to_owned());
    let record: Option<Agent> = writing.read(&layout::agent(agent))?;
    let held = claimed.or_else(|| record.and_then(|agent| agent.current_task));
    let held = held.map(TaskId::new).transpose()?;
    let Some(id) = held else {
        if session.token.is_none() && claim.is_none() {
            return Ok(None);
        }
        return Err(Error::new(
            ErrorKind::Fenced,
            format!("the token is of a claim, and {agent} holds no task any more"),
        )
        .hint("leave `--token` and MCELL_CLAIM out to add what came of no task"));
    };
    let task = read(&id)?;
    let token = session.token_for(id.as_str())?;
    if token.is_none() && task.holder() != Some(agent.as_str()) {
        return Ok(None);
    }
    claim::require_holder(id.as_str(), &task, agent.as_str(), token)?;
    Ok(Some((id, task)))
}

/// What is noted of the artifacts, as the lock sees it.
fn noted(writing: &Writing<'_>) -> Result<Manifest> {
    let text = writing.text(layout::ARTIFACT_NOTES)?;
    parse(writing.cell().folder(), text)
}

/// What is noted of the artifacts, without the lock.
fn noted_now(folder: &Folder) -> Result<Manifest> {
    parse(folder, folder.read(layout::ARTIFACT_NOTES)?)
}

fn parse(folder: &Folder, text: Option<Vec<u8>>) -> Result<Manifest> {
    let Some(text) = text else {
        return Ok(Manifest::default());
    };
    serde_json::from_slice(&text).map_err(|error| {
        Error::malformed(format!(
            "{} cannot be read: {error}",
            folder.path_of(layout::ARTIFACT_NOTES).display()
        ))
        .hint("move it away: `mcell artifact collect` notes what lies under artifacts/ again")
    })
}

/// Stages what is noted.
fn put(writing: &mut Writing<'_>, manifest: &Manifest) -> Result<()> {
    writing
        .put_text(layout::ARTIFACT_NOTES, pretty(manifest)?)
        .map(|_| ())
}

/// Bytes of the disk that count against the limit: artifacts, and what agents saved.
fn used(folder: &Folder) -> Result<u64> {
    let mut bytes = 0_u64;
    for place in [layout::ARTIFACTS, layout::CHECKPOINTS] {
        let found = folder.tree(place)?;
        bytes = found
            .iter()
            .fold(bytes, |sum, one| sum.saturating_add(one.bytes));
    }
    Ok(bytes)
}

/// The name of what lies below `artifacts/`, if it can be one.
fn name_of(found: &crate::store::folder::Found) -> Option<Name> {
    Name::new(found.path.clone()?).ok()
}
