//! What the world decides of those who fall, one promise at a time.

use super::model::{self, Clock};
use super::{Action, Work, World};
use crate::base::ids::RevivalId;
use crate::health::probe::Answer;
use crate::health::roster::Found;
use crate::health::settings::Settings;
use crate::health::state::State;
use crate::mission::census::{CellCensus, OpenRevival};
use crate::mission::revival::Status;
use crate::mission::run::{End, Identity, RunNote, Terms};
use std::sync::Arc;
use std::time::Duration;

/// A cell whose agents run, and share one gateway.
struct Stage {
    world: World,
    clock: Clock,
    census: CellCensus,
}

impl Stage {
    fn new(agents: usize) -> Self {
        let mut census = model::cell(0);
        let run = serde_json::from_str(r#"{"command": ["work"]}"#).unwrap();
        for number in 0..agents {
            let mut agent = model::agent(number);
            agent.gateway = Some(String::from("gateway"));
            agent.ends = Some(Terms::of::<String>(&run));
            (agent.has_run, agent.is_wanted, agent.is_alive) = (true, true, true);
            agent.run = Some(RunNote {
                incarnation: 1,
                runner: Some(Identity { pid: 1, started: 1 }),
                ..RunNote::default()
            });
            census.agents.push(agent);
        }
        let mut stage = Stage {
            world: World::new(Settings::default(), 30),
            clock: Clock::new(),
            census,
        };
        stage.enrol();
        stage
    }

    fn enrol(&mut self) {
        let census = Arc::new(self.census.clone());
        let target =
            |agent: &crate::mission::census::AgentCensus| agent.gateway.as_deref().map(Arc::from);
        self.world
            .roster
            .enrol(&census, target, self.clock.clocks());
    }

    /// The process of an agent ends with a code.
    fn ends(&mut self, agent: usize, code: i32) {
        let at = self.clock.moment().wall;
        let agent = &mut self.census.agents[agent];
        agent.is_alive = false;
        agent.run.as_mut().unwrap().end = Some(End {
            at,
            up: None,
            code: Some(code),
            signal: None,
            is_ordered: false,
        });
    }

    fn asks(&mut self, agent: usize, status: Status, incarnation: Option<u64>) {
        self.census.agents[agent].revival = Some(OpenRevival {
            id: RevivalId::new("rabcde").unwrap(),
            status,
            not_before: None,
            is_free: false,
            incarnation,
        });
        self.enrol();
    }

    /// The gateway answers these agents, or does not.
    fn probed(&mut self, agents: std::ops::Range<usize>, is_good: bool) {
        for agent in agents {
            let id = self.census.agents[agent].id.clone();
            let Found::One(slot) = self.world.roster.find(id.as_str(), None) else {
                panic!("{id} is not there");
            };
            let answer = if is_good {
                Answer::Good
            } else {
                Answer::Failed(String::from("refused"))
            };
            let (took, now) = (Duration::from_millis(3), self.clock.clocks());
            self.world.roster.probed(slot, answer, took, now);
        }
    }

    /// So many rounds of it, each half a minute after the other, with a sweep after each.
    fn rounds(&mut self, number: usize, is_good: bool) {
        for _ in 0..number {
            self.clock.pass(30_000);
            self.probed(0..self.census.agents.len(), is_good);
            self.sweep();
        }
    }

    /// What is to be done to bring agents back.
    fn sweep(&mut self) -> Vec<Work> {
        let (now, clocks) = (self.clock.moment(), self.clock.clocks());
        let actions = self.world.decide(&now, clocks).into_iter();
        let work = actions.filter_map(|action| match action {
            Action::Revive(_, work) => Some(work),
            _ => None,
        });
        work.collect()
    }

    fn is_held(&self) -> bool {
        self.world.held_gateways().count() == 1
    }

    fn state(&self, agent: usize) -> State {
        let id = &self.census.agents[agent].id;
        let mut all = self.world.roster.all();
        all.find(|(_, one)| one.agent == *id).unwrap().1.state
    }
}

#[test]
fn an_agent_that_asked_too_often_and_was_told_no_is_unhealthy_and_told_once() {
    let mut stage = Stage::new(1);
    stage.ends(0, 75);
    stage.enrol();
    assert!(matches!(stage.sweep()[..], [Work::Fallen(_)]));
    stage.census.agents[0].is_suppressed = true;
    stage.enrol();
    assert_eq!(stage.sweep(), []);
    assert_eq!(stage.state(0), State::Unhealthy);
}

#[test]
fn a_life_that_was_begun_and_never_started_is_begun_again_though_the_one_before_ended_well() {
    let mut stage = Stage::new(1);
    stage.ends(0, 75);
    stage.asks(0, Status::Running, Some(2));
    assert_eq!(stage.sweep(), [Work::Carry]);
}

#[test]
fn a_life_that_was_begun_and_never_started_is_begun_again_though_the_one_before_lives_on() {
    let mut stage = Stage::new(1);
    stage.asks(0, Status::Running, Some(2));
    assert_eq!(stage.sweep(), [Work::Carry]);
}

#[test]
fn an_agent_that_had_finished_and_was_begun_again_and_never_started_has_not_finished_again() {
    let mut stage = Stage::new(1);
    stage.ends(0, 0);
    stage.census.agents[0].begun = 2;
    stage.enrol();
    stage.sweep();
    assert_eq!(stage.state(0), State::Unhealthy);
    stage.census.agents[0].begun = 1;
    stage.enrol();
    stage.sweep();
    assert_eq!(stage.state(0), State::Unknown, "it has");
}

#[test]
fn who_was_silent_when_the_daemon_fell_has_grace_before_it_is_brought_back() {
    let mut stage = Stage::new(1);
    stage.rounds(4, true);
    stage.rounds(3, false);
    assert_eq!(stage.state(0), State::Unhealthy);
    assert!(matches!(stage.sweep()[..], [Work::Fallen(_)]));
    let written = stage
        .world
        .record(Some(stage.clock.boot()), stage.clock.clocks());
    let record = serde_json::from_slice(&serde_json::to_vec(&written).unwrap()).unwrap();
    stage.world = World::new(Settings::default(), 30);
    stage.enrol();
    let (boot, clocks) = (stage.clock.boot(), stage.clock.clocks());
    stage.world.go_on_from(record, Some(&boot), clocks);
    assert_eq!(stage.sweep(), []);
    let after = stage.world.next_change.unwrap() - stage.clock.up;
    assert_eq!(after, 120_000);
    for _ in 0..3 {
        stage.clock.pass(30_000);
        assert_eq!(stage.sweep(), []);
    }
    stage.clock.pass(30_000);
    assert!(matches!(stage.sweep()[..], [Work::Fallen(_)]));
    // A death is nobody's silence.
    stage.clock.set(3_600_000);
    stage.ends(0, 1);
    stage.enrol();
    assert!(matches!(stage.sweep()[..], [Work::Fallen(_)]));
}

#[test]
fn a_gateway_that_answers_nobody_spends_not_even_whoever_is_asked_first() {
    let mut stage = Stage::new(30);
    stage.rounds(4, true);
    stage.rounds(2, false);
    stage.clock.pass(30_000);
    stage.probed(0..1, false);
    let work = stage.sweep();
    assert!(stage.is_held());
    assert!(
        matches!(&work[..], [Work::Fallen(news)] if news.held.is_some()),
        "{work:?}"
    );
}

#[test]
fn one_that_is_started_in_an_outage_of_its_gateway_ends_no_hold_and_is_not_in_vain() {
    let mut stage = Stage::new(5);
    stage.rounds(4, true);
    stage.rounds(4, false);
    assert!(stage.is_held());
    // Nobody has asked for it since it was started; then what fails does not count for two minutes.
    stage.census.agents[0].run.as_mut().unwrap().incarnation = 2;
    stage.asks(0, Status::Running, Some(2));
    for _ in 0..20 {
        stage.rounds(1, false);
        assert!(stage.is_held());
        let in_vain = |work: &Work| matches!(work, Work::InVain(..));
        assert!(!stage.sweep().iter().any(in_vain));
    }
    stage.rounds(2, true);
    assert!(!stage.is_held());
    assert_eq!(stage.sweep(), [Work::Revived(2)]);
}

#[test]
fn whoever_got_well_by_itself_while_revivals_were_held_is_not_brought_back() {
    let mut stage = Stage::new(3);
    stage.rounds(4, true);
    stage.rounds(3, false);
    (0..3).for_each(|agent| stage.asks(agent, Status::Held, None));
    assert_eq!(stage.sweep(), []);
    // It answers one of them first: the others are as well as that one.
    stage.clock.pass(30_000);
    stage.probed(0..1, true);
    assert_eq!(stage.sweep(), []);
    stage.probed(1..3, true);
    assert_eq!(stage.sweep(), []);
    stage.clock.pass(30_000);
    stage.probed(0..3, true);
    assert_eq!(stage.sweep(), [const { Work::Recovered }; 3]);
}

#[test]
fn whom_the_gateway_alone_does_not_answer_any_more_is_brought_back_when_the_hold_is_over() {
    let mut stage = Stage::new(3);
    stage.rounds(4, true);
    stage.rounds(3, false);
    (0..3).for_each(|agent| stage.asks(agent, Status::Held, None));
    for _ in 0..3 {
        stage.clock.pass(30_000);
        stage.probed(0..2, true);
        stage.probed(2..3, false);
        stage.sweep();
    }
    assert!(!stage.is_held());
    // Three fell at once: that holds for five minutes.
    stage.world.mass.release();
    let work = stage.sweep();
    assert!(work.contains(&Work::Carry), "{work:?}");
}

#[test]
fn no_more_than_two_behind_a_gateway_have_yet_to_prove_that_they_live() {
    let mut stage = Stage::new(4);
    stage.rounds(4, true);
    (0..4).for_each(|agent| stage.ends(agent, 1));
    stage.enrol();
    let work = stage.sweep();
    let is_held = |work: &&Work| matches!(work, Work::Fallen(news) if news.held.is_some());
    assert_eq!(work.len(), 4);
    assert_eq!(work.iter().filter(is_held).count(), 2, "{work:?}");
}

#[test]
fn two_that_cannot_prove_it_are_in_vain_and_make_room_for_the_next() {
    let mut stage = Stage::new(3);
    stage.rounds(4, true);
    stage.asks(0, Status::Running, Some(1));
    stage.asks(1, Status::Running, Some(1));
    let mut work = Vec::new();
    for _ in 0..12 {
        stage.clock.pass(30_000);
        stage.probed(0..2, false);
        stage.probed(2..3, true);
        work = stage.sweep();
    }
    assert!(
        matches!(&work[..], [Work::InVain(1, _), Work::InVain(1, _)]),
        "{work:?}"
    );
}
