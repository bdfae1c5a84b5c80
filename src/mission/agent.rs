//! An agent: who it is, how it is started and watched, and what may happen to it (docs/agent.md).

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What an agent is there for, which caps what it may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Plans: may also assign tasks.
    Lead,
    /// Does the work.
    Write,
    /// Looks; never writes or executes.
    Read,
    /// Looks and reports; never writes or executes.
    Audit,
}

impl Role {
    /// Every role, in the order help shows them.
    pub const ALL: [Role; 4] = [Role::Lead, Role::Write, Role::Read, Role::Audit];

    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Lead => "lead",
            Role::Write => "write",
            Role::Read => "read",
            Role::Audit => "audit",
        }
    }

    /// Tells whether this role may change tasks and do them.
    pub const fn may_work(self) -> bool {
        matches!(self, Role::Lead | Role::Write)
    }
}

/// The state of an agent. Its process is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Has no task in progress.
    Idle,
    /// Has a task in progress.
    Active,
    /// Held by an operator; its task stays its own.
    Paused,
    /// Given up by the daemon or an operator.
    Failed,
}

impl AgentStatus {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            AgentStatus::Idle => "idle",
            AgentStatus::Active => "active",
            AgentStatus::Paused => "paused",
            AgentStatus::Failed => "failed",
        }
    }

    /// Tells whether an agent may go from `self` to `next`: idle ⇄ active, either ⇄ paused, any → failed, failed → idle.
    pub const fn may_become(self, next: Self) -> bool {
        use AgentStatus::{Active, Failed, Idle, Paused};
        matches!(
            (self, next),
            (Idle, Active | Paused | Failed)
                | (Active, Idle | Paused | Failed)
                | (Paused, Idle | Active | Failed)
                | (Failed, Idle)
        )
    }
}

/// What the fleet's tools note of an agent's last checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointNote<S = String> {
    /// When it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_checkpoint: Option<Time>,
    /// SHA-256 of the checkpoint's context.json, in lower-case hex.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub context_hash: Option<S>,
    /// Names of the files saved with it.
    #[serde(default = "Vec::new")]
    pub artifacts: Vec<S>,
}

/// When an ended process is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// When it ended otherwise than by exit 0.
    OnFailure,
    /// However it ended.
    Always,
    /// Not by itself.
    Never,
}

/// How an agent is started. An agent without it is started by someone else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(deserialize = "S: Deserialize<'de> + AsRef<str>")
)]
pub struct Run<S = String> {
    /// Program and arguments; no shell.
    pub command: Vec<S>,
    /// Program and arguments of a start without a checkpoint.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub fresh_command: Vec<S>,
    /// The working directory.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub cwd: Option<S>,
    /// Variables added to the environment.
    #[serde(default = "Pairs::default", skip_serializing_if = "Pairs::is_empty")]
    pub env: Pairs<S>,
    /// A file of KEY=VALUE lines, read at each start.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub env_file: Option<S>,
    /// When it is started again.
    #[serde(
        deserialize_with = "crate::base::strict::word_or_null",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub restart: Option<Restart>,
    /// The signal that asks it to end; SIGTERM if not said.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<S>,
    /// Seconds it has to end before SIGKILL; 10 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<u64>,
    /// Whether it speaks sd_notify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
    /// A command that makes it save its state.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub checkpoint: Vec<S>,
    /// Exit codes that ask for a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart_exit_codes: Vec<u8>,
    /// Exit codes that mean "never again".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permanent_exit_codes: Vec<u8>,
}

impl<S> Run<S> {
    /// Whether it speaks sd_notify.
    pub fn speaks(&self) -> bool {
        self.notify == Some(true)
    }
}

/// How an agent is watched; what is absent comes from the daemon's config. Durations in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch<S = String> {
    /// Signals that are due from the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Signal>,
    /// Between two beats or probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u64>,
    /// Silence that means dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Silence of its log that means dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_timeout: Option<u64>,
    /// Bad signals in a row that mean unhealthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u64>,
    /// Good signals in a row that mean healthy again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_threshold: Option<u64>,
    /// After a start, in which silence does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<u64>,
    /// Where it is probed, if not at its gateway.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub probe_url: Option<S>,
}

