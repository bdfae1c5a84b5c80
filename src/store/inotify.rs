//! inotify: the one file that speaks it.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::path::Path;

pub use rustix::fs::inotify::{Event, ReadFlags, WatchFlags};

/// The most events taken in one go: twice what the kernel keeps unless it is told otherwise. Whoever makes them faster
/// than they are taken holds nobody up.
const MOST_EVENTS: usize = 1 << 15;
/// Some hundred events fit.
const ROOM: usize = 16 << 10;

/// A queue of events, and the watches that fill it.
#[derive(Debug)]
pub struct Inotify {
    events: OwnedFd,
}

impl Inotify {
    /// An empty queue that nobody waits for.
    pub fn new() -> rustix::io::Result<Self> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Inotify { events })
    }

    /// Watches a folder, which may not be a link; gives the number that its events have. What lies on the way to it is
    /// followed: the caller asks for the folders on the way first.
    pub fn watch(&self, folder: &Path, flags: WatchFlags) -> rustix::io::Result<i32> {
        let flags = flags | WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW;
        inotify::add_watch(&self.events, folder, flags)
    }

    /// Watches no more. One that went with its folder is gone already.
    pub fn forget(&self, number: i32) {
        let _ = inotify::remove_watch(&self.events, number);
    }

    /// Takes every event there is, without waiting.
    pub fn drain(&self, mut each: impl FnMut(&Event<'_>)) -> rustix::io::Result<()> {
        let mut room = [MaybeUninit::<u8>::uninit(); ROOM];
        let mut events = inotify::Reader::new(&self.events, &mut room);
        let mut taken = 0;
        // What was read is taken to its end; no event is lost.
        while taken < MOST_EVENTS || !events.is_buffer_empty() {
            match events.next() {
                Ok(event) => each(&event),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error),
            }
            taken += 1;
        }
        Ok(())
    }
}

impl AsFd for Inotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}
