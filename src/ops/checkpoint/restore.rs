//! Bringing a checkpoint back: out of a generation that is whole, and out of nothing else.

use super::look::{examine, one};
use super::save::put_note;
use super::{Found, Generation, newest};
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::mission::checkpoint::Flaw;
use crate::mission::checkpoint::{CONTEXT, Manifest, STATE};
use crate::ops::session::Session;
use crate::ops::trash;
use crate::store::cell::OpenCell;
use crate::store::incoming::{Incoming, measure, open_beneath};
use crate::store::journal::sha256;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;

/// A checkpoint that was brought back.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Restored {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// The generation that was brought back.
    pub generation: u64,
    /// What belongs to it.
    pub manifest: Manifest,
    /// The files in checkpoints/AGENT/ that changed.
    pub changed: Vec<String>,
}

/// Puts a generation, the newest if none is named, back into checkpoints/AGENT/, where the agent reads it at its next
/// start. Refused if it is not what was saved.
pub fn restore(
    session: &Session,
    cell: &OpenCell,
    agent: &AgentId,
    number: Option<u64>,
) -> Result<Restored> {
    session.require_operator("restore a checkpoint")?;
    crate::ops::agent::show(cell, agent)?;
    let number = one(cell, agent, number)?;
    let Generation { manifest, .. } = whole(cell, agent, examine(cell, agent, number)?)?;
    let from = layout::generation(agent, number);
    let to = layout::checkpoint(agent);
    let changed_meanwhile = |name: &str| {
        Error::new(
            Kind::Refused,
            format!("{name} of checkpoint {number} of {agent} changed while it was read"),
        )
        .hint(format!(
            "`mcell checkpoint verify {agent}` tells how it stands"
        ))
    };
    let mut texts = Vec::new();
    for name in [STATE, CONTEXT] {
        let Some(part) = manifest.part(name) else {
            texts.push((name, None));
            continue;
        };
        let text = cell.folder().read(&layout::join(&from, name))?;
        let text = text.filter(|text| sha256(text) == part.sha256);
        texts.push((name, Some(text.ok_or_else(|| changed_meanwhile(name))?)));
    }
    let mut copies: Vec<(&str, Incoming)> = Vec::new();
    for (_, part) in manifest.artifacts() {
        let there = measure(cell.folder(), &layout::join(&to, &part.name))?;
        if there.is_some_and(|there| there.sha256 == part.sha256) {
            continue;
        }
        let source = open_beneath(cell.folder(), &layout::join(&from, &part.name))?;
        let source = source.ok_or_else(|| changed_meanwhile(&part.name))?;
        let copy = Incoming::copy(cell, &source)?;
        if copy.copied().sha256 != part.sha256 {
            return Err(changed_meanwhile(&part.name));
        }
        copies.push((&part.name, copy));
    }
    let mut writing = session.write(cell, "checkpoint restore")?;
    let mut changed = Vec::new();
    for (name, text) in texts {
        let file = layout::join(&to, name);
        let changes = match text {
            Some(text) => writing.put_text(&file, text)?,
            // A context beside a state of another moment would be worse than none.
            None if cell.folder().stat(&file)?.is_some() => {
                let place = trash::place_for(cell, &file, writing.now())?;
                writing.remove(&file, &place)?;
                true
            }
            None => false,
        };
        if changes {
            changed.push(name.to_owned());
        }
    }
    for (name, copy) in copies {
        writing.put_made(&layout::join(&to, name), copy)?;
        changed.push(name.to_owned());
    }
    put_note(&mut writing, agent, &manifest)?;
    writing.commit(&format!("restored checkpoint {number} of {agent}"))?;
    Ok(Restored {
        cell_id: cell.id().to_string(),
        agent_id: agent.to_string(),
        generation: number,
        manifest,
        changed,
    })
}

/// The generation, if nothing is wrong with it; else a refusal that names the file and the newest one that is good.
fn whole(cell: &OpenCell, agent: &AgentId, found: Found) -> Result<Generation> {
    let number = found.number;
    let flaw = found.flaws.first().map(Flaw::words);
    let (flaw, good) = match (flaw, found.generation) {
        (None, Some(generation)) => return Ok(generation),
        (flaw, _) => (flaw.unwrap_or_default(), newest(cell, agent)?),
    };
    let refused = Error::refused(format!(
        "checkpoint {number} of {agent} is not what was saved: {flaw}"
    ));
    Err(match good {
        Some(good) => refused.hint(format!(
            "the newest good one: `mcell checkpoint restore {agent} --generation {}`",
            good.number
        )),
        None => refused.hint(format!(
            "no checkpoint of {agent} is good; save one: `mcell checkpoint save {agent}`"
        )),
    })
}
