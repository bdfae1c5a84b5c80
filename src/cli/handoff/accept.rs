//! `mcell handoff accept`.

use super::{Acted, way};
use crate::base::error::Error;
use crate::cli::context::{Context, seconds};
use crate::cli::{Outcome, complete};
use crate::ops::handoff;
use clap::Args;

/// Accept a task that is offered, as the agent it is offered to
///
/// From now on that agent holds the task, as if it had claimed it: with a new token, while the giver's is refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell handoff accept task_001 --as agent_002
  mcell handoff accept hqkzwm --as agent_002 --lease 10m
  mcell handoff accept task_001 --json | jq .claim.token")]
pub(super) struct Accept {
    /// The handoff, or the task that is offered; CELL/… for one of another cell
    #[arg(add = complete::handoffs())]
    handoff: String,
    /// How long the claim holds from each act of the agent: 90, 15m, 8h [default: until the agent is gone]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    lease: Option<u64>,
}

impl Accept {
    /// Accepts it.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        if self.lease == Some(0) {
            return Err(Error::usage("a lease of no time holds nothing").hint("`--lease 10m`"));
        }
        let (cell, named) = session.split(&self.handoff)?;
        let told = handoff::accept(session, &cell, named, self.lease)?;
        let mut words = vec![format!("Handed {} ({})", way(&told), told.id)];
        if let Some(claim) = &told.claim {
            let until = match claim.expires_at {
                Some(until) => format!(
                    "until {} if no sign comes",
                    until.local(session.env.clock.now())
                ),
                None => String::from("until it is done or the agent is gone"),
            };
            words.push(format!("Token {}, {until}", claim.token));
        }
        context.printer.show(&Acted { told, words })?;
        Ok(0)
    }
}
