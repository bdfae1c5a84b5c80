//! Looks at handoffs: of one cell, or of every cell of a root.

use super::Told;
use crate::base::boot::Moment;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, HandoffId, TaskId};
use crate::mission::handoff::{Handoff, HandoffState};
use crate::ops::find::Scope;
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
    list_in(session, &session.scope(everywhere)?, all)
}

/// The same of a scope that is known.
pub fn list_in(session: &Session, scope: &Scope, all: bool) -> Result<Listed> {
    let (seen, mut troubles) = scope.look_around(all, |cell| look(session, cell, all))?;
    // Those that could not be looked at are cells too.
    let cells = seen.len() + troubles.len();
    let mut told = Vec::new();
    for (one, more) in seen {
        told.extend(one);
        troubles.extend(more);
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

fn look(session: &Session, cell: &OpenCell, all: bool) -> Result<(Vec<Told>, Vec<Error>)> {
    let (mut told, mut troubles) = (Vec::new(), Vec::new());
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
    let sight = session.sight(cell)?;
    for one in handoffs {
        if (all || one.state == HandoffState::Offered) && sight.task(&one.task_id) {
            let known = fence.offers.get(&one.task_id);
            let known = known.filter(|known| known.id == one.id);
            let deadline = known.map(|known| known.deadline.expires_at);
            told.push(Told::of(cell.id(), one, deadline));
        }
    }
    Ok((told, troubles))
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
