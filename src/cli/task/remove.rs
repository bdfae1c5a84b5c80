//! `mcell task remove`.

use super::targets;
use crate::base::ids::TaskId;
use crate::base::text::{count, cut, shown};
use crate::cli::context::Context;
use crate::cli::removed::undo;
use crate::cli::several::Several;
use crate::cli::{Outcome, complete};
use crate::ops::task::{self, Removal};
use crate::ops::trash::Removed;
use crate::store::cell::OpenCell;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Remove tasks: their files go to the trash
///
/// Refused while a task is in progress, and while others depend on it (name those too, and all go together). Permission
/// lists that name it lose it. Its id is never given again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task remove task_004
  mcell task remove task_004 task_005 --yes")]
pub(super) struct Remove {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
}

/// What was removed, cell by cell.
#[derive(Debug)]
struct Gone(Vec<(String, Removal)>);

impl Serialize for Gone {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let tasks = self.0.iter().flat_map(|(cell_id, removal)| {
            removal.tasks.iter().map(|removed| GoneTask {
                cell_id,
                task_id: &removed.id,
                removed,
            })
        });
        Several::new("tasks", tasks.collect()).serialize(out)
    }
}

/// A task that was removed.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct GoneTask<'r> {
    /// The cell it was in.
    cell_id: &'r str,
    /// The task.
    task_id: &'r str,
    /// Where its file lies now, and how to put it back.
    removed: &'r Removed,
}

impl Report for Gone {
    fn words(&self, page: &mut Page) {
        for (_, removal) in &self.0 {
            for one in &removal.tasks {
                page.line(format_args!("Removed {}", one.id));
                undo(one, page);
            }
            if !removal.forgotten_by.is_empty() {
                page.line(format_args!(
                    "No longer named in the permissions of {}",
                    shown(&removal.forgotten_by.join(", "))
                ));
            }
            if !removal.freed.is_empty() {
                page.line(format_args!(
                    "No longer the current task of {}",
                    removal.freed.join(", ")
                ));
            }
        }
    }

    fn datum(&self) -> Option<String> {
        let ids = self.0.iter().flat_map(|(_, removal)| &removal.tasks);
        Some(
            ids.map(|one| one.id.as_str())
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

impl Remove {
    /// Removes the tasks.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = targets(&context.session, &self.tasks)?;
        context.session.require_operator("remove a task")?;
        for (cell, ids) in &cells {
            // Said before the question; the lock holds the same against what is there then.
            let seen = task::look(&context.session, cell)?;
            if let Some(id) = ids.iter().find(|id| !seen.tasks.has(id.as_str())) {
                return Err(task::not_here(cell, id));
            }
            let names: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
            seen.tasks.require_removable(&names)?;
        }
        if !context.confirm(&question(&cells))? {
            context.printer.say("Nothing was removed");
            return Ok(crate::base::exit::DONE);
        }
        let mut gone = Vec::new();
        for (cell, ids) in &cells {
            let removal = task::remove(&context.session, cell, ids)?;
            gone.push((cell.id().to_string(), removal));
        }
        context.printer.show(&Gone(gone))?;
        Ok(0)
    }
}

fn question(cells: &[(OpenCell, Vec<TaskId>)]) -> String {
    match cells {
        [(cell, ids)] if ids.len() == 1 => {
            let id = ids.first().map(ToString::to_string).unwrap_or_default();
            let title = ids
                .first()
                .and_then(|id| cell.task(id).ok().flatten())
                .map_or("its file cannot be read".to_owned(), |task| {
                    cut(&shown(&task.title), 60).into_owned()
                });
            format!("Remove {id} ({title})?")
        }
        _ => {
            let all: usize = cells.iter().map(|(_, ids)| ids.len()).sum();
            let names: Vec<&str> = cells
                .iter()
                .flat_map(|(_, ids)| ids.iter().map(|id| id.as_str()))
                .collect();
            format!("Remove {}: {}?", count(all, "task"), names.join(", "))
        }
    }
}
