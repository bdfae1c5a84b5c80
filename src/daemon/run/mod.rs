//! The life of a daemon: it becomes the one of its root, sweeps, listens, and ends in order.

mod doors;
mod hands;
mod probes;
mod revivals;
mod signals;
mod stories;
mod sweep;

use crate::base::clock::Time;
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::daemon::desk::Desk;
use crate::daemon::events::Events;
use crate::daemon::log::{Level, Log};
use crate::daemon::setup::Setup;
use crate::daemon::supervisor::Supervisor;
use crate::daemon::tell::{Receivers, Teller};
use crate::daemon::tree::{EVERY, Tree};
use crate::daemon::world::World;
use crate::ops::presence::{self, About, Presence};
use crate::store::daemon_log::DaemonLog;
use crate::store::health;
use crate::store::lock::Held;
use crate::store::root::Root;
use doors::Reception;
use hands::Hands;
use probes::Probes;
use revivals::Revivals;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::time::Timespec;
use signals::{Signals, Wish};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why a daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to stop.
    Stopped,
    /// It is to begin again as the program that is installed now.
    Restart,
}

/// How soon after one look another may follow, however much happens.
const LEAST: Duration = Duration::from_millis(100);
/// How long looks may take together before they have to rest: an agent's end comes as several events, and what follows from
/// it should not wait.
const FREE: Duration = Duration::from_millis(20);
/// Of the time that passes, one part in so many pays for looks.
const PAYS: u32 = 10;
/// How many times as long as it took a look that is not paid for is followed by a rest, up to [`LEAST`].
const REST: u32 = 4;
/// How long stories that wait are still told when the daemon ends; the rest is told by the next.
const LAST_STORIES: Duration = Duration::from_secs(2);
/// The most sentences that are remembered as told.
const MOST_TOLD: usize = 10_000;

/// A daemon at work.
struct Pit {
    root: Root,
    desk: Arc<Desk>,
    tree: Tree,
    probes: Probes,
    hands: Hands,
    revivals: Revivals,
    teller: Teller,
    events: Arc<Events>,
    /// None only while it begins and ends.
    reception: Option<Reception>,
    about: About,
    supervisor: Supervisor,
    /// What was told, so that it is told once.
    told: HashMap<String, Time>,
    told_health: Option<u64>,
    /// Since when revivals are held, by why.
    holds: HashMap<String, String>,
    has_changed: bool,
    /// What of the state is on file; none if that is to be written.
    on_file: Option<sweep::OnFile>,
    poll_interval: Duration,
    /// Whether somebody may just have ended, of which no event will tell.
    is_soon: bool,
}

/// Runs the daemon of a root until it is told to end. `read_again` gives what its config says now.
pub fn run(
    env: &Env,
    path: &Path,
    setup: &Setup,
    read_again: &dyn Fn() -> Result<Setup>,
) -> Result<Ending> {
    let root = Root::open(path)?;
    let before = presence::look(&root)?;
    let held = presence::take(&root)?;
    let mut signals = Signals::listen()?;
    let mut pit = Pit::begin(env, root, setup)?;
    if let Presence::Fell(before) = before {
        let now = pit.desk.moment();
        pit.tell(stories::of_restart(&before, &now));
    }
    let ending = pit.live(&mut signals, read_again);
    pit.end(
        ending
            .as_ref()
            .is_ok_and(|ending| *ending == Ending::Stopped),
        held,
    )?;
    ending
}

