//! What operators do: they answer, hold, pause, stop and start, and change their minds.

use super::{CALM, Day, Event, MINUTE};
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::policy::AutoRevive;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::Wanted;
use crate::ops::hold::Hold;
use crate::revival::{self, Answer, Record};

const WHO: &str = "operator";

impl Day {
    /// A minute of theirs.
    pub(super) fn operate(&mut self) {
        self.after(MINUTE, Event::Operate);
        let agent = self.chance.index(self.crew.len());
        // Who acts on an agent waits until nobody else does.
        let is_at_hand = |hand: &super::hand::Hand| hand.agent == agent;
        if self
            .daemon
            .as_ref()
            .is_some_and(|daemon| daemon.hands.iter().flatten().any(is_at_hand))
        {
            return;
        }
        if self.now >= CALM {
            return self.set_right();
        }
        let answer = match self.chance.below(40) {
            0..=3 => Some(Answer::Approve),
            4 => Some(Answer::Deny),
            5 => Some(Answer::Cancel),
            _ => None,
        };
        if let Some(answer) = answer {
            // Those that wait for an operator are looked for; what waits for its time has it.
            let waits = |agent: &usize| {
                let open = self.disk.folders[*agent].kept.request();
                open.is_some_and(|open| {
                    answer.may_be_given(open.status) && open.status != Status::Pending
                })
            };
            if let Some(agent) = (0..self.crew.len()).filter(waits).nth(self.chance.index(3)) {
                self.give(agent, answer);
            }
            return;
        }
        match self.chance.below(60) {
            0..=3 => self.pause(agent),
            4 => self.hold(),
            5 => self.pause_cell(),
            6..=9 => self.ask(agent),
            10 => self.stop_for_good(agent),
            11..=14 if !self.disk.folders[agent].kept.is_wanted() => self.start_again(agent),
            15 => self.change_policy(),
            _ => {}
        }
    }

    /// In the end they see to everything that waits for them.
    fn set_right(&mut self) {
        self.disk.hold = None;
        for cell in 0..self.disk.cells.len() {
            self.disk.cells[cell].status = CellStatus::Active;
            self.touch(cell);
        }
        for agent in 0..self.crew.len() {
            let kept = &mut self.disk.folders[agent].kept;
            if kept.status == AgentStatus::Paused {
                kept.status = AgentStatus::Idle;
                self.touch(agent);
            }
            if self.disk.folders[agent]
                .kept
                .request()
                .is_some_and(|open| open.status == Status::PendingApproval)
            {
                self.give(agent, Answer::Approve);
            }
        }
    }

    pub(super) fn give(&mut self, agent: usize, answer: Answer) {
        let now = self.clock.moment();
        let Some(mut open) = self.disk.folders[agent]
            .kept
            .request()
            .cloned()
            .filter(|open| answer.may_be_given(open.status))
        else {
            return;
        };
        let mut record = self.disk.folders[agent].kept.state.record(&now);
        let is_suppressed = answer.give(&mut open, &mut record, String::from(WHO), &now);
        self.witness.answered(agent, answer, &open.id);
        self.tell(
            agent,
            format_args!("{} is {}", open.id, open.why.as_deref().unwrap_or_default()),
        );
        _ = self.commit(agent, |kept| {
            kept.state.suppress(is_suppressed);
            kept.state.remember(record, &now).unwrap();
            kept.put(&open);
        });
        self.touch(agent);
    }

    /// `mcell revive`: what an operator asks for is approved.
    fn ask(&mut self, agent: usize) {
        let now = self.clock.moment();
        let is_alive = self.crew[agent].is_alive();
        let kept = &self.disk.folders[agent].kept;
        if !kept.is_wanted() || (is_alive && !kept.state.known().is_suppressed) {
            return;
        }
        let mut open = match kept.request() {
            Some(open) if open.status == Status::Running && is_alive => return,
            Some(open) => open.clone(),
            None => {
                let (cell, id) = self.whom(agent);
                Revival::new(
                    &self.disk.new_id(),
                    &cell,
                    &id,
                    String::from("an operator asks"),
                    now.wall,
                )
            }
        };
        revival::ask(&mut open, String::from(WHO), &now);
        self.witness.answered(agent, Answer::Approve, &open.id);
        self.witness.taken_in_hand(agent);
        self.tell(agent, format_args!("an operator asks for it ({})", open.id));
        _ = self.commit(agent, |kept| {
            kept.state.want(Wanted::Running);
            kept.state.suppress(false);
            kept.state.remember(Record::default(), &now).unwrap();
            kept.put(&open);
        });
        self.touch(agent);
    }

    fn pause(&mut self, agent: usize) {
        let kept = &mut self.disk.folders[agent].kept;
        let (next, word) = match kept.status {
            AgentStatus::Paused => (AgentStatus::Idle, "resumed"),
            _ => (AgentStatus::Paused, "paused"),
        };
        kept.status = next;
        self.tell(agent, format_args!("is {word}"));
        self.touch(agent);
    }

    fn pause_cell(&mut self) {
        let cell = self.chance.index(self.disk.cells.len());
        let status = &mut self.disk.cells[cell].status;
        *status = match status {
            CellStatus::Paused => CellStatus::Active,
            _ => CellStatus::Paused,
        };
        let word = status.word();
        self.say(format_args!("cell_{cell} is {word}"));
        self.touch(cell);
    }

    fn hold(&mut self) {
        let since = self.clock.moment().wall;
        self.disk.hold = match self.disk.hold(&self.clock) {
            Some(_) => None,
            None => Some(Hold {
                why: String::from("upgrade"),
                by: String::from(WHO),
                since,
                until: Some(since.plus(300 + self.chance.below(3_600))),
            }),
        };
        let is_held = self.disk.hold.is_some();
        self.say(format_args!("an operator holds revivals: {is_held}"));
        self.touch(0);
    }

    fn stop_for_good(&mut self, agent: usize) {
        let now = self.clock.moment();
        self.tell(agent, format_args!("is not wanted"));
        self.witness.stops(agent);
        let done = self.commit(agent, |kept| {
            kept.state.want(Wanted::Stopped);
            if let Some(mut open) = kept.request().cloned() {
                open.become_status(Status::Cancelled, None, now.wall);
                kept.put(&open);
            }
        });
        if done.is_ok() {
            self.stopped(agent);
        }
        self.touch(agent);
    }

    fn start_again(&mut self, agent: usize) {
        self.tell(agent, format_args!("an operator starts it"));
        self.order_start(agent);
        self.touch(agent);
    }

    fn change_policy(&mut self) {
        let cell = self.chance.index(self.disk.cells.len());
        let policies = [AutoRevive::Yes, AutoRevive::Ask, AutoRevive::No];
        let policy = policies[self.chance.index(policies.len())];
        self.disk.cells[cell].policy = policy;
        self.say(format_args!("auto_revive of cell_{cell} is {policy:?}"));
        self.touch(cell);
    }
}
