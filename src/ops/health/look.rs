//! One look at agents while nobody watches them: their files, what the last daemon wrote down, their signs on file, and what
//! their gateways answer now.

use super::{Health, Source};
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::error::Result;
use crate::base::ids::{AgentId, CellId};
use crate::health::mass::Mass;
use crate::health::roster::{Found, Overview, Record, Roster};
use crate::mission::beat::Beat;
use crate::mission::census::{AgentCensus, CellCensus};
use crate::ops::config;
use crate::ops::find::Scope;
use crate::ops::gateway::{Gateways, Target};
use crate::ops::probe::{Expected, Pool, Question, Report, Threads};
use crate::ops::session::Session;
use crate::store::census::{self, Seen};
use crate::store::survey::{Depth, Surveyor};
use crate::store::{walk, workers};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Whose gateway is asked.
type Key = (CellId, AgentId);
/// How long beyond its own deadline a probe may keep everybody waiting.
const SLACK: Duration = Duration::from_secs(30);

/// How a look is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eye {
    /// Nobody watches: gateways are asked, and what was silent since the last daemon may have spoken.
    Asks,
    /// A daemon runs and listens: what it did not hear was not said. Nobody is asked.
    Watched,
}

/// What a look found.
#[derive(Debug)]
pub struct Look {
    /// Every agent of the scope, and those of no cell that a daemon knew.
    pub roster: Roster,
    /// When it was.
    pub now: Clocks,
    /// Who fell at once, as far as a daemon saw that since the machine was started.
    pub mass: Mass,
    /// When the daemon wrote down what the look went on from.
    pub recorded: Option<Time>,
    /// Why gateways are not asked, by agent.
    pub notes: BTreeMap<Key, String>,
    /// Where each gateway is asked, by agent.
    pub targets: BTreeMap<Key, Target>,
    /// Since when the machine and its clock agree, for those who reckon with the look.
    pub boot: Option<String>,
    troubles: Vec<String>,
    untold: Vec<String>,
}

/// A cell with the signs of its agents that are on file.
struct Cell {
    census: Arc<CellCensus>,
    beats: Vec<(AgentId, Vec<Beat>)>,
}

impl Look {
    /// Looks at a scope. `only`: whose gateways are asked, if any are; none: everybody's.
    pub fn at(
        session: &Session,
        scope: &Scope,
        only: Option<&[AgentId]>,
        eye: Eye,
    ) -> Result<Self> {
        let root = super::root_of(scope)?;
        let config = config::read(&session.env, None)?.config;
        let moment = session.moment();
        let (mut record, troubles) = super::written(&root)?;
        let now = Clocks::now(session.env.clock);
        if let (Some(record), Eye::Watched) = (&mut record, eye) {
            record.up = now.up;
        }
        let mut look = Look {
            roster: Roster::new(config.usual()),
            now,
            mass: mass_of(record.as_ref(), moment.boot.as_deref()),
            recorded: record.as_ref().and_then(|record| record.at),
            notes: BTreeMap::new(),
            targets: BTreeMap::new(),
            boot: moment.boot,
            troubles,
            untold: Vec::new(),
        };
        let cells = look.read(session, scope)?;
        for cell in &cells {
            let folder = root.path().join(cell.census.cell_id.as_str());
            look.enrol(cell, &config.gateways, &folder);
        }
        look.roster.recall(record, look.boot.as_deref(), look.now);
        for cell in cells {
            hear(
                &mut look.roster,
                &cell.census.cell_id,
                &cell.beats,
                look.boot.as_deref(),
                look.now,
            );
        }
        if eye == Eye::Asks {
            let patience = Duration::from_secs(config.health.probe_timeout);
            look.ask(session, only, patience)?;
        }
        let now = look.now.up;
        for (_, watched) in look.roster.all_mut() {
            watched.signs.settle(&watched.case, now);
        }
        Ok(look)
    }

    fn read(&mut self, session: &Session, scope: &Scope) -> Result<Vec<Cell>> {
        let root = match scope {
            Scope::Cell(cell) => {
                let mut surveyor = Surveyor::new(Depth::Crew);
                let look = census::look_into(&mut surveyor, cell, false);
                return Ok(vec![self.take(look.ok_or_else(|| cell.no_cell())?)]);
            }
            Scope::Root(root) => root,
        };
        let there = root.candidates()?;
        let progress = &*session.progress;
        let threads = walk::threads(&session.env).unwrap_or(workers::USUAL);
        let mut seen = workers::each(
            &there,
            threads,
            || Surveyor::new(Depth::Crew),
            |surveyor, number, (name, sort)| {
                progress(number, there.len());
                let seen = census::look(surveyor, root, name, *sort, false);
                Some((name.clone(), seen))
            },
        );
        progress(there.len(), there.len());
        seen.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut cells = Vec::with_capacity(seen.len());
        for (_, seen) in seen {
            match seen {
                Seen::Cell(look) => cells.push(self.take(*look)),
                Seen::Untold(why) => self.untold.push(why),
                // What is no cell has no agents; `mcell validate` says what it is.
                Seen::NoCell(_) | Seen::Nothing => {}
            }
        }
        Ok(cells)
    }

    fn take(&mut self, look: census::Look) -> Cell {
        let name = look.census.cell_id.short();
        let troubles = look.census.troubles.iter();
        let troubles = troubles.map(|trouble| format!("cell {name}: {trouble}"));
        if look.ran_short {
            self.untold.extend(troubles);
        } else {
            self.troubles.extend(troubles);
        }
        Cell {
            census: Arc::new(look.census),
            beats: look.beats,
        }
    }

