//! `mcell daemon hold` and `release`: an operator's own hold on revivals.

use crate::base::exit;
use crate::base::text::shown;
use crate::cli::Outcome;
use crate::cli::context::{Context, seconds};
use crate::ops::hold;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// A hold that began, or ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Holding {
    /// Whether revivals are held now.
    pub held: bool,
    /// The hold that began or ended; null: there was none.
    pub hold: Option<hold::Hold>,
}

impl Report for Holding {
    fn words(&self, page: &mut Page) {
        match (&self.hold, self.held) {
            (Some(hold), true) => {
                let until = hold.until.map_or_else(
                    || String::from("until `mcell daemon release`"),
                    |until| format!("until {}", until.local(hold.since)),
                );
                page.line(format_args!(
                    "Nothing is revived {until}: {}",
                    shown(&hold.why)
                ));
            }
            (Some(hold), _) => page.line(format_args!("The hold is over: {}", shown(&hold.why))),
            (None, _) => page.line("There was no hold."),
        }
    }
}

/// Revive nothing for a while: an upgrade, a network that is being mended
///
/// Agents are watched and told of as before. It holds for whoever acts on this root, also after a restart of the daemon.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon hold --for 30m \"gateway upgrade\"
  mcell daemon hold \"until the disk is replaced\"
  mcell daemon release")]
pub(super) struct Hold {
    /// Why
    #[arg(value_name = "WHY")]
    why: String,
    /// End it by itself after this long
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    length: Option<u64>,
}

impl Hold {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let root = context.session.open_root()?;
        let begun = hold::begin(&context.session, &root, &self.why, self.length)?;
        context.printer.show(&Holding {
            held: true,
            hold: Some(begun),
        })?;
        Ok(exit::DONE)
    }
}

/// End the operator's hold on revivals
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon release")]
pub(super) struct Release {}

impl Release {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let root = context.session.open_root()?;
        let ended = hold::end(&context.session, &root)?;
        context.printer.show(&Holding {
            held: false,
            hold: ended,
        })?;
        Ok(exit::DONE)
    }
}
