//! One test binary; each module is one promise to the user.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make the trees they look at, and stand outside of the rooms of src/"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy.toml knows test functions only, not their world"
)]

mod alone;
mod answers;
mod artifact;
mod backup;
mod broken;
mod changes;
mod checkpoint;
mod completions;
mod config;
mod crew;
mod curl;
mod daemon;
mod daemon_kills;
mod demo;
mod disk;
mod doctor;
mod drill;
mod elsewhere;
mod exit_codes;
mod explain;
mod fault_sweep;
mod fleet;
mod foreground;
mod gateway;
mod handoff;
mod health;
mod heartbeat;
mod help;
mod hermes;
mod hints;
mod hostile;
mod http;
mod injection;
mod journal;
mod kill_sweep;
mod ladder;
mod layers;
mod man;
mod mend;
mod mount;
mod notify;
mod operations;
mod outage;
mod permission;
mod pit;
mod power_cut;
mod race;
mod recipe;
mod revival;
mod revive_sweep;
mod run;
mod sarif;
mod schema;
mod siblings;
mod sound;
mod swept;
mod task;
mod tell;
mod timeline;
mod tour;
mod why;
mod world;
