//! `mcell permission show`.

use crate::base::ids::AgentId;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::grant::Right;
use crate::ops::agent::not_here;
use crate::ops::permission::{self, Stated};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Show what each agent may do
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell permission show
  mcell permission show agent_001 agent_002
  mcell permission show --json | jq '.permissions.agent_001.write'")]
pub(super) struct Show {
    /// Only these agents
    #[arg(value_name = "AGENT", add = complete::agents())]
    agents: Vec<AgentId>,
}

struct Shown(Vec<Stated>);

impl Serialize for Shown {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut agents = Map::new();
        for stated in &self.0 {
            let mut entry = Map::new();
            entry.insert(
                String::from("role"),
                json!(stated.role.map(|role| role.word())),
            );
            for right in Right::ALL {
                // Null says that no list is there, and the default counts.
                entry.insert(right.word().to_owned(), json!(right.list(&stated.entry)));
            }
            agents.insert(stated.agent.clone(), Value::Object(entry));
        }
        out.collect_map([("permissions", agents)])
    }
}

impl Report for Shown {
    fn words(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let mut table = Table::new([
            "AGENT",
            "READ",
            "WRITE",
            "EXECUTE",
            "HANDOFF TO",
            "HANDOFF FROM",
        ]);
        let mut is_some_default = false;
        for stated in &self.0 {
            let cells = Right::ALL.map(|right| column(stated, right));
            is_some_default |= cells.iter().any(|cell| cell == DEFAULT);
            let name = match stated.role {
                Some(role) => format!("{} ({})", stated.agent, role.word()),
                None => format!("{} (not in this cell)", stated.agent),
            };
            let [read, write, execute, to, from] = cells;
            table.row([name, read, write, execute, to, from]);
        }
        page.table(table);
        if is_some_default {
            page.gap();
            page.line(
                "(default): reads every task; writes and executes its own and those of nobody; hands over as the policies allow",
            );
        }
    }

    fn datum(&self) -> Option<String> {
        let agents: Vec<&str> = self.0.iter().map(|stated| stated.agent.as_str()).collect();
        (!agents.is_empty()).then(|| agents.join("\n"))
    }
}

const DEFAULT: &str = "(default)";

fn column(stated: &Stated, right: Right) -> String {
    let is_never = stated.role.is_some_and(|role| !role.may_work())
        && matches!(right, Right::Write | Right::Execute | Right::HandoffFrom);
    match right.list(&stated.entry) {
        // Whatever a list says, the role forbids it.
        _ if is_never => String::from("(never)"),
        None => DEFAULT.to_owned(),
        Some(list) if list.is_empty() => String::from("(nothing)"),
        Some(list) if list.iter().any(|name| name == "*") => String::from("*"),
        Some(list) => list.join(","),
    }
}

impl Show {
    /// Shows the permissions.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let mut all = permission::show(&cell)?;
        for id in &self.agents {
            if !all.iter().any(|stated| stated.agent == id.as_str()) {
                return Err(not_here(&cell, id));
            }
        }
        if !self.agents.is_empty() {
            all.retain(|stated| self.agents.iter().any(|id| id.as_str() == stated.agent));
        }
        let is_empty = all.is_empty();
        context.printer.show(&Shown(all))?;
        if is_empty {
            context.printer.say(crate::cli::agent::list::NONE);
        }
        Ok(0)
    }
}
