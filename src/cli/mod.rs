//! The command line: one file a command, its arguments and its words. The rest is ops.

pub mod add_agent;
pub mod add_task;
pub mod agent;
pub mod artifact;
pub mod cell;
pub mod checkpoint;
pub mod complete;
pub mod completions;
pub mod context;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod drill;
pub mod edited;
pub mod explain;
pub mod handoff;
pub mod health;
pub mod heartbeat;
pub mod init;
pub mod isolation;
pub mod journal;
mod lines;
pub mod man;
pub mod permission;
pub mod policy;
pub mod removed;
pub mod revival;
pub mod scan;
pub mod schema;
pub mod several;
pub mod shapes;
pub mod status;
pub mod task;
pub mod validate;
pub mod why;
pub mod words;

use crate::base::env::Env;
use crate::base::error::{Error, Kind};
use crate::base::exit;
use crate::ui::printer::{Colour, Form, Printer};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use context::Context;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// What every command ends with: an exit code, or an error that has one.
pub type Outcome = crate::base::error::Result<u8>;

/// Mission cells on disk: make them, fill them, check them, see them.
#[derive(Debug, Parser)]
#[command(name = "mcell", version, about, long_about = None, disable_help_subcommand = false)]
#[command(override_help = HELP, args_conflicts_with_subcommands = false, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
    /// The folder of all cells [default: MCELL_ROOT, the config's missions_path, /var/missions]
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,
    /// The cell: a path, an id, the beginning of one, or a part of the mission's name [default: MCELL_CELL, the one you stand in, the only one]
    #[arg(long, short, global = true, value_name = "CELL", add = complete::cells())]
    pub cell: Option<String>,
    /// Look at every cell of the root, wherever you stand
    #[arg(long, short = 'A', global = true)]
    pub all_cells: bool,
    /// Act as this agent, within its permissions [default: MCELL_AGENT]
    #[arg(long = "as", global = true, value_name = "AGENT", add = complete::agents())]
    pub acting_as: Option<String>,
    /// The fencing token of the claim that this act is part of [default: MCELL_CLAIM]
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<u64>,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only the datum: an id, a path
    #[arg(long, short, global = true, conflicts_with = "json")]
    pub quiet: bool,
    /// Answer yes to every question
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    pub color: Colour,
}

