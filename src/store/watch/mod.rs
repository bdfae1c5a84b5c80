//! Watches a root and its cells for whatever changes a census, so that a look at what did not change costs nothing.
//!
//! Which events count is decided by folder and name (`matters`): what mcell's own commits make on their way, temps and
//! locks, counts for nothing, nor does anything that a reader does.

mod changes;
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the trees they watch")]
mod tests;

pub use changes::Changes;

use crate::base::error::Result;
use crate::base::ids::CellId;
use crate::store::inotify::{Inotify, WatchFlags};
use crate::store::layout;
use crate::store::root::Root;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::{Errno, retry_on_intr};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folders of a cell that are watched, each with the place here of the one that it lies in.
const FOLDERS: [(&str, usize); 7] = [
    ("", 0),
    (layout::AGENTS, 0),
    (layout::TASKS, 0),
    (layout::CONFIG, 0),
    (layout::RUNTIME, 0),
    (layout::AGENT_STATES, RUNTIME),
    (layout::RUN, RUNTIME),
];
const AGENTS: usize = 1;
const TASKS: usize = 2;
const CONFIG: usize = 3;
const RUNTIME: usize = 4;
const AGENT_STATES: usize = 5;
const RUN: usize = 6;

/// Names that come and go, and rights. Never a read: what we do ourselves would wake us.
const NAMES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB);
/// Of a root also its own end.
const OF_ROOT: WatchFlags = NAMES
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);
/// In a cell also what was written in place.
const OF_FOLDER: WatchFlags = NAMES.union(WatchFlags::CLOSE_WRITE);
/// Beats are written to files that stay open.
const OF_RUN: WatchFlags = OF_FOLDER.union(WatchFlags::MODIFY);

/// A watch over a root.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    /// Device and number of the root's folder.
    place: (u64, u64),
    /// None where the system gives none: then nothing is watched, and everything is to be looked at.
    events: Option<Inotify>,
    root_number: Option<i32>,
    /// Whose folder the events of a number are about.
    owners: HashMap<i32, (Arc<CellId>, usize)>,
    /// The numbers of each cell's folders.
    cells: BTreeMap<Arc<CellId>, [Option<i32>; FOLDERS.len()]>,
    /// Cells for which there was no watch left.
    unwatched: BTreeSet<CellId>,
    /// Whether other machines may write to the root, which makes no event here: every cell is compared too.
    is_shared: bool,
    /// Whether it was said that there are such cells.
    is_told: bool,
    /// The most watches that may be had.
    most: usize,
}

impl Watch {
    /// Begins to watch a root, with so many watches at most; its cells are watched one by one.
    pub fn of(root: &Root, most: usize) -> Result<Self> {
        let stat = retry_on_intr(|| rustix::fs::fstat(root.folder().handle()))
            .map_err(|error| root.folder().trouble("look at", "", error))?;
        let mut watch = Watch {
            root: root.path().to_path_buf(),
            place: (stat.st_dev, stat.st_ino),
            events: None,
            root_number: None,
            owners: HashMap::new(),
            cells: BTreeMap::new(),
            unwatched: BTreeSet::new(),
            is_shared: is_shared(root),
            is_told: false,
            most,
        };
        if let Ok(events) = Inotify::new()
            && most > 0
            && let Ok(number) = events.watch(&watch.root, OF_ROOT)
        {
            watch.root_number = Some(number);
            watch.events = Some(events);
        }
        Ok(watch)
    }

