//! Why an agent is as it is: every sign that counts with its numbers, the settings with where each comes from, what holds
//! revivals, and what happens next.

mod holds;
mod next;
mod settings;
mod signals;

pub use settings::Setting;
pub use signals::SignalSeen;

use super::look::{Eye, Look};
use super::root_of;
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::health::Up;
use crate::health::roster::{AgentReport, Beat, Found, Order, Slot};
use crate::health::state::State;
use crate::ops::agent;
use crate::ops::daemon::Daemon;
use crate::ops::find::Scope;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use schemars::JsonSchema;
use serde::Serialize;

/// What is known of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AgentReasons {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The mission's name.
    pub mission_name: String,
    /// The agent.
    pub agent_id: String,
    /// What people call it.
    pub name: String,
    /// How it is.
    pub status: State,
    /// What it last said that it does, in its own words.
    pub says: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Since when; null if nobody watched it turn so.
    pub since: Option<Time>,
    /// Seconds it has made no progress, where that is longer than its task should take.
    pub stalled: Option<u64>,
    /// Whether the daemon says so; else it is a look.
    pub watched: bool,
    /// When the daemon wrote down what that goes on from.
    pub recorded_at: Option<Time>,
    /// Which life of it this is.
    pub incarnation: u64,
    /// Every sort of sign.
    pub signals: Vec<SignalSeen>,
    /// Where its gateway is asked; null if it is not.
    pub gateway: Option<String>,
    /// Until then missing signs do not count.
    pub grace_until: Option<Time>,
    /// Until then it announced to be quiet.
    pub quiet_until: Option<Time>,
    /// The numbers that count for it.
    pub settings: Vec<Setting>,
    /// Why its revival would be held, a sentence each.
    pub holds: Vec<String>,
    /// What it is told with each beat.
    pub orders: Vec<Order>,
    /// What happens next.
    pub next: String,
    /// When, if that is known.
    pub next_at: Option<Time>,
}

/// Says what is known of an agent, and what could not be found out on the way.
pub fn why(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
) -> Result<(AgentReasons, Vec<String>)> {
    let record = agent::show(cell, id)?;
    let scope = Scope::Cell(OpenCell::open(cell.path())?);
    let root = root_of(&scope)?;
    let mut troubles = Vec::new();
    let live = match Daemon::find(&root)? {
        None => None,
        Some(daemon) => match ask(&daemon, cell, id) {
            Ok(live) => live,
            Err(error) => {
                troubles.push(error.to_string());
                None
            }
        },
    };
    let eye = if live.is_some() {
        Eye::Watched
    } else {
        Eye::Asks
    };
    let only = [id.clone()];
    let mut look = Look::at(session, &scope, Some(&only), eye)?;
    let found = look.roster.find(id.as_str(), Some(cell.id().as_str()));
    let Found::One(slot) = found else {
        // Its file was read a moment ago: that it is not found means that something could not be read.
        let why = look.into_troubles().into_iter().next();
        return Err(why.map_or_else(
            || agent::not_here(cell, id),
            |why| Error::new(Kind::CouldNotTell, why).hint("`mcell validate` may say more"),
        ));
    };
    if let Some(live) = &live {
        catch_up(&mut look, slot, live);
    }
    let holds = holds::of(session, &root, &look, slot, &mut troubles)?;
    let watched = look
        .roster
        .get(slot)
        .ok_or_else(|| agent::not_here(cell, id))?;
    let now = look.now;
    let verdict = watched.verdict(now.up);
    let report = live.clone().unwrap_or_else(|| watched.report(now));
    let (next, next_at) = next::of(watched, &verdict, cell.id().short(), now);
    let key = (cell.id().clone(), id.clone());
    let reasons = AgentReasons {
        cell_id: cell.id().to_string(),
        mission_name: look
            .roster
            .cell(cell.id().as_str())
            .map_or_else(String::new, |census| census.mission_name.clone()),
        agent_id: id.to_string(),
        name: record.name.clone(),
        status: report.status,
        says: report.says.clone(),
        reason: report.reason.clone(),
        since: since(
            &report,
            live.is_some() || watched.state == report.status,
            now,
        ),
        stalled: report.stalled,
        watched: live.is_some(),
        recorded_at: look.recorded,
        incarnation: report.incarnation,
        signals: signals::of(watched, look.notes.get(&key).map(String::as_str), now),
        gateway: look
            .targets
            .get(&key)
            .map(|target| target.address.to_string() + &target.path),
        grace_until: watched
            .signs
            .grace(now.up)
            .and_then(|(_, until)| at(until, now)),
        quiet_until: watched.signs.quiet(now.up).and_then(|until| at(until, now)),
        settings: settings::of(session, id, record.health.as_ref(), &watched.case.settings)?,
        holds,
        orders: watched.standing_order().into_iter().collect(),
        next,
        next_at,
    };
    troubles.extend(look.into_troubles());
    Ok((reasons, troubles))
}

/// What the daemon says of an agent; none if it does not know it yet.
fn ask(daemon: &Daemon, cell: &OpenCell, id: &AgentId) -> Result<Option<AgentReport>> {
    match daemon.get(&format!("/cells/{}/agent/{id}", cell.id())) {
        Ok(answer) => Ok(serde_json::from_value(answer).ok()),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The daemon writes down what it heard once a sweep: a beat since then is known by its answer.
fn catch_up(look: &mut Look, slot: Slot, live: &AgentReport) {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest whole number"
    )]
    let wall = |seconds: f64| (seconds * 1000.0) as i64;
    let Some(beat) = live.last_heartbeat.map(wall) else {
        return;
    };
    let known = look.roster.get(slot).and_then(|watched| watched.heard.beat);
    if known.is_some_and(|known| known >= beat) {
        return;
    }
    let ago = u64::try_from(look.now.wall.saturating_sub(beat)).unwrap_or(0);
    let then = Clocks {
        up: look.now.up.saturating_sub(ago),
        wall: beat,
        awake: look.now.awake,
    };
    // What is refused here the daemon had no reason to refuse: its own answer goes before anyway.
    let _ = look.roster.beat(slot, &Beat::default(), then);
}

fn since(report: &AgentReport, is_known: bool, now: Clocks) -> Option<Time> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest whole number, which is no time"
    )]
    let since = Time::from_unix(report.since as i64)?;
    // A look that saw it for the first time knows of no before.
    let is_now = since.unix_milliseconds().saturating_add(1000) > now.wall;
    (is_known && !(is_now && report.status == State::Unknown)).then_some(since)
}

/// A moment of the boot's clock, on the wall; none beyond the years that can be written.
fn at(up: Up, now: Clocks) -> Option<Time> {
    let ahead = i64::try_from(i128::from(up) - i128::from(now.up)).unwrap_or(0);
    let wall = now.wall.saturating_add(ahead).div_euclid(1000);
    Time::from_unix(wall)
}