macro_rules! commands {
    ($($word:literal $variant:ident $arguments:ty,)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($variant($arguments),)*
        }

        impl Command {
            fn run(self, context: &Context) -> Outcome {
                match self {
                    $(Command::$variant(command) => command.run(context),)*
                }
            }

            /// One command as clap knows it, without the others.
            fn alone(word: &str) -> Option<clap::Command> {
                match word {
                    $($word => Some(<$arguments>::augment_args(clap::Command::new($word))),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    "init" Init init::Init,
    "add-agent" AddAgent add_agent::AddAgent,
    "add-task" AddTask add_task::AddTask,
    "validate" Validate validate::Validate,
    "scan" Scan scan::Scan,
    "health" Health health::Health,
    "revive" Revive revival::Revive,
    "daemon" Daemon daemon::DaemonCommand,
    "status" Status status::Status,
    "cell" Cell cell::CellCommand,
    "agent" Agent agent::AgentCommand,
    "task" Task task::TaskCommand,
    "handoff" Handoff handoff::HandoffCommand,
    "artifact" Artifact artifact::ArtifactCommand,
    "checkpoint" Checkpoint checkpoint::CheckpointCommand,
    "heartbeat" Heartbeat heartbeat::Heartbeat,
    "why" Why why::Why,
    "revival" Revival revival::RevivalCommand,
    "approve" Approve revival::Approve,
    "deny" Deny revival::Deny,
    "drill" Drill drill::Drill,
    "policy" Policy policy::PolicyCommand,
    "isolation" Isolation isolation::IsolationCommand,
    "permission" Permission permission::PermissionCommand,
    "journal" Journal journal::JournalCommand,
    "log" Log journal::Log,
    "explain" Explain explain::Explain,
    "schema" Schema schema::Schema,
    "doctor" Doctor doctor::Doctor,
    "demo" Demo demo::Demo,
    "completions" Completions completions::Completions,
    "man" Man man::Man,
}

/// Reads what is nearly always typed, a sound line, with only the command that it names: building all sixty takes clap
/// longer than most of them run. Whatever this does not take is read again with the whole tree, which knows what to say.
fn read_quickly(arguments: &[OsString]) -> Option<Cli> {
    let mut words = arguments.iter().skip(1);
    let word = loop {
        match words.next()?.to_str()? {
            "--root" | "--cell" | "-c" | "--as" | "--token" | "--color" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            word => break word,
        }
    };
    let root = Globals::augment_args(clap::Command::new("mcell")).subcommand(Command::alone(word)?);
    let matches = root.try_get_matches_from(arguments).ok()?;
    Cli::from_arg_matches(&matches).ok()
}

const HELP: &str = "\
Mission cells on disk: make them, fill them, check them, see them.

Usage: mcell [OPTIONS] [COMMAND]      (no command: status)

Start
  init         Make a cell
  add-agent    Add an agent to a cell
  add-task     Add a task to a cell
  demo         Show what mcell does, in a throw-away root

Watch
  status       What is wrong, what waits, and the next command for each
  scan         One line a cell: agents and how they are, tasks, problems
  health       How agents are, and why
  why          Why an agent is as it is, or a task waits; what happens next
  daemon       Watch every cell, listen for heartbeats, tell people: the Lazarus Pit
  validate     Hold cells against every rule
  log          Who changed what, when and why
  explain      What a rule asks, and why

Repair
  revive       Bring agents back, now
  revival      List and show requests to bring agents back, approve, deny, cancel
  approve      Let an agent be brought back that waits for you; deny: do not
  drill        Break one agent on purpose, and measure how soon it is back

Work
  cell         List, show, set, pause, complete, backup, restore, remove, …
  agent        List, show, set, start, stop, log, pause, remove, …
  task         List, ready, claim, complete, fail, release, retry, assign, graph, …
  handoff      Give a task to another agent, at once or as an offer
  artifact     Add, list, verify, collect what comes of the work
  checkpoint   Save, list, show, verify, restore, prune what agents saved
  heartbeat    Say that an agent is alive, and hear what it is to do

Admin
  policy       Show and set what the daemon and the agents may do
  isolation    Show and set how strictly agents are kept apart
  permission   Show, grant, revoke what each agent may do
  journal      Show the record of changes, and whether somebody tampered with it
  doctor       Check this machine, the root and its rights
  schema       Print the JSON Schema of a file
  completions  Print the completion script of a shell
  man          Print a man page

Options of every command
      --root DIR     The folder of all cells [default: MCELL_ROOT, the config's missions_path, /var/missions]
  -c, --cell CELL    A path, an id, the beginning of one, or a part of the mission's name
  -A, --all-cells    Look at every cell of the root, wherever you stand
      --as AGENT     Act as this agent, within its permissions [default: MCELL_AGENT]
      --token TOKEN  The fencing token of the claim that this act is part of [default: MCELL_CLAIM]
      --json         Print one JSON object
  -q, --quiet        Print only the datum: an id, a path
  -y, --yes          Answer yes to every question
      --color WHEN   auto, always or never
  -h, --help         Help; `mcell COMMAND --help` has examples
  -V, --version      The version

Examples
  mcell init \"Example Mission\"
  mcell add-agent --role write -- ./work.sh
  mcell add-task \"Code Review\" --priority high
  mcell validate && mcell scan
  mcell daemon
";

/// The whole command line as clap knows it: for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs mcell on this process's arguments.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where a process begins"
)]
pub fn main() -> ExitCode {
    if let Some(code) = complete::answer() {
        return ExitCode::from(code);
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|place| format!(" at {}:{}", place.file(), place.line()))
            .unwrap_or_default();
        let bug = Error::bug(format!("mcell met a case that it does not know{place}"));
        Printer::new(Form::Words, Colour::Auto, true).trouble(&bug);
    }));
    std::panic::catch_unwind(|| ExitCode::from(run(std::env::args_os().collect())))
        .unwrap_or(ExitCode::from(exit::BUG))
}

