//! What a daemon is told: its config, with what the command line says instead.

use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::daemon::log::LogFormat;
use crate::ops::config;
use crate::ops::config::{Config, Reading};
use crate::ops::revival::Terms;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a daemon is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The config.
    pub config: Config,
    /// The file that it is of; none: the defaults.
    pub file: Option<PathBuf>,
    /// In which form lines go to stderr.
    pub format: LogFormat,
    /// What the operator should know of the config, a sentence each.
    pub warnings: Vec<String>,
}

impl Setup {
    /// A config that was read, and the addresses to listen at instead of its own, if there are any (exit 5 where others
    /// than this machine could ask without a token).
    pub fn of(reading: Reading, listen: &[SocketAddr], format: LogFormat) -> Result<Self> {
        let mut config = reading.config;
        if !listen.is_empty() {
            config.listen = listen.to_vec();
        }
        if config::is_open(&config.listen) && config.read_token_file.is_none() {
            return Err(
                Error::refused("whoever reaches this machine could read what agents do")
                    .hint("listen at 127.0.0.1, and let people in by `ssh -L 8080:127.0.0.1:8080`")
                    .hint("or name a file with a token in the config, as `read_token_file`"),
            );
        }
        let warnings = reading
            .warnings
            .iter()
            .map(|warning| warning.trouble.to_string());
        Ok(Setup {
            warnings: warnings.collect(),
            config,
            file: reading.file,
            format,
        })
    }

    /// The environment in which agents are started: the config that counts is the daemon's own.
    pub fn env(&self, env: &Env) -> Env {
        match &self.file {
            Some(file) => env.and(config::VARIABLE, file),
            None => env.clone(),
        }
    }

    /// What counts for revivals where a cell says nothing.
    pub fn terms(&self) -> Terms {
        Terms {
            ceiling: self.config.auto_revive,
            max_retries: self.config.max_retries,
        }
    }

    /// Between two sweeps.
    pub fn poll_interval(&self) -> Duration {
        Duration::from_secs(self.config.poll_interval)
    }

    /// How long one probe may take.
    pub fn probe_timeout(&self) -> Duration {
        Duration::from_secs(self.config.health.probe_timeout)
    }
}
