//! `mcell cell edit`: open cell.json in an editor.

use crate::cli::context::Context;
use crate::cli::edited::edited;
use crate::cli::{Outcome, complete};
use crate::ops::cell;
use crate::store::layout;
use clap::Args;

/// Open cell.json in your editor, check it, and write it
///
/// The editor is VISUAL, else EDITOR, else vi, and works on a copy. What is not sound, or was changed meanwhile by
/// someone else, is not written, and the copy is kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell edit
  EDITOR=nano mcell cell edit \"Example Mission\"")]
pub(super) struct Edit {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Option<String>,
}

impl Edit {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = match &self.named {
            Some(name) => context.session.open_named(name)?,
            None => context.session.open_cell()?,
        };
        edited(context, layout::CELL.to_owned(), |again| {
            cell::edit(&context.session, &cell, again)
        })
    }
}
