//! `mcell task release`.

use super::told::each;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::task;
use clap::Args;

/// Give tasks in progress back: they are pending again
///
/// An agent gives back what it holds; an operator takes any task from its holder, whose token is refused from then on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task release task_001 --as agent_001
  mcell task release task_001 --reason \"its agent hangs\"")]
pub(super) struct Release {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Release {
    /// Gives the tasks back.
    pub(super) fn run(self, context: &Context) -> Outcome {
        each(context, &self.tasks, |cell, id| {
            let let_go = task::release(&context.session, cell, id, self.reason.as_deref())?;
            let by = let_go.holder.map_or(String::new(), |holder| {
                format!(", which {} held", shown(&holder))
            });
            let words = vec![format!("Released {id}{by}: {}", shown(&let_go.task.title))];
            Ok((let_go.task, words))
        })
    }
}
