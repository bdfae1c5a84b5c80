//! `mcell task assign`.

use super::told::together;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::task;
use clap::Args;

/// Say who shall do tasks: an operator, or an agent whose role is lead
///
/// The last word is the agent. A task in progress is handed on instead: `mcell handoff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task assign task_001 agent_002
  mcell task assign task_001 task_002 agent_002
  mcell task assign task_001 --nobody            whoever may do it takes it")]
pub(super) struct Assign {
    /// The tasks (TASK, or CELL/TASK), then the agent
    #[arg(required = true, value_name = "TASK… AGENT", add = complete::tasks())]
    words: Vec<String>,
    /// To nobody
    #[arg(long)]
    nobody: bool,
}

impl Assign {
    /// Assigns the tasks.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (tasks, to) = self.split()?;
        let assign = |cell: &_, ids: &[_]| task::assign(&context.session, cell, ids, to.as_ref());
        together(context, &tasks, assign, |task| {
            let whom = task.assigned_to.as_deref().unwrap_or("nobody");
            format!(
                "Assigned {} to {}: {}",
                task.task_id,
                shown(whom),
                shown(&task.title)
            )
        })
    }

    fn split(mut self) -> Result<(Vec<String>, Option<AgentId>)> {
        if self.nobody {
            return Ok((self.words, None));
        }
        let agent = self.words.pop().map(AgentId::new).transpose()?;
        if self.words.is_empty() {
            return Err(Error::usage("to whom shall it be assigned?")
                .hint("`mcell task assign TASK AGENT`, or `--nobody`"));
        }
        Ok((self.words, agent))
    }
}
