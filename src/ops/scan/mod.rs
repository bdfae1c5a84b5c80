//! Looks over every cell of a root: what is there, what is ready, what is late, what is wrong.

mod daemon;
mod disk;
mod problems;

pub use daemon::DaemonSeen;
pub use disk::in_bytes;

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::text::Text;
use crate::health::roster::Counts;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::rules;
use crate::mission::survey::Survey;
use crate::mission::task::{Task, TaskStatus};
use crate::ops::find::Scope;
use crate::ops::health::{Beside, CellHealth, root_of};
use crate::ops::presence;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::fs2::{self, Space};
use crate::store::survey::Depth;
use crate::store::walk::{self, Walk};
use disk::{FULL, full_disk};
use problems::find_problems;
use schemars::JsonSchema;
use serde::Serialize;

/// Agents of a cell by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentCounts {
    /// All of them.
    pub total: u32,
    /// Without a task.
    pub idle: u32,
    /// At work.
    pub active: u32,
    /// Held by an operator.
    pub paused: u32,
    /// Given up.
    pub failed: u32,
}

/// Tasks of a cell by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskCounts {
    /// All of them.
    pub total: u32,
    /// Waiting.
    pub pending: u32,
    /// At work.
    pub in_progress: u32,
    /// Done.
    pub completed: u32,
    /// Given up.
    pub failed: u32,
    /// Pending, in an active cell, with every dependency completed.
    pub ready: u32,
    /// In progress for longer than they should take.
    pub overdue: u32,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CellLine {
    /// The folder's name.
    pub cell_id: String,
    /// The mission's name; null if cell.json cannot be read.
    pub mission_name: Option<String>,
    /// active, paused, completed, failed; null if cell.json cannot be read.
    pub status: Option<String>,
    /// Its agents.
    pub agents: AgentCounts,
    /// Its tasks.
    pub tasks: TaskCounts,
    /// How its agents are; null where nothing is known of any.
    pub health: Option<Counts>,
    /// Seconds by which the mission is late.
    pub overdue: Option<u64>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Something that an operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// What it is, the same for as long as it lasts: `CELL/task_overdue/task_001`.
    pub key: String,
    /// In a sentence.
    pub what: String,
    /// The command to type.
    pub command: String,
}

/// Everything a scan saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Scan {
    /// The root.
    pub root: String,
    /// When.
    pub scanned_at: String,
    /// Every cell, sorted by id.
    pub cells: Vec<CellLine>,
    /// What is wrong with the root itself.
    pub problems: Vec<Problem>,
    /// The disk that the root lies on; null if it cannot be told.
    pub disk: Option<Space>,
    /// The daemon of the root; null if it cannot be told.
    pub daemon: Option<DaemonSeen>,
    /// Whether the whole root was looked at.
    #[serde(skip)]
    pub is_whole: bool,
}

impl Scan {
    /// Every problem, those of the root first.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems
            .iter()
            .chain(self.cells.iter().flat_map(|cell| &cell.problems))
    }
}

