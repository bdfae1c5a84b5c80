//! The daemon of the day: the world that the real one has, and the real one's way from a look to a hand.

use super::super::{Action, AtHand, SLOTS, Whom, Work, World};
use super::hand::Hand;
use super::{Day, Event, POLL};
use crate::base::ids::CellId;
use crate::health::probe::Answer;
use crate::health::roster::{Beat, Found, Refusal, Slot};
use crate::health::settings::Settings;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds from a change to a look at it.
const SOON: u64 = 20;

pub(super) struct Daemon {
    /// Which one it is.
    pub(super) number: u64,
    pub(super) world: World,
    pub(super) at_hand: AtHand<u64>,
    /// What waits for a hand.
    pub(super) jobs: VecDeque<(usize, Work)>,
    pub(super) hands: [Option<Hand>; SLOTS],
    /// Cells that changed since they were read.
    dirty: [bool; 3],
    next_poll: u64,
    /// When it looks next.
    looks_at: u64,
}

impl Day {
    pub(super) fn whom(&self, agent: usize) -> Whom {
        let cell = self.disk.folders[agent].cell;
        (
            CellId::new(format!("cell_{cell}")).unwrap(),
            self.crew[agent].id.clone(),
        )
    }

    pub(super) fn rise(&mut self) {
        if self.daemon.is_some() {
            return;
        }
        self.daemons += 1;
        let mut daemon = Daemon {
            number: self.daemons,
            world: World::new(Settings::default(), POLL / 1000),
            at_hand: AtHand::default(),
            jobs: VecDeque::new(),
            hands: [const { None }; SLOTS],
            dirty: [true; 3],
            next_poll: self.now,
            looks_at: u64::MAX,
        };
        self.read(&mut daemon);
        if let Some(record) = self.disk.record() {
            daemon
                .world
                .go_on_from(record, Some(&self.clock.boot()), self.clock.clocks());
        }
        self.daemon = Some(daemon);
        self.say(format_args!("the daemon begins"));
        self.look_within(0);
    }

    /// It is killed. A runner that it was just starting comes up all the same, or does not.
    pub(super) fn kill(&mut self) {
        let Some(daemon) = self.daemon.take() else {
            return;
        };
        self.doom = None;
        self.say(format_args!("the daemon is killed"));
        for hand in daemon.hands.iter().flatten() {
            if let Some(life) = hand.starts()
                && self.chance.once_in(2)
            {
                self.spawn(hand.agent, life);
            }
        }
        let later = if self.chance.once_in(2) {
            self.chance.below(2_000)
        } else {
            self.chance.below(600_000)
        };
        self.after(later, Event::Rise);
    }

    /// Something of an agent changed on disk, or its process.
    pub(super) fn touch(&mut self, agent: usize) {
        let cell = self.disk.folders[agent].cell;
        if let Some(daemon) = &mut self.daemon {
            daemon.dirty[cell] = true;
        }
        self.look_within(SOON);
    }

    /// Lets the daemon look, so soon.
    pub(super) fn look_within(&mut self, time: u64) {
        let at = self.now + time;
        if let Some(daemon) = &mut self.daemon
            && at < daemon.looks_at
        {
            daemon.looks_at = at;
            let number = daemon.number;
            self.after(time, Event::Look(number));
        }
    }

    fn read(&mut self, daemon: &mut Daemon) {
        for (cell, is_dirty) in daemon.dirty.iter_mut().enumerate() {
            if std::mem::take(is_dirty) {
                let held: Vec<usize> = daemon
                    .hands
                    .iter()
                    .flatten()
                    .map(|hand| hand.agent)
                    .collect();
                let seen = |agent: usize| (self.crew[agent].is_alive(), held.contains(&agent));
                let census = Arc::new(self.disk.census(cell, seen));
                daemon.world.roster.enrol(
                    &census,
                    |agent| agent.gateway.as_deref().map(Arc::from),
                    self.clock.clocks(),
                );
                self.witness.read(&self.disk, cell);
            }
        }
    }

