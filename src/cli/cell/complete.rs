//! `mcell cell complete`, `mcell cell fail` and `mcell cell reopen`: the end of a mission, and taking it back.

use super::pause::Told;
use crate::cli::context::Context;
use crate::cli::several::{cells, each};
use crate::cli::{Outcome, complete};
use crate::ops::cell;
use clap::Args;

/// End missions as done
///
/// Tasks that are pending or in progress stand in the way (exit 5); with `--force` they stay as they are. Failed tasks do
/// not: somebody gave them up. The cell is hidden from lists, unless `--all` is said. Agents that run are not brought back any
/// more, and are stopped with `--stop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell complete
  mcell cell complete \"Example Mission\" --reason \"release is out\"
  mcell cell complete --force --stop")]
pub(super) struct Complete {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
    /// Even though tasks are not done
    #[arg(long)]
    force: bool,
    /// Stop the agents that run, too
    #[arg(long)]
    stop: bool,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Complete {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            let why = self.reason.as_deref();
            let mut moved = cell::complete(&context.session, cell, self.force, why)?;
            if self.stop {
                moved.stop_all(&context.session, cell)?;
            }
            Ok(Told::new(moved, "Completed {}", "{} is completed already"))
        })
    }
}

/// Give missions up
///
/// Their tasks stay as they are. The cell is hidden from lists, unless `--all` is said. Agents that run are not brought back
/// any more, and are stopped with `--stop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell fail --reason \"the budget is gone\"
  mcell cell fail \"Example Mission\"")]
pub(super) struct Fail {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
    /// Stop the agents that run, too
    #[arg(long)]
    stop: bool,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Fail {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            let mut moved = cell::fail(&context.session, cell, self.reason.as_deref())?;
            if self.stop {
                moved.stop_all(&context.session, cell)?;
            }
            Ok(Told::new(moved, "Gave up {}", "{} is failed already"))
        })
    }
}

/// Take up missions again that were completed or given up
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell reopen \"Example Mission\"
  mcell cell reopen \"Example Mission\" --reason \"a late report\"")]
pub(super) struct Reopen {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Reopen {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            let mut moved = cell::reopen(&context.session, cell, self.reason.as_deref())?;
            // Work that goes on is what reopening is for.
            moved.at_work.clear();
            moved.running.clear();
            Ok(Told::new(moved, "Reopened {}", "{} is active already"))
        })
    }
}
