//! `mcell task ready`.

use super::list::Tasks;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::task::look_around;
use clap::Args;

/// List the tasks that may start now, the first to take first
///
/// A task is ready when it is pending, its cell is active, and all it depends on is completed. First comes what is more
/// urgent, then what is older, then by id.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task ready
  mcell task ready -q | head -1
  mcell task show task_003        why one is not ready")]
pub(super) struct Ready {}

impl Ready {
    /// Lists what is ready.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (seen, troubles) = look_around(&context.session, context.all_cells, false)?;
        let mut rows: Vec<_> = seen
            .iter()
            .flat_map(|seen| {
                let ready = seen.tasks.ready(seen.acting_status()).into_iter();
                ready
                    .filter(|(id, _)| seen.shows(id))
                    .map(|(id, task)| (seen.cell.as_str(), id, task))
            })
            .collect();
        // Of several cells the same order holds over all of them; the sort is stable.
        rows.sort_by_key(|(_, _, task)| (task.priority, task.created_at));
        let tasks = Tasks {
            rows,
            is_mixed: seen.len() > 1,
            none: "No task is ready: `mcell task show TASK` says what one waits for",
        };
        tasks.show(context, &seen, troubles)
    }
}
