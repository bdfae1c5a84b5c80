//! `mcell journal verify`.

use crate::base::exit;
use crate::base::text::{count, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::journal::{Flaw, Head, Verified, Verify, verify};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;

/// Check that nobody changed the record by hand (exit 1 if somebody did)
///
/// Every line carries the sum of the line before. A changed, missing or added line breaks the chain, and is named. What is
/// cut from its end breaks nothing: keep a head elsewhere (`mcell journal head`) and give it with `--head`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell journal verify
  mcell journal verify --files                          which files other tools changed
  mcell journal verify --head \"$(cat /safe/place/head)\"")]
pub(super) struct VerifyJournal {
    /// Also say which mission files are not as the journal left them
    #[arg(long)]
    files: bool,
    /// A head kept elsewhere, which must be in the chain
    #[arg(long, value_name = "HASH[:LINES]")]
    head: Option<Head>,
}

impl Report for Verified {
    fn words(&self, page: &mut Page) {
        let named = |page: &mut Page, tone, word: &str, flaw: &Flaw| {
            let word = page.tone(tone, word);
            let place = match flaw.line {
                0 => shown(&flaw.file).into_owned(),
                line => format!("{}:{line}", shown(&flaw.file)),
            };
            page.line(format_args!("{word} {place} {}", shown(&flaw.what)));
        };
        for flaw in &self.bad {
            named(page, Tone::Bad, "error:", flaw);
        }
        if self.more > 0 {
            page.line(format_args!("and {} more", self.more));
        }
        for note in &self.notes {
            named(page, Tone::Caution, "note:", note);
        }
        let lines = count(usize::try_from(self.lines).unwrap_or(usize::MAX), "line");
        page.line(match self.is_sound() {
            true => format!("{lines}: each carries the hash of the one before"),
            false => format!("{lines}: the journal is not what mcell wrote"),
        });
    }

    fn datum(&self) -> Option<String> {
        self.head.clone()
    }
}

impl VerifyJournal {
    /// Checks it.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let asked = Verify {
            files: self.files,
            head: self.head,
        };
        let found = verify(&cell, &asked)?;
        context.printer.show(&found)?;
        Ok(match found.is_sound() {
            true => exit::DONE,
            false => exit::NO,
        })
    }
}
