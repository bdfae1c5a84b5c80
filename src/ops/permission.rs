//! What one can do with the permissions of a cell's agents.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::{nearest, shown};
use crate::mission::agent::{Agent, Role};
use crate::mission::cell::Cell;
use crate::mission::grant::{self, Right, Things, Turn};
use crate::mission::permission::{self, Answer, Asker, Permission, Permissions};
use crate::mission::policy::Effective;
use crate::mission::task::Task;
use crate::ops::session::Session;
use crate::ops::{agent, task};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;

/// What one agent may do, as it is stated.
#[derive(Clone, Debug)]
pub struct Stated {
    /// The agent.
    pub agent: String,
    /// Its role; none if the cell has no such agent.
    pub role: Option<Role>,
    /// Its entry; empty if it has none.
    pub entry: Permission,
}

/// Every agent of a cell with its entry, then the entries of agents that are not there.
pub fn show(cell: &OpenCell) -> Result<Vec<Stated>> {
    let _view = cell.view()?;
    if cell.folder().stat(layout::CELL)?.is_none() {
        return Err(cell.no_cell());
    }
    let permissions = cell.permissions()?.unwrap_or_default();
    let mut all = Vec::new();
    for id in cell.agent_ids()? {
        let Some(agent) = cell.agent(&id)? else {
            continue;
        };
        all.push(Stated {
            entry: permissions.of(id.as_str()).cloned().unwrap_or_default(),
            agent: id.to_string(),
            role: Some(agent.role),
        });
    }
    for (id, entry) in permissions.0 {
        if !all.iter().any(|stated| stated.agent == id) {
            all.push(Stated {
                agent: id,
                role: None,
                entry,
            });
        }
    }
    Ok(all)
}

/// What is to become of a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These things are added; `only`: the list becomes exactly these.
    Grant {
        /// Ids, or "*".
        named: Vec<String>,
        /// Begin with nothing.
        only: bool,
    },
    /// These things are taken out.
    Revoke {
        /// Ids, or "*".
        named: Vec<String>,
    },
    /// The list is taken away.
    Reset,
}

/// Changes rights of one agent, and says for each what became of its list. One commit.
pub fn change(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    rights: &[Right],
    change: &Change,
) -> Result<Vec<(Right, Turn)>> {
    let act = match change {
        Change::Grant { .. } => "permission grant",
        Change::Revoke { .. } => "permission revoke",
        Change::Reset => "permission reset",
    };
    session.require_operator("change permissions")?;
    let mut writing = session.write(cell, act)?;
    let mut permissions: Permissions = writing.read(layout::PERMISSIONS)?.unwrap_or_default();
    let role = writing
        .read::<Agent>(&layout::agent(id))?
        .map(|agent| agent.role);
    let role = match (role, change) {
        (Some(role), _) => role,
        // What an agent left behind can be taken away.
        (None, Change::Reset | Change::Revoke { .. }) if permissions.of(id.as_str()).is_some() => {
            Role::Audit
        }
        (None, _) => return Err(agent::not_here(cell, id)),
    };
    let who = Asker {
        id: id.as_str(),
        role,
    };
    let mut entry = permissions.of(id.as_str()).cloned().unwrap_or_default();
    let mut turns = Vec::new();
    for &right in rights {
        let turn = match change {
            Change::Reset => grant::reset(&mut entry, right),
            Change::Grant { named, only } => {
                let things = things(&writing)?;
                require_named(cell, right, named, &things, &[])?;
                grant::require_role(right, who, named, &things)?;
                grant::grant(&mut entry, right, who, named, &things, *only)
            }
            Change::Revoke { named } => {
                let things = things(&writing)?;
                let listed = right.list(&entry).cloned().unwrap_or_default();
                require_named(cell, right, named, &things, &listed)?;
                grant::revoke(&mut entry, right, who, named, &things)
            }
        };
        turns.push((right, turn));
    }
    put(&mut permissions, id, entry);
    if turns.iter().any(|(_, turn)| turn.changes()) {
        writing.put(layout::PERMISSIONS, &permissions)?;
        let words: Vec<&str> = rights.iter().map(|right| right.word()).collect();
        let words = words.join(", ");
        writing.commit(&match change {
            Change::Grant { named, .. } => {
                format!("granted {id} {words} on {}", named.join(", "))
            }
            Change::Revoke { named } => {
                format!("revoked {words} on {} from {id}", named.join(", "))
            }
            Change::Reset => format!("set {words} of {id} to the default"),
        })?;
    }
    Ok(turns)
}

/// Puts an entry in its place; one that says nothing is taken out.
fn put(permissions: &mut Permissions, id: &AgentId, entry: Permission) {
    let place = permissions
        .0
        .iter()
        .position(|(agent, _)| agent == id.as_str());
    match place {
        _ if entry == Permission::default() => {
            permissions.0.retain(|(agent, _)| agent != id.as_str());
        }
        Some(place) => {
            if let Some((_, old)) = permissions.0.get_mut(place) {
                *old = entry;
            }
        }
        None => permissions.0.push((id.to_string(), entry)),
    }
}

fn things(writing: &Writing<'_>) -> Result<Things> {
    let mut things = Things::default();
    for id in writing.cell().task_ids()? {
        if let Some(task) = writing.read::<Task>(&layout::task(&id))? {
            things.tasks.push((id.to_string(), task.assigned_to));
        }
    }
    for id in writing.cell().agent_ids()? {
        if let Some(agent) = writing.read::<Agent>(&layout::agent(&id))? {
            things.agents.push((id.to_string(), agent.role));
        }
    }
    Ok(things)
}

