//! The table: every key of the config, what may stand there, what counts if nothing does, and what it means.

use super::{Config, Health, LogLevel, Logs, Webhook};
use crate::health::settings::LONGEST_GRACE;
use crate::mission::agent::Signal;
use crate::ops::gateway::Gateways;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a webhook may ask to hear of. A word that ends in `*` means all that begin so.
pub const EVENTS: [&str; 11] = [
    "agent.unhealthy",
    "agent.recovered",
    "agent.stalled",
    "agent.progressing",
    "revival.waits",
    "agent.quarantined",
    "drill.began",
    "drill.ended",
    "hold.begun",
    "hold.ended",
    "daemon.restarted",
];

const DAY: u64 = 86_400;
/// As in an agent's own `health`.
const CENTURY: u64 = 100 * 366 * DAY;

/// Where a value lies in the config.
pub(super) type At<T> = fn(&mut Config) -> &mut T;

/// What may stand for a key, and where it goes.
#[derive(Clone, Copy)]
pub(super) enum Sort {
    /// Whole seconds, at least and at most.
    Seconds(u64, u64, At<u64>),
    /// The same, or null.
    MaybeSeconds(u64, u64, At<Option<u64>>),
    /// A whole number, at least and at most.
    Count(u64, u64, At<u64>),
    /// true or false, also as "yes" and "no".
    YesNo(At<bool>),
    Level(At<LogLevel>),
    Path(At<PathBuf>),
    MaybePath(At<Option<PathBuf>>),
    MaybeName(At<Option<String>>),
    Hosts(At<Vec<String>>),
    Users(At<Vec<String>>),
    Listen(At<Vec<SocketAddr>>),
    Gateways(At<Gateways>),
    Signals(At<Vec<Signal>>),
    Size(At<u64>),
    Command(At<Vec<String>>),
    Webhooks(At<Vec<Webhook>>),
}

/// One key.
pub(super) struct Key {
    /// Its name; one that stands in a section has that before a dot.
    pub(super) name: &'static str,
    pub(super) sort: Sort,
    /// What counts if it is absent, as JSON: what `create` writes.
    pub(super) default: &'static str,
    /// What it means, in a phrase.
    pub(super) about: &'static str,
}

impl Key {
    /// The section it stands in, and its name there.
    pub(super) fn parts(&self) -> (Option<&'static str>, &'static str) {
        match self.name.split_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, self.name),
        }
    }
}

const fn key(name: &'static str, sort: Sort, default: &'static str, about: &'static str) -> Key {
    Key {
        name,
        sort,
        default,
        about,
    }
}

use Sort::{
    Command, Count, Hosts, Level, Listen, MaybeName, MaybePath, MaybeSeconds, Path, Seconds,
    Signals, Size, Users, Webhooks, YesNo,
};

