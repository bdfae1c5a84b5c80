//! All agents of a root with their signs: who is there, how each is watched, and how each is.

mod hear;
mod order;
mod record;
mod report;
mod stray;
#[cfg(test)]
mod tests;
mod token;

pub use hear::{Beat, Beaten, MOST_METADATA, Refusal};
pub use order::Order;
pub use record::{AgentRecord, Record, VERSION, Written};
pub use report::{AgentReport, CellReport, Counts, Overview, Told, seconds};
pub use stray::MOST as MOST_STRAYS;
pub use token::{TokenHash, Tokens, hash_of_hex};

use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId};
use crate::health::Up;
use crate::health::reason::{Idle, Since};
use crate::health::settings::Settings;
use crate::health::signs::{Case, Process, Signs};
use crate::health::state::{State, Verdict};
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::census::{AgentCensus, CellCensus, OpenRevival};
use crate::mission::drill::Drill;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The place of an agent in the roster, the same as long as the agent is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

/// An agent with its signs.
#[derive(Debug)]
pub struct Watched {
    /// Its cell; none for who beats without being in one.
    pub cell: Option<CellId>,
    /// Its id.
    pub agent: AgentId,
    /// What is known of it beside its signs.
    pub case: Case,
    /// Its signs.
    pub signs: Signs,
    /// How it was when that was last asked.
    pub state: State,
    /// Since when.
    pub since: Clocks,
    /// What people are told of it: what it last beat, when, and what it said with it.
    pub heard: Heard,
    /// Where its gateway is asked; the same for all that share one.
    pub target: Option<Arc<str>>,
    /// Whether its command is one of mcell's.
    pub has_run: bool,
    /// The last life of it that was begun: from then on every older one is over, though the new one is not started yet.
    pub begun: u64,
    /// The open request to bring it back.
    pub revival: Option<OpenRevival>,
    /// Whether nobody asks for it again by itself.
    pub is_suppressed: bool,
    /// Its drill: the one that goes on, or the last.
    pub drill: Option<Drill>,
    /// Seconds that a life of it has to prove that it lives.
    pub revive_timeout: u64,
    /// When its gateway is asked next; 0: at once.
    pub next_probe: Up,
    task: Option<String>,
    saved: Option<Time>,
    checkpoints: order::Checkpoints,
    tokens: Tokens,
}

/// What an agent said, for people; nothing is judged by it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Heard {
    /// Milliseconds since 1970 of its last beat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beat: Option<i64>,
    /// Milliseconds since 1970 at which it was last heard of in any way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<i64>,
    /// Seconds that its gateway took to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_time: Option<f64>,
    /// What it calls its own status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What it wants to be known of it.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl Watched {
    fn new(cell: Option<CellId>, agent: AgentId, case: Case, now: Clocks) -> Self {
        Watched {
            signs: Signs::begin(0, &case.settings, now.up),
            cell,
            agent,
            case,
            state: State::Unknown,
            since: now,
            heard: Heard::default(),
            target: None,
            has_run: false,
            begun: 0,
            revival: None,
            is_suppressed: false,
            drill: None,
            revive_timeout: 0,
            next_probe: 0,
            task: None,
            saved: None,
            checkpoints: order::Checkpoints::default(),
            tokens: Tokens::default(),
        }
    }

    /// How it is now.
    pub fn verdict(&self, now: Up) -> Verdict<'_> {
        self.signs.judge(&self.case, now)
    }
}

/// Which agent a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This one.
    One(Slot),
    /// Nobody.
    Nobody,
    /// One in each of these cells.
    Several(Vec<CellId>),
}

/// All agents of a root.
#[derive(Debug, Default)]
pub struct Roster {
    usual: Settings,
    slots: Vec<Option<Watched>>,
    free: Vec<Slot>,
    by_id: HashMap<AgentId, Vec<Slot>>,
    cells: BTreeMap<CellId, Housed>,
    strays: stray::Strays,
    tokens: HashMap<TokenHash, Slot>,
    /// Whether anything happened to anybody that a restart must not forget.
    has_news: bool,
}

/// A cell with its agents.
#[derive(Debug)]
struct Housed {
    census: Arc<CellCensus>,
    slots: Vec<Slot>,
}

