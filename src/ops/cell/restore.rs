//! Restores a cell from a backup: unpacked and verified where nobody looks, then given its name by one rename.

use super::rise::rise;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::base::text::shown;
use crate::mission::cell::Cell;
use crate::ops::session::Session;
use crate::store::archive::{self, Label, Target, Unpacked};
use crate::store::cell::OpenCell;
use crate::store::half::Half;
use crate::store::incoming::open_source;
use crate::store::journal::Journal;
use crate::store::root::Root;
use crate::store::{fs2, layout};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Restored {
    /// Its id.
    pub cell_id: String,
    /// The mission's name, as the backup says it.
    pub mission_name: Option<String>,
    /// Where it lies.
    pub path: String,
    /// The id of the cell that it is a copy of; null if it is that one.
    pub copy_of: Option<String>,
    /// How many files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The highest fencing token now: whoever has an older one is refused.
    pub token: u64,
    /// The files that changed while they were backed up, and may be of two moments.
    pub changed: Vec<String>,
}

/// Restores a backup under a root. `tell` hears how many bytes of it are read, of how many.
pub fn restore(
    session: &Session,
    root: &Root,
    backup: &Path,
    as_copy: bool,
    tell: &dyn Fn(u64, u64),
) -> Result<Restored> {
    session.require_operator("restore a cell")?;
    let source = open_source(&session.env.resolve(backup))?;
    let rights = root.rights_for_cells()?;
    let held = root.lock(session.wait("cell restore")?)?;
    let half = Half::begin(root, &held, rights)?;
    // Others go on: what is unpacked is held by its own lock.
    drop(held);
    let space = fs2::space(root.path()).map_err(|error| {
        Error::storage(format_args!("look at {}", root.path().display()), error)
    })?;
    let folder = half.folder()?;
    let target = Target {
        folder: &folder,
        rights,
        room: space.available,
    };
    let may_begin = |label: &Label| match id_of(label)? {
        id if !as_copy && root.folder().stat(id.as_str())?.is_some() => Err(lives(root, &id)),
        _ => Ok(()),
    };
    let unpacked = archive::unpack(source, target, &may_begin, tell);
    tell(1, 1);
    let unpacked = unpacked.map_err(|error| error.context(backup.display()))?;
    let original = id_of(&unpacked.label)?;
    let id = if as_copy {
        CellId::random()
    } else {
        original.clone()
    };
    let token = go_on(session, &half.cell(&id)?, &unpacked, as_copy)?;
    let held = root.lock(session.wait("cell restore")?)?;
    if !half.place(&held, &id)? {
        return Err(lives(root, &id));
    }
    Ok(Restored {
        path: root.path().join(id.as_str()).display().to_string(),
        cell_id: id.to_string(),
        mission_name: unpacked.label.mission_name,
        copy_of: as_copy.then(|| original.to_string()),
        files: unpacked.files,
        bytes: unpacked.bytes,
        token,
        changed: unpacked.changed,
    })
}

fn id_of(label: &Label) -> Result<CellId> {
    CellId::new(&*label.cell_id).map_err(|error| error.of_kind(Kind::Malformed))
}

fn lives(root: &Root, id: &CellId) -> Error {
    Error::refused(format!(
        "the cell {id} lives under {}",
        root.path().display()
    ))
    .hint("`--as-copy` restores it beside, with a new id")
    .hint(format!(
        "or move it to the trash first: `mcell cell remove {id}`"
    ))
}

/// The first act of the restored cell, before anybody sees it: its tokens rise, and its journal says where it came from.
fn go_on(session: &Session, cell: &OpenCell, unpacked: &Unpacked, as_copy: bool) -> Result<u64> {
    let folder = cell.folder();
    if folder.stat(layout::CELL)?.is_none() {
        return Err(Error::malformed(format!(
            "the backup holds no {}",
            layout::CELL
        )));
    }
    if Journal::read_end(folder)?.prev() != unpacked.journal_head {
        return Err(Error::malformed(
            "the backup is broken: its journal does not end as its list says",
        ));
    }
    let mut writing =
        cell.lock_for_writing(session.act("cell restore"), session.wait("cell restore")?)?;
    writing.at(session.env.clock.now());
    let token = rise(&mut writing, &session.moment())?;
    let original = &unpacked.label.cell_id;
    let what = if as_copy {
        let mut record: Cell = writing.read(layout::CELL)?.ok_or_else(|| cell.no_cell())?;
        record.cell_id = cell.id().to_string();
        writing.put(layout::CELL, &record)?;
        format!(
            "restored from a backup as {}, a copy of {}",
            cell.id(),
            shown(original)
        )
    } else {
        String::from("restored from a backup")
    };
    writing.commit(&what)?;
    Ok(token)
}
