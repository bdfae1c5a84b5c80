//! `mcell policy`.

use crate::cli::Outcome;
use crate::cli::context::Context;
use clap::Args;

/// To be written
#[derive(Debug, Default, Args)]
pub struct PolicyCommand {}

impl PolicyCommand {
    /// Runs it.
    pub fn run(self, _context: &Context) -> Outcome {
        Ok(0)
    }
}
