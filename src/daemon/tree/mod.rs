//! The tree of a root as the daemon knows it: a census of each cell, kept fresh by events, and held against the disk anew
//! every so often.

mod read;
mod take;
#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod tests;

use crate::base::boot::Moment;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, CellId};
use crate::mission::beat::Beat;
use crate::mission::census::CellCensus;
use crate::store::census::Stamp;
use crate::store::layout;
use crate::store::root::Root;
use crate::store::watch::{Changes, Watch};
use crate::store::workers;
use rustix::fd::BorrowedFd;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// After how long everything is read again, whatever events say: another machine's writes to a shared disk make none here.
pub const EVERY: Duration = Duration::from_secs(600);
/// For how many milliseconds a lock may still seem to be held after the event of its holder's end.
const LINGER: u64 = 200;

/// All cells of a root, as they were at the last refresh.
#[derive(Debug)]
pub struct Tree {
    path: PathBuf,
    every: Duration,
    threads: usize,
    /// The most watches that may be had; tests make them few.
    most: usize,
    /// None until the first refresh, and while the root is gone.
    watch: Option<Watch>,
    /// When everything was read; none if that is due.
    read_at: Option<u64>,
    cells: BTreeMap<CellId, Arc<CellCensus>>,
    /// What in the root is no cell, or cannot be read: a sentence each, by name.
    strange: BTreeMap<String, String>,
    /// The last signs of life on file.
    heard: BTreeMap<CellId, BTreeMap<AgentId, Vec<Beat>>>,
    /// The times of the files of cells that have no watch.
    stamps: BTreeMap<CellId, Stamp>,
    /// Cells that could not be read whole for want of something that is there again, it may be, the next time.
    again: BTreeSet<CellId>,
    /// Cells in which a runner may just have ended, and until when they are looked at each time.
    ending: BTreeMap<CellId, u64>,
}

/// A sign of life that was written since the last refresh, or that was there when the cell was first read.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Its cell.
    pub cell: CellId,
    /// Whose it is.
    pub agent: AgentId,
    /// The sign.
    pub beat: Beat,
}

/// What a refresh brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refreshed {
    /// Cells that came or whose census is another one now.
    pub changed: BTreeSet<CellId>,
    /// Cells that are no more.
    pub went: BTreeSet<CellId>,
    /// Signs of life on file that are new.
    pub beats: Vec<Heard>,
    /// Whether everything was read.
    pub is_full: bool,
    /// Whether the next refresh should come soon (a tenth of a second will do) and not wait for an event: a runner may
    /// have ended, and the event of that comes a moment before its lock is free.
    pub is_soon: bool,
    /// What an operator should know, once.
    pub notes: Vec<String>,
}

impl Tree {
    /// A tree of which nothing was read yet. Exit 3 if there is no such root.
    pub fn open(path: &Path, every: Duration) -> Result<Self> {
        Root::open(path)?;
        Ok(Tree {
            path: path.to_path_buf(),
            every,
            threads: workers::USUAL,
            most: usize::MAX,
            watch: None,
            read_at: None,
            cells: BTreeMap::new(),
            strange: BTreeMap::new(),
            heard: BTreeMap::new(),
            stamps: BTreeMap::new(),
            again: BTreeSet::new(),
            ending: BTreeMap::new(),
        })
    }

    /// The same with so many threads.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Tree { threads, ..self }
    }

    /// Every cell, by id.
    pub fn cells(&self) -> &BTreeMap<CellId, Arc<CellCensus>> {
        &self.cells
    }

    /// What cannot be read, a sentence each: first what is no cell at all.
    pub fn troubles(&self) -> impl Iterator<Item = String> {
        let of_cells = self.cells.values().flat_map(|cell| {
            let name = cell.cell_id.short();
            cell.troubles
                .iter()
                .map(move |trouble| format!("cell {name}: {trouble}"))
        });
        self.strange.values().cloned().chain(of_cells)
    }

    /// What becomes readable when something happened; none where the system tells nothing, and after a refresh that
    /// failed. It may be another one after each refresh.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref()?.fd()
    }

    /// Reads what changed. If that is nothing it costs two system calls. Where the root is gone that is an error, and
    /// everything stays as it was until it is back.
    pub fn refresh(&mut self, now: &Moment) -> Result<Refreshed> {
        let refreshed = self.try_refresh(now);
        if refreshed.is_err() {
            // The events are taken; what they told of was not read.
            self.read_at = None;
        }
        refreshed
    }

    fn try_refresh(&mut self, now: &Moment) -> Result<Refreshed> {
        let mut changes = self.hold()?.drain()?;
        if changes.root_went {
            self.watch = None;
            changes = self.hold()?.drain()?;
        }
        let read_at = self.read_at.filter(|at| {
            let age = now.up.saturating_sub(*at);
            now.up >= *at && u128::from(age) < self.every.as_millis()
        });
        let mut refreshed = Refreshed::default();
        if changes.everything || read_at.is_none() {
            self.read_everything(&mut refreshed)?;
            self.read_at = Some(now.up);
        } else {
            self.read_changed(&changes, &mut refreshed)?;
        }
        self.see_who_ends(&changes, now);
        refreshed.is_soon = !self.ending.is_empty();
        refreshed
            .notes
            .extend(self.watch.as_mut().and_then(Watch::complaint));
        Ok(refreshed)
    }

    /// Watches the root, or watches it again after it was gone.
    fn hold(&mut self) -> Result<&mut Watch> {
        let is_there = self
            .watch
            .as_ref()
            .is_some_and(|watch| watch.is_at(&self.path));
        if !is_there {
            self.watch = None;
            self.read_at = None;
        }
        let watch = match self.watch.take() {
            Some(watch) => watch,
            None => self.begin()?,
        };
        Ok(self.watch.insert(watch))
    }

    fn begin(&self) -> Result<Watch> {
        let gone = |why: &str| {
            Error::new(
                Kind::Storage,
                format!("the root {} is gone: {why}", self.path.display()),
            )
            .hint("what was known of its cells is kept until it is back")
        };
        let root = match Root::open(&self.path) {
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(gone("it was removed, renamed or unmounted"));
            }
            root => root?,
        };
        // Where a disk was mounted an empty folder is left.
        if !self.cells.is_empty()
            && root.folder().stat(layout::RUNTIME)?.is_none()
            && root.cell_ids()?.is_empty()
        {
            return Err(gone("an empty folder lies in its place; was it unmounted?"));
        }
        Watch::of(&root, self.most)
    }

    /// Notes in which cells a handle on a lock was closed that is held all the same. Not for ever: whoever opens it and
    /// goes away while another holds it is no runner that ends.
    fn see_who_ends(&mut self, changes: &Changes, now: &Moment) {
        let until = now.up.saturating_add(LINGER);
        self.ending.retain(|_, until| now.up < *until);
        self.ending
            .extend(changes.locks.iter().map(|id| (id.clone(), until)));
        let cells = &self.cells;
        let lives = |id: &CellId| {
            let cell = cells.get(id);
            cell.is_some_and(|cell| cell.agents.iter().any(|agent| agent.is_alive))
        };
        self.ending.retain(|id, _| lives(id));
    }
}
