//! `mcell scan`: one line a cell.

mod metrics;

use crate::base::duration::in_words;
use crate::base::error::Result;
use crate::base::exit;
use crate::base::text::{count, cut};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::health::roster::Counts;
use crate::ops::changes;
use crate::ops::find::Scope;
use crate::ops::scan::{self, CellLine, Problem, Scan as Scanned};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Look over every cell: agents and how they are, tasks, what is ready, late or wrong
///
/// The cell you stand in, else the whole root; every cell is looked at, those whose mission is over are shown with
/// `--all`. Exits 1 if there is a problem.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell scan
  mcell scan --json | jq '.cells[] | select(.tasks.ready > 0).cell_id'
  mcell scan --problems

In a crontab, a mail when something comes or goes, and silence between:
  */5 * * * * mcell scan -A --changes --metrics /var/lib/node_exporter/mcell.prom")]
pub struct Scan {
    /// Cells to look at
    #[arg(value_name = "CELL", add = crate::cli::complete::cells())]
    cells: Vec<String>,
    /// Only problems, one a line, each with the command to type
    #[arg(long, conflicts_with = "changes")]
    problems: bool,
    /// Only what came and went since the last scan with --changes
    #[arg(long)]
    changes: bool,
    /// Also show cells whose mission is completed or failed
    #[arg(long)]
    all: bool,
    /// Also write Prometheus metrics to this file, replaced whole
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    metrics: Option<PathBuf>,
}

impl Scan {
    /// Scans.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let scans = self.scan(context)?;
        if let Some(file) = &self.metrics {
            metrics::write(&session.env.resolve(file), &scans)?;
        }
        if self.changes {
            return self.show_changes(context, &scans);
        }
        for scanned in &scans {
            if self.problems {
                context.printer.show(&OnlyProblems {
                    problems: scanned.all_problems().cloned().collect(),
                })?;
            } else {
                context.printer.show(&Lines {
                    scanned,
                    also_over: self.all,
                })?;
            }
            if scanned.cells.is_empty() && !self.problems {
                let why = session
                    .root_choice()
                    .map(|choice| choice.why)
                    .unwrap_or_default();
                context.printer.say(&format!(
                    "No cells in {} ({why}); `mcell init NAME` makes one",
                    scanned.root
                ));
            }
        }
        let is_well = scans
            .iter()
            .all(|scanned| scanned.all_problems().next().is_none());
        Ok(if is_well { exit::DONE } else { exit::NO })
    }

    /// One scan of the root or the cell that is meant, or of the cells named as if they were a root.
    fn scan(&self, context: &Context) -> Result<Vec<Scanned>> {
        let session = &context.session;
        let Some((first, rest)) = self.cells.split_first() else {
            return Ok(vec![scan::scan(
                session,
                &session.scope(context.all_cells)?,
            )?]);
        };
        let mut scanned = scan::scan(session, &Scope::Cell(session.open_named(first)?))?;
        for cell in rest {
            scanned
                .cells
                .append(&mut scan::scan(session, &Scope::Cell(session.open_named(cell)?))?.cells);
        }
        Ok(vec![scanned])
    }

    fn show_changes(&self, context: &Context, scans: &[Scanned]) -> Outcome {
        let mut came_any = false;
        for scanned in scans {
            let changes = changes::since_last(&context.session, scanned)?;
            came_any |= !changes.came.is_empty();
            if !changes.is_empty() || context.printer.form() == crate::ui::printer::Form::Json {
                context.printer.show(&Changes { changes })?;
            }
        }
        Ok(if came_any { exit::NO } else { exit::DONE })
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Lines<'s> {
    scanned: &'s Scanned,
    #[serde(skip)]
    also_over: bool,
}

