//! What a config does and does not do.

mod faults;
mod values;

use super::keys::{KEYS, SECTIONS};
use super::*;
use crate::base::env::Env;
use crate::base::error::Kind;
use crate::base::finding::Severity;
use crate::ops::gateway::Address;
use crate::ops::session::Session;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// A home, and a working folder in it.
struct World {
    home: TempDir,
    env: Env,
}

impl World {
    fn new() -> Self {
        World::with(&[])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("work");
        std::fs::create_dir(&folder).unwrap();
        let mut set: HashMap<_, _> = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        set.insert("HOME".into(), home.path().into());
        let env = Env::with(set, folder);
        World { home, env }
    }

    fn write(&self, beneath: &str, text: &str) -> PathBuf {
        let file = self.home.path().join(beneath);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Reads this text as the user's config.
    fn reads(&self, text: &str) -> crate::base::error::Result<Reading> {
        self.write(".lazarus/config.json", text);
        read(&self.env, None)
    }

    fn config(&self, text: &str) -> Config {
        let reading = self.reads(text).unwrap();
        assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
        reading.config
    }
}

/// Message, line and column, and the first hint, of everything that is found in a text.
fn found(text: &str) -> Vec<(Severity, String, (usize, usize), String)> {
    let world = World::new();
    world.write(".lazarus/config.json", text);
    let (_, findings) = check(&world.env, None).unwrap().unwrap();
    let told = findings.into_iter().map(|finding| {
        let trouble = finding.trouble;
        let place = trouble.place().unwrap();
        (
            finding.severity,
            trouble.message().to_owned(),
            (place.line, place.column),
            trouble.hints().first().cloned().unwrap_or_default(),
        )
    });
    told.collect()
}

#[track_caller]
fn only_error(text: &str) -> String {
    let mut found = found(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let (severity, message, ..) = found.remove(0);
    assert_eq!(severity, Severity::Error, "{text}: {message}");
    message
}

#[track_caller]
fn only_warning(text: &str) -> (String, String) {
    let mut found = found(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let (severity, message, _, hint) = found.remove(0);
    assert_eq!(severity, Severity::Warning, "{text}: {message}");
    (message, hint)
}

#[test]
fn what_create_writes_is_whole_sound_and_what_counts_anyway() {
    let world = World::new();
    let file = create(&world.env, None).unwrap();
    assert_eq!(file, world.home.path().join(".lazarus/config.json"));
    let reading = read(&world.env, None).unwrap();
    assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
    assert_eq!(reading.config, Config::default());
    assert_eq!(reading.file, Some(file));
    assert_eq!(reading.stated, KEYS.map(|key| key.name));
    let text = create::usual();
    assert!(
        text.starts_with("{\n  \"poll_interval\": 30,\n  \"timeout\": 300,\n"),
        "{text}"
    );
    assert!(
        text.contains("\n  \"health\": {\n    \"interval\": 30,\n"),
        "{text}"
    );
    assert!(
        text.contains("\n    \"keep\": 5\n  },\n  \"templates\": null,\n"),
        "{text}"
    );
}

#[test]
fn the_fleets_defaults_are_the_fleets() {
    let config = Config::default();
    assert_eq!((config.poll_interval, config.timeout), (30, 300));
    assert_eq!((config.max_retries, config.auto_revive), (3, true));
    assert_eq!(config.gateways, Gateways::default());
    assert_eq!(config.missions_path, Path::new("/var/missions"));
    assert_eq!(config.log_level, LogLevel::Info);
    assert_eq!(config.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!((config.health.interval, config.health.grace), (30, 120));
    assert_eq!((config.logs.max_size, config.logs.keep), (10_000_000, 5));
}

#[test]
fn every_value_of_the_table_is_written_as_it_is_read() {
    for key in &KEYS {
        let mut config = Config::default();
        let value = effective::value(key.sort, &mut config);
        let default: serde_json::Value = serde_json::from_str(key.default).unwrap();
        assert_eq!(value, default, "{}", key.name);
        assert!(
            !key.about.is_empty() && !key.about.ends_with('.'),
            "{}",
            key.name
        );
    }
    // The keys of a section stand together, or the file that is created would have it twice.
    let mut sections: Vec<_> = KEYS.iter().filter_map(|key| key.parts().0).collect();
    sections.dedup();
    assert_eq!(sections, SECTIONS);
}

#[test]
fn docs_config_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");
    if std::env::var_os("MCELL_BLESS").is_some() {
        std::fs::write(path, page::markdown()).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == page::markdown(),
        "docs/config.md is not what the table says: run `MCELL_BLESS=1 cargo test --lib docs_config`"
    );
}
