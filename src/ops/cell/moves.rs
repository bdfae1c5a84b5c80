//! Changes of `cell.json`: its state, and its fields.

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::cell::{Cell, CellStatus};
use crate::mission::isolation::Isolation;
use crate::mission::policy::Policies;
use crate::mission::shape::schema;
use crate::mission::task::TaskStatus;
use crate::ops::due;
use crate::ops::edit::{self, Again, Subject};
use crate::ops::run;
use crate::ops::session::Session;
use crate::ops::set::{self, Assignment, Protected};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;

/// Fields of a cell that are not set by hand.
pub const PROTECTED: &Protected<'_> = &[
    (
        "cell_id",
        "the folder's name is the id; `mcell validate --fix` makes cell_id say the same",
    ),
    ("created_at", "it says when the cell was made"),
    (
        "status",
        "`mcell cell pause`, `resume`, `complete`, `fail` and `reopen` change it",
    ),
    ("paused_until", "`mcell cell pause --for 1h` sets it"),
    ("paused_seconds", "it counts how long the cell was paused"),
];

/// A cell after a move.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Moved {
    /// The folder's name.
    pub cell_id: String,
    /// What `cell.json` says now.
    #[schemars(schema_with = "schema::cell")]
    pub cell: Cell,
    /// Whether it said something else before.
    pub changed: bool,
    /// Tasks in progress, each with who works on it: a move of the cell does not stop them.
    pub at_work: Vec<AtWork>,
    /// Agents of which something runs: a move of the cell does not end them.
    pub running: Vec<String>,
    /// Agents that were stopped with it, as was asked for.
    pub stopped: Vec<String>,
}

impl Moved {
    /// Stops the agents that run, one after the other. What was moved stays so if one cannot be.
    pub fn stop_all(&mut self, session: &Session, cell: &OpenCell) -> Result<()> {
        for id in std::mem::take(&mut self.running) {
            run::stop(session, cell, &AgentId::new(id.as_str())?, false)?;
            self.stopped.push(id);
        }
        Ok(())
    }
}

/// A task that somebody works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AtWork {
    /// The task.
    pub task_id: String,
    /// Who works on it, where that is said.
    pub agent_id: Option<String>,
}

/// Pauses a cell, for so many seconds or until it is resumed. Pausing a paused one sets only when the pause ends.
pub fn pause(
    session: &Session,
    cell: &OpenCell,
    seconds: Option<u64>,
    why: Option<&str>,
) -> Result<Moved> {
    session.require_operator("pause a cell")?;
    let mut writing = session.write_because(cell, "cell pause", why)?;
    let mut mission = read(&writing)?;
    if mission.status != CellStatus::Paused {
        mission.become_status(CellStatus::Paused)?;
    }
    mission.paused_until = seconds.map(|seconds| writing.now().plus(seconds));
    let what = match mission.paused_until {
        Some(until) => format!("paused the cell until {until}"),
        None => String::from("paused the cell"),
    };
    finish(session, &mut writing, mission, &what)
}

/// Lets a paused cell go on. Nothing changes for one that is active.
pub fn resume(session: &Session, cell: &OpenCell) -> Result<Moved> {
    session.require_operator("resume a cell")?;
    let mut writing = session.write(cell, "cell resume")?;
    let mut mission = read(&writing)?;
    match mission.status {
        CellStatus::Active => {}
        CellStatus::Paused => mission.become_status(CellStatus::Active)?,
        over => {
            return Err(
                Error::refused(format!("the cell is {}, not paused", over.word()))
                    .hint("open it again with `mcell cell reopen`"),
            );
        }
    }
    finish(session, &mut writing, mission, "resumed the cell")
}

/// Ends a mission as done. Open tasks stand in the way, unless forced: then they stay as they are.
pub fn complete(
    session: &Session,
    cell: &OpenCell,
    force: bool,
    why: Option<&str>,
) -> Result<Moved> {
    session.require_operator("complete a cell")?;
    let mut writing = session.write_because(cell, "cell complete", why)?;
    let mut mission = read(&writing)?;
    if mission.status != CellStatus::Completed {
        mission.become_status(CellStatus::Completed)?;
        if !force {
            refuse_open_tasks(&writing)?;
        }
    }
    finish(session, &mut writing, mission, "completed the cell")
}

/// Gives a mission up. Its tasks stay as they are.
pub fn fail(session: &Session, cell: &OpenCell, why: Option<&str>) -> Result<Moved> {
    session.require_operator("give a cell up")?;
    let mut writing = session.write_because(cell, "cell fail", why)?;
    let mut mission = read(&writing)?;
    if mission.status != CellStatus::Failed {
        mission.become_status(CellStatus::Failed)?;
    }
    finish(session, &mut writing, mission, "gave the cell up")
}

