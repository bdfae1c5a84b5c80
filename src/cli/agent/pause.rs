//! `mcell agent pause` and `mcell agent resume`.

use super::set::Told;
use crate::cli::context::{Context, seconds};
use crate::cli::several::{agents, each};
use crate::cli::{Outcome, complete};
use crate::ops::agent;
use clap::Args;

/// Take agents out of work; their tasks stay their own
///
/// Nothing is stopped: an agent at work goes on with its task, and takes no other. Pausing a paused agent sets only when
/// the pause ends.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent pause agent_001
  mcell agent pause agent_001 agent_002 --for 1h --reason \"gateway is moved\"")]
pub(super) struct Pause {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
    /// End the pause by itself after this time: 90, 15m, 8h, 2d
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<u64>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Pause {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let now = context.session.env.clock.now();
        let targets = agents(context, &self.named)?;
        each(context, "agents", &targets, |target| {
            let (session, why) = (&context.session, self.reason.as_deref());
            let done = agent::pause(session, &target.cell, &target.id, self.lasts, why)?;
            let mut words = match (done.changed, done.agent.paused_until) {
                (true, None) => format!("Paused {{}}, until `mcell agent resume {}`", target.id),
                (true, Some(until)) => format!("Paused {{}} until {}", until.local(now)),
                (false, _) => String::from("{} is paused already"),
            };
            if let Some(task) = &done.agent.current_task {
                words.push_str(&format!("; {task} stays its own"));
            }
            Ok(Told {
                cell_id: target.cell.id().to_string(),
                agent: done.agent,
                words,
            })
        })
    }
}

/// Let paused agents go on, and make failed ones idle again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent resume agent_001
  mcell agent resume agent_001 agent_002")]
pub(super) struct Resume {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
}

impl Resume {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let targets = agents(context, &self.named)?;
        each(context, "agents", &targets, |target| {
            let done = agent::resume(&context.session, &target.cell, &target.id)?;
            let status = done.agent.status.word();
            let words = if done.changed {
                format!("Resumed {{}}: it is {status}")
            } else {
                format!("{{}} is not paused: it is {status}")
            };
            Ok(Told {
                cell_id: target.cell.id().to_string(),
                agent: done.agent,
                words,
            })
        })
    }
}
