//! `mcell` and `mcell status`: at most fifteen lines on what is wrong, what waits, and the next command for each.

use crate::base::clock::Time;
use crate::base::duration::age;
use crate::base::error::{Kind, Result};
use crate::base::exit;
use crate::base::text::count;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::health::roster::Counts;
use crate::health::state::State;
use crate::mission::handoff::Approval;
use crate::ops::find::Scope;
use crate::ops::handoff;
use crate::ops::revival::{self, Told};
use crate::ops::scan::{self, CellLine, DaemonSeen, Problem, Scan};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// What is wrong, what waits, and the next command for each
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  mcell
  mcell status --json | jq .ready
  mcell -A")]
pub struct Status {}

/// What an operator should know first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Overview {
    /// The root.
    pub root: String,
    /// Cells, also those whose mission is over.
    pub cells: usize,
    /// Cells that are active.
    pub active_cells: usize,
    /// Agents of cells that are not over.
    pub agents: u32,
    /// Tasks of cells that are not over.
    pub tasks: u32,
    /// Of these, how many can be taken now.
    pub ready: u32,
    /// Of these, how many are in progress.
    pub in_progress: u32,
    /// The daemon of the root; null if it cannot be told.
    pub daemon: Option<DaemonSeen>,
    /// How the agents of cells are that are not over, as far as it is known.
    pub health: Counts,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What waits, with the command to type.
    pub waiting: Vec<Problem>,
    #[serde(skip)]
    now: Option<Time>,
}

/// How many problems are shown, and how many things that wait; with the rest the page has at most fifteen lines.
const MOST_WRONG: usize = 5;
const MOST_WAITING: usize = 4;

impl Overview {
    fn of(scan: &Scan) -> Self {
        let open: Vec<&CellLine> = scan
            .cells
            .iter()
            .filter(|cell| !matches!(cell.status.as_deref(), Some("completed" | "failed")))
            .collect();
        let sum = |of: fn(&CellLine) -> u32| open.iter().map(|cell| of(cell)).sum();
        Overview {
            root: scan.root.clone(),
            cells: scan.cells.len(),
            active_cells: open
                .iter()
                .filter(|cell| cell.status.as_deref() == Some("active"))
                .count(),
            agents: sum(|cell| cell.agents.total),
            tasks: sum(|cell| cell.tasks.total),
            ready: sum(|cell| cell.tasks.ready),
            in_progress: sum(|cell| cell.tasks.in_progress),
            daemon: scan.daemon.clone(),
            health: open
                .iter()
                .filter_map(|cell| cell.health)
                .fold(Counts::default(), Counts::and),
            problems: scan.all_problems().cloned().collect(),
            waiting: open.iter().filter_map(|cell| waiting(cell)).collect(),
            now: Time::parse(&scan.scanned_at),
        }
    }
}

impl Overview {
    /// The daemon, and how the agents are.
    fn of_daemon(&self) -> Option<String> {
        let daemon = self.daemon.as_ref()?;
        let ago = |time: Time| {
            let past = self.now.map_or(0, |now| now.since(time));
            age(u64::try_from(past).unwrap_or(0))
        };
        let mut line = match (daemon.running, daemon.last_sweep, daemon.stopped) {
            (true, Some(last), _) => format!("The daemon runs (last sweep {})", ago(last)),
            (true, None, _) => String::from("The daemon runs"),
            (false, Some(last), true) => {
                format!("The daemon was stopped (last sweep {})", ago(last))
            }
            (false, Some(last), false) => {
                format!("The daemon does not run (last sweep {})", ago(last))
            }
            (false, None, _) => String::from("No daemon watches this root: `mcell daemon`"),
        };
        let health = self.health;
        if health.unknown < health.all() {
            let words = State::ALL.into_iter().filter_map(|state| {
                let number = health.of(state);
                (number > 0).then(|| format!("{number} {}", state.word()))
            });
            let words: Vec<String> = words.collect();
            line.push_str(&format!("; agents: {}", words.join(", ")));
        }
        Some(line)
    }
}