/// Looks over a root or one cell. Takes no lock.
pub fn scan(session: &Session, scope: &Scope) -> Result<Scan> {
    let now = session.env.clock.now();
    let mut troubles = Vec::new();
    let mut or_not = |error: Error| troubles.push(error.to_string());
    let own_root = root_of(scope).map_err(&mut or_not).ok();
    let presence = own_root.as_ref().map(presence::look).transpose();
    let presence = presence.map_err(or_not).ok().flatten();
    let daemon = presence.as_ref().map(DaemonSeen::of);
    let is_watched = daemon.as_ref().is_some_and(|daemon| daemon.running);
    let beside = Beside::of(session, own_root.as_ref(), is_watched, &mut troubles);
    let line = |survey: &Survey<'_>, cell: Option<&OpenCell>| {
        let health = beside.cell(survey, cell);
        line_of(survey, health, now)
    };
    let walk = Walk {
        depth: Depth::Quick,
        locks: false,
        threads: walk::threads(&session.env),
    };
    let (path, walked) = match scope {
        Scope::Root(root) => (
            root.path().to_path_buf(),
            walk::each_open_cell(root, walk, &*session.progress, line)?,
        ),
        Scope::Cell(cell) => {
            let root = cell.path().parent().unwrap_or(cell.path()).to_path_buf();
            (
                root,
                vec![walk::one_cell(cell, walk, |survey| {
                    line(survey, Some(cell))
                })?],
            )
        }
    };
    let disk = fs2::space(&path).ok();
    let mut problems: Vec<Problem> = troubles
        .into_iter()
        .map(|trouble| Problem {
            key: String::from("health_untold"),
            what: format!("how agents are may be told wrong: {trouble}"),
            command: String::from("mcell doctor"),
        })
        .collect();
    if let Scope::Root(root) = scope {
        let fallen = daemon.as_ref().filter(|daemon| daemon.fell());
        problems.extend(fallen.map(|daemon| Problem {
            key: String::from("daemon_down"),
            what: daemon.down(now),
            command: String::from("mcell daemon"),
        }));
        let full = disk.filter(|space| space.full() >= FULL);
        problems.extend(full.map(|space| full_disk(root, space)));
    }
    Ok(Scan {
        root: path.display().to_string(),
        scanned_at: now.to_string(),
        cells: walked.into_iter().map(|walked| walked.made).collect(),
        problems,
        disk,
        daemon,
        is_whole: matches!(scope, Scope::Root(_)),
    })
}

fn line_of(survey: &Survey<'_>, health: Option<CellHealth>, now: Time) -> CellLine {
    let cell = survey.cell.as_ref().and_then(|sheet| sheet.value.as_ref());
    let is_active = cell.is_some_and(|cell| cell.status == CellStatus::Active);
    let mut line = CellLine {
        cell_id: survey.folder.to_owned(),
        mission_name: cell.map(|cell| cell.mission_name.to_string()),
        status: cell.map(|cell| cell.status.word().to_owned()),
        agents: AgentCounts {
            total: number(survey.agents.len()),
            ..AgentCounts::default()
        },
        tasks: TaskCounts {
            total: number(survey.tasks.len()),
            ..TaskCounts::default()
        },
        health: health.as_ref().map(|health| health.counts),
        overdue: cell.and_then(|cell| cell.overdue(now)),
        problems: Vec::new(),
    };
    for agent in survey
        .agents
        .iter()
        .filter_map(|sheet| sheet.value.as_ref())
    {
        *match agent.status {
            AgentStatus::Idle => &mut line.agents.idle,
            AgentStatus::Active => &mut line.agents.active,
            AgentStatus::Paused => &mut line.agents.paused,
            AgentStatus::Failed => &mut line.agents.failed,
        } += 1;
    }
    for task in survey.tasks.iter().filter_map(|sheet| sheet.value.as_ref()) {
        *match task.status {
            TaskStatus::Pending => &mut line.tasks.pending,
            TaskStatus::InProgress => &mut line.tasks.in_progress,
            TaskStatus::Completed => &mut line.tasks.completed,
            TaskStatus::Failed => &mut line.tasks.failed,
        } += 1;
        line.tasks.overdue += u32::from(is_active && overdue(survey, task, now).is_some());
    }
    let graph = rules::graph_of(survey);
    if is_active {
        line.tasks.ready = number(graph.ready(|task| rules::progress(survey, task)).len());
    }
    // What is over needs nobody: it is not held against the rules here, as in validate.
    if !cell.is_some_and(|cell| cell.status.is_over()) {
        find_problems(&mut line, survey, &graph, &health.unwrap_or_default(), now);
    }
    line
}

/// Seconds by which a task is late. While its holder is paused its clock stands still.
fn overdue(survey: &Survey<'_>, task: &Task<Text<'_>>, now: Time) -> Option<u64> {
    let late = task.overdue(now)?;
    let holder = task
        .holder()
        .and_then(|id| survey.agent(id)?.value.as_ref());
    holder
        .is_none_or(|agent| agent.status != AgentStatus::Paused)
        .then_some(late)
}

/// The id as people type it: the first eight characters of a UUID.
pub fn short(id: &str) -> &str {
    let is_long = crate::base::ids::is_uuid(id);
    id.get(..8).filter(|_| is_long).unwrap_or(id)
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