impl Pit {
    fn begin(env: &Env, root: Root, setup: &Setup) -> Result<Self> {
        let file = DaemonLog::open(&root)?;
        let log = Log::new(setup.format, setup.config.log_level, env.clock, Some(file));
        for warning in &setup.warnings {
            log.warn("config", warning);
        }
        let world = World::new(setup.config.usual(), setup.config.poll_interval);
        let path = root.path().to_path_buf();
        let desk = Arc::new(Desk::new(
            path.clone(),
            env.clock,
            log,
            world,
            setup.config.poll_interval,
        )?);
        let mut pit = Pit {
            tree: Tree::open(&path, EVERY)?,
            probes: Probes::start(
                &desk,
                setup.config.gateways.clone(),
                setup.probe_timeout(),
                setup.config.health.probe_threads,
            )?,
            hands: Hands::start(&desk, env.clone())?,
            revivals: Revivals::start(&desk, &setup.env(env), setup.terms())?,
            teller: stories::start(&desk, &root, setup)?,
            events: Arc::default(),
            reception: None,
            about: sweep::about(env.clock.now(), setup, Vec::new()),
            supervisor: Supervisor::of_process(),
            told: HashMap::new(),
            told_health: None,
            holds: HashMap::new(),
            has_changed: true,
            on_file: None,
            poll_interval: setup.poll_interval(),
            is_soon: false,
            root,
            desk,
        };
        pit.remember()?;
        pit.listen(env, setup)?;
        pit.sweep(true)?;
        let status = pit.status();
        pit.desk.log.info(
            "daemon.started",
            &format!(
                "mcell {} watches {}: {status}",
                pit.about.version,
                path.display()
            ),
        );
        pit.told_health = Some(pit.desk.moment().up);
        pit.has_changed = false;
        // Whoever supervises us and does not hear it will say so.
        let _ = pit.supervisor.ready(&status);
        Ok(pit)
    }

    /// Listens, now that everybody is known who may beat.
    fn listen(&mut self, env: &Env, setup: &Setup) -> Result<()> {
        let stories = self.teller.counter();
        let reception = Reception::open(env, &self.root, &self.desk, &self.events, setup, stories)?;
        self.about.listen = reception.names(&self.root);
        self.about.url = self.about.listen.first().cloned();
        self.reception = Some(reception);
        Ok(())
    }

    /// Goes on from what the daemon before left.
    fn remember(&mut self) -> Result<()> {
        let now = self.desk.moment();
        let mut refreshed = self.tree.refresh(&now)?;
        // Signs of life on file may be newer than the record: they are heard after it.
        let beats = std::mem::take(&mut refreshed.beats);
        self.take(refreshed);
        let (record, lost) = health::read(&self.root)?;
        if let Some(lost) = lost {
            self.desk.log.warn("state.lost", &lost);
        }
        if let Some(mut record) = record {
            let untold = std::mem::take(&mut record.untold);
            let (mut world, clocks) = self.desk.world_now();
            world.go_on_from(record, now.boot.as_deref(), clocks);
            drop(world);
            untold
                .into_iter()
                .filter_map(|story| serde_json::from_value(story).ok())
                .for_each(|story| self.teller.tell(story));
        }
        beats.iter().for_each(|heard| self.hear(heard));
        Ok(())
    }

    fn live(
        &mut self,
        signals: &mut Signals,
        read_again: &dyn Fn() -> Result<Setup>,
    ) -> Result<Ending> {
        let mut next = Instant::now() + self.pause();
        let (mut took, mut unpaid) = (Duration::ZERO, Duration::ZERO);
        loop {
            let last = Instant::now();
            self.wait(signals, self.soonest(last, next), true)?;
            // However much happens, one look follows the other at a distance.
            unpaid = unpaid.saturating_sub(last.elapsed() / PAYS);
            if unpaid > FREE {
                let rest = took.saturating_mul(REST).min(LEAST);
                self.wait(signals, last + rest, false)?;
            }
            if self
                .reception
                .as_ref()
                .is_some_and(|reception| reception.listener.has_ended())
            {
                return Err(self.why_listener_ended());
            }
            match signals.take() {
                Some(Wish::Stop) => return Ok(self.say_ending("it was told to stop")),
                Some(Wish::Hangup) => return Ok(self.say_ending("its terminal went away")),
                Some(Wish::Restart) => {
                    self.desk.log.info(
                        "daemon.restart",
                        "begins again as the program that is installed now",
                    );
                    return Ok(Ending::Restart);
                }
                Some(Wish::Reload) => self.reload(read_again),
                None => {}
            }
            self.desk.bell.hush();
            let begun = Instant::now();
            let is_due = begun >= next;
            self.sweep(is_due)?;
            took = begun.elapsed();
            unpaid += took;
            self.tell_health();
            if self.told.len() > MOST_TOLD {
                self.told.clear();
            }
            if is_due {
                // The next one is a whole interval after this one was due, whatever it took; what was missed is missed.
                while next <= Instant::now() {
                    next += self.pause();
                }
                let _ = self.supervisor.swept(&self.status());
            }
        }
    }

