//! What the daemon needs to know of a cell: who is in it, how each is watched, and when something is due. Data only;
//! `store` reads it, `daemon` judges by it.

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId};
use crate::mission::agent::{AgentStatus, Role, Watch};
use crate::mission::cell::CellStatus;
use crate::mission::lease::Lease;

/// One cell, as far as its daemon needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct CellCensus {
    /// The folder's name.
    pub cell_id: CellId,
    /// The mission's name; empty if `cell.json` cannot be read.
    pub mission_name: String,
    /// The cell's state; none if `cell.json` cannot be read.
    pub status: Option<CellStatus>,
    /// Seconds between two checkpoints that the daemon orders, by the policies that count.
    pub checkpoint_interval: u64,
    /// Its agents, sorted by id.
    pub agents: Vec<AgentCensus>,
    /// When something of the cell is due whoever comes first: a lease, an offer, a pause that ends.
    pub due: Vec<Due>,
    /// What of it cannot be read, a sentence each.
    pub troubles: Vec<String>,
}

/// One agent, as far as its daemon needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentCensus {
    /// The stem of its file.
    pub id: AgentId,
    /// What people call it.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Its state in its file.
    pub status: AgentStatus,
    /// Name, host:port or URL of its gateway.
    pub gateway: Option<String>,
    /// How it is watched, as far as its file says.
    pub watch: Option<Watch>,
    /// Whether it has a command that mcell starts.
    pub has_run: bool,
    /// Whether mcell is to keep it running (`.mcell/agents/<agent>.json`, `wanted`).
    pub is_wanted: bool,
    /// Whether a process of its own holds `.mcell/run/<agent>.lock`.
    pub is_alive: bool,
    /// The task it works on.
    pub current_task: Option<String>,
    /// Seconds that task should take.
    pub task_timeout: Option<u64>,
    /// When it last saved a checkpoint.
    pub last_checkpoint: Option<Time>,
    /// What `.mcell/run/<agent>.json` says of its present run.
    pub run: Option<RunNote>,
}

/// `.mcell/run/<agent>.json`, as far as a listener needs it. Whoever starts an agent writes it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunNote {
    /// Which life of the agent this is; each start raises it.
    #[serde(default)]
    pub incarnation: u64,
    /// SHA-256, in hex, of the token that it was started with; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
    /// Its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// A moment at which a command, or the sweep, has something to do in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A lease or an offer lapses.
    Lapse(Lease),
    /// A pause ends.
    Wake(Time),
}

impl Due {
    /// Tells whether the moment has come.
    pub fn has_come(&self, now: &Moment) -> bool {
        match self {
            Due::Lapse(lease) => lease.has_lapsed(now),
            Due::Wake(wake) => *wake <= now.wall,
        }
    }
}
