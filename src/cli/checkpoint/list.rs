//! `mcell checkpoint list`: one line a generation.

use super::{holds, target_or_cell};
use crate::base::clock::Time;
use crate::base::duration::age;
use crate::base::error::Kind;
use crate::base::ids::CellId;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::checkpoint::{self, Looked};
use crate::ops::find::{Scope, known_cells};
use crate::store::cell::OpenCell;
use crate::ui::Table;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// List checkpoints: those of the whole root, unless you stand in a cell or name one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint list
  mcell checkpoint list agent_001
  mcell checkpoint list -A --json | jq '.checkpoints[] | .manifest.saved_at'")]
pub(super) struct List {
    /// The agent: AGENT, or CELL/AGENT [default: all]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
}

/// Generations, those of an agent together, the oldest first.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Checkpoints {
    checkpoints: Vec<Looked>,
    #[serde(skip)]
    now: Option<Time>,
    #[serde(skip)]
    several_cells: bool,
}

impl Report for Checkpoints {
    fn words(&self, page: &mut Page) {
        if self.checkpoints.is_empty() {
            return;
        }
        let cells = |looked: &Looked| {
            let agent = looked.agent_id.clone();
            let number = looked.generation.to_string();
            let Some(manifest) = &looked.manifest else {
                let torn = String::from("its manifest cannot be read");
                return [
                    agent,
                    number,
                    String::new(),
                    String::new(),
                    String::new(),
                    torn,
                ];
            };
            let old = self.now.map_or(0, |now| now.since(manifest.saved_at));
            [
                agent,
                number,
                age(u64::try_from(old).unwrap_or(0)),
                manifest.saved_by.clone(),
                manifest.bytes().to_string(),
                holds(manifest),
            ]
        };
        if self.several_cells {
            let mut table =
                Table::new(["CELL", "AGENT", "NUMBER", "SAVED", "BY", "BYTES", "HOLDS"]);
            for looked in &self.checkpoints {
                let [agent, number, saved, by, bytes, holds] = cells(looked);
                let cell = CellId::new(looked.cell_id.as_str())
                    .map_or_else(|_| looked.cell_id.clone(), |id| id.short().to_owned());
                table.row([cell, agent, number, saved, by, bytes, holds]);
            }
            page.table(table);
        } else {
            let mut table = Table::new(["AGENT", "NUMBER", "SAVED", "BY", "BYTES", "HOLDS"]);
            for looked in &self.checkpoints {
                table.row(cells(looked));
            }
            page.table(table);
        }
    }

    fn datum(&self) -> Option<String> {
        let lines: Vec<String> = self
            .checkpoints
            .iter()
            .map(|looked| match self.several_cells {
                true => format!(
                    "{}/{} {}",
                    looked.cell_id, looked.agent_id, looked.generation
                ),
                false => format!("{} {}", looked.agent_id, looked.generation),
            })
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl List {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (mut checkpoints, mut troubles) = (Vec::new(), Vec::new());
        if self.agent.is_some() {
            let (cell, agent) = target_or_cell(context, self.agent.as_deref())?;
            checkpoints = checkpoint::list(&cell, agent.as_ref())?;
        } else {
            match context.session.scope(context.all_cells)? {
                Scope::Cell(cell) => checkpoints = checkpoint::list(&cell, None)?,
                Scope::Root(root) => {
                    for known in known_cells(&root)?.iter().filter(|known| !known.is_over()) {
                        let cell = OpenCell::open(&root.path().join(known.id.as_str()));
                        match cell.and_then(|cell| checkpoint::list(&cell, None)) {
                            Ok(found) => checkpoints.extend(found),
                            // One that went meanwhile has none.
                            Err(error) if error.kind() == Kind::NotFound => {}
                            // One bad cell does not hide the others.
                            Err(error) => troubles.push(error),
                        }
                    }
                }
            }
        }
        let is_empty = checkpoints.is_empty();
        let several_cells = checkpoints
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one.cell_id != other.cell_id));
        context.printer.show(&Checkpoints {
            checkpoints,
            now: Some(context.session.env.clock.now()),
            several_cells,
        })?;
        for trouble in &troubles {
            context.printer.trouble(trouble);
        }
        if is_empty && troubles.is_empty() {
            context
                .printer
                .say("There is no checkpoint: `mcell checkpoint save AGENT` saves one");
        }
        Ok(troubles
            .first()
            .map_or(crate::base::exit::DONE, |first| first.kind().exit()))
    }
}
