//! `mcell add-task`: add a task to a cell.

use crate::base::error::Error;
use crate::base::ids::{AgentId, TaskId};
use crate::cli::context::{Context, seconds};
use crate::cli::{Outcome, complete};
use crate::mission::task::{Priority, Task};
use crate::ops::task::{self, NewTask};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::prompt;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Add a task to a cell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell add-task \"Code Review\" --priority high
  mcell add-task \"Testing\" --depends-on task_001 --assign agent_002 --timeout 2h")]
pub struct AddTask {
    /// What it is, in one line
    title: Option<String>,
    /// Its id [default: the next free one, task_001]
    #[arg(long, value_name = "ID")]
    id: Option<TaskId>,
    /// What it is, at length
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The agent it is meant for
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    assign: Option<AgentId>,
    /// How urgent it is [default: medium]
    #[arg(long)]
    priority: Option<Priority>,
    /// A task that must be completed first; may be said several times
    #[arg(long, value_name = "TASK", value_delimiter = ',', add = complete::tasks())]
    depends_on: Vec<TaskId>,
    /// How long it should take once begun: 90, 15m, 8h [default: 30m]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    timeout: Option<u64>,
    /// Start from this template, or from the task.json in this folder
    #[arg(long, value_name = "FILE|DIR", value_hint = clap::ValueHint::AnyPath)]
    template: Option<PathBuf>,
}

/// The task that was added.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Added {
    /// The cell it is in.
    pub cell_id: String,
    /// What its file says.
    #[schemars(schema_with = "crate::mission::shape::schema::task")]
    pub task: Task,
}

impl Report for Added {
    fn words(&self, page: &mut Page) {
        let title = crate::base::text::shown(&self.task.title);
        page.line(format_args!(
            "Added {}: {title}, to cell {}",
            self.task.task_id, self.cell_id
        ));
    }

    fn datum(&self) -> Option<String> {
        Some(self.task.task_id.clone())
    }
}

impl AddTask {
    /// Adds the task.
    pub fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let AddTask {
            title,
            id,
            description,
            assign,
            priority,
            depends_on,
            timeout,
            template,
        } = self;
        let title = match title {
            Some(title) => title,
            None if context.printer.may_ask() => prompt::line("What is to be done, in one line")?,
            None => {
                return Err(
                    Error::usage("the task has no title").hint("`mcell add-task \"Code Review\"`")
                );
            }
        };
        let new = NewTask {
            id,
            title,
            description,
            assign,
            priority,
            depends_on,
            timeout,
            template,
        };
        let task = task::add(&context.session, &cell, &new)?;
        context.printer.show(&Added {
            cell_id: cell.id().to_string(),
            task,
        })?;
        Ok(0)
    }
}
