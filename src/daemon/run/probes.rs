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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whose gateway is asked.
type Key = (CellId, AgentId);

/// The gateways, and the threads that ask them.
pub(super) struct Probes {
    pool: Pool<Key>,
    gateways: Gateways,
    patience: Duration,
    targets: BTreeMap<Key, Aim>,
    told: Arc<Told>,
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
        let told = Arc::new(Told::default());
        let heard = Arc::clone(&told);
        let pool = Pool::start(threads, move |report| take(&desk, &heard, report))?;
        Ok(Probes {
            pool,
            gateways,
            patience,
            targets: BTreeMap::new(),
            told,
        })
    }

    /// Takes what a config that was read again says.
    pub(super) fn reload(&mut self, gateways: Gateways, patience: Duration) {
        (self.gateways, self.patience) = (gateways, patience);
    }

    /// Forgets what is asked for the agents of a cell.
    pub(super) fn forget(&mut self, cell: &CellId) {
        self.targets.retain(|(of, _), _| of != cell);
    }

    /// Forgets a cell that is gone.
    pub(super) fn dismiss(&mut self, cell: &CellId) {
        self.forget(cell);
        let mut told = self.told.lock();
        told.retain(|key, _| self.targets.contains_key(key));
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
        // The note of a run that is over names a process that may be anybody's by now.
        let run = agent.run.as_ref().filter(|_| agent.is_alive);
        let expected = Expected {
            pid: run.and_then(|run| run.pid),
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

/// What was last told of an agent's gateway beside its answers: it is told once as long as it stays so, since a probe
/// comes every few seconds and says the same.
#[derive(Debug, Default)]
struct Told(Mutex<BTreeMap<Key, String>>);

impl Told {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is to tell of an agent's gateway now, and says whether that is news.
    fn is_news(&self, key: &Key, text: Option<&str>) -> bool {
        let mut told = self.lock();
        let Some(text) = text else {
            told.remove(key);
            return false;
        };
        let before = told.insert(key.clone(), text.to_owned());
        before.is_none_or(|before| before != text)
    }
}

/// Takes what came of a question.
fn take(desk: &Desk, told: &Told, report: Report<Key>) {
    let (cell, agent) = &report.key;
    let trouble = match (&report.answer, &report.note) {
        // Our own fault is no sign of the agent.
        (Err(why), _) => Some((
            "probe.fault",
            format!("the gateway of {agent} could not be asked: {why}"),
        )),
        (Ok(_), Some(note)) => Some(("probe.note", note.clone())),
        (Ok(_), None) => None,
    };
    let text = trouble.as_ref().map(|(_, text)| text.as_str());
    if told.is_news(&report.key, text)
        && let Some((event, text)) = &trouble
    {
        let about = [("cell_id", cell.as_str()), ("agent_id", agent.as_str())];
        desk.log.say(Level::Warning, event, text, &about);
    }
    let Ok(answer) = report.answer else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_so_is_told_once() {
        let told = Told::default();
        let key = |agent: &str| {
            let cell = CellId::new("2f1c9a4e-5b0d-4c1e-9a57-0d9f6f3b7a10").unwrap();
            (cell, AgentId::new(agent).unwrap())
        };
        let (one, other) = (key("agent_001"), key("agent_002"));
        assert!(told.is_news(&one, Some("no key")));
        assert!(!told.is_news(&one, Some("no key")));
        assert!(told.is_news(&other, Some("no key")));
        assert!(told.is_news(&one, Some("another")));
        assert!(!told.is_news(&one, None));
        assert!(told.is_news(&one, Some("another")));
    }
}
