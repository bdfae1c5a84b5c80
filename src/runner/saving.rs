//! The command that makes an agent save its state, `run.checkpoint`: in the agent's environment, beside it, in its time.

use super::child;
use super::log::Log;
use super::order::Order;
use super::output::Output;
use crate::base::clock::Clock;
use crate::mission::run::Saved;
use rustix::event::PollFd;
use rustix::process::{Pid, Signal, WaitStatus, kill_process_group};
use std::time::{Duration, Instant};

/// The command while it runs.
#[derive(Debug)]
pub(super) struct Saving {
    /// How many were begun in this life, with it.
    number: u64,
    child: Pid,
    output: Output,
    /// When it is killed; none if it was.
    until: Option<Instant>,
}

impl Saving {
    /// Starts it. What cannot be started has failed.
    pub(super) fn begin(
        order: &Order,
        more: &[(&'static str, String)],
        number: u64,
    ) -> Result<Self, Saved> {
        let child = child::spawn(&order.checkpoint, order, more, false)
            .map_err(|error| Saved::failed(number, Clock::System.now(), error.message()))?;
        Ok(Saving {
            number,
            child: child.pid,
            output: Output::new(child.output, None),
            until: Some(Instant::now() + Duration::from_secs(order.stop_timeout)),
        })
    }

    /// Its process, which leads its group.
    pub(super) fn pid(&self) -> i32 {
        self.child.as_raw_pid()
    }

    /// What is waited for: that it says something.
    pub(super) fn watched(&self) -> Option<PollFd<'_>> {
        self.output.watched()
    }

    /// When its time is over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Takes what it says. That is no word of the agent's.
    pub(super) fn take_output(&mut self, log: &mut Log<'_>) {
        self.output.go_on(log);
    }

    /// Kills it, if its time is over.
    pub(super) fn look(&mut self) {
        if self.until.is_some_and(|until| until <= Instant::now()) {
            self.until = None;
            self.kill();
        }
    }

    /// It is over: what it left of its group is ended. A group's number is nobody else's while anybody is in it.
    pub(super) fn end(mut self, status: WaitStatus, log: &mut Log<'_>) -> Saved {
        self.kill();
        self.output.take_all(log);
        Saved {
            number: self.number,
            at: Clock::System.now(),
            code: status.exit_status(),
            signal: status.terminating_signal(),
            is_late: self.until.is_none(),
            why: None,
        }
    }

    fn kill(&self) {
        // A group that is empty takes none, which is no failure.
        _ = kill_process_group(self.child, Signal::KILL);
    }
}
