//! `mcell agent start`, `stop` and `restart`.

use super::foreground;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::several::{agents, each};
use crate::cli::{Outcome, complete};
use crate::mission::checkpoint::Flaw;
use crate::mission::run::End;
use crate::ops::run::{self, Plan, Started, Stopped};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// Start agents, each from its newest good checkpoint
///
/// The process runs on when this command ends, under a runner of its own, which takes what it says into
/// logs/AGENT.log. An agent that runs already is left as it is. From then on it is wanted: whoever watches the cell
/// brings it back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent start agent_001
  mcell agent start agent_001 agent_002
  mcell agent start agent_001 --dry-run
  mcell agent start agent_001 --foreground")]
pub(super) struct Start {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
    /// Show what would be started, and start nothing
    #[arg(long)]
    dry_run: bool,
    /// Run one in this terminal: show what it says, stop it at Ctrl-C, and end with its exit code
    #[arg(long, conflicts_with = "dry_run")]
    foreground: bool,
}

impl Start {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let targets = agents(context, &self.named)?;
        if self.foreground {
            return foreground::run(context, &targets);
        }
        if self.dry_run {
            return each(context, "agents", &targets, |target| {
                let plan = run::look(session, &target.cell, &target.id)?;
                Ok(Planned::of(
                    target.cell.id().as_str(),
                    target.id.as_str(),
                    &plan,
                ))
            });
        }
        each(context, "agents", &targets, |target| {
            let started = run::start(session, &target.cell, &target.id)?;
            Ok(RunningAgent::of(
                target.cell.id().as_str(),
                target.id.as_str(),
                &started,
            ))
        })
    }
}

/// Stop agents; they are not brought back
///
/// Each is asked to end by its stop_signal (SIGTERM), and killed if it has not after its stop_timeout (10 s), with
/// everything that it started. A task that it holds is free again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent stop agent_001
  mcell agent stop agent_001 agent_002 --now")]
pub(super) struct Stop {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
    /// Kill it, without asking it first
    #[arg(long)]
    now: bool,
}

impl Stop {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let targets = agents(context, &self.named)?;
        each(context, "agents", &targets, |target| {
            let stopped = run::stop(&context.session, &target.cell, &target.id, self.now)?;
            Ok(StoppedAgent::of(
                target.cell.id().as_str(),
                target.id.as_str(),
                &stopped,
            ))
        })
    }
}

/// Stop agents, if they run, and start them again
///
/// What would keep one from being started is found before it is stopped.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent restart agent_001")]
pub(super) struct Restart {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
}

impl Restart {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let targets = agents(context, &self.named)?;
        each(context, "agents", &targets, |target| {
            let (_, started) = run::restart(&context.session, &target.cell, &target.id)?;
            Ok(RunningAgent::of(
                target.cell.id().as_str(),
                target.id.as_str(),
                &started,
            ))
        })
    }
}

/// An agent that runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RunningAgent {
    /// The folder's name of its cell.
    cell_id: String,
    /// The agent.
    agent_id: String,
    /// Which life of it runs.
    incarnation: u64,
    /// Its process.
    pid: u32,
    /// Whether it ran already, and nothing was done.
    ran_already: bool,
    /// The checkpoint that it goes on from; null if it begins anew, or ran already.
    checkpoint: Option<u64>,
    /// Younger checkpoints that are not what was saved.
    broken_checkpoints: Vec<u64>,
}

impl RunningAgent {
    pub(super) fn of(cell: &str, agent: &str, started: &Started) -> Self {
        let plan = started.plan.as_ref();
        let broken = plan
            .map(|plan| plan.passed_over.as_slice())
            .unwrap_or_default();
        RunningAgent {
            cell_id: cell.to_owned(),
            agent_id: agent.to_owned(),
            incarnation: started.incarnation,
            pid: started.pid,
            ran_already: started.ran_already,
            checkpoint: plan.and_then(|plan| plan.checkpoint),
            broken_checkpoints: broken.iter().map(|(number, _)| *number).collect(),
        }
    }

    /// What is said of it.
    pub(super) fn lines(&self) -> Vec<String> {
        let (agent, pid, life) = (&self.agent_id, self.pid, self.incarnation);
        if self.ran_already {
            return vec![format!(
                "{agent} runs already: pid {pid}, incarnation {life}"
            )];
        }
        let from = match self.checkpoint {
            Some(number) => format!(", from checkpoint {number}"),
            None => String::new(),
        };
        let runs = format!("{agent} runs: pid {pid}, incarnation {life}{from}");
        let broken = self.broken_checkpoints.iter().map(|number| {
            format!(
                "  checkpoint {number} is not what was saved, and was passed over: `mcell checkpoint verify {agent}`"
            )
        });
        std::iter::once(runs).chain(broken).collect()
    }
}

