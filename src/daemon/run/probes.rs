//! Gateways that are asked: what the roster calls a target, and the threads that ask it.

use crate::base::error::Result;
use crate::base::ids::{AgentId, CellId};
use crate::daemon::desk::Desk;
use crate::daemon::log::Level;
use crate::daemon::metrics;
use crate::health::probe::Answer;
use crate::health::roster::{Found, Slot};
use crate::mission::census::AgentCensus;
use crate::ops::gateway::{Gateways, Target};
use crate::ops::probe::{Expected, Pool, Question, Report, Threads};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Whose gateway is asked.
type Key = (CellId, AgentId);

/// The gateways, and the threads that ask them.
pub(super) struct Probes {
    pool: Pool<Key>,
    gateways: Gateways,
    patience: Duration,
    targets: BTreeMap<Key, Aim>,
}

/// What is asked for one agent.
struct Aim {
    target: Target,
    expected: Expected,
}

impl Probes {
    /// Starts the threads, so many as a rule.
    pub(super) fn start(
        desk: &Arc<Desk>,
        gateways: Gateways,
        patience: Duration,
        usual: u64,
    ) -> Result<Self> {
        let desk = Arc::clone(desk);
        let mut threads = Threads::default();
        threads.usual = usize::try_from(usual).unwrap_or(threads.usual);
        let pool = Pool::start(threads, move |report| take(&desk, report))?;
        Ok(Probes {
            pool,
            gateways,
            patience,
            targets: BTreeMap::new(),
        })
    }

    /// Takes what a config that was read again says.
    pub(super) fn reload(&mut self, gateways: Gateways, patience: Duration) {
        (self.gateways, self.patience) = (gateways, patience);
    }

    /// Forgets the agents of a cell.
    pub(super) fn forget(&mut self, cell: &CellId) {
        self.targets.retain(|(of, _), _| of != cell);
    }

    /// Where the gateway of an agent is asked, as one name for all who share it. What keeps it from being asked is a note.
    pub(super) fn aim(
        &mut self,
        cell: &CellId,
        folder: &Path,
        agent: &AgentCensus,
        note: &mut Vec<String>,
    ) -> Option<Arc<str>> {
        let probe_url = agent
            .watch
            .as_ref()
            .and_then(|watch| watch.probe_url.as_deref());
        let target = match self
            .gateways
            .target(folder, agent.gateway.as_deref(), probe_url)
        {
            Ok(target) => target?,
            Err(why) => {
                note.push(format!("{}/{}: {why}", cell.short(), agent.id));
                return None;
            }
        };
        let name: Arc<str> = Arc::from(target.address.to_string());
        let expected = Expected {
            pid: agent.run.as_ref().and_then(|run| run.pid),
            name: None,
        };
        let aim = Aim { target, expected };
        self.targets.insert((cell.clone(), agent.id.clone()), aim);
        Some(name)
    }

    /// Asks the gateway of an agent, soon.
    pub(super) fn ask(&self, desk: &Desk, slot: Slot) {
        let world = desk.world();
        let Some(watched) = world.roster.get(slot) else {
            return;
        };
        let Some(cell) = watched.cell.clone() else {
            return;
        };
        let key = (cell, watched.agent.clone());
        drop(world);
        if let Some(aim) = self.targets.get(&key) {
            let (target, expected) = (aim.target.clone(), aim.expected.clone());
            self.pool.ask([Question {
                key,
                target,
                expected,
                patience: self.patience,
            }]);
        }
    }
}

/// Takes what came of a question.
fn take(desk: &Desk, report: Report<Key>) {
    let (cell, agent) = &report.key;
    if let Some(note) = &report.note {
        desk.log.say(
            Level::Warning,
            "probe.note",
            note,
            &[("cell_id", cell.as_str()), ("agent_id", agent.as_str())],
        );
    }
    let answer = match report.answer {
        Ok(answer) => answer,
        Err(why) => {
            // Our own fault is no sign of the agent.
            let text = format!("the gateway of {agent} could not be asked: {why}");
            return desk.log.say(
                Level::Warning,
                "probe.fault",
                &text,
                &[("cell_id", cell.as_str())],
            );
        }
    };
    let how = match &answer {
        Answer::Good => metrics::Probed::Good,
        Answer::Degraded(_) => metrics::Probed::Degraded,
        Answer::Failed(_) => metrics::Probed::Failed,
    };
    desk.metrics.probe(how, report.took);
    let (mut world, now) = desk.world_now();
    if let Found::One(slot) = world.roster.find(agent.as_str(), Some(cell.as_str())) {
        world.roster.probed(slot, answer, report.took, now);
        desk.notice(&world, slot, now);
    }
}