/// Why an agent is not judged, if so.
fn idle(cell: &CellCensus, agent: &AgentCensus) -> Option<Idle> {
    if cell.status != Some(CellStatus::Active) {
        return Some(Idle::Cell(cell.status));
    }
    if agent.status == AgentStatus::Paused {
        return Some(Idle::AgentPaused);
    }
    if agent.has_run && !agent.is_wanted {
        return Some(Idle::NotWanted);
    }
    if agent.has_run && agent.is_in_hand {
        return Some(Idle::InHand);
    }
    agent.ended_well().map(Idle::Ended)
}

impl Roster {
    /// An empty one; what no agent's file says of watching comes from here.
    pub fn new(usual: Settings) -> Self {
        Roster {
            usual,
            ..Roster::default()
        }
    }

    /// Takes other numbers for what no agent's file says: they hold from the next enrolment of each cell.
    pub fn usual(&mut self, usual: Settings) {
        self.usual = usual;
    }

    /// Takes a cell as it is now. `target`: where the gateway of an agent is asked, if it is.
    pub fn enrol(
        &mut self,
        census: &Arc<CellCensus>,
        target: impl Fn(&AgentCensus) -> Option<Arc<str>>,
        now: Clocks,
    ) {
        let before = self
            .cells
            .remove(&census.cell_id)
            .map(|housed| housed.slots)
            .unwrap_or_default();
        let mut slots = Vec::with_capacity(census.agents.len());
        for agent in &census.agents {
            let known = before
                .iter()
                .copied()
                .find(|slot| self.get(*slot).is_some_and(|one| one.agent == agent.id));
            let target = target(agent);
            let case = Case {
                settings: self.usual.with(agent.watch.as_ref()),
                idle: idle(census, agent),
                process: match (agent.has_run, agent.is_wanted, agent.is_alive) {
                    (true, true, false) => Process::Dead,
                    (true, _, true) => Process::Alive,
                    _ => Process::NotOurs,
                },
                is_probed: target.is_some(),
                says_when_ready: agent.says_when_ready,
                task_timeout: agent.task_timeout,
            };
            let slot = known.unwrap_or_else(|| {
                self.place(Watched::new(
                    Some(census.cell_id.clone()),
                    agent.id.clone(),
                    case.clone(),
                    now,
                ))
            });
            if let Some(watched) = self.get_mut(slot) {
                watched.take(case, agent, target, census.checkpoint_interval, now);
                watched.revive_timeout = census.revive_timeout;
            }
            if let Some(run) = &agent.run {
                self.renew(slot, run, now);
            }
            slots.push(slot);
        }
        for gone in before.into_iter().filter(|slot| !slots.contains(slot)) {
            self.remove(gone);
        }
        self.cells.insert(
            census.cell_id.clone(),
            Housed {
                census: Arc::clone(census),
                slots,
            },
        );
    }

    /// Forgets a cell and its agents.
    pub fn dismiss(&mut self, cell: &CellId) {
        for slot in self
            .cells
            .remove(cell)
            .map(|housed| housed.slots)
            .unwrap_or_default()
        {
            self.remove(slot);
        }
    }

    /// Gives grace to everybody.
    pub fn forgive(&mut self, why: Since, now: Up) {
        self.has_news = true;
        for watched in self.slots.iter_mut().flatten() {
            watched
                .signs
                .forgive(why, watched.state, &watched.case.settings, now);
        }
    }

