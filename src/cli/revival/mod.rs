//! `mcell revival`: requests to bring agents back, and what an operator says to them.

mod answer;
pub(super) mod list;
pub(super) mod revive;
mod show;

pub use answer::{Approve, Deny};
pub use revive::Revive;

use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::revival::Told;
use clap::{Args, Subcommand};
use serde::{Serialize, Serializer};

/// See requests to bring agents back, and answer them
///
/// An agent that falls is asked for by the daemon. The cell's policy `auto_revive` decides: `yes` carries it out, `ask`
/// waits for an operator, `no` does neither. Ids may be shortened to any unique beginning.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell revival list
  mcell revival show rabcd
  mcell revival approve rabcd
  mcell revival deny rabcd
  mcell revival cancel rabcd")]
pub struct RevivalCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "ls")]
    List(list::List),
    Show(show::Show),
    Approve(Approve),
    Deny(Deny),
    Cancel(answer::Cancel),
}

impl RevivalCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::List(command) => command.run(context),
            Verb::Show(command) => command.run(context),
            Verb::Approve(command) => command.run(context),
            Verb::Deny(command) => command.run(context),
            Verb::Cancel(command) => command.run(context),
        }
    }
}

/// A request, and how it is said.
struct Said {
    told: Told,
    words: Vec<String>,
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.told.serialize(out)
    }
}

impl crate::ui::printer::Report for Said {
    fn words(&self, page: &mut crate::ui::page::Page) {
        for line in &self.words {
            page.line(line);
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.told.id.clone())
    }
}
