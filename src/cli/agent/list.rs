//! `mcell agent list`: one line an agent.

use super::{in_cell_with, or_warn};
use crate::base::clock::Time;
use crate::base::duration::age;
use crate::base::ids::CellId;
use crate::base::text::cut;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::agent::{self, Listed};
use crate::ops::health::{Note, Recorded, root_of};
use crate::ops::run::LifeSeen;
use crate::ui::Table;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::{Serialize, Serializer};

/// List agents: those of the whole root, unless you stand in a cell or name one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell agent list
  mcell agent list -c \"Example Mission\"
  mcell agent list -A --json | jq -r '.agents[] | select(.status == \"failed\") | .agent_id'")]
pub(super) struct List {
    /// Also agents of cells whose mission is completed or failed
    #[arg(long)]
    all: bool,
}

/// The agents.
#[derive(Debug, Serialize)]
struct Agents {
    agents: Vec<Line>,
    #[serde(skip)]
    several_cells: bool,
    #[serde(skip)]
    now: Time,
}

/// An agent, and how it was when the daemon last wrote that down.
#[derive(Debug)]
struct Line {
    listed: Listed,
    health: Option<Note>,
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Listed {
            cell_id,
            agent,
            life,
        } = &self.listed;
        in_cell_with(cell_id, agent, self.health.as_ref(), life.as_ref(), out)
    }
}

/// How an agent was; its age too, where that is more than a sweep takes.
fn health(note: Option<&Note>, now: Time) -> String {
    const FRESH: i64 = 120;
    let Some(note) = note else {
        return String::from("-");
    };
    let past = now.since(note.recorded_at);
    let word = note.status.word();
    if past <= FRESH {
        return word.to_owned();
    }
    format!("{word} {}", age(u64::try_from(past).unwrap_or(0)))
}

/// Which life of an agent runs, or ran last.
fn life(life: Option<&LifeSeen>) -> String {
    match life {
        None => String::from("-"),
        Some(life) if life.pid.is_some() => life.incarnation.to_string(),
        Some(life) => format!("{}, over", life.incarnation),
    }
}

impl Report for Agents {
    fn words(&self, page: &mut Page) {
        if self.agents.is_empty() {
            return;
        }
        let cells = |line: &Line| {
            let agent = &line.listed.agent;
            let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("-"));
            [
                agent.agent_id.clone(),
                cut(&agent.name, 40).into_owned(),
                agent.role.word().to_owned(),
                agent.status.word().to_owned(),
                health(line.health.as_ref(), self.now),
                life(line.listed.life.as_ref()),
                or_none(&agent.current_task),
                or_none(&agent.gateway),
            ]
        };
        if self.several_cells {
            let mut table = Table::new([
                "CELL", "AGENT", "NAME", "ROLE", "STATUS", "HEALTH", "LIFE", "TASK", "GATEWAY",
            ]);
            for line in &self.agents {
                let [id, name, role, status, health, life, task, gateway] = cells(line);
                let cell = short(&line.listed.cell_id);
                table.row([cell, id, name, role, status, health, life, task, gateway]);
            }
            page.table(table);
        } else {
            let mut table = Table::new([
                "AGENT", "NAME", "ROLE", "STATUS", "HEALTH", "LIFE", "TASK", "GATEWAY",
            ]);
            for line in &self.agents {
                table.row(cells(line));
            }
            page.table(table);
        }
    }

    fn datum(&self) -> Option<String> {
        // Where there are several cells, an id alone would not say which agent is meant.
        let ids: Vec<String> = self
            .agents
            .iter()
            .map(|line| (&line.listed.cell_id, &line.listed.agent.agent_id))
            .map(|(cell, agent)| match self.several_cells {
                true => format!("{cell}/{agent}"),
                false => agent.clone(),
            })
            .collect();
        (!ids.is_empty()).then(|| ids.join("\n"))
    }
}

fn short(id: &str) -> String {
    CellId::new(id).map_or_else(|_| id.to_owned(), |id| id.short().to_owned())
}

/// What is said where a cell has no agents.
pub(in crate::cli) const NONE: &str =
    "There is no agent: add one with `mcell add-agent --role write`";

impl List {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let scope = context.session.scope(context.all_cells)?;
        let (agents, unreadable) = agent::list(&scope, self.all)?;
        let none = agents.is_empty();
        let several_cells = agents
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one.cell_id != other.cell_id));
        let recorded = root_of(&scope).and_then(|root| Recorded::of(&root));
        let recorded = or_warn(context, recorded);
        let lines = agents.into_iter().map(|listed| Line {
            health: recorded.note(&listed.cell_id, &listed.agent.agent_id),
            listed,
        });
        context.printer.show(&Agents {
            agents: lines.collect(),
            several_cells,
            now: context.session.env.clock.now(),
        })?;
        for file in &unreadable {
            context
                .printer
                .warn(&format!("{} cannot be read", file.display()));
        }
        if !unreadable.is_empty() {
            context.printer.say("`mcell validate` says what is wrong");
            return Ok(crate::base::exit::MALFORMED);
        }
        if none {
            context.printer.say(NONE);
        }
        Ok(crate::base::exit::DONE)
    }
}
