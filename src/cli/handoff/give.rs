//! `mcell handoff TASK AGENT`.

use super::{Acted, way};
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::shown;
use crate::cli::context::{Context, seconds};
use crate::cli::{Outcome, complete};
use crate::mission::handoff::{Approval, DEADLINE, HandoffState};
use crate::ops::handoff::{self, Told};
use clap::Args;

/// What is given, and to whom.
#[derive(Debug, Args)]
pub(super) struct Give {
    /// The task: TASK, or CELL/TASK
    #[arg(required = true, add = complete::tasks())]
    task: Option<String>,
    /// The agent that shall have it
    #[arg(required = true, add = complete::agents())]
    agent: Option<String>,
    /// Ask the agent first: it accepts or declines
    #[arg(long)]
    offer: bool,
    /// Why, for the other agent and the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// How long an offer waits [default: 15m]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    deadline: Option<u64>,
}

impl Give {
    /// Hands it over, or offers it.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let told = self.give(context)?;
        let mut words = Vec::new();
        if told.state == HandoffState::Done {
            words.push(format!("Handed {} ({})", way(&told), told.id));
            words.push(format!(
                "It is pending; {} takes it with `mcell task claim {}`",
                shown(&told.to),
                told.task_id
            ));
        } else {
            words.push(format!("Offered {} ({})", way(&told), told.id));
            let until = told.deadline.map_or_else(String::new, |until| {
                format!(" until {}", until.local(session.env.clock.now()))
            });
            words.push(format!(
                "It waits{until}: `mcell handoff accept {} --as {}`",
                told.id, told.to
            ));
            if told.approval == Approval::Waiting {
                words.push(format!(
                    "An operator must agree first: `mcell handoff approve {}`",
                    told.id
                ));
            }
        }
        context.printer.show(&Acted { told, words })?;
        Ok(0)
    }

    fn give(&self, context: &Context) -> Result<Told> {
        let session = &context.session;
        let missing = || Error::usage("which task, and to whom? `mcell handoff TASK AGENT`");
        let task = self.task.as_deref().ok_or_else(missing)?;
        let agent = AgentId::new(self.agent.as_deref().ok_or_else(missing)?)?;
        let (cell, id) = session.split(task)?;
        let (id, reason) = (TaskId::new(id)?, self.reason.as_deref());
        if self.offer || session.agent.is_some() {
            let deadline = self.deadline.unwrap_or(DEADLINE);
            return handoff::offer(session, &cell, &id, &agent, reason, deadline);
        }
        if self.deadline.is_some() {
            return Err(Error::usage("an operator's handoff happens at once")
                .hint("with `--offer` it waits until the deadline"));
        }
        handoff::hand_over(session, &cell, &id, &agent, reason)
    }
}
