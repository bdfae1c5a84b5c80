//! `mcell handoff approve`.

use super::{each, way};
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::handoff;
use clap::Args;

/// Agree to offers, as an operator
///
/// Where the policy handoff_approval is manual, an agent's offer is accepted only after that.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell handoff approve task_001
  mcell handoff list -q | xargs mcell handoff approve")]
pub(super) struct Approve {
    /// The handoffs, or the tasks that are offered; CELL/… for those of another cell
    #[arg(required = true, value_name = "HANDOFF", add = complete::handoffs())]
    handoffs: Vec<String>,
}

impl Approve {
    /// Approves them.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let approve = |cell: &_, named: &str| handoff::approve(&context.session, cell, named);
        each(context, &self.handoffs, approve, |told| {
            vec![format!("Approved: {} ({})", way(told), told.id)]
        })
    }
}
