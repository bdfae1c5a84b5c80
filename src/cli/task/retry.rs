//! `mcell task retry`.

use super::told::together;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::task;
use clap::Args;

/// Make failed tasks pending again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task retry task_001
  mcell task retry task_001 task_002")]
pub(super) struct Retry {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
}

impl Retry {
    /// Makes the tasks pending again.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let retry = |cell: &_, ids: &[_]| task::retry(&context.session, cell, ids);
        together(context, &self.tasks, retry, |task| {
            format!("{} is pending again: {}", task.task_id, shown(&task.title))
        })
    }
}
