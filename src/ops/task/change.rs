//! Changes of tasks that are there: fields, reopening.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::{Agent, Role};
use crate::mission::permission::Verb;
use crate::mission::task::{Task, TaskStatus};
use crate::mission::worklist::Worklist;
use crate::ops::edit::{self, Again, Subject};
use crate::ops::session::Session;
use crate::ops::set::{self, Assignment, Protected};
use crate::ops::task::not_here;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;

/// Every task of a cell as it stands under the lock, with what is staged. A task that cannot be read stops the command:
/// what depends on what must be known before anything is decided.
pub(super) fn worklist(writing: &Writing<'_>) -> Result<Worklist> {
    let mut tasks = Vec::new();
    for id in writing.cell().task_ids()? {
        if let Some(task) = writing.read::<Task>(&layout::task(&id))? {
            tasks.push((id.to_string(), task));
        }
    }
    Ok(Worklist::new(tasks, Vec::new()))
}

/// A task that was reopened.
#[derive(Clone, Debug)]
pub struct Reopened {
    /// The task as it now stands.
    pub task: Task,
    /// What it was before.
    pub was: TaskStatus,
}

/// Makes completed and failed tasks of one cell pending again, all of them or none. A pending one stays as it is.
pub fn reopen(session: &Session, cell: &OpenCell, ids: &[TaskId]) -> Result<Vec<Reopened>> {
    session.require_operator("reopen a task")?;
    let mut writing = session.write(cell, "task reopen")?;
    let tasks = worklist(&writing)?;
    if let Some(id) = ids.iter().find(|id| !tasks.has(id.as_str())) {
        return Err(not_here(cell, id));
    }
    let names: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    tasks.require_reopenable(&names)?;
    let now = writing.now();
    let (mut reopened, mut said) = (Vec::new(), Vec::new());
    for id in ids {
        let mut task = tasks
            .get(id.as_str())
            .cloned()
            .ok_or_else(|| not_here(cell, id))?;
        let was = task.status;
        if was != TaskStatus::Pending {
            task.become_status(TaskStatus::Pending, now)?;
            writing.put(&layout::task(id), &task)?;
            said.push(format!("{id} (was {})", was.word()));
        }
        reopened.push(Reopened { task, was });
    }
    writing.commit(&format!("reopened {}", said.join(", ")))?;
    Ok(reopened)
}

/// What follows from the work itself, and is not set by hand.
pub const PROTECTED: &Protected<'_> = &[
    (
        "task_id",
        "it is the name of the file; add another task with `mcell add-task --id ID TITLE`",
    ),
    (
        "status",
        "`mcell task reopen TASK` makes it pending again; the rest follows from the work on it",
    ),
    (
        "claim",
        "it says who holds the task, and changes with the work on it",
    ),
    ("created_at", "it says when the task was added"),
    ("started_at", "it says when the task was last taken"),
    (
        "completed_at",
        "it says when the task was completed; `mcell task reopen TASK` takes it away",
    ),
    ("attempts", "it counts how often the task was taken"),
];

/// Sets fields of a task. Gives it as it was and as it now stands.
pub fn set(
    session: &Session,
    cell: &OpenCell,
    id: &TaskId,
    fields: &[Assignment],
) -> Result<(Task, Task)> {
    let mut writing = session.write(cell, "task set")?;
    let file = layout::task(id);
    let before: Task = writing.read(&file)?.ok_or_else(|| not_here(cell, id))?;
    require_allowed(session, &writing, id, &before, fields)?;
    let (after, _) = set::apply::<Task>(&mut writing, &file, fields, PROTECTED)?;
    require_sound(&writing, id, Some(&before), &after)?;
    writing.commit(&format!("set {} of {id}", set::named(fields)))?;
    Ok((before, after))
}

