//! The hands that bring agents back: two threads, so that no more than two agents are being started at a time.

use super::hands::BY;
use crate::base::env::Env;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, CellId};
use crate::daemon::desk::Desk;
use crate::daemon::log::Level;
use crate::daemon::world::{AGAIN, AtHand, SLOTS, Whom, Work};
use crate::mission::revival::{Revival, Status};
use crate::ops::Session;
use crate::ops::revival::{self, Done, Terms};
use crate::runner;
use crate::store::cell::OpenCell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One thing to do.
struct Job {
    whom: Whom,
    work: Work,
}

/// The threads, and what they are at.
pub(super) struct Revivals {
    send: Sender<Job>,
    at_hand: Arc<Mutex<AtHand<Instant>>>,
    terms: Arc<Mutex<Terms>>,
    told: Arc<Mutex<Vec<Outcome>>>,
}

/// What became of one.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The agent.
    pub(super) cell: CellId,
    /// The agent.
    pub(super) agent: AgentId,
    /// Its request as it stands; none if it has finished.
    pub(super) revival: Option<Revival>,
    /// Whether it is given up for a while from now on.
    pub(super) is_quarantined: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Revivals {
    /// Starts the threads. They end when this is dropped, with what they are at.
    pub(super) fn start(desk: &Arc<Desk>, env: &Env, terms: Terms) -> Result<Self> {
        let (send, receive) = channel();
        let receive = Arc::new(Mutex::new(receive));
        let revivals = Revivals {
            send,
            at_hand: Arc::default(),
            terms: Arc::new(Mutex::new(terms)),
            told: Arc::default(),
        };
        for _ in 0..SLOTS {
            let hand = Hand {
                desk: Arc::clone(desk),
                env: env.clone(),
                at_hand: Arc::clone(&revivals.at_hand),
                terms: Arc::clone(&revivals.terms),
                told: Arc::clone(&revivals.told),
            };
            let receive = Arc::clone(&receive);
            std::thread::Builder::new()
                .name(String::from("revivals"))
                .spawn(move || hand.work(&receive))
                .map_err(|error| Error::storage("start a thread", error))?;
        }
        Ok(revivals)
    }

    /// Takes other terms from a config that was read again.
    pub(super) fn reload(&self, terms: Terms) {
        *lock(&self.terms) = terms;
    }

    /// Gives something to do, unless somebody is at that agent already.
    pub(super) fn give(&self, cell: CellId, agent: AgentId, work: Work) {
        let whom = (cell, agent);
        if lock(&self.at_hand).take(&whom, Instant::now()) {
            // Without a thread there is nobody to do it, and no daemon either.
            _ = self.send.send(Job { whom, work });
        }
    }

    /// What became of those that were given, since this was last asked.
    pub(super) fn take_outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut lock(&self.told))
    }
}

/// One thread.
struct Hand {
    desk: Arc<Desk>,
    env: Env,
    at_hand: Arc<Mutex<AtHand<Instant>>>,
    terms: Arc<Mutex<Terms>>,
    told: Arc<Mutex<Vec<Outcome>>>,
}

impl Hand {
    fn work(&self, receive: &Mutex<Receiver<Job>>) {
        loop {
            let job = lock(receive).recv();
            let Ok(Job { whom, work }) = job else { return };
            let done = self.act(&whom, work);
            let again = match &done {
                Ok(_) => None,
                Err(_) => Some(Instant::now() + AGAIN),
            };
            match done {
                Ok(outcome) => lock(&self.told).extend(outcome),
                Err(error) => self.say_error(&whom, &error),
            }
            lock(&self.at_hand).leave(&whom, again);
            // What follows from it is seen at once.
            self.desk.bell.ring();
        }
    }

    fn act(&self, (cell_id, agent): &Whom, work: Work) -> Result<Option<Outcome>> {
        let terms = *lock(&self.terms);
        let cell = OpenCell::open(&self.desk.root.join(cell_id.as_str()))?;
        let session = self.session(cell_id);
        let outcome = |revival: Option<Revival>, is_quarantined| Outcome {
            cell: cell_id.clone(),
            agent: agent.clone(),
            revival,
            is_quarantined,
        };
        let concluded = |life, why: Option<&str>| {
            let concluded = revival::conclude(&session, &cell, agent, life, why, terms)?;
            Ok(concluded.map(|(revival, is_quarantined)| outcome(Some(revival), is_quarantined)))
        };
        match work {
            Work::Fallen(news) => {
                let done = revival::fallen(&session, &cell, agent, &news, terms)?;
                Ok(match done {
                    Done::Nothing | Done::Elsewhere => None,
                    Done::Finished => Some(outcome(None, false)),
                    Done::Started(revival) => Some(outcome(Some(*revival), false)),
                    Done::Asked {
                        revival,
                        is_quarantined,
                    } => Some(outcome(Some(*revival), is_quarantined)),
                })
            }
            Work::Carry => {
                let carried = revival::carry_out(&session, &cell, agent, terms)?;
                Ok(carried.map(|(revival, is_quarantined)| outcome(Some(revival), is_quarantined)))
            }
            Work::Recovered => {
                let closed = revival::recovered(&session, &cell, agent)?;
                Ok(closed.map(|revival| outcome(Some(revival), false)))
            }
            Work::Revived(life) => concluded(life, None),
            Work::InVain(life, why) => concluded(life, Some(&why)),
        }
    }

    fn session(&self, cell: &CellId) -> Session {
        let mut session = Session::quiet(self.env.clone());
        session.by = Some(String::from(BY));
        let (desk, cell) = (Arc::clone(&self.desk), cell.to_string());
        session.tell = Box::new(move |text| {
            let about = [("cell_id", cell.as_str())];
            desk.log.say(Level::Info, "cell.due", text, &about);
        });
        session
    }

    fn say_error(&self, (cell, agent): &Whom, error: &Error) {
        let level = match error.kind() {
            Kind::Busy => Level::Info,
            _ => Level::Warning,
        };
        let text = format!(
            "{}/{agent} could not be brought back yet: {error}",
            cell.short()
        );
        let about = [("cell_id", cell.as_str()), ("agent_id", agent.as_str())];
        self.desk.log.say(level, "revival.failed", &text, &about);
    }
}

/// Takes note of runners that are over: they were started by this process.
pub(super) fn reap() {
    runner::reap();
}

impl Outcome {
    /// What the log says of it.
    pub(super) fn words(&self) -> String {
        let whom = format!("{}/{}", self.cell.short(), self.agent);
        let Some(revival) = &self.revival else {
            return format!("{whom} has finished");
        };
        let id = &revival.id;
        let why = revival.why.as_deref().unwrap_or(&revival.reason);
        match revival.status {
            Status::Running => format!(
                "{whom} was started again, incarnation {} ({id}: {})",
                revival.incarnation.unwrap_or_default(),
                revival.reason
            ),
            Status::Revived => format!("{whom} lives again ({id})"),
            Status::PendingApproval => {
                format!("{whom} waits for an operator: `mcell approve {id}` ({why})")
            }
            status => {
                let word = status.word().replace('_', " ");
                format!("the revival of {whom} is {word}: {why} ({id})")
            }
        }
    }
}
