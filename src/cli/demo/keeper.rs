//! The keeper of the demo's place: a process that makes it, and removes it when its pipe ends.
//!
//! So the place goes with the demo however that ends, by Ctrl-C and by `kill -9` too; and no path to remove is ever taken
//! from a command line.

use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::base::ids::CellId;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::{self, Session, presence};
use crate::store::cell::OpenCell;
use crate::store::root::Root;
use crate::store::run;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// The process that makes a place and removes it when its pipe ends.
pub(super) struct Keeper {
    process: Child,
    pipe: ChildStdin,
    /// The place.
    pub(super) place: PathBuf,
}

/// The root in the place.
pub(super) const ROOT: &str = "missions";
/// A config beside the root: the operator's own, with its templates, is not for the demo.
pub(super) const CONFIG: &str = "config.json";
/// What stands in it: a daemon that sees within seconds what would otherwise take minutes.
const IMPATIENT: &str =
    r#"{"poll_interval": 1, "health": {"interval": 1, "timeout": 3, "grace": 2}}"#;

/// A program for agents, beside the root too.
const WORKER: &str = "work.sh";
/// What it does.
const WORK: &str = include_str!("work.sh");
/// How long what was started may take to be over.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let config = config.and_then(|()| put_worker(&place.join(WORKER)));
    let said = context.printer.text(&format!("{}\n", place.display()));
    let mut told = Vec::new();
    // Whatever ends the pipe, the place goes.
    let _ = std::io::stdin().read_to_end(&mut told);
    if told == STAY {
        return Ok(exit::DONE);
    }
    // A command that was killed with the demo may be making its last file, or starting its last agent.
    let until = Instant::now() + PATIENCE;
    let mut removed = clear(&context.session.env, &place);
    while removed.is_err() && place.exists() && Instant::now() < until {
        std::thread::park_timeout(Duration::from_millis(10));
        removed = clear(&context.session.env, &place);
    }
    if removed.is_err() && place.exists() {
        // What could not be ended is not kept for that.
        removed = removed.and(std::fs::remove_dir_all(&place));
    }
    removed.map_err(|error| Error::storage(format_args!("remove {}", place.display()), error))?;
    config.map_err(failed)?;
    said?;
    Ok(exit::DONE)
}

#[allow(
    clippy::disallowed_methods,
    reason = "a file that is no mission's, in the place that was made here"
)]
fn put_worker(file: &Path) -> std::io::Result<()> {
    std::fs::write(file, WORK)?;
    std::fs::set_permissions(file, Permissions::from_mode(0o700))
}

/// Ends what still runs in the root of the place, and removes it all.
#[allow(
    clippy::disallowed_methods,
    reason = "the place that was made here, and no other"
)]
fn clear(env: &Env, place: &Path) -> std::io::Result<()> {
    end_agents(env, &place.join(ROOT)).map_err(|error| std::io::Error::other(error.to_string()))?;
    std::fs::remove_dir_all(place)
}

/// Ends every agent: they outlive who started them, and nobody is to bring them back.
fn end_agents(env: &Env, root: &Path) -> Result<()> {
    if !root.exists() {
        return Ok(());
    }
    let root = Root::open(root)?;
    // The operator of the demo is whoever runs it, whatever its environment says.
    let session = Session::quiet(env.clone());
    for id in root.cell_ids()? {
        let cell = OpenCell::open(&root.path().join(id.as_str()))?;
        for agent in cell.agent_ids()? {
            if run::read(cell.folder(), &agent)?.is_some() {
                ops::run::stop(&session, &cell, &agent, true)?;
            }
        }
    }
    // It ends with the demo, and by itself.
    if let Ok(daemon) = presence::find(&root) {
        daemon.wait(PATIENCE)?;
    }
    Ok(())
}