fn run(arguments: Vec<OsString>) -> u8 {
    let wants_json = arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--json");
    if let [_, word] = arguments.as_slice()
        && (word == "--version" || word == "-V")
    {
        let told = Printer::new(Form::Words, Colour::Never, true).text(concat!(
            "mcell ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        ));
        return told.map_or_else(|error| error.kind().exit(), |()| exit::DONE);
    }
    let cli = match read_quickly(&arguments) {
        Some(cli) => cli,
        None => match Cli::try_parse_from(arguments) {
            Ok(cli) => cli,
            Err(error) => return refuse_arguments(&error, wants_json),
        },
    };
    let env = Env::of_process();
    let form = match (cli.globals.json, cli.globals.quiet) {
        (true, _) => Form::Json,
        (_, true) => Form::Quiet,
        _ => Form::Words,
    };
    let printer = Printer::new(form, cli.globals.color, env.word("NO_COLOR").is_some());
    let context = match Context::new(env, printer, cli.globals) {
        Ok(context) => context,
        Err((printer, error)) => {
            printer.trouble(&error);
            return error.kind().exit();
        }
    };
    let command = cli
        .command
        .unwrap_or(Command::Status(status::Status::default()));
    match command.run(&context) {
        Ok(code) => code,
        Err(error) => {
            context.printer.trouble(&error);
            error.kind().exit()
        }
    }
}

/// What clap has to say: help on stdout, refusals on stderr with exit 2.
fn refuse_arguments(error: &clap::Error, wants_json: bool) -> u8 {
    if !error.use_stderr() {
        // A reader that went away is a quiet success.
        let _ = error.print();
        return exit::DONE;
    }
    if wants_json {
        let message = error.to_string();
        let message = message
            .trim_start_matches("error: ")
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .trim();
        let error = Error::new(Kind::Usage, message.replace('\n', " "))
            .hint("`--help` shows what may be said");
        Printer::new(Form::Json, Colour::Never, true).trouble(&error);
    } else {
        let _ = error.print();
    }
    exit::USAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn a_line_read_quickly_means_what_the_whole_tree_reads_in_it() {
        for line in [
            "mcell init Example --isolation 2 --timeout 8h",
            "mcell --root /x -c init add-task Review --priority high --depends-on a,b -q",
            "mcell add-agent --role write --env A=B -- ./work.sh --json",
            "mcell --color=never --as agent_001 task set task_001 title=x",
            "mcell task add X",
            "mcell cell ls --all",
            "mcell -A --json validate --fix a b",
            "mcell permission allows agent_001 write task_001",
            "mcell handoff task_001 agent_002 --offer --deadline 2h",
            "mcell --as agent_002 handoff accept task_001 --lease 10m",
        ] {
            let quick = read_quickly(&words(line)).map(|cli| format!("{cli:?}"));
            let whole = Cli::try_parse_from(words(line)).map(|cli| format!("{cli:?}"));
            assert_eq!(quick, whole.ok(), "{line}");
            assert!(quick.is_some(), "{line}");
        }
    }

    #[test]
    fn what_is_not_sound_is_left_to_the_whole_tree() {
        for line in [
            "mcell",
            "mcell nosuch",
            "mcell init --nosuch",
            "mcell init --help",
            "mcell help init",
            "mcell --cell",
        ] {
            assert!(read_quickly(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn every_command_is_known_alone_by_its_word() {
        for command in command().get_subcommands() {
            assert!(
                Command::alone(command.get_name()).is_some(),
                "{}",
                command.get_name()
            );
        }
    }
}
