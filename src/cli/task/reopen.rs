//! `mcell task reopen`.

use super::{as_json, one_or_list, targets};
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::task::TaskStatus;
use crate::ops::task::{self, Reopened};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Make completed or failed tasks pending again
///
/// A completed task is not reopened while a task that depends on it is past pending; name those too, and they are reopened
/// together.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task reopen task_001
  mcell task reopen task_001 task_002        with what was built on it")]
pub(super) struct Reopen {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
}

/// What is pending again.
#[derive(Debug)]
struct Pending(Vec<(String, Reopened)>);

impl Serialize for Pending {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let tasks = self.0.iter();
        let tasks = tasks.map(|(cell, reopened)| as_json(cell, &reopened.task));
        one_or_list(tasks.collect()).serialize(out)
    }
}

impl Report for Pending {
    fn words(&self, page: &mut Page) {
        for (_, Reopened { task, was }) in &self.0 {
            let (id, title) = (&task.task_id, shown(&task.title));
            match was {
                TaskStatus::Pending => page.line(format_args!("{id} is pending already: {title}")),
                _ => page.line(format_args!(
                    "Reopened {id}, which was {}: {title}",
                    was.word()
                )),
            }
        }
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<&str> = self
            .0
            .iter()
            .map(|(_, reopened)| reopened.task.task_id.as_str())
            .collect();
        Some(ids.join("\n"))
    }
}

impl Reopen {
    /// Reopens the tasks.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut all = Vec::new();
        for (cell, ids) in targets(&context.session, &self.tasks)? {
            for reopened in task::reopen(&context.session, &cell, &ids)? {
                all.push((cell.id().to_string(), reopened));
            }
        }
        context.printer.show(&Pending(all))?;
        Ok(0)
    }
}
