//! Reads cells: all of them, or those that changed.

use super::{Refreshed, Tree};
use crate::base::error::Result;
use crate::base::ids::CellId;
use crate::store::cell::OpenCell;
use crate::store::census::{self, Seen};
use crate::store::root::Root;
use crate::store::survey::{Depth, Surveyor};
use crate::store::watch::{Changes, Watch};
use crate::store::{walk, workers};
use std::collections::BTreeSet;

/// Fewer cells than this are read by one thread.
const FEW: usize = 16;

impl Tree {
    /// Reads every cell, and holds what is known against it.
    pub(super) fn read_everything(&mut self, refreshed: &mut Refreshed) -> Result<()> {
        let root = Root::open(&self.path)?;
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        if watch.is_blind() {
            watch.replace(Watch::of(&root, self.most)?);
        }
        let there = root.candidates()?;
        let mut ids = BTreeSet::new();
        for (name, sort) in &there {
            if let Ok(id) = walk::id_of(name, *sort) {
                watch.add(&id);
                ids.insert(id);
            }
        }
        let watch = &*watch;
        let seen = workers::each(
            &there,
            self.threads,
            || Surveyor::new(Depth::Crew),
            |surveyor, _, (name, sort)| {
                let stamps = walk::id_of(name, *sort).is_ok_and(|id| !watch.tells_of(&id));
                let seen = census::look(surveyor, &root, name, *sort, stamps);
                Some((String::from_utf8_lossy(name).into_owned(), seen))
            },
        );
        refreshed.is_full = true;
        self.strange.clear();
        self.again.clear();
        for (name, seen) in seen {
            self.take(&name, seen, refreshed);
        }
        let mut gone: Vec<CellId> = self.cells.keys().cloned().collect();
        gone.extend(self.watch.iter().flat_map(|watch| watch.cells().cloned()));
        gone.retain(|id| !ids.contains(id));
        for id in gone {
            self.drop_cell(&id, refreshed);
        }
        Ok(())
    }

    /// Reads the cells that changed, or may have.
    pub(super) fn read_changed(
        &mut self,
        changes: &Changes,
        refreshed: &mut Refreshed,
    ) -> Result<()> {
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        let nothing = changes.cells.is_empty() && changes.beats.is_empty() && !changes.root;
        let nobody = self.again.is_empty() && self.ending.is_empty();
        if nothing && nobody && watch.unwatched().is_empty() {
            return Ok(());
        }
        let root = Root::open(&self.path)?;
        let mut stale: BTreeSet<CellId> = std::mem::take(&mut self.again);
        stale.extend(changes.cells.iter().cloned());
        stale.extend(self.ending.keys().cloned());
        if changes.root {
            self.look_over_names(&root, &mut stale)?;
        }
        self.compare(&root, &mut stale);
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        for id in &stale {
            watch.add(id);
        }
        let watch = &*watch;
        let stale: Vec<CellId> = stale.into_iter().collect();
        let seen = workers::each(
            &stale,
            if stale.len() < FEW { 1 } else { self.threads },
            || Surveyor::new(Depth::Crew),
            |surveyor, at, id| {
                Some((
                    at,
                    census::look_up(surveyor, &root, id, !watch.tells_of(id)),
                ))
            },
        );
        for (at, seen) in seen {
            let Some(id) = stale.get(at) else { continue };
            self.take(id.as_str(), seen, refreshed);
        }
        for (cell, agent) in &changes.beats {
            self.hear(&root, cell, agent, refreshed);
        }
        Ok(())
    }

    /// What came or went in the root beside cells, where no event names it. Where there are no events at all, cells too.
    fn look_over_names(&mut self, root: &Root, stale: &mut BTreeSet<CellId>) -> Result<()> {
        let there = root.candidates()?;
        let is_id = |name: &str| CellId::new(name).is_ok();
        self.strange.retain(|name, _| is_id(name));
        let mut ids = BTreeSet::new();
        let mut surveyor = Surveyor::new(Depth::Crew);
        for (name, sort) in &there {
            if let Some(id) = std::str::from_utf8(name)
                .ok()
                .and_then(|name| CellId::new(name).ok())
            {
                ids.insert(id);
            } else if let Seen::NoCell(why) = census::look(&mut surveyor, root, name, *sort, false)
            {
                self.strange
                    .insert(String::from_utf8_lossy(name).into_owned(), why);
            }
        }
        let known =
            |id: &CellId| self.cells.contains_key(id) || self.strange.contains_key(id.as_str());
        stale.extend(ids.iter().filter(|id| !known(id)).cloned());
        let strange = self
            .strange
            .keys()
            .filter_map(|name| CellId::new(name.as_str()).ok());
        stale.extend(
            self.cells
                .keys()
                .cloned()
                .chain(strange)
                .filter(|id| !ids.contains(id)),
        );
        Ok(())
    }

    /// Adds the cells without a watch whose files have other times than when they were read.
    fn compare(&self, root: &Root, stale: &mut BTreeSet<CellId>) {
        let Some(watch) = &self.watch else { return };
        let unwatched: Vec<&CellId> = watch
            .unwatched()
            .iter()
            .filter(|id| !stale.contains(*id))
            .collect();
        let changed = workers::each(
            &unwatched,
            if unwatched.len() < FEW {
                1
            } else {
                self.threads
            },
            || (),
            |(), _, id| {
                let before = self.stamps.get(*id);
                let census = self.cells.get(*id);
                let now = census.zip(before).and_then(|(census, _)| {
                    let folder = root.folder().folder(id.as_str()).ok()??;
                    census::stamp(&OpenCell::of(folder, (*id).clone()), census)
                });
                let is_same = now.is_some() && now.as_ref() == before;
                (!is_same).then(|| (*id).clone())
            },
        );
        stale.extend(changed);
    }
}
