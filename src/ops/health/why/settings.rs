//! The numbers that count for an agent, and where each comes from.

use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::health::settings::Settings;
use crate::mission::agent::Watch;
use crate::ops::config::{self, Effective};
use crate::ops::session::Session;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Setting {
    /// Its name in an agent's `health`, and in that of the config.
    pub name: &'static str,
    /// What counts. Times in seconds.
    pub value: Value,
    /// Where it comes from: the agent's file, the config, or `default`.
    pub source: String,
}

pub(super) fn of(
    session: &Session,
    agent: &AgentId,
    own: Option<&Watch>,
    counts: &Settings,
) -> Result<Vec<Setting>> {
    let (effective, _) = config::effective(session, None)?;
    let file = layout::agent(agent);
    let setting = |name: &'static str, value: Value, is_own: bool| Setting {
        name,
        value,
        source: if is_own {
            file.clone()
        } else {
            source(&effective, name)
        },
    };
    let says = |said: fn(&Watch) -> bool| own.is_some_and(said);
    Ok(vec![
        setting(
            "expect",
            json!(counts.expect),
            says(|own| !own.expect.is_empty()),
        ),
        setting(
            "interval",
            json!(counts.interval),
            says(|own| own.interval.is_some()),
        ),
        setting(
            "timeout",
            json!(counts.timeout),
            says(|own| own.timeout.is_some()),
        ),
        setting(
            "output_timeout",
            json!(counts.output_timeout),
            says(|own| own.output_timeout.is_some()),
        ),
        setting(
            "failure_threshold",
            json!(counts.failure_threshold),
            says(|own| own.failure_threshold.is_some()),
        ),
        setting(
            "success_threshold",
            json!(counts.success_threshold),
            says(|own| own.success_threshold.is_some()),
        ),
        setting(
            "grace",
            json!(counts.grace),
            says(|own| own.grace.is_some()),
        ),
    ])
}

/// Where the config has a setting from.
fn source(effective: &Effective, name: &str) -> String {
    let of = |key: &str| {
        let known = effective.values.iter().find(|(known, _)| *known == key);
        known.map_or("default", |(_, stated)| stated.source.as_str())
    };
    match of(&format!("health.{name}")) {
        // The fleet's own key for it.
        "timeout" => of("timeout").to_owned(),
        source => source.to_owned(),
    }
}
