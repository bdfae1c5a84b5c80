//! `mcell task graph`.

use super::list::NONE;
use super::tell_troubles;
use crate::base::duration::in_words;
use crate::base::error::Error;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::drawing;
use crate::mission::worklist::Worklist;
use crate::ops::task::look;
use crate::ui::page::Page;
use crate::ui::printer::{Form, Report};
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Draw which task waits for which
///
/// As text each task stands below all it waits for, and at the end the chain that decides when the mission can be done at
/// the earliest. Tasks that wait in a circle are named in full.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task graph
  mcell task graph --format mermaid >> README.md
  mcell task graph --format dot | dot -Tsvg > tasks.svg")]
pub(super) struct Graph {
    /// How to draw
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// To read here
    Text,
    /// For pages that draw Mermaid, such as Gitea's
    Mermaid,
    /// For Graphviz
    Dot,
}

/// Which task waits for which.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Drawn<'t> {
    /// The folder's name.
    cell_id: &'t str,
    /// Every task.
    tasks: Vec<Node<'t>>,
    /// Tasks that wait for each other.
    circles: Vec<Vec<&'t str>>,
    /// The chain that decides when the mission can be done at the earliest.
    critical_chain: Vec<&'t str>,
    /// How long that chain takes, by the timeouts of its tasks.
    critical_seconds: u64,
    #[serde(skip)]
    text: String,
}

/// One task of it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Node<'t> {
    /// The task.
    task_id: &'t str,
    /// Its state.
    status: &'static str,
    /// The tasks that must be completed before it.
    waits_for: &'t [String],
}

impl<'t> Drawn<'t> {
    fn of(cell: &'t str, tasks: &'t Worklist) -> Self {
        let (critical_chain, critical_seconds) = tasks.critical_chain();
        let nodes = tasks.all().map(|(task_id, task)| Node {
            task_id,
            status: task.status.word(),
            waits_for: &task.dependencies,
        });
        Drawn {
            cell_id: cell,
            tasks: nodes.collect(),
            circles: tasks.circles(),
            critical_chain,
            critical_seconds,
            text: drawing::text(&tasks.drawn(), tasks.graph()),
        }
    }
}

impl Report for Drawn<'_> {
    fn words(&self, page: &mut Page) {
        if self.tasks.is_empty() {
            return;
        }
        page.raw(&self.text);
        page.gap();
        if !self.circles.is_empty() {
            let all = crate::base::text::count(self.circles.len(), "circle");
            page.line(format_args!(
                "{all}: none of these tasks can ever start. Cut with `mcell task set TASK dependencies=…`"
            ));
        } else if self.critical_chain.is_empty() {
            page.line("All tasks are completed");
        } else {
            page.line(format_args!(
                "Critical chain: {} ({} by their timeouts)",
                self.critical_chain.join(" → "),
                in_words(self.critical_seconds)
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.text.trim_end().to_owned()).filter(|text| !text.is_empty())
    }
}

impl Graph {
    /// Draws the graph.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let seen = look(&context.session, &cell)?;
        if seen.hidden() > 0 {
            return Err(Error::refused(format!(
                "{} may not read every task of this cell, and a graph with holes would mislead",
                context.session.actor()
            ))
            .hint("`mcell task list` shows those it may"));
        }
        let tasks = &seen.tasks;
        match self.format {
            Format::Mermaid if context.printer.form() != Form::Json => context
                .printer
                .text(&drawing::mermaid(&tasks.drawn(), tasks.graph()))?,
            Format::Dot if context.printer.form() != Form::Json => context
                .printer
                .text(&drawing::dot(&tasks.drawn(), tasks.graph()))?,
            _ => context
                .printer
                .show(&Drawn::of(seen.cell.as_str(), tasks))?,
        }
        if seen.troubles.is_empty() && tasks.all().next().is_none() {
            context.printer.say(NONE);
        }
        Ok(tell_troubles(context, &seen.troubles))
    }
}
