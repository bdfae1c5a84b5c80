//! `mcell agent log`: what an agent's process said.

use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::lines::print;
use crate::cli::{Outcome, complete};
use crate::ops::agent;
use crate::store::layout;
use crate::store::tail::{self, Follow};
use crate::ui::page::Page;
use crate::ui::printer::{Form, Report};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// How many full logs are looked into.
const FULL: u32 = 100;

/// Show what an agent's process said
///
/// Its runner takes stdout and stderr into logs/AGENT.log, and begins a new file when that is full.
#[derive(Debug, Args)]
#[command(
    visible_alias = "logs",
    after_help = "\
Examples:
  mcell agent log agent_001
  mcell agent log agent_001 -n 100 --follow"
)]
pub(super) struct Log {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", add = complete::agents())]
    named: String,
    /// How many of the last lines
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    lines: usize,
    /// Go on with what it says from now on
    #[arg(long, short)]
    follow: bool,
}

impl Log {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (cell, id) = context.session.split(&self.named)?;
        let id = AgentId::new(id)?;
        agent::show(&cell, &id)?;
        if self.follow && context.printer.form() == Form::Json {
            return Err(
                Error::usage("what comes line by line is no one object of JSON")
                    .hint("leave out --json, or --follow"),
            );
        }
        let file = layout::agent_log(&id);
        // First the place from which to go on: what comes meanwhile is not missed.
        let follow = self.follow.then(|| Follow::of(cell.folder(), &file));
        let follow = follow.transpose()?;
        let full = (1..=FULL).map(|number| layout::full_agent_log(&id, number));
        let lines: Result<Vec<String>> =
            tail::last(cell.folder(), std::iter::once(file).chain(full), self.lines);
        let lines = lines?;
        if context.printer.form() == Form::Json {
            context.printer.show(&Lines {
                cell_id: cell.id().to_string(),
                agent_id: id.to_string(),
                lines,
            })?;
            return Ok(exit::DONE);
        }
        if lines.is_empty() && !self.follow {
            context.printer.say(&format!(
                "{id} has said nothing yet, or mcell never started it."
            ));
        }
        print(context, &lines, follow, |line| shown(line).into_owned())
    }
}

/// The last lines of an agent's log.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Lines {
    /// The folder's name of its cell.
    cell_id: String,
    /// The agent.
    agent_id: String,
    /// What it said, the oldest first.
    lines: Vec<String>,
}

impl Report for Lines {
    fn words(&self, page: &mut Page) {
        for line in &self.lines {
            page.line(shown(line));
        }
    }

    fn datum(&self) -> Option<String> {
        None
    }
}
