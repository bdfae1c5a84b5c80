//! Waits until a journal changes, without polling.

use crate::base::error::{Error, Result};
use crate::store::folder::Folder;
use crate::store::inotify::{Inotify, ReadFlags, WatchFlags};
use crate::store::layout;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::retry_on_intr;

/// A watch on the journal of a cell.
#[derive(Debug)]
pub struct Watch {
    events: Inotify,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Something was written.
    Changed,
    /// The cell was moved or removed.
    Gone,
    /// Whoever reads what is told went away.
    Unheard,
}

impl Watch {
    /// Begins to watch; what changes from now on is not missed.
    pub fn of(cell: &Folder) -> Result<Self> {
        let trouble =
            |error| Error::storage(format_args!("watch {}", cell.path().display()), error);
        let events = Inotify::new().map_err(trouble)?;
        let goes = WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        let changes = WatchFlags::MODIFY | WatchFlags::MOVED_TO | WatchFlags::CREATE;
        events.watch(cell.path(), goes).map_err(trouble)?;
        events
            .watch(&cell.path_of(layout::LOGS), goes | changes)
            .map_err(trouble)?;
        Ok(Watch { events })
    }

    /// Waits for the next change, and no longer than `out` is read by somebody.
    pub fn wait(&self, out: BorrowedFd<'_>) -> Result<Woken> {
        let trouble = |error| Error::storage("wait for the journal", error);
        loop {
            let mut both = [
                PollFd::new(&self.events, PollFlags::IN),
                PollFd::from_borrowed_fd(out, PollFlags::empty()),
            ];
            retry_on_intr(|| poll(&mut both, None)).map_err(trouble)?;
            let [events, out] = &both;
            if out.revents().intersects(PollFlags::ERR | PollFlags::HUP) {
                return Ok(Woken::Unheard);
            }
            if !events.revents().is_empty()
                && let Some(woken) = self.drain().map_err(trouble)?
            {
                return Ok(woken);
            }
        }
    }

    /// What happened; none if it is not about the journal.
    fn drain(&self) -> rustix::io::Result<Option<Woken>> {
        let goes = ReadFlags::MOVE_SELF | ReadFlags::DELETE_SELF | ReadFlags::UNMOUNT;
        let (_, name) = layout::split(layout::JOURNAL);
        let mut woken = None;
        self.events.drain(|event| {
            let is_journal = event
                .file_name()
                .is_some_and(|file| file.to_bytes() == name.as_bytes());
            if event.events().intersects(goes) {
                woken = Some(Woken::Gone);
            } else if woken.is_none()
                && (is_journal || event.events().contains(ReadFlags::QUEUE_OVERFLOW))
            {
                woken = Some(Woken::Changed);
            }
        })?;
        Ok(woken)
    }
}
