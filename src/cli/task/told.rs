//! What a verb did to a task: the task as it now stands, and a sentence.

use super::{as_json, targets};
use crate::base::error::Result;
use crate::base::ids::TaskId;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::cli::several::Several;
use crate::mission::task::Task;
use crate::store::cell::OpenCell;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use serde::{Serialize, Serializer};

/// A task after an act.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) cell: String,
    pub(super) task: Task,
    /// Lines for people.
    pub(super) words: Vec<String>,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        as_json(&self.cell, &self.task).serialize(out)
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        for line in &self.words {
            page.line(line);
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.task.task_id.clone())
    }
}

/// Does one thing to each task that is named, in order, and reports. The first that fails ends it; what was done before is
/// reported all the same.
pub(super) fn each(
    context: &Context,
    named: &[String],
    mut act: impl FnMut(&OpenCell, &TaskId) -> Result<(Task, Vec<String>)>,
) -> Outcome {
    let (mut done, mut failed) = (Vec::new(), None);
    'all: for (cell, ids) in targets(&context.session, named)? {
        for id in ids {
            match act(&cell, &id) {
                Ok((task, words)) => done.push(Told {
                    cell: cell.id().to_string(),
                    task,
                    words,
                }),
                Err(error) => {
                    failed = Some(error);
                    break 'all;
                }
            }
        }
    }
    if !done.is_empty() {
        context.printer.show(&Several::new("tasks", done))?;
    }
    failed.map_or(Ok(crate::base::exit::DONE), Err)
}

/// Does one thing to the tasks of each cell together, and reports.
pub(super) fn together(
    context: &Context,
    named: &[String],
    act: impl Fn(&OpenCell, &[TaskId]) -> Result<Vec<Task>>,
    words: impl Fn(&Task) -> String,
) -> Outcome {
    let mut done = Vec::new();
    for (cell, ids) in targets(&context.session, named)? {
        for task in act(&cell, &ids)? {
            done.push(Told {
                cell: cell.id().to_string(),
                words: vec![words(&task)],
                task,
            });
        }
    }
    context.printer.show(&Several::new("tasks", done))?;
    Ok(crate::base::exit::DONE)
}
