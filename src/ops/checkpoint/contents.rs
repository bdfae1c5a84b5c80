//! What goes into a checkpoint: what is given, and what the agent wrote to its folder.

use crate::base::document::{self, Document};
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::mission::checkpoint::{
    ARTIFACTS, CONTEXT, Manifest, Part, STATE, is_artifact_name, require_artifact_name,
};
use crate::store::cell::OpenCell;
use crate::store::commit::pretty;
use crate::store::folder::Sort;
use crate::store::incoming::{Copied, Incoming, NewFolder, measure, open_beneath, open_source};
use crate::store::{layout, read};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

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

/// Artifacts by name, opened; whether each was given, or lies in the folder.
type Files = BTreeMap<String, (File, bool)>;

/// What is to be saved, read and checked.
pub(super) struct Contents {
    pub(super) texts: Vec<(&'static str, Vec<u8>)>,
    files: Files,
    pub(super) given: Vec<&'static str>,
    pub(super) left_out: Vec<String>,
}

impl Contents {
    /// Reads it, and refuses what cannot be saved.
    pub(super) fn gather(cell: &OpenCell, agent: &AgentId, new: &NewCheckpoint) -> Result<Self> {
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
    pub(super) fn make(
        &self,
        cell: &OpenCell,
        mut manifest: Manifest,
    ) -> Result<(Incoming, Manifest)> {
        let folder = NewFolder::begin(cell)?;
        let mut add = |name: String, copied: Copied| {
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
    pub(super) fn copies(
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
fn lying(cell: &OpenCell, place: &str) -> Result<(Files, Vec<String>)> {
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
    if root.kind() == document::Kind::Object {
        return Ok(());
    }
    Err(Error::malformed(format!(
        "an object is needed here, not {}",
        root.kind().words()
    ))
    .at(read::excerpt(name, text, root.range())))
}
