//! `mcell artifact list`.

use crate::base::exit;
use crate::base::ids::{AgentId, TaskId};
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::artifact::{Kind, size};
use crate::ops::artifact::{Listed, look_around};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

/// List the artifacts of the cell you stand in, else of every cell of the root
///
/// What lies under artifacts/ and was never added is shown as not recorded. Cells whose mission is over are left out unless
/// you stand in one, name one, or say `--all`. `-q` prints names; those of several cells as CELL/NAME.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell artifact list
  mcell artifact list --task task_001 --kind reports
  mcell artifact list --json | jq -r '.artifacts[] | select(.recorded | not).artifact'")]
pub(super) struct List {
    /// Only those that came of this task
    #[arg(long, value_name = "TASK", add = complete::tasks())]
    task: Option<TaskId>,
    /// Only those that this agent made
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    agent: Option<AgentId>,
    /// Only those of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Those of finished cells too
    #[arg(long)]
    all: bool,
}

/// A list of artifacts.
#[derive(Debug, Serialize)]
struct Artifacts<'s> {
    artifacts: Vec<&'s Listed>,
    #[serde(skip)]
    is_mixed: bool,
}

impl Report for Artifacts<'_> {
    fn words(&self, page: &mut Page) {
        if self.artifacts.is_empty() {
            return;
        }
        let mut table = if self.is_mixed {
            Table::new(["CELL", "ARTIFACT", "SIZE", "TASK", "AGENT", "STATE"])
        } else {
            Table::new(["ARTIFACT", "SIZE", "TASK", "AGENT", "STATE"])
        };
        for one in &self.artifacts {
            let [name, size, task, agent, state] = columns(one);
            if self.is_mixed {
                let cell = one.cell_id.get(..8).unwrap_or(&one.cell_id).to_owned();
                table.row([cell, name, size, task, agent, state]);
            } else {
                table.row([name, size, task, agent, state]);
            }
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let names = self.artifacts.iter().map(|one| match self.is_mixed {
            true => format!("{}/{}", one.cell_id, one.artifact),
            false => one.artifact.clone(),
        });
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| names.join("\n"))
    }
}

fn columns(one: &Listed) -> [String; 5] {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("-"));
    let state = match (one.recorded, one.present) {
        (true, true) => "recorded",
        (true, false) => "missing",
        (false, _) => "not recorded",
    };
    [
        one.artifact.clone(),
        size(one.bytes),
        or_dash(&one.task),
        or_dash(&one.agent),
        state.to_owned(),
    ]
}

impl List {
    /// Lists the artifacts.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (seen, troubles) = look_around(&context.session, context.all_cells, self.all)?;
        let artifacts = seen.iter().flat_map(|seen| &seen.artifacts);
        let list = Artifacts {
            artifacts: artifacts.filter(|one| self.wants(one)).collect(),
            is_mixed: seen.len() > 1,
        };
        context.printer.show(&list)?;
        if list.artifacts.is_empty() && troubles.is_empty() {
            context.printer.say(match self.is_choosy() {
                true => "There is no such artifact",
                false => "There is no artifact: add one with `mcell artifact add FILE`",
            });
        }
        for one in &seen {
            if let Some(limit) = &one.limit {
                context.printer.say(&format!(
                    "Cell {}: artifacts and checkpoints use {} of {}",
                    one.cell.short(),
                    size(one.used),
                    crate::base::text::shown(limit)
                ));
            }
        }
        for trouble in &troubles {
            context.printer.trouble(trouble);
        }
        Ok(troubles
            .first()
            .map_or(exit::DONE, |first| first.kind().exit()))
    }

    fn is_choosy(&self) -> bool {
        self.task.is_some() || self.agent.is_some() || self.kind.is_some()
    }

    fn wants(&self, one: &Listed) -> bool {
        let is = |wanted: Option<&str>, own: &Option<String>| {
            wanted.is_none_or(|wanted| own.as_deref() == Some(wanted))
        };
        is(self.task.as_ref().map(TaskId::as_str), &one.task)
            && is(self.agent.as_ref().map(AgentId::as_str), &one.agent)
            && self.kind.is_none_or(|kind| one.kind == kind)
    }
}
