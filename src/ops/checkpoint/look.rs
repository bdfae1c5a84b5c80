//! Looking at checkpoints: lists, pages, and whether what was saved is what is there.

use super::{Found, Generation, none_of, numbers};
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::agent::Agent;
use crate::mission::checkpoint::{ARTIFACTS, CONTEXT, Difference, Flaw, Manifest, Part};
use crate::store::cell::OpenCell;
use crate::store::folder::{Folder, Sort};
use crate::store::incoming::measure;
use crate::store::journal::sha256;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;

/// One generation, as it is listed and shown.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Looked {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// Its number.
    pub generation: u64,
    /// What belongs to it; null if that cannot be read.
    pub manifest: Option<Manifest>,
    /// SHA-256 of its manifest; null if that cannot be read.
    pub manifest_sha256: Option<String>,
}

/// One generation that was held against its manifest.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verified {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// Its number.
    pub generation: u64,
    /// Whether it is what was saved.
    pub good: bool,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
    /// Of the newest one: whether checkpoints/AGENT/context.json is another by now.
    pub moved_on: bool,
}

impl Looked {
    fn of(cell: &OpenCell, agent: &AgentId, found: Found) -> Self {
        let (manifest, manifest_sha256) = match found.generation {
            Some(generation) => (Some(generation.manifest), Some(generation.manifest_sha256)),
            None => (None, None),
        };
        Looked {
            cell_id: cell.id().to_string(),
            agent_id: agent.to_string(),
            generation: found.number,
            manifest,
            manifest_sha256,
        }
    }
}

/// The newest generation of an agent that is what was saved; none if there is none.
pub fn newest(cell: &OpenCell, agent: &AgentId) -> Result<Option<Generation>> {
    good(cell, agent, 0, |_| false).map(|(found, _)| found)
}

/// The same, but so many younger ones that are what was saved, and those that are not meant; and those on the way that are
/// not what was saved, each with what is wrong with it.
pub fn good(
    cell: &OpenCell,
    agent: &AgentId,
    mut younger: usize,
    mut is_excepted: impl FnMut(u64) -> bool,
) -> Result<(Option<Generation>, Broken)> {
    let mut broken = Vec::new();
    for number in numbers(cell, agent)?.into_iter().rev() {
        if is_excepted(number) {
            continue;
        }
        let found = examine(cell, agent, number)?;
        if !found.flaws.is_empty() {
            broken.push((number, found.flaws));
        } else if younger == 0 {
            return Ok((found.generation, broken));
        } else {
            younger -= 1;
        }
    }
    Ok((None, broken))
}

/// Generations that are not what was saved: their numbers, and what is wrong with each.
pub type Broken = Vec<(u64, Vec<Flaw>)>;

/// The newest generation of an agent whose manifest can be read; none if there is none. Its files are not looked at: that
/// may take long, and whoever restores it does.
pub fn latest(cell: &OpenCell, agent: &AgentId) -> Result<Option<Generation>> {
    for number in numbers(cell, agent)?.into_iter().rev() {
        if let Some(generation) = glance(cell, agent, number)?.generation {
            return Ok(Some(generation));
        }
    }
    Ok(None)
}

/// Every generation of one agent, or of all, the oldest first. Their files are not looked at.
pub fn list(cell: &OpenCell, agent: Option<&AgentId>) -> Result<Vec<Looked>> {
    let mut all = Vec::new();
    for agent in agents(cell, agent)? {
        for number in numbers(cell, &agent)? {
            let found = glance(cell, &agent, number)?;
            all.push(Looked::of(cell, &agent, found));
        }
    }
    Ok(all)
}

/// One generation, the newest if none is named (exit 3 if it is not there).
pub fn look(cell: &OpenCell, agent: &AgentId, number: Option<u64>) -> Result<Looked> {
    let number = one(cell, agent, number)?;
    Ok(Looked::of(cell, agent, glance(cell, agent, number)?))
}

/// The text of one file of a generation (exit 3 if it has none of that name).
pub fn text_of(cell: &OpenCell, looked: &Looked, name: &str) -> Result<Vec<u8>> {
    let agent = AgentId::new(looked.agent_id.as_str())?;
    let path = layout::join(&layout::generation(&agent, looked.generation), name);
    cell.folder().read(&path)?.ok_or_else(|| {
        let number = looked.generation;
        Error::not_found(format!("checkpoint {number} of {agent} has no {name}")).hint(format!(
            "`mcell checkpoint show {agent} --generation {number}` names what it has"
        ))
    })
}

