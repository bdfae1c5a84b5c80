//! Words of the command line for the fleet's words: what clap offers, checks and completes.

use crate::mission::agent::Role;
use crate::mission::artifact::Kind;
use crate::mission::isolation::Level;
use crate::mission::policy::AutoRevive;
use crate::mission::task::{Priority, TaskStatus};
use clap::builder::PossibleValue;

impl clap::ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &Role::ALL
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()).help(match self {
            Role::Lead => "plans; may also assign tasks",
            Role::Write => "does the work",
            Role::Read => "looks; never writes",
            Role::Audit => "looks and reports; never writes",
        }))
    }
}

impl clap::ValueEnum for Priority {
    fn value_variants<'a>() -> &'a [Self] {
        &[Priority::High, Priority::Medium, Priority::Low]
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl clap::ValueEnum for TaskStatus {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            TaskStatus::Pending,
            TaskStatus::InProgress,
            TaskStatus::Completed,
            TaskStatus::Failed,
        ]
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.word());
        Some(match self {
            TaskStatus::InProgress => value.alias("in-progress"),
            _ => value,
        })
    }
}

impl clap::ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Kind::ALL
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl clap::ValueEnum for Level {
    fn value_variants<'a>() -> &'a [Self] {
        &Level::ALL
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (aliases, help): (&[&'static str], _) = match self {
            Level::None => (&["0"], "own session and process group"),
            Level::Process => (&["1", "process"], "process isolation"),
            Level::Mount => (&["2", "mount"], "mount namespace"),
            Level::Podman => (&["3", "podman"], "rootless Podman"),
        };
        Some(
            PossibleValue::new(self.word())
                .aliases(aliases.iter().copied())
                .help(help),
        )
    }
}

impl clap::ValueEnum for AutoRevive {
    fn value_variants<'a>() -> &'a [Self] {
        &[AutoRevive::Yes, AutoRevive::No, AutoRevive::Ask]
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            AutoRevive::Yes => PossibleValue::new("yes").help("at once"),
            AutoRevive::No => PossibleValue::new("no").help("not"),
            AutoRevive::Ask => PossibleValue::new("ask").help("when an operator approves"),
        })
    }
}
