//! `mcell permission`: what each agent may do.

pub(super) mod allows;
mod change;
mod show;

use crate::cli::Outcome;
use crate::cli::context::Context;
use clap::{Args, Subcommand};

/// Show, grant and revoke what each agent may do
///
/// Where an agent has no list, the default counts: it may read every task, and write and execute those assigned to it or
/// to nobody. A list, once there, counts alone. Roles cap both: read and audit never write or execute. Operators are not
/// limited; what runs with `--as AGENT` is. At isolation level none this stops mistakes, not intent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell permission show
  mcell permission grant agent_002 write task_003
  mcell permission allows agent_002 write task_003 && echo yes

Rights: read, write, execute (on tasks), handoff_to, handoff_from (on agents).")]
pub struct PermissionCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "list", alias = "ls")]
    Show(show::Show),
    Grant(change::Grant),
    Revoke(change::Revoke),
    Reset(change::Reset),
    Allows(allows::Allows),
}

impl PermissionCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::Show(command) => command.run(context),
            Verb::Grant(command) => command.run(context),
            Verb::Revoke(command) => command.run(context),
            Verb::Reset(command) => command.run(context),
            Verb::Allows(command) => command.run(context),
        }
    }
}