impl<S: AsRef<str>> Watch<S> {
    /// The same with text of its own.
    pub fn owned(&self) -> Watch {
        Watch {
            expect: self.expect.clone(),
            interval: self.interval,
            timeout: self.timeout,
            output_timeout: self.output_timeout,
            failure_threshold: self.failure_threshold,
            success_threshold: self.success_threshold,
            grace: self.grace,
            probe_url: self.probe_url.as_ref().map(|url| url.as_ref().to_owned()),
        }
    }
}

/// A sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// `POST /heartbeat` or `mcell heartbeat`.
    Heartbeat,
    /// sd_notify's WATCHDOG=1.
    Notify,
    /// A line in its log.
    Output,
    /// An answer of its gateway.
    Probe,
}

/// One agent, `agents/<agent_id>.json`. `S` is how text is held: owned in commands, borrowed in scans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(deserialize = "S: Deserialize<'de> + AsRef<str>")
)]
pub struct Agent<S = String> {
    /// Equals the file's stem.
    pub agent_id: S,
    /// What people call it.
    pub name: S,
    /// What it is there for.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub role: Role,
    /// What it can do, as words that tasks may require.
    #[serde(default = "Vec::new")]
    pub capabilities: Vec<S>,
    /// Name, host:port or URL of its gateway.
    #[serde(default = "none")]
    pub gateway: Option<S>,
    /// Its state.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub status: AgentStatus,
    /// The task it works on.
    #[serde(default = "none")]
    pub current_task: Option<S>,
    /// Its last checkpoint.
    #[serde(deserialize_with = "crate::base::strict::object", default = "none")]
    pub checkpoint: Option<CheckpointNote<S>>,
    /// How it is started.
    #[serde(
        deserialize_with = "crate::base::strict::object",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub run: Option<Run<S>>,
    /// How it is watched.
    #[serde(
        deserialize_with = "crate::base::strict::object",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub health: Option<Watch<S>>,
    /// When a pause ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Time>,
}

/// An absent field, without asking that `T` have a default.
fn none<T>() -> Option<T> {
    None
}

impl<S> Agent<S> {
    /// Moves to another state, or says why it cannot (exit 5).
    pub fn become_status(&mut self, next: AgentStatus) -> Result<()> {
        if self.status.may_become(next) {
            self.status = next;
            if next != AgentStatus::Paused {
                self.paused_until = None;
            }
            return Ok(());
        }
        let (is, wanted) = (self.status.word(), next.word());
        Err(Error::refused(format!(
            "the agent is {is}, and an agent that is {is} cannot become {wanted}"
        )))
    }

    /// The state an agent has when it is neither paused nor failed.
    pub fn working_status(&self) -> AgentStatus {
        if self.current_task.is_some() {
            AgentStatus::Active
        } else {
            AgentStatus::Idle
        }
    }
}

/// Members of an object whose names are data (variables, permissions), in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs<S, V = S>(pub Vec<(S, V)>);

impl<S, V> Default for Pairs<S, V> {
    fn default() -> Self {
        Pairs(Vec::new())
    }
}

impl<S, V> Pairs<S, V> {
    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Serialize, V: Serialize> Serialize for Pairs<S, V> {
    fn serialize<O: serde::Serializer>(&self, out: O) -> std::result::Result<O::Ok, O::Error> {
        out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, S: Deserialize<'de> + AsRef<str>, V: Deserialize<'de>> Deserialize<'de> for Pairs<S, V> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Reader<S, V>(std::marker::PhantomData<(S, V)>);
        impl<'de, S: Deserialize<'de> + AsRef<str>, V: Deserialize<'de>> serde::de::Visitor<'de>
            for Reader<S, V>
        {
            type Value = Pairs<S, V>;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> std::result::Result<Self::Value, M::Error> {
                let mut pairs: Vec<(S, V)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<S, V>()? {
                    if pairs
                        .iter()
                        .any(|(known, _)| known.as_ref() == name.as_ref())
                    {
                        return Err(serde::de::Error::custom("the same key twice"));
                    }
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Reader(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::AgentStatus::{Active, Failed, Idle, Paused};

    #[test]
    fn a_failed_agent_comes_back_idle_and_nothing_else() {
        assert!(Failed.may_become(Idle));
        assert!(!Failed.may_become(Active) && !Failed.may_become(Paused));
        for any in [Idle, Active, Paused] {
            assert!(any.may_become(Failed));
        }
    }
}
