//! Changes of an agent's file: its state, and its fields.

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::agent::{Agent, AgentStatus};
use crate::ops::agent::not_here;
use crate::ops::due;
use crate::ops::edit::{self, Again, Subject};
use crate::ops::session::Session;
use crate::ops::set::{self, Assignment, Protected};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;

/// Fields of an agent that are not set by hand.
pub const PROTECTED: &Protected<'_> = &[
    (
        "agent_id",
        "the file's name is the id; for another id add a new agent and remove this one",
    ),
    ("status", "`mcell agent pause` and `resume` change it"),
    ("current_task", "it follows from the tasks the agent takes"),
    ("checkpoint", "it notes what the agent saved last"),
    ("paused_until", "`mcell agent pause AGENT --for 1h` sets it"),
];

/// An agent after a move, and whether it was another before.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The agent as it is on disk.
    pub agent: Agent,
    /// Whether anything changed.
    pub changed: bool,
}

/// Pauses an agent, for so many seconds or until it is resumed. Its task stays its own. Pausing a paused one sets only
/// when the pause ends.
pub fn pause(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    seconds: Option<u64>,
    why: Option<&str>,
) -> Result<Changed> {
    session.require_operator("pause an agent")?;
    let mut writing = session.write_because(cell, "agent pause", why)?;
    let mut agent = read(&writing, id)?;
    if agent.status != AgentStatus::Paused {
        agent.become_status(AgentStatus::Paused)?;
    }
    agent.paused_until = seconds.map(|seconds| writing.now().plus(seconds));
    let what = match agent.paused_until {
        Some(until) => format!("paused {id} until {until}"),
        None => format!("paused {id}"),
    };
    finish(session, &mut writing, id, agent, &what)
}

/// Lets a paused agent go on, and makes one that failed idle again. Nothing changes for one that is neither.
pub fn resume(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Changed> {
    session.require_operator("resume an agent")?;
    let mut writing = session.write(cell, "agent resume")?;
    let mut agent = read(&writing, id)?;
    match agent.status {
        AgentStatus::Idle | AgentStatus::Active => {}
        AgentStatus::Paused => agent.become_status(agent.working_status())?,
        AgentStatus::Failed => {
            if let Some(task) = &agent.current_task {
                return Err(Error::refused(format!(
                    "{id} failed, and its current task is still {task}"
                ))
                .hint(format!("`mcell agent edit {id}` sets both right")));
            }
            agent.become_status(AgentStatus::Idle)?;
        }
    }
    finish(session, &mut writing, id, agent, &format!("resumed {id}"))
}

/// Sets fields of an agent.
pub fn set(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    assignments: &[Assignment],
) -> Result<Changed> {
    session.require_operator("change an agent")?;
    let mut writing = session.write(cell, "agent set")?;
    let file = layout::agent(id);
    if cell.folder().stat(&file)?.is_none() {
        return Err(not_here(cell, id));
    }
    let (agent, changed) = set::apply::<Agent>(&mut writing, &file, assignments, PROTECTED)?;
    writing.commit(&format!("set {} of {id}", set::named(assignments)))?;
    Ok(Changed { agent, changed })
}

/// Opens the operator's editor on an agent's file. Tells whether anything changed.
pub fn edit(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    again: Option<Again<'_>>,
) -> Result<bool> {
    let file = layout::agent(id);
    if cell.folder().stat(&file)?.is_none() {
        return Err(not_here(cell, id));
    }
    let subject = Subject {
        act: "agent edit",
        file: &file,
        fixed: &["agent_id"],
    };
    edit::edit::<Agent>(session, cell, subject, again)
}

fn read(writing: &Writing<'_>, id: &AgentId) -> Result<Agent> {
    writing
        .read(&layout::agent(id))?
        .ok_or_else(|| not_here(writing.cell(), id))
}

fn finish(
    session: &Session,
    writing: &mut Writing<'_>,
    id: &AgentId,
    agent: Agent,
    what: &str,
) -> Result<Changed> {
    let changed = writing.put(&layout::agent(id), &agent)?;
    due::follow_pause(writing, &session.moment(), agent.paused_until)?;
    writing.commit(what)?;
    Ok(Changed { agent, changed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Kind;
    use crate::ops::world::World;

    #[test]
    fn a_paused_agent_keeps_its_task_and_goes_on_with_it() {
        let world = World::new();
        let id = world.add_agent();
        world.write(
            "agents/agent_001.json",
            r#"{"agent_id": "agent_001", "name": "W", "role": "write", "status": "active", "current_task": "task_001"}"#,
        );
        let paused = pause(&world.session, &world.cell, &id, None, None).unwrap();
        assert_eq!(paused.agent.current_task.as_deref(), Some("task_001"));
        assert!(
            !pause(&world.session, &world.cell, &id, None, None)
                .unwrap()
                .changed
        );
        let resumed = resume(&world.session, &world.cell, &id).unwrap();
        assert_eq!(resumed.agent.status, AgentStatus::Active);
        assert!(!resume(&world.session, &world.cell, &id).unwrap().changed);
    }

    #[test]
    fn a_pause_that_is_over_ends_with_the_next_command_that_writes() {
        let mut world = World::new();
        let (one, other) = (world.add_agent(), world.add_agent());
        pause(&world.session, &world.cell, &one, Some(60), None).unwrap();
        pause(&world.session, &world.cell, &other, None, None).unwrap();
        world.seconds_pass(60);
        world.write("agents/agent_009.json", "{\"paused_until\": 1");
        world.add_task(None);
        let status = |id| world.cell.agent(id).unwrap().unwrap().status;
        assert_eq!(
            (status(&one), status(&other)),
            (AgentStatus::Idle, AgentStatus::Paused)
        );
    }

    #[test]
    fn an_agent_that_is_not_there_is_not_made() {
        let world = World::new();
        world.add_agent();
        let id = "agent_01".parse().unwrap();
        let error = set(
            &world.session,
            &world.cell,
            &id,
            &["name=x".parse().unwrap()],
        )
        .unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.hints(), ["is agent_001 meant?"]);
    }
}