/// What a cell waits for, if it waits for its operator.
fn waiting(cell: &CellLine) -> Option<Problem> {
    let id = scan::short(&cell.cell_id);
    let name = cell.mission_name.as_deref().unwrap_or(&cell.cell_id);
    let (kind, what, command) = if cell.status.as_deref() == Some("paused") {
        (
            "paused",
            format!("{name} is paused"),
            format!("mcell cell resume {id}"),
        )
    } else if cell.agents.total == 0 {
        (
            "no_agents",
            format!("{name} has no agents"),
            format!("mcell add-agent -c {id} --role write"),
        )
    } else if cell.tasks.total == 0 {
        (
            "no_tasks",
            format!("{name} has no tasks"),
            format!("mcell add-task -c {id} \"What is to be done\""),
        )
    } else if cell.tasks.completed == cell.tasks.total {
        (
            "all_done",
            format!("every task of {name} is completed"),
            format!("mcell cell complete {id}"),
        )
    } else if cell.tasks.ready > 0 {
        let ready = count(cell.tasks.ready as usize, "task");
        (
            "ready",
            format!("{name} has {ready} ready to be taken"),
            format!("mcell task ready -c {id}"),
        )
    } else {
        return None;
    };
    Some(Problem {
        key: format!("{}/{kind}", cell.cell_id),
        what,
        command,
    })
}

/// The revivals and handoffs that an operator must agree to.
fn approvals(context: &Context, scope: &Scope) -> Result<Vec<Problem>> {
    let listed = handoff::list_in(&context.session, scope, false)?;
    let waiting = listed.handoffs.into_iter();
    let waiting = waiting.filter(|one| one.approval == Approval::Waiting);
    let revivals = revival::list(scope, false)?.revivals.into_iter();
    let revivals = revivals
        .filter(Told::waits_for_operator)
        .map(|one| Problem {
            key: format!("{}/revival/{}", one.cell_id, one.id),
            what: format!("{} fell ({}) and waits for you", one.agent_id, one.reason),
            command: format!("mcell approve {}", one.id),
        });
    let handoffs = waiting.map(|one| Problem {
        key: format!("{}/handoff/{}", one.cell_id, one.id),
        what: format!("{} is offered to {}, if you agree", one.task_id, one.to),
        command: format!(
            "mcell handoff approve {}/{}",
            scan::short(&one.cell_id),
            one.id
        ),
    });
    // Who fell comes first: nothing goes on before it is answered.
    Ok(revivals.chain(handoffs).collect())
}

impl Report for Overview {
    fn words(&self, page: &mut Page) {
        if self.cells == 0 {
            page.line(format_args!("No cells in {}. Make one:", self.root));
            page.command("mcell init \"Example Mission\"");
            return;
        }
        page.line(format_args!(
            "{}: {} ({} active), {}, {} ({} in progress, {} ready)",
            self.root,
            count(self.cells, "cell"),
            self.active_cells,
            count(self.agents as usize, "agent"),
            count(self.tasks as usize, "task"),
            self.in_progress,
            self.ready,
        ));
        if let Some(line) = self.of_daemon() {
            page.line(line);
        }
        list(
            page,
            ("Wrong", Tone::Bad),
            &self.problems,
            (MOST_WRONG, "mcell scan --problems"),
        );
        list(
            page,
            ("Waiting", Tone::Strong),
            &self.waiting,
            (MOST_WAITING, "mcell scan"),
        );
        if self.problems.is_empty() {
            let well = page.tone(Tone::Good, "Nothing is wrong.");
            page.line(well);
        }
    }
}

fn list(
    page: &mut Page,
    (head, tone): (&str, Tone),
    things: &[Problem],
    (most, all): (usize, &str),
) {
    if things.is_empty() {
        return;
    }
    let head = page.tone(tone, format_args!("{head}:"));
    page.line(head);
    for thing in things.iter().take(most) {
        let command = page.tone(Tone::Command, &thing.command);
        page.line(format_args!(
            "  {}  # {command}",
            crate::base::text::shown(&thing.what)
        ));
    }
    if things.len() > most {
        page.line(format_args!("  … and {} more: {all}", things.len() - most));
    }
}

impl Status {
    /// Shows it.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let scope = match session.scope(context.all_cells) {
            Err(error)
                if error.kind() == Kind::NotFound
                    && session.cell.is_none()
                    && session.cell_stood_in().is_none() =>
            {
                context.printer.say(&format!("{}.", error.message()));
                context.printer.say("Make the first cell with `mcell init \"Example Mission\"`, or see `mcell demo`.");
                return Ok(exit::NOT_FOUND);
            }
            scope => scope?,
        };
        let mut overview = Overview::of(&scan::scan(session, &scope)?);
        // What only an operator can answer comes first.
        overview.waiting.splice(0..0, approvals(context, &scope)?);
        context.printer.show(&overview)?;
        Ok(if overview.problems.is_empty() {
            exit::DONE
        } else {
            exit::NO
        })
    }
}
