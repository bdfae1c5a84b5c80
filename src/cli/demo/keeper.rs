//! The keeper of the demo's place: a process that makes it, and removes it when its pipe ends.
//!
//! So the place goes with the demo however that ends, by Ctrl-C and by `kill -9` too; and no path to remove is ever taken
//! from a command line.

use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::base::ids::CellId;
use crate::cli::Outcome;
use crate::cli::context::Context;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

/// The process that makes a place and removes it when its pipe ends.
pub(super) struct Keeper {
    process: Child,
    pipe: ChildStdin,
    /// The place.
    pub(super) place: PathBuf,
}

/// A config beside the root: the operator's own, with its templates, is not for the demo.
pub(super) const CONFIG: &str = "config.json";
/// What stands in it: a daemon that sees within seconds what would otherwise take minutes.
const IMPATIENT: &str =
    r#"{"poll_interval": 1, "health": {"interval": 1, "timeout": 3, "grace": 2}}"#;

/// What the keeper is told where the place shall stay.
const STAY: &[u8] = b"stay";

impl Keeper {
    /// Starts it; the place is made.
    pub(super) fn start() -> Result<Self> {
        let failed = |error: std::io::Error| Error::storage("start the demo's keeper", error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut process = Command::new(program)
            .args(["demo", "--keeper"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own: Ctrl-C is not for it.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let gone = || {
            Error::storage(
                "start the demo's keeper",
                std::io::Error::from(std::io::ErrorKind::BrokenPipe),
            )
        };
        let pipe = process.stdin.take().ok_or_else(gone)?;
        let mut line = String::new();
        let out = process.stdout.take().ok_or_else(gone)?;
        BufReader::new(out).read_line(&mut line).map_err(failed)?;
        if line.trim().is_empty() {
            // It has said why.
            let _ = process.wait();
            return Err(gone());
        }
        Ok(Keeper {
            process,
            pipe,
            place: PathBuf::from(line.trim_end_matches('\n')),
        })
    }

    /// Lets it remove the place, unless that shall stay, and waits until it has.
    pub(super) fn end(mut self, stays: bool) -> Result<()> {
        let failed = |error: std::io::Error| Error::storage("end the demo's keeper", error);
        if stays {
            self.pipe.write_all(STAY).map_err(failed)?;
        }
        drop(self.pipe);
        self.process.wait().map_err(failed)?;
        Ok(())
    }
}

/// The keeper's life: make a place, say where, wait for the end of the pipe, remove the place.
#[allow(
    clippy::disallowed_methods,
    reason = "a place for files that are no mission's, made here and removed here"
)]
pub(super) fn keep_house(context: &Context) -> Outcome {
    let above = context
        .session
        .env
        .path("TMPDIR")
        .unwrap_or_else(|| PathBuf::from("/tmp"));
    let place = context
        .session
        .env
        .resolve(&above)
        .join(format!("mcell-demo-{}", CellId::random().short()));
    let failed =
        |error: std::io::Error| Error::storage(format_args!("make {}", place.display()), error);
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&place)
        .map_err(failed)?;
    let config = std::fs::write(place.join(CONFIG), format!("{IMPATIENT}\n"));
    let said = context.printer.text(&format!("{}\n", place.display()));
    let mut told = Vec::new();
    // Whatever ends the pipe, the place goes.
    let _ = std::io::stdin().read_to_end(&mut told);
    if told == STAY {
        return Ok(exit::DONE);
    }
    // A command that was killed with the demo may be making its last file.
    let mut removed = std::fs::remove_dir_all(&place);
    for _ in 0..100 {
        if removed.is_ok() || !place.exists() {
            break;
        }
        std::thread::yield_now();
        removed = std::fs::remove_dir_all(&place);
    }
    removed.map_err(|error| Error::storage(format_args!("remove {}", place.display()), error))?;
    config.map_err(failed)?;
    said?;
    Ok(exit::DONE)
}
