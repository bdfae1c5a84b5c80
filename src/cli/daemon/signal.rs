//! `mcell daemon stop`, `restart`, `reload`: what is said to a daemon by a signal.

use crate::base::error::{Error, Kind};
use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::presence;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use rustix::process::Signal;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// How long a daemon may take to end, or to begin again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a daemon was told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Told {
    /// Its process.
    pub pid: u32,
    /// What it does now: stopped, restarted, reloading.
    pub now: &'static str,
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        page.line(format_args!(
            "The daemon, pid {}, is {}.",
            self.pid, self.now
        ));
    }

    fn datum(&self) -> Option<String> {
        Some(self.pid.to_string())
    }
}

/// Stop the daemon of this root, in order
///
/// Agents go on: they are not the daemon's children to take along.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon stop")]
pub(super) struct Stop {}

impl Stop {
    pub(super) fn run(self, context: &Context) -> Outcome {
        context.session.require_operator("stop the daemon")?;
        let root = context.session.open_root()?;
        let daemon = presence::find(&root)?;
        daemon.signal(Signal::TERM)?;
        if !daemon.wait(PATIENCE)? {
            return Err(hangs(daemon.about.pid, "stop"));
        }
        context.printer.show(&Told {
            pid: daemon.about.pid,
            now: "stopped",
        })?;
        Ok(exit::DONE)
    }
}

/// Let the daemon begin again, as the program that is installed now
///
/// It keeps its terminal, its supervisor and its process id; what it knows of agents it keeps too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo install --path . && mcell daemon restart")]
pub(super) struct Restart {}

impl Restart {
    pub(super) fn run(self, context: &Context) -> Outcome {
        context.session.require_operator("restart the daemon")?;
        let root = context.session.open_root()?;
        let daemon = presence::find(&root)?;
        daemon.signal(Signal::USR2)?;
        if !daemon.wait_for_next(&root, PATIENCE)? {
            return Err(hangs(daemon.about.pid, "restart"));
        }
        let next = presence::find(&root)?;
        context.printer.show(&Told {
            pid: next.about.pid,
            now: "restarted",
        })?;
        Ok(exit::DONE)
    }
}

/// Let the daemon read its config again
///
/// A config that is not in order is refused, here and there: the daemon goes on with the old one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon reload")]
pub(super) struct Reload {}

impl Reload {
    pub(super) fn run(self, context: &Context) -> Outcome {
        context
            .session
            .require_operator("reload the daemon's config")?;
        let root = context.session.open_root()?;
        let daemon = presence::find(&root)?;
        daemon.signal(Signal::HUP)?;
        context.printer.show(&Told {
            pid: daemon.about.pid,
            now: "reloading",
        })?;
        Ok(exit::DONE)
    }
}

fn hangs(pid: u32, what: &str) -> Error {
    Error::new(
        Kind::CouldNotTell,
        format!(
            "the daemon, pid {pid}, did not {what} within {} s",
            PATIENCE.as_secs()
        ),
    )
    .hint("`mcell daemon log` may say why")
    .hint(format!(
        "if it hangs, `kill -9 {pid}` loses nothing: the next one goes on where it was"
    ))
}
