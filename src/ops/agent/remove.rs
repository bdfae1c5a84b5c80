//! An agent leaves a cell, with everything that named it, in one commit.

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::Agent;
use crate::mission::permission::{Permission, Permissions};
use crate::mission::policy::Policies;
use crate::mission::task::{Task, TaskStatus};
use crate::ops::agent::not_here;
use crate::ops::session::Session;
use crate::ops::trash::{self, Removed};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::{fence, layout, run};
use schemars::JsonSchema;
use serde::Serialize;

/// What went with a removed agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RemovedAgent {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The agent.
    pub agent_id: String,
    /// Where its file lies now, and how to put it back.
    pub removed: Removed,
    /// Tasks that were its own, and are nobody's now.
    pub unassigned: Vec<String>,
    /// Whether config/permissions.json named it.
    pub permissions: bool,
    /// Whether config/policies.json named it as a substitute.
    pub substitute: bool,
}

/// Removes an agent: its file goes to the trash, its open tasks become nobody's, and no permission or policy names it any
/// more. Refused while it works on a task. Completed tasks keep saying who did them.
pub fn remove(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<RemovedAgent> {
    session.require_operator("remove an agent")?;
    let mut writing = session.write(cell, "agent remove")?;
    let file = layout::agent(id);
    if cell.folder().stat(&file)?.is_none() {
        return Err(not_here(cell, id));
    }
    // Its runner would go on, and nothing would name it any more.
    if run::lives(cell.folder(), id)? {
        return Err(Error::refused(format!("{id} runs"))
            .hint(format!("stop it first: `mcell agent stop {id}`")));
    }
    let unassigned = free_tasks(&mut writing, id)?;
    let permissions = forget_permissions(&mut writing, id)?;
    let substitute = forget_substitute(&mut writing, id)?;
    // Before the file goes: "next free" must never give its id to another.
    fence::retire(&mut writing, &file)?;
    let place = trash::place_for(cell, &file, writing.now())?;
    let root = cell.root_folder()?;
    writing.remove(&file, &place)?;
    // After this nothing may fail: it is done.
    writing.commit(&format!("removed {id}"))?;
    Ok(RemovedAgent {
        cell_id: cell.id().to_string(),
        agent_id: id.to_string(),
        removed: Removed::new(
            id.as_str(),
            root.path(),
            &place,
            &cell.folder().path_of(&file),
        ),
        unassigned,
        permissions,
        substitute,
    })
}

fn free_tasks(writing: &mut Writing<'_>, id: &AgentId) -> Result<Vec<String>> {
    let cell = writing.cell();
    // An agent whose file is not sound can be removed; its tasks tell what it works on.
    let agent: Option<Agent> = match writing.read(&layout::agent(id)) {
        Err(error) if error.kind() == Kind::Malformed => None,
        read => read?,
    };
    let current = agent.and_then(|agent| agent.current_task);
    let mut unassigned = Vec::new();
    for task_id in cell.task_ids()? {
        let file = layout::task(&task_id);
        let Some(mut task) = writing.read::<Task>(&file)? else {
            continue;
        };
        let is_current = current.as_deref() == Some(task_id.as_str());
        let is_held = task.holder() == Some(id.as_str());
        if task.status == TaskStatus::InProgress && (is_held || is_current) {
            return Err(works_on(id, &task_id));
        }
        let is_over = task.status == TaskStatus::Completed;
        if task.assigned_to.as_deref() == Some(id.as_str()) && !is_over {
            task.assigned_to = None;
            writing.put(&file, &task)?;
            unassigned.push(task_id.to_string());
        }
    }
    Ok(unassigned)
}

fn works_on(id: &AgentId, task: &TaskId) -> Error {
    Error::refused(format!("{id} works on {task}"))
        .hint(format!(
            "let the task go first: `mcell task release {task}`, or `mcell handoff {task} AGENT`"
        ))
        .hint(format!(
            "`mcell agent pause {id}` takes it out of work, and its task stays its own"
        ))
}

fn forget_permissions(writing: &mut Writing<'_>, id: &AgentId) -> Result<bool> {
    let Some(mut all) = writing.read::<Permissions>(layout::PERMISSIONS)? else {
        return Ok(false);
    };
    all.0.retain(|(agent, _)| agent != id.as_str());
    for (_, entry) in &mut all.0 {
        let Permission {
            handoff_to,
            handoff_from,
            ..
        } = entry;
        for list in [handoff_to, handoff_from].into_iter().flatten() {
            // A list that ends up empty stays: it limits to nobody, and without it everybody would be allowed.
            list.retain(|agent| agent != id.as_str());
        }
    }
    writing.put(layout::PERMISSIONS, &all)
}

fn forget_substitute(writing: &mut Writing<'_>, id: &AgentId) -> Result<bool> {
    let Some(mut policies) = writing.read::<Policies>(layout::POLICIES)? else {
        return Ok(false);
    };
    if let Some(list) = &mut policies.substitute_agents {
        list.retain(|agent| agent != id.as_str());
    }
    writing.put(layout::POLICIES, &policies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::world::World;

    #[test]
    fn everything_that_named_it_goes_in_one_commit_and_its_id_is_not_given_again() {
        let world = World::new();
        let (gone, other) = (world.add_agent(), world.add_agent());
        world.add_task(Some(&other));
        let task = world.add_task(Some(&other));
        world.write(
            "config/permissions.json",
            r#"{"agent_002": {"read": ["*"]}, "agent_001": {"handoff_to": ["agent_002"]}}"#,
        );
        world.write(
            "config/policies.json",
            r#"{"substitute_agents": ["agent_001", "agent_002"]}"#,
        );
        let lines = world.journal().len();
        let removed = remove(&world.session, &world.cell, &other).unwrap();
        assert_eq!(world.journal().len(), lines + 1);
        assert_eq!(removed.unassigned, ["task_001", "task_002"]);
        assert!(removed.permissions && removed.substitute);
        assert_eq!(
            world.text("config/permissions.json"),
            r#"{"agent_001": {"handoff_to": []}}"#
        );
        assert_eq!(
            world.text("config/policies.json"),
            r#"{"substitute_agents": ["agent_001"]}"#
        );
        assert_eq!(world.cell.task(&task).unwrap().unwrap().assigned_to, None);
        assert!(std::path::Path::new(&removed.removed.trash).is_file());
        assert_eq!(world.cell.agent_ids().unwrap(), [gone]);
        assert_eq!(world.add_agent().as_str(), "agent_003");
    }

    #[test]
    fn an_agent_at_work_stays() {
        let world = World::new();
        let id = world.add_agent();
        let task = world.add_task(Some(&id));
        let text = world.text(&layout::task(&task));
        world.write(
            &layout::task(&task),
            &text.replace("pending", "in_progress"),
        );
        let error = remove(&world.session, &world.cell, &id).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (Kind::Refused, "agent_001 works on task_001")
        );
        assert!(world.cell.agent(&id).unwrap().is_some());
    }

    #[test]
    fn an_agent_that_cannot_be_read_can_be_removed() {
        let world = World::new();
        let id = world.add_agent();
        world.write("agents/agent_001.json", "not JSON");
        assert!(remove(&world.session, &world.cell, &id).is_ok());
    }
}
