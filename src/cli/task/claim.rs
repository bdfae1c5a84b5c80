//! `mcell task claim`.

use super::told::Told;
use crate::base::error::{Error, Result};
use crate::base::ids::TaskId;
use crate::base::text::shown;
use crate::cli::context::{Context, seconds};
use crate::cli::{Outcome, complete};
use crate::ops::task::{self, Claimed};
use crate::store::cell::OpenCell;
use clap::Args;

/// Take a task, as an agent
///
/// Of many who race for one task exactly one wins. The claim has a fencing token: acts with an older one are refused from
/// then on. It holds until the task is completed, failed, released or handed on, or its holder is gone; with a lease also
/// until the holder has given no sign for so long: each act of the holder begins the lease anew. Whoever holds the task
/// already takes it again, with a new token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task claim task_001 --as agent_001
  mcell task claim --next --as agent_001              the best one that is ready
  mcell task claim --next --lease 10m -q              its id; MCELL_AGENT says who
  mcell task claim --next --json | jq .claim.token

Exit codes: 1 with `--next` if there is none to take, 5 if it may not be taken.")]
pub(super) struct Claim {
    /// The task: TASK, or CELL/TASK
    #[arg(add = complete::tasks(), required_unless_present = "next", conflicts_with = "next")]
    task: Option<String>,
    /// The best task that is ready and that the agent may do: by priority, then age; the one it holds already comes first
    #[arg(long)]
    next: bool,
    /// How long the claim holds from each act of the agent: 90, 15m, 8h [default: until the agent is gone]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    lease: Option<u64>,
}

impl Claim {
    /// Takes the task.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        if self.lease == Some(0) {
            return Err(Error::usage("a lease of no time holds nothing").hint("`--lease 10m`"));
        }
        let (cell, claimed) = self.take(context)?;
        let Claimed { task, renewed } = claimed;
        let claim = task.claim.as_ref();
        let verb = if renewed { "holds" } else { "has taken" };
        let agent = claim.map_or("", |claim| claim.agent.as_str());
        let mut words = vec![format!(
            "{agent} {verb} {}: {}",
            task.task_id,
            shown(&task.title)
        )];
        if let Some(claim) = claim {
            let now = session.env.clock.now();
            let until = match claim.expires_at {
                Some(until) => format!("until {} if no sign comes", until.local(now)),
                None => String::from("until it is done or the agent is gone"),
            };
            words.push(format!("Token {}, {until}", claim.token));
        }
        context.printer.show(&Told {
            cell: cell.id().to_string(),
            task,
            words,
        })?;
        Ok(0)
    }

    fn take(&self, context: &Context) -> Result<(OpenCell, Claimed)> {
        let session = &context.session;
        match &self.task {
            Some(named) => {
                let (cell, id) = session.split(named)?;
                let claimed = task::claim(session, &cell, &TaskId::new(id)?, self.lease)?;
                Ok((cell, claimed))
            }
            None => {
                let cell = session.open_cell()?;
                let claimed = task::claim_next(session, &cell, self.lease)?;
                Ok((cell, claimed))
            }
        }
    }
}