/// Takes a mission up again that is over. Nothing changes for one that is active.
pub fn reopen(session: &Session, cell: &OpenCell, why: Option<&str>) -> Result<Moved> {
    session.require_operator("reopen a cell")?;
    let mut writing = session.write_because(cell, "cell reopen", why)?;
    let mut mission = read(&writing)?;
    match mission.status {
        CellStatus::Active => {}
        CellStatus::Paused => {
            return Err(Error::refused("the cell is paused, not over")
                .hint("let it go on with `mcell cell resume`"));
        }
        CellStatus::Completed | CellStatus::Failed => mission.become_status(CellStatus::Active)?,
    }
    finish(session, &mut writing, mission, "reopened the cell")
}

fn read(writing: &Writing<'_>) -> Result<Cell> {
    writing
        .read(layout::CELL)?
        .ok_or_else(|| writing.cell().no_cell())
}

fn finish(session: &Session, writing: &mut Writing<'_>, cell: Cell, what: &str) -> Result<Moved> {
    let changed = writing.put(layout::CELL, &cell)?;
    due::follow_pause(writing, &session.moment(), cell.paused_until)?;
    let at_work = at_work(writing.cell())?;
    let running = run::running(writing.cell())?;
    // After this nothing may fail: it is done.
    writing.commit(what)?;
    Ok(Moved {
        cell_id: writing.cell().id().to_string(),
        cell,
        changed,
        at_work,
        running: running.iter().map(AgentId::to_string).collect(),
        stopped: Vec::new(),
    })
}

/// The tasks in progress. A file that cannot be read says nothing here; validate names it.
fn at_work(cell: &OpenCell) -> Result<Vec<AtWork>> {
    let mut all = Vec::new();
    for id in cell.task_ids()? {
        if let Ok(Some(task)) = cell.task(&id)
            && task.status == TaskStatus::InProgress
        {
            all.push(AtWork {
                task_id: id.to_string(),
                agent_id: task.holder().map(str::to_owned),
            });
        }
    }
    Ok(all)
}

