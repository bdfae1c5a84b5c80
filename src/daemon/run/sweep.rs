//! One sweep: read what changed, judge, act, write down.

use super::revivals::{self, Outcome};
use super::{Pit, stories};
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::error::{Kind, Result};
use crate::base::ids::CellId;
use crate::daemon::log::Level;
use crate::daemon::story::Story;
use crate::daemon::tree::{Heard, Refreshed};
use crate::daemon::world::{Action, Change, World};
use crate::health::roster::{Found, Record, Refusal};
use crate::health::state::State;
use crate::mission::revival::Status;
use crate::ops::{hold, presence};
use crate::store::{health, layout};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// After how many milliseconds the state is written though nothing happened: its file may be gone.
const LASTS: u64 = 600_000;

/// What of the state was written last, and that the agents were, too.
#[derive(Debug)]
pub(super) struct OnFile {
    /// When, in milliseconds since the boot.
    up: u64,
    beside_agents: Record<()>,
}

impl Pit {
    /// Looks at everything that changed, and does what follows. `is_whole`: what the daemon says of itself is written in any
    /// case, and the state if there are news.
    pub(super) fn sweep(&mut self, is_whole: bool) -> Result<()> {
        let begun = Instant::now();
        let now = self.desk.moment();
        match self.tree.refresh(&now) {
            Ok(refreshed) => self.take(refreshed),
            Err(error) => {
                self.is_soon = false;
                self.tell_once("root.gone", &error.to_string());
            }
        }
        match hold::in_force(&self.root, now.wall) {
            Ok(hold) => self.desk.world().operators_hold = hold,
            // What cannot be read is left as it was: a hold goes on.
            Err(error) => self.tell_once("hold.unreadable", &error.to_string()),
        }
        let actions = {
            let (mut world, clocks) = self.desk.world_now();
            world.decide(&now, clocks)
        };
        actions.into_iter().for_each(|action| self.act(action));
        revivals::reap();
        for outcome in self.revivals.take_outcomes() {
            self.tell_revival(&outcome);
        }
        let stories = stories::of_agents(&mut self.desk.world(), &now);
        stories.into_iter().for_each(|story| self.tell(story));
        if is_whole || self.has_changed {
            self.write_down()?;
        }
        let up = Clocks::now(self.desk.clock).up;
        self.desk.swept(up);
        self.desk.metrics.sweep(begun.elapsed(), up);
        Ok(())
    }

    /// Takes what changed in the tree.
    pub(super) fn take(&mut self, refreshed: Refreshed) {
        for note in &refreshed.notes {
            self.tell_once("tree.note", note);
        }
        for trouble in self.tree.troubles().collect::<Vec<_>>() {
            self.tell_once("tree.trouble", &trouble);
        }
        let desk = Arc::clone(&self.desk);
        for cell in refreshed.went {
            self.probes.dismiss(&cell);
            desk.world().roster.dismiss(&cell);
        }
        let mut notes = Vec::new();
        for cell in &refreshed.changed {
            self.enrol(cell, &mut notes);
        }
        for note in notes {
            self.tell_once("gateway.note", &note);
        }
        for heard in refreshed.beats {
            self.hear(&heard);
        }
        self.is_soon = refreshed.is_soon;
    }

    pub(super) fn enrol(&mut self, cell: &CellId, notes: &mut Vec<String>) {
        let Some(census) = self.tree.cells().get(cell).map(Arc::clone) else {
            return;
        };
        let folder = self.desk.root.join(cell.as_str());
        self.probes.forget(cell);
        let aims: Vec<_> = census
            .agents
            .iter()
            .map(|agent| self.probes.aim(cell, &folder, agent, notes))
            .collect();
        let (mut world, clocks) = self.desk.world_now();
        world.roster.enrol(
            &census,
            |agent| {
                let at = census
                    .agents
                    .binary_search_by(|other| other.id.cmp(&agent.id))
                    .ok()?;
                aims.get(at).cloned().flatten()
            },
            clocks,
        );
    }

