//! Looks over every cell of a root: what is there, what is ready, what is late, what is wrong.

use crate::base::clock::Time;
use crate::base::duration::{age, in_words};
use crate::base::error::{Error, Result};
use crate::base::text::{Text, count};
use crate::health::roster::Counts;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::rules;
use crate::mission::survey::Survey;
use crate::mission::task::{Task, TaskStatus};
use crate::ops::find::Scope;
use crate::ops::health::{Beside, CellHealth, root_of};
use crate::ops::presence::{self, Presence};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::fs2::{self, Space};
use crate::store::root::Root;
use crate::store::survey::Depth;
use crate::store::walk::{self, Walk};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

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

/// What a scan sees of the root's daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DaemonSeen {
    /// Whether it runs.
    pub running: bool,
    /// Whether it was stopped in order.
    pub stopped: bool,
    /// Its process, if it runs.
    pub pid: Option<u32>,
    /// When its last sweep ended; null if none ever ran.
    pub last_sweep: Option<Time>,
}

impl DaemonSeen {
    fn of(presence: &Presence) -> Self {
        let about = match presence {
            Presence::Runs(about) | Presence::Stopped(about) | Presence::Fell(about) => Some(about),
            Presence::Never => None,
        };
        DaemonSeen {
            running: presence.running().is_some(),
            stopped: matches!(presence, Presence::Stopped(_)),
            pid: presence.running().map(|about| about.pid),
            last_sweep: about.and_then(|about| about.last_sweep),
        }
    }

    /// Whether one ran, and ended without having been told to.
    pub fn fell(&self) -> bool {
        !self.running && !self.stopped && self.last_sweep.is_some()
    }

    /// That it does not run, in a sentence.
    pub fn down(&self, now: Time) -> String {
        let sweep = self.last_sweep.map_or_else(String::new, |last| {
            let past = u64::try_from(now.since(last)).unwrap_or(0);
            format!(" (last sweep {})", age(past))
        });
        format!("the daemon of this root does not run{sweep}")
    }
}

impl Scan {
    /// Every problem, those of the root first.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems
            .iter()
            .chain(self.cells.iter().flat_map(|cell| &cell.problems))
    }
}

/// How full the disk may be, in per cent.
const FULL: u64 = 90;
/// The most problems of one sort named one by one in a cell.
const MOST: usize = 5;

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

fn find_problems(
    line: &mut CellLine,
    survey: &Survey<'_>,
    graph: &crate::mission::graph::TaskGraph,
    health: &CellHealth,
    now: Time,
) {
    let is_active = line.status.as_deref() == Some(CellStatus::Active.word());
    let cell = crate::base::text::shown(survey.folder).into_owned();
    // What people type: the beginning of a UUID names its cell.
    let short = short(&cell);
    let mut problems = Problems {
        cell: &cell,
        found: Vec::new(),
    };
    let errors = rules::check_with(survey, graph, now, false).errors;
    if errors > 0 {
        problems.add(
            "invalid",
            "",
            format!("{} in its files", count(errors, "error")),
            format!("mcell validate {short}"),
        );
    }
    let late = line
        .overdue
        .map(|late| format!("the mission is overdue by {}", in_words(late)));
    if let Some(what) = late {
        problems.add("cell_overdue", "", what, format!("mcell cell show {short}"));
    }
    if let Some(why) = &health.untold {
        problems.add(
            "health_untold",
            "",
            format!("how its agents are cannot be told: {why}"),
            format!("mcell health -c {short}"),
        );
    }
    if is_active {
        let ill = &health.ill;
        problems.some(
            "agent_unhealthy",
            ill.iter().map(|(id, _)| id.as_str()),
            |id| {
                let why = ill.iter().find(|(other, _)| other == id);
                let why = why.map_or("", |(_, why)| why);
                (
                    format!("agent {id} is unhealthy: {why}"),
                    format!("mcell why {short}/{id}"),
                )
            },
        );
    }
    let failed_agents = survey.agents.iter().filter(|sheet| {
        sheet
            .value
            .as_ref()
            .is_some_and(|agent| agent.status == AgentStatus::Failed)
    });
    problems.some(
        "agent_failed",
        failed_agents.map(|sheet| sheet.stem()),
        |id| {
            (
                format!("agent {id} has failed"),
                format!("mcell agent show {short}/{id}"),
            )
        },
    );
    let failed_tasks = survey.tasks.iter().filter(|sheet| {
        sheet
            .value
            .as_ref()
            .is_some_and(|task| task.status == TaskStatus::Failed)
    });
    problems.some(
        "task_failed",
        failed_tasks.map(|sheet| sheet.stem()),
        |id| {
            (
                format!("task {id} has failed"),
                format!("mcell task retry {short}/{id}"),
            )
        },
    );
    if is_active {
        let late = survey
            .tasks
            .iter()
            .filter_map(|sheet| Some((sheet.stem(), overdue(survey, sheet.value.as_ref()?, now)?)));
        let late: Vec<(&str, u64)> = late.collect();
        problems.some("task_overdue", late.iter().map(|(id, _)| *id), |id| {
            let by = late
                .iter()
                .find(|(other, _)| *other == id)
                .map_or(0, |(_, by)| *by);
            (
                format!("task {id} is overdue by {}", in_words(by)),
                format!("mcell task show {short}/{id}"),
            )
        });
    }
    line.problems = problems.found;
}