/// Refuses names that are neither in the cell nor, where something is taken away, in the list.
fn require_named(
    cell: &OpenCell,
    right: Right,
    named: &[String],
    things: &Things,
    listed: &[String],
) -> Result<()> {
    for name in named {
        let is_there = match right.verb() {
            Some(_) => things.tasks.iter().any(|(id, _)| id == name),
            None => things.agents.iter().any(|(id, _)| id == name),
        };
        if name == "*" || is_there || listed.contains(name) {
            continue;
        }
        return Err(match right.verb() {
            Some(_) => task::not_here(cell, &TaskId::new(name.as_str())?),
            None => agent::not_here(cell, &AgentId::new(name.as_str())?),
        });
    }
    Ok(())
}

/// Tells whether an agent has a right on a task (or, for handoffs, with another agent), and why.
pub fn allows(cell: &OpenCell, id: &AgentId, right: Right, thing: &str) -> Result<Answer> {
    let _view = cell.view()?;
    let role = agent::show(cell, id)?.role;
    let who = Asker {
        id: id.as_str(),
        role,
    };
    let permissions = cell.permissions()?;
    if let Some(verb) = right.verb() {
        let task_id = TaskId::new(thing)?;
        let task = task::show(cell, &task_id)?;
        let to = task.assigned_to.as_deref();
        return Ok(permission::allows(
            permissions.as_ref(),
            who,
            verb,
            thing,
            to,
        ));
    }
    let other_id = AgentId::new(thing)?;
    let other = Asker {
        id: other_id.as_str(),
        role: agent::show(cell, &other_id)?.role,
    };
    let mission: Cell = cell.cell()?;
    let policies = cell.policies()?;
    let is_allowed = Effective::of(&mission, policies.as_ref())
        .handoff_allowed
        .value;
    let (giver, taker) = match right {
        Right::HandoffFrom => (other.id, who),
        _ => (who.id, other),
    };
    Ok(permission::may_hand_off(
        permissions.as_ref(),
        is_allowed,
        giver,
        taker,
    ))
}

/// Takes a word for a right, or says which ones there are (exit 2).
pub fn right(word: &str) -> Result<Right> {
    let folded = word.to_lowercase().replace('-', "_");
    if let Some(right) = Right::ALL.into_iter().find(|right| right.word() == folded) {
        return Ok(right);
    }
    let words = Right::ALL.map(Right::word);
    let error = Error::usage(format!("`{}` is not a right", shown(word)));
    Err(match nearest(word, words) {
        Some(meant) => error.hint(format!("is `{meant}` meant?")),
        None => error.hint(format!("one of {}", words.join(", "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Kind;
    use crate::ops::world::World;

    fn grant_write(world: &World, id: &AgentId, task: &TaskId) -> Result<Vec<(Right, Turn)>> {
        let grant = Change::Grant {
            named: vec![task.to_string()],
            only: false,
        };
        change(&world.session, &world.cell, id, &[Right::Write], &grant)
    }

    #[test]
    fn what_is_granted_is_allowed_and_reset_brings_the_default_back() {
        let world = World::new();
        let (ada, bob) = (world.add_agent(), world.add_agent());
        let (own, other) = (world.add_task(Some(&ada)), world.add_task(Some(&bob)));
        let may = |task: &TaskId| {
            allows(&world.cell, &ada, Right::Write, task.as_str())
                .unwrap()
                .allowed
        };
        assert!(may(&own) && !may(&other));
        grant_write(&world, &ada, &other).unwrap();
        assert!(may(&own) && may(&other));
        let revoke = Change::Revoke {
            named: vec![own.to_string()],
        };
        change(&world.session, &world.cell, &ada, &[Right::Write], &revoke).unwrap();
        assert!(!may(&own) && may(&other));
        let all = Right::ALL;
        change(&world.session, &world.cell, &ada, &all, &Change::Reset).unwrap();
        assert!(may(&own) && !may(&other));
        assert!(world.cell.permissions().unwrap().unwrap().is_empty());
    }

    #[test]
    fn only_an_operator_grants_and_only_what_is_there() {
        let mut world = World::new();
        let ada = world.add_agent();
        let gone = TaskId::new("task_009").unwrap();
        let error = grant_write(&world, &ada, &gone).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        let task = world.add_task(None);
        world.session.agent = Some(ada.clone());
        let error = grant_write(&world, &ada, &task).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    }

    #[test]
    fn what_changes_nothing_writes_nothing() {
        let world = World::new();
        let ada = world.add_agent();
        let task = world.add_task(None);
        let before = world.journal().len();
        let turns = grant_write(&world, &ada, &task).unwrap();
        assert!(!turns[0].1.changes());
        assert_eq!(world.journal().len(), before);
        assert!(world.cell.permissions().unwrap().is_none());
    }

    #[test]
    fn a_handoff_asks_policy_and_both_entries() {
        let world = World::new();
        let (ada, bob) = (world.add_agent(), world.add_agent());
        let may = || {
            allows(&world.cell, &ada, Right::HandoffTo, bob.as_str())
                .unwrap()
                .allowed
        };
        assert!(may());
        let none = Change::Revoke {
            named: vec![String::from("*")],
        };
        let from = [Right::HandoffFrom];
        change(&world.session, &world.cell, &bob, &from, &none).unwrap();
        assert!(!may());
        assert!(right("handof_to").unwrap_err().hints()[0].contains("handoff_to"));
    }
}
