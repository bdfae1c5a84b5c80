//! The command line: one file a command, its arguments and its words. The rest is ops.

pub mod add_agent;
pub mod add_task;
pub mod agent;
pub mod cell;
pub mod complete;
pub mod completions;
pub mod context;
pub mod demo;
pub mod doctor;
pub mod edited;
pub mod explain;
pub mod init;
pub mod isolation;
pub mod man;
pub mod permission;
pub mod policy;
pub mod removed;
pub mod scan;
pub mod schema;
pub mod several;
pub mod shapes;
pub mod status;
pub mod task;
pub mod validate;
pub mod words;

use crate::base::env::Env;
use crate::base::error::{Error, Kind};
use crate::base::exit;
use crate::ui::printer::{Colour, Form, Printer};
use clap::{Args, CommandFactory, Parser, Subcommand};
use context::Context;
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

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    AddAgent(add_agent::AddAgent),
    AddTask(add_task::AddTask),
    Validate(validate::Validate),
    Scan(scan::Scan),
    Status(status::Status),
    Cell(cell::CellCommand),
    Agent(agent::AgentCommand),
    Task(task::TaskCommand),
    Policy(policy::PolicyCommand),
    Isolation(isolation::IsolationCommand),
    Permission(permission::PermissionCommand),
    Explain(explain::Explain),
    Schema(schema::Schema),
    Doctor(doctor::Doctor),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    fn run(self, context: &Context) -> Outcome {
        match self {
            Command::Init(command) => command.run(context),
            Command::AddAgent(command) => command.run(context),
            Command::AddTask(command) => command.run(context),
            Command::Validate(command) => command.run(context),
            Command::Scan(command) => command.run(context),
            Command::Status(command) => command.run(context),
            Command::Cell(command) => command.run(context),
            Command::Agent(command) => command.run(context),
            Command::Task(command) => command.run(context),
            Command::Policy(command) => command.run(context),
            Command::Isolation(command) => command.run(context),
            Command::Permission(command) => command.run(context),
            Command::Explain(command) => command.run(context),
            Command::Schema(command) => command.run(context),
            Command::Doctor(command) => command.run(context),
            Command::Demo(command) => command.run(context),
            Command::Completions(command) => command.run(context),
            Command::Man(command) => command.run(context),
        }
    }
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
  scan         One line a cell: agents, tasks, problems
  validate     Hold cells against every rule
  explain      What a rule asks, and why

Work
  cell         List, show, set, pause, complete, reopen, remove, …
  agent        List, show, set, pause, remove, …
  task         List, show, ready, graph, set, reopen, remove, …

Admin
  policy       Show and set what the daemon and the agents may do
  isolation    Show and set how strictly agents are kept apart
  permission   Show, grant, revoke what each agent may do
  doctor       Check this machine, the root and its rights
  schema       Print the JSON Schema of a file
  completions  Print the completion script of a shell
  man          Print a man page

Options of every command
      --root DIR     The folder of all cells [default: MCELL_ROOT, the config's missions_path, /var/missions]
  -c, --cell CELL    A path, an id, the beginning of one, or a part of the mission's name
  -A, --all-cells    Look at every cell of the root, wherever you stand
      --as AGENT     Act as this agent, within its permissions [default: MCELL_AGENT]
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

fn run(arguments: Vec<std::ffi::OsString>) -> u8 {
    let wants_json = arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--json");
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse_arguments(&error, wants_json),
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
