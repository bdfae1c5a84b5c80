//! The root's trash: where what is removed goes, how to get it back, and how it is emptied.

use crate::base::clock::Time;
use crate::base::error::Result;
use crate::base::text::quoted;
use crate::store::cell::OpenCell;
use crate::store::folder::Sort;
use crate::store::layout;
use crate::store::lock::Held;
use crate::store::root::Root;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// How long what was removed is kept: 30 days, in seconds.
pub const KEPT: u64 = 30 * 86_400;

/// What was removed, and how to undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Removed {
    /// What it was: the id of a cell, agent or task.
    pub id: String,
    /// Where it lies now.
    pub trash: String,
    /// The command that puts it back.
    pub undo: String,
}

impl Removed {
    /// What was at `from` (whole path), and lies now at `place` (relative to its root).
    pub fn new(id: impl Into<String>, root: &Path, place: &str, from: &Path) -> Self {
        let trash = root.join(place).display().to_string();
        let undo = format!(
            "mv {} {}",
            quoted(&trash),
            quoted(&from.display().to_string())
        );
        Removed {
            id: id.into(),
            trash,
            undo,
        }
    }
}

/// A fresh place in the trash for a file of a cell; its name says when, out of which cell, and which file.
pub fn place_for(cell: &OpenCell, file: &str, now: Time) -> Result<String> {
    let (_, name) = layout::split(file);
    root_of(cell)?.trash_place(now, &format!("{}-{name}", cell.id()))
}

/// The root that a cell lies in.
pub fn root_of(cell: &OpenCell) -> Result<Root> {
    Root::open(cell.path().parent().unwrap_or_else(|| Path::new("/")))
}

/// One thing in the trash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Thrown {
    /// Its name in the trash.
    pub name: String,
    /// When it was removed.
    pub removed_at: Time,
    /// Whether it is a folder: a whole cell.
    #[serde(skip)]
    is_folder: bool,
}

/// Everything in the trash, the oldest first.
pub fn list(root: &Root) -> Result<Vec<Thrown>> {
    let mut all = Vec::new();
    for entry in root.folder().list(layout::TRASH)?.unwrap_or_default() {
        // A name that mcell did not give is somebody's own, and stays.
        let is_folder = entry.sort == Sort::Folder;
        let name = String::from_utf8(entry.name).ok();
        if let Some((name, removed_at)) = name.and_then(|name| {
            let at = removed_at(&name)?;
            Some((name, at))
        }) {
            all.push(Thrown {
                name,
                removed_at,
                is_folder,
            });
        }
    }
    all.sort_by(|one, other| (one.removed_at, &one.name).cmp(&(other.removed_at, &other.name)));
    Ok(all)
}

/// What has lain in the trash for longer than so many seconds.
pub fn due(root: &Root, older_than: u64, now: Time) -> Result<Vec<Thrown>> {
    let mut all = list(root)?;
    all.retain(|thrown| thrown.removed_at.plus(older_than) <= now);
    Ok(all)
}

/// Deletes these things for good. The root is locked, so that nobody puts something in meanwhile.
pub fn empty(root: &Root, _held: &Held, things: &[Thrown]) -> Result<()> {
    for thing in things {
        let place = layout::join(layout::TRASH, &thing.name);
        if thing.is_folder {
            root.folder().remove_tree(&place)?;
        } else {
            root.folder().remove_file(&place)?;
        }
    }
    if let Some(trash) = root.folder().folder(layout::TRASH)? {
        trash.sync()?;
    }
    Ok(())
}

/// Reads a name of the trash, `20260102T030405Z-WHAT`.
fn removed_at(name: &str) -> Option<Time> {
    let (stamp, what) = name.split_once('-')?;
    let (day, hour) = stamp.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 8 || hour.len() != 6 || !numbers(day) || !numbers(hour) || what.is_empty() {
        return None;
    }
    Time::parse(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        day.get(..4)?,
        day.get(4..6)?,
        day.get(6..)?,
        hour.get(..2)?,
        hour.get(2..4)?,
        hour.get(4..)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_when() {
        let moment = Time::parse("2026-01-02T03:04:05Z");
        assert_eq!(removed_at("20260102T030405Z-x-y.json"), moment);
        for foreign in [
            "notes",
            "20260102-x",
            "20260102T0304Z-x",
            "20260102T030405Z-",
        ] {
            assert_eq!(removed_at(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_undo_line_survives_spaces() {
        let root = Path::new("/var/my missions");
        let removed = Removed::new("a", root, ".mcell/trash/x", &root.join("a"));
        assert_eq!(
            removed.undo,
            "mv '/var/my missions/.mcell/trash/x' '/var/my missions/a'"
        );
    }
}
