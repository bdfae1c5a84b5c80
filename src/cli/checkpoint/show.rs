//! `mcell checkpoint show`: a page on one generation, or one of its files.

use super::target;
use crate::base::clock::Time;
use crate::base::duration::age;
use crate::base::error::{Error, Result};
use crate::base::text::{count, shown};
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::checkpoint::{CONTEXT, STATE};
use crate::ops::checkpoint::{self, Looked};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};

/// Show a checkpoint of an agent: the newest, unless you say which
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint show agent_001
  mcell checkpoint show agent_001 --generation 4
  mcell checkpoint show agent_001 --file state | jq .step")]
pub(super) struct Show {
    /// The agent: AGENT, or CELL/AGENT
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: String,
    /// Its number, as `mcell checkpoint list` shows it
    #[arg(long, value_name = "NUMBER")]
    generation: Option<u64>,
    /// Print this file of it, as it was saved
    #[arg(long, value_name = "FILE")]
    file: Option<Which>,
}

/// A file of a checkpoint.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// state.json
    State,
    /// context.json
    Context,
}

struct PageOf {
    looked: Looked,
    now: Time,
}

impl Serialize for PageOf {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.looked.serialize(out)
    }
}

impl Report for PageOf {
    fn words(&self, page: &mut Page) {
        let Looked {
            agent_id,
            generation,
            ..
        } = &self.looked;
        let title = page.tone(
            Tone::Strong,
            format_args!("checkpoint {generation} of {agent_id}"),
        );
        page.line(title);
        page.field("cell", &self.looked.cell_id);
        let Some(manifest) = &self.looked.manifest else {
            page.field("manifest", "cannot be read");
            return;
        };
        let old = u64::try_from(self.now.since(manifest.saved_at)).unwrap_or(0);
        let saved = manifest.saved_at.local(self.now);
        page.field("saved", format_args!("{saved} ({})", age(old)));
        page.field("by", shown(&manifest.saved_by));
        if let Some(task) = &manifest.task {
            page.field("at work on", shown(task));
        }
        for part in &manifest.files {
            let bytes = usize::try_from(part.bytes).unwrap_or(usize::MAX);
            page.field(
                "file",
                format_args!("{}, {}", shown(&part.name), count(bytes, "byte")),
            );
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.looked.generation.to_string())
    }
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (cell, agent) = target(context, &self.agent)?;
        let looked = checkpoint::look(&cell, &agent, self.generation)?;
        let Some(which) = self.file else {
            let now = context.session.env.clock.now();
            context.printer.show(&PageOf { looked, now })?;
            return Ok(crate::base::exit::DONE);
        };
        let name = match which {
            Which::State => STATE,
            Which::Context => CONTEXT,
        };
        let text = checkpoint::text_of(&cell, &looked, name)?;
        let text = String::from_utf8(text).map_err(|_| {
            Error::malformed(format!(
                "{name} of checkpoint {} is no text",
                looked.generation
            ))
            .hint(format!(
                "`mcell checkpoint verify {agent}` says what is wrong with it"
            ))
        })?;
        context.printer.text(&text)?;
        Ok(crate::base::exit::DONE)
    }
}
