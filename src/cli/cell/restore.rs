//! `mcell cell restore`: a cell out of its backup.

use super::backup::{progress, size};
use super::named;
use crate::base::text::{count, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::cell::{self, Restored};
use crate::ops::init::root_for_init;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use std::path::PathBuf;

/// Restore a cell from its backup
///
/// Every file is held against the backup's list before the cell is seen; what is not as it should be ends it (exit 4), and
/// nothing is left behind. Refused while the cell lives under this root. Tokens rise, so that whoever worked for the lost
/// cell is refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell restore example-mission-2f1c9a4e-20260102T030405Z.mcell.tar.zst
  mcell cell restore cell.mcell.tar.zst --as-copy
  mcell --root ~/missions cell restore cell.mcell.tar.zst")]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Give it a new id: the original may live on
    #[arg(long)]
    as_copy: bool,
}

impl Report for Restored {
    fn words(&self, page: &mut Page) {
        let name = self.mission_name.as_deref().unwrap_or("cell");
        page.line(format_args!("Restored {}", named(&self.cell_id, name)));
        page.field("cell", &self.path);
        if let Some(original) = &self.copy_of {
            page.field("copy of", original);
        }
        let content = size(self.bytes);
        page.field(
            "content",
            format_args!("{}, {content}", count(self.files, "file")),
        );
        for path in &self.changed {
            page.line(format_args!(
                "note: {} changed while it was backed up",
                shown(path)
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.cell_id.clone())
    }
}

impl Restore {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        session.require_operator("restore a cell")?;
        let root = root_for_init(session)?;
        let tell = progress(context);
        let restored = cell::restore(session, &root, &self.file, self.as_copy, &tell)?;
        context.printer.show(&restored)?;
        Ok(crate::base::exit::DONE)
    }
}