    /// A daemon that hears nobody is none: it ends with the error of its listener.
    fn why_listener_ended(&mut self) -> Error {
        let ended = self
            .reception
            .take()
            .map_or(Ok(()), |mut reception| reception.listener.stop());
        let error = ended
            .err()
            .unwrap_or_else(|| Error::bug("the listener ended by itself"));
        self.desk.log.say(
            Level::Error,
            "listener.ended",
            &format!("the listener ended: {error}"),
            &[],
        );
        error
    }

    /// When there is something to see, if nothing happens: the next sweep, the next agent whose silence lasts too long, or
    /// the end of somebody of which no event tells.
    fn soonest(&self, last: Instant, next: Instant) -> Instant {
        let now = Instant::now();
        let up = self.desk.moment().up;
        let change = self.desk.world().next_change;
        // A moment later: it is so when the time is over.
        let change = change.map(|at| now + Duration::from_millis(at.saturating_sub(up) + 1));
        let soon = self.is_soon.then_some(last + LEAST);
        [soon, change]
            .into_iter()
            .flatten()
            .fold(next, Instant::min)
    }

    fn pause(&self) -> Duration {
        self.supervisor.pause(self.poll_interval).max(LEAST)
    }

    /// Waits until something happened or the time is over; of signals alone, where nothing else is to be heard.
    fn wait(&self, signals: &Signals, until: Instant, for_all: bool) -> Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| Error::bug("a wait is too long"))?;
        let mut watched = vec![PollFd::new(signals, PollFlags::IN)];
        let events = self.tree.fd().filter(|_| for_all);
        if for_all {
            watched.push(PollFd::new(&self.desk.bell, PollFlags::IN));
        }
        watched.extend(
            events
                .as_ref()
                .map(|events| PollFd::new(events, PollFlags::IN)),
        );
        retry_on_intr(|| poll(&mut watched, Some(&left)))
            .map_err(|error| Error::storage("wait", error))?;
        Ok(())
    }

    /// Takes a config that was read again; one that is bad is refused, and the old one stays.
    fn reload(&mut self, read_again: &dyn Fn() -> Result<Setup>) {
        let _ = self.supervisor.reloading();
        match read_again() {
            Ok(setup) => {
                for warning in &setup.warnings {
                    self.desk.log.warn("config", warning);
                }
                self.desk.log.at_least(setup.config.log_level);
                self.desk.poll_interval(setup.config.poll_interval);
                self.poll_interval = setup.poll_interval();
                self.probes
                    .reload(setup.config.gateways.clone(), setup.probe_timeout());
                self.desk
                    .world()
                    .reload(setup.config.usual(), setup.config.poll_interval);
                self.told.clear();
                self.teller.reload(&Receivers::of(&setup.config));
                self.revivals.reload(setup.terms());
                self.let_read(&setup);
                let cells: Vec<_> = self.tree.cells().keys().cloned().collect();
                let mut notes = Vec::new();
                cells.iter().for_each(|cell| self.enrol(cell, &mut notes));
                for note in notes {
                    self.tell_once("gateway.note", &note);
                }
                self.desk
                    .log
                    .info("daemon.reloaded", "the config was read again");
            }
            Err(error) => {
                self.desk.log.warn(
                    "daemon.reloaded",
                    &format!("the config is refused, the old one stays: {error}"),
                );
            }
        }
        let _ = self.supervisor.ready(&self.status());
    }

    /// Lets those read from elsewhere who have the token of the config.
    fn let_read(&self, setup: &Setup) {
        match (&self.reception, doors::reading_token(setup)) {
            (Some(reception), Ok(token)) => reception.routes.readers(token.as_deref()),
            (_, Err(error)) => self.desk.log.warn("config", &error.to_string()),
            (None, _) => {}
        }
    }

    fn say_ending(&self, why: &str) -> Ending {
        self.desk
            .log
            .info("daemon.stopping", &format!("stops: {why}"));
        Ending::Stopped
    }

    /// Ends in order.
    fn end(mut self, is_stopped: bool, held: Held) -> Result<()> {
        let _ = self.supervisor.stopping("stops");
        // Whoever asks now is not answered by half: first nobody is heard any more, then all is written down.
        let heard = self
            .reception
            .take()
            .map_or(Ok(()), |mut reception| reception.listener.stop());
        self.on_file = None;
        let written = self.write_state();
        let socket = self.root.remove_socket();
        self.about.is_stopped = is_stopped;
        let said = self.write_about();
        self.teller.stop(LAST_STORIES);
        drop(held);
        written.and(said).and(socket).and(heard)
    }
}
