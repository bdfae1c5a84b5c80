//! What a runner is told by signals while it runs.

use rustix::fd::{AsFd, BorrowedFd};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that a runner listens to.
#[derive(Debug)]
pub(super) struct Signals {
    wake: UnixStream,
    stop: Arc<AtomicBool>,
    kill: Arc<AtomicBool>,
}

/// What the agent is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// End, in its own time (SIGTERM).
    Stop,
    /// End at once (SIGINT).
    Kill,
}

impl Signals {
    /// Listens from now on, also to the ends of children.
    pub(super) fn listen() -> io::Result<Self> {
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let (stop, kill) = (Arc::default(), Arc::default());
        // The flag first: whoever is woken finds it set.
        signal_hook::flag::register(SIGTERM, Arc::clone(&stop))?;
        signal_hook::flag::register(SIGINT, Arc::clone(&kill))?;
        for signal in [SIGTERM, SIGINT, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Signals { wake, stop, kill })
    }

    /// What was asked for since the last time; what is harder goes first.
    pub(super) fn take(&mut self) -> Option<Wish> {
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|got| got > 0) {}
        if self.kill.swap(false, Ordering::Relaxed) {
            Some(Wish::Kill)
        } else {
            let was_asked = self.stop.swap(false, Ordering::Relaxed);
            was_asked.then_some(Wish::Stop)
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
