//! `mcell task list`.

use super::{as_json, tell_troubles};
use crate::base::error::Error;
use crate::base::ids::AgentId;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::task::{Task, TaskStatus};
use crate::ops::task::{Seen, look_around};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

/// List the tasks of the cell you stand in, else of every cell of the root
///
/// Cells whose mission is over are left out unless you stand in one, name one, or say `--all`. `-q` prints ids; those of
/// several cells as CELL/TASK, which every command takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task list
  mcell task list --status pending,failed --agent agent_001
  mcell task list -A --all --json | jq '.tasks[].title'")]
pub(super) struct List {
    /// Only those in this state; may be said several times
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<TaskStatus>,
    /// Only those that this agent works on or that are assigned to it
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    agent: Option<AgentId>,
    /// Those of finished cells too
    #[arg(long)]
    all: bool,
}

/// A list of tasks.
#[derive(Debug)]
pub(super) struct Tasks<'s> {
    /// Each with its cell and its id.
    pub rows: Vec<(&'s str, &'s str, &'s Task)>,
    /// Whether they may be of several cells.
    pub is_mixed: bool,
    /// What is said on stderr where there is none.
    pub none: &'static str,
}

impl Serialize for Tasks<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let tasks: Vec<Value> = self
            .rows
            .iter()
            .map(|(cell, _, task)| as_json(cell, task))
            .collect();
        out.collect_map([("tasks", tasks)])
    }
}

impl Report for Tasks<'_> {
    fn words(&self, page: &mut Page) {
        if self.rows.is_empty() {
            return;
        }
        let mut table = if self.is_mixed {
            Table::new([
                "CELL", "TASK", "TITLE", "STATUS", "PRIORITY", "AGENT", "AFTER",
            ])
        } else {
            Table::new(["TASK", "TITLE", "STATUS", "PRIORITY", "AGENT", "AFTER"])
        };
        for (cell, id, task) in &self.rows {
            let [id, title, status, priority, assigned, after] = columns(id, task);
            if self.is_mixed {
                let cell = cell.get(..8).unwrap_or(cell).to_owned();
                table.row([cell, id, title, status, priority, assigned, after]);
            } else {
                table.row([id, title, status, priority, assigned, after]);
            }
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<String> = self
            .rows
            .iter()
            .map(|(cell, id, _)| match self.is_mixed {
                true => format!("{cell}/{id}"),
                false => (*id).to_owned(),
            })
            .collect();
        (!ids.is_empty()).then(|| ids.join("\n"))
    }
}

/// What a table shows of a task. A dash stands for nothing, so that every row has every column for awk.
fn columns(id: &str, task: &Task) -> [String; 6] {
    let after = match task.dependencies.as_slice() {
        [] => String::from("-"),
        some => some.join(","),
    };
    [
        id.to_owned(),
        crate::base::text::cut(&task.title, 60).into_owned(),
        task.status.word().to_owned(),
        task.priority.word().to_owned(),
        // Who works on it, else who shall.
        task.holder()
            .or(task.assigned_to.as_deref())
            .unwrap_or("-")
            .to_owned(),
        after,
    ]
}

/// What is said where a cell has no tasks.
pub(super) const NONE: &str = "There is no task: add one with `mcell add-task TITLE`";

impl List {
    /// Lists the tasks.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (seen, troubles) = look_around(&context.session, context.all_cells, self.all)?;
        let tasks = Tasks {
            rows: seen
                .iter()
                .flat_map(|seen| seen.tasks.all().map(move |(id, task)| (seen, id, task)))
                .filter(|(seen, id, task)| seen.shows(id) && self.wants(task))
                .map(|(seen, id, task)| (seen.cell.as_str(), id, task))
                .collect(),
            is_mixed: seen.len() > 1,
            none: match self.status.is_empty() && self.agent.is_none() {
                true => NONE,
                false => "There is no such task",
            },
        };
        tasks.show(context, &seen, troubles)
    }

    fn wants(&self, task: &Task) -> bool {
        let of_agent = self.agent.as_ref().is_none_or(|agent| {
            task.assigned_to.as_deref() == Some(agent.as_str())
                || task.holder() == Some(agent.as_str())
        });
        of_agent && (self.status.is_empty() || self.status.contains(&task.status))
    }
}

impl Tasks<'_> {
    /// Shows the list, and says what was left out of it.
    pub(super) fn show(
        &self,
        context: &Context,
        seen: &[Seen],
        mut troubles: Vec<Error>,
    ) -> Outcome {
        context.printer.show(self)?;
        troubles.extend(seen.iter().flat_map(|seen| seen.troubles.iter().cloned()));
        let hidden: usize = seen.iter().map(Seen::hidden).sum();
        if hidden > 0 {
            context.printer.say(&format!(
                "{} left out: {} may not read them",
                crate::base::text::count(hidden, "task"),
                context.session.actor()
            ));
        } else if self.rows.is_empty() && troubles.is_empty() {
            context.printer.say(self.none);
        }
        Ok(tell_troubles(context, &troubles))
    }
}
