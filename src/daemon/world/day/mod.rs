//! A day of thirty agents that mcell starts: they crash, ask to be started again, freeze, and cannot be started; the gateway
//! that half of them share goes away; the disk fails, the daemon is killed at any step, the machine sleeps and is started
//! again, its clock is set; operators answer, hold, pause and change their minds.
//!
//! All that decides is the daemon's own: its world, the hands that it has, what is decided of a fall and of a request. The
//! outside alone is a model: what is on disk, which processes live, who answers. A witness sees all of it, and says at which
//! seed and when a promise was broken.

mod crew;
mod daemon;
mod disk;
mod hand;
mod misfortune;
mod operator;
mod steps;
mod witness;

use super::model::{Chance, Clock};
use crate::base::clock::Time;
use crate::mission::revival::Status;
use crate::mission::run::{End as Ended, Identity, RunNote};
use crew::{End, Ill, Life, Real};
use daemon::Daemon;
use disk::Disk;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write;
use witness::Witness;

const AGENTS: usize = 30;
/// Tries that may be in vain after the first.
const RETRIES: u64 = 3;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// From then on nothing new befalls anybody: what can be cured is cured when the day ends.
const CALM: u64 = 22 * HOUR;
const DAY: u64 = 24 * HOUR;
/// Between two sweeps, beats and probes.
const POLL: u64 = 30 * SECOND;

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The life of an agent beats.
    Beat(usize, u64),
    /// It ends.
    End(usize, u64, End),
    /// The gateway of an agent answers a daemon, or does not.
    Answer(usize, u64),
    /// The daemon looks at everything.
    Look(u64),
    /// A hand of the daemon does what is next.
    Step(u64, usize),
    /// The daemon is started again.
    Rise,
    /// Something may befall somebody; an operator may do something; the witness looks.
    Misfortune,
    Operate,
    Check,
}