    /// What becomes readable when something happens; none where nothing can be watched.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.events.as_ref().map(AsFd::as_fd)
    }

    /// Whether nothing can be watched.
    pub fn is_blind(&self) -> bool {
        self.events.is_none()
    }

    /// Takes the place of a watch that was blind, if this one is not.
    pub fn replace(&mut self, better: Watch) {
        if !better.is_blind() {
            *self = better;
        }
    }

    /// Whether a path still leads to the root that is watched. One that was mounted over, or that a link leads to no more,
    /// tells nothing of it.
    pub fn is_at(&self, path: &Path) -> bool {
        let found = retry_on_intr(|| rustix::fs::stat(path));
        found.is_ok_and(|stat| (stat.st_dev, stat.st_ino) == self.place)
    }

    /// Watches a cell, or watches it again: folders that came since, or were replaced. To be called before the cell is
    /// read: what changes from now on is not missed.
    pub fn add(&mut self, id: &CellId) {
        let path = self.root.join(id.as_str());
        let known = self.cells.remove_entry(id);
        let (id, before) = known.unwrap_or_else(|| (Arc::new(id.clone()), Default::default()));
        let now = self.ask(&path);
        for number in before.iter().flatten() {
            let is_still = now.as_ref().is_some_and(|now| now.contains(&Some(*number)));
            if !is_still
                && self
                    .owners
                    .get(number)
                    .is_some_and(|(owner, _)| *owner == id)
            {
                self.give_up(*number);
            }
        }
        let Some(numbers) = now else {
            self.unwatched.insert((*id).clone());
            return;
        };
        self.unwatched.remove(&*id);
        if numbers.first() == Some(&None) {
            // It is gone, or may not be looked into: the root tells when that changes.
            return;
        }
        for (at, number) in numbers.iter().enumerate() {
            let Some(number) = number else { continue };
            let owner = (Arc::clone(&id), at);
            match self.owners.insert(*number, owner.clone()) {
                None => {}
                Some(before) if before == owner => {}
                Some((other, place)) => self.rob(&other, place),
            }
        }
        if self.is_shared {
            self.unwatched.insert((*id).clone());
        }
        self.cells.insert(id, numbers);
    }

    /// Asks for a watch of each folder that is there; none if there are no more to be had.
    fn ask(&mut self, cell: &Path) -> Option<[Option<i32>; FOLDERS.len()]> {
        let events = self.events.as_ref()?;
        let mut numbers = [None; FOLDERS.len()];
        for (at, (folder, parent)) in FOLDERS.into_iter().enumerate() {
            // What lies in a link is not asked for.
            if at > 0 && numbers.get(parent) == Some(&None) {
                continue;
            }
            let flags = if at == RUN { OF_RUN } else { OF_FOLDER };
            let path = if at == 0 {
                cell.to_path_buf()
            } else {
                cell.join(folder)
            };
            let had = self.owners.len() + numbers.iter().flatten().count();
            let got = if had >= self.most {
                Err(Errno::NOSPC)
            } else {
                retry_on_intr(|| events.watch(&path, flags))
            };
            match got {
                Ok(number) => {
                    if let Some(place) = numbers.get_mut(at) {
                        *place = Some(number);
                    }
                }
                Err(Errno::NOSPC | Errno::NOMEM | Errno::MFILE | Errno::NFILE) => {
                    for number in numbers.iter().flatten() {
                        if !self.owners.contains_key(number) {
                            events.forget(*number);
                        }
                    }
                    return None;
                }
                // Not there, a link, or not to be looked into: the folder that it lies in tells when that changes.
                Err(_) => {}
            }
        }
        Some(numbers)
    }

    /// A folder that two cells have, or that moved from one to the other: its events go to the new one, and the old one
    /// is looked at each time until it is added again.
    fn rob(&mut self, other: &Arc<CellId>, place: usize) {
        if let Some(slot) = self
            .cells
            .get_mut(other)
            .and_then(|numbers| numbers.get_mut(place))
        {
            *slot = None;
        }
        self.unwatched.insert((**other).clone());
    }

    /// Watches a cell no more.
    pub fn forget(&mut self, id: &CellId) {
        self.unwatched.remove(id);
        let Some((id, numbers)) = self.cells.remove_entry(id) else {
            return;
        };
        for number in numbers.into_iter().flatten() {
            if self
                .owners
                .get(&number)
                .is_some_and(|(owner, _)| *owner == id)
            {
                self.give_up(number);
            }
        }
    }

    fn give_up(&mut self, number: i32) {
        self.owners.remove(&number);
        if let Some(events) = &self.events {
            events.forget(number);
        }
    }

    /// Whether a cell is told of by events; otherwise it is to be compared.
    pub fn tells_of(&self, id: &CellId) -> bool {
        !self.is_blind() && !self.unwatched.contains(id)
    }

    /// The cells that events tell nothing of.
    pub fn unwatched(&self) -> &BTreeSet<CellId> {
        &self.unwatched
    }

    /// The cells that are known here, watched or not.
    pub fn cells(&self) -> impl Iterator<Item = &CellId> {
        self.cells.keys().map(|id| &**id).chain(&self.unwatched)
    }

    /// Says once that watches ran out, and how there can be more.
    pub fn complaint(&mut self) -> Option<String> {
        let missing = self.unwatched.len();
        let is_missing = missing > 0 || self.is_blind();
        let was_told = std::mem::replace(&mut self.is_told, is_missing);
        if was_told || !is_missing {
            return None;
        }
        if self.is_shared && !self.is_blind() {
            return Some(String::from(
                "the root lies where other machines may write: its cells are compared by the times of their files, since \
                 what others change makes no event here",
            ));
        }
        let (key, wanted) = if self.is_blind() {
            ("fs.inotify.max_user_instances", 1)
        } else {
            let all = (self.cells.len() + missing) * FOLDERS.len() + 1;
            ("fs.inotify.max_user_watches", all)
        };
        Some(format!(
            "the system gives no more inotify watches; cells that are compared by the times of their files: {missing}; \
             raise {key} with sysctl, this root takes {wanted}"
        ))
    }
}

/// File systems that other machines may write to, by their numbers: NFS, SMB in three forms, 9P, FUSE (which may be
/// anything), Ceph, AFS, Lustre, GFS2, OCFS2, shared folders of virtual machines.
const SHARED: [u64; 12] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x0102_1997,
    0x6573_5546,
    0x00C3_6400,
    0x5346_414F,
    0x0BD0_0BD0,
    0x0116_1970,
    0x7461_636F,
    0x786F_4256,
];

fn is_shared(root: &Root) -> bool {
    // The type of the number differs from machine to machine.
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        reason = "as statfs gives it"
    )]
    let kind =
        rustix::fs::fstatfs(root.folder().handle()).map(|about| about.f_type as u64 & 0xFFFF_FFFF);
    kind.is_ok_and(|kind| SHARED.contains(&kind))
}
