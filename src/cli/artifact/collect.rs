//! `mcell artifact collect`.

use crate::base::ids::AgentId;
use crate::base::text::{count, shown};
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::artifact::size;
use crate::ops::artifact::{self, Collected};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;

/// Take what agents saved with their checkpoints into the artifacts of the cell
///
/// Copies the files of checkpoints/AGENT/artifacts, and notes whose they are. Where another file has the name, the agent's
/// id comes into it. Files that lie under artifacts/ and were never added are noted too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell artifact collect
  mcell artifact collect agent_001 agent_002
  mcell artifact collect -q                     the names of what is new")]
pub(super) struct Collect {
    /// The agents whose checkpoints are looked at [default: all]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agents: Vec<AgentId>,
}

impl Report for Collected {
    fn words(&self, page: &mut Page) {
        for one in &self.collected {
            page.line(format_args!(
                "Took {}: {}, of {}",
                shown(&one.artifact),
                size(one.bytes),
                shown(&one.agent)
            ));
        }
        for name in &self.recorded {
            page.line(format_args!("Noted {}, which lay there", shown(name)));
        }
        for one in &self.passed_over {
            page.line(format_args!(
                "Passed over {}: {}",
                shown(&one.path),
                shown(&one.because)
            ));
        }
        if self.unchanged > 0 {
            let were = if self.unchanged == 1 { "was" } else { "were" };
            let files = count(self.unchanged, "file");
            page.line(format_args!("{files} of checkpoints {were} there already"));
        } else if self.collected.is_empty() && self.recorded.is_empty() {
            page.line("There was nothing to collect");
        }
    }

    fn datum(&self) -> Option<String> {
        let taken = self.collected.iter().map(|one| one.artifact.as_str());
        let names: Vec<&str> = taken
            .chain(self.recorded.iter().map(String::as_str))
            .collect();
        (!names.is_empty()).then(|| names.join("\n"))
    }
}

impl Collect {
    /// Collects.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let collected = artifact::collect(&context.session, &cell, &self.agents)?;
        context.printer.show(&collected)?;
        Ok(0)
    }
}