struct Day {
    seed: u64,
    chance: Chance,
    clock: Clock,
    /// Milliseconds since the day began, sleep left out.
    now: u64,
    number: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    disk: Disk,
    crew: Vec<Real>,
    /// Until when each is down.
    gateways: Vec<u64>,
    /// The daemon's `auto_revive`.
    ceiling: bool,
    daemon: Option<Daemon>,
    /// How many daemons there were.
    daemons: u64,
    /// After so many more steps of its hands the daemon is killed.
    doom: Option<u64>,
    witness: Witness,
    log: String,
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let sharing = 15 + chance.index(16);
        let gateway = |number: usize| (number < sharing).then_some(0);
        let disk = Disk::new(&mut chance, AGENTS, gateway);
        let crew = disk
            .folders
            .iter()
            .map(|folder| Real::new(&mut chance, folder))
            .collect();
        let mut day = Day {
            seed,
            ceiling: !chance.once_in(5),
            chance,
            clock: Clock::new(),
            now: 0,
            number: 0,
            events: BinaryHeap::new(),
            disk,
            crew,
            gateways: vec![0],
            daemon: None,
            daemons: 0,
            doom: None,
            witness: Witness::new(AGENTS),
            log: String::new(),
        };
        for agent in 0..AGENTS {
            day.order_start(agent);
        }
        // One of them is beyond help.
        let incurable = day.chance.index(AGENTS);
        day.crew[incurable].ill = Some((Ill::Ends(End::Code(1), 200), u64::MAX));
        day.after(0, Event::Rise);
        for event in [Event::Misfortune, Event::Operate, Event::Check] {
            day.after(MINUTE, event);
        }
        day
    }

    fn after(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.events
            .push(Reverse((self.now + time, self.number, event)));
    }

    fn say(&mut self, what: std::fmt::Arguments<'_>) {
        let (hours, rest) = (self.now / HOUR, self.now % HOUR);
        let _ = writeln!(
            self.log,
            "{hours:02}:{:02}:{:06.3} {what}",
            rest / MINUTE,
            (rest % MINUTE) as f64 / 1000.0
        );
    }

    /// The same of an agent.
    fn tell(&mut self, agent: usize, what: std::fmt::Arguments<'_>) {
        let id = self.crew[agent].id.clone();
        self.say(format_args!("{id} {what}"));
    }

    /// Lives through the day, and gives what happened.
    fn pass(seed: u64) -> String {
        let mut day = Day::new(seed);
        while let Some(Reverse((at, _, event))) =
            day.events.pop().filter(|Reverse((at, ..))| *at < DAY)
        {
            day.clock.pass(at - day.now);
            day.now = at;
            day.happen(event);
        }
        day.log
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Beat(agent, life) => self.beat(agent, life),
            Event::End(agent, life, how) => self.end(agent, life, how),
            Event::Answer(agent, daemon) => self.answer(agent, daemon),
            Event::Look(daemon) => self.look(daemon),
            Event::Step(daemon, hand) => self.step(daemon, hand),
            Event::Rise => self.rise(),
            Event::Misfortune => self.misfortune(),
            Event::Operate => self.operate(),
            Event::Check => self.check(),
        }
    }

    /// A life of an agent begins, under a runner that says so.
    fn spawn(&mut self, agent: usize, incarnation: u64) {
        self.see_birth(agent, incarnation);
        let moment = self.clock.moment();
        let real = &mut self.crew[agent];
        real.lives.push(Life {
            incarnation,
            has_runner: true,
            frozen_until: 0,
        });
        self.disk.folders[agent].note = RunNote {
            incarnation,
            pid: Some(1),
            started: Some(1),
            runner: Some(Identity { pid: 1, started: 1 }),
            boot: moment.boot,
            started_at: Some(moment.wall),
            ..RunNote::default()
        };
        match real.ails(self.now) {
            Some(Ill::Ends(how, after)) => self.after(after, Event::End(agent, incarnation, how)),
            Some(Ill::Mute) => real.lives.last_mut().unwrap().frozen_until = u64::MAX,
            _ => {}
        }
        if self.crew[agent].beats {
            let first = self.chance.below(POLL);
            self.after(first, Event::Beat(agent, incarnation));
        }
        self.tell(agent, format_args!("lives as {incarnation}"));
        self.touch(agent);
    }

    /// A process ends by itself.
    fn end(&mut self, agent: usize, incarnation: u64, how: End) {
        if self.crew[agent].life(incarnation).is_none() {
            return;
        }
        let id = self.crew[agent].id.clone();
        self.say(format_args!("{id} ends as {incarnation}: {how:?}"));
        self.over(agent, incarnation, how, false);
    }

    /// A process is over.
    fn over(&mut self, agent: usize, incarnation: u64, how: End, is_ordered: bool) {
        let at: Time = self.clock.moment().wall;
        let Some(life) = self.crew[agent].life(incarnation) else {
            return;
        };
        let had_runner = std::mem::replace(&mut life.has_runner, false);
        if how == End::RunnerKilled {
            // What it ran lives on, and is in nobody's hands.
            self.touch(agent);
            return;
        }
        self.crew[agent]
            .lives
            .retain(|life| life.incarnation != incarnation);
        let (code, signal) = match how {
            End::Code(code) => (Some(code), None),
            End::Signal(number) => (None, Some(number)),
            End::RunnerKilled => (None, None),
        };
        let end = Ended {
            at,
            up: Some(self.clock.up),
            code,
            signal,
            is_ordered,
        };
        if had_runner {
            self.disk.folders[agent].note.end = Some(end);
            let (folder, up) = (&self.disk.folders[agent], self.clock.up);
            let request = folder.kept.request();
            let waits = request.is_some_and(|open| open.status != Status::Running);
            self.witness.ended(agent, &folder.ends, &end, waits, up);
        }
        self.touch(agent);
    }

    /// A frozen agent, or one that the day is not over for, beats.
    fn beat(&mut self, agent: usize, incarnation: u64) {
        let now = self.now;
        let Some(life) = self.crew[agent].life(incarnation) else {
            return;
        };
        let is_silent = life.frozen_until > now;
        self.after(POLL, Event::Beat(agent, incarnation));
        if !is_silent && !self.chance.once_in(50) {
            self.hear_beat(agent, incarnation);
        }
    }
}

/// How many days are lived through: `MCELL_DAYS=300 cargo test --release --lib day` takes its time.
#[allow(clippy::disallowed_methods, reason = "a knob of this test alone")]
fn days() -> u64 {
    std::env::var("MCELL_DAYS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4)
}

#[test]
fn in_a_day_no_agent_lives_twice_none_is_lost_none_is_brought_back_against_the_policy_and_what_can_be_cured_is()
 {
    let mut unseen = vec![
        "killed",
        "slept",
        "clock set",
        "reboot",
        "quarantined",
        "revivals are held",
        "finished",
        "suppressed",
        "pending approval",
        "denied",
        "approved",
        "fenced",
        "the disk is full",
        "outcome unknown",
        "RunnerKilled",
        "Code(75)",
        "Code(78)",
    ];
    // Each thread takes every other seed: a failure names its own.
    let seeds = std::sync::atomic::AtomicU64::new(0);
    let unseen_by_all = std::sync::Mutex::new(&mut unseen);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = 1 + seeds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed > days() {
                        return;
                    }
                    let log = Day::pass(seed);
                    unseen_by_all
                        .lock()
                        .unwrap()
                        .retain(|word| !log.contains(word));
                }
            });
        }
    });
    assert!(unseen.is_empty(), "never: {unseen:?}");
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let (one, other) = (Day::pass(7), Day::pass(7));
    assert!(one == other && one.len() > 1000);
}