impl Report for Lines<'_> {
    fn words(&self, page: &mut Page) {
        let mut table = Table::new([
            "CELL", "MISSION", "STATUS", "AGENTS", "HEALTH", "TASKS", "READY", "LATE", "PROBLEMS",
        ]);
        let mut hidden = 0;
        for cell in &self.scanned.cells {
            let is_over = matches!(cell.status.as_deref(), Some("completed" | "failed"));
            if is_over && !self.also_over && cell.problems.is_empty() {
                hidden += 1;
                continue;
            }
            table.row(row(cell));
        }
        if !table.is_empty() {
            page.table(table);
        }
        if hidden > 0 {
            page.line(format_args!(
                "({} over; `--all` shows them)",
                count(hidden, "mission")
            ));
        }
        let problems: Vec<&Problem> = self.scanned.all_problems().collect();
        if !problems.is_empty() {
            page.gap();
            problems
                .iter()
                .take(MOST)
                .for_each(|problem| page.line(problem_line(problem)));
            if problems.len() > MOST {
                page.line(format_args!(
                    "… and {} more: `mcell scan --problems`",
                    problems.len() - MOST
                ));
            }
        }
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<&str> = self
            .scanned
            .cells
            .iter()
            .map(|cell| cell.cell_id.as_str())
            .collect();
        (!ids.is_empty()).then(|| ids.join("\n"))
    }
}

/// How many problems are shown beneath the table.
const MOST: usize = 20;

fn row(cell: &CellLine) -> [String; 9] {
    let (agents, tasks) = (cell.agents, cell.tasks);
    let mut busy = Vec::new();
    for (number, word) in [
        (agents.active, "active"),
        (agents.paused, "paused"),
        (agents.failed, "failed"),
    ] {
        if number > 0 {
            busy.push(format!("{number} {word}"));
        }
    }
    let busy = if busy.is_empty() {
        String::new()
    } else {
        format!(" ({})", busy.join(", "))
    };
    let late = match (cell.overdue, tasks.overdue) {
        (Some(by), _) => in_words(by),
        (None, 0) => String::from("-"),
        (None, late) => count(late as usize, "task"),
    };
    [
        cell.cell_id.get(..8).unwrap_or(&cell.cell_id).to_owned(),
        cell.mission_name
            .as_deref()
            .map_or_else(|| String::from("?"), |name| cut(name, 40).into_owned()),
        cell.status
            .clone()
            .unwrap_or_else(|| String::from("unreadable")),
        format!("{}{busy}", agents.total),
        health(cell.health),
        format!("{}/{} done", tasks.completed, tasks.total),
        tasks.ready.to_string(),
        late,
        if cell.problems.is_empty() {
            String::from("none")
        } else {
            cell.problems.len().to_string()
        },
    ]
}

/// How the agents of a cell are: "3 ok, 1 unhealthy"; "-" where nothing is known.
fn health(counts: Option<Counts>) -> String {
    let counts = counts.unwrap_or_default();
    if counts.unknown == counts.all() {
        return String::from("-");
    }
    let mut words = Vec::new();
    for (number, word) in [
        (counts.healthy, "ok"),
        (counts.degraded, "degraded"),
        (counts.unhealthy, "unhealthy"),
        (counts.unknown, "unknown"),
    ] {
        if number > 0 {
            words.push(format!("{number} {word}"));
        }
    }
    words.join(", ")
}

fn problem_line(problem: &Problem) -> String {
    let cell = problem
        .key
        .split('/')
        .next()
        .filter(|cell| problem.key.len() > cell.len());
    let cell = cell
        .map(|cell| format!("{}: ", cell.get(..8).unwrap_or(cell)))
        .unwrap_or_default();
    format!(
        "{cell}{}  # {}",
        crate::base::text::shown(&problem.what),
        problem.command
    )
}

/// Only what is wrong.
#[derive(Serialize, schemars::JsonSchema)]
pub struct OnlyProblems {
    /// Those of the root first.
    problems: Vec<Problem>,
}

impl Report for OnlyProblems {
    fn words(&self, page: &mut Page) {
        self.problems
            .iter()
            .for_each(|problem| page.line(problem_line(problem)));
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Changes {
    changes: changes::Changes,
}

impl Report for Changes {
    fn words(&self, page: &mut Page) {
        self.changes
            .came
            .iter()
            .for_each(|problem| page.line(format_args!("came: {}", problem_line(problem))));
        self.changes
            .went
            .iter()
            .for_each(|problem| page.line(format_args!("gone: {}", problem_line(problem))));
    }
}