/// Holds generations against their manifests: one, or all of an agent, or all of the cell.
pub fn verify(
    cell: &OpenCell,
    agent: Option<&AgentId>,
    number: Option<u64>,
) -> Result<Vec<Verified>> {
    let mut all = Vec::new();
    for id in agents(cell, agent)? {
        let known = numbers(cell, &id)?;
        let wanted = match number {
            Some(_) => vec![one(cell, &id, number)?],
            None if known.is_empty() && agent.is_some() => return Err(none_of(&id)),
            None => known.clone(),
        };
        for number in wanted {
            let found = examine(cell, &id, number)?;
            let is_newest = known.last() == Some(&number);
            all.push(Verified {
                cell_id: cell.id().to_string(),
                agent_id: id.to_string(),
                generation: number,
                good: found.flaws.is_empty(),
                moved_on: is_newest && moved_on(cell, &id, &found)?,
                flaws: found.flaws,
            });
        }
    }
    Ok(all)
}

/// Whether the context in the agent's folder is another than the one saved.
fn moved_on(cell: &OpenCell, agent: &AgentId, found: &Found) -> Result<bool> {
    let saved = found
        .generation
        .as_ref()
        .and_then(|generation| generation.manifest.part(CONTEXT));
    let Some(saved) = saved else { return Ok(false) };
    let there = measure(
        cell.folder(),
        &layout::join(&layout::checkpoint(agent), CONTEXT),
    )?;
    Ok(there.is_none_or(|there| there.sha256 != saved.sha256))
}

/// The agents that are meant: one, or all that have generations.
fn agents(cell: &OpenCell, agent: Option<&AgentId>) -> Result<Vec<AgentId>> {
    if let Some(agent) = agent {
        let is_known = cell.record::<Agent>(&layout::agent(agent)).ok().flatten();
        // One that was removed keeps its checkpoints.
        if is_known.is_none() && numbers(cell, agent)?.is_empty() {
            crate::ops::agent::show(cell, agent)?;
        }
        return Ok(vec![agent.clone()]);
    }
    let entries = cell.folder().list(layout::GENERATIONS)?.unwrap_or_default();
    let names = entries
        .into_iter()
        .filter_map(|entry| String::from_utf8(entry.name).ok());
    Ok(names.filter_map(|name| AgentId::new(name).ok()).collect())
}

/// The generation that is meant.
pub(super) fn one(cell: &OpenCell, agent: &AgentId, number: Option<u64>) -> Result<u64> {
    let known = numbers(cell, agent)?;
    match (known.last(), number) {
        (None, _) => {
            agents(cell, Some(agent))?;
            Err(none_of(agent))
        }
        (Some(newest), None) => Ok(*newest),
        (_, Some(number)) if known.contains(&number) => Ok(number),
        (_, Some(number)) => {
            let known: Vec<String> = known.iter().map(u64::to_string).collect();
            Err(
                Error::not_found(format!("{agent} has no checkpoint {number}"))
                    .hint(format!("there are {}", known.join(", "))),
            )
        }
    }
}

/// Reads the manifest of a generation, and looks no further.
fn glance(cell: &OpenCell, agent: &AgentId, number: u64) -> Result<Found> {
    let path = layout::join(&layout::generation(agent, number), layout::MANIFEST);
    let torn = Flaw {
        file: layout::MANIFEST.to_owned(),
        difference: Difference::Torn,
    };
    let generation = cell.folder().read(&path)?.and_then(|text| {
        let manifest: Manifest = serde_json::from_slice(&text).ok()?;
        manifest.is_sound(agent.as_str()).then(|| Generation {
            number,
            manifest_sha256: sha256(&text),
            manifest,
        })
    });
    Ok(Found {
        number,
        flaws: match generation {
            Some(_) => Vec::new(),
            None => vec![torn],
        },
        generation,
    })
}

/// Reads a generation back, every byte of it, and says how it differs from what was saved.
pub(super) fn examine(cell: &OpenCell, agent: &AgentId, number: u64) -> Result<Found> {
    let mut found = glance(cell, agent, number)?;
    if let Some(generation) = &found.generation {
        let folder = cell
            .folder()
            .folder_there(&layout::generation(agent, number))?;
        found.flaws = generation.manifest.flaws(&parts(&folder)?);
    }
    Ok(found)
}

/// Everything that lies in a generation beside its manifest.
fn parts(generation: &Folder) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for beneath in ["", ARTIFACTS] {
        for entry in generation.list(beneath)?.unwrap_or_default() {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            let is_known = beneath.is_empty() && (name == layout::MANIFEST || name == ARTIFACTS);
            if is_known {
                continue;
            }
            let name = layout::join(beneath, &name);
            // What is no file has no bytes, and so differs from any that was saved.
            let copied = match entry.sort {
                Sort::File => measure(generation, &name)?,
                _ => None,
            };
            parts.push(Part {
                sha256: copied
                    .as_ref()
                    .map_or_else(String::new, |copied| copied.sha256.clone()),
                bytes: copied.map_or(0, |copied| copied.bytes),
                name,
            });
        }
    }
    Ok(parts)
}
