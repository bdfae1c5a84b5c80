//! What a start would do, before anything is done: which checkpoint, which command, where, with which variables.

use super::environment::{self, Variables};
use super::origin::{self, Origin, is_bound};
use crate::base::error::{Error, Result, in_words};
use crate::base::ids::AgentId;
use crate::mission::agent::{Agent, Run};
use crate::mission::checkpoint::STATE;
use crate::mission::placeholder::Values;
use crate::mission::run::STOP_TIMEOUT;
use crate::ops::checkpoint::{Broken, Generation};
use crate::ops::config;
use crate::ops::session::Session;
use crate::revival::Record;
use crate::runner::Keeping;
use crate::store::cell::OpenCell;
use crate::store::layout;
use std::path::PathBuf;

/// What a start would do.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// Program and arguments, with everything filled in.
    pub command: Vec<String>,
    /// Where it begins.
    pub cwd: PathBuf,
    /// The generation of its checkpoint that it goes on from; none: it begins anew.
    pub checkpoint: Option<u64>,
    /// Younger generations that are not what was saved, and so are passed over: each with what is wrong with it.
    pub passed_over: Broken,
    /// Generations that it failed from three times, and so are passed over.
    pub suspects: Vec<u64>,
    /// Its variables, but for those that only its life tells.
    pub(super) variables: Variables,
    pub(super) stop_signal: String,
    pub(super) stop_timeout: u64,
    /// The command that makes it save its state; empty if there is none.
    pub(super) save: Vec<String>,
    /// Microseconds within which it is to ping, if it speaks sd_notify.
    pub(super) watchdog: Option<u64>,
    /// Seconds within which its log is to grow, if it is watched for that.
    pub(super) output_timeout: Option<u64>,
    pub(super) log: Keeping,
}

impl std::fmt::Debug for Plan {
    /// Without the variables: secrets are among them.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Plan")
            .field("command", &self.command)
            .field("cwd", &self.cwd)
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// The plan for an agent as its file says it is, by what is remembered of its falls. Nothing is changed. Exit 5 for
    /// what cannot be started as things are.
    pub(super) fn make(
        session: &Session,
        cell: &OpenCell,
        id: &AgentId,
        agent: &Agent,
        falls: &Record,
    ) -> Result<Self> {
        let run = agent.run.as_ref().ok_or_else(|| no_command(id))?;
        let Origin {
            generation,
            passed_over,
            suspects,
        } = origin::choose(cell, id, run, falls)?.map_err(|end| end.refusal(id))?;
        let folder = generation.as_ref().map(|generation| {
            let place = layout::generation(id, generation.number);
            cell.folder().path_of(&place).display().to_string()
        });
        let state = match &generation {
            Some(generation) => state_of(cell, id, generation)?,
            None => None,
        };
        let values = Values {
            cell: cell.id().as_str(),
            agent: id.as_str(),
            checkpoint: folder.as_deref(),
            state: state.as_ref(),
        };
        let command = command_of(run, generation.is_none(), &values)?;
        let save = filled(&run.checkpoint, &values)?;
        let cwd = cwd_of(cell, run)?;
        if let Some(program) = command.first()
            && program.contains('/')
            && !cwd.join(program).exists()
        {
            return Err(Error::refused(format!("there is no program {program}"))
                .hint(format!("`mcell agent edit {id}` corrects run.command")));
        }
        let mut variables = environment::passing(&session.env);
        for (name, text) in &run.env.0 {
            environment::add(&mut variables, name, values.fill(text)?)?;
        }
        for (name, value) in of_env_file(cell, run)? {
            environment::add(&mut variables, &name, value)?;
        }
        if let Some(folder) = folder {
            variables.insert(String::from("MCELL_CHECKPOINT"), folder);
        }
        let config = config::read(&session.env, None)?.config;
        let watch = config.usual().with(agent.health.as_ref());
        let logs = config.logs;
        Ok(Plan {
            command,
            cwd,
            checkpoint: generation.map(|generation| generation.number),
            passed_over,
            suspects,
            variables,
            stop_signal: run
                .stop_signal
                .clone()
                .unwrap_or_else(|| String::from("TERM")),
            stop_timeout: run.stop_timeout.unwrap_or(STOP_TIMEOUT),
            save,
            watchdog: run.speaks().then(|| watchdog(watch.interval)),
            output_timeout: watch.output_timeout,
            log: Keeping {
                max_size: logs.max_size,
                keep: u32::try_from(logs.keep).unwrap_or(u32::MAX),
            },
        })
    }

    /// The names of the variables that it gets, sorted, but for those that only its life tells.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}

/// Says that mcell cannot start an agent.
pub(super) fn no_command(id: &AgentId) -> Error {
    Error::refused(format!("{id} has no command, so mcell cannot start it")).hint(format!(
        "give it one: `mcell agent set {id} 'run={{\"command\": [\"/usr/local/bin/work\"]}}'`"
    ))
}

fn state_of(
    cell: &OpenCell,
    id: &AgentId,
    generation: &Generation,
) -> Result<Option<serde_json::Map<String, serde_json::Value>>> {
    let file = layout::join(&layout::generation(id, generation.number), STATE);
    let text = cell.folder().read(&file)?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

fn command_of(run: &Run, is_fresh: bool, values: &Values<'_>) -> Result<Vec<String>> {
    let command = if is_fresh && !run.fresh_command.is_empty() && is_bound(run) {
        &run.fresh_command
    } else {
        &run.command
    };
    filled(command, values)
}

fn filled(command: &[String], values: &Values<'_>) -> Result<Vec<String>> {
    command.iter().map(|text| values.fill(text)).collect()
}

/// Whoever speaks sd_notify pings twice in the time that it is told: once an interval, then.
fn watchdog(interval: u64) -> u64 {
    interval.saturating_mul(2_000_000)
}

fn cwd_of(cell: &OpenCell, run: &Run) -> Result<PathBuf> {
    let cwd = match &run.cwd {
        Some(cwd) => cell.path().join(cwd),
        None => cell.path().to_path_buf(),
    };
    if cwd.is_dir() {
        return Ok(cwd);
    }
    Err(Error::refused(format!(
        "there is no folder {}, where it is to begin",
        cwd.display()
    ))
    .hint("make it, or correct run.cwd"))
}

#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own file, which may lie anywhere"
)]
fn of_env_file(cell: &OpenCell, run: &Run) -> Result<Vec<(String, String)>> {
    let Some(file) = &run.env_file else {
        return Ok(Vec::new());
    };
    let path = cell.path().join(file);
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Error::refused(format!(
            "its env_file {shown} cannot be read: {}",
            in_words(&error)
        ))
        .hint("correct run.env_file, or the file's rights")
    })?;
    environment::of_file(&text).map_err(|error| error.context(format_args!("{shown}")))
}
