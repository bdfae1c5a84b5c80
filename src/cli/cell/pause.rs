//! `mcell cell pause` and `mcell cell resume`.

use super::named;
use crate::cli::context::{Context, seconds};
use crate::cli::several::{cells, each};
use crate::cli::{Outcome, complete};
use crate::ops::cell::{self, Moved};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::{Serialize, Serializer};

/// Pause cells: no task is ready, and timeouts stand still
///
/// Nothing is stopped: a task in progress goes on, and this says which. Pausing a paused cell sets only when the pause
/// ends.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell pause
  mcell cell pause --for 1h --reason \"database maintenance\"
  mcell cell pause \"Example Mission\" \"Night run\"")]
pub(super) struct Pause {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
    /// End the pause by itself after this time: 90, 15m, 8h, 2d
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<u64>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Pause {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let now = context.session.env.clock.now();
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            let moved = cell::pause(&context.session, cell, self.lasts, self.reason.as_deref())?;
            let words = match (moved.changed, moved.cell.paused_until) {
                (true, None) => String::from("Paused {}, until `mcell cell resume`"),
                (true, Some(until)) => format!("Paused {{}} until {}", until.local(now)),
                (false, _) => String::from("{} is paused already"),
            };
            Ok(Told { moved, words })
        })
    }
}

/// Let paused cells go on
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell resume
  mcell cell resume \"Example Mission\"")]
pub(super) struct Resume {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
}

impl Resume {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            let mut moved = cell::resume(&context.session, cell)?;
            // That work goes on is what resuming is for.
            moved.at_work.clear();
            moved.running.clear();
            Ok(Told::new(moved, "Resumed {}", "{} is active already"))
        })
    }
}

/// A move in words; `{}` in them is the cell.
pub(super) struct Told {
    moved: Moved,
    words: String,
}

impl Told {
    /// The words for a change, and those for none.
    pub(super) fn new(moved: Moved, changed: &str, unchanged: &str) -> Self {
        let words = if moved.changed { changed } else { unchanged };
        Told {
            words: words.to_owned(),
            moved,
        }
    }
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.moved.serialize(out)
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        let name = named(&self.moved.cell_id, &self.moved.cell.mission_name);
        page.line(self.words.replace("{}", &name));
        for work in &self.moved.at_work {
            let who = match &work.agent_id {
                Some(agent) => format!(" ({})", crate::base::text::shown(agent)),
                None => String::new(),
            };
            page.line(format_args!(
                "  {}{who} is in progress and is not stopped",
                work.task_id
            ));
        }
        for agent in &self.moved.stopped {
            page.line(format_args!("  {agent} is stopped"));
        }
        for agent in &self.moved.running {
            page.line(format_args!(
                "  {agent} runs on: `mcell agent stop {agent}` ends it"
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.moved.cell_id.clone())
    }
}