    /// Takes a sign of life that came by file.
    pub(super) fn hear(&self, heard: &Heard) {
        let (mut world, clocks) = self.desk.world_now();
        let now = self.desk.moment();
        let Found::One(slot) = world
            .roster
            .find(heard.agent.as_str(), Some(heard.cell.as_str()))
        else {
            return;
        };
        let outcome = world
            .roster
            .hear_file(slot, &heard.beat, now.boot.as_deref(), clocks);
        drop(world);
        match outcome {
            // It was taken before.
            None => {}
            Some(Ok(())) => self.desk.metrics.beat_accepted(),
            Some(Err(refusal)) => {
                self.desk.metrics.beat_refused();
                if let Refusal::Fenced(present) = refusal {
                    let text = format!(
                        "{} beats as a life that is over; it is in its {present}. now",
                        heard.agent
                    );
                    self.desk.log.say(
                        Level::Warning,
                        "beat.fenced",
                        &text,
                        &[("cell_id", heard.cell.as_str())],
                    );
                }
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Forgiven(what) => {
                self.desk
                    .log
                    .warn("clock", &format!("{what}: every agent has grace again"));
            }
            Action::Changed(change) => self.tell_change(&change),
            Action::Probe(slot) => self.probes.ask(&self.desk, slot),
            Action::Settle(cell) => self.hands.settle(cell),
            Action::Revive(slot, work) => {
                let whom = {
                    let world = self.desk.world();
                    let watched = world.roster.get(slot);
                    watched.and_then(|one| Some((one.cell.clone()?, one.agent.clone())))
                };
                if let Some((cell, agent)) = whom {
                    self.revivals.give(cell, agent, work);
                }
            }
            // It goes with the answer to the next beat.
            Action::CheckpointNow(_) => {}
            Action::Held(why) => {
                self.desk
                    .log
                    .warn("hold.begun", &format!("revivals are held: {why}"));
                self.events
                    .say("hold", &json!({ "held": true, "reason": why }));
                self.tell_hold(true, &why);
            }
            Action::Released(why) => {
                self.desk.log.warn(
                    "hold.ended",
                    &format!("revivals go on; they were held because {why}"),
                );
                self.events
                    .say("hold", &json!({ "held": false, "reason": why }));
                self.tell_hold(false, &why);
            }
        }
    }

    fn tell_revival(&mut self, outcome: &Outcome) {
        let level = match outcome.revival.as_ref().map(|revival| revival.status) {
            Some(Status::PendingApproval | Status::Suppressed) => Level::Warning,
            _ if outcome.is_quarantined => Level::Warning,
            _ => Level::Info,
        };
        let about = [
            ("cell_id", outcome.cell.as_str()),
            ("agent_id", outcome.agent.as_str()),
        ];
        let event = match &outcome.revival {
            Some(_) => "revival",
            None => "agent.finished",
        };
        self.desk.log.say(level, event, &outcome.words(), &about);
        if let Some(revival) = &outcome.revival {
            self.events.say("revival", revival);
            let now = self.desk.moment();
            let mission = {
                let world = self.desk.world();
                let census = world.roster.cell(outcome.cell.as_str());
                census.map(|census| census.mission_name.clone())
            };
            let mission = mission.unwrap_or_default();
            let story = stories::of_revival(&mission, revival, outcome.is_quarantined, &now);
            if let Some(story) = story {
                self.tell(story);
            }
        }
        self.has_changed = true;
    }

    fn tell_hold(&mut self, has_begun: bool, why: &str) {
        let now = self.desk.moment();
        // The same words, if they come again, are of another hold.
        let since = self
            .holds
            .entry(why.to_owned())
            .or_insert_with(|| now.wall.to_string())
            .clone();
        if !has_begun {
            self.holds.remove(why);
        }
        self.tell(stories::of_hold(has_begun, why, &since, &now));
    }

    /// Tells people, and whoever listens to events.
    pub(super) fn tell(&mut self, story: Story) {
        self.events.say("story", &story);
        self.has_changed = true;
        self.teller.tell(story);
    }

    fn tell_change(&mut self, change: &Change) {
        let level = match change.to {
            State::Unhealthy => Level::Warning,
            _ => Level::Info,
        };
        let (from, to) = (change.from.word(), change.to.word());
        let text = format!(
            "{}/{}: {from} -> {to}: {}",
            change.cell.short(),
            change.agent,
            change.reason
        );
        let about = [
            ("cell_id", change.cell.as_str()),
            ("agent_id", change.agent.as_str()),
            ("from", from),
            ("to", to),
            ("reason", change.reason.as_str()),
        ];
        self.desk.log.say(level, "agent.changed", &text, &about);
        let report = {
            let (world, now) = self.desk.world_now();
            match world
                .roster
                .find(change.agent.as_str(), Some(change.cell.as_str()))
            {
                Found::One(slot) => world.roster.report(slot, now),
                _ => None,
            }
        };
        if let Some(report) = report {
            self.events.say("agent", &report);
        }
        self.has_changed = true;
    }

    /// Writes the state, and what the daemon says of itself.
    fn write_down(&mut self) -> Result<()> {
        self.about.last_sweep = Some(self.desk.clock.now());
        match self.write_state().and_then(|()| self.write_about()) {
            // Health goes on without disk.
            Err(error) if error.kind() == Kind::Storage => {
                self.tell_once("state.unwritten", &error.to_string());
                Ok(())
            }
            written => written,
        }
    }

    /// Writes what a restart shall find, unless that is on file: where nothing happens nothing is written.
    pub(super) fn write_state(&mut self) -> Result<()> {
        let boot = self.desk.moment().boot;
        let untold = self.teller.unkept();
        let (mut world, clocks) = self.desk.world_now();
        let has_news = world.roster.takes_news();
        let mut record = world.record(boot, clocks);
        record.untold = untold
            .iter()
            .filter_map(|story| serde_json::to_value(story).ok())
            .collect();
        let beside_agents = record.beside_agents();
        self.on_file.take_if(|on_file| {
            let age = clocks.up.saturating_sub(on_file.up);
            has_news || age >= LASTS || on_file.beside_agents != beside_agents
        });
        if self.on_file.is_some() {
            return Ok(());
        }
        let text = health::text(&record)?;
        drop(world);
        health::write(&self.root, &text)?;
        self.on_file = Some(OnFile {
            up: clocks.up,
            beside_agents,
        });
        Ok(())
    }

    /// Writes what the daemon says of itself.
    pub(super) fn write_about(&self) -> Result<()> {
        let text = crate::store::commit::pretty(&self.about)?;
        self.root.write_state(layout::DAEMON, &text)
    }

    /// One line when something changed, and one an hour.
    pub(super) fn tell_health(&mut self) {
        let now = self.desk.moment().up;
        let is_due = self
            .told_health
            .is_none_or(|at| now.saturating_sub(at) >= 3_600_000);
        if !std::mem::take(&mut self.has_changed) && !is_due {
            return;
        }
        self.told_health = Some(now);
        let status = self.status();
        self.desk.log.info("health", &status);
    }

    /// How everything is, in a line.
    pub(super) fn status(&self) -> String {
        let world = self.desk.world();
        status_of(&world, self.tree.cells().len())
    }

    /// Says something as long as it has not been said since the last time it was otherwise.
    pub(super) fn tell_once(&mut self, event: &str, text: &str) {
        let at: Time = self.desk.clock.now();
        if self.told.insert(format!("{event} {text}"), at).is_none() {
            self.desk.log.warn(event, text);
        }
    }
}

fn status_of(world: &World, cells: usize) -> String {
    let counts = world.roster.counts();
    let agents = counts.healthy + counts.degraded + counts.unhealthy + counts.unknown;
    format!(
        "{}, {}: {} healthy, {} degraded, {} unhealthy, {} unknown",
        crate::base::text::count(cells, "cell"),
        crate::base::text::count(agents, "agent"),
        counts.healthy,
        counts.degraded,
        counts.unhealthy,
        counts.unknown,
    )
}

/// The presence of this process as the root's daemon.
pub(super) fn about(
    now: Time,
    setup: &crate::daemon::setup::Setup,
    listen: Vec<String>,
) -> presence::About {
    presence::About {
        pid: std::process::id(),
        life: crate::base::ids::request(),
        version: String::from(env!("CARGO_PKG_VERSION")),
        url: listen.first().cloned(),
        listen,
        config: setup.file.as_ref().map(|file| file.display().to_string()),
        started_at: Some(now),
        last_sweep: None,
        is_stopped: false,
    }
}
