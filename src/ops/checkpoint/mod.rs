//! What one can do with the checkpoints of the agents of a cell.

mod contents;
mod look;
mod prune;
mod restore;
mod save;
#[cfg(test)]
mod tests;

pub use contents::{Gift, NewCheckpoint};
pub use look::{Broken, Looked, Verified, good, latest, list, look, newest, text_of, verify};
pub use prune::{Pruned, prune, to_prune};
pub use restore::{Restored, restore};
pub use save::{Saved, save};

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::agent::CheckpointNote;
use crate::mission::checkpoint::{CONTEXT, Flaw, Manifest};
use crate::store::cell::OpenCell;
use crate::store::folder::Sort;
use crate::store::layout;

/// One generation of an agent's checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// SHA-256 of its manifest, in lower-case hex.
    pub manifest_sha256: String,
    /// Its manifest.
    pub manifest: Manifest,
}

/// A generation that was looked at, whole or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its number.
    pub number: u64,
    /// Its manifest, and that one's hash; none if it cannot be read.
    pub generation: Option<Generation>,
    /// What is wrong with it, as far as was looked.
    pub flaws: Vec<Flaw>,
}

/// The numbers of an agent's generations, the oldest first.
fn numbers(cell: &OpenCell, agent: &AgentId) -> Result<Vec<u64>> {
    let entries = cell.folder().list(&layout::generations(agent))?;
    let mut numbers: Vec<u64> = entries
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| entry.sort == Sort::Folder)
        .filter_map(|entry| String::from_utf8(entry.name).ok())
        // "007" is not the name of the seventh.
        .filter_map(|name| {
            let number: u64 = name.parse().ok()?;
            (number > 0 && number.to_string() == name).then_some(number)
        })
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// What the agent's file says of a checkpoint.
fn note_of(manifest: &Manifest) -> CheckpointNote {
    CheckpointNote {
        last_checkpoint: Some(manifest.saved_at),
        context_hash: manifest.part(CONTEXT).map(|part| part.sha256.clone()),
        artifacts: manifest
            .artifacts()
            .map(|(name, _)| name.to_owned())
            .collect(),
    }
}

/// Says that an agent has no checkpoint.
fn none_of(agent: &AgentId) -> Error {
    Error::not_found(format!("{agent} has no checkpoint"))
        .hint(format!("save one: `mcell checkpoint save {agent}`"))
}
