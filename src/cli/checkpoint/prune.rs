//! `mcell checkpoint prune`.

use super::target;
use crate::base::error::Error;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::checkpoint::KEPT;
use crate::ops::checkpoint::{self, Pruned};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Delete old checkpoints of an agent for good
///
/// The newest one that is good is never deleted. If none is good, none is deleted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint prune agent_001 --keep 1
  mcell checkpoint prune agent_001 --keep 1 --yes")]
pub(super) struct Prune {
    /// The agent: AGENT, or CELL/AGENT
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: String,
    /// How many of the newest are kept, 1 or more
    #[arg(long, value_name = "N", default_value_t = KEPT)]
    keep: usize,
}

impl Report for Pruned {
    fn words(&self, page: &mut Page) {
        let agent = &self.agent_id;
        let list = |numbers: &[u64]| {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            numbers.join(", ")
        };
        let kept = list(&self.kept);
        if self.dropped.is_empty() {
            page.line(format_args!(
                "Nothing to delete: {agent} has checkpoint {kept}"
            ));
        } else {
            let dropped = list(&self.dropped);
            page.line(format_args!(
                "Deleted checkpoint {dropped} of {agent}; kept {kept}"
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        let dropped: Vec<String> = self.dropped.iter().map(u64::to_string).collect();
        (!dropped.is_empty()).then(|| dropped.join("\n"))
    }
}

impl Prune {
    pub(super) fn run(self, context: &Context) -> Outcome {
        if self.keep == 0 {
            return Err(Error::usage("one checkpoint is always kept")
                .hint("`--keep 1` deletes all but the newest"));
        }
        let session = &context.session;
        session.require_operator("delete checkpoints")?;
        let (cell, agent) = target(context, &self.agent)?;
        let due = checkpoint::to_prune(&cell, &agent, self.keep)?;
        if !due.is_empty() {
            let list: Vec<String> = due.iter().map(u64::to_string).collect();
            let question = format!("Delete checkpoint {} of {agent} for good?", list.join(", "));
            if !context.confirm(&question)? {
                context.printer.say("Nothing was deleted");
                return Ok(crate::base::exit::DONE);
            }
        }
        let pruned = checkpoint::prune(session, &cell, &agent, self.keep)?;
        context.printer.show(&pruned)?;
        Ok(crate::base::exit::DONE)
    }
}
