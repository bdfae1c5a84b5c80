//! Removes tasks: the files go to the trash, and nothing in the cell names them any more. One commit.

use crate::base::error::{Kind, Result};
use crate::base::ids::TaskId;
use crate::base::text::{cut, shown};
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::permission::{Permissions, Verb};
use crate::mission::task::Task;
use crate::mission::worklist::Worklist;
use crate::ops::session::Session;
use crate::ops::task::not_here;
use crate::ops::trash::{self, Removed};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::fence;
use crate::store::layout;

/// What a removal did.
#[derive(Clone, Debug, Default)]
pub struct Removal {
    /// Each task: where it lies now, and how it comes back.
    pub tasks: Vec<Removed>,
    /// Agents whose permissions named one of them, and do no longer.
    pub forgotten_by: Vec<String>,
    /// Agents that had one of them as their current task, and have none now.
    pub freed: Vec<String>,
}

/// Removes tasks of one cell, all of them or none.
pub fn remove(session: &Session, cell: &OpenCell, ids: &[TaskId]) -> Result<Removal> {
    session.require_operator("remove a task")?;
    let mut writing = session.write(cell, "task remove")?;
    let tasks = all_but_unreadable(&writing, ids)?;
    if let Some(id) = ids.iter().find(|id| !tasks.has(id.as_str())) {
        return Err(not_here(cell, id));
    }
    let names: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    tasks.require_removable(&names)?;
    let mut removal = Removal {
        forgotten_by: forget(&mut writing, &names)?,
        freed: free(&mut writing, &names)?,
        ..Removal::default()
    };
    let mut said = Vec::new();
    let root = trash::root_of(cell)?;
    for id in ids {
        let file = layout::task(id);
        let place = trash::place_for(cell, &file, writing.now())?;
        // "Next free" never gives its id again.
        fence::retire(&mut writing, &file)?;
        writing.remove(&file, &place)?;
        let from = cell.folder().path_of(&file);
        removal
            .tasks
            .push(Removed::new(id.as_str(), root.path(), &place, &from));
        said.push(match tasks.get(id.as_str()) {
            Some(task) => format!("{id}: {}", cut(&shown(&task.title), 80)),
            None => id.to_string(),
        });
    }
    writing.commit(&format!("removed {}", said.join(", ")))?;
    Ok(removal)
}

/// The tasks of the cell. One that is to be removed need not be readable: that may be why it goes.
fn all_but_unreadable(writing: &Writing<'_>, going: &[TaskId]) -> Result<Worklist> {
    let (mut tasks, mut unread) = (Vec::new(), Vec::new());
    for id in writing.cell().task_ids()? {
        match writing.read::<Task>(&layout::task(&id)) {
            Ok(Some(task)) => tasks.push((id.to_string(), task)),
            Ok(None) => {}
            Err(error) if error.kind() == Kind::Malformed && going.contains(&id) => {
                unread.push(id.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Worklist::new(tasks, unread))
}

/// Takes tasks out of every permission list. A list that becomes empty stays: without it the agent would be limited no
/// more.
fn forget(writing: &mut Writing<'_>, going: &[&str]) -> Result<Vec<String>> {
    let Some(mut permissions) = writing.read::<Permissions>(layout::PERMISSIONS)? else {
        return Ok(Vec::new());
    };
    let mut forgotten = Vec::new();
    for (agent, entry) in &mut permissions.0 {
        let mut named = false;
        for verb in [Verb::Read, Verb::Write, Verb::Execute] {
            if let Some(list) = entry.list_mut(verb) {
                let before = list.len();
                list.retain(|task| !going.contains(&task.as_str()));
                named |= list.len() < before;
            }
        }
        if named {
            forgotten.push(agent.clone());
        }
    }
    if !forgotten.is_empty() {
        writing.put(layout::PERMISSIONS, &permissions)?;
    }
    Ok(forgotten)
}

/// Takes tasks away from the agents that have them as their current one.
fn free(writing: &mut Writing<'_>, going: &[&str]) -> Result<Vec<String>> {
    let mut freed = Vec::new();
    for id in writing.cell().agent_ids()? {
        let file = layout::agent(&id);
        let Some(mut agent) = writing.read::<Agent>(&file)? else {
            continue;
        };
        if agent
            .current_task
            .as_deref()
            .is_some_and(|task| going.contains(&task))
        {
            agent.current_task = None;
            if agent.status == AgentStatus::Active {
                agent.become_status(AgentStatus::Idle)?;
            }
            writing.put(&file, &agent)?;
            freed.push(id.to_string());
        }
    }
    Ok(freed)
}
