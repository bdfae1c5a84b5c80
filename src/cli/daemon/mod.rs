//! `mcell daemon`: the Lazarus Pit, and what one says to it.

mod config;
mod hold;
mod log;
mod run;
mod signal;
mod status;

use crate::cli::Outcome;
use crate::cli::context::Context;
use clap::{Args, Subcommand};
pub use config::{Checked, MadeConfig};
pub use hold::Holding;
pub use signal::Told;
pub use status::DaemonStatus;

/// Watch every cell of the root: the Lazarus Pit
///
/// Runs in the foreground until it is told to stop: it sweeps over the cells, listens for heartbeats, asks gateways, and says
/// what it sees. One for each root; a second one says who runs.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  mcell daemon
  mcell daemon --listen 127.0.0.1:8090 --log-format json
  mcell daemon status
  mcell daemon hold --for 30m \"gateway upgrade\"

In tmux, under systemd or cron: docs/operations.md."
)]
pub struct DaemonCommand {
    #[command(flatten)]
    run: run::Run,
    /// What the fleet's first version said for `config --create`
    #[arg(long, hide = true)]
    create_config: bool,
    /// What it said for `status`
    #[arg(long, hide = true, conflicts_with = "create_config")]
    status: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Status),
    Stop(signal::Stop),
    Restart(signal::Restart),
    Reload(signal::Reload),
    Log(log::Log),
    Config(config::ConfigCommand),
    Hold(hold::Hold),
    Release(hold::Release),
}

impl DaemonCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.command {
            None if self.create_config => config::create(context, self.run.config.as_deref()),
            None if self.status => status::Status {}.run(context),
            None => self.run.run(context),
            Some(Command::Status(command)) => command.run(context),
            Some(Command::Stop(command)) => command.run(context),
            Some(Command::Restart(command)) => command.run(context),
            Some(Command::Reload(command)) => command.run(context),
            Some(Command::Log(command)) => command.run(context),
            Some(Command::Config(command)) => command.run(context),
            Some(Command::Hold(command)) => command.run(context),
            Some(Command::Release(command)) => command.run(context),
        }
    }
}
