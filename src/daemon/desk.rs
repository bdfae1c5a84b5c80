//! What the daemon's threads share: the world, the numbers, the log, and a bell that wakes the loop.

use crate::base::boot::{Clocks, Moment};
use crate::base::clock::Clock;
use crate::base::error::{Error, Result};
use crate::daemon::log::Log;
use crate::daemon::metrics::{Metrics, Snapshot};
use crate::daemon::world::World;
use crate::health::roster::Slot;
use crate::health::state::State;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the daemon's threads share.
#[derive(Debug)]
pub struct Desk {
    /// The root, where it really lies.
    pub root: PathBuf,
    /// Where the present comes from.
    pub clock: Clock,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// The log.
    pub log: Log,
    /// Wakes the loop before its time.
    pub bell: Bell,
    world: Mutex<World>,
    /// When the last sweep ended, in milliseconds since the boot; 0 before the first.
    swept: AtomicU64,
    /// Seconds between two sweeps.
    poll_interval: AtomicU64,
}

impl Desk {
    /// A desk on which nothing lies yet.
    pub fn new(
        root: PathBuf,
        clock: Clock,
        log: Log,
        world: World,
        poll_interval: u64,
    ) -> Result<Self> {
        Ok(Desk {
            root,
            clock,
            metrics: Arc::new(Metrics::new(Clocks::now(clock).up)),
            log,
            bell: Bell::new()?,
            world: Mutex::new(world),
            swept: AtomicU64::new(0),
            poll_interval: AtomicU64::new(poll_interval),
        })
    }

    /// The world. Held for microseconds: no disk and no net under it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        // Each change of it is whole: what a panic left behind can be used.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world at a moment whose clocks were held against each other.
    pub fn world_now(&self) -> (MutexGuard<'_, World>, Clocks) {
        let clocks = Clocks::now(self.clock);
        let mut world = self.world();
        world.keep_pace(clocks);
        (world, clocks)
    }

    /// Now.
    pub fn moment(&self) -> Moment {
        Moment::now(self.clock)
    }

    /// Wakes the loop if an agent is not any more as the loop last saw it.
    pub fn notice(&self, world: &World, slot: Slot, now: Clocks) {
        let is_news = world.roster.get(slot).is_some_and(|watched| {
            let state = watched.verdict(now.up).state;
            // Nobody waits to hear of an agent of no cell, or that one is well for the first time.
            watched.cell.is_some()
                && state != watched.state
                && (state, watched.state) != (State::Healthy, State::Unknown)
        });
        if is_news {
            self.bell.ring();
        }
    }

    /// A sweep ended, at so many milliseconds since the boot.
    pub fn swept(&self, now: u64) {
        self.swept.store(now, Ordering::Relaxed);
    }

    /// When the last sweep ended, in milliseconds since the boot; none before the first.
    pub fn last_sweep(&self) -> Option<u64> {
        Some(self.swept.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Whether the last sweep is as young as it should be.
    pub fn is_ready(&self) -> bool {
        let late = self
            .poll_interval
            .load(Ordering::Relaxed)
            .saturating_mul(3000)
            .max(30_000);
        let now = Clocks::now(self.clock).up;
        self.last_sweep()
            .is_some_and(|at| now.saturating_sub(at) <= late)
    }

    /// Takes another number of seconds between two sweeps.
    pub fn poll_interval(&self, seconds: u64) {
        self.poll_interval.store(seconds, Ordering::Relaxed);
    }

    /// What the metrics need to know of the world. `stories`: how many wait to be told.
    pub fn snapshot(&self, stories: usize) -> Snapshot {
        let now = Clocks::now(self.clock);
        let world = self.world();
        let mut cells: Vec<(&'static str, usize)> = Vec::new();
        for cell in world.roster.cells() {
            let word = cell.status.map_or("unreadable", |status| status.word());
            match cells.iter_mut().find(|(known, _)| *known == word) {
                Some((_, number)) => *number += 1,
                None => cells.push((word, 1)),
            }
        }
        let counts = world.roster.counts();
        let unhealthy_in = world.roster.unhealthy_cells();
        let holds = usize::from(world.mass.hold.is_some()) + world.held_gateways().count();
        Snapshot {
            now: now.up,
            cells,
            healthy: counts.healthy,
            degraded: counts.degraded,
            unhealthy: counts.unhealthy,
            unknown: counts.unknown,
            unhealthy_in,
            holds: holds + usize::from(world.operators_hold.is_some()),
            stories,
        }
    }
}

/// Wakes whoever waits for it; any thread may ring.
#[derive(Debug)]
pub struct Bell(OwnedFd);

impl Bell {
    /// A silent one.
    pub fn new() -> Result<Self> {
        let made = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        made.map(Bell)
            .map_err(|error| Error::storage("make a bell", error))
    }

    /// Rings. One that rings already goes on ringing.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Silences it.
    pub fn hush(&self) {
        let mut number = [0; 8];
        let _ = rustix::io::read(&self.0, &mut number);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
