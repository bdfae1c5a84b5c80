//! Looks at cells: what lists and pages show. What cannot be read is shown as such and stops nothing.

use crate::base::clock::Time;
use crate::base::error::{Kind, Result};
use crate::mission::agent::AgentStatus;
use crate::mission::cell::Cell;
use crate::mission::policy::Effective;
use crate::mission::shape::schema;
use crate::mission::survey::{OddityKind, Survey};
use crate::mission::task::TaskStatus;
use crate::ops::find::{Known, Scope, known_cells};
use crate::store::cell::OpenCell;
use crate::store::survey::{Depth, Surveyor};
use schemars::JsonSchema;
use serde::Serialize;

/// How many agents a cell has, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Agents {
    /// All files, those that cannot be read included.
    pub total: usize,
    /// Without a task in progress.
    pub idle: usize,
    /// With one.
    pub active: usize,
    /// Held by an operator.
    pub paused: usize,
    /// Given up.
    pub failed: usize,
}

/// How many tasks a cell has, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tasks {
    /// All files, those that cannot be read included.
    pub total: usize,
    /// Not begun.
    pub pending: usize,
    /// Worked on.
    pub in_progress: usize,
    /// Done.
    pub completed: usize,
    /// Given up.
    pub failed: usize,
}

/// One line of a list of cells. What `cell.json` says is absent where it cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    /// The folder's name.
    pub cell_id: String,
    /// Where it lies.
    pub path: String,
    /// What people call the mission.
    pub mission_name: Option<String>,
    /// The state of the mission.
    pub status: Option<&'static str>,
    /// How strictly the agents are kept apart.
    pub isolation_level: Option<&'static str>,
    /// When the cell was made.
    pub created_at: Option<Time>,
    /// Its agents.
    pub agents: Agents,
    /// Its tasks.
    pub tasks: Tasks,
    /// How many files or folders of it could not be read, and so are not counted.
    #[serde(skip_serializing_if = "is_none_at_all")]
    pub unread: usize,
}

/// One cell in full.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Shown {
    /// The folder's name.
    pub cell_id: String,
    /// Where it lies.
    pub path: String,
    /// What `cell.json` says.
    #[schemars(schema_with = "schema::cell")]
    pub cell: Cell,
    /// Its agents.
    pub agents: Agents,
    /// Its tasks.
    pub tasks: Tasks,
    /// The policies that count, each with where it is stated.
    pub policies: Effective,
    /// Whether somebody was writing while this was read.
    pub in_change: bool,
    /// How many files or folders of it could not be read, and so are not counted.
    #[serde(skip_serializing_if = "is_none_at_all")]
    pub unread: usize,
}

fn is_none_at_all(number: &usize) -> bool {
    *number == 0
}

fn unread(survey: &Survey<'_>) -> usize {
    let unread = |kind: &OddityKind| matches!(kind, OddityKind::Unreadable(_));
    let odd = survey.oddities.iter();
    odd.filter(|oddity| unread(&oddity.kind)).count()
}

/// The cells of a scope, the newest last, and how many are left out because their mission is over.
pub fn list(scope: &Scope, with_over: bool) -> Result<(Vec<Row>, usize)> {
    let mut surveyor = Surveyor::new(Depth::Quick);
    let root = match scope {
        Scope::Cell(cell) => return Ok((vec![glance(cell)], 0)),
        Scope::Root(root) => root,
    };
    let (mut rows, mut left_out) = (Vec::new(), 0);
    for known in known_cells(root)? {
        if known.is_over() && !with_over {
            left_out += 1;
            continue;
        }
        let path = root.path().join(known.id.as_str());
        match OpenCell::open(&path) {
            Ok(cell) => rows.push(row(&cell, &known, &mut surveyor)),
            // One that went meanwhile is not in the list.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(_) => rows.push(Row {
                cell_id: known.id.to_string(),
                path: path.display().to_string(),
                mission_name: None,
                status: None,
                isolation_level: None,
                created_at: None,
                agents: Agents::default(),
                tasks: Tasks::default(),
                unread: 1,
            }),
        }
    }
    // A terminal shows the end of a long list.
    rows.sort_by_key(|row| row.created_at);
    Ok((rows, left_out))
}

