//! What a runner is told at its start, and what it says back: one JSON object each way, over pipes, so that no other
//! process sees the token in it.

use crate::base::ids::AgentId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// What a runner is told.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Which mcell asks: a runner of another one refuses.
    pub version: String,
    /// Where the cell lies.
    pub cell: PathBuf,
    /// Whose runner it is.
    pub agent: AgentId,
    /// Which life of the agent begins.
    pub incarnation: u64,
    /// SHA-256, in hex, of its token, which itself is in the environment only.
    pub token_sha256: String,
    /// Program and arguments; no shell.
    pub command: Vec<String>,
    /// Where it begins.
    pub cwd: PathBuf,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// The name of the signal that asks it to end.
    pub stop_signal: String,
    /// Seconds it has to end before SIGKILL.
    pub stop_timeout: u64,
    /// The command that makes it save its state; empty if there is none.
    #[serde(default)]
    pub checkpoint: Vec<String>,
    /// Microseconds within which it is to ping, if it speaks sd_notify.
    #[serde(default)]
    pub watchdog: Option<u64>,
    /// Seconds within which its log is to grow, if it is watched for that.
    #[serde(default)]
    pub output_timeout: Option<u64>,
    /// Whether what it says is also given to whoever starts it.
    #[serde(default)]
    pub is_shown: bool,
    /// How its log is kept.
    pub log: Keeping,
}

impl fmt::Debug for Order {
    /// Without the environment: secrets are in it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Order")
            .field("cell", &self.cell)
            .field("agent", &self.agent)
            .field("incarnation", &self.incarnation)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

/// How the log of an agent is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeping {
    /// Bytes at which a new file begins.
    pub max_size: u64,
    /// How many full ones are kept.
    pub keep: u32,
}

/// What a runner says once, when it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The agent runs, as this process.
    Runs {
        /// Its number.
        pid: u32,
    },
    /// Another runner of this agent lives.
    Busy {
        /// Who that is, in words.
        holder: String,
    },
    /// The agent could not be started: what stands in the way, in a sentence.
    Failed {
        /// The sentence.
        why: String,
        /// Whether another try may fare better: the disk, memory, a limit.
        passes: bool,
    },
}
