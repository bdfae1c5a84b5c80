//! `mcell cell backup`: a cell as one file.

use super::named;
use crate::base::error::{Error, Kind, Result};
use crate::base::text::{count, quoted};
use crate::cli::context::Context;
use crate::cli::several::{Several, cells, each};
use crate::cli::{Outcome, complete};
use crate::ops::cell::{self, BackedUp};
use crate::store::cell::OpenCell;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::progress::Progress;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Back cells up, one file each
///
/// The file is tar in zstd with a list of every file's hash. Agents go on working: what they write to artifacts/ meanwhile
/// is read again, and named if it never stood still. The same cell gives the same bytes. Files that agents get their
/// environment from, and tokens, are left out. With -A every cell of the root is backed up, and one that cannot be does
/// not stop the others: for cron.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell backup \"Example Mission\"
  mcell cell backup -A --to /srv/backups --quiet
  mcell cell backup 2f1c9a4e -o - | ssh away 'cat > cell.mcell.tar.zst'")]
pub(super) struct Backup {
    /// A path, an id, the beginning of one, or a part of the mission's name
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
    /// The folder for the backups, each named after its mission, cell and moment [default: the working directory]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    to: Option<PathBuf>,
    /// The file for the backup of one cell; - for standard output
    #[arg(long, short, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "to")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl Report for BackedUp {
    fn words(&self, page: &mut Page) {
        let name = self.mission_name.as_deref().unwrap_or("cell");
        page.line(format_args!("Backed up {}", named(&self.cell_id, name)));
        if let Some(file) = &self.file {
            page.field("file", file);
        }
        if let Some(bytes) = self.bytes {
            page.field("size", size(bytes));
        }
        let content = size(self.content_bytes);
        page.field(
            "content",
            format_args!("{}, {content}", count(self.files, "file")),
        );
        page.field("took", format_args!("{:.1} s", self.seconds));
        for note in &self.notes {
            page.line(format_args!("note: {note}"));
        }
        if let Some(file) = &self.file {
            page.line("To restore it:");
            page.command(&format!("mcell cell restore {}", quoted(file)));
        }
    }

    fn datum(&self) -> Option<String> {
        self.file.clone()
    }
}

/// Bytes for people: "3.2 MiB".
pub(super) fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
    let scaled = |shift: u32| bytes as f64 / (1_u64 << shift) as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", scaled(10)),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", scaled(20)),
        _ => format!("{:.1} GiB", scaled(30)),
    }
}

/// Draws how far it is at a terminal, in MiB.
pub(super) fn progress(context: &Context) -> impl Fn(u64, u64) + use<> {
    let progress = context.printer.may_draw().then(|| Progress::new("MiB"));
    move |done, all| {
        if let Some(progress) = &progress {
            let whole = |bytes: u64| usize::try_from(bytes >> 20).unwrap_or(usize::MAX);
            let all_of_it = if done < all {
                whole(all) + 1
            } else {
                whole(done)
            };
            progress.tell(whole(done), all_of_it);
        }
    }
}

impl Backup {
    pub(super) fn run(self, context: &Context) -> Outcome {
        if context.all_cells {
            return self.all(context);
        }
        let cells = cells(context, &self.named)?;
        match (&self.output, cells.as_slice()) {
            (None, _) => each(context, "cells", &cells, |cell| self.one(context, cell)),
            (Some(output), [cell]) if output.as_os_str() == "-" => stream(context, cell),
            (Some(output), [cell]) => {
                let tell = progress(context);
                let done = cell::to_file(&context.session, cell, output, self.force, &tell)?;
                context.printer.show(&done)?;
                Ok(crate::base::exit::DONE)
            }
            (Some(_), _) => Err(Error::usage("`--output` is for one cell")
                .hint("`--to DIR` takes several, each under its own name")),
        }
    }

    fn one(&self, context: &Context, cell: &OpenCell) -> Result<BackedUp> {
        let name = cell::file_name(cell, context.session.env.clock.now());
        let folder = self.to.as_deref().unwrap_or_else(|| Path::new(""));
        let tell = progress(context);
        cell::to_file(
            &context.session,
            cell,
            &folder.join(name),
            self.force,
            &tell,
        )
    }

    /// Every cell of the root. The first error is the command's, when the others are done.
    fn all(&self, context: &Context) -> Outcome {
        if self.output.is_some() || !self.named.is_empty() {
            return Err(
                Error::usage("`-A` means every cell, each under its own name")
                    .hint("`mcell cell backup -A --to DIR`"),
            );
        }
        context.session.require_operator("back cells up")?;
        let root = context.session.open_root()?;
        let (mut done, mut failed) = (Vec::new(), None);
        for id in root.cell_ids()? {
            let backed_up = OpenCell::open(&root.path().join(id.as_str()))
                .and_then(|cell| self.one(context, &cell));
            match backed_up {
                Ok(backed_up) => done.push(backed_up),
                Err(error) => {
                    failed.get_or_insert(error.kind().exit());
                    context.printer.trouble(&error.context(id.short()));
                }
            }
        }
        if !done.is_empty() {
            context.printer.show(&Several::new("cells", done))?;
        } else if failed.is_none() {
            context.printer.say("There is no cell to back up");
        }
        Ok(failed.unwrap_or(crate::base::exit::DONE))
    }
}

/// Standard output, which notes that nobody reads it any more.
struct Out<'a> {
    file: std::fs::File,
    is_gone: &'a AtomicBool,
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes).inspect_err(|error| {
            if error.kind() == std::io::ErrorKind::BrokenPipe {
                self.is_gone.store(true, Ordering::Relaxed);
            }
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn stream(context: &Context, cell: &OpenCell) -> Outcome {
    let stdout = std::io::stdout();
    if stdout.is_terminal() {
        return Err(Error::usage("a backup is not for a terminal")
            .hint("`-o - > FILE`, or `-o - | COMMAND`"));
    }
    let handle = stdout
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Error::storage("write to standard output", error))?;
    let is_gone = AtomicBool::new(false);
    let out = Out {
        file: handle.into(),
        is_gone: &is_gone,
    };
    match cell::back_up(&context.session, cell, out, &progress(context)) {
        Ok((_, done)) => {
            for note in &done.notes {
                context.printer.say(&format!("note: {note}"));
            }
            Ok(crate::base::exit::DONE)
        }
        Err(error) if error.kind() == Kind::Storage && is_gone.load(Ordering::Relaxed) => {
            Ok(crate::base::exit::DONE)
        }
        Err(error) => Err(error),
    }
}
