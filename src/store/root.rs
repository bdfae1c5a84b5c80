//! A root: the folder of all cells, its lock, the place where cells are made, and the trash.

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::ids::CellId;
use crate::store::cell::OpenCell;
use crate::store::commit::{make_path, pretty};
use crate::store::folder::{Folder, Rights, Sort};
use crate::store::journal::{Change, Line, sha256, tell_mission_log};
use crate::store::layout;
use crate::store::lock::{self, Held, Wait};
use std::path::Path;

/// A root held open.
#[derive(Debug)]
pub struct Root {
    folder: Folder,
}

/// A file of a cell that is being made.
#[derive(Debug)]
pub struct NewFile {
    /// Its path in the cell.
    pub file: String,
    /// Its text.
    pub text: Vec<u8>,
}

impl Root {
    /// Opens a root. Exit 3 if there is none.
    pub fn open(path: &Path) -> Result<Self> {
        // A root may be reached by a link: it is the operator who names it.
        let real = path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!(
                "there is no root {}",
                path.display()
            ))
            .hint("make the first cell with `mcell init NAME`, or name another root with `--root`"),
            _ => Error::storage(format_args!("open {}", path.display()), error),
        })?;
        let folder = Folder::open(&real)?
            .ok_or_else(|| Error::not_found(format!("there is no root {}", path.display())))?;
        Ok(Root { folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The names of everything that may be a cell: folders and links whose names do not begin with a dot, sorted.
    pub fn candidates(&self) -> Result<Vec<(Vec<u8>, Sort)>> {
        let entries = self.folder.list("")?.unwrap_or_default();
        let shown = entries
            .into_iter()
            .filter(|entry| !entry.name.starts_with(b".") && entry.sort != Sort::File);
        Ok(shown.map(|entry| (entry.name, entry.sort)).collect())
    }

    /// The ids of the cells: folders whose names can be ids.
    pub fn cell_ids(&self) -> Result<Vec<CellId>> {
        let folders = self
            .candidates()?
            .into_iter()
            .filter(|(_, sort)| *sort == Sort::Folder);
        Ok(folders
            .filter_map(|(name, _)| CellId::new(String::from_utf8(name).ok()?).ok())
            .collect())
    }

    /// Takes the root for making or removing cells.
    pub fn lock(&self, wait: Wait<'_>) -> Result<Held> {
        let rights = self.rights_for_cells()?;
        self.folder
            .make_folder_with(layout::RUNTIME, Some(rights))?;
        let mut held = lock::exclusive(&self.folder, layout::LOCK, wait)?;
        // Also where nobody abandoned this lock: commands on one cell make the trash without it.
        self.folder.sweep_temps(layout::RUNTIME)?;
        if held.was_abandoned {
            self.folder.sweep_temps("")?;
            held.half_done = false;
        }
        Ok(held)
    }

    /// The rights of a new cell's folders: those of a root that a group shares, else 0750.
    pub fn rights_for_cells(&self) -> Result<Rights> {
        let rights = self
            .folder
            .rights("")?
            .ok_or_else(|| Error::bug("an open folder has no rights"))?;
        let is_shared = rights.mode & 0o020 != 0;
        Ok(Rights {
            mode: if is_shared {
                (rights.mode & 0o7770) | 0o2000
            } else {
                0o750
            },
            ..rights
        })
    }

    /// Makes a cell whole, and gives it open: under `.mcell/new`, fsynced from the files up, then renamed into place. The
    /// root's lock is held.
    pub fn make_cell(
        &self,
        _held: &Held,
        id: &CellId,
        files: &[NewFile],
        line: Line,
    ) -> Result<OpenCell> {
        make_path(&self.folder, layout::NEW)?;
        // For those who remove things later without the root's lock.
        make_path(&self.folder, layout::TRASH)?;
        // Whoever was killed here left half a cell; the lock says that nobody is at it.
        crate::store::half::sweep(&self.folder)?;
        let half = layout::join(layout::NEW, id.as_str());
        let made = self.build_cell(&half, files, line).and_then(|cell| {
            let placed = self.folder.rename_new(&half, &self.folder, id.as_str())?;
            Ok(placed.then_some(cell))
        });
        if !matches!(made, Ok(Some(_))) {
            // On a full disk it would take what others need; what cannot be removed now is removed by the next.
            let _ = self.folder.remove_tree(&half);
        }
        let cell = made?.ok_or_else(|| {
            Error::refused(format!("there is a cell {id} already"))
                .hint("leave `--id` out for a new one")
        })?;
        self.folder
            .sync()
            .map_err(|error| error.of_kind(crate::base::error::Kind::OutcomeUnknown))?;
        // Held open since before it had its name: it is made, so nothing may fail any more.
        Ok(OpenCell::of(
            cell.renamed(self.folder.path_of(id.as_str())),
            id.clone(),
        ))
    }

    /// Replaces a file of the root's own, under its lock; or without, where one process alone writes that file and tries
    /// again: who holds the lock sweeps temps.
    pub fn write_own(&self, beneath: &str, text: &[u8]) -> Result<()> {
        let rights = self.folder.rights_for_files(beneath)?;
        self.write_own_with(beneath, text, rights)
    }

    /// The same with these rights, from the first moment on.
    pub fn write_own_with(&self, beneath: &str, text: &[u8], rights: Rights) -> Result<()> {
        self.folder.replace(beneath, text, rights)
    }

    /// Makes the root's own folder, if it is not there.
    pub fn make_runtime(&self) -> Result<()> {
        let rights = self.rights_for_cells()?;
        self.folder.make_folder_with(layout::RUNTIME, Some(rights))
    }

    /// Replaces a file of the root's own that its daemon alone writes, whole, but without waiting for the disk: after a
    /// power cut it is of another boot anyway.
    pub fn write_state(&self, beneath: &str, text: &[u8]) -> Result<()> {
        self.folder.replace_unsynced(beneath, text)
    }

    /// Makes everything of a cell where nobody looks, and makes it durable.
    fn build_cell(&self, half: &str, files: &[NewFile], mut line: Line) -> Result<Folder> {
        let rights = self.rights_for_cells()?;
        let (new, name) = layout::split(half);
        self.folder
            .folder_there(new)?
            .build_folder(name, Some(rights))?;
        let cell = self.folder.folder_there(half)?;
        for folder in layout::FOLDERS {
            let (parent, name) = layout::split(folder);
            cell.folder_there(parent)?.build_folder(name, None)?;
        }
        for file in files {
            line.files.push(Change {
                file: file.file.clone(),
                temp: None,
                trash: None,
                before: None,
                after: Some(sha256(&file.text)),
            });
            cell.write_new(&file.file, &file.text, rights.for_file())?;
        }
        let mut text = serde_json::to_vec(&line)
            .map_err(|error| Error::bug(format!("a journal line cannot be written: {error}")))?;
        text.push(b'\n');
        cell.write_new(layout::JOURNAL, &text, rights.for_file())?;
        tell_mission_log(&cell, &line);
        let fence = pretty(&crate::store::fence::Fence::default())?;
        cell.write_new(layout::FENCE, &fence, rights.for_file())?;
        for folder in layout::FOLDERS.iter().rev() {
            cell.folder_there(folder)?.sync()?;
        }
        cell.sync()?;
        Ok(cell)
    }

    /// A fresh place in the trash, named after the moment and what goes there.
    pub fn trash_place(&self, now: Time, what: &str) -> Result<String> {
        let stamp = now.to_string().replace([':', '-'], "");
        let wanted = format!("{}/{stamp}-{what}", layout::TRASH);
        let mut place = wanted.clone();
        let mut number = 1;
        while self.folder.stat(&place)?.is_some() {
            number += 1;
            place = format!("{wanted}-{number}");
        }
        Ok(place)
    }

    /// Moves a whole cell to the trash and says where. The root's lock and the cell's are held.
    pub fn trash_cell(&self, _held: &Held, id: &CellId, now: Time) -> Result<String> {
        make_path(&self.folder, layout::TRASH)?;
        let place = self.trash_place(now, id.as_str())?;
        if !self.folder.rename_new(id.as_str(), &self.folder, &place)? {
            return Err(Error::refused(format!("{place} is there already")));
        }
        // It is moved; what fails now says only that a power cut may still bring it back.
        self.folder
            .folder_there(layout::TRASH)
            .and_then(|trash| trash.sync())
            .and_then(|()| self.folder.sync())
            .map_err(|error| error.of_kind(crate::base::error::Kind::OutcomeUnknown))?;
        Ok(place)
    }
}
