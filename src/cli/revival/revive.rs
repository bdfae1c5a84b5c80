//! `mcell revive`: bring agents back now.

use super::Said;
use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::several::{InCell, Several, agents};
use crate::cli::{Outcome, complete};
use crate::health::state::State;
use crate::mission::revival::Status;
use crate::ops::find::Scope;
use crate::ops::health::{self, How};
use crate::ops::revival::{self, Terms, Told};
use crate::ops::{config, run};
use crate::store::cell::OpenCell;
use clap::Args;
use std::rc::Rc;

/// Bring agents back, now
///
/// What an operator asks for is approved: quarantine and counts of tries in vain are over. The agent is fenced, stopped with
/// all that it started, and started again from its newest good checkpoint; it is back when it has proved that it lives.
/// Where no daemon runs this command does it all itself, and watches the process alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell revive agent_001
  mcell revive --failed --reason \"the disk is back\"
  mcell revive agent_001 --dry-run

Exit codes: 1 if an agent could not be brought back, 5 if it cannot be started as things are, or is healthy.")]
pub struct Revive {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required_unless_present = "failed", add = complete::agents())]
    named: Vec<String>,
    /// Every agent that is unhealthy and has a command
    #[arg(long, conflicts_with = "named")]
    failed: bool,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show what would be started, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Ask for it, and do not wait; a daemon carries it out
    #[arg(long, conflicts_with = "dry_run")]
    no_wait: bool,
}

impl Revive {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        session.require_operator("bring an agent back")?;
        let targets = if self.failed {
            unhealthy(context)?
        } else {
            agents(context, &self.named)?
        };
        if targets.is_empty() {
            context
                .printer
                .say("No agent that mcell starts is unhealthy");
            return Ok(exit::DONE);
        }
        if self.dry_run {
            return dry_run(context, &targets);
        }
        let config = config::read(&session.env, None)?.config;
        let terms = Terms {
            ceiling: config.auto_revive,
            max_retries: config.max_retries,
        };
        // All are asked for before one is waited for: they come back side by side.
        let mut asked = Vec::new();
        for target in &targets {
            let (cell, id) = (&target.cell, &target.id);
            if !self.failed && !revival::is_under_way(cell, id)? {
                require_unwell(context, target)?;
            }
            asked.push(revival::request(session, cell, id, self.reason.as_deref())?);
        }
        let mut all = Vec::new();
        let mut code = exit::DONE;
        for (target, asked) in targets.iter().zip(asked) {
            let (cell, id) = (&target.cell, &target.id);
            let revival = if self.no_wait {
                asked
            } else {
                revival::see_through(session, cell, id, &asked, terms)?
            };
            let told = Told::from(revival);
            let words = words(&told);
            if !self.no_wait && told.status != Status::Revived {
                code = exit::NO;
            }
            all.push(Said {
                told,
                words: vec![words],
            });
        }
        context.printer.show(&Several::new("revivals", all))?;
        Ok(code)
    }
}

fn words(told: &Told) -> String {
    let (agent, id) = (&told.agent_id, &told.id);
    let why = told.why.as_deref().unwrap_or(&told.reason);
    match (told.status, told.incarnation) {
        (Status::Revived, Some(life)) => format!("{agent} is back: incarnation {life} ({id})"),
        (Status::Running, _) => {
            format!("{agent} was started, and has not proved yet that it lives ({id})")
        }
        (status, _) => {
            let word = status.word().replace('_', " ");
            format!("the revival of {agent} is {word}: {} ({id})", shown(why))
        }
    }
}

/// Refuses what is well: by the daemon, else by its process, which is all that is known without one.
fn require_unwell(context: &Context, target: &InCell) -> Result<()> {
    let scope = Scope::Cell(OpenCell::open(target.cell.path())?);
    let only = [target.id.clone()];
    let health = health::ask(&context.session, &scope, Some(&only), How::Usual)?;
    let report = health.overview.agents.values().next();
    let state = report.map_or("unknown", |report| report.status.word());
    revival::require_unwell(&target.id, state)
}

/// The agents of the scope that are unhealthy and that mcell starts.
fn unhealthy(context: &Context) -> Result<Vec<InCell>> {
    let session = &context.session;
    let scope = session.scope(context.all_cells)?;
    let root = health::root_of(&scope)?;
    let health = health::ask(session, &scope, None, How::Usual)?;
    let mut found = Vec::new();
    for report in health.overview.agents.values() {
        let Some(cell) = report.cell_id.as_deref() else {
            continue;
        };
        if report.status != State::Unhealthy {
            continue;
        }
        let cell = Rc::new(OpenCell::open(&root.path().join(cell))?);
        let id = AgentId::new(report.agent_id.as_str())?;
        if cell.agent(&id)?.is_some_and(|agent| agent.run.is_some()) {
            found.push(InCell { cell, id });
        }
    }
    Ok(found)
}

fn dry_run(context: &Context, targets: &[InCell]) -> Outcome {
    let plans = targets.iter().map(|target| {
        let plan = run::look(&context.session, &target.cell, &target.id)?;
        let (cell, agent) = (target.cell.id().as_str(), target.id.as_str());
        Ok(crate::cli::agent::start::Planned::of(cell, agent, &plan))
    });
    let plans: Vec<_> = plans.collect::<Result<_, Error>>()?;
    context.printer.show(&Several::new("agents", plans))?;
    Ok(exit::DONE)
}
