//! Looks at handoffs: of one cell, or of every cell of a root.

use super::Told;
use crate::base::boot::Moment;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, HandoffId, TaskId};
use crate::mission::handoff::{Handoff, HandoffState};
use crate::mission::permission::{self, Asker, Verb};
use crate::ops::find::{Scope, known_cells};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::fence::{self, Fence};
use crate::store::{handoff, layout};

/// What was seen.
#[derive(Debug)]
pub struct Listed {
    /// The handoffs, oldest first.
    pub handoffs: Vec<Told>,
    /// Of how many cells.
    pub cells: usize,
    /// What could not be read.
    pub troubles: Vec<Error>,
}

/// The handoffs that wait in the cell that is meant, else in every cell of the root that is not over; with `all` also those
/// that are over. An agent sees those of tasks that it may read.
pub fn list(session: &Session, everywhere: bool, all: bool) -> Result<Listed> {
    let (mut told, mut troubles) = (Vec::new(), Vec::new());
    let mut cells = 1;
    match session.scope(everywhere)? {
        Scope::Cell(cell) => look(session, &cell, all, &mut told, &mut troubles)?,
        Scope::Root(root) => {
            cells = 0;
            for known in known_cells(&root)?
                .iter()
                .filter(|one| all || !one.is_over())
            {
                cells += 1;
                let looked = OpenCell::open(&root.path().join(known.id.as_str()))
                    .and_then(|cell| look(session, &cell, all, &mut told, &mut troubles));
                if let Err(error) = looked {
                    troubles.push(error.context(&known.id));
                }
            }
        }
    }
    // Of one second: what was over first, then what waits.
    told.sort_by_cached_key(|one| {
        let waits = one.closed_at.is_none();
        (one.offered_at, waits, one.closed_at, one.id.clone())
    });
    Ok(Listed {
        handoffs: told,
        cells,
        troubles,
    })
}

fn look(
    session: &Session,
    cell: &OpenCell,
    all: bool,
    told: &mut Vec<Told>,
    troubles: &mut Vec<Error>,
) -> Result<()> {
    let view = cell.view()?;
    if view.in_change {
        (session.tell)(&format!(
            "cell {} is being changed; what is shown may be of two moments",
            cell.id()
        ));
    }
    let (fence, now) = (fence::seen(cell)?, session.moment());
    let mut handoffs: Vec<Handoff> = Vec::new();
    let mut take = |read: Result<Option<Handoff>>| match read {
        Ok(found) => handoffs.extend(found),
        Err(error) => troubles.push(error),
    };
    for id in handoff::ids(cell, layout::OFFERS)? {
        take(waiting(cell, &id, &fence, &now));
    }
    if all {
        for id in handoff::ids(cell, layout::HANDOFFS)? {
            take(handoff::read(cell, &layout::handoff(&id)));
        }
    }
    for one in handoffs {
        if (all || one.state == HandoffState::Offered) && may_read(session, cell, &one)? {
            let known = fence.offers.get(&one.task_id);
            let known = known.filter(|known| known.id == one.id);
            let deadline = known.map(|known| known.deadline.expires_at);
            told.push(Told::of(cell.id(), one, deadline));
        }
    }
    Ok(())
}

/// One that waits; as over where it is, though no command that writes came by since.
fn waiting(
    cell: &OpenCell,
    id: &HandoffId,
    fence: &Fence,
    now: &Moment,
) -> Result<Option<Handoff>> {
    // A writer that was killed may have left both; then it is over.
    if cell.folder().stat(&layout::handoff(id))?.is_some() {
        return Ok(None);
    }
    let Some(mut one) = handoff::read(cell, &layout::offer(id))? else {
        return Ok(None);
    };
    let known = fence.offers.get(&one.task_id);
    let known = known.filter(|known| known.id == one.id);
    let deadline = known.map(|known| &known.deadline).or(one.deadline.as_ref());
    let task = cell.task(&TaskId::new(one.task_id.as_str())?)?;
    let taker = cell.agent(&AgentId::new(one.to.as_str())?)?;
    let moot = deadline.and_then(|lease| one.moot(task.as_ref(), taker.as_ref(), lease, now));
    if let Some(moot) = moot {
        one.close(moot.state(), Some(moot.words()), now.wall);
    }
    Ok(Some(one))
}

/// Tells whether the one who looks may see the task.
fn may_read(session: &Session, cell: &OpenCell, handoff: &Handoff) -> Result<bool> {
    let Some(id) = &session.agent else {
        return Ok(true);
    };
    let Some(agent) = cell.agent(id)? else {
        return Ok(false);
    };
    let permissions = cell.permissions()?;
    let asker = Asker {
        id: id.as_str(),
        role: agent.role,
    };
    let task = handoff.task_id.as_str();
    Ok(permission::allows(permissions.as_ref(), asker, Verb::Read, task, None).allowed)
}
