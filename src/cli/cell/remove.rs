//! `mcell cell remove`: move cells to the trash.

use super::named;
use crate::base::error::Error;
use crate::base::text::count;
use crate::cli::context::Context;
use crate::cli::removed::undo;
use crate::cli::several::{cells, each};
use crate::cli::{Outcome, complete};
use crate::ops::cell::{self, Row};
use crate::ops::run;
use crate::ops::trash::Removed;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Move cells to the trash of their root
///
/// They lie there until `mcell cell prune` deletes what is older than 30 days. A cell must be named: the one you stand
/// in, or the only one, is not enough for this. One in which agents run stays, unless they are stopped with `--stop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell remove \"Example Mission\"
  mcell cell remove 2f1c9a4e --yes --stop")]
pub(super) struct Remove {
    /// A path, an id, the beginning of one, or a part of the mission's name
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
    /// Stop the agents that run, first
    #[arg(long)]
    stop: bool,
}

/// A cell that was removed.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Gone {
    /// The folder's name.
    cell_id: String,
    /// The mission's name; null if cell.json could not be read.
    mission_name: Option<String>,
    /// Where it lies now, and how to put it back.
    removed: Removed,
}

impl Report for Gone {
    fn words(&self, page: &mut Page) {
        let name = self.mission_name.as_deref().unwrap_or("cell");
        page.line(format_args!("Removed {}", named(&self.cell_id, name)));
        undo(&self.removed, page);
    }

    fn datum(&self) -> Option<String> {
        Some(self.cell_id.clone())
    }
}

impl Remove {
    pub(super) fn run(self, context: &Context) -> Outcome {
        if self.named.is_empty() && context.session.cell.is_none() {
            return Err(Error::usage("which cell shall be removed?").hint(
                "`mcell cell remove \"Example Mission\"`; `mcell cell list --all` shows them",
            ));
        }
        let cells = cells(context, &self.named)?;
        let mut rows = Vec::with_capacity(cells.len());
        for cell in &cells {
            if cell.folder().stat(crate::store::layout::CELL)?.is_none() {
                return Err(cell.no_cell());
            }
            rows.push(cell::glance(cell));
        }
        if !context.confirm(&question(&rows))? {
            context.printer.say("Nothing was removed");
            return Ok(crate::base::exit::DONE);
        }
        let mut rows = rows.into_iter();
        each(context, "cells", &cells, |cell| {
            if self.stop {
                for agent in run::running(cell)? {
                    run::stop(&context.session, cell, &agent, false)?;
                }
            }
            let removed = cell::remove(&context.session, cell)?;
            Ok(Gone {
                cell_id: cell.id().to_string(),
                mission_name: rows.next().and_then(|row| row.mission_name),
                removed,
            })
        })
    }
}

fn question(rows: &[Row]) -> String {
    let cells: Vec<String> = rows
        .iter()
        .map(|row| {
            let name = row
                .mission_name
                .as_deref()
                .unwrap_or("a cell that cannot be read");
            let at_work = match row.tasks.in_progress {
                0 => String::new(),
                number => format!(", {number} in progress"),
            };
            format!(
                "{} with {} and {}{at_work}",
                named(&row.cell_id, name),
                count(row.agents.total, "agent"),
                count(row.tasks.total, "task")
            )
        })
        .collect();
    format!("Move {} to the trash?", cells.join("; "))
}
