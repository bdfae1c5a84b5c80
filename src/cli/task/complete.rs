//! `mcell task complete`.

use super::told::each;
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::cell;
use crate::ops::task::{self, Left, Yield};
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;

/// Say that tasks are done
///
/// An agent completes the task that it holds; an operator any task in progress. If it was the last open task of its cell,
/// `--auto` completes the cell with it; at a terminal it is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task complete task_001 --as agent_001
  mcell task complete task_001 --artifact report.md --result '{\"passed\": 41}'
  mcell task complete task_001 --token 7             refused if the claim is not the present one
  mcell task complete task_009 --auto                and the cell, if it was the last")]
pub(super) struct Complete {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
    /// A file that came of it: one of the cell's artifacts, or any file, which is copied into them
    #[arg(long = "artifact", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    artifacts: Vec<PathBuf>,
    /// What came of it: JSON, or any text
    #[arg(long, value_name = "JSON|TEXT")]
    result: Option<String>,
    /// Complete the cell too, if this was its last open task
    #[arg(long)]
    auto: bool,
}

impl Complete {
    /// Completes the tasks.
    pub(super) fn run(self, context: &Context) -> Outcome {
        if self.tasks.len() > 1 && (self.result.is_some() || !self.artifacts.is_empty()) {
            return Err(Error::usage(
                "`--result` and `--artifact` are of one task, and several were named",
            )
            .hint("complete them one by one"));
        }
        let done = Yield {
            artifacts: self.artifacts,
            result: self.result.map(value),
            auto: self.auto,
        };
        each(context, &self.tasks, |cell, id| {
            let session = &context.session;
            let mut let_go = task::complete(session, cell, id, &done)?;
            let mut words = vec![format!("Completed {id}: {}", shown(&let_go.task.title))];
            if let_go.left == Left::Nothing && session.agent.is_none() && offer(context)? {
                cell::complete(session, cell, false, None)?;
                let_go.left = Left::Completed;
            }
            words.extend(match let_go.left {
                Left::Tasks => None,
                Left::Nothing => Some(String::from(
                    "It was the last open task: `mcell cell complete` ends the mission",
                )),
                Left::Completed => Some(String::from(
                    "It was the last open task, and the cell is completed",
                )),
            });
            Ok((let_go.task, words))
        })
    }
}

/// Asks at a terminal whether the cell is completed too; elsewhere it is not.
fn offer(context: &Context) -> Result<bool> {
    if !context.printer.may_ask() {
        return Ok(false);
    }
    crate::ui::prompt::confirm("It was the last open task. Complete the cell?")
}

/// JSON where it is some, else the text itself.
fn value(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
