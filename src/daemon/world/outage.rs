//! An outage of a gateway with thirty agents behind it, each asked at a time of its own: nobody is brought back for it before
//! it is over.

use super::{Action, Work, World, model};
use crate::base::boot::{Clocks, Moment};
use crate::base::clock::Time;
use crate::base::ids::RevivalId;
use crate::health::probe::Answer;
use crate::health::roster::Found;
use crate::health::settings::Settings;
use crate::mission::census::{AgentCensus, CellCensus, OpenRevival};
use crate::mission::revival::Status;
use crate::mission::run::RunNote;
use std::sync::Arc;
use std::time::Duration;

const AGENTS: u64 = 30;
/// Seconds between two questions to one agent's gateway.
const INTERVAL: u64 = 30;

fn census() -> CellCensus {
    let behind = |number| {
        let mut agent = model::agent(number);
        agent.gateway = Some(String::from("gateway"));
        (agent.has_run, agent.is_wanted, agent.is_alive) = (true, true, true);
        agent.run = Some(RunNote {
            incarnation: 1,
            ..RunNote::default()
        });
        agent
    };
    CellCensus {
        agents: (0..AGENTS).map(|number| behind(number as usize)).collect(),
        ..model::cell(0)
    }
}

fn clocks(second: u64) -> Clocks {
    Clocks {
        up: second * 1000,
        awake: second * 1000,
        wall: i64::try_from(second * 1000).unwrap(),
    }
}

/// What is to be done in one second, in which whose turn it is hears from the gateway.
fn second(world: &mut World, second: u64, is_up: bool) -> Vec<Action> {
    let clocks = clocks(second);
    for number in (0..AGENTS).filter(|number| number % INTERVAL == second % INTERVAL) {
        let id = format!("agent_{number:03}");
        let Found::One(slot) = world.roster.find(&id, None) else {
            panic!("{id} is not there");
        };
        let answer = match is_up {
            true => Answer::Good,
            false => Answer::Failed(String::from("refused")),
        };
        world
            .roster
            .probed(slot, answer, Duration::from_millis(3), clocks);
    }
    let now = Moment {
        wall: Time::from_unix(i64::try_from(second).unwrap()).unwrap(),
        boot: Some(String::from("boot")),
        up: clocks.up,
    };
    world.decide(&now, clocks)
}

#[test]
fn openkruise_641_an_outage_of_what_all_of_them_share_restarts_nobody_though_they_notice_one_by_one()
 {
    let mut world = World::new(Settings::default(), INTERVAL);
    let mut census = census();
    let enrol = |world: &mut World, census: &CellCensus, at| {
        let target = |agent: &AgentCensus| agent.gateway.as_deref().map(Arc::from);
        world
            .roster
            .enrol(&Arc::new(census.clone()), target, clocks(at));
    };
    enrol(&mut world, &census, 1000);
    let mut held = 0;
    // Ten minutes in which it answers, ten in which it does not.
    for at in 1000..2200 {
        for action in second(&mut world, at, at < 1600) {
            let Action::Revive(slot, work) = action else {
                continue;
            };
            let id = world.roster.get(slot).unwrap().agent.clone();
            let Work::Fallen(news) = work else {
                panic!("at {at} {id} is to be started: {work:?}");
            };
            assert!(news.held.is_some(), "at {at} {id} is not held: {news:?}");
            held += 1;
            let mut agents = census.agents.iter_mut();
            agents.find(|one| one.id == id).unwrap().revival = Some(OpenRevival {
                id: RevivalId::random(),
                status: Status::Held,
                not_before: None,
                is_free: false,
                incarnation: None,
            });
            enrol(&mut world, &census, at);
        }
    }
    assert_eq!(held, AGENTS);
    assert!(world.mass.hold.is_none(), "its cause is known");
    // It answers again: each gets well by itself, and nobody is restarted for it.
    let mut recovered = 0;
    for at in 2200..2400 {
        for action in second(&mut world, at, true) {
            let Action::Revive(slot, work) = action else {
                continue;
            };
            let id = world.roster.get(slot).unwrap().agent.clone();
            assert_eq!(work, Work::Recovered, "at {at} {id}");
            recovered += 1;
            let mut agents = census.agents.iter_mut();
            agents.find(|one| one.id == id).unwrap().revival = None;
            enrol(&mut world, &census, at);
        }
    }
    assert_eq!(recovered, AGENTS);
}
