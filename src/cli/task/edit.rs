//! `mcell task edit`.

use crate::base::ids::TaskId;
use crate::cli::context::Context;
use crate::cli::edited::edited;
use crate::cli::{Outcome, complete};
use crate::ops::task;
use crate::store::layout;
use clap::Args;

/// Open a task in your editor
///
/// $VISUAL or $EDITOR gets a copy. What comes back is checked and written under the lock, unless somebody changed the task
/// meanwhile; what cannot be written is kept, and the error says where.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task edit task_001
  EDITOR='code --wait' mcell task edit task_001")]
pub(super) struct Edit {
    /// The task: TASK, or CELL/TASK
    #[arg(add = complete::tasks())]
    task: String,
}

impl Edit {
    /// Edits the task.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (cell, id) = context.session.split(&self.task)?;
        let id = TaskId::new(id)?;
        edited(context, layout::task(&id), |again| {
            task::edit(&context.session, &cell, &id, again)
        })
    }
}
