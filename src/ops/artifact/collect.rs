//! Takes what agents saved with their checkpoints, and notes what lies under `artifacts/` already.

use super::place::{Seen, in_place};
use super::{Change, Placed, Prepared, name_of, noted_now, stage};
use crate::base::error::{Kind as ErrorKind, Result};
use crate::base::ids::AgentId;
use crate::mission::artifact::{Manifest, Name};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::folder::{Folder, Found, Sort};
use crate::store::incoming::{Copied, Incoming, measure};
use crate::store::layout;
use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;

/// What was collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Collected {
    /// The folder's name of the cell.
    pub cell_id: String,
    /// What was taken from checkpoints.
    pub collected: Vec<Taken>,
    /// Names of what lay under `artifacts/`, and is noted now.
    pub recorded: Vec<String>,
    /// How many files of checkpoints are artifacts already.
    pub unchanged: usize,
    /// What cannot be an artifact.
    pub passed_over: Vec<PassedOver>,
}

/// A file of a checkpoint that is an artifact now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Taken {
    /// The agent that made it.
    pub agent: String,
    /// Where it was, in the cell.
    pub from: String,
    /// Its name: the path below `artifacts/`.
    pub artifact: String,
    /// Bytes.
    pub bytes: u64,
}

/// A file that was left where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PassedOver {
    /// Where it is, in the cell.
    pub path: String,
    /// Why.
    pub because: String,
}

/// What is being collected.
struct Collecting<'c> {
    cell: &'c OpenCell,
    manifest: Manifest,
    /// The hash of what will be under a name.
    names: BTreeMap<Name, String>,
    prepared: Vec<Prepared>,
    /// Where what gets a name was.
    origins: BTreeMap<String, String>,
    collected: Collected,
}

/// Takes the artifacts of agents' checkpoints (of all agents, if none is named) into those of the cell, and notes files
/// that lie there unnoted. All in one change; copies are made before the lock is taken.
pub fn collect(session: &Session, cell: &OpenCell, agents: &[AgentId]) -> Result<Collected> {
    session.require_operator("collect artifacts")?;
    cell.cell()?;
    let folder = cell.folder();
    let mut collecting = Collecting {
        cell,
        manifest: noted_now(folder)?,
        names: BTreeMap::new(),
        prepared: Vec::new(),
        origins: BTreeMap::new(),
        collected: Collected {
            cell_id: cell.id().to_string(),
            collected: Vec::new(),
            recorded: Vec::new(),
            unchanged: 0,
            passed_over: Vec::new(),
        },
    };
    collecting.note_unrecorded()?;
    let every = agents.is_empty();
    let agents = if every {
        saving(folder)?
    } else {
        agents.to_vec()
    };
    for agent in &agents {
        if !every
            && cell.agent(agent)?.is_none()
            && folder.stat(&layout::saved_artifacts(agent))?.is_none()
        {
            return Err(crate::ops::agent::not_here(cell, agent));
        }
        collecting.take(agent)?;
    }
    collecting.finish(session)
}

/// Every agent with a folder of checkpoints, also one that was removed.
fn saving(folder: &Folder) -> Result<Vec<AgentId>> {
    let entries = folder.list(layout::CHECKPOINTS)?.unwrap_or_default();
    let folders = entries.iter().filter(|entry| entry.sort == Sort::Folder);
    let names = folders.filter_map(|entry| std::str::from_utf8(&entry.name).ok());
    Ok(names.filter_map(|name| AgentId::new(name).ok()).collect())
}

