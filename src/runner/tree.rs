//! The processes of an agent, and their end.

use crate::base::process::Process;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::time::Timespec;
use std::io;
use std::process::Child;
use std::time::{Duration, Instant};

/// So many parents of a process are looked at, at most.
const DEEPEST: usize = 1024;

/// A process, held so that its number is no other's.
#[derive(Debug)]
pub struct Handle {
    /// Its number.
    pub pid: i32,
    file: OwnedFd,
}

impl Handle {
    /// Holds a process; none if it is over, or if its number is another's by now.
    pub fn of(process: Process) -> io::Result<Option<Self>> {
        let Some(pid) = Pid::from_raw(process.pid) else {
            return Ok(None);
        };
        let file = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(file) => file,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Held now: if the number still is that of the process which was seen, so is what is held.
        let now = Process::of(process.pid)?;
        let is_it = now.is_some_and(|now| now.started == process.started && now.lives());
        Ok(is_it.then_some(Handle {
            pid: process.pid,
            file,
        }))
    }

    /// Holds a child of this process that was not waited for: until then its number is its own.
    pub(super) fn of_child(child: &Child) -> io::Result<Self> {
        let number = i32::try_from(child.id()).map_err(|_| Errno::SRCH)?;
        let pid = Pid::from_raw(number).ok_or(Errno::SRCH)?;
        Ok(Handle {
            pid: number,
            file: pidfd_open(pid, PidfdFlags::empty())?,
        })
    }

    /// Sends it a signal; one that is over takes none, which is no failure.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.file, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until it is over; false if it is not in time.
    pub fn wait(&self, patience: Duration) -> io::Result<bool> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let limit = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
            let mut watched = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut watched, Some(&limit)) {
                Ok(0) => return Ok(false),
                Ok(_) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Handle {
    /// It can be read from when the process is over.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Kills every child of this process that lives, and gives how many that were. Their children come to be ours as they end,
/// if this process is the one that orphans are given to.
pub(super) fn kill_children() -> io::Result<usize> {
    let own = rustix::process::getpid().as_raw_pid();
    let mut killed = 0;
    for pid in children(own)? {
        let Some(child) = Process::of(pid)? else {
            continue;
        };
        if child.parent != own || !child.lives() {
            continue;
        }
        if let Some(handle) = Handle::of(child)? {
            // One that may not be killed is waited for: it is the agent's, and it lives.
            _ = handle.signal(Signal::KILL);
            killed += 1;
        }
    }
    Ok(killed)
}

/// The children of a process with one thread: by the kernel's own list, else by a look at all processes.
#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
fn children(parent: i32) -> io::Result<Vec<i32>> {
    match std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")) {
        Ok(list) => Ok(list
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect()),
        Err(_) => Ok(all()?
            .into_iter()
            .filter(|process| process.parent == parent)
            .map(|process| process.pid)
            .collect()),
    }
}

/// Whether a process descends from this one: it lives, and so does each of its parents, or they wait to be reaped.
pub(super) fn is_ours(pid: i32) -> io::Result<bool> {
    let own = rustix::process::getpid().as_raw_pid();
    let mut at = pid;
    for _ in 0..DEEPEST {
        match Process::of(at)? {
            Some(process) if process.parent == own => return Ok(true),
            Some(process) if process.parent > 0 => at = process.parent,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Every process that can be seen from here.
#[allow(
    clippy::disallowed_methods,
    reason = "files of the system, not of a mission"
)]
pub(super) fn all() -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = pid {
            found.extend(Process::of(pid)?);
        }
    }
    Ok(found)
}

/// The variables of a process's environment; none if they may not be read.
#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
pub(super) fn environment(pid: i32) -> Option<Vec<u8>> {
    std::fs::read(format!("/proc/{pid}/environ")).ok()
}

/// Takes note of a child that is over, if one is: its number and how it ended.
pub(super) fn reap() -> io::Result<Reaped> {
    use rustix::process::{WaitOptions, wait};
    match retry_on_intr(|| wait(WaitOptions::NOHANG)) {
        Ok(Some((pid, status))) => Ok(Reaped::One(pid.as_raw_pid(), status)),
        Ok(None) => Ok(Reaped::NoneYet),
        Err(Errno::CHILD) => Ok(Reaped::NoneLeft),
        Err(error) => Err(error.into()),
    }
}

/// What became of a look for children that are over.
#[derive(Debug)]
pub(super) enum Reaped {
    /// This one is.
    One(i32, rustix::process::WaitStatus),
    /// There are some, and all of them live.
    NoneYet,
    /// There are none.
    NoneLeft,
}