    /// One look, as the real daemon does: read what changed, decide, act.
    pub(super) fn look(&mut self, number: u64) {
        let Some(mut daemon) = self
            .daemon
            .take_if(|daemon| daemon.number == number && daemon.looks_at == self.now)
        else {
            return;
        };
        self.read(&mut daemon);
        daemon.world.operators_hold = self.disk.hold(&self.clock);
        let clocks = self.clock.clocks();
        let actions = daemon.world.decide(&self.clock.moment(), clocks);
        for action in actions {
            match action {
                Action::Changed(change) => {
                    let (from, to) = (change.from.word(), change.to.word());
                    self.say(format_args!(
                        "{} {from} -> {to}: {}",
                        change.agent, change.reason
                    ));
                }
                Action::Held(why) => self.say(format_args!("revivals are held: {why}")),
                Action::Released(why) => self.say(format_args!("revivals go on: {why}")),
                Action::Forgiven(why) => self.say(format_args!("{why}")),
                Action::Probe(slot) => {
                    let agent = self.number_of(&daemon.world, slot);
                    let is_down = self.crew[agent]
                        .gateway
                        .is_some_and(|gateway| self.gateways[gateway] > self.now);
                    let takes = if is_down {
                        1 + self.chance.below(5_000)
                    } else {
                        1 + self.chance.below(500)
                    };
                    self.after(takes, Event::Answer(agent, number));
                }
                Action::Revive(slot, work) => {
                    let agent = self.number_of(&daemon.world, slot);
                    if daemon.at_hand.take(&self.whom(agent), self.now) {
                        daemon.jobs.push_back((agent, work));
                    }
                }
                Action::Settle(_) | Action::CheckpointNow(_) => {}
            }
        }
        if self.now >= daemon.next_poll {
            daemon.next_poll = self.now + POLL;
        }
        if self.doom.is_some() && self.now >= self.disk.full_until {
            let record = daemon.world.record(Some(self.clock.boot()), clocks);
            self.disk.signs = Some(serde_json::to_vec(&record).unwrap());
        }
        let change = daemon
            .world
            .next_change
            .map_or(u64::MAX, |at| at.saturating_sub(clocks.up) + 1);
        let next = change.min(daemon.next_poll - self.now).max(1);
        daemon.looks_at = u64::MAX;
        self.daemon = Some(daemon);
        self.look_within(next);
        self.take_up_jobs();
    }

    fn number_of(&self, world: &World, slot: Slot) -> usize {
        let id = &world.roster.get(slot).unwrap().agent;
        self.crew.iter().position(|real| real.id == *id).unwrap()
    }

    /// What the daemon is told of an agent; then it looks, if the agent is not any more as it last saw it.
    fn hear<T>(
        &mut self,
        agent: usize,
        tell: impl FnOnce(&mut World, Slot, &Self) -> T,
    ) -> Option<T> {
        let mut daemon = self.daemon.take()?;
        let clocks = self.clock.clocks();
        daemon.world.keep_pace(clocks);
        let Found::One(slot) = daemon.world.roster.find(self.crew[agent].id.as_str(), None) else {
            panic!("{} is not there", self.crew[agent].id);
        };
        let told = tell(&mut daemon.world, slot, self);
        let watched = daemon.world.roster.get(slot).unwrap();
        let is_news = watched.verdict(clocks.up).state != watched.state;
        self.daemon = Some(daemon);
        if is_news {
            self.look_within(SOON);
        }
        Some(told)
    }

    /// An agent beats.
    pub(super) fn hear_beat(&mut self, agent: usize, incarnation: u64) {
        let beat = Beat {
            incarnation: Some(incarnation),
            ..Beat::default()
        };
        let answer = self.hear(agent, |world, slot, day| {
            let now = day.clock.clocks();
            match world.roster.beat(slot, &beat, now) {
                // As the real one does, it looks at the disk once more.
                Err(Refusal::Unborn(_)) => {
                    world.roster.renew(slot, &day.disk.folders[agent].note, now);
                    world.roster.beat(slot, &beat, now)
                }
                answer => answer,
            }
        });
        match answer {
            Some(Ok(_)) => self.see_beat(agent, incarnation),
            Some(Err(refusal)) => {
                let id = self.crew[agent].id.clone();
                self.say(format_args!(
                    "a beat of {id} as {incarnation} is refused: {refusal:?}"
                ));
                self.see_refusal(agent, incarnation, &refusal);
            }
            None => {}
        }
    }

    /// A gateway answers, or does not.
    pub(super) fn answer(&mut self, agent: usize, number: u64) {
        if self
            .daemon
            .as_ref()
            .is_none_or(|daemon| daemon.number != number)
        {
            return;
        }
        let is_down = self.crew[agent]
            .gateway
            .is_some_and(|gateway| self.gateways[gateway] > self.now);
        // One lost answer in between is nobody's fault; never two in a row.
        let is_lost = self.chance.once_in(200) && (self.now / POLL).is_multiple_of(2);
        let answer = if is_down || is_lost {
            Answer::Failed(String::from("refused"))
        } else {
            Answer::Good
        };
        let took = Duration::from_millis(3);
        self.hear(agent, |world, slot, day| {
            world.roster.probed(slot, answer, took, day.clock.clocks());
        });
    }
}
