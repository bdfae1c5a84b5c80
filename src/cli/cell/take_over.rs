//! `mcell cell take-over`: make this host the home of a cell.

use super::short;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::several::{cells, each};
use crate::cli::{Outcome, complete};
use crate::ops::cell::{self, TakenOver};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Make this host the home of cells that came from another one
///
/// A cell that was copied here, or lies on a disk that was mounted here, is watched but not revived until then. Be sure
/// that its agents run nowhere else. Tokens rise, so that whoever works for the other host is refused. This host is named
/// by MCELL_HOST, else by the machine's id.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell take-over \"Example Mission\"")]
pub(super) struct TakeOver {
    /// A path, an id, the beginning of one, or a part of the mission's name
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
}

impl Report for TakenOver {
    fn words(&self, page: &mut Page) {
        let (cell, host) = (short(&self.cell_id), shown(&self.host));
        page.line(match (&self.from, self.changed) {
            (_, false) => format!("{cell} is this host's already ({host})"),
            (Some(from), _) => format!("{cell} is now at home on {host}; {} had it", shown(from)),
            (None, _) => format!("{cell} is now at home on {host}; no host had it"),
        });
    }

    fn datum(&self) -> Option<String> {
        Some(self.cell_id.clone())
    }
}

impl TakeOver {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            cell::take_over(&context.session, cell)
        })
    }
}
