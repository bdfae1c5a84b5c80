//! How an agent is watched: what its own file says, else the daemon's config, else the specification.

use crate::mission::agent::{Signal, Watch};

/// The longest grace there is, in seconds.
pub const LONGEST_GRACE: u64 = 120;
/// The longest quiet that a beat may announce, in seconds.
pub const LONGEST_QUIET: u64 = 3600;
/// Beats missed that mean degraded.
pub const MISSED: u64 = 3;

/// The numbers that count for one agent. Durations in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Signals that are due from the start.
    pub expect: Vec<Signal>,
    /// Between two beats or probes.
    pub interval: u64,
    /// Silence that means unhealthy.
    pub timeout: u64,
    /// Silence of its log that means unhealthy; none: its log is not watched.
    pub output_timeout: Option<u64>,
    /// Bad signals in a row that mean unhealthy.
    pub failure_threshold: u64,
    /// Good signals in a row that mean healthy again.
    pub success_threshold: u64,
    /// In which missing beats and probes do not count, after a start.
    pub grace: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            expect: Vec::new(),
            interval: 30,
            timeout: 300,
            output_timeout: None,
            failure_threshold: 3,
            success_threshold: 2,
            grace: LONGEST_GRACE,
        }
    }
}

impl Settings {
    /// These, with what a file says instead. A number that would make no sense counts as the nearest that does.
    #[must_use]
    pub fn with(&self, watch: Option<&Watch>) -> Self {
        let Some(watch) = watch else {
            return self.clone();
        };
        let or = |said: Option<u64>, usual: u64| said.unwrap_or(usual).max(1);
        Settings {
            expect: if watch.expect.is_empty() {
                self.expect.clone()
            } else {
                watch.expect.clone()
            },
            interval: or(watch.interval, self.interval),
            timeout: or(watch.timeout, self.timeout),
            output_timeout: watch.output_timeout.or(self.output_timeout),
            failure_threshold: or(watch.failure_threshold, self.failure_threshold),
            success_threshold: or(watch.success_threshold, self.success_threshold),
            grace: watch.grace.unwrap_or(self.grace).min(LONGEST_GRACE),
        }
    }

    /// Tells whether a signal is due from the start.
    pub fn expects(&self, signal: Signal) -> bool {
        self.expect.contains(&signal)
    }
}
