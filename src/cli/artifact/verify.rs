//! `mcell artifact verify`.

use crate::base::exit;
use crate::base::text::{count, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::artifact::{self, Checked};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;

/// Hold every artifact of a cell against the hash that was noted of it
///
/// What is there and was never added is a note, and no fault.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell artifact verify
  mcell artifact verify --json | jq -r '.altered[], .missing[]'
  mcell artifact verify -q -c Example || echo look

Exit codes: 1 if one is missing or not as it was noted.")]
pub(super) struct Verify {}

impl Report for Checked {
    fn words(&self, page: &mut Page) {
        let bad = |page: &mut Page, word: &str, names: &[String], rest: &str| {
            for name in names {
                let word = page.tone(Tone::Bad, word);
                page.line(format_args!("{word}  {}{rest}", shown(name)));
            }
        };
        bad(
            page,
            "altered",
            &self.altered,
            " is not what was noted of it",
        );
        bad(page, "missing", &self.missing, " is not there any more");
        for name in &self.unrecorded {
            page.line(format_args!("note     {} was never added", shown(name)));
        }
        let wrong = self.altered.len() + self.missing.len();
        let all = count(self.recorded, "artifact");
        match wrong {
            0 => page.line(format_args!("{all}, as noted")),
            _ => page.line(format_args!("{all}, {wrong} not as noted")),
        }
    }

    fn datum(&self) -> Option<String> {
        let wrong: Vec<&str> = self
            .altered
            .iter()
            .chain(&self.missing)
            .map(String::as_str)
            .collect();
        (!wrong.is_empty()).then(|| wrong.join("\n"))
    }
}

impl Verify {
    /// Reads every artifact.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let checked = artifact::verify(&cell)?;
        context.printer.show(&checked)?;
        if checked.is_sound() {
            return Ok(exit::DONE);
        }
        context
            .printer
            .say("`mcell artifact add FILE --replace` puts one back, or notes one as it is now");
        Ok(exit::NO)
    }
}
