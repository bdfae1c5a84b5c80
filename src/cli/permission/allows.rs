//! `mcell permission allows`.

use crate::base::error::Error;
use crate::base::exit;
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::permission::Answer;
use crate::ops::permission;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;

/// Ask whether an agent has a right: exit 0 for yes, 1 for no
///
/// AGENT may be left out with `--as`. `-q` prints nothing. Anything but a yes or a no (no such task, a file that cannot be
/// read) has another exit code.
#[derive(Debug, Args)]
#[command(
    override_usage = "mcell permission allows [OPTIONS] [AGENT] <RIGHT> <TASK>",
    after_help = "\
Examples:
  mcell permission allows agent_001 write task_003
  mcell permission allows agent_001 handoff_to agent_002
  mcell permission allows -q --as agent_001 execute task_003 && ./work.sh"
)]
pub(super) struct Allows {
    /// The agent (AGENT or CELL/AGENT), the right (read, write, execute, handoff_to, handoff_from), and the task, or the other agent
    #[arg(required = true, num_args = 2..=3, value_name = "AGENT RIGHT TASK")]
    words: Vec<String>,
}

/// A yes or no.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Answered {
    /// The cell.
    cell_id: String,
    /// Who was asked about.
    agent_id: String,
    /// read, write, execute, handoff_to or handoff_from.
    right: &'static str,
    /// The task, or the other agent.
    on: String,
    /// The answer.
    allowed: bool,
    /// Why.
    because: String,
}

impl Report for Answered {
    fn words(&self, page: &mut Page) {
        let answer = match self.allowed {
            true => page.tone(Tone::Good, "yes"),
            false => page.tone(Tone::Bad, "no"),
        };
        page.line(format_args!("{answer}: {}", shown(&self.because)));
    }
}

impl Allows {
    /// Answers.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let (agent, right, on) = match (self.words.as_slice(), &session.agent) {
            ([agent, right, on], _) => (agent.clone(), right, on),
            ([right, on], Some(agent)) => (agent.to_string(), right, on),
            _ => {
                return Err(Error::usage("which agent is meant?")
                    .hint("`mcell permission allows AGENT RIGHT TASK`, or `--as AGENT`"));
            }
        };
        let right = permission::right(right)?;
        // CELL/TASK names the cell as well as CELL/AGENT does.
        let (cell, agent, on) = match (agent.contains('/'), on.contains('/')) {
            (false, true) => {
                let (cell, on) = session.split(on)?;
                (cell, agent.as_str(), on)
            }
            _ => {
                let (cell, agent) = session.split(&agent)?;
                (cell, agent, on.as_str())
            }
        };
        let id = AgentId::new(agent)?;
        let Answer { allowed, because } = permission::allows(&cell, &id, right, on)?;
        context.printer.show(&Answered {
            cell_id: cell.id().to_string(),
            agent_id: id.to_string(),
            right: right.word(),
            on: on.to_owned(),
            allowed,
            because,
        })?;
        Ok(if allowed { exit::DONE } else { exit::NO })
    }
}
