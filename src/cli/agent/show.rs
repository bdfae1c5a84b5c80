//! `mcell agent show`: a page on an agent.

use super::{in_cell_with, or_warn};
use crate::base::clock::Time;
use crate::base::duration;
use crate::base::error::Result;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::several::{agents, each};
use crate::cli::{Outcome, complete};
use crate::mission::agent::Agent;
use crate::ops::agent;
use crate::ops::health::{Note, Recorded};
use crate::ops::run::{self, LifeSeen};
use crate::store::cell::OpenCell;
use crate::store::root::Root;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use serde::{Serialize, Serializer};

/// Show agents
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent show agent_001
  mcell agent show agent_001 \"Night run/agent_002\"
  mcell agent show agent_001 --json | jq .run.command")]
pub(super) struct Show {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", required = true, add = complete::agents())]
    named: Vec<String>,
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let now = context.session.env.clock.now();
        let targets = agents(context, &self.named)?;
        each(context, "agents", &targets, |target| {
            Ok(PageOf {
                agent: agent::show(&target.cell, &target.id)?,
                health: or_warn(context, recorded(&target.cell))
                    .note(target.cell.id().as_str(), target.id.as_str()),
                life: run::seen(&target.cell, &target.id)?,
                tasks: agent::open_tasks(&target.cell, &target.id)?,
                cell_id: target.cell.id().to_string(),
                now,
            })
        })
    }
}

/// What the daemon of a cell's root wrote down.
fn recorded(cell: &OpenCell) -> Result<Recorded> {
    Recorded::of(&Root::open(cell.path().parent().unwrap_or(cell.path()))?)
}

/// How an agent was, since when, why, and how old that is.
fn in_words(note: &Note, now: Time) -> String {
    let past = |time: Time| duration::age(u64::try_from(now.since(time)).unwrap_or(0));
    let since = note
        .since
        .map_or_else(String::new, |since| format!(" since {}", since.local(now)));
    format!(
        "{}{since}: {} (seen {})",
        note.status.word(),
        shown(&note.reason),
        past(note.recorded_at)
    )
}

struct PageOf {
    cell_id: String,
    agent: Agent,
    tasks: Vec<String>,
    health: Option<Note>,
    life: Option<LifeSeen>,
    now: Time,
}

impl Serialize for PageOf {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        in_cell_with(
            &self.cell_id,
            &self.agent,
            self.health.as_ref(),
            self.life.as_ref(),
            out,
        )
    }
}

impl Report for PageOf {
    fn words(&self, page: &mut Page) {
        let agent = &self.agent;
        let title = page.tone(
            Tone::Strong,
            format_args!("{} {}", agent.agent_id, shown(&agent.name)),
        );
        page.line(title);
        page.field("cell", &self.cell_id);
        page.field("role", agent.role.word());
        page.field("status", self.status());
        if let Some(health) = &self.health {
            page.field("health", in_words(health, self.now));
        }
        if let Some(life) = &self.life {
            page.field("process", life.words());
        }
        let tasks = if self.tasks.is_empty() {
            String::from("none")
        } else {
            self.tasks.join(", ")
        };
        page.field("open tasks", tasks);
        if !agent.capabilities.is_empty() {
            page.field("capabilities", shown(&agent.capabilities.join(", ")));
        }
        if let Some(gateway) = &agent.gateway {
            page.field("gateway", shown(gateway));
        }
        if let Some(saved) = agent
            .checkpoint
            .as_ref()
            .and_then(|note| note.last_checkpoint)
        {
            page.field("checkpoint", saved.local(self.now));
        }
        match &agent.run {
            None => page.field("started by", "someone else: no command is given"),
            Some(run) => {
                page.field("started by", shown(&run.command.join(" ")));
                if let Some(cwd) = &run.cwd {
                    page.field("in", shown(cwd));
                }
                if !run.env.is_empty() {
                    // Values may be secrets.
                    let names: Vec<&str> =
                        run.env.0.iter().map(|(name, _)| name.as_str()).collect();
                    page.field("with", shown(&names.join(", ")));
                }
            }
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.agent.agent_id.clone())
    }
}

impl PageOf {
    fn status(&self) -> String {
        let agent = &self.agent;
        let mut status = agent.status.word().to_owned();
        if let Some(until) = agent.paused_until {
            let left = u64::try_from(until.since(self.now)).unwrap_or(0);
            status = format!(
                "{status} until {}, in {}",
                until.local(self.now),
                duration::in_words(left)
            );
        }
        match &agent.current_task {
            Some(task) => format!("{status}, on {task}"),
            None => status,
        }
    }
}
