//! What people are told, and that it is told once: incidents of agents, and holds.

use crate::base::boot::Moment;
use crate::base::duration::in_words;
use crate::base::error::Result;
use crate::daemon::desk::Desk;
use crate::daemon::setup::Setup;
use crate::daemon::story::{Event, Story, Whom};
use crate::daemon::tell::{Note, Pace, Receivers, Setting, Teller};
use crate::daemon::world::World;
use crate::health::incident::{Look, Turn};
use crate::health::roster::{Found, Roster, Watched};
use crate::health::state::State;
use crate::mission::drill::Drill;
use crate::mission::revival::{Revival, Status};
use crate::ops::presence::About;
use crate::store::root::Root;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Starts whoever tells people.
pub(super) fn start(desk: &Arc<Desk>, root: &Root, setup: &Setup) -> Result<Teller> {
    let log = Arc::clone(desk);
    Teller::start(Setting {
        root: root.path(),
        receivers: Receivers::of(&setup.config),
        pace: Pace::default(),
        clock: desk.clock,
        metrics: Arc::clone(&desk.metrics),
        hear: Arc::new(move |note: &Note| {
            log.log.say(note.level(), "story", &note.to_string(), &[]);
        }),
    })
}

/// What is to be told at this moment of agents. Whoever is paused or gone has no incident any more.
pub(super) fn of_agents(world: &mut World, now: &Moment) -> Vec<Story> {
    let mut stories = Vec::new();
    let is_held = world.mass.hold.is_some();
    let held: Vec<String> = world.held_gateways().map(str::to_owned).collect();
    let World {
        roster,
        incidents,
        stalls,
        drills,
        ..
    } = world;
    let is_known =
        |key: &str| of_key(roster, key).is_some_and(|watched| watched.case.idle.is_none());
    incidents.keep(is_known);
    stalls.keep(is_known);
    for (_, watched) in roster.all() {
        stories.extend(of_drill(roster, drills, watched, now));
        let is_ill = watched.state == State::Unhealthy;
        let verdict = watched.verdict(now.up);
        let is_in_trouble = is_ill || verdict.stalled.is_some();
        // Nobody in a fleet that is well costs more than this look.
        if !is_in_trouble && incidents.is_empty() && stalls.is_empty() {
            continue;
        }
        let Some(key) = key(watched).filter(|_| watched.case.idle.is_none()) else {
            continue;
        };
        if is_ill || incidents.of(&key).is_some() {
            let look = match watched.state {
                State::Unhealthy => Look::Ill,
                State::Healthy => Look::Well,
                _ => Look::Between,
            };
            let by_gateway = watched
                .target
                .as_ref()
                .is_some_and(|target| held.iter().any(|held| **held == **target));
            // If it is still down when the drill is over, it is told then.
            let is_drill = watched.drill.as_ref().is_some_and(|one| one.is_on(now));
            let is_spoken_for = is_held || by_gateway || is_drill;
            if let Some(turn) = incidents.look(&key, look, is_spoken_for, now) {
                stories.extend(of_turn(
                    roster,
                    watched,
                    &turn,
                    [Event::AgentUnhealthy, Event::AgentRecovered],
                    now,
                ));
            }
        }
        if verdict.stalled.is_some() || stalls.of(&key).is_some() {
            let look = if verdict.stalled.is_some() {
                Look::Ill
            } else {
                Look::Well
            };
            if let Some(turn) = stalls.look(&key, look, false, now) {
                stories.extend(of_turn(
                    roster,
                    watched,
                    &turn,
                    [Event::AgentStalled, Event::AgentProgressing],
                    now,
                ));
            }
        }
    }
    stories
}

fn key(watched: &Watched) -> Option<String> {
    watched
        .cell
        .as_ref()
        .map(|cell| format!("{cell}/{}", watched.agent))
}

fn of_key<'r>(roster: &'r Roster, key: &str) -> Option<&'r Watched> {
    let (cell, agent) = key.split_once('/')?;
    match roster.find(agent, Some(cell)) {
        Found::One(slot) => roster.get(slot),
        _ => None,
    }
}

