//! `mcell journal head`.

use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::journal::{Head, head};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Print the end of the chain, to keep elsewhere
///
/// It reads HASH:LINES. Kept where nobody who can write to the cell can write, it proves later that no line up to here was
/// cut off or changed: `mcell journal verify --head HASH:LINES`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell journal head
  mcell journal head -q | ssh elsewhere 'cat >> heads'
  mcell journal head --json | jq .lines")]
pub(super) struct ShowHead {}

impl Report for Head {
    fn words(&self, page: &mut Page) {
        page.line(self);
    }

    fn datum(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl ShowHead {
    /// Prints it.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        context.printer.show(&head(&cell)?)?;
        Ok(exit::DONE)
    }
}
