//! `mcell agent set`: change fields of an agent.

use super::in_cell;
use crate::base::error::Error;
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::agent::Agent;
use crate::ops::agent;
use crate::ops::set::Assignment;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::{Serialize, Serializer};

/// Change fields of an agent
///
/// An empty value takes a field away; lists are written with commas; fields in `run` and `health` are named with a dot.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent set agent_002 role=write name=\"Second coder\"
  mcell agent set agent_002 capabilities=coding,testing gateway=
  mcell agent set agent_002 run.cwd=/srv/work run.env.MODEL=small health.timeout=5m")]
pub(super) struct Set {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", add = complete::agents())]
    named: String,
    /// The fields and what they shall be
    #[arg(value_name = "FIELD=VALUE", required = true)]
    words: Vec<String>,
}

impl Set {
    pub(super) fn run(self, context: &Context) -> Outcome {
        if self.named.contains('=') {
            return Err(Error::usage("which agent shall be changed?")
                .hint("`mcell agent set agent_001 FIELD=VALUE`"));
        }
        let (cell, id) = context.session.split(&self.named)?;
        let id = AgentId::new(id)?;
        let assignments: Vec<Assignment> = self
            .words
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_, Error>>()?;
        let done = agent::set(&context.session, &cell, &id, &assignments)?;
        let words = if done.changed {
            "Changed {}"
        } else {
            "{} is so already: nothing changed"
        };
        context.printer.show(&Told {
            cell_id: cell.id().to_string(),
            agent: done.agent,
            words: words.to_owned(),
        })?;
        Ok(crate::base::exit::DONE)
    }
}

/// An agent after a change, and what to say of it; `{}` is the agent.
pub(super) struct Told {
    pub(super) cell_id: String,
    pub(super) agent: Agent,
    pub(super) words: String,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        in_cell(&self.cell_id, &self.agent, out)
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        let Agent { agent_id, name, .. } = &self.agent;
        let agent = format!("{agent_id} ({})", shown(name));
        page.line(self.words.replace("{}", &agent));
    }

    fn datum(&self) -> Option<String> {
        Some(self.agent.agent_id.clone())
    }
}