fn of_turn(
    roster: &Roster,
    watched: &Watched,
    turn: &Turn,
    events: [Event; 2],
    now: &Moment,
) -> Option<Story> {
    let cell = watched.cell.as_ref()?;
    let census = roster.cell(cell.as_str())?;
    let whom = Whom {
        cell_id: Some(cell.as_str()),
        mission_name: &census.mission_name,
        agent_id: watched.agent.as_str(),
    };
    let verdict = watched.verdict(now.up);
    let reason = match verdict.stalled {
        Some(seconds) if events[0] == Event::AgentStalled => {
            format!("no progress for {}", in_words(seconds))
        }
        _ => verdict.reason.to_string(),
    };
    let [begin, end] = events;
    Some(match turn {
        Turn::Began(incident) => {
            let next = if watched.has_run {
                "a revival, as the policy auto_revive of its cell says"
            } else {
                "nothing by itself: mcell does not start this agent"
            };
            Story::of_agent(begin, whom, incident, now.wall, &reason)
                .change(State::Healthy.word(), verdict.state.word())
                .then(next)
        }
        Turn::Ended(incident) => Story::of_agent(end, whom, incident, now.wall, &reason)
            .change(State::Unhealthy.word(), verdict.state.word()),
    })
}

/// What is to be told of the drill of an agent, if it has one: that it began, and what came of it.
fn of_drill(
    roster: &Roster,
    told: &mut BTreeMap<String, Drill>,
    watched: &Watched,
    now: &Moment,
) -> Option<Story> {
    let drill = watched.drill.as_ref()?;
    let key = key(watched)?;
    let is_told = told
        .get(&key)
        .is_some_and(|known| known.incarnation == drill.incarnation);
    let (event, reason) = match (drill.is_on(now), is_told) {
        (true, false) => {
            told.insert(key.clone(), drill.clone());
            let target = in_words(drill.target);
            let reason = format!("{drill}; it is to be back in {target}");
            (Event::DrillBegan, reason)
        }
        (false, true) => {
            told.remove(&key);
            let lost = "whoever began it did not see it through";
            let outcome = drill.outcome.as_deref().unwrap_or(lost);
            (Event::DrillEnded, format!("{drill}: {outcome}"))
        }
        _ => return None,
    };
    let cell = watched.cell.as_ref()?;
    let mission = roster
        .cell(cell.as_str())
        .map_or_else(String::new, |census| census.mission_name.clone());
    let began = drill.began_at.unix();
    let story = Story::new(event, &format!("{key}/drill/{began}"), now.wall, &reason);
    Some(Story {
        cell_id: Some(cell.to_string()),
        mission_name: Some(mission),
        agent_id: Some(watched.agent.to_string()),
        command: Some(format!("mcell why {key}")),
        ..story
    })
}

/// What is to be told of a request: once that it waits for an operator, once that its agent is given up for now.
pub(super) fn of_revival(
    mission_name: &str,
    revival: &Revival,
    is_quarantined: bool,
    now: &Moment,
) -> Option<Story> {
    let story = |event| Story::of_revival(event, mission_name, revival, now.wall);
    if is_quarantined {
        let revive = format!("mcell revive {}/{}", revival.cell_id, revival.agent_id);
        return Some(
            story(Event::AgentQuarantined)
                .then("a try every half hour")
                .type_this(&revive),
        );
    }
    (revival.status == Status::PendingApproval).then(|| {
        story(Event::RevivalWaits)
            .then("nothing by itself")
            .type_this(&format!("mcell approve {}", revival.id))
    })
}

/// A hold that began or ended. `at` names it: since when it holds.
pub(super) fn of_hold(has_begun: bool, why: &str, since: &str, now: &Moment) -> Story {
    let event = if has_begun {
        Event::HoldBegun
    } else {
        Event::HoldEnded
    };
    Story::new(event, &format!("hold/{since}"), now.wall, why).type_this("mcell health")
}

/// The daemon runs again, after one that was killed or crashed.
pub(super) fn of_restart(before: &About, now: &Moment) -> Story {
    let why = match before.last_sweep {
        Some(at) => format!("the one before was killed or crashed; nobody watched since {at}"),
        None => String::from("the one before was killed or crashed before its first sweep"),
    };
    Story::new(
        Event::DaemonRestarted,
        &format!("daemon/{}", before.life),
        now.wall,
        &why,
    )
    .type_this("mcell health")
}
