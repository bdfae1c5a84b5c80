//! `mcell cell path`: where a cell lies.

use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::store::cell::OpenCell;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Print the folder of a cell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cd \"$(mcell cell path)\"
  tail -f \"$(mcell cell path \"Example Mission\")/logs/mission.log\"")]
pub(super) struct PathOf {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Option<String>,
}

/// Where a cell lies.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Place {
    /// The folder's name.
    cell_id: String,
    /// The folder.
    path: String,
}

impl Report for Place {
    fn words(&self, page: &mut Page) {
        page.line(&self.path);
    }

    fn datum(&self) -> Option<String> {
        Some(self.path.clone())
    }
}

impl PathOf {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = match &self.named {
            Some(name) => context.session.open_named(name)?,
            None => context.session.open_cell()?,
        };
        // A folder that is no cell has no place to show.
        if cell.folder().stat(crate::store::layout::CELL)?.is_none() {
            return Err(cell.no_cell());
        }
        context.printer.show(&place(&cell))?;
        Ok(crate::base::exit::DONE)
    }
}

fn place(cell: &OpenCell) -> Place {
    Place {
        cell_id: cell.id().to_string(),
        path: cell.path().display().to_string(),
    }
}
