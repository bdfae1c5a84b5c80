//! `mcell agent edit`: open an agent's file in an editor.

use crate::base::ids::AgentId;
use crate::cli::context::Context;
use crate::cli::edited::edited;
use crate::cli::{Outcome, complete};
use crate::ops::agent;
use crate::store::layout;
use clap::Args;

/// Open an agent's file in your editor, check it, and write it
///
/// The editor is VISUAL, else EDITOR, else vi, and works on a copy. What is not sound, or was changed meanwhile by
/// someone else, is not written, and the copy is kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent edit agent_001
  EDITOR=nano mcell agent edit \"Night run/agent_002\"")]
pub(super) struct Edit {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", add = complete::agents())]
    named: String,
}

impl Edit {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let (cell, id) = context.session.split(&self.named)?;
        let id = AgentId::new(id)?;
        edited(context, layout::agent(&id), |again| {
            agent::edit(&context.session, &cell, &id, again)
        })
    }
}