/// A task that failed is no open one: somebody gave it up, and the mission may be done without it.
fn refuse_open_tasks(writing: &Writing<'_>) -> Result<()> {
    const NAMED: usize = 8;
    let cell = writing.cell();
    let mut open: Vec<TaskId> = Vec::new();
    for id in cell.task_ids()? {
        let is_open = cell.task(&id)?.is_some_and(|task| {
            matches!(task.status, TaskStatus::Pending | TaskStatus::InProgress)
        });
        if is_open {
            open.push(id);
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let named: Vec<&str> = open.iter().take(NAMED).map(TaskId::as_str).collect();
    let more = match open.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if open.len() == 1 { "is" } else { "are" };
    Err(Error::refused(format!(
        "{} {verb} not done: {}{more}",
        crate::base::text::count(open.len(), "task"),
        named.join(", ")
    ))
    .hint("`--force` completes the cell all the same, and leaves them as they are")
    .hint("`mcell cell fail` gives the mission up"))
}

/// What a `set` changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Changed {
    /// The folder's name.
    pub cell_id: String,
    /// What `cell.json` says now.
    #[schemars(schema_with = "schema::cell")]
    pub cell: Cell,
    /// Whether it said something else before.
    pub changed: bool,
    /// Files that state the same, and were set with it.
    pub also: Vec<&'static str>,
}

/// Sets fields of a cell. What config/policies.json and config/isolation.json state as well is set there in the same
/// act, so that nothing is said twice and differently.
pub fn set(session: &Session, cell: &OpenCell, assignments: &[Assignment]) -> Result<Changed> {
    session.require_operator("change a cell")?;
    let mut writing = session.write(cell, "cell set")?;
    let before: Option<Cell> = match writing.read(layout::CELL) {
        // What is not sound may be what is put right here.
        Err(error) if error.kind() == Kind::Malformed => None,
        read => read?,
    };
    let (after, changed) = set::apply::<Cell>(&mut writing, layout::CELL, assignments, PROTECTED)?;
    let agents: Vec<AgentId> = cell.agent_ids()?;
    let most = after.max_agents();
    let raised = before
        .as_ref()
        .is_none_or(|before| most >= before.max_agents());
    if (agents.len() as u64) > most && !raised {
        return Err(Error::refused(format!(
            "the cell has {} agents, so max_agents cannot be {most}",
            agents.len()
        ))
        .hint("remove some first with `mcell agent remove`"));
    }
    let mut also = Vec::new();
    if let Some(before) = &before {
        if follow_policies(&mut writing, before, &after)? {
            also.push(layout::POLICIES);
        }
        if before.isolation_level != after.isolation_level && follow_level(&mut writing, &after)? {
            also.push(layout::ISOLATION);
        }
    }
    writing.commit(&format!("set {} of the cell", set::named(assignments)))?;
    Ok(Changed {
        cell_id: cell.id().to_string(),
        cell: after,
        changed,
        also,
    })
}

fn follow_policies(writing: &mut Writing<'_>, before: &Cell, after: &Cell) -> Result<bool> {
    let (was, is) = (
        before.policies.clone().unwrap_or_default(),
        after.policies.clone().unwrap_or_default(),
    );
    if was == is {
        return Ok(false);
    }
    let Some(mut config) = writing.read::<Policies>(layout::POLICIES)? else {
        return Ok(false);
    };
    if was.auto_revive != is.auto_revive && config.auto_revive.is_some() {
        config.auto_revive = is.auto_revive;
    }
    if was.handoff_allowed != is.handoff_allowed && config.handoff_allowed.is_some() {
        config.handoff_allowed = is.handoff_allowed;
    }
    writing.put(layout::POLICIES, &config)
}

fn follow_level(writing: &mut Writing<'_>, after: &Cell) -> Result<bool> {
    let Some(mut config) = writing.read::<Isolation>(layout::ISOLATION)? else {
        return Ok(false);
    };
    config.level = after.isolation_level;
    writing.put(layout::ISOLATION, &config)
}

/// Opens the operator's editor on `cell.json`. Tells whether anything changed.
pub fn edit(session: &Session, cell: &OpenCell, again: Option<Again<'_>>) -> Result<bool> {
    let subject = Subject {
        act: "cell edit",
        file: layout::CELL,
        fixed: &["cell_id", "created_at"],
    };
    edit::edit::<Cell>(session, cell, subject, again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::world::World;

    fn status(world: &World) -> CellStatus {
        world.cell.cell().unwrap().status
    }

    #[test]
    fn pausing_twice_is_pausing_once() {
        let world = World::new();
        let (session, cell) = (&world.session, &world.cell);
        assert!(
            pause(session, cell, None, Some("maintenance"))
                .unwrap()
                .changed
        );
        assert!(!pause(session, cell, None, None).unwrap().changed);
        let line = world.journal().pop().unwrap();
        assert_eq!(
            (line.act.as_str(), line.why.as_deref()),
            ("cell pause", Some("maintenance"))
        );
        assert!(resume(session, cell).unwrap().changed);
        assert!(!resume(session, cell).unwrap().changed);
        assert_eq!(world.journal().len(), 3);
    }

    #[test]
    fn a_pause_that_is_over_ends_with_the_next_command_that_writes() {
        let mut world = World::new();
        pause(&world.session, &world.cell, Some(3600), None).unwrap();
        world.seconds_pass(3599);
        world.add_task(None);
        assert_eq!(status(&world), CellStatus::Paused);
        world.seconds_pass(1);
        world.add_task(None);
        assert_eq!(status(&world), CellStatus::Active);
        let acts: Vec<String> = world.journal().into_iter().map(|line| line.act).collect();
        assert_eq!(acts[2..], ["add-task", "cell resume", "add-task"]);
        assert!(!world.text(layout::CELL).contains("paused_until"));
    }

    #[test]
    fn open_tasks_stand_in_the_way_of_completing() {
        let world = World::new();
        world.add_task(None);
        let error = complete(&world.session, &world.cell, false, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(error.message(), "1 task is not done: task_001");
        assert!(
            complete(&world.session, &world.cell, true, None)
                .unwrap()
                .changed
        );
        assert!(
            !complete(&world.session, &world.cell, false, None)
                .unwrap()
                .changed
        );
        assert!(fail(&world.session, &world.cell, None).is_err());
        assert!(resume(&world.session, &world.cell).is_err());
        reopen(&world.session, &world.cell, None).unwrap();
        assert_eq!(status(&world), CellStatus::Active);
    }

    #[test]
    fn what_another_file_states_as_well_is_set_there_too() {
        let world = World::new();
        world.write("config/policies.json", "{\"auto_revive\": \"no\"}");
        world.write("config/isolation.json", "{\"level\": \"none\"}");
        let words = [
            "policies.auto_revive=ask",
            "isolation_level=2",
            "timeout=2h",
        ];
        let assignments: Vec<Assignment> = words.iter().map(|word| word.parse().unwrap()).collect();
        let changed = set(&world.session, &world.cell, &assignments).unwrap();
        assert_eq!(
            changed.also,
            ["config/policies.json", "config/isolation.json"]
        );
        assert_eq!(
            world.text("config/policies.json"),
            "{\"auto_revive\": \"ask\"}"
        );
        assert_eq!(
            world.text("config/isolation.json"),
            "{\"level\": \"level_2\"}"
        );
        assert_eq!(world.journal().len(), 2);
    }

    #[test]
    fn a_cell_cannot_be_made_too_small_for_its_agents() {
        let world = World::new();
        world.add_agent();
        world.add_agent();
        let wanted = ["max_agents=1".parse().unwrap()];
        assert!(set(&world.session, &world.cell, &wanted).is_err());
    }

    #[test]
    fn an_agent_does_none_of_this() {
        let mut world = World::new();
        world.session.agent = Some("agent_001".parse().unwrap());
        let error = pause(&world.session, &world.cell, None, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    }
}
