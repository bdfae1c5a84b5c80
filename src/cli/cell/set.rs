//! `mcell cell set`: change fields of a cell.

use super::named;
use crate::base::error::Error;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::cell::{self, Changed};
use crate::ops::set::Assignment;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Change fields of a cell
///
/// An empty value takes a field away. Fields in `policies` are named with a dot.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell set max_agents=20 timeout=8h
  mcell cell set \"Example Mission\" mission_name=\"Second run\"
  mcell cell set policies.auto_revive=ask
  mcell cell set timeout=")]
pub(super) struct Set {
    /// The fields and what they shall be; a cell may be named before them
    #[arg(value_name = "[CELL] FIELD=VALUE", required = true)]
    words: Vec<String>,
}

impl Set {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (cell, words) = match self.words.split_first() {
            Some((name, rest)) if !name.contains('=') => (context.session.open_named(name)?, rest),
            _ => (context.session.open_cell()?, self.words.as_slice()),
        };
        if words.is_empty() {
            return Err(
                Error::usage("nothing is said to be set").hint("`mcell cell set max_agents=20`")
            );
        }
        let assignments: Vec<Assignment> = words
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_, Error>>()?;
        let changed = cell::set(&context.session, &cell, &assignments)?;
        context.printer.show(&changed)?;
        Ok(crate::base::exit::DONE)
    }
}

impl Report for Changed {
    fn words(&self, page: &mut Page) {
        let name = named(&self.cell_id, &self.cell.mission_name);
        if !self.changed {
            page.line(format_args!("{name} is so already: nothing changed"));
            return;
        }
        page.line(format_args!("Changed {name}"));
        for file in &self.also {
            page.line(format_args!(
                "  {file} states it too, and says the same now"
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.cell_id.clone())
    }
}