    fn enrol(&mut self, cell: &Cell, gateways: &Gateways, folder: &Path) {
        let id = &cell.census.cell_id;
        let (targets, notes) = (&mut self.targets, &mut self.notes);
        for agent in &cell.census.agents {
            let key = (id.clone(), agent.id.clone());
            match target_of(gateways, folder, agent) {
                Ok(Some(target)) => drop(targets.insert(key, target)),
                Ok(None) => {}
                Err(why) => drop(notes.insert(key, why)),
            }
        }
        let name = |agent: &AgentCensus| -> Option<Arc<str>> {
            let target = targets.get(&(id.clone(), agent.id.clone()))?;
            Some(Arc::from(target.address.to_string()))
        };
        self.roster.enrol(&cell.census, name, self.now);
    }

    /// Asks the gateways of those who are judged, all at once.
    fn ask(
        &mut self,
        session: &Session,
        only: Option<&[AgentId]>,
        patience: Duration,
    ) -> Result<()> {
        let questions: Vec<Question<Key>> = self
            .targets
            .iter()
            .filter(|((cell, agent), _)| {
                let is_meant = only.is_none_or(|only| only.contains(agent));
                let found = self.roster.find(agent.as_str(), Some(cell.as_str()));
                let watched = match found {
                    Found::One(slot) => self.roster.get(slot),
                    _ => None,
                };
                is_meant && watched.is_some_and(|watched| watched.case.idle.is_none())
            })
            .map(|(key, target)| Question {
                key: key.clone(),
                target: target.clone(),
                expected: self.expected(key),
                patience,
            })
            .collect();
        let mut waiting = questions.len();
        if waiting == 0 {
            return Ok(());
        }
        let (send, receive) = mpsc::channel();
        let pool = Pool::start(Threads::default(), move |report: Report<Key>| {
            // Whoever waited went away: nobody wants to know any more.
            let _ = send.send(report);
        })?;
        pool.ask(questions);
        while waiting > 0 {
            match receive.recv_timeout(patience + SLACK) {
                Ok(report) => self.take_answer(session, report),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.untold
                        .push(String::from("some gateways could not be asked in time"));
                    break;
                }
            }
            waiting -= 1;
        }
        self.now = Clocks::now(session.env.clock);
        Ok(())
    }

    fn expected(&self, (cell, agent): &Key) -> Expected {
        let census = self.roster.cell(cell.as_str());
        let mut agents = census.iter().flat_map(|census| &census.agents);
        let run = agents
            .find(|one| one.id == *agent)
            .and_then(|agent| agent.run.as_ref());
        Expected {
            pid: run.and_then(|run| run.pid),
            name: None,
        }
    }

    fn take_answer(&mut self, session: &Session, report: Report<Key>) {
        let (cell, agent) = &report.key;
        self.troubles.extend(report.note);
        match (
            report.answer,
            self.roster.find(agent.as_str(), Some(cell.as_str())),
        ) {
            (Ok(answer), Found::One(slot)) => {
                let now = Clocks::now(session.env.clock);
                self.roster.probed(slot, answer, report.took, now);
            }
            (Ok(_), _) => {}
            // Our own fault is no sign of the agent.
            (Err(why), _) => self.untold.push(format!(
                "the gateway of {}/{agent} could not be asked: {why}",
                cell.short()
            )),
        }
    }

    /// What could not be read or found out, a sentence each.
    pub fn into_troubles(self) -> Vec<String> {
        let mut troubles = self.troubles;
        troubles.extend(self.untold);
        troubles
    }

    /// What it comes to.
    pub fn into_health(self) -> Health {
        let reports = self
            .roster
            .all()
            .map(|(_, watched)| watched.report(self.now));
        Health {
            overview: Overview::of(
                self.now.wall,
                reports.collect(),
                self.roster.cell_reports(self.now),
            ),
            source: Source::Look(self.recorded),
            troubles: self.troubles,
            untold: self.untold,
        }
    }
}

/// Who fell at once, by a record of this boot.
fn mass_of(record: Option<&Record>, boot: Option<&str>) -> Mass {
    let record = record.filter(|record| boot.is_some() && record.boot.as_deref() == boot);
    record.map(|record| record.mass.clone()).unwrap_or_default()
}

/// Where the gateway of an agent is asked; the error is a sentence why it is not.
pub(super) fn target_of(
    gateways: &Gateways,
    folder: &Path,
    agent: &AgentCensus,
) -> std::result::Result<Option<Target>, String> {
    let watch = agent.watch.as_ref();
    let probe_url = watch.and_then(|watch| watch.probe_url.as_deref());
    gateways.target(folder, agent.gateway.as_deref(), probe_url)
}

/// Hears the signs of life that are on file, the oldest first.
pub(super) fn hear(
    roster: &mut Roster,
    cell: &CellId,
    beats: &[(AgentId, Vec<Beat>)],
    boot: Option<&str>,
    now: Clocks,
) {
    for (agent, signs) in beats {
        let Found::One(slot) = roster.find(agent.as_str(), Some(cell.as_str())) else {
            continue;
        };
        let mut signs: Vec<&Beat> = signs.iter().collect();
        signs.sort_by_key(|sign| sign.up);
        for sign in signs {
            let heard = roster.hear_file(slot, sign, boot, now);
            if let (Some(Ok(())), Some(watched)) = (heard, roster.get_mut(slot)) {
                watched.signs.known_since(sign.up);
            }
        }
    }
}
