//! Looks at artifacts: what is there, what is noted, and whether the two agree.

use super::{name_of, noted_now, used};
use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::ids::CellId;
use crate::mission::artifact::{Flaw, Kind, Manifest, kind_of};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::folder::Sort;
use crate::store::incoming::measure;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// An artifact in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listed {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// Its name: the path below `artifacts/`.
    pub artifact: String,
    /// `code`, `docs` or `reports`.
    #[schemars(with = "String")]
    pub kind: Kind,
    /// Bytes: as they are, else as noted.
    pub bytes: u64,
    /// Whether it is noted; what follows is null if not.
    pub recorded: bool,
    /// Whether it is there.
    pub present: bool,
    /// SHA-256 as noted.
    pub sha256: Option<String>,
    /// The task that it came of.
    pub task: Option<String>,
    /// The agent that made it.
    pub agent: Option<String>,
    /// When it was noted.
    pub added_at: Option<Time>,
    /// Who noted it.
    pub added_by: Option<String>,
}

/// The artifacts of one cell as they were seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The cell.
    pub cell: CellId,
    /// Its artifacts, by name.
    pub artifacts: Vec<Listed>,
    /// Bytes of its artifacts and checkpoints, which count against its limit.
    pub used: u64,
    /// The disk that config/isolation.json allows, as it is written there.
    pub limit: Option<String>,
}

/// Looks at the artifacts of one cell. What lies there and is not noted is among them.
fn look(session: &Session, cell: &OpenCell) -> Result<Seen> {
    let view = cell.view()?;
    if view.in_change {
        (session.tell)(&format!(
            "cell {} is being changed; what is shown may be of two moments",
            cell.id()
        ));
    }
    cell.cell()?;
    let manifest = noted_now(cell.folder())?;
    let there: Vec<(String, u64)> = cell
        .folder()
        .tree(layout::ARTIFACTS)?
        .iter()
        .filter(|found| found.sort == Sort::File)
        .filter_map(|found| Some((name_of(found)?.to_string(), found.bytes)))
        .collect();
    let of = |name: &str| there.iter().find(|(there, _)| there == name);
    let names: BTreeSet<&str> = there
        .iter()
        .map(|(name, _)| name.as_str())
        .chain(manifest.artifacts.keys().map(String::as_str))
        .collect();
    let listed = names.into_iter().map(|name| {
        let (note, bytes) = (manifest.of(name), of(name).map(|(_, bytes)| *bytes));
        Listed {
            cell_id: cell.id().to_string(),
            artifact: name.to_owned(),
            kind: kind_of(name),
            bytes: bytes.or(note.map(|note| note.bytes)).unwrap_or(0),
            recorded: note.is_some(),
            present: bytes.is_some(),
            sha256: note.map(|note| note.sha256.clone()),
            task: note.and_then(|note| note.task.clone()),
            agent: note.and_then(|note| note.agent.clone()),
            added_at: note.map(|note| note.added_at),
            added_by: note.map(|note| note.added_by.clone()),
        }
    });
    let artifacts = listed.collect();
    let limits = cell
        .isolation()?
        .and_then(|isolation| isolation.resource_limits);
    Ok(Seen {
        cell: cell.id().clone(),
        artifacts,
        used: used(cell.folder())?,
        limit: limits.and_then(|limits| limits.disk),
    })
}

/// Looks at the artifacts of the cell that is meant, else of every cell of the root that is not over (`all`: of those too).
/// Cells that cannot be read are among the troubles.
pub fn look_around(
    session: &Session,
    everywhere: bool,
    all: bool,
) -> Result<(Vec<Seen>, Vec<Error>)> {
    session.look_around(everywhere, all, |cell| look(session, cell))
}

/// The artifacts of a cell held against what was noted of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checked {
    /// The folder's name of the cell.
    pub cell_id: String,
    /// How many are noted.
    pub recorded: usize,
    /// Names that are noted and not there.
    pub missing: Vec<String>,
    /// Names of what is not as it was noted.
    pub altered: Vec<String>,
    /// Names of what is there and not noted.
    pub unrecorded: Vec<String>,
}

impl Checked {
    /// Tells whether everything that is noted is there, as it was noted.
    pub fn is_sound(&self) -> bool {
        self.missing.is_empty() && self.altered.is_empty()
    }
}

/// Reads every artifact, and holds it against what was noted. Long reads keep no writer away.
pub fn verify(cell: &OpenCell) -> Result<Checked> {
    cell.cell()?;
    let manifest = noted_now(cell.folder())?;
    let mut checked = Checked {
        cell_id: cell.id().to_string(),
        recorded: manifest.artifacts.len(),
        missing: Vec::new(),
        altered: Vec::new(),
        unrecorded: Vec::new(),
    };
    let mut wrong = flaws(cell, &manifest, manifest.artifacts.keys())?;
    let view = cell.view()?;
    if !wrong.is_empty() {
        // What a writer replaced meanwhile is looked at again while none can.
        let manifest = noted_now(cell.folder())?;
        checked.recorded = manifest.artifacts.len();
        wrong = flaws(cell, &manifest, wrong.iter().map(|(name, _)| name))?;
    }
    for (name, flaw) in wrong {
        match flaw {
            Flaw::Missing => checked.missing.push(name),
            Flaw::Altered => checked.altered.push(name),
        }
    }
    let manifest = noted_now(cell.folder())?;
    let tree = cell.folder().tree(layout::ARTIFACTS)?;
    let there = tree
        .iter()
        .filter(|found| found.sort == Sort::File)
        .filter_map(|found| found.path.as_deref());
    let unrecorded = manifest.unrecorded(there);
    checked.unrecorded = unrecorded.into_iter().map(str::to_owned).collect();
    drop(view);
    Ok(checked)
}

/// What is wrong with these, of those that are noted.
fn flaws<'n>(
    cell: &OpenCell,
    manifest: &Manifest,
    names: impl Iterator<Item = &'n String>,
) -> Result<Vec<(String, Flaw)>> {
    let there = cell.folder().tree(layout::ARTIFACTS)?;
    let mut wrong = Vec::new();
    for name in names {
        let Some(note) = manifest.of(name) else {
            continue;
        };
        let found = there
            .binary_search_by(|found| found.path.as_ref().cmp(&Some(name)))
            .ok()
            .and_then(|at| there.get(at));
        let flaw = match found {
            None => note.compare(None),
            Some(found) if found.sort != Sort::File || found.bytes != note.bytes => {
                Some(Flaw::Altered)
            }
            Some(_) => {
                let copied = measure(cell.folder(), &layout::artifact(name))?;
                let there = copied
                    .as_ref()
                    .map(|copied| (&*copied.sha256, copied.bytes));
                note.compare(there)
            }
        };
        wrong.extend(flaw.map(|flaw| (name.clone(), flaw)));
    }
    Ok(wrong)
}
