//! Whether a root's daemon runs: a held lock is the proof. What it says of itself is for people.

use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::store::layout;
use crate::store::lock::{self, Held, Wait};
use crate::store::root::Root;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::time::Timespec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What a daemon says of itself, `.mcell/daemon.json` of its root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct About {
    /// Its process.
    pub pid: u32,
    /// Which life of it this is: another one after each start, also in the same process.
    pub life: String,
    /// Which mcell it is.
    pub version: String,
    /// Where it is spoken to, the first address of it.
    pub url: Option<String>,
    /// Every address it listens at.
    pub listen: Vec<String>,
    /// The config it was started with; null: none.
    pub config: Option<String>,
    /// When it was started.
    pub started_at: Option<Time>,
    /// When its last sweep ended.
    pub last_sweep: Option<Time>,
    /// Whether it was stopped in order: then nobody need be told that it does not run.
    pub is_stopped: bool,
}

/// Whether a daemon runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It runs.
    Runs(About),
    /// It was stopped in order.
    Stopped(About),
    /// It ran once, and ended without having been told to.
    Fell(About),
    /// There never was one.
    Never,
}

impl Presence {
    /// What it says of itself, if it runs.
    pub fn running(&self) -> Option<&About> {
        match self {
            Presence::Runs(about) => Some(about),
            _ => None,
        }
    }
}

/// Looks whether the daemon of a root runs.
pub fn look(root: &Root) -> Result<Presence> {
    let is_held = lock::is_held(root.folder(), layout::DAEMON_LOCK)?;
    // One that cannot be read is rewritten soon by whoever runs.
    let text = root.folder().read(layout::DAEMON)?;
    let about = text.map(|text| serde_json::from_slice(&text).unwrap_or_default());
    Ok(match (is_held, about) {
        (true, about) => Presence::Runs(about.unwrap_or_default()),
        (false, Some(about)) if about.is_stopped => Presence::Stopped(about),
        (false, Some(about)) => Presence::Fell(about),
        (false, None) => Presence::Never,
    })
}

/// A daemon that runs, to be sent signals: held by its process, not by a number that may be another's tomorrow.
#[derive(Debug)]
pub struct Running {
    process: OwnedFd,
    /// What it says of itself.
    pub about: About,
}

/// Finds the daemon that runs (exit 1 if none does).
pub fn find(root: &Root) -> Result<Running> {
    let none = || {
        Error::new(
            Kind::No,
            format!("no daemon of {} runs", root.path().display()),
        )
        .hint("start it with `mcell daemon`, in tmux or under systemd (docs/operations.md)")
    };
    let Presence::Runs(mut about) = look(root)? else {
        return Err(none());
    };
    about.pid = lock::holder_pid(root.folder(), layout::DAEMON_LOCK)?.unwrap_or(about.pid);
    let pid = i32::try_from(about.pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(none)?;
    let process = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => process,
        Err(Errno::SRCH) => return Err(none()),
        Err(error) => {
            return Err(Error::storage(
                format_args!("look at pid {}", about.pid),
                error,
            ));
        }
    };
    // Held by its process now: if the lock still is held, it is the one.
    if !lock::is_held(root.folder(), layout::DAEMON_LOCK)? {
        return Err(none());
    }
    Ok(Running { process, about })
}

impl Running {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        pidfd_send_signal(&self.process, signal).map_err(|error| match error {
            Errno::PERM => Error::refused(format!(
                "the daemon, pid {}, is another user's",
                self.about.pid
            ))
            .hint("ask its owner, or use sudo"),
            error => Error::storage(format_args!("signal pid {}", self.about.pid), error),
        })
    }

    /// Waits until its process ended; false if it did not in time.
    pub fn wait(&self, patience: Duration) -> Result<bool> {
        wait_for(&self.process, patience)
    }

    /// Waits until another life of the daemon has taken over; false if none did in time.
    pub fn wait_for_next(&self, root: &Root, patience: Duration) -> Result<bool> {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            let now = look(root)?;
            let is_next =
                |about: &About| about.life != self.about.life && about.last_sweep.is_some();
            if now.running().is_some_and(is_next) {
                return Ok(true);
            }
            // Its process may stay the same: then only the file tells.
            if wait_for(&self.process, Duration::from_millis(50))? && now.running().is_none() {
                break;
            }
        }
        Ok(false)
    }
}

/// Waits until a process ended.
fn wait_for(process: &OwnedFd, patience: Duration) -> Result<bool> {
    let patience = Timespec::try_from(patience).map_err(|_| Error::bug("a wait is too long"))?;
    let mut watched = [PollFd::new(process, PollFlags::IN)];
    retry_on_intr(|| poll(&mut watched, Some(&patience)))
        .map(|ready| ready > 0)
        .map_err(|error| Error::storage("wait for the daemon", error))
}

/// Becomes the daemon of a root, for as long as the lock is held. Exit 6 if another one is it, which is named.
pub fn take(root: &Root) -> Result<Held> {
    root.make_runtime()?;
    // Whoever looks holds the lock for a moment too.
    let wait = Wait {
        patience: Duration::from_secs(1),
        ..Wait::quietly("daemon")
    };
    lock::exclusive(root.folder(), layout::DAEMON_LOCK, wait).map_err(|error| match error.kind() {
        Kind::Busy => {
            let who = look(root).ok().and_then(|presence| presence.running().cloned()).unwrap_or_default();
            Error::new(
                Kind::Busy,
                format!("the daemon of {} runs already, as pid {}", root.path().display(), who.pid),
            )
            .hint("`mcell daemon status` says how it is; `mcell daemon restart` lets a new version take over")
        }
        _ => error,
    })
}
