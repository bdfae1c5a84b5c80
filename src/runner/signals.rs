//! What a runner is told by signals while it runs.

use rustix::fd::{AsFd, BorrowedFd};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM, SIGUSR1};
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
    save: Arc<AtomicBool>,
}

/// What the agent is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// End, in its own time (SIGTERM).
    pub(super) stop: bool,
    /// End at once (SIGINT).
    pub(super) kill: bool,
    /// Save its state (SIGUSR1).
    pub(super) save: bool,
}

impl Signals {
    /// Listens from now on, also to the ends of children.
    pub(super) fn listen() -> io::Result<Self> {
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let (stop, kill, save) = (Arc::default(), Arc::default(), Arc::default());
        // The flag first: whoever is woken finds it set.
        signal_hook::flag::register(SIGTERM, Arc::clone(&stop))?;
        signal_hook::flag::register(SIGINT, Arc::clone(&kill))?;
        signal_hook::flag::register(SIGUSR1, Arc::clone(&save))?;
        for signal in [SIGTERM, SIGINT, SIGUSR1, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Signals {
            wake,
            stop,
            kill,
            save,
        })
    }

    /// What was asked for since the last time.
    pub(super) fn take(&mut self) -> Wishes {
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|got| got > 0) {}
        let was_asked = |flag: &AtomicBool| flag.swap(false, Ordering::Relaxed);
        Wishes {
            stop: was_asked(&self.stop),
            kill: was_asked(&self.kill),
            save: was_asked(&self.save),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
