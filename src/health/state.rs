//! The four states, and a state with its reason.

use crate::health::Up;
use crate::health::reason::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an agent is. In order: of several signs the worst counts, and one that says nothing counts least.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// Nothing is due from it yet, or it is in grace, or it is not judged.
    #[default]
    Unknown,
    /// Whatever is due comes.
    Healthy,
    /// Something is missing or says so itself, not long enough to act.
    Degraded,
    /// Dead, or silent or failing for too long.
    Unhealthy,
}

impl State {
    /// Every state, the worst first.
    pub const ALL: [State; 4] = [
        State::Unhealthy,
        State::Degraded,
        State::Unknown,
        State::Healthy,
    ];

    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Healthy => "healthy",
            State::Degraded => "degraded",
            State::Unhealthy => "unhealthy",
        }
    }
}

/// What is made of an agent's signs at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<'s> {
    /// How it is.
    pub state: State,
    /// Why, in one sentence.
    pub reason: Reason<'s>,
    /// What it becomes, and when, if no sign comes until then.
    pub next: Option<(Up, State)>,
    /// Seconds it has made no progress, where that is longer than its task should take.
    pub stalled: Option<u64>,
}
