//! `mcell checkpoint restore`.

use super::target;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::checkpoint::{self, Restored};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Put a checkpoint back where its agent reads it: the newest, unless you say which
///
/// Only generations are read, and every byte is held against the manifest first: a broken one is refused, and the newest
/// good one named. Files are replaced one by one in checkpoints/AGENT/; artifacts that were not saved with it stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint restore agent_001
  mcell checkpoint restore agent_001 --generation 4")]
pub(super) struct Restore {
    /// The agent: AGENT, or CELL/AGENT
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: String,
    /// Its number, as `mcell checkpoint list` shows it
    #[arg(long, value_name = "NUMBER")]
    generation: Option<u64>,
}

impl Report for Restored {
    fn words(&self, page: &mut Page) {
        let (number, agent) = (self.generation, &self.agent_id);
        if self.changed.is_empty() {
            page.line(format_args!(
                "checkpoint {number} of {agent} is what lies in checkpoints/{agent} already"
            ));
            return;
        }
        page.line(format_args!("Restored checkpoint {number} of {agent}"));
        let changed = self.changed.join(", ");
        page.line(format_args!("  changed in checkpoints/{agent}: {changed}"));
    }

    fn datum(&self) -> Option<String> {
        Some(self.generation.to_string())
    }
}

impl Restore {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (cell, agent) = target(context, &self.agent)?;
        let restored = checkpoint::restore(&context.session, &cell, &agent, self.generation)?;
        context.printer.show(&restored)?;
        Ok(crate::base::exit::DONE)
    }
}
