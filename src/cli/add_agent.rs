//! `mcell add-agent`: add an agent to a cell.

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::agent::{Agent, Pairs, Role, Run};
use crate::ops::agent::{self, NewAgent};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::prompt;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Add an agent to a cell
///
/// What follows `--` is how mcell starts it: the program is made absolute now, and its working directory is here, unless
/// `--cwd` names another. Without it someone else starts the agent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell add-agent --role write -- ./work.sh
  mcell add-agent agent_007 --role lead --name Planner --capability planning
  mcell add-agent --role write --gateway http://127.0.0.1:8642 --env MODEL=small -- hermes gateway run")]
pub struct AddAgent {
    /// Its id [default: the next free one, agent_001]
    id: Option<AgentId>,
    /// What it is there for
    #[arg(long)]
    role: Option<Role>,
    /// What people call it [default: made of its role]
    #[arg(long)]
    name: Option<String>,
    /// What it can do; may be said several times
    #[arg(long = "capability", value_name = "WORD", value_delimiter = ',')]
    capabilities: Vec<String>,
    /// Name, host:port or URL of its gateway
    #[arg(long)]
    gateway: Option<String>,
    /// The working directory of its command [default: here]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, requires = "command")]
    cwd: Option<PathBuf>,
    /// A variable for its command; may be said several times
    #[arg(long = "env", value_name = "K=V", requires = "command")]
    variables: Vec<String>,
    /// A file of KEY=VALUE lines, read at each start
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "command")]
    env_file: Option<PathBuf>,
    /// Start from this template, or from the agent.json in this folder
    #[arg(long, value_name = "FILE|DIR", value_hint = clap::ValueHint::AnyPath)]
    template: Option<PathBuf>,
    /// How it is started: program and arguments
    #[arg(last = true)]
    command: Vec<String>,
}

/// The agent that was added.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Added {
    /// The cell it is in.
    pub cell_id: String,
    /// What its file says.
    #[schemars(schema_with = "crate::mission::shape::schema::agent")]
    pub agent: Agent,
}

impl Report for Added {
    fn words(&self, page: &mut Page) {
        let Agent {
            agent_id,
            name,
            role,
            run,
            ..
        } = &self.agent;
        let name = crate::base::text::shown(name);
        page.line(format_args!(
            "Added {agent_id}, {name} ({}), to cell {}",
            role.word(),
            self.cell_id
        ));
        if let Some(run) = run {
            page.line(format_args!(
                "  started by: {}",
                crate::base::text::shown(&run.command.join(" "))
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.agent.agent_id.clone())
    }
}

impl AddAgent {
    /// Adds the agent.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let cell = session.open_cell()?;
        let role = match self.role {
            Some(role) => role,
            None if context.printer.may_ask() => ask_role()?,
            None => {
                return Err(Error::usage("the agent has no role")
                    .hint("say `--role lead`, `write`, `read` or `audit`"));
            }
        };
        let run = self.run_of(&session.env)?;
        let AddAgent {
            id,
            name,
            capabilities,
            gateway,
            template,
            ..
        } = self;
        let agent = agent::add(
            session,
            &cell,
            &NewAgent {
                id,
                role,
                name,
                capabilities,
                gateway,
                run,
                template,
            },
        )?;
        context.printer.show(&Added {
            cell_id: cell.id().to_string(),
            agent,
        })?;
        Ok(0)
    }

    fn run_of(&self, env: &crate::base::env::Env) -> Result<Option<Run>> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Ok(None);
        };
        let mut pairs = Vec::new();
        for variable in &self.variables {
            let (name, value) = variable
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| Error::usage(format!("`--env {variable}` is not KEY=VALUE")))?;
            pairs.push((name.to_owned(), value.to_owned()));
        }
        let cwd = self
            .cwd
            .as_deref()
            .map_or_else(|| env.folder().to_path_buf(), |cwd| env.resolve(cwd));
        let mut command = vec![absolute(env, program)?];
        command.extend(arguments.iter().cloned());
        Ok(Some(Run {
            command,
            fresh_command: Vec::new(),
            cwd: Some(text_of(&cwd)?),
            env: Pairs(pairs),
            env_file: self
                .env_file
                .as_deref()
                .map(|file| text_of(&env.resolve(file)))
                .transpose()?,
            restart: None,
            stop_signal: None,
            stop_timeout: None,
            notify: None,
            checkpoint: Vec::new(),
            restart_exit_codes: Vec::new(),
            permanent_exit_codes: Vec::new(),
        }))
    }
}

fn ask_role() -> Result<Role> {
    let lines: Vec<String> = Role::ALL
        .iter()
        .filter_map(Role::to_possible_value)
        .map(|value| {
            format!(
                "{:<6} {}",
                value.get_name(),
                value
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            )
        })
        .collect();
    let chosen = prompt::choose("What is the agent there for", &lines)?;
    Role::ALL
        .get(chosen)
        .copied()
        .ok_or_else(|| Error::usage("no role was chosen"))
}

/// A program as it is found now: by its path from here, else in PATH.
fn absolute(env: &crate::base::env::Env, program: &str) -> Result<String> {
    if program.contains('/') {
        return text_of(&env.resolve(Path::new(program)));
    }
    let path = env.word("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
    let found = path
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(program))
        .find(|file| {
            rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file()
        });
    match found {
        Some(file) => text_of(&file),
        None => Err(
            Error::not_found(format!("there is no program `{program}` in PATH"))
                .hint("give its path: `-- ./program`"),
        ),
    }
}

/// A path in a file, without the `.` in it: `..` and links stay, since what they lead to may change.
fn text_of(path: &Path) -> Result<String> {
    let path: PathBuf = path.components().collect();
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::usage(format!("the path {} is not UTF-8", path.display())))
}