impl Report for RunningAgent {
    fn words(&self, page: &mut Page) {
        for line in self.lines() {
            page.line(line);
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.pid.to_string())
    }
}

/// What a start would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Planned {
    /// The folder's name of its cell.
    cell_id: String,
    /// The agent.
    agent_id: String,
    /// Program and arguments.
    command: Vec<String>,
    /// Where it begins.
    cwd: String,
    /// The names of its variables, without those that only its life tells (MCELL_…).
    variables: Vec<String>,
    /// The checkpoint that it would go on from; null: it begins anew.
    checkpoint: Option<u64>,
    /// Younger checkpoints that are not what was saved.
    broken_checkpoints: Vec<BrokenCheckpoint>,
}

/// A checkpoint that is not what was saved.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BrokenCheckpoint {
    /// Its number.
    generation: u64,
    /// What is wrong with it.
    flaws: Vec<Flaw>,
}

impl Planned {
    pub(crate) fn of(cell: &str, agent: &str, plan: &Plan) -> Self {
        let broken = plan.passed_over.iter().cloned();
        Planned {
            cell_id: cell.to_owned(),
            agent_id: agent.to_owned(),
            command: plan.command.clone(),
            cwd: plan.cwd.display().to_string(),
            variables: plan.variables().map(str::to_owned).collect(),
            checkpoint: plan.checkpoint,
            broken_checkpoints: broken
                .map(|(generation, flaws)| BrokenCheckpoint { generation, flaws })
                .collect(),
        }
    }
}

impl Report for Planned {
    fn words(&self, page: &mut Page) {
        let command: Vec<_> = self.command.iter().map(|word| shown(word)).collect();
        page.line(format!(
            "{} would run: {}",
            self.agent_id,
            command.join(" ")
        ));
        page.line(format!("  in {}", shown(&self.cwd)));
        page.line(match self.checkpoint {
            Some(number) => format!("  from checkpoint {number}"),
            None => String::from("  anew: it has no checkpoint that is good"),
        });
        for broken in &self.broken_checkpoints {
            let flaws: Vec<String> = broken.flaws.iter().map(Flaw::words).collect();
            page.line(format!(
                "  not from checkpoint {}: {}",
                broken.generation,
                flaws.join("; ")
            ));
        }
        page.line(format!("  with {}", self.variables.join(", ")));
    }

    fn datum(&self) -> Option<String> {
        None
    }
}

/// An agent that was stopped.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct StoppedAgent {
    /// The folder's name of its cell.
    cell_id: String,
    /// The agent.
    agent_id: String,
    /// Which life of it ended; null if nothing ran.
    incarnation: Option<u64>,
    /// Its exit code, if it ended by itself.
    code: Option<i32>,
    /// The signal that ended it.
    signal: Option<i32>,
    /// How many processes were left of it without a runner.
    left: usize,
    /// How it ended, in a word; null if nothing ran.
    end: Option<String>,
}

impl StoppedAgent {
    fn of(cell: &str, agent: &str, stopped: &Stopped) -> Self {
        StoppedAgent {
            cell_id: cell.to_owned(),
            agent_id: agent.to_owned(),
            incarnation: stopped.incarnation,
            code: stopped.end.and_then(|end| end.code),
            signal: stopped.end.and_then(|end| end.signal),
            left: stopped.left,
            end: stopped.end.as_ref().map(End::to_string),
        }
    }
}

impl Report for StoppedAgent {
    fn words(&self, page: &mut Page) {
        let agent = &self.agent_id;
        let words = match (self.incarnation, &self.end) {
            (None, _) => format!("{agent} does not run, and is not wanted"),
            (Some(_), Some(end)) => format!("{agent} has ended: {end}"),
            (Some(_), None) => format!(
                "{agent} has ended; its runner was killed before, and {} of it left",
                were(self.left)
            ),
        };
        page.line(words);
    }

    fn datum(&self) -> Option<String> {
        Some(self.agent_id.clone())
    }
}

fn were(left: usize) -> String {
    match left {
        1 => String::from("1 process was"),
        left => format!("{left} processes were"),
    }
}
