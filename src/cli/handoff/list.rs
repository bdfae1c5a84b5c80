//! `mcell handoff list`.

use crate::base::exit;
use crate::base::text::{cut, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::handoff::{Approval, HandoffState};
use crate::ops::handoff::{self, Listed, Told};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// List the handoffs that wait
///
/// Those of the cell you stand in or name, else of every cell of the root that is not over.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell handoff list
  mcell handoff list --all                  also those that are over
  mcell handoff list --json | jq '.handoffs[] | select(.to == \"agent_002\") | .id'")]
pub(super) struct List {
    /// Also those that are over: the newest 100 of a cell
    #[arg(long)]
    all: bool,
}

/// Handoffs, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct Handoffs {
    /// Each of them.
    pub handoffs: Vec<Told>,
    #[serde(skip)]
    is_mixed: bool,
    #[serde(skip)]
    now: Option<crate::base::clock::Time>,
}

impl Handoffs {
    fn columns(&self, told: &Told) -> [String; 6] {
        let until = match (told.state, told.deadline, self.now) {
            (HandoffState::Offered, Some(until), Some(now)) => until.local(now),
            _ => String::from("-"),
        };
        let state = match (told.state, told.approval) {
            (HandoffState::Offered, Approval::Waiting) => String::from("needs approval"),
            (state, _) => state.word().to_owned(),
        };
        [
            told.id.clone(),
            told.task_id.clone(),
            told.from.clone().unwrap_or_else(|| String::from("-")),
            told.to.clone(),
            state,
            until,
        ]
    }
}

impl Report for Handoffs {
    fn words(&self, page: &mut Page) {
        if self.handoffs.is_empty() {
            return;
        }
        let mut table = if self.is_mixed {
            Table::new([
                "CELL", "HANDOFF", "TASK", "FROM", "TO", "STATE", "UNTIL", "REASON",
            ])
        } else {
            Table::new(["HANDOFF", "TASK", "FROM", "TO", "STATE", "UNTIL", "REASON"])
        };
        for told in &self.handoffs {
            let reason = told.reason.as_deref().unwrap_or("-");
            let reason = cut(&shown(reason), 40).into_owned();
            let [id, task, from, to, state, until] = self.columns(told);
            if self.is_mixed {
                let cell = told.cell_id.get(..8).unwrap_or(&told.cell_id).to_owned();
                table.row([cell, id, task, from, to, state, until, reason]);
            } else {
                table.row([id, task, from, to, state, until, reason]);
            }
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<String> = self
            .handoffs
            .iter()
            .map(|told| match self.is_mixed {
                true => format!("{}/{}", told.cell_id, told.id),
                false => told.id.clone(),
            })
            .collect();
        (!ids.is_empty()).then(|| ids.join("\n"))
    }
}

impl List {
    /// Lists them.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let Listed {
            handoffs,
            cells,
            troubles,
        } = handoff::list(session, context.all_cells, self.all)?;
        let listed = Handoffs {
            is_mixed: cells > 1,
            now: Some(session.env.clock.now()),
            handoffs,
        };
        context.printer.show(&listed)?;
        if listed.handoffs.is_empty() && troubles.is_empty() {
            context
                .printer
                .say("No handoff waits: `mcell handoff TASK AGENT` makes one");
        }
        for trouble in &troubles {
            context.printer.trouble(trouble);
        }
        let first = troubles.first();
        Ok(first.map_or(exit::DONE, |first| first.kind().exit()))
    }
}
