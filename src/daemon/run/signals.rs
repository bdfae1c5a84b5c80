//! Signals as events of the loop.

use crate::base::error::{Error, Result};
use rustix::fd::{AsFd, BorrowedFd};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};
use std::io::{IsTerminal, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Stop in order (SIGTERM, SIGINT).
    Stop,
    /// The terminal went away: the same.
    Hangup,
    /// Read the config again (SIGHUP).
    Reload,
    /// Become a new process of the program that is installed now (SIGUSR2).
    Restart,
}

/// The signals that the daemon listens to.
pub(super) struct Signals {
    wake: UnixStream,
    flags: [(Arc<AtomicBool>, Wish); 4],
    had_terminal: bool,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self> {
        let failed = |error: std::io::Error| Error::storage("listen to signals", error);
        let (wake, write) = UnixStream::pair().map_err(failed)?;
        wake.set_nonblocking(true).map_err(failed)?;
        let mut flags = Vec::new();
        for (signal, wish) in [
            (SIGTERM, Wish::Stop),
            (SIGINT, Wish::Stop),
            (SIGHUP, Wish::Reload),
            (SIGUSR2, Wish::Restart),
        ] {
            let flag = Arc::new(AtomicBool::new(false));
            // The flag first: whoever is woken finds it set.
            signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(failed)?;
            let write = write.try_clone().map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, write).map_err(failed)?;
            flags.push((flag, wish));
        }
        let flags = flags
            .try_into()
            .map_err(|_| Error::bug("signals and flags do not agree"))?;
        Ok(Signals {
            wake,
            flags,
            had_terminal: has_terminal(),
        })
    }

    /// What was asked for since the last time; what ends the daemon goes first.
    pub(super) fn take(&mut self) -> Option<Wish> {
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|got| got > 0) {}
        let mut wishes = self
            .flags
            .iter()
            .filter(|(flag, _)| flag.swap(false, Ordering::Relaxed));
        match wishes.next().map(|(_, wish)| *wish) {
            Some(Wish::Reload) if self.had_terminal && !has_terminal() => Some(Wish::Hangup),
            wish => wish,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// Whether somebody may read what is said. A terminal that went away is none any more.
fn has_terminal() -> bool {
    std::io::stderr().is_terminal() || std::io::stdin().is_terminal()
}