impl Collecting<'_> {
    /// Prepares what lies under `artifacts/` unnoted.
    fn note_unrecorded(&mut self) -> Result<()> {
        for found in self.cell.folder().tree(layout::ARTIFACTS)? {
            let known = found
                .path
                .as_deref()
                .and_then(|path| self.manifest.of(path));
            if known.is_some() {
                continue;
            }
            if let Some(name) = self.usable(layout::ARTIFACTS, &found)
                && let Some(prepared) = in_place(self.cell, name.clone())?
            {
                let sha256 = prepared
                    .there
                    .as_ref()
                    .map(|there| there.copied.sha256.clone());
                self.names.insert(name, sha256.unwrap_or_default());
                self.prepared.push(prepared);
            }
        }
        Ok(())
    }

    /// Prepares what an agent saved.
    fn take(&mut self, agent: &AgentId) -> Result<()> {
        let place = layout::saved_artifacts(agent);
        let tree = match self.cell.folder().tree(&place) {
            Ok(tree) => tree,
            // A link, or no folder: the agent's own doing, which keeps nobody else's work away.
            Err(error) if error.kind() == ErrorKind::Malformed => {
                self.pass_over(place, error.message().to_owned());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for found in tree {
            if let Some(name) = self.usable(&place, &found) {
                let from = layout::join(&place, name.as_str());
                self.take_file(agent, from, &name)?;
            }
        }
        Ok(())
    }

    fn take_file(&mut self, agent: &AgentId, from: String, below: &Name) -> Result<()> {
        let folder = self.cell.folder();
        let Some(saved) = measure(folder, &from)? else {
            return Ok(());
        };
        let wanted = Name::given(below.as_str(), None)?;
        let Some(name) = self.free(agent, &wanted, &saved)? else {
            self.collected.unchanged += 1;
            return Ok(());
        };
        let Some((source, _)) = folder.open_file(&from, OFlags::RDONLY)? else {
            return Ok(());
        };
        let copy = Incoming::copy(self.cell, &File::from(source))?;
        self.names
            .insert(name.clone(), copy.copied().sha256.clone());
        self.origins.insert(name.to_string(), from);
        self.prepared.push(Prepared {
            there: Seen::now(folder, &layout::artifact(name.as_str()))?,
            name,
            copy: Some(copy),
            agent: Some(agent.clone()),
        });
        Ok(())
    }

    /// The name under which a file of an agent is taken; none if it is an artifact already.
    fn free(&self, agent: &AgentId, wanted: &Name, saved: &Copied) -> Result<Option<Name>> {
        let folder = self.cell.folder();
        let mut name = wanted.clone();
        let mut number = 0;
        loop {
            let is_gone = folder.stat(&layout::artifact(name.as_str()))?.is_none();
            let known = self.manifest.of(name.as_str()).map(|note| &note.sha256);
            match (self.names.get(&name), known) {
                (Some(sha256), _) if *sha256 == saved.sha256 => return Ok(None),
                (None, Some(sha256)) if *sha256 == saved.sha256 => {
                    return Ok(is_gone.then_some(name));
                }
                // What has the name and is neither noted nor prepared is no file, or came just now.
                (None, None) if is_gone => return Ok(Some(name)),
                _ => {}
            }
            number += 1;
            name = wanted.of_agent(agent.as_str(), number)?;
        }
    }

    /// The name of what was found, if it can be an artifact.
    fn usable(&mut self, place: &str, found: &Found) -> Option<Name> {
        let path = match &found.path {
            Some(path) => layout::join(place, path),
            None => layout::join(place, "(a name that is not UTF-8)"),
        };
        let name = name_of(found);
        let because = match (found.sort, &name) {
            (Sort::File, Some(_)) => return name,
            (Sort::File, None) => String::from("its name cannot be that of an artifact"),
            (sort, _) => format!("it is a {}", sort.word()),
        };
        self.pass_over(path, because);
        None
    }

    fn pass_over(&mut self, path: String, because: String) {
        self.collected
            .passed_over
            .push(PassedOver { path, because });
    }

    /// Puts what was prepared in its place.
    fn finish(self, session: &Session) -> Result<Collected> {
        let mut collected = self.collected;
        let mut writing = session.write(self.cell, "artifact collect")?;
        for placed in stage(&mut writing, self.prepared, None, None, false)? {
            match self.origins.get(&placed.artifact) {
                Some(from) if placed.change == Change::Added => {
                    collected.collected.push(taken(from, placed));
                }
                Some(_) => collected.unchanged += 1,
                None => collected.recorded.push(placed.artifact),
            }
        }
        let (taken, noted) = (collected.collected.len(), collected.recorded.len());
        writing.commit(&format!(
            "collected {} from checkpoints, noted {}",
            crate::base::text::count(taken, "artifact"),
            crate::base::text::count(noted, "artifact"),
        ))?;
        Ok(collected)
    }
}

fn taken(from: &str, placed: Placed) -> Taken {
    Taken {
        agent: placed.agent.unwrap_or_default(),
        from: from.to_owned(),
        artifact: placed.artifact,
        bytes: placed.bytes,
    }
}
