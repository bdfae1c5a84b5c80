//! `mcell handoff`: give tasks to other agents.

mod accept;
mod approve;
mod decline;
mod give;
pub(super) mod list;

use crate::base::error::Result;
use crate::base::text::shown;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::cli::several::Several;
use crate::mission::handoff::HandoffState;
use crate::ops::handoff::Told;
use crate::store::cell::OpenCell;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::{Args, Subcommand};
use serde::{Serialize, Serializer};

/// Give a task to another agent, with what belongs to it
///
/// By an operator it happens at once: whoever held the task is fenced, and it is pending and assigned to the other. With
/// `--offer`, or from one agent to another, it is an offer: the giver keeps the task until the other accepts. If nobody does
/// in time, nothing has changed. With the task go its state, the giver's newest checkpoint, the names of its artifacts, and
/// the reason.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  mcell handoff task_001 agent_002 --reason \"the tests are its trade\"
  mcell handoff task_001 agent_002 --as agent_001             an offer, for 15 minutes
  mcell handoff task_001 agent_002 --offer --deadline 2h      an operator's offer
  mcell handoff list
  mcell handoff accept task_001 --as agent_002
  mcell handoff decline task_001 --as agent_002 --reason \"no time\"

Exit codes: 5 if policy, role, permissions or capabilities forbid it."
)]
pub struct HandoffCommand {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    give: give::Give,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Accept(accept::Accept),
    #[command(alias = "withdraw")]
    Decline(decline::Decline),
    Approve(approve::Approve),
    #[command(alias = "ls")]
    List(list::List),
}

impl HandoffCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            None => self.give.run(context),
            Some(Verb::Accept(command)) => command.run(context),
            Some(Verb::Decline(command)) => command.run(context),
            Some(Verb::Approve(command)) => command.run(context),
            Some(Verb::List(command)) => command.run(context),
        }
    }
}

/// A handoff after an act.
struct Acted {
    told: Told,
    /// Lines for people.
    words: Vec<String>,
}

impl Serialize for Acted {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        self.told.serialize(out)
    }
}

impl Report for Acted {
    fn words(&self, page: &mut Page) {
        for line in &self.words {
            page.line(line);
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.told.id.clone())
    }
}

/// Does one thing to each handoff that is named, in order, and reports. The first that fails ends it; what was done before
/// is reported all the same.
fn each(
    context: &Context,
    named: &[String],
    act: impl Fn(&OpenCell, &str) -> Result<Told>,
    words: impl Fn(&Told) -> Vec<String>,
) -> Outcome {
    let (mut done, mut failed) = (Vec::new(), None);
    for target in named {
        let acted = context
            .session
            .split(target)
            .and_then(|(cell, id)| act(&cell, id));
        match acted {
            Ok(told) => done.push(Acted {
                words: words(&told),
                told,
            }),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if !done.is_empty() {
        context.printer.show(&Several::new("handoffs", done))?;
    }
    failed.map_or(Ok(crate::base::exit::DONE), Err)
}

/// Who gives what to whom: "task_001 from agent_001 to agent_002".
fn way(told: &Told) -> String {
    let from = told
        .from
        .as_deref()
        .map_or(String::new(), |from| format!(" from {}", shown(from)));
    format!("{}{from} to {}", shown(&told.task_id), shown(&told.to))
}

/// What an offer has become, in words.
fn became(told: &Told) -> String {
    match told.state {
        HandoffState::Declined => format!("{} declined", shown(&told.to)),
        state => {
            let mut word = state.word().to_owned();
            if let Some(first) = word.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            word
        }
    }
}