/// Every key, in the order in which it is written: the fleet's first.
#[rustfmt::skip]
pub(super) const KEYS: [Key; 27] = [
    key("poll_interval", Seconds(1, 3600, |config| &mut config.poll_interval), "30",
        "between two sweeps of the root"),
    key("timeout", Seconds(1, CENTURY, |config| &mut config.timeout), "300",
        "silence of an agent that means dead"),
    key("max_retries", Count(0, 100, |config| &mut config.max_retries), "3",
        "revivals that may fail before an agent is quarantined, where its cell does not say"),
    key("auto_revive", YesNo(|config| &mut config.auto_revive), "true",
        "a ceiling: false turns every `yes` of a cell into `ask`, and no `no` or `ask` into `yes`"),
    key("gateways", Sort::Gateways(|config| &mut config.gateways), "[]",
        "where the gateways are that agents name; see below"),
    key("missions_path", Path(|config| &mut config.missions_path), "\"/var/missions\"",
        "the root, where neither `--root` nor MCELL_ROOT names one"),
    key("log_level", Level(|config| &mut config.log_level), "\"INFO\"",
        "what is worth a line in the daemon's log"),
    key("listen", Listen(|config| &mut config.listen), "\"127.0.0.1:8080\"",
        "where the daemon listens, beside its socket in the root; an address that others can reach needs `read_token_file`"),
    key("read_token_file", MaybePath(|config| &mut config.read_token_file), "null",
        "the file with the token that reading needs, where others can reach the daemon"),
    key("hosts", Hosts(|config| &mut config.hosts), "[]",
        "names by which this machine may be asked, beside localhost and the addresses in `listen`"),
    key("host", MaybeName(|config| &mut config.host), "null",
        "the name of this host, by which a cell knows where it is at home; MCELL_HOST goes before it, and without either the machine's id counts"),
    key("health.interval", Seconds(1, DAY, |config| &mut config.health.interval), "30",
        "between two beats or probes of an agent"),
    key("health.timeout", MaybeSeconds(1, CENTURY, |config| &mut config.health.timeout), "null",
        "silence that means dead; null: what `timeout` says"),
    key("health.output_timeout", MaybeSeconds(1, CENTURY, |config| &mut config.health.output_timeout), "null",
        "silence of an agent's log that means dead; null: logs are not looked at"),
    key("health.failure_threshold", Count(1, 1000, |config| &mut config.health.failure_threshold), "3",
        "bad signals in a row that mean unhealthy"),
    key("health.success_threshold", Count(1, 1000, |config| &mut config.health.success_threshold), "2",
        "good signals in a row that mean healthy again"),
    key("health.grace", Seconds(0, LONGEST_GRACE, |config| &mut config.health.grace), "120",
        "after a start, in which silence does not count"),
    key("health.expect", Signals(|config| &mut config.health.expect), "[]",
        "signals that are due from the start"),
    key("health.probe_timeout", Seconds(1, 60, |config| &mut config.health.probe_timeout), "5",
        "how long a probe of a gateway may take, from connecting to the last byte"),
    key("health.probe_threads", Count(1, 16, |config| &mut config.health.probe_threads), "4",
        "threads that probe, from the next start of the daemon; up to 16 while gateways hang"),
    key("logs.max_size", Size(|config| &mut config.logs.max_size), "\"10MB\"",
        "how large the log of an agent grows before a new one begins"),
    key("logs.keep", Count(0, 1000, |config| &mut config.logs.keep), "5",
        "full logs of an agent that are kept"),
    key("templates", MaybePath(|config| &mut config.templates), "null",
        "a folder with cell.json, agent.json and task.json, from which new ones are made"),
    key("revive_command", Command(|config| &mut config.revive_command), "null",
        "what brings back an agent that mcell does not start"),
    key("notify_command", Command(|config| &mut config.notify_command), "null",
        "what is given each story as text on its standard input, once an incident; the first line is the subject"),
    key("webhooks", Webhooks(|config| &mut config.webhooks), "[]",
        "where each story is sent; see below"),
    key("allow_users", Users(|config| &mut config.allow_users), "[]",
        "users that a daemon of root may run agents as, beside the owner of their cell"),
];

/// The members that hold keys of their own.
pub(super) const SECTIONS: [&str; 2] = ["health", "logs"];

/// A config in which nothing stands yet: the table's defaults are put into it.
pub(super) const fn blank() -> Config {
    Config {
        poll_interval: 0,
        timeout: 0,
        max_retries: 0,
        auto_revive: false,
        gateways: Gateways(std::collections::BTreeMap::new()),
        missions_path: PathBuf::new(),
        log_level: LogLevel::Debug,
        listen: Vec::new(),
        read_token_file: None,
        hosts: Vec::new(),
        host: None,
        health: Health {
            interval: 0,
            timeout: None,
            output_timeout: None,
            failure_threshold: 0,
            success_threshold: 0,
            grace: 0,
            expect: Vec::new(),
            probe_timeout: 0,
            probe_threads: 0,
        },
        logs: Logs {
            max_size: 0,
            keep: 0,
        },
        templates: None,
        revive_command: Vec::new(),
        notify_command: Vec::new(),
        webhooks: Vec::new(),
        allow_users: Vec::new(),
    }
}
