//! What a simulated week and a simulated day are made of: chance that can be had again, clocks that somebody steps, and
//! cells with agents as they are read from disk.

use crate::base::boot::{Clocks, Moment};
use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId};
use crate::mission::agent::{AgentStatus, Role};
use crate::mission::cell::CellStatus;
use crate::mission::census::{AgentCensus, CellCensus};

/// Numbers that are the same for the same seed, of which no two in a row are alike (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// The same for a place in a list.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    /// Tells whether something happens that happens once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// The clocks of a machine, in milliseconds.
#[derive(Clone)]
pub(super) struct Clock {
    /// Since the boot, sleep included.
    pub(super) up: u64,
    /// Since the boot, awake.
    awake: u64,
    /// Since 1970.
    wall: i64,
    boot: u32,
}

impl Clock {
    pub(super) fn new() -> Self {
        Clock {
            up: 10_000_000,
            awake: 10_000_000,
            wall: 1_767_323_045_000,
            boot: 1,
        }
    }

    pub(super) fn pass(&mut self, time: u64) {
        self.awake += time;
        self.sleep(time);
    }

    pub(super) fn sleep(&mut self, time: u64) {
        self.up += time;
        self.set(i64::try_from(time).unwrap());
    }

    /// Sets the clock on the wall ahead, or back.
    pub(super) fn set(&mut self, ahead: i64) {
        self.wall += ahead;
    }

    /// The machine is started again, after so long.
    pub(super) fn reboot(&mut self, after: u64) {
        self.boot += 1;
        (self.up, self.awake) = (5_000, 5_000);
        self.set(i64::try_from(after).unwrap());
    }

    pub(super) fn boot(&self) -> String {
        format!("boot {}", self.boot)
    }

    pub(super) fn clocks(&self) -> Clocks {
        Clocks {
            up: self.up,
            awake: self.awake,
            wall: self.wall,
        }
    }

    pub(super) fn moment(&self) -> Moment {
        Moment {
            wall: Time::from_unix(self.wall.div_euclid(1000)).unwrap(),
            boot: Some(self.boot()),
            up: self.up,
        }
    }
}

/// A cell without agents.
pub(super) fn cell(number: usize) -> CellCensus {
    CellCensus {
        cell_id: CellId::new(format!("cell_{number}")).unwrap(),
        mission_name: String::from("Model"),
        status: Some(CellStatus::Active),
        checkpoint_interval: 300,
        revive_timeout: 300,
        agents: Vec::new(),
        due: Vec::new(),
        troubles: Vec::new(),
    }
}

/// An agent that somebody else starts.
pub(super) fn agent(number: usize) -> AgentCensus {
    AgentCensus {
        id: AgentId::new(format!("agent_{number:03}")).unwrap(),
        name: String::from("Real"),
        role: Role::Write,
        status: AgentStatus::Idle,
        gateway: None,
        watch: None,
        has_run: false,
        says_when_ready: false,
        ends: None,
        is_wanted: false,
        begun: 0,
        is_alive: false,
        is_in_hand: false,
        current_task: None,
        task_timeout: None,
        last_checkpoint: None,
        revival: None,
        is_suppressed: false,
        drill: None,
        run: None,
    }
}