/// Opens the operator's editor on a task, and tells whether anything changed.
pub fn edit(
    session: &Session,
    cell: &OpenCell,
    id: &TaskId,
    again: Option<Again<'_>>,
) -> Result<bool> {
    let file = layout::task(id);
    if cell.folder().stat(&file)?.is_none() {
        return Err(not_here(cell, id));
    }
    let subject = Subject {
        act: "task edit",
        file: &file,
        fixed: &["task_id", "created_at"],
    };
    let sound = |writing: &Writing<'_>, before: Option<&Task>, after: &Task| {
        require_sound(writing, id, before, after)
    };
    edit::edit_and_decide::<Task>(session, cell, subject, again, &sound)
}

/// An agent changes what it may write, and only a lead says who does what.
fn require_allowed(
    session: &Session,
    writing: &Writing<'_>,
    id: &TaskId,
    task: &Task,
    fields: &[Assignment],
) -> Result<()> {
    let assigns = |field: &Assignment| field.name.replace('-', "_") == "assigned_to";
    if fields.iter().any(assigns) {
        require_lead(session, writing)?;
    }
    if fields.iter().all(assigns) {
        return Ok(());
    }
    session.require_task(
        writing,
        Verb::Write,
        id.as_str(),
        task.assigned_to.as_deref(),
    )
}

/// Only an operator or a lead says who does what.
pub(super) fn require_lead(session: &Session, writing: &Writing<'_>) -> Result<()> {
    let Some(agent) = &session.agent else {
        return Ok(());
    };
    let record: Option<Agent> = writing.read(&layout::agent(agent))?;
    let role = record
        .ok_or_else(|| Error::refused(format!("{agent} is not an agent of this cell")))?
        .role;
    if role == Role::Lead {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the role of {agent} is {}, and only a lead assigns tasks",
        role.word()
    )))
}

/// Refuses a change of a task after which the cell would contradict itself. What was wrong before is not held against it.
fn require_sound(
    writing: &Writing<'_>,
    id: &TaskId,
    before: Option<&Task>,
    after: &Task,
) -> Result<()> {
    let assigned = before.and_then(|task| task.assigned_to.as_deref());
    if after.assigned_to.as_deref() != assigned {
        require_assignable(writing, id, before, after.assigned_to.as_deref())?;
    }
    let had = before.map_or(&[][..], |task| &task.dependencies);
    let new: Vec<&String> = after
        .dependencies
        .iter()
        .filter(|other| !had.contains(other))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let tasks = worklist(writing)?;
    for other in new {
        let Some(dependency) = tasks.get(other) else {
            return Err(not_here(writing.cell(), &TaskId::new(other.as_str())?));
        };
        if after.status != TaskStatus::Pending && dependency.status != TaskStatus::Completed {
            return Err(Error::refused(format!(
                "{id} is {} already, and cannot wait for {other}, which is {}",
                after.status.word(),
                dependency.status.word()
            )));
        }
    }
    require_no_circle(&tasks, id)
}

pub(super) fn require_assignable(
    writing: &Writing<'_>,
    id: &TaskId,
    before: Option<&Task>,
    to: Option<&str>,
) -> Result<()> {
    if let Some(holder) = before.and_then(Task::holder) {
        return Err(Error::refused(format!(
            "{holder} works on {id}, which is assigned anew only when it is pending"
        ))
        .hint(format!(
            "hand it on: `mcell handoff {id} AGENT`, or `mcell task release {id}`"
        )));
    }
    let Some(agent) = to.map(AgentId::new).transpose()? else {
        return Ok(());
    };
    let cell = writing.cell();
    if cell.folder().stat(&layout::agent(&agent))?.is_none() {
        return Err(crate::ops::agent::not_here(cell, &agent)
            .hint(format!("or add it: `mcell add-agent {agent} --role write`")));
    }
    Ok(())
}

/// Refuses dependencies of a task that would make it wait for itself, naming the circle (exit 5).
fn require_no_circle(tasks: &Worklist, id: &TaskId) -> Result<()> {
    match tasks.circle(id.as_str()) {
        None => Ok(()),
        Some(circle) if circle.len() <= 2 => {
            Err(Error::refused(format!("{id} cannot depend on itself")))
        }
        Some(circle) => Err(Error::refused(format!(
            "then {id} would wait for itself: {}",
            circle.join(" after ")
        ))
        .hint("take one of these dependencies away first; `mcell task graph` draws them")),
    }
}