/// One cell in a line, whether it can be read or not.
pub fn glance(cell: &OpenCell) -> Row {
    let known = Known {
        id: cell.id().clone(),
        cell: cell.cell().ok(),
    };
    row(cell, &known, &mut Surveyor::new(Depth::Quick))
}

fn row(open: &OpenCell, known: &Known, surveyor: &mut Surveyor) -> Row {
    let survey = surveyor.look(open.folder().handle(), known.id.as_str());
    let cell = known.cell.as_ref();
    Row {
        cell_id: known.id.to_string(),
        path: open.path().display().to_string(),
        mission_name: cell.map(|cell| cell.mission_name.clone()),
        status: cell.map(|cell| cell.status.word()),
        isolation_level: cell.map(|cell| cell.isolation_level.word()),
        created_at: cell.map(|cell| cell.created_at),
        agents: count_agents(&survey),
        tasks: count_tasks(&survey),
        unread: unread(&survey),
    }
}

/// One cell in full.
pub fn show(open: &OpenCell) -> Result<Shown> {
    let view = open.view()?;
    let cell = open.cell()?;
    let config = open.policies()?;
    let mut surveyor = Surveyor::new(Depth::Quick);
    let survey = surveyor.look(open.folder().handle(), open.id().as_str());
    Ok(Shown {
        cell_id: open.id().to_string(),
        path: open.path().display().to_string(),
        agents: count_agents(&survey),
        tasks: count_tasks(&survey),
        policies: Effective::of(&cell, config.as_ref()),
        cell,
        in_change: view.in_change,
        unread: unread(&survey),
    })
}

fn count_agents(survey: &Survey<'_>) -> Agents {
    let mut agents = Agents {
        total: survey.agents.len(),
        ..Agents::default()
    };
    for agent in survey
        .agents
        .iter()
        .filter_map(|sheet| sheet.value.as_ref())
    {
        *match agent.status {
            AgentStatus::Idle => &mut agents.idle,
            AgentStatus::Active => &mut agents.active,
            AgentStatus::Paused => &mut agents.paused,
            AgentStatus::Failed => &mut agents.failed,
        } += 1;
    }
    agents
}

fn count_tasks(survey: &Survey<'_>) -> Tasks {
    let mut tasks = Tasks {
        total: survey.tasks.len(),
        ..Tasks::default()
    };
    for task in survey.tasks.iter().filter_map(|sheet| sheet.value.as_ref()) {
        *match task.status {
            TaskStatus::Pending => &mut tasks.pending,
            TaskStatus::InProgress => &mut tasks.in_progress,
            TaskStatus::Completed => &mut tasks.completed,
            TaskStatus::Failed => &mut tasks.failed,
        } += 1;
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::world::World;

    #[test]
    fn a_mission_that_is_over_is_listed_only_when_asked_for() {
        let world = World::new();
        let scope = Scope::Root(world.root());
        world.add_agent();
        world.add_task(None);
        let (rows, _) = list(&scope, false).unwrap();
        let row = rows.first().unwrap();
        assert_eq!((row.agents.idle, row.tasks.pending), (1, 1));
        super::super::fail(&world.session, &world.cell, None).unwrap();
        assert_eq!(list(&scope, false).unwrap(), (Vec::new(), 1));
        assert_eq!(list(&scope, true).unwrap().0.len(), 1);
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_listed_all_the_same() {
        let world = World::new();
        world.write("cell.json", "{");
        world.write("tasks/task_001.json", "[]");
        let (rows, _) = list(&Scope::Root(world.root()), false).unwrap();
        let row = rows.first().unwrap();
        assert_eq!((row.status, row.tasks.total), (None, 1));
        assert!(show(&world.cell).is_err());
    }

    #[test]
    fn a_page_says_where_each_policy_is_stated() {
        let world = World::new();
        world.write("config/policies.json", "{\"auto_revive\": \"ask\"}");
        let policies = show(&world.cell).unwrap().policies;
        assert_eq!(policies.auto_revive.source.word(), "config/policies.json");
        assert_eq!(policies.max_retries.source.word(), "default");
    }
}
