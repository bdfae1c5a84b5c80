//! A story: one thing that an operator should hear of, as words and as JSON (docs/webhooks.md).
//!
//! What is told is what somebody may have to do something about. Degraded agents, single failures, and what an operator
//! did on purpose are not: they are in the log, in `mcell health` and in the metrics.

use crate::base::clock::Time;
use crate::base::text::{cut, shown};
use crate::health::incident::Incident;
use crate::mission::revival::Revival;
use serde::{Deserialize, Serialize};

/// The most letters of the first line.
const LONGEST_SUBJECT: usize = 200;
/// The most letters of any other piece of text: what comes from files and gateways may be as long as they are.
const LONGEST: usize = 1_000;

/// What happened. The words are public and never change; more may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// An agent turned unhealthy, and its incident begins.
    #[serde(rename = "agent.unhealthy")]
    AgentUnhealthy,
    /// It was healthy for ten minutes: its incident is over.
    #[serde(rename = "agent.recovered")]
    AgentRecovered,
    /// An agent lives, and makes no progress.
    #[serde(rename = "agent.stalled")]
    AgentStalled,
    /// It made progress for ten minutes.
    #[serde(rename = "agent.progressing")]
    AgentProgressing,
    /// The revival of an agent waits for an operator.
    #[serde(rename = "revival.waits")]
    RevivalWaits,
    /// An agent fell again and again: it is given up, but for a try every half hour.
    #[serde(rename = "agent.quarantined")]
    AgentQuarantined,
    /// Somebody broke an agent on purpose: what follows is no failure.
    #[serde(rename = "drill.began")]
    DrillBegan,
    /// That is over, and what came of it.
    #[serde(rename = "drill.ended")]
    DrillEnded,
    /// The daemon holds revivals back, since many fell at once.
    #[serde(rename = "hold.begun")]
    HoldBegun,
    /// It does so no longer.
    #[serde(rename = "hold.ended")]
    HoldEnded,
    /// The daemon runs again after it was killed or crashed: for a while nobody watched.
    #[serde(rename = "daemon.restarted")]
    DaemonRestarted,
}

impl Event {
    /// Every event, in the order in which help shows them.
    pub const ALL: [Event; 11] = [
        Event::AgentUnhealthy,
        Event::AgentRecovered,
        Event::AgentStalled,
        Event::AgentProgressing,
        Event::RevivalWaits,
        Event::AgentQuarantined,
        Event::DrillBegan,
        Event::DrillEnded,
        Event::HoldBegun,
        Event::HoldEnded,
        Event::DaemonRestarted,
    ];

    /// The word in JSON, in the environment and in the config.
    pub const fn word(self) -> &'static str {
        match self {
            Event::AgentUnhealthy => "agent.unhealthy",
            Event::AgentRecovered => "agent.recovered",
            Event::AgentStalled => "agent.stalled",
            Event::AgentProgressing => "agent.progressing",
            Event::RevivalWaits => "revival.waits",
            Event::AgentQuarantined => "agent.quarantined",
            Event::DrillBegan => "drill.began",
            Event::DrillEnded => "drill.ended",
            Event::HoldBegun => "hold.begun",
            Event::HoldEnded => "hold.ended",
            Event::DaemonRestarted => "daemon.restarted",
        }
    }

    /// Tells whether a word of a webhook's `events` means this one: the event itself, `agent.*` or `*`.
    pub fn is_meant_by(self, word: &str) -> bool {
        match word.strip_suffix('*') {
            Some(beginning) => self.word().starts_with(beginning),
            None => self.word() == word,
        }
    }
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Its own name: the same story, told again after a failure, has the same one.
    pub id: String,
    /// What happened.
    pub event: Event,
    /// What it is part of: the same for the beginning and the end.
    pub incident: String,
    /// When it happened.
    pub at: Time,
    /// The host of the daemon.
    #[serde(default)]
    pub host: String,
    /// The root that it watches.
    #[serde(default)]
    pub root: String,
    /// The cell; null if it is about none.
    #[serde(default)]
    pub cell_id: Option<String>,
    /// The name of that cell's mission.
    #[serde(default)]
    pub mission_name: Option<String>,
    /// The agent; null if it is about none.
    #[serde(default)]
    pub agent_id: Option<String>,
    /// The state before.
    #[serde(default)]
    pub from: Option<String>,
    /// The state now.
    #[serde(default)]
    pub to: Option<String>,
    /// Why, in a sentence without a full stop.
    #[serde(default)]
    pub reason: String,
    /// What happens next, by itself, in a sentence without a full stop.
    #[serde(default)]
    pub next: Option<String>,
    /// What to type.
    #[serde(default)]
    pub command: Option<String>,
}

/// An agent as a story names it.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// Its cell; none for an agent that belongs to no cell.
    pub cell_id: Option<&'a str>,
    /// The name of the mission.
    pub mission_name: &'a str,
    /// The agent.
    pub agent_id: &'a str,
}

