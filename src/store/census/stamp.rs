//! Tells from the times of its files whether a cell changed, where the system has no watch to give for it.

use crate::store::cell::OpenCell;
use crate::store::layout;
use rustix::time::{ClockId, clock_gettime};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The times, sizes and numbers of files, as one number.
pub type Stamp = u64;

/// How long ago the last change must be, in nanoseconds: the kernel's clock for files goes in ticks, and what is written
/// twice in one tick has one time.
const SETTLED: i128 = 50_000_000;

/// Where files are listed, and looked at one by one: one that is written in place leaves no trace in its folder.
const LISTED: [&str; 3] = [layout::AGENTS, layout::AGENT_STATES, layout::RUN];
/// What else is looked at.
const ALONE: [&str; 7] = [
    "",
    layout::CELL,
    layout::TASKS,
    layout::CONFIG,
    layout::POLICIES,
    layout::RUNTIME,
    layout::FENCE,
];

/// A stamp on its way.
pub(super) struct Stamper<'c> {
    cell: &'c OpenCell,
    hash: DefaultHasher,
    /// When the last change was.
    newest: i128,
    /// Whether something cannot be told by times: whether a lock is held, or what cannot be looked at.
    is_unsure: bool,
}

impl<'c> Stamper<'c> {
    /// All but the tasks that agents work on, which are told one by one.
    pub(super) fn of(cell: &'c OpenCell) -> Self {
        let mut stamper = Stamper {
            cell,
            hash: DefaultHasher::new(),
            newest: i128::MIN,
            is_unsure: false,
        };
        for file in ALONE {
            stamper.file(file);
        }
        for folder in LISTED {
            stamper.folder(folder);
        }
        stamper
    }

    fn folder(&mut self, folder: &str) {
        self.file(folder);
        let Ok(entries) = self.cell.folder().list(folder) else {
            self.is_unsure = true;
            return;
        };
        for entry in entries.unwrap_or_default() {
            self.is_unsure |=
                folder == layout::RUN && entry.name.ends_with(layout::RUN_LOCK.as_bytes());
            entry.name.hash(&mut self.hash);
            // What has no UTF-8 name is not read, so its name is all there is to it.
            if let Ok(name) = std::str::from_utf8(&entry.name) {
                self.file(&layout::join(folder, name));
            }
        }
    }

    /// One more file or folder.
    pub(super) fn file(&mut self, file: &str) {
        match self.cell.folder().stat(file) {
            Ok(Some(stat)) => {
                let changed = nanoseconds(stat.st_ctime, i128::from(stat.st_ctime_nsec));
                self.newest = self.newest.max(changed);
                let what = (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size);
                (what, changed).hash(&mut self.hash);
            }
            Ok(None) => 0.hash(&mut self.hash),
            Err(_) => self.is_unsure = true,
        }
    }

    /// The stamp; none where it proves nothing.
    pub(super) fn done(self) -> Option<Stamp> {
        // The clock that files are stamped with, which the program's own need not be.
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let now = nanoseconds(now.tv_sec, i128::from(now.tv_nsec));
        let is_sure = !self.is_unsure && self.newest + SETTLED < now;
        is_sure.then(|| self.hash.finish())
    }
}

fn nanoseconds(seconds: i64, part: i128) -> i128 {
    i128::from(seconds) * 1_000_000_000 + part
}
