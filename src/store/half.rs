//! A cell that is being made for longer than the root's lock should be held: its maker holds a lock on the half cell
//! itself, so that a sweep tells the living from the dead.

use crate::base::error::{Error, Result};
use crate::base::ids::CellId;
use crate::store::cell::OpenCell;
use crate::store::commit::make_path;
use crate::store::folder::{Folder, Rights, Sort};
use crate::store::lock::Held;
use crate::store::root::Root;
use crate::store::{fs2, layout};
use std::fs::File;

/// A half-made cell under `.mcell/new`, gone again when dropped unless it was placed.
#[derive(Debug)]
pub struct Half {
    root: Folder,
    path: String,
    held: File,
    is_placed: bool,
}

impl Drop for Half {
    fn drop(&mut self) {
        if !self.is_placed {
            // What stays is swept by the next who makes a cell.
            let _ = self.root.remove_tree(&self.path);
        }
        let _ = fs2::unlock(&self.held);
    }
}

impl Half {
    /// Begins a half cell with the rights of the root's cells. The root's lock is held until it is this maker's.
    pub fn begin(root: &Root, _held: &Held, rights: Rights) -> Result<Self> {
        make_path(root.folder(), layout::NEW)?;
        make_path(root.folder(), layout::TRASH)?;
        sweep(root.folder())?;
        let name = format!(".half.{}{}", std::process::id(), layout::TEMP);
        let new = root.folder().folder_there(layout::NEW)?;
        new.build_folder(&name, Some(rights))?;
        let path = layout::join(layout::NEW, &name);
        let held = File::from(root.folder().folder_there(&path)?.into_handle());
        let failed = |error| {
            let path = root.folder().path_of(&path);
            Error::storage(format_args!("lock {}", path.display()), error)
        };
        if !fs2::try_lock(&held, true).map_err(failed)? {
            return Err(Error::refused(format!(
                "another process makes a cell at {}",
                root.folder().path_of(&path).display()
            ))
            .hint("type the command again when it is done"));
        }
        Ok(Half {
            root: root.folder().folder_there("")?,
            path,
            held,
            is_placed: false,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> Result<Folder> {
        self.root.folder_there(&self.path)
    }

    /// The cell that it is to be, to finish it by a commit before anybody sees it.
    pub fn cell(&self, id: &CellId) -> Result<OpenCell> {
        Ok(OpenCell::of(self.folder()?, id.clone()))
    }

    /// Gives it its name, durably. False if there is one of that name. The root's lock is held.
    pub fn place(mut self, _held: &Held, id: &CellId) -> Result<bool> {
        if !self.root.rename_new(&self.path, &self.root, id.as_str())? {
            return Ok(false);
        }
        self.is_placed = true;
        self.root
            .sync()
            .map_err(|error| error.of_kind(crate::base::error::Kind::OutcomeUnknown))?;
        Ok(true)
    }
}

/// Removes the half cells of killed makers; what somebody holds is being made. The root's lock is held.
pub(super) fn sweep(root: &Folder) -> Result<()> {
    for entry in root.list(layout::NEW)?.unwrap_or_default() {
        let Ok(name) = std::str::from_utf8(&entry.name) else {
            continue;
        };
        let path = layout::join(layout::NEW, name);
        if entry.sort != Sort::Folder {
            root.remove_file(&path)?;
            continue;
        }
        let Some(half) = root.folder(&path)? else {
            continue;
        };
        let held = File::from(half.into_handle());
        let is_free = fs2::try_lock(&held, true).map_err(|error| {
            Error::storage(
                format_args!("lock {}", root.path_of(&path).display()),
                error,
            )
        })?;
        if is_free {
            root.remove_tree(&path)?;
        }
    }
    Ok(())
}
