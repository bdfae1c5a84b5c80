//! `mcell handoff decline`.

use super::{became, each, way};
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::handoff;
use clap::Args;

/// Decline tasks that are offered, or take offers back
///
/// The agent it is offered to declines; the giver, or an operator, takes the offer back. The task stays where it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell handoff decline task_001 --as agent_002 --reason \"no time\"
  mcell handoff decline hqkzwm                    an operator takes it back")]
pub(super) struct Decline {
    /// The handoffs, or the tasks that are offered; CELL/… for those of another cell
    #[arg(required = true, value_name = "HANDOFF", add = complete::handoffs())]
    handoffs: Vec<String>,
    /// Why, for the giver and the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Decline {
    /// Declines them.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let decline = |cell: &_, named: &str| {
            handoff::decline(&context.session, cell, named, self.reason.as_deref())
        };
        each(context, &self.handoffs, decline, |told| {
            vec![format!("{}: {} ({})", became(told), way(told), told.id)]
        })
    }
}
