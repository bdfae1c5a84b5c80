//! What the one who looks may see: an operator everything, an agent the tasks that it may read. Every look asks here.

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::agent::Role;
use crate::mission::permission::{self, Asker, Permissions, Verb};
use crate::ops::find::{Scope, known_cells};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;

/// What may be seen of one cell.
#[derive(Debug)]
pub enum Sight {
    /// Everything.
    All,
    /// What this agent of the cell may read.
    Agent(AgentId, Role, Option<Permissions>),
    /// Nothing: the agent is not in the cell.
    Nothing,
}

impl Session {
    /// What may be seen of a cell by the one who acts.
    pub fn sight(&self, cell: &OpenCell) -> Result<Sight> {
        let Some(id) = &self.agent else {
            return Ok(Sight::All);
        };
        Ok(match cell.agent(id)? {
            Some(agent) => Sight::Agent(id.clone(), agent.role, cell.permissions()?),
            None => Sight::Nothing,
        })
    }

    /// Looks at the cell that is meant, else at every cell of the root.
    pub fn look_around<T>(
        &self,
        everywhere: bool,
        all: bool,
        look: impl Fn(&OpenCell) -> Result<T>,
    ) -> Result<(Vec<T>, Vec<Error>)> {
        self.scope(everywhere)?.look_around(all, look)
    }
}

impl Scope {
    /// Looks at the cell, else at every cell of the root that is not over (`all`: at those too). Cells that cannot be
    /// looked at are among the troubles.
    pub fn look_around<T>(
        &self,
        all: bool,
        look: impl Fn(&OpenCell) -> Result<T>,
    ) -> Result<(Vec<T>, Vec<Error>)> {
        let root = match self {
            Scope::Cell(cell) => return Ok((vec![look(cell)?], Vec::new())),
            Scope::Root(root) => root,
        };
        let (mut seen, mut troubles) = (Vec::new(), Vec::new());
        for known in known_cells(root)? {
            if known.is_over() && !all {
                continue;
            }
            let path = root.path().join(known.id.as_str());
            match OpenCell::open(&path).and_then(|cell| look(&cell)) {
                Ok(one) => seen.push(one),
                Err(error) => troubles.push(error.context(&known.id)),
            }
        }
        Ok((seen, troubles))
    }
}

impl Sight {
    /// Tells whether a task may be seen.
    pub fn task(&self, id: &str) -> bool {
        match self {
            Sight::All => true,
            Sight::Nothing => false,
            Sight::Agent(agent, role, permissions) => {
                let asker = Asker {
                    id: agent.as_str(),
                    role: *role,
                };
                // Whose it is decides on nothing that is read.
                permission::allows(permissions.as_ref(), asker, Verb::Read, id, None).allowed
            }
        }
    }
}
