//! Who sees everything of the day, and says when a promise is broken. It knows what really is, and asks nothing of those
//! who decide.

use super::disk::{Disk, Kept};
use super::{Day, Event, HOUR, MINUTE, SECOND};
use crate::health::roster::Refusal;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::policy::AutoRevive;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{End, Meaning, Terms};
use crate::revival::Answer;
use std::collections::BTreeSet;

/// How long what could be cured at once may take: a try every half hour, the time to prove it, and some.
const CURED_WITHIN: u64 = 45 * MINUTE;
/// How long a death may stand without a request while a daemon looks.
const SEEN_WITHIN: u64 = 5 * MINUTE;
/// So many lives in an hour are a loop that nothing brakes.
const MOST_LIVES: usize = 60;
const SLOTS: usize = 2;

#[derive(Clone, Default)]
struct Sight {
    /// Requests that an operator approved or made.
    approved: BTreeSet<String>,
    /// What its last end means, when it was not ordered.
    meant: Option<Meaning>,
    /// When it asked to be started again, since an operator last took it in hand.
    asked: Vec<u64>,
    /// Whether the machine was started again since it was last started.
    rebooted: bool,
    /// Whether somebody may say that it is not to be asked for, and that it is not wanted.
    may_be_suppressed: bool,
    may_be_unwanted: bool,
    /// The life that the daemon knows to be begun.
    known_fence: u64,
    /// When it was begun, each time.
    lives: Vec<u64>,
    /// When something last stood in the way of its cure, or it was well.
    clear_since: u64,
    /// When it last lived, was asked for, or need not be.
    seen_since: u64,
    /// When it last worked, without a break, since then.
    well_since: Option<u64>,
}

pub(super) struct Witness(Vec<Sight>);

impl Witness {
    pub(super) fn new(agents: usize) -> Self {
        Witness(vec![Sight::default(); agents])
    }

    /// A process ended. `waits`: whether its agent was asked for before that, so that it need not ask itself.
    pub(super) fn ended(&mut self, agent: usize, ends: &Terms, end: &End, waits: bool, up: u64) {
        let sight = &mut self.0[agent];
        if end.is_ordered {
            return;
        }
        let meaning = ends.meaning(end);
        sight.meant = Some(meaning);
        sight.may_be_unwanted |= meaning == Meaning::Finished;
        if meaning == Meaning::Restart && !waits {
            sight.asked.push(up);
        }
    }

    pub(super) fn rebooted(&mut self) {
        for sight in &mut self.0 {
            sight.rebooted = true;
            sight.asked.clear();
        }
    }

    pub(super) fn answered(&mut self, agent: usize, answer: Answer, id: &str) {
        let sight = &mut self.0[agent];
        match answer {
            Answer::Approve => drop(sight.approved.insert(id.to_owned())),
            Answer::Deny | Answer::Cancel => sight.may_be_suppressed = true,
        }
    }

    /// An operator takes it in hand: it counts anew.
    pub(super) fn taken_in_hand(&mut self, agent: usize) {
        self.0[agent].asked.clear();
    }

    pub(super) fn stops(&mut self, agent: usize) {
        self.0[agent].may_be_unwanted = true;
    }

    /// The daemon reads a cell.
    pub(super) fn read(&mut self, disk: &Disk, cell: usize) {
        for (folder, sight) in disk.folders.iter().zip(&mut self.0) {
            if folder.cell == cell {
                sight.known_fence = folder.kept.state.known().incarnation.unwrap_or(0);
            }
        }
    }
}

impl Day {
    fn fail(&self, agent: usize, promise: &str) -> ! {
        let id = &self.crew[agent].id;
        let lines: Vec<&str> = self
            .log
            .lines()
            .filter(|line| !line.contains("agent_") || line.contains(id.as_str()))
            .collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        panic!("seed {}: {id}: {promise}\n{last}", self.seed);
    }

    /// A life begins.
    pub(super) fn see_birth(&mut self, agent: usize, incarnation: u64) {
        if let Some(life) = self.crew[agent].lives.first() {
            let older = life.incarnation;
            self.fail(agent, &format!("{incarnation} lives beside {older}"));
        }
        let sight = &mut self.witness.0[agent];
        sight.rebooted = false;
        sight.meant = None;
    }

    /// A beat was accepted.
    pub(super) fn see_beat(&mut self, agent: usize, incarnation: u64) {
        let fence = self.witness.0[agent].known_fence;
        if incarnation < fence {
            self.fail(
                agent,
                &format!("a beat of {incarnation} is accepted, and it is {fence} that counts"),
            );
        }
    }

    /// A beat was refused.
    pub(super) fn see_refusal(&mut self, agent: usize, incarnation: u64, refusal: &Refusal) {
        let begun = self.disk.folders[agent]
            .kept
            .state
            .known()
            .incarnation
            .unwrap_or(0);
        if incarnation == begun {
            self.fail(
                agent,
                &format!("a beat of {incarnation}, which counts, is refused: {refusal:?}"),
            );
        }
    }

