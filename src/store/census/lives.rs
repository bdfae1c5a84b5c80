//! What is known of agents beside their files: whether they are wanted, whether they live, what they are running as.
//!
//! A runner takes its lock first, by a handle that is open for writing, and writes its note after that: the note is the
//! event of the beginning, the handle's end that of the end. A look takes the lock shared for a moment, so whoever takes
//! it for itself must not give up at the first try.

use super::Reader;
use crate::base::ids::{AgentId, RevivalId};
use crate::mission::beat::Beat;
use crate::mission::census::OpenRevival;
use crate::mission::revival::Revival;
use crate::mission::run::{AgentState, RunNote, Wanted};
use crate::store::folder::{Entry, Sort};
use crate::store::{beat, fs2, layout};
use rustix::fs::OFlags;
use std::fs::File;

impl Reader<'_> {
    /// Which agents are to be kept running.
    pub(super) fn see_wishes(&mut self) {
        let there = self.names(layout::AGENT_STATES);
        for at in self.named(&there, layout::JSON) {
            let Some(id) = self.id(at) else { continue };
            let state = self.parsed::<AgentState>(&layout::agent_state(&id));
            let state = state.unwrap_or_default();
            let open = state.revival.as_deref().and_then(|id| self.open(id));
            if let Some(agent) = self.census.agents.get_mut(at) {
                agent.is_wanted = state.wanted == Some(Wanted::Running);
                agent.is_suppressed = state.is_suppressed;
                agent.drill = state.drill;
                agent.begun = state.incarnation.unwrap_or(0);
                agent.revival = open;
            }
        }
    }

    /// Which agents live, and as what. Gives the signs of life that are on file.
    pub(super) fn see_lives(&mut self) -> Vec<(AgentId, Vec<Beat>)> {
        let there = self.names(layout::RUN);
        for at in self.named(&there, layout::JSON) {
            let Some(id) = self.id(at) else { continue };
            let note = self.parsed::<RunNote>(&layout::run_note(&id));
            if let Some(agent) = self.census.agents.get_mut(at) {
                agent.run = note;
            }
        }
        for at in self.named(&there, layout::RUN_LOCK) {
            let Some(id) = self.id(at) else { continue };
            let is_alive = self.is_held(&layout::run_lock(&id));
            let Some(agent) = self.census.agents.get_mut(at) else {
                continue;
            };
            agent.is_alive = is_alive;
            if !is_alive && agent.run.as_ref().is_some_and(|run| !run.is_over()) {
                // It ended between the two looks: how is noted before its lock is free.
                let note = self.parsed::<RunNote>(&layout::run_note(&id));
                if let Some(agent) = self.census.agents.get_mut(at) {
                    agent.run = note;
                }
            }
        }
        for at in self.named(&there, layout::RUN_ACT) {
            let Some(agent) = self.census.agents.get(at) else {
                continue;
            };
            if agent.is_wanted && !agent.is_alive {
                let file = layout::run_act(&agent.id);
                let is_in_hand = self.is_held(&file);
                if let Some(agent) = self.census.agents.get_mut(at) {
                    agent.is_in_hand = is_in_hand;
                }
            }
        }
        let beats = self.named(&there, layout::BEAT);
        let agents: Vec<AgentId> = beats.into_iter().filter_map(|at| self.id(at)).collect();
        let mut all = Vec::with_capacity(agents.len());
        for id in agents {
            let read = beat::read(self.cell.folder(), &id);
            all.push((id, self.taken(read).unwrap_or_default()));
        }
        all
    }

    /// The open request of an id.
    fn open(&mut self, id: &str) -> Option<OpenRevival> {
        let id = RevivalId::new(id).ok()?;
        let revival = self.parsed::<Revival>(&layout::open_revival(&id))?;
        Some(OpenRevival {
            id,
            status: revival.status,
            not_before: revival.not_before,
            is_free: revival.is_free,
            incarnation: revival.incarnation,
        })
    }

    /// Whether somebody holds a lock. Where that cannot be told, somebody does.
    fn is_held(&mut self, file: &str) -> bool {
        let opened = self.cell.folder().open_file(file, OFlags::RDONLY);
        match self.taken(opened) {
            None => true,
            Some(None) => false,
            Some(Some((lock, _))) => match fs2::try_lock(&File::from(lock), false) {
                Ok(was_free) => !was_free,
                Err(error) => {
                    self.ran_short = true;
                    let why = crate::base::error::in_words(&error);
                    self.census
                        .troubles
                        .push(format!("whether {file} is held cannot be told: {why}"));
                    true
                }
            },
        }
    }

    fn id(&self, at: usize) -> Option<AgentId> {
        self.census.agents.get(at).map(|agent| agent.id.clone())
    }

    /// The names in a folder, sorted.
    fn names(&mut self, folder: &str) -> Vec<Entry> {
        let listed = self.cell.folder().list(folder);
        self.taken(listed).flatten().unwrap_or_default()
    }

    /// The places of the agents whose id with this end is among the names. A folder of that name is none.
    fn named(&self, there: &[Entry], end: &str) -> Vec<usize> {
        if there.is_empty() {
            return Vec::new();
        }
        let is_there = |id: &AgentId| {
            let name = format!("{id}{end}");
            let found = there.binary_search_by(|entry| (*entry.name).cmp(name.as_bytes()));
            found.is_ok_and(|at| {
                there
                    .get(at)
                    .is_some_and(|entry| entry.sort != Sort::Folder)
            })
        };
        let agents = self.census.agents.iter().enumerate();
        agents
            .filter(|(_, agent)| is_there(&agent.id))
            .map(|(at, _)| at)
            .collect()
    }
}
