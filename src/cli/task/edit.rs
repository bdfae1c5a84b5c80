//! `mcell task edit`.

use super::set::Changed;
use crate::base::error::Error;
use crate::base::ids::TaskId;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::task;
use crate::ui::prompt;
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
        // One that cannot be read may be edited: that mends it.
        let before = cell.task(&id).ok().flatten();
        let ask = |error: &Error| {
            context.printer.trouble(error);
            prompt::confirm("Edit it again?")
        };
        let again: Option<task::Again<'_>> = context.printer.may_ask().then_some(&ask);
        let (after, changed) = task::edit(&context.session, &cell, &id, again)?;
        let name = cell.id().to_string();
        let report = match before {
            Some(before) => Changed::between(name, &before, after),
            None => {
                let mut report = Changed::between(name, &after.clone(), after);
                if changed {
                    report
                        .fields
                        .push((String::from("its file"), String::from("can be read again")));
                }
                report
            }
        };
        context.printer.show(&report)?;
        Ok(0)
    }
}
