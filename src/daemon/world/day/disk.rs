//! What the disk of the day holds: all that outlives a daemon. A write happens as a whole, or not, and now and then it is
//! not known which.

use super::super::model::{self, Chance, Clock};
use crate::base::error::Kind;
use crate::base::ids::{AgentId, RevivalId};
use crate::health::roster::Record;
use crate::mission::agent::{AgentStatus, Run, Watch};
use crate::mission::cell::CellStatus;
use crate::mission::census::{AgentCensus, CellCensus, OpenRevival};
use crate::mission::policy::AutoRevive;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{RunNote, Terms, Wanted};
use crate::ops::hold::Hold;
use crate::ops::run::State;
use crate::store::fence::Fence;
use std::collections::BTreeMap;

/// What is kept of one agent.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) status: AgentStatus,
    pub(super) state: State,
    pub(super) open: BTreeMap<String, Revival>,
    pub(super) closed: BTreeMap<String, Status>,
    pub(super) fence: Fence,
}

impl Kept {
    /// The open request.
    pub(super) fn request(&self) -> Option<&Revival> {
        self.open.get(self.state.revival()?.as_str())
    }

    /// Stages a request, as the real disk does: in one of two places, and named by the agent while it is open.
    pub(super) fn put(&mut self, revival: &Revival) {
        let is_open = revival.status.is_open();
        self.state.ask(is_open.then_some(revival.id.as_str()));
        self.state.count_step();
        if is_open {
            self.open.insert(revival.id.clone(), revival.clone());
        } else {
            self.open.remove(&revival.id);
            self.closed.insert(revival.id.clone(), revival.status);
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.state.wanted() == Some(Wanted::Running)
    }
}

/// One agent on disk.
pub(super) struct Folder {
    pub(super) cell: usize,
    pub(super) id: AgentId,
    pub(super) gateway: Option<usize>,
    pub(super) ends: Terms,
    /// One that beats is expected to; the others need not.
    pub(super) watch: Option<Watch>,
    pub(super) kept: Kept,
    /// Its runner alone writes it.
    pub(super) note: RunNote,
}

impl Folder {
    /// The last life that was begun.
    pub(super) fn begun(&self) -> Option<u64> {
        self.kept.state.known().incarnation
    }
}

/// A cell on disk.
pub(super) struct Cell {
    pub(super) policy: AutoRevive,
    pub(super) status: CellStatus,
}

/// The disk.
pub(super) struct Disk {
    pub(super) cells: Vec<Cell>,
    pub(super) folders: Vec<Folder>,
    pub(super) hold: Option<Hold>,
    /// What the daemon wrote of the signs of all.
    pub(super) signs: Option<Vec<u8>>,
    /// Nothing can be written until then.
    pub(super) full_until: u64,
    requests: u64,
}

impl Disk {
    pub(super) fn new(
        chance: &mut Chance,
        agents: usize,
        gateway: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let runs = [
            r#"{"command": ["work"]}"#,
            r#"{"command": ["work"]}"#,
            r#"{"command": ["work"], "restart": "always"}"#,
            r#"{"command": ["work"], "restart": "never"}"#,
        ];
        let folder = |number: usize| {
            let run: Run = serde_json::from_str(runs[chance.index(runs.len())]).unwrap();
            Folder {
                cell: number % 3,
                id: model::agent(number).id,
                gateway: gateway(number),
                ends: Terms::of(&run),
                watch: chance
                    .once_in(2)
                    .then(|| serde_json::from_str(r#"{"expect": ["heartbeat"]}"#).unwrap()),
                kept: Kept {
                    status: AgentStatus::Idle,
                    state: State::default(),
                    open: BTreeMap::new(),
                    closed: BTreeMap::new(),
                    fence: Fence::default(),
                },
                note: RunNote::default(),
            }
        };
        let cell = |policy| Cell {
            policy,
            status: CellStatus::Active,
        };
        Disk {
            folders: (0..agents).map(folder).collect(),
            cells: [AutoRevive::Yes, AutoRevive::Ask, AutoRevive::No]
                .map(cell)
                .into(),
            hold: None,
            signs: None,
            full_until: 0,
            requests: 0,
        }
    }

    /// An id that no request has.
    pub(super) fn new_id(&mut self) -> RevivalId {
        self.requests += 1;
        let letter =
            |at: u32| char::from(b'a' + u8::try_from(self.requests / 26_u64.pow(at) % 26).unwrap());
        RevivalId::new(format!("r{}", (0..5).map(letter).collect::<String>())).unwrap()
    }

    /// One commit: what `change` stages is there as a whole, or not. An error may come of either.
    pub(super) fn commit(
        &mut self,
        chance: &mut Chance,
        now: u64,
        agent: usize,
        change: impl FnOnce(&mut Kept),
    ) -> Result<(), Kind> {
        let kept = &mut self.folders[agent].kept;
        if now < self.full_until || chance.once_in(100) {
            return Err(Kind::Storage);
        }
        change(kept);
        if chance.once_in(200) {
            return Err(Kind::OutcomeUnknown);
        }
        Ok(())
    }

    /// A cell as the daemon reads it. `seen`: whether the process of an agent lives, and whether somebody is at it.
    pub(super) fn census(&self, cell: usize, seen: impl Fn(usize) -> (bool, bool)) -> CellCensus {
        let mut census = model::cell(cell);
        census.status = Some(self.cells[cell].status);
        let folders = self.folders.iter().enumerate();
        for (number, folder) in folders.filter(|(_, folder)| folder.cell == cell) {
            let known = folder.kept.state.known();
            let (is_alive, is_held) = seen(number);
            let is_wanted = known.wanted == Some(Wanted::Running);
            let open = folder.kept.request();
            census.agents.push(AgentCensus {
                status: folder.kept.status,
                gateway: folder.gateway.map(|number| format!("gateway_{number}")),
                watch: folder.watch.clone(),
                has_run: true,
                ends: Some(folder.ends.clone()),
                is_wanted,
                begun: known.incarnation.unwrap_or(0),
                is_alive,
                is_in_hand: is_held && is_wanted && !is_alive,
                is_suppressed: known.is_suppressed,
                revival: open.map(|open| OpenRevival {
                    id: RevivalId::new(open.id.as_str()).unwrap(),
                    status: open.status,
                    not_before: open.not_before.clone(),
                    is_free: open.is_free,
                    incarnation: open.incarnation,
                }),
                run: (folder.note != RunNote::default()).then(|| folder.note.clone()),
                ..model::agent(number)
            });
        }
        census
    }

    /// What a daemon that begins finds of the signs.
    pub(super) fn record(&self) -> Option<Record> {
        let text = self.signs.as_ref()?;
        Some(serde_json::from_slice(text).unwrap())
    }

    /// The operator's hold that is in force.
    pub(super) fn hold(&self, clock: &Clock) -> Option<Hold> {
        let now = clock.moment().wall;
        self.hold.clone().filter(|hold| hold.holds(now))
    }
}
