//! What events mean.

use super::{AGENT_STATES, AGENTS, CONFIG, RUN, RUNTIME, TASKS, Watch};
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, CellId};
use crate::store::inotify::{Event, ReadFlags};
use crate::store::layout;
use std::collections::BTreeSet;

/// What changed since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The cells whose census is stale, those that came or went among them.
    pub cells: BTreeSet<CellId>,
    /// The agents whose beat was written.
    pub beats: BTreeSet<(CellId, AgentId)>,
    /// The cells in which a handle on a lock was closed. The event comes a moment before the lock is free.
    pub locks: BTreeSet<CellId>,
    /// Whether the root's list of names is to be read: something came or went that cannot be a cell, or no event tells of
    /// cells.
    pub root: bool,
    /// Whether events were lost: anything may have changed.
    pub everything: bool,
    /// Whether the root itself was removed, moved or unmounted.
    pub root_went: bool,
}

/// What a name in a folder of a cell is to a census.
#[derive(Debug, PartialEq, Eq)]
enum Matter {
    Census,
    Lock,
    Beat(AgentId),
}

impl Watch {
    /// Takes all events that there are, without waiting.
    pub fn drain(&mut self) -> Result<Changes> {
        let mut changes = Changes::default();
        let Some(events) = self.events.take() else {
            changes.root = true;
            return Ok(changes);
        };
        changes.root = self.is_shared;
        let drained = events.drain(|event| self.hear(event, &mut changes));
        self.events = Some(events);
        drained.map_err(|error| Error::storage("read what changed in the root", error))?;
        Ok(changes)
    }

    fn hear(&mut self, event: &Event<'_>, changes: &mut Changes) {
        let what = event.events();
        let name = event.file_name().map(std::ffi::CStr::to_bytes);
        if what.contains(ReadFlags::QUEUE_OVERFLOW) {
            changes.everything = true;
        } else if Some(event.wd()) == self.root_number {
            hear_of_root(what, name, changes);
        } else if what.contains(ReadFlags::IGNORED) {
            // The folder is gone, and its watch with it.
            if let Some((cell, at)) = self.owners.remove(&event.wd()) {
                if let Some(number) = self.cells.get_mut(&cell).and_then(|all| all.get_mut(at)) {
                    *number = None;
                }
                add(&mut changes.cells, &cell);
            }
        } else if let Some((cell, at)) = self.owners.get(&event.wd()) {
            match name.map_or(Some(Matter::Census), |name| matters(*at, name, what)) {
                Some(Matter::Census) => add(&mut changes.cells, cell),
                Some(Matter::Lock) => {
                    add(&mut changes.cells, cell);
                    if what.contains(ReadFlags::CLOSE_WRITE) {
                        add(&mut changes.locks, cell);
                    }
                }
                Some(Matter::Beat(agent)) => {
                    changes.beats.insert(((**cell).clone(), agent));
                }
                None => {}
            }
        }
    }
}

fn add(cells: &mut BTreeSet<CellId>, cell: &CellId) {
    if !cells.contains(cell) {
        cells.insert(cell.clone());
    }
}

fn hear_of_root(what: ReadFlags, name: Option<&[u8]>, changes: &mut Changes) {
    let ends =
        ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT | ReadFlags::IGNORED;
    if what.intersects(ends) {
        changes.root_went = true;
        return;
    }
    match name {
        // Its rights.
        None => changes.root = true,
        Some(name) if name.starts_with(b".") => {}
        Some(name) => match std::str::from_utf8(name).ok().map(CellId::new) {
            Some(Ok(id)) => add(&mut changes.cells, &id),
            _ => changes.root = true,
        },
    }
}

/// What a name in a watched folder is to a census; none if it is nothing to it.
fn matters(folder: usize, name: &[u8], what: ReadFlags) -> Option<Matter> {
    let ends = |end: &str| name.ends_with(end.as_bytes());
    let is_one_of = |paths: &[&str]| {
        let mut names = paths.iter().map(|path| layout::split(path).1.as_bytes());
        names.any(|one| one == name)
    };
    let counts = match folder {
        // Any name: what is no file, or has no name that can be an id, is a trouble.
        AGENTS => !name.starts_with(b"."),
        TASKS | AGENT_STATES => !name.starts_with(b".") && ends(layout::JSON),
        CONFIG => is_one_of(&[layout::POLICIES]),
        RUNTIME => is_one_of(&[layout::FENCE, layout::AGENT_STATES, layout::RUN]),
        RUN if name.starts_with(b".") => false,
        RUN if ends(layout::BEAT) => {
            let name = std::str::from_utf8(name).ok()?;
            let agent = AgentId::new(name.strip_suffix(layout::BEAT)?).ok()?;
            return Some(Matter::Beat(agent));
        }
        // Whoever writes in place closes in the end.
        RUN if what == ReadFlags::MODIFY => false,
        RUN if ends(layout::RUN_LOCK) || ends(layout::RUN_ACT) => return Some(Matter::Lock),
        RUN => ends(layout::JSON),
        _ => is_one_of(&[
            layout::CELL,
            layout::AGENTS,
            layout::TASKS,
            layout::CONFIG,
            layout::RUNTIME,
        ]),
    };
    counts.then_some(Matter::Census)
}
