//! `mcell agent remove`: agents leave their cell.

use crate::cli::context::Context;
use crate::cli::removed::undo;
use crate::cli::several::{InCell, agents, each};
use crate::cli::{Outcome, complete};
use crate::ops::agent::{self, RemovedAgent};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Remove agents; their files go to the trash
///
/// Open tasks of a removed agent become nobody's, and permissions and policies no longer name it. Refused while it works
/// on a task. Its id is not given again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent remove agent_002
  mcell agent remove agent_002 agent_003 --yes")]
pub(super) struct Remove {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
}

impl Report for RemovedAgent {
    fn words(&self, page: &mut Page) {
        page.line(format_args!("Removed {}", self.agent_id));
        if !self.unassigned.is_empty() {
            let tasks = self.unassigned.join(", ");
            page.line(format_args!("  assigned to nobody now: {tasks}"));
        }
        if self.permissions {
            page.line("  config/permissions.json no longer names it");
        }
        if self.substitute {
            page.line("  it is no longer a substitute");
        }
        undo(&self.removed, page);
    }

    fn datum(&self) -> Option<String> {
        Some(self.agent_id.clone())
    }
}

impl Remove {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let targets = agents(context, &self.named)?;
        let mut lines = Vec::with_capacity(targets.len());
        for target in &targets {
            lines.push(line(target)?);
        }
        if !context.confirm(&format!("Remove {}?", lines.join("; ")))? {
            context.printer.say("Nothing was removed");
            return Ok(crate::base::exit::DONE);
        }
        each(context, "agents", &targets, |target| {
            agent::remove(&context.session, &target.cell, &target.id)
        })
    }
}

/// An agent in the question; exit 3 before anything is asked if it is not there.
fn line(target: &InCell) -> crate::base::error::Result<String> {
    let file = crate::store::layout::agent(&target.id);
    if target.cell.folder().stat(&file)?.is_none() {
        return Err(agent::not_here(&target.cell, &target.id));
    }
    let tasks = agent::open_tasks(&target.cell, &target.id)?;
    Ok(if tasks.is_empty() {
        target.id.to_string()
    } else {
        format!("{}, whose open tasks are {}", target.id, tasks.join(", "))
    })
}
