//! The journal: one line a change, appended and fsynced. The line is the commit (docs/mission-cell-spec.md).
//!
//! A file that grew too long is renamed and a new one goes on with its chain, so a journal is several files: those with a
//! number, oldest first, then the live one.

mod end;
mod lines;
mod rotation;
#[cfg(test)]
mod tests;
mod watch;

pub use end::Journal;
pub use lines::{Lines, Mark, Raw};
pub use rotation::{KNOB, USUAL_MOST};
pub use watch::{Watch, Woken};

use crate::base::clock::Time;
use crate::base::error::Result;
use crate::base::text::shown;
use crate::store::folder::{Folder, write_all};
use crate::store::layout;
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most bytes that a line may have, without its line end: 16 MiB. Whoever reads a journal keeps no more than one line.
pub const LONGEST: usize = 16 << 20;

/// One line of `logs/journal.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// When.
    pub at: Time,
    /// Who: an operator's name or an agent's id.
    pub by: String,
    /// Which command: "task set".
    pub act: String,
    /// What it did, in a sentence.
    pub what: String,
    /// Why, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The request that it is part of: the same in every line of one command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The highest fencing token given in this cell so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// The files it changes.
    pub files: Vec<Change>,
    /// SHA-256 of the line before, in hex; empty for the first.
    pub prev: String,
}

/// One file of a change. Paths are relative to the cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The file.
    pub file: String,
    /// The temp that takes its place; of a removal an empty one, which goes when the removal is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temp: Option<String>,
    /// Where it goes in the root's trash, relative to the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash: Option<String>,
    /// SHA-256 of what was there, in hex; absent for a new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// SHA-256 of what is there then, in hex; absent for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    hex
}

/// Appends a readable line to `logs/mission.log`. It is told afterwards, so nothing depends on it.
pub fn tell_mission_log(cell: &Folder, line: &Line) {
    if let Ok(file) = open_for_append(cell, layout::MISSION_LOG) {
        // A line that is told when it is finished was read from the journal, and may hold anything.
        let [by, act, what] = [&line.by, &line.act, &line.what].map(|text| shown(text));
        let text = format!("{} {by} {act}: {what}\n", line.at);
        let _ = write_all(&file, text.as_bytes());
    }
}

fn open_for_append(cell: &Folder, path: &str) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::APPEND;
    if let Some((file, _)) = cell.open_file(path, flags)? {
        return Ok(file);
    }
    cell.make_file(path)?;
    let opened = cell.open_file(path, flags)?;
    opened
        .map(|(file, _)| file)
        .ok_or_else(|| cell.trouble("make", path, Errno::NOENT))
}
