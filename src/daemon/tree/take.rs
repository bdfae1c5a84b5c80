//! Takes in what was read: what is new of it, and what is gone.

use super::{Heard, Refreshed, Tree};
use crate::base::ids::{AgentId, CellId};
use crate::mission::beat::Beat;
use crate::store::beat;
use crate::store::census::{Look, Seen};
use crate::store::root::Root;
use std::sync::Arc;

impl Tree {
    /// Takes in what a name in the root turned out to be.
    pub(super) fn take(&mut self, name: &str, seen: Seen, refreshed: &mut Refreshed) {
        self.strange.remove(name);
        let id = CellId::new(name).ok();
        match (seen, id) {
            (Seen::Cell(look), Some(id)) => self.take_cell(id, *look, refreshed),
            (Seen::Untold(why), Some(id)) => {
                self.again.insert(id);
                self.strange.insert(name.to_owned(), why);
            }
            (Seen::NoCell(why), id) => {
                self.strange.insert(name.to_owned(), why);
                if let Some(id) = id {
                    self.lose(&id, refreshed);
                }
            }
            (Seen::Nothing, Some(id)) => self.drop_cell(&id, refreshed),
            _ => {}
        }
    }

    fn take_cell(&mut self, id: CellId, look: Look, refreshed: &mut Refreshed) {
        if look.ran_short {
            self.again.insert(id.clone());
            if self.cells.contains_key(&id) {
                // What could not be read now may be there all the same.
                let why = look.census.troubles.first().cloned().unwrap_or_default();
                self.strange
                    .insert(id.to_string(), format!("cell {}: {why}", id.short()));
                return;
            }
        }
        match look.stamp {
            Some(stamp) => self.stamps.insert(id.clone(), stamp),
            None => self.stamps.remove(&id),
        };
        self.hear_all(&id, look.beats, refreshed);
        if self
            .cells
            .get(&id)
            .is_none_or(|known| **known != look.census)
        {
            self.cells.insert(id.clone(), Arc::new(look.census));
            refreshed.changed.insert(id);
        }
    }

    /// A cell is one no more; what lies there may become one.
    fn lose(&mut self, id: &CellId, refreshed: &mut Refreshed) {
        self.heard.remove(id);
        self.stamps.remove(id);
        if self.cells.remove(id).is_some() {
            refreshed.went.insert(id.clone());
        }
    }

    /// There is nothing there any more.
    pub(super) fn drop_cell(&mut self, id: &CellId, refreshed: &mut Refreshed) {
        self.lose(id, refreshed);
        if let Some(watch) = &mut self.watch {
            watch.forget(id);
        }
    }

    /// Reads the signs of life of one agent.
    pub(super) fn hear(
        &mut self,
        root: &Root,
        id: &CellId,
        agent: &AgentId,
        refreshed: &mut Refreshed,
    ) {
        let Some(cell) = self.cells.get(id) else {
            return;
        };
        if !cell.agents.iter().any(|known| known.id == *agent) {
            return;
        }
        if let Ok(Some(folder)) = root.folder().folder(id.as_str()) {
            match beat::read(&folder, agent) {
                Ok(beats) => self.hear_one(id, agent, beats, refreshed),
                // It is read again with its cell.
                Err(error) if error.passes() => drop(self.again.insert(id.clone())),
                Err(_) => {}
            }
        }
    }

    fn hear_all(&mut self, id: &CellId, all: Vec<(AgentId, Vec<Beat>)>, refreshed: &mut Refreshed) {
        if let Some(known) = self.heard.get_mut(id) {
            known.retain(|agent, _| all.iter().any(|(there, _)| there == agent));
        }
        for (agent, beats) in all {
            self.hear_one(id, &agent, beats, refreshed);
        }
    }

    fn hear_one(
        &mut self,
        id: &CellId,
        agent: &AgentId,
        beats: Vec<Beat>,
        refreshed: &mut Refreshed,
    ) {
        if beats.is_empty() {
            return;
        }
        let of_cell = self.heard.entry(id.clone()).or_default();
        let known = of_cell.entry(agent.clone()).or_default();
        for beat in beats {
            if known.contains(&beat) {
                continue;
            }
            // Of a kind that is not among them there was half a write; what was heard of it stays heard.
            known.retain(|old| old.kind != beat.kind);
            known.push(beat.clone());
            refreshed.beats.push(Heard {
                cell: id.clone(),
                agent: agent.clone(),
                beat,
            });
        }
    }
}
