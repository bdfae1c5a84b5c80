//! A cell held open: what one can read of it without a lock, and how one gets the lock to write.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, CellId, TaskId};
use crate::mission::agent::Agent;
use crate::mission::cell::Cell;
use crate::mission::isolation::Isolation;
use crate::mission::permission::Permissions;
use crate::mission::policy::Policies;
use crate::mission::sheet::Record;
use crate::mission::task::Task;
use crate::store::commit::{Act, Writing};
use crate::store::folder::Folder;
use crate::store::layout;
use crate::store::lock::{self, Held, Wait};
use crate::store::read;
use serde::de::DeserializeOwned;
use std::path::Path;

/// A cell held open.
#[derive(Debug)]
pub struct OpenCell {
    folder: Folder,
    id: CellId,
}

/// A view over several files of a cell.
#[derive(Debug)]
pub struct View {
    _held: Option<Held>,
    /// Whether a writer was at work all the time: what is read may be of two moments.
    pub in_change: bool,
}

impl OpenCell {
    /// Opens the cell in a folder; a link is refused. Exit 3 if there is none.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Folder::open(path)?
            .ok_or_else(|| Error::not_found(format!("there is no cell at {}", path.display())))?;
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let id = CellId::new(name)
            .map_err(|error| Error::malformed(format!("{}: {error}", path.display())))?;
        Ok(OpenCell { folder, id })
    }

    /// A cell whose folder is open already.
    pub(crate) fn of(folder: Folder, id: CellId) -> Self {
        OpenCell { folder, id }
    }

    /// The folder's name.
    pub fn id(&self) -> &CellId {
        &self.id
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The root it lies in, held open.
    pub fn root_folder(&self) -> Result<Folder> {
        let root = self.path().parent().unwrap_or_else(|| Path::new("/"));
        Folder::open(root)?
            .ok_or_else(|| Error::not_found(format!("there is no root {}", root.display())))
    }

    /// Takes the cell for one change, waiting as said.
    pub fn lock_for_writing(&self, act: Act, wait: Wait<'_>) -> Result<Writing<'_>> {
        self.folder.make_folder(layout::RUNTIME)?;
        let held = lock::exclusive(&self.folder, layout::LOCK, wait)?;
        self.still_there()?;
        Writing::begin(self, held, act)
    }

    /// Whoever waited may hold a cell that was removed meanwhile: what is written to it is lost.
    fn still_there(&self) -> Result<()> {
        let own = self.folder.stat("")?.map(|own| (own.st_dev, own.st_ino));
        match rustix::io::retry_on_intr(|| rustix::fs::lstat(self.path())) {
            Ok(there) if own == Some((there.st_dev, there.st_ino)) => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(self.folder.trouble("look at", "", error)),
        }
        Err(Error::not_found(format!(
            "the cell at {} was removed or moved while this command waited for it",
            self.path().display()
        )))
    }

    /// Holds writers off for a view over several files, for a second at most; readers create nothing.
    pub fn view(&self) -> Result<View> {
        let held = lock::shared(&self.folder, layout::LOCK, lock::VIEW_PATIENCE)?;
        // No lock file means that nobody ever wrote here by mcell.
        let in_change = held.is_none() && self.folder.stat(layout::LOCK)?.is_some();
        Ok(View {
            _held: held,
            in_change,
        })
    }

    /// Reads one record; none if there is no such file.
    pub fn record<T: Record + DeserializeOwned>(&self, file: &str) -> Result<Option<T>> {
        self.folder
            .read(file)?
            .map(|text| read::record(&self.folder, file, &text))
            .transpose()
    }

    /// `cell.json` (exit 3 if it is not there: then this is no cell).
    pub fn cell(&self) -> Result<Cell> {
        self.record(layout::CELL)?.ok_or_else(|| self.no_cell())
    }

    /// Says that the folder is no cell.
    pub fn no_cell(&self) -> Error {
        Error::not_found(format!(
            "{} is no cell: it has no {}",
            self.path().display(),
            layout::CELL
        ))
        .hint("make a cell with `mcell init`")
    }

    /// The ids of the agents, sorted; files that are none are passed over (validate names them).
    pub fn agent_ids(&self) -> Result<Vec<AgentId>> {
        self.ids(layout::AGENTS, |stem| AgentId::new(stem).ok())
    }

    /// The ids of the tasks, sorted; files that are none are passed over (validate names them).
    pub fn task_ids(&self) -> Result<Vec<TaskId>> {
        self.ids(layout::TASKS, |stem| TaskId::new(stem).ok())
    }

    fn ids<T: Ord>(&self, folder: &str, id: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
        let entries = self.folder.list(folder)?.unwrap_or_default();
        let stems = entries.iter().filter_map(|entry| {
            std::str::from_utf8(&entry.name)
                .ok()?
                .strip_suffix(layout::JSON)
        });
        let mut ids: Vec<T> = stems.filter_map(id).collect();
        ids.sort();
        Ok(ids)
    }

    /// One agent; none if there is no such file.
    pub fn agent(&self, id: &AgentId) -> Result<Option<Agent>> {
        self.record(&layout::agent(id))
    }

    /// One task; none if there is no such file.
    pub fn task(&self, id: &TaskId) -> Result<Option<Task>> {
        self.record(&layout::task(id))
    }

    /// `config/policies.json`, if it is there.
    pub fn policies(&self) -> Result<Option<Policies>> {
        self.record(layout::POLICIES)
    }

    /// `config/isolation.json`, if it is there.
    pub fn isolation(&self) -> Result<Option<Isolation>> {
        self.record(layout::ISOLATION)
    }

    /// `config/permissions.json`, if it is there.
    pub fn permissions(&self) -> Result<Option<Permissions>> {
        self.record(layout::PERMISSIONS)
    }
}