impl Story {
    /// A story of this root. `incident` names what it is part of; an event happens once in an incident.
    pub fn new(event: Event, incident: &str, at: Time, reason: &str) -> Self {
        Story {
            id: format!("{incident}/{}", event.word()),
            event,
            incident: incident.to_owned(),
            at,
            host: String::new(),
            root: String::new(),
            cell_id: None,
            mission_name: None,
            agent_id: None,
            from: None,
            to: None,
            reason: cut(reason, LONGEST).into_owned(),
            next: None,
            command: None,
        }
    }

    /// A story of an agent in an incident: its cell, its id and the second in which it began name that.
    pub fn of_agent(
        event: Event,
        whom: Whom<'_>,
        incident: &Incident,
        at: Time,
        reason: &str,
    ) -> Self {
        let key = match whom.cell_id {
            Some(cell) => format!("{cell}/{}", whom.agent_id),
            None => whom.agent_id.to_owned(),
        };
        let began = incident.opened_at.unix();
        let mission = cut(whom.mission_name, LONGEST_SUBJECT / 2);
        Story {
            cell_id: whom.cell_id.map(str::to_owned),
            mission_name: whom.cell_id.map(|_| mission.into_owned()),
            agent_id: Some(whom.agent_id.to_owned()),
            command: Some(format!("mcell why {key}")),
            ..Story::new(event, &format!("{key}/{began}"), at, reason)
        }
    }

    /// A story of a request to bring an agent back.
    pub fn of_revival(event: Event, mission_name: &str, revival: &Revival, at: Time) -> Self {
        let (cell, agent) = (&revival.cell_id, &revival.agent_id);
        let mission = cut(mission_name, LONGEST_SUBJECT / 2);
        let reason = match &revival.why {
            Some(why) => format!("{}; {why}", revival.reason),
            None => revival.reason.clone(),
        };
        Story {
            cell_id: Some(cell.clone()),
            mission_name: Some(mission.into_owned()),
            agent_id: Some(agent.clone()),
            ..Story::new(
                event,
                &format!("{cell}/{agent}/{}", revival.id),
                at,
                &reason,
            )
        }
    }

    /// Adds the change of state.
    #[must_use]
    pub fn change(mut self, from: &str, to: &str) -> Self {
        self.from = Some(from.to_owned());
        self.to = Some(to.to_owned());
        self
    }

    /// Adds what happens next.
    #[must_use]
    pub fn then(mut self, next: &str) -> Self {
        self.next = Some(cut(next, LONGEST).into_owned());
        self
    }

    /// Adds what to type.
    #[must_use]
    pub fn type_this(mut self, command: &str) -> Self {
        self.command = Some(command.to_owned());
        self
    }

    /// The first line: who, what and why. It has no control characters.
    pub fn subject(&self) -> String {
        let who = match (&self.agent_id, &self.mission_name) {
            (Some(agent), Some(mission)) => format!("{agent} of {mission}"),
            (Some(agent), None) => agent.clone(),
            _ => format!("the daemon of {}", self.root),
        };
        let reason = &self.reason;
        let line = match self.event {
            Event::AgentUnhealthy => format!("{who} is unhealthy: {reason}"),
            Event::AgentRecovered => format!("{who} is healthy again"),
            Event::AgentStalled => format!("{who} makes no progress: {reason}"),
            Event::AgentProgressing => format!("{who} makes progress again"),
            Event::RevivalWaits => format!("{who} waits for you to be brought back: {reason}"),
            Event::AgentQuarantined => format!("{who} is given up for now: {reason}"),
            Event::DrillBegan => format!("{who} is broken on purpose: {reason}"),
            Event::DrillEnded => format!("the drill of {who} is over: {reason}"),
            Event::HoldBegun => format!("revivals are held: {reason}"),
            Event::HoldEnded => String::from("revivals are no longer held"),
            Event::DaemonRestarted => format!("{who} runs again: {reason}"),
        };
        cut(&shown(&line), LONGEST_SUBJECT).into_owned()
    }

    /// The whole story as plain text: the subject, an empty line, and what is known, a line each.
    pub fn text(&self) -> String {
        let change = match (&self.from, &self.to) {
            (Some(from), Some(to)) => Some(format!("from {from} to {to}")),
            _ => None,
        };
        let cell = self.cell_id.as_ref().map(|cell| match &self.mission_name {
            Some(mission) => format!("{cell} ({mission})"),
            None => cell.clone(),
        });
        let lines = [
            ("at", Some(self.at.to_string())),
            ("host", Some(self.host.clone())),
            ("root", Some(self.root.clone())),
            ("cell", cell),
            ("agent", self.agent_id.clone()),
            ("change", change),
            ("reason", Some(self.reason.clone())),
            ("next", self.next.clone()),
            ("type", self.command.clone()),
            ("event", Some(self.event.word().to_owned())),
            ("incident", Some(self.incident.clone())),
        ];
        let mut text = self.subject();
        text.push_str("\n\n");
        for (name, value) in lines {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!("{name:<10}{}\n", shown(&value)));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
