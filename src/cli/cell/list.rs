//! `mcell cell list`: one line a cell.

use super::short;
use crate::base::clock::Time;
use crate::base::duration::age;
use crate::base::text::cut;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::cell::{self, Row};
use crate::ops::find::Scope;
use crate::ui::Table;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// List cells: those of the whole root, unless you stand in one or name one
///
/// Cells whose mission is completed or failed are left out, unless `--all` is said.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell list
  mcell cell list --all
  mcell cell list --json | jq -r '.cells[] | select(.tasks.failed > 0) | .cell_id'
  for cell in $(mcell cell list -A -q); do mcell validate \"$cell\"; done")]
pub(super) struct List {
    /// Also cells whose mission is completed or failed
    #[arg(long)]
    all: bool,
}

/// The cells.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Cells {
    /// One each, the newest last.
    cells: Vec<Row>,
    #[serde(skip)]
    now: Time,
}

impl Report for Cells {
    fn words(&self, page: &mut Page) {
        if self.cells.is_empty() {
            return;
        }
        let mut table = Table::new([
            "CELL",
            "MISSION",
            "STATUS",
            "AGENTS",
            "TASKS",
            "ISOLATION",
            "AGE",
        ]);
        for row in &self.cells {
            let name = row.mission_name.as_deref().unwrap_or("-");
            let old = row
                .created_at
                .map(|made| age(u64::try_from(self.now.since(made)).unwrap_or(0)));
            table.row([
                short(&row.cell_id).to_owned(),
                cut(name, 60).into_owned(),
                row.status.unwrap_or("unreadable").to_owned(),
                row.agents.total.to_string(),
                format!("{}/{}", row.tasks.completed, row.tasks.total),
                row.isolation_level.unwrap_or("-").to_owned(),
                old.unwrap_or_else(|| String::from("-")),
            ]);
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<&str> = self.cells.iter().map(|row| row.cell_id.as_str()).collect();
        (!ids.is_empty()).then(|| ids.join("\n"))
    }
}

impl List {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let scope = context.session.scope(context.all_cells)?;
        let (cells, left_out) = cell::list(&scope, self.all)?;
        let (none, unreadable) = (
            cells.is_empty(),
            cells
                .iter()
                .any(|row| row.status.is_none() || row.unread > 0),
        );
        let now = context.session.env.clock.now();
        context.printer.show(&Cells { cells, now })?;
        if let Scope::Root(root) = &scope
            && none
        {
            let what = if left_out > 0 { "active cell" } else { "cell" };
            let root = root.path().display();
            context
                .printer
                .say(&format!("There is no {what} in {root}"));
        }
        if left_out > 0 {
            let over = if left_out == 1 {
                String::from("1 more is completed or failed: `--all` shows it")
            } else {
                format!("{left_out} more are completed or failed: `--all` shows them")
            };
            context.printer.say(&over);
        } else if none {
            context
                .printer
                .say("make one with `mcell init \"Example Mission\"`");
        }
        if unreadable {
            context.printer.warn("some files cannot be read, and are not counted: `mcell validate` says what is wrong with them");
        }
        Ok(crate::base::exit::DONE)
    }
}