    fn place(&mut self, watched: Watched) -> Slot {
        self.has_news = true;
        let id = watched.agent.clone();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot(u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX))
        });
        if let Some(place) = self.slots.get_mut(slot.0 as usize) {
            *place = Some(watched);
        }
        self.by_id.entry(id).or_default().push(slot);
        slot
    }

    fn remove(&mut self, slot: Slot) {
        let Some(watched) = self.slots.get_mut(slot.0 as usize).and_then(Option::take) else {
            return;
        };
        self.has_news = true;
        self.free.push(slot);
        if let Some(token) = watched.tokens.present {
            self.forget_token(&token, slot);
        }
        if let Some(slots) = self.by_id.get_mut(&watched.agent) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.by_id.remove(&watched.agent);
            }
        }
    }

    /// An agent.
    pub fn get(&self, slot: Slot) -> Option<&Watched> {
        self.slots.get(slot.0 as usize)?.as_ref()
    }

    /// An agent, to change.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Watched> {
        self.has_news = true;
        self.slots.get_mut(slot.0 as usize)?.as_mut()
    }

    /// Which agent is meant: the one of that cell, else the only one of that id.
    pub fn find(&self, agent: &str, cell: Option<&str>) -> Found {
        if let Some(cell) = cell {
            // A cell has a few agents, but a fleet has the same id in each of its cells.
            let is_it = |slot: &&Slot| {
                self.get(**slot)
                    .is_some_and(|one| one.agent.as_str() == agent)
            };
            let housed = self.cells.get(cell);
            let slot = housed.and_then(|housed| housed.slots.iter().find(is_it));
            return slot.map_or(Found::Nobody, |slot| Found::One(*slot));
        }
        let slots = self.by_id.get(agent).map(Vec::as_slice).unwrap_or_default();
        let cell_of = |slot: &Slot| self.get(*slot).and_then(|one| one.cell.as_ref());
        // Who is in a cell goes before who only has the name.
        let mut housed = slots.iter().filter(|slot| cell_of(slot).is_some());
        match (housed.next(), housed.next(), slots.first()) {
            (Some(slot), None, _) => Found::One(*slot),
            (None, _, Some(stray)) => Found::One(*stray),
            (None, _, None) => Found::Nobody,
            _ => Found::Several(slots.iter().filter_map(cell_of).cloned().collect()),
        }
    }

    /// Every agent, those of cells and the others.
    pub fn all(&self) -> impl Iterator<Item = (Slot, &Watched)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(at, watched)| Some((Slot(u32::try_from(at).ok()?), watched.as_ref()?)))
    }

    /// Every agent, to look at: whoever changes one of them says so by [`Roster::note_news`].
    pub fn all_mut(&mut self) -> impl Iterator<Item = (Slot, &mut Watched)> {
        let slots = self.slots.iter_mut().enumerate();
        slots.filter_map(|(at, watched)| Some((Slot(u32::try_from(at).ok()?), watched.as_mut()?)))
    }

    /// Notes that something happened that a restart must not forget.
    pub fn note_news(&mut self) {
        self.has_news = true;
    }

    /// Whether anything happened to anybody, since this was last asked, that a restart must not forget.
    pub fn takes_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Every cell.
    pub fn cells(&self) -> impl Iterator<Item = &Arc<CellCensus>> {
        self.cells.values().map(|housed| &housed.census)
    }

    /// One cell.
    pub fn cell(&self, id: &str) -> Option<&Arc<CellCensus>> {
        self.cells.get(id).map(|housed| &housed.census)
    }
}

impl Watched {
    /// Takes what its files say now.
    fn take(
        &mut self,
        case: Case,
        agent: &AgentCensus,
        target: Option<Arc<str>>,
        checkpoint_interval: u64,
        now: Clocks,
    ) {
        let incarnation = agent.run.as_ref().map_or(0, |run| run.incarnation);
        let was_idle = self.case.idle.is_some();
        let moved = self.target != target;
        self.case = case;
        self.target = target;
        self.has_run = agent.has_run;
        self.begun = agent.begun;
        self.revival.clone_from(&agent.revival);
        self.is_suppressed = agent.is_suppressed;
        self.drill.clone_from(&agent.drill);
        if incarnation > self.signs.incarnation {
            self.heard.status = None;
            self.signs = Signs::begin(incarnation, &self.case.settings, now.up);
        } else if was_idle && self.case.idle.is_none() {
            // What stood still starts anew; what was known to be down was long ago.
            self.signs.resume(&self.case, now.up);
        } else if moved {
            self.signs.forget_probes();
        }
        let is_new = self.checkpoints == order::Checkpoints::default();
        if is_new || self.saved != agent.last_checkpoint {
            self.saved = agent.last_checkpoint;
            self.checkpoints.saved(checkpoint_interval, now.up);
        }
        if self.task != agent.current_task {
            self.task.clone_from(&agent.current_task);
            self.signs.begins_another_task(now.up);
        }
    }
}
