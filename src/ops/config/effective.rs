//! What counts, key by key, and where each value comes from.

use super::keys::{KEYS, Sort};
use super::read::{Reading, read};
use super::{Config, Secret, searched};
use crate::base::error::Result;
use crate::base::host;
use crate::mission::amount::Bytes;
use crate::ops::gateway::{Entry, Gateways};
use crate::ops::session::Session;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What counts, and where it comes from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Effective {
    /// The file that was read; null if there is none.
    pub file: Option<PathBuf>,
    /// Where a config is looked for, if none is named.
    pub searched: Vec<PathBuf>,
    /// Each key, those of a section with a dot: `health.interval`.
    #[serde(serialize_with = "as_members")]
    #[schemars(with = "BTreeMap<String, Stated>")]
    pub values: Vec<(&'static str, Stated)>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stated {
    /// What counts. A secret is left out.
    pub value: Value,
    /// Where it comes from: a file, an option, a variable, another key, or `default`.
    pub source: String,
    /// What it means.
    pub about: &'static str,
}

fn as_members<S: Serializer>(
    values: &[(&'static str, Stated)],
    out: S,
) -> std::result::Result<S::Ok, S::Error> {
    out.collect_map(values.iter().map(|(key, value)| (key, value)))
}

/// What counts for one who asks, with the root and the host that count for them; and what was read.
pub fn effective(session: &Session, option: Option<&Path>) -> Result<(Effective, Reading)> {
    let env = &session.env;
    let reading = read(env, option)?;
    let mut config = reading.config.clone();
    let root = session.root_choice_by(|| Ok(reading.places()))?;
    config.missions_path = root.path;
    let host = host::name(env, config.host.as_deref());
    let values = KEYS.iter().map(|key| {
        let is_stated = reading.stated.contains(&key.name);
        let file = reading.file.as_ref().filter(|_| is_stated);
        let mut stated = Stated {
            value: value(key.sort, &mut config),
            source: file.map_or_else(
                || String::from("default"),
                |file| file.display().to_string(),
            ),
            about: key.about,
        };
        match key.name {
            "missions_path" if root.why != "the default" => stated.source.clone_from(&root.why),
            "host" => {
                if env.word(host::VARIABLE).is_some() {
                    stated.source = host::VARIABLE.to_owned();
                }
                stated.value = host.clone().into();
            }
            "health.timeout" if config.health.timeout.is_none() => {
                stated.value = config.timeout.into();
                stated.source = String::from("timeout");
            }
            _ => {}
        }
        (key.name, stated)
    });
    let effective = Effective {
        file: reading.file.clone(),
        searched: searched(env),
        values: values.collect(),
    };
    Ok((effective, reading))
}

/// A value of a config, as it could stand in its file.
pub(super) fn value(sort: Sort, config: &mut Config) -> Value {
    match sort {
        Sort::Seconds(.., at) | Sort::Count(.., at) => json!(at(config)),
        Sort::MaybeSeconds(.., at) => json!(at(config)),
        Sort::YesNo(at) => json!(at(config)),
        Sort::Level(at) => json!(at(config).word()),
        Sort::Path(at) => json!(at(config)),
        Sort::MaybePath(at) => json!(at(config)),
        Sort::MaybeName(at) => json!(at(config)),
        Sort::Hosts(at) | Sort::Users(at) => json!(at(config)),
        Sort::Listen(at) => match at(config).as_slice() {
            [only] => json!(only),
            list => json!(list),
        },
        Sort::Gateways(at) => gateways(at(config)),
        Sort::Signals(at) => json!(at(config)),
        Sort::Size(at) => {
            let size = *at(config);
            Bytes::new(size).map_or(json!(size), |size| json!(size.to_string()))
        }
        Sort::Command(at) => match at(config).as_slice() {
            [] => Value::Null,
            words => json!(words),
        },
        Sort::Webhooks(at) => {
            let one = |hook: &super::Webhook| {
                let (name, secret) = match &hook.secret {
                    Secret::File(file) => ("secret_file", json!(file)),
                    Secret::Text(_) => ("secret", json!("(not shown)")),
                };
                json!({ "url": hook.url, name: secret, "events": hook.events })
            };
            at(config).iter().map(one).collect()
        }
    }
}

fn gateways(gateways: &Gateways) -> Value {
    let entry = |entry: &Entry| {
        let mut members = json!({ "url": entry.address.to_string() });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members[name] = value;
            }
        };
        set(
            "health_path",
            entry.health_path.as_ref().map(|path| json!(path)),
        );
        set(
            "token_file",
            entry.token_file.as_ref().map(|file| json!(file)),
        );
        set("profile", entry.profile.as_ref().map(|name| json!(name)));
        members
    };
    // The fleet's form stays the fleet's form.
    if gateways.0.values().all(Option::is_none) {
        return gateways.0.keys().map(|name| json!(name)).collect();
    }
    let pairs = gateways.0.iter();
    let pairs =
        pairs.map(|(name, there)| (name.clone(), there.as_ref().map_or(Value::Null, entry)));
    Value::Object(pairs.collect())
}
