//! What the sweep wants done in cells, by a thread of its own: a cell whose lock is not free delays nobody.

use crate::base::env::Env;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::daemon::desk::Desk;
use crate::daemon::log::Level;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Who the journal says did it.
pub(super) const BY: &str = "daemon";
/// How many cells may wait at most; those that have no room are asked for again by the next sweep.
const MOST: usize = 1024;

/// The thread, and what waits for it.
pub(super) struct Hands {
    send: SyncSender<CellId>,
    waiting: Arc<Mutex<BTreeSet<CellId>>>,
}

impl Hands {
    /// Starts the thread. It ends when this is dropped, with what it is at.
    pub(super) fn start(desk: &Arc<Desk>, env: Env) -> Result<Self> {
        let (send, receive) = sync_channel(MOST);
        let waiting = Arc::new(Mutex::new(BTreeSet::new()));
        let (desk, known) = (Arc::clone(desk), Arc::clone(&waiting));
        std::thread::Builder::new()
            .name(String::from("hands"))
            .spawn(move || work(&desk, &env, &receive, &known))
            .map_err(|error| Error::storage("start a thread", error))?;
        Ok(Hands { send, waiting })
    }

    /// Lets everything be done that is due in a cell.
    pub(super) fn settle(&self, cell: CellId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.insert(cell.clone())
            && let Err(TrySendError::Full(cell) | TrySendError::Disconnected(cell)) =
                self.send.try_send(cell)
        {
            waiting.remove(&cell);
        }
    }
}

fn work(
    desk: &Arc<Desk>,
    env: &Env,
    receive: &Receiver<CellId>,
    waiting: &Mutex<BTreeSet<CellId>>,
) {
    while let Ok(cell) = receive.recv() {
        if let Err(error) = settle(desk, env, &cell) {
            // Whoever holds the lock does what is due before anything else.
            let level = if error.kind() == Kind::Busy {
                Level::Info
            } else {
                Level::Warning
            };
            let text = format!("what is due in cell {cell} could not be done: {error}");
            desk.log
                .say(level, "cell.due", &text, &[("cell_id", cell.as_str())]);
        }
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&cell);
    }
}

/// Frees what lapsed and ends pauses, as every command does before its own work.
fn settle(desk: &Arc<Desk>, env: &Env, id: &CellId) -> Result<()> {
    let cell = OpenCell::open(&desk.root.join(id.as_str()))?;
    let mut session = Session::quiet(env.clone());
    session.by = Some(String::from(BY));
    let (told, name) = (Arc::clone(desk), id.to_string());
    session.tell = Box::new(move |text| {
        told.log.say(
            Level::Info,
            "cell.due",
            &format!("cell {name}: {text}"),
            &[("cell_id", &name)],
        );
    });
    session.write(&cell, "sweep").map(drop)
}
