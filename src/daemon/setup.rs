//! What a daemon is told: its config, with what the command line says instead.

use crate::daemon::log::{Level, LogFormat};
use crate::health::settings::Settings;
use crate::ops::gateway::Gateways;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a daemon is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The config that this is of; none: the defaults.
    pub file: Option<PathBuf>,
    /// Seconds between two sweeps.
    pub poll_interval: u64,
    /// How agents are watched whose files do not say.
    pub usual: Settings,
    /// How long one probe may take.
    pub probe_timeout: Duration,
    /// Named gateways.
    pub gateways: Gateways,
    /// Where to listen, beside the root's socket.
    pub listen: Vec<SocketAddr>,
    /// Further hosts by which requests may call the listener.
    pub hosts: Vec<String>,
    /// What matters less is not logged.
    pub level: Level,
    /// In which form lines go to stderr.
    pub format: LogFormat,
    /// What the operator should know of the config, a sentence each.
    pub warnings: Vec<String>,
}
