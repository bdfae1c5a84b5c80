//! `mcell revival list`.

use crate::base::clock::Time;
use crate::base::exit;
use crate::base::text::{cut, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::revival::{self, Told};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// List the requests that are open
///
/// Those of the cell you stand in or name, else of every cell of the root that is not over.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell revival list
  mcell revival list --all                  also those that are over
  mcell revival list --json | jq '.revivals[] | select(.status == \"pending_approval\") | .id'")]
pub(super) struct List {
    /// Also those that are over: the newest 100 of a cell
    #[arg(long)]
    all: bool,
}

/// Requests, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct Revivals {
    /// Each of them.
    pub revivals: Vec<Told>,
    #[serde(skip)]
    now: Option<Time>,
}

impl Report for Revivals {
    fn words(&self, page: &mut Page) {
        if self.revivals.is_empty() {
            return;
        }
        let mut table = Table::new(["REVIVAL", "CELL", "AGENT", "STATE", "SINCE", "WHY"]);
        for told in &self.revivals {
            let since = told
                .closed_at
                .or(told.started_at)
                .unwrap_or(told.requested_at);
            let since = self.now.map_or_else(String::new, |now| since.local(now));
            let why = told.why.as_deref().unwrap_or(&told.reason);
            table.row([
                told.id.clone(),
                told.cell_id.get(..8).unwrap_or(&told.cell_id).to_owned(),
                told.agent_id.clone(),
                told.status.word().replace('_', " "),
                since,
                cut(&shown(why), 60).into_owned(),
            ]);
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<&str> = self.revivals.iter().map(|told| &*told.id).collect();
        (!ids.is_empty()).then(|| ids.join("\n"))
    }
}

impl List {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let listed = revival::list(&session.scope(context.all_cells)?, self.all)?;
        let shown = Revivals {
            now: Some(session.env.clock.now()),
            revivals: listed.revivals,
        };
        context.printer.show(&shown)?;
        if shown.revivals.is_empty() && listed.troubles.is_empty() {
            context.printer.say("No revival is open");
        }
        for trouble in &listed.troubles {
            context.printer.trouble(trouble);
        }
        let first = listed.troubles.first();
        Ok(first.map_or(exit::DONE, |first| first.kind().exit()))
    }
}
