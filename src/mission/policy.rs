//! Policies: what the daemon and the agents of a cell may do, and which of two statements counts (docs/policy.md).

use crate::mission::cell::{Cell, CellPolicies};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a dead agent is brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum AutoRevive {
    /// At once.
    Yes,
    /// Not.
    No,
    /// When an operator approves.
    Ask,
}

/// Whether an offered handoff needs an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum HandoffApproval {
    /// No.
    Auto,
    /// Yes.
    Manual,
}

/// `config/policies.json`: every field may be absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies<S = String> {
    /// Whether a dead agent is brought back.
    #[serde(
        deserialize_with = "crate::base::strict::word_or_null",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub auto_revive: Option<AutoRevive>,
    /// Seconds a revived agent has to prove that it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revive_timeout: Option<u64>,
    /// Agents that take over, in this order.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub substitute_agents: Option<Vec<S>>,
    /// Whether agents may hand tasks on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff_allowed: Option<bool>,
    /// Whether an offered handoff needs an operator.
    #[serde(
        deserialize_with = "crate::base::strict::word_or_null",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub handoff_approval: Option<HandoffApproval>,
    /// Whether an agent without a good checkpoint is not started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_required: Option<bool>,
    /// Revivals that may fail before the agent is quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u64>,
}

fn none<T>() -> Option<T> {
    None
}

impl<S> Default for Policies<S> {
    fn default() -> Self {
        Policies {
            auto_revive: None,
            revive_timeout: None,
            substitute_agents: None,
            handoff_allowed: None,
            handoff_approval: None,
            checkpoint_required: None,
            max_retries: None,
        }
    }
}

/// Where a policy's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Source {
    /// `config/policies.json`.
    #[serde(rename = "config/policies.json")]
    Config,
    /// `policies` in `cell.json`.
    #[serde(rename = "cell.json")]
    Cell,
    /// Neither: what the specification says.
    #[serde(rename = "default")]
    Default,
}

impl Source {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Source::Config => "config/policies.json",
            Source::Cell => "cell.json",
            Source::Default => "default",
        }
    }
}

/// A value with where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Stated<T> {
    /// The value that counts.
    pub value: T,
    /// Where it is stated.
    pub source: Source,
}

fn stated<T>(config: Option<T>, cell: Option<T>, default: T) -> Stated<T> {
    match (config, cell) {
        (Some(value), _) => Stated {
            value,
            source: Source::Config,
        },
        (None, Some(value)) => Stated {
            value,
            source: Source::Cell,
        },
        (None, None) => Stated {
            value: default,
            source: Source::Default,
        },
    }
}

/// The policies that count: `config/policies.json`, else `cell.json`, else the default.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Effective {
    /// Whether a dead agent is brought back.
    pub auto_revive: Stated<AutoRevive>,
    /// Seconds a revived agent has to prove that it lives.
    pub revive_timeout: Stated<u64>,
    /// Agents that take over.
    pub substitute_agents: Stated<Vec<String>>,
    /// Whether agents may hand tasks on.
    pub handoff_allowed: Stated<bool>,
    /// Whether an offered handoff needs an operator.
    pub handoff_approval: Stated<HandoffApproval>,
    /// Whether an agent without a good checkpoint is not started again.
    pub checkpoint_required: Stated<bool>,
    /// Revivals that may fail before quarantine.
    pub max_retries: Stated<u64>,
    /// Seconds between checkpoints.
    pub checkpoint_interval: Stated<u64>,
}

impl Effective {
    /// Decides each value and its source.
    pub fn of<S: AsRef<str>>(cell: &Cell<S>, config: Option<&Policies<S>>) -> Self {
        let none = Policies::default();
        let (config, cell) = (
            config.unwrap_or(&none),
            cell.policies.clone().unwrap_or_default(),
        );
        let CellPolicies {
            auto_revive,
            handoff_allowed,
            checkpoint_interval,
        } = cell;
        let substitutes = config
            .substitute_agents
            .as_ref()
            .map(|list| list.iter().map(|id| id.as_ref().to_owned()).collect());
        Effective {
            auto_revive: stated(config.auto_revive, auto_revive, AutoRevive::Yes),
            revive_timeout: stated(config.revive_timeout, None, REVIVE_TIMEOUT),
            substitute_agents: stated(substitutes, None, Vec::new()),
            handoff_allowed: stated(config.handoff_allowed, handoff_allowed, true),
            handoff_approval: stated(config.handoff_approval, None, HandoffApproval::Auto),
            checkpoint_required: stated(config.checkpoint_required, None, false),
            max_retries: stated(config.max_retries, None, 3),
            checkpoint_interval: stated(None, checkpoint_interval, CHECKPOINT_INTERVAL),
        }
    }
}

/// Seconds an agent that was started again has to prove that it lives, where nothing says otherwise.
pub const REVIVE_TIMEOUT: u64 = 300;
/// Seconds between checkpoints where nothing says otherwise.
pub const CHECKPOINT_INTERVAL: u64 = 300;

/// The names of all policies, in the order in which they are shown.
pub const NAMES: [&str; 8] = [
    "auto_revive",
    "revive_timeout",
    "substitute_agents",
    "handoff_allowed",
    "handoff_approval",
    "checkpoint_required",
    "max_retries",
    "checkpoint_interval",
];

/// A file that can hold a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// `policies` in `cell.json`.
    Cell,
    /// `config/policies.json`.
    Config,
}

/// What `cell.json` says of a policy.
fn said_by_cell<S>(name: &str, cell: &Cell<S>) -> Option<serde_json::Value> {
    let policies = serde_json::to_value(cell.policies.as_ref()?).ok()?;
    policies.get(name).cloned()
}

/// What `config/policies.json` says of a policy.
fn said_by_config<S: Serialize>(
    name: &str,
    config: Option<&Policies<S>>,
) -> Option<serde_json::Value> {
    serde_json::to_value(config?).ok()?.get(name).cloned()
}

/// The files in which a policy is to be written, so that they never contradict each other: each that states it. If none
/// does and it is to be `stated`, cell.json where that can hold it (as `init` writes it), else config/policies.json.
pub fn homes<S: Serialize>(
    name: &str,
    cell: &Cell<S>,
    config: Option<&Policies<S>>,
    stated: bool,
) -> Vec<Home> {
    let mut homes = Vec::new();
    if said_by_cell(name, cell).is_some() {
        homes.push(Home::Cell);
    }
    if said_by_config(name, config).is_some() {
        homes.push(Home::Config);
    }
    if homes.is_empty() && stated {
        homes.push(match name {
            "auto_revive" | "handoff_allowed" | "checkpoint_interval" => Home::Cell,
            _ => Home::Config,
        });
    }
    homes
}

/// Policies that both files state, and differently: the name, what `cell.json` says, and what `config/policies.json` says,
/// which counts.
pub fn contradictions<S: Serialize>(
    cell: &Cell<S>,
    config: Option<&Policies<S>>,
) -> Vec<(&'static str, String, String)> {
    let word = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    NAMES
        .into_iter()
        .filter_map(|name| {
            let (cell, config) = (said_by_cell(name, cell)?, said_by_config(name, config)?);
            (cell != config).then(|| (name, word(cell), word(config)))
        })
        .collect()
}
