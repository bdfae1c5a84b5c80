//! `mcell checkpoint verify`: whether what was saved is what is there.

use super::target_or_cell;
use crate::base::error::Error;
use crate::base::exit;
use crate::base::text::count;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::checkpoint::Flaw;
use crate::ops::checkpoint::{self, Verified};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Hold checkpoints against their manifests, every byte of them
///
/// Names each file that is altered, missing or extra, and ends with 1 if there is one. That the context in
/// checkpoints/AGENT/ is another than the newest one saved is a note.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint verify
  mcell checkpoint verify agent_001 --generation 4
  mcell checkpoint verify --json | jq '.checkpoints[] | select(.good | not)'")]
pub(super) struct Verify {
    /// The agent: AGENT, or CELL/AGENT [default: all of the cell]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
    /// One of its checkpoints [default: all]
    #[arg(long, value_name = "NUMBER")]
    generation: Option<u64>,
}

/// Generations, and what is wrong with them.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Verdict {
    checkpoints: Vec<Verified>,
}

impl Report for Verdict {
    fn words(&self, page: &mut Page) {
        let mut bad = 0;
        for one in &self.checkpoints {
            let name = format!("checkpoint {} of {}", one.generation, one.agent_id);
            if !one.good {
                bad += 1;
                let flaws: Vec<String> = one.flaws.iter().map(Flaw::words).collect();
                let word = page.tone(Tone::Bad, "broken");
                page.line(format_args!("{name} is {word}: {}", flaws.join(", ")));
            }
            if one.moved_on {
                page.line(format_args!(
                    "note: checkpoints/{}/context.json is not that of {name}: it was not saved since",
                    one.agent_id
                ));
            }
        }
        let all = count(self.checkpoints.len(), "checkpoint");
        page.line(match bad {
            0 => format!("{all} held against the manifests: all are what was saved"),
            bad => format!("{all} held against the manifests: {bad} broken"),
        });
    }

    fn datum(&self) -> Option<String> {
        let broken = self.checkpoints.iter().filter(|one| !one.good);
        let lines: Vec<String> = broken
            .map(|one| format!("{} {}", one.agent_id, one.generation))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Outcome {
        if self.generation.is_some() && self.agent.is_none() {
            return Err(Error::usage("the checkpoint of which agent? say it")
                .hint("`mcell checkpoint verify AGENT --generation NUMBER`"));
        }
        let (cell, agent) = target_or_cell(context, self.agent.as_deref())?;
        let checkpoints = checkpoint::verify(&cell, agent.as_ref(), self.generation)?;
        let is_good = checkpoints.iter().all(|one| one.good);
        context.printer.show(&Verdict { checkpoints })?;
        Ok(if is_good { exit::DONE } else { exit::NO })
    }
}