    /// Another life is about to be begun for a request.
    pub(super) fn see_fence(&mut self, agent: usize, open: &Revival) {
        let (now, up) = (self.now, self.clock.up);
        // One that is fenced already works in vain: whoever fenced it was killed before its end.
        let begun = self.disk.folders[agent].begun();
        let mut lives = self.crew[agent].lives.iter();
        let counts = lives.any(|life| Some(life.incarnation) >= begun);
        let is_well = counts && self.crew[agent].is_well(now, &self.gateways);
        let cell = &self.disk.cells[self.disk.folders[agent].cell];
        let sight = &mut self.witness.0[agent];
        sight.asked.retain(|at| up - at < 9 * MINUTE);
        let asks = sight.meant == Some(Meaning::Restart) && sight.asked.len() <= 5;
        let is_own = sight.approved.contains(&open.id);
        let is_free = is_own || sight.rebooted || asks;
        let (policy, ceiling) = (cell.policy, self.ceiling);
        let is_permanent = sight.meant == Some(Meaning::Permanent);
        sight.lives.retain(|at| now - at < HOUR);
        sight.lives.extend((!is_own).then_some(now));
        let lives = sight.lives.len();
        let was_well = is_well
            && !is_own
            && sight
                .well_since
                .is_some_and(|since| now - since > 3 * MINUTE);
        if !is_free && (policy != AutoRevive::Yes || !ceiling || is_permanent) {
            self.fail(agent, &format!("it is brought back, though auto_revive is {policy:?} under {ceiling}, and nobody approved ({})", open.id));
        }
        let kept = &self.disk.folders[agent].kept;
        if kept.status == AgentStatus::Paused
            || !kept.is_wanted()
            || cell.status != CellStatus::Active
        {
            self.fail(agent, "it is brought back, and is paused or not wanted");
        }
        if lives > MOST_LIVES {
            self.fail(agent, "it is started again and again");
        }
        if was_well {
            self.fail(agent, "it works, and is brought back");
        }
    }

    /// How many agents are down at once, or about to be, by the daemon's own hands.
    pub(super) fn see_hands(&self) {
        let Some(daemon) = &self.daemon else { return };
        let starting: Vec<usize> = daemon
            .hands
            .iter()
            .flatten()
            .filter(|hand| hand.is_starting())
            .map(|hand| hand.agent)
            .collect();
        if starting.len() > SLOTS {
            self.fail(starting[0], "more than two are started at once");
        }
        if starting.len() == 2 && starting[0] == starting[1] {
            self.fail(starting[0], "two are at it at once");
        }
    }

    /// Something was written, or was not.
    pub(super) fn see_commit(&mut self, agent: usize, before: &Kept) {
        let kept = &self.disk.folders[agent].kept;
        for id in before.open.keys() {
            if !kept.open.contains_key(id) && !kept.closed.contains_key(id) {
                self.fail(agent, &format!("{id} is lost"));
            }
        }
        for (id, status) in &before.closed {
            if kept.closed.get(id) != Some(status) {
                self.fail(agent, &format!("{id}, which was over, is so no more"));
            }
        }
        let named = kept.state.revival().map(|id| id.to_string());
        let open: Vec<&String> = kept.open.keys().collect();
        if open.len() > 1 || open.first().map(|id| (*id).clone()) != named {
            self.fail(agent, &format!("{named:?} is named, and open are {open:?}"));
        }
        let is_new = |was: bool, is: bool| is && !was;
        let is_suppressed = is_new(
            before.state.known().is_suppressed,
            kept.state.known().is_suppressed,
        );
        let is_unwanted = is_new(!before.is_wanted(), !kept.is_wanted());
        let says_no = self.disk.cells[self.disk.folders[agent].cell].policy == AutoRevive::No;
        let sight = &self.witness.0[agent];
        if is_suppressed && !sight.may_be_suppressed && !says_no {
            self.fail(agent, "nobody said that it is not to be asked for");
        }
        if is_unwanted && !sight.may_be_unwanted {
            self.fail(agent, "nobody said that it is not wanted");
        }
        let sight = &mut self.witness.0[agent];
        sight.may_be_suppressed &= !kept_suppressed(&self.disk.folders[agent].kept);
        sight.may_be_unwanted &= self.disk.folders[agent].kept.is_wanted();
    }

    /// Half a minute later.
    pub(super) fn check(&mut self) {
        self.after(30 * SECOND, Event::Check);
        for agent in 0..self.crew.len() {
            let (now, kept) = (self.now, &self.disk.folders[agent].kept);
            let is_held_up = self.is_held_up(agent);
            let real = &self.crew[agent];
            let is_well = real.is_well(now, &self.gateways);
            let ails = real.ails(now).is_some();
            let is_seen = !real.lives.is_empty() || kept.request().is_some();
            let sight = &mut self.witness.0[agent];
            sight.well_since = if is_well {
                sight.well_since.or(Some(now))
            } else {
                None
            };
            if is_held_up || is_well || ails {
                sight.clear_since = now;
            }
            if is_held_up || is_seen {
                sight.seen_since = now;
            }
            if now - sight.seen_since > SEEN_WITHIN {
                self.fail(agent, "it fell, and nobody asks for it");
            }
            if now - self.witness.0[agent].clear_since > CURED_WITHIN {
                self.fail(agent, "it could be cured, and is not");
            }
        }
    }

    /// Whether somebody, or something that is no fault of the daemon, stands in the way of an agent's cure.
    fn is_held_up(&self, agent: usize) -> bool {
        let folder = &self.disk.folders[agent];
        let kept = &folder.kept;
        self.daemon.is_none()
            || !kept.is_wanted()
            || kept.status == AgentStatus::Paused
            || self.disk.cells[folder.cell].status != CellStatus::Active
            || kept.state.known().is_suppressed
            || kept
                .request()
                .is_some_and(|open| open.status == Status::PendingApproval)
            || self.disk.hold(&self.clock).is_some()
            || self.disk.full_until > self.now
            || folder
                .gateway
                .is_some_and(|gateway| self.gateways[gateway] > self.now)
    }
}

fn kept_suppressed(kept: &Kept) -> bool {
    kept.state.known().is_suppressed
}
