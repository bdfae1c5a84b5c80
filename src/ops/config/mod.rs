//! The operator's config: what the daemon runs by, and where missions lie (docs/config.md).
//!
//! `--config`, else `MCELL_CONFIG`, else `~/.lazarus/config.json`, else `/etc/lazarus/config.json`. A file that is named and
//! missing is an error, and so is a value of the wrong type: a default that steps in silently would let a daemon watch
//! nothing, and say that all is well. One table, in `keys`, says what may stand there, what counts otherwise, and what
//! people read of it.

mod create;
mod effective;
mod file;
mod keys;
#[cfg(test)]
mod page;
mod places;
mod read;
mod take;
#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod tests;

pub use create::{create, remember_root};
pub use effective::{Effective, Stated, effective};
pub use file::{VARIABLE, own_file, searched};
pub use keys::EVENTS;
pub use places::{Places, places};
pub use read::{Finding, Reading, check, read};
pub use take::address;

use crate::health::settings::Settings;
use crate::mission::agent::Signal;
use crate::ops::gateway::Gateways;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The config, whole. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Between two sweeps.
    pub poll_interval: u64,
    /// Silence that means dead.
    pub timeout: u64,
    /// Revivals that may fail before an agent is quarantined, where its cell says nothing.
    pub max_retries: u64,
    /// A ceiling: false turns every `yes` of a cell into `ask`.
    pub auto_revive: bool,
    /// Where the gateways are that agents name.
    pub gateways: Gateways,
    /// The root.
    pub missions_path: PathBuf,
    /// What is worth a line in the daemon's log.
    pub log_level: LogLevel,
    /// Where the daemon listens beside its socket. None: nowhere.
    pub listen: Vec<SocketAddr>,
    /// The file with the token that reading needs, where others than this machine can ask.
    pub read_token_file: Option<PathBuf>,
    /// Names by which this machine is asked, beside localhost and the addresses it listens on.
    pub hosts: Vec<String>,
    /// The name of this host, by which a cell knows where it is at home.
    pub host: Option<String>,
    /// How agents are watched that say nothing of it.
    pub health: Health,
    /// The logs of agents.
    pub logs: Logs,
    /// A folder of templates.
    pub templates: Option<PathBuf>,
    /// What brings back an agent that mcell does not start: program and arguments. Empty: nothing.
    pub revive_command: Vec<String>,
    /// What is given each story on its standard input: program and arguments. Empty: nothing.
    pub notify_command: Vec<String>,
    /// What is sent each story.
    pub webhooks: Vec<Webhook>,
    /// Users that agents may run as, beside the owner of their cell.
    pub allow_users: Vec<String>,
}

/// How agents are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Between two beats or probes.
    pub interval: u64,
    /// Silence that means dead; none: `timeout` of the config.
    pub timeout: Option<u64>,
    /// Silence of an agent's log that means dead; none: it is not looked at.
    pub output_timeout: Option<u64>,
    /// Bad signals in a row that mean unhealthy.
    pub failure_threshold: u64,
    /// Good signals in a row that mean healthy again.
    pub success_threshold: u64,
    /// After a start, in which silence does not count.
    pub grace: u64,
    /// Signals that are due from the start.
    pub expect: Vec<Signal>,
    /// How long a probe may take.
    pub probe_timeout: u64,
    /// How many threads probe as a rule.
    pub probe_threads: u64,
}

/// How the log of an agent is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// How many bytes it may have before a new one begins.
    pub max_size: u64,
    /// How many full ones are kept.
    pub keep: u64,
}

/// Where stories are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The URL that is posted to.
    pub url: String,
    /// What signs what is sent.
    pub secret: Secret,
    /// Which stories: words of `EVENTS`, `agent.*`, `*`.
    pub events: Vec<String>,
}

/// The most bytes of a file that are a secret.
const LONGEST_SECRET: u64 = 4096;

/// What signs what is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// A file that holds it, read when the config is.
    File(PathBuf),
    /// It stands in the config.
    Text(String),
}

impl Secret {
    /// What signs, without the line end that an editor leaves. The error is a sentence that names the file.
    #[allow(
        clippy::disallowed_methods,
        reason = "the operator's own file, not a mission's"
    )]
    pub fn read(&self) -> Result<Vec<u8>, String> {
        use std::io::Read;
        let file = match self {
            Secret::Text(text) => return Ok(text.clone().into_bytes()),
            Secret::File(file) => file,
        };
        let shown = file.display();
        let failed = |error: std::io::Error| {
            let why = crate::base::error::in_words(&error);
            format!("its secret_file {shown} cannot be read: {why}")
        };
        // A FIFO would be waited for, and something endless read for ever.
        if !std::fs::metadata(file).map_err(failed)?.is_file() {
            return Err(format!("its secret_file {shown} is no file"));
        }
        let mut secret = Vec::new();
        let open = std::fs::File::open(file).map_err(failed)?;
        open.take(LONGEST_SECRET)
            .read_to_end(&mut secret)
            .map_err(failed)?;
        while secret.last().is_some_and(|last| b"\r\n".contains(last)) {
            secret.pop();
        }
        if secret.is_empty() {
            return Err(format!("its secret_file {shown} is empty"));
        }
        Ok(secret)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Secret::File(file) => write!(out, "File({})", file.display()),
            Secret::Text(_) => out.write_str("Text(…)"),
        }
    }
}

/// What is worth a line in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What may need somebody.
    Warning,
    /// What is wrong.
    Error,
}

impl LogLevel {
    /// Every level, the most talkative first.
    pub const ALL: [LogLevel; 4] = [
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Warning,
        LogLevel::Error,
    ];

    /// The level of a word.
    pub fn of(word: &str) -> Option<Self> {
        LogLevel::ALL
            .into_iter()
            .find(|level| level.word().eq_ignore_ascii_case(word))
    }

    /// The word in the config.
    pub const fn word(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
        }
    }
}

impl Config {
    /// How agents are watched whose files do not say.
    pub fn usual(&self) -> Settings {
        let health = &self.health;
        Settings {
            expect: health.expect.clone(),
            interval: health.interval,
            timeout: self.silence(),
            output_timeout: health.output_timeout,
            failure_threshold: health.failure_threshold,
            success_threshold: health.success_threshold,
            grace: health.grace,
        }
    }

    /// Silence that means dead, where an agent's file does not say.
    pub fn silence(&self) -> u64 {
        self.health.timeout.unwrap_or(self.timeout)
    }
}

/// Tells whether others than this machine can ask there: reading needs a token then.
pub fn is_open(listen: &[SocketAddr]) -> bool {
    listen
        .iter()
        .any(|address| !address.ip().to_canonical().is_loopback())
}
