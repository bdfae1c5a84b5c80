//! What every `edit` says, and how it asks to go on.

use crate::base::error::{Error, Result};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::prompt;
use serde::Serialize;

/// What became of an edited file.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Edited {
    /// The file: `agents/agent_001.json`.
    pub file: String,
    /// Whether anything changed.
    pub changed: bool,
}

impl Report for Edited {
    fn words(&self, page: &mut Page) {
        if self.changed {
            page.line(format_args!("Changed {}", self.file));
        } else {
            page.line(format_args!("{} is as it was: nothing changed", self.file));
        }
    }
}

/// Edits by `act`, which is given a way to ask "edit again?" where somebody can be asked, and reports.
pub fn edited(
    context: &Context,
    file: String,
    act: impl FnOnce(Option<crate::ops::edit::Again<'_>>) -> Result<bool>,
) -> Outcome {
    let again = |error: &Error| -> Result<bool> {
        context.printer.trouble(error);
        prompt::confirm("Edit again?")
    };
    let changed = if context.printer.may_ask() {
        act(Some(&again))?
    } else {
        act(None)?
    };
    context.printer.show(&Edited { file, changed })?;
    Ok(crate::base::exit::DONE)
}
