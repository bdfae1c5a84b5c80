//! `mcell task fail`.

use super::told::each;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::task;
use clap::Args;

/// Give tasks in progress up
///
/// An agent gives up what it holds; an operator any task in progress. The reason becomes the task's result. What waits for
/// it goes on waiting; `mcell task retry` makes it pending again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task fail task_001 --reason \"the API is gone\" --as agent_001
  mcell task fail task_001 task_002 --reason \"out of scope\"")]
pub(super) struct Fail {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
    /// Why: kept as the task's result, and in the journal
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Fail {
    /// Gives the tasks up.
    pub(super) fn run(self, context: &Context) -> Outcome {
        each(context, &self.tasks, |cell, id| {
            let let_go = task::fail(&context.session, cell, id, &self.reason)?;
            let title = shown(&let_go.task.title).into_owned();
            let words = vec![
                format!("{id} failed: {title}"),
                format!("`mcell task retry {id}` makes it pending again"),
            ];
            Ok((let_go.task, words))
        })
    }
}
