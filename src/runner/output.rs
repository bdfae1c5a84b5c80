//! What a process says, on its way into the log, and to a terminal if there is one that waits for it.

use super::log::Log;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::time::Timespec;
use std::io::{ErrorKind, PipeReader, Read};

/// How much of it is taken at once.
const CHUNK: usize = 16 << 10;
/// How long a terminal has, at the end, for what it has not taken yet.
const LAST_WORDS: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// A stream of what is said.
#[derive(Debug)]
pub(super) struct Output {
    from: Option<PipeReader>,
    to: Option<OwnedFd>,
    /// What the terminal has not taken yet. As long as there is some nothing more is read, as on any terminal.
    waiting: Vec<u8>,
}

impl Output {
    /// What comes by a pipe; `to`: where it is shown beside the log.
    pub(super) fn new(from: PipeReader, to: Option<OwnedFd>) -> Self {
        Output {
            from: Some(from),
            to,
            waiting: Vec::new(),
        }
    }

    /// What is waited for: that something is said, or that what was said is taken.
    pub(super) fn watched(&self) -> Option<PollFd<'_>> {
        match &self.to {
            Some(to) if !self.waiting.is_empty() => Some(PollFd::new(to, PollFlags::OUT)),
            _ => self
                .from
                .as_ref()
                .map(|from| PollFd::new(from, PollFlags::IN)),
        }
    }

    /// Goes on: takes a piece of what is said, or gives what waits. Tells whether something was said.
    pub(super) fn go_on(&mut self, log: &mut Log<'_>) -> bool {
        if self.waiting.is_empty() {
            self.take(log)
        } else {
            self.show();
            false
        }
    }

    /// Takes all there is: there will be no more.
    pub(super) fn take_all(&mut self, log: &mut Log<'_>) -> bool {
        let mut is_said = false;
        loop {
            self.show_last();
            if !self.take(log) {
                self.show_last();
                return is_said;
            }
            is_said = true;
        }
    }

    fn take(&mut self, log: &mut Log<'_>) -> bool {
        let mut bytes = [0; CHUNK];
        while let Some(from) = &mut self.from {
            match from.read(&mut bytes) {
                Ok(0) => self.from = None,
                Ok(read) => {
                    let said = bytes.get(..read).unwrap_or_default();
                    log.add(said);
                    if self.to.is_some() {
                        self.waiting.extend_from_slice(said);
                        self.show();
                    }
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => self.from = None,
            }
        }
        false
    }

    /// Gives the terminal what it takes.
    fn show(&mut self) {
        while let Some(to) = &self.to {
            match rustix::io::write(to, &self.waiting) {
                _ if self.waiting.is_empty() => return,
                Ok(taken) => drop(self.waiting.drain(..taken.min(self.waiting.len()))),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // Nobody looks any more. The log has it all.
                Err(_) => {
                    self.to = None;
                    self.waiting = Vec::new();
                }
            }
        }
    }

    fn show_last(&mut self) {
        while let Some(to) = self.to.as_ref().filter(|_| !self.waiting.is_empty()) {
            let mut watched = [PollFd::new(to, PollFlags::OUT)];
            match poll(&mut watched, Some(&LAST_WORDS)) {
                Ok(0) => self.to = None,
                Ok(_) => self.show(),
                Err(Errno::INTR) => {}
                Err(_) => self.to = None,
            }
        }
    }
}