struct Problems<'c> {
    cell: &'c str,
    found: Vec<Problem>,
}

impl Problems<'_> {
    fn add(&mut self, kind: &str, thing: &str, what: String, command: String) {
        let key = format!("{}/{kind}/{thing}", self.cell)
            .trim_end_matches('/')
            .to_owned();
        self.found.push(Problem { key, what, command });
    }

    /// The first few one by one, the rest as a number.
    fn some<'t>(
        &mut self,
        kind: &str,
        things: impl Iterator<Item = &'t str>,
        words: impl Fn(&str) -> (String, String),
    ) {
        let mut more = 0;
        for (index, thing) in things.enumerate() {
            if index < MOST {
                let (what, command) = words(thing);
                self.add(kind, thing, what, command);
            } else {
                more += 1;
            }
        }
        if more > 0 {
            let (noun, state) = kind.split_once('_').unwrap_or((kind, ""));
            let command = format!("mcell {noun} list -c {}", short(self.cell));
            self.add(
                kind,
                "more",
                format!("{} more {}", count(more, noun), state),
                command,
            );
        }
    }
}

/// The id as people type it: the first eight characters of a UUID.
pub fn short(id: &str) -> &str {
    let is_long = crate::base::ids::is_uuid(id);
    id.get(..8).filter(|_| is_long).unwrap_or(id)
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// How many of the largest things are named.
const LARGEST: usize = 3;

/// Says that the disk is full, with the largest things beneath the root and how to prune.
fn full_disk(root: &Root, space: Space) -> Problem {
    let largest = largest(root.path());
    let named: Vec<String> = largest
        .iter()
        .map(|(size, path)| format!("{path} ({})", in_bytes(*size)))
        .collect();
    let named = if named.is_empty() {
        String::new()
    } else {
        format!("; largest: {}", named.join(", "))
    };
    Problem {
        key: String::from("disk_full"),
        what: format!(
            "the disk is {} % full, {} left{named}",
            space.full(),
            in_bytes(space.available)
        ),
        command: String::from("mcell cell prune --older-than 0"),
    }
}

/// The largest folders two deep beneath a root, by the bytes of their files.
fn largest(root: &Path) -> Vec<(u64, String)> {
    let mut sizes: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for entry in walkdir::WalkDir::new(root)
        .follow_links(false)
        .same_file_system(true)
        .into_iter()
        .flatten()
    {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let beneath = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let place: std::path::PathBuf = beneath.components().take(2).collect();
        if about.is_file() {
            *sizes.entry(place.display().to_string()).or_default() += about.len();
        }
    }
    let mut sizes: Vec<(u64, String)> = sizes
        .into_iter()
        .map(|(place, size)| (size, crate::base::text::shown(&place).into_owned()))
        .collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    sizes.truncate(LARGEST);
    sizes
}

/// Bytes for people: "4.2 GB".
pub fn in_bytes(bytes: u64) -> String {
    for (unit, size) in [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
    ] {
        if bytes >= size {
            return format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size);
        }
    }
    format!("{bytes} B")
}
