//! `mcell policy`: what the daemon and the agents of a cell may do.

use crate::base::duration::Seconds;
use crate::base::text::shown;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::policy::{Effective, NAMES};
use crate::ops::policy;
use crate::ops::set::Assignment;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

/// Show and set what the daemon and the agents of a cell may do
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell policy show
  mcell policy set auto_revive=ask max_retries=5")]
pub struct PolicyCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "list", alias = "ls")]
    Show(Show),
    Set(Set),
}

/// Show each policy that counts, and where it is stated
///
/// What config/policies.json states counts, else what cell.json states, else the default.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell policy show
  mcell policy show --json | jq .policies.auto_revive.value")]
struct Show {}

/// Set policies, in every file that states them
///
/// One commit, so that the two files never contradict each other. A value that no file states yet goes to cell.json where
/// that can hold it (auto_revive, handoff_allowed, checkpoint_interval), else to config/policies.json. `NAME=` brings the
/// default back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell policy set auto_revive=ask
  mcell policy set revive_timeout=10m max_retries=5
  mcell policy set substitute_agents=agent_002,agent_003
  mcell policy set max_retries=                     the default again

Policies:
  auto_revive          yes, no or ask: whether a dead agent is brought back
  revive_timeout       how long a revived agent has to prove that it lives
  substitute_agents    agents that take over, in this order
  handoff_allowed      true or false: whether agents may hand tasks on
  handoff_approval     auto or manual: whether an offered handoff needs an operator
  checkpoint_required  true or false: whether an agent without a good checkpoint stays down
  max_retries          revivals that may fail before the agent is quarantined
  checkpoint_interval  time between checkpoints")]
struct Set {
    /// What to set
    #[arg(required = true, value_name = "NAME=VALUE")]
    policies: Vec<Assignment>,
}

/// Every policy with its source.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Policies {
    /// The policies that count.
    policies: Effective,
}

impl Report for Policies {
    fn words(&self, page: &mut Page) {
        page.table(table(&self.policies));
    }

    fn datum(&self) -> Option<String> {
        let lines = rows(&self.policies).into_iter();
        let lines = lines.map(|(name, value, _)| format!("{name}={value}"));
        Some(lines.collect::<Vec<_>>().join("\n"))
    }
}

/// What was set.
struct Changed(policy::Changed);

impl Serialize for Changed {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map([("policies", &self.0.after)])
    }
}

impl Report for Changed {
    fn words(&self, page: &mut Page) {
        let (before, after) = (rows(&self.0.before), rows(&self.0.after));
        for (old, (name, value, source)) in before.into_iter().zip(after) {
            if !self.0.names.contains(&name) {
                continue;
            }
            let source = match source.as_str() {
                "default" => String::from("the default"),
                file => format!("in {file}"),
            };
            if old.1 == value {
                page.line(format_args!(
                    "{name}: {} already, {source}",
                    shown(some(&value))
                ));
            } else {
                page.line(format_args!(
                    "{name}: {} → {}, {source}",
                    shown(some(&old.1)),
                    shown(some(&value))
                ));
            }
        }
    }
}

/// Each policy with its value and its source.
pub(super) fn table(policies: &Effective) -> Table {
    let mut table = Table::new(["POLICY", "VALUE", "FROM"]);
    for (name, value, source) in rows(policies) {
        table.row([name.to_owned(), some(&value).to_owned(), source]);
    }
    table
}

/// An empty list, in words.
fn some(value: &str) -> &str {
    if value.is_empty() { "(none)" } else { value }
}

/// Name, value and source of each policy. Durations are shown so that they can be typed again.
fn rows(effective: &Effective) -> Vec<(&'static str, String, String)> {
    let all = serde_json::to_value(effective).unwrap_or_default();
    NAMES
        .into_iter()
        .map(|name| {
            let one = all.get(name);
            let part = |part: &str| one.and_then(|one| one.get(part)).cloned();
            let value = match part("value") {
                Some(Value::Number(number)) if name != "max_retries" => {
                    number.as_u64().map_or_else(
                        || number.to_string(),
                        |seconds| Seconds(seconds).to_string(),
                    )
                }
                Some(Value::Array(items)) => {
                    let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                    items.join(",")
                }
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
                None => String::new(),
            };
            let source = part("source");
            let source = source.as_ref().and_then(Value::as_str).unwrap_or_default();
            (name, value, source.to_owned())
        })
        .collect()
}

impl PolicyCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        match self.verb {
            Verb::Show(Show {}) => {
                let shown = policy::show(&cell)?;
                for (name, said, counts) in &shown.contradictions {
                    context.printer.warn(&format!(
                        "{name} is stated twice: cell.json says {said}, config/policies.json says {counts}, which counts; \
                         `mcell policy set {name}={counts}` makes them agree"
                    ));
                }
                context.printer.show(&Policies {
                    policies: shown.effective,
                })?;
            }
            Verb::Set(Set { policies }) => {
                let changed = policy::set(&context.session, &cell, &policies)?;
                context.printer.show(&Changed(changed))?;
            }
        }
        Ok(0)
    }
}
