//! `mcell cell prune`: empty the trash.

use crate::base::clock::Time;
use crate::base::duration::{age, in_words};
use crate::base::text::count;
use crate::cli::Outcome;
use crate::cli::context::{Context, seconds};
use crate::ops::cell;
use crate::ops::trash::{KEPT, Thrown};
use crate::ui::Table;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Delete for good what has lain in the trash of the root for 30 days
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell prune --dry-run
  mcell cell prune --older-than 7d
  mcell cell prune --yes")]
pub(super) struct Prune {
    /// How long things must have lain there: 90, 15m, 8h, 2d [default: 30d]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    older_than: Option<u64>,
    /// Only show what would be deleted
    #[arg(long)]
    dry_run: bool,
}

/// What is deleted, or would be.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Pruned {
    /// Whether nothing was deleted, and only shown.
    dry_run: bool,
    /// What is deleted, or would be; the oldest first.
    trash: Vec<Thrown>,
    #[serde(skip)]
    now: Time,
    #[serde(skip)]
    older_than: u64,
}

impl Report for Pruned {
    fn words(&self, page: &mut Page) {
        if self.trash.is_empty() {
            let long = in_words(self.older_than);
            page.line(format_args!("Nothing has lain in the trash for {long}"));
            return;
        }
        let mut table = Table::new(["TRASH", "REMOVED"]);
        for thrown in &self.trash {
            let old = u64::try_from(self.now.since(thrown.removed_at)).unwrap_or(0);
            table.row([thrown.name.clone(), age(old)]);
        }
        page.table(table);
        let things = count(self.trash.len(), "thing");
        page.line(if self.dry_run {
            format!("{things} would be deleted")
        } else {
            format!("{things} deleted")
        });
    }

    fn datum(&self) -> Option<String> {
        let names: Vec<&str> = self
            .trash
            .iter()
            .map(|thrown| thrown.name.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join("\n"))
    }
}

impl Prune {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        if !self.dry_run {
            session.require_operator("empty the trash")?;
        }
        let root = session.open_root()?;
        let older_than = self.older_than.unwrap_or(KEPT);
        let due = cell::to_prune(session, &root, older_than)?;
        let trash = if self.dry_run || due.is_empty() {
            due
        } else {
            let question = format!("Delete {} for good?", count(due.len(), "thing"));
            if !context.confirm(&question)? {
                context.printer.say("Nothing was deleted");
                return Ok(crate::base::exit::DONE);
            }
            cell::prune(session, &root, older_than)?
        };
        context.printer.show(&Pruned {
            dry_run: self.dry_run,
            trash,
            now: session.env.clock.now(),
            older_than,
        })?;
        Ok(crate::base::exit::DONE)
    }
}
