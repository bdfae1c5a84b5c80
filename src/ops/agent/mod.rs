//! What one can do with the agents of a cell.

mod moves;
mod remove;

pub use moves::{Changed, PROTECTED, edit, pause, resume, set};
pub use remove::{RemovedAgent, remove};

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::base::text::nearest;
use crate::mission::agent::{Agent, Role, Run};
use crate::mission::cell::Cell;
use crate::mission::task::TaskStatus;
use crate::ops::find::{Scope, known_cells};
use crate::ops::run::{self, LifeSeen};
use crate::ops::session::Session;
use crate::ops::template;
use crate::store::cell::OpenCell;
use crate::store::fence;
use crate::store::layout;
use serde_json::Value;
use std::path::PathBuf;

/// What a new agent shall be. What is none comes from the template.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// Its id; the next free one if not said.
    pub id: Option<AgentId>,
    /// What it is there for.
    pub role: Role,
    /// What people call it; made of its role if not said.
    pub name: Option<String>,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Its gateway.
    pub gateway: Option<String>,
    /// How it is started.
    pub run: Option<Run>,
    /// A template, or a folder of them.
    pub template: Option<PathBuf>,
}

/// Adds an agent and gives it as it is on disk.
pub fn add(session: &Session, cell: &OpenCell, new: &NewAgent) -> Result<Agent> {
    session.require_operator("add an agent")?;
    let template = template::find(session, "agent", new.template.as_deref())?;
    let mut writing = session.write(cell, "add-agent")?;
    let mission: Cell = writing.read(layout::CELL)?.ok_or_else(|| cell.no_cell())?;
    let ids = cell.agent_ids()?;
    if ids.len() as u64 >= mission.max_agents() {
        return Err(Error::refused(format!(
            "the cell has {} agents, and may have {}",
            ids.len(),
            mission.max_agents()
        ))
        .hint(format!(
            "`mcell cell set max_agents={}` lets one more in",
            mission.max_agents() + 1
        )));
    }
    let id = match &new.id {
        Some(id) => id.clone(),
        None => {
            let given = fence::read(&writing)?.agent;
            AgentId::new(fence::next(
                fence::AGENT_PREFIX,
                given,
                ids.iter().map(AgentId::as_str),
            ))?
        }
    };
    let file = layout::agent(&id);
    if cell.folder().stat(&file)?.is_some() {
        return Err(
            Error::refused(format!("there is an agent {id} in this cell already")).hint(format!(
                "`mcell agent show {id}` shows it; leave the id out for the next free one"
            )),
        );
    }
    let mut members: Vec<(&str, Value)> = vec![
        ("agent_id", id.as_str().into()),
        (
            "name",
            new.name.clone().unwrap_or_else(|| name_of(new.role)).into(),
        ),
        ("role", new.role.word().into()),
    ];
    if !new.capabilities.is_empty() {
        members.push(("capabilities", new.capabilities.clone().into()));
    }
    if let Some(gateway) = &new.gateway {
        members.push(("gateway", gateway.as_str().into()));
    }
    if let Some(run) = &new.run {
        members.push((
            "run",
            serde_json::to_value(run).map_err(|error| Error::bug(error.to_string()))?,
        ));
    }
    let (agent, text) = template::fill::<Agent>(&template, members)?;
    writing.put_text(&file, text)?;
    writing.commit(&format!("added {id} ({})", agent.role.word()))?;
    Ok(agent)
}

fn name_of(role: Role) -> String {
    String::from(match role {
        Role::Lead => "Lead",
        Role::Write => "Writer",
        Role::Read => "Reader",
        Role::Audit => "Auditor",
    })
}

/// One line of a list of agents.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The agent.
    pub agent: Agent,
    /// Its life that was begun last; none if mcell never started it, or that cannot be read.
    pub life: Option<LifeSeen>,
}

/// The agents of a scope, cell by cell, and the files that cannot be read. Of a whole root only the cells whose mission is
/// not over, unless asked for.
pub fn list(scope: &Scope, with_over: bool) -> Result<(Vec<Listed>, Vec<PathBuf>)> {
    let (mut agents, mut unreadable) = (Vec::new(), Vec::new());
    match scope {
        Scope::Cell(cell) => list_cell(cell, &mut agents, &mut unreadable)?,
        Scope::Root(root) => {
            for known in known_cells(root)? {
                if known.is_over() && !with_over {
                    continue;
                }
                let path = root.path().join(known.id.as_str());
                match OpenCell::open(&path) {
                    Ok(cell) => list_cell(&cell, &mut agents, &mut unreadable)?,
                    // One that went meanwhile has no agents.
                    Err(error) if error.kind() == Kind::NotFound => {}
                    Err(_) => unreadable.push(path),
                }
            }
        }
    }
    Ok((agents, unreadable))
}

fn list_cell(
    cell: &OpenCell,
    agents: &mut Vec<Listed>,
    unreadable: &mut Vec<PathBuf>,
) -> Result<()> {
    for id in cell.agent_ids()? {
        match cell.agent(&id) {
            Ok(Some(agent)) => agents.push(Listed {
                cell_id: cell.id().to_string(),
                life: agent
                    .run
                    .as_ref()
                    .and_then(|_| run::seen(cell, &id).ok().flatten()),
                agent,
            }),
            // Removed between the listing and the reading.
            Ok(None) => {}
            Err(_) => unreadable.push(cell.folder().path_of(&layout::agent(&id))),
        }
    }
    Ok(())
}

/// The ids of the open tasks that are assigned to an agent. A task that cannot be read says nothing here.
pub fn open_tasks(cell: &OpenCell, id: &AgentId) -> Result<Vec<String>> {
    let mut open = Vec::new();
    for task_id in cell.task_ids()? {
        if let Ok(Some(task)) = cell.task(&task_id)
            && task.assigned_to.as_deref() == Some(id.as_str())
            && matches!(task.status, TaskStatus::Pending | TaskStatus::InProgress)
        {
            open.push(task_id.to_string());
        }
    }
    Ok(open)
}

/// One agent (exit 3 if it is not in the cell).
pub fn show(cell: &OpenCell, id: &AgentId) -> Result<Agent> {
    cell.agent(id)?.ok_or_else(|| not_here(cell, id))
}

/// Says that an agent is not in a cell, and which one may be meant.
pub fn not_here(cell: &OpenCell, id: &AgentId) -> Error {
    let ids = cell.agent_ids().unwrap_or_default();
    let error = Error::not_found(format!("there is no agent {id} in this cell"));
    match nearest(id.as_str(), ids.iter().map(AgentId::as_str)) {
        Some(meant) => error.hint(format!("is {meant} meant?")),
        None => error.hint("`mcell agent list` shows them"),
    }
}
