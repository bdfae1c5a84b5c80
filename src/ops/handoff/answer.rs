//! Answering an offer: the taker accepts or declines, the giver takes it back, an operator approves.

use super::pass::Pass;
use super::{Given, Told, find};
use crate::base::error::Result;
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::shown;
use crate::mission::claim::{self, Wanted};
use crate::ops::due;
use crate::ops::session::Session;
use crate::ops::task::claim::{Taker, waits_for};
use crate::store::cell::OpenCell;
use crate::store::{fence, handoff};

/// The acting agent accepts what is offered to it: from now on it holds the task, with a new token. `lease` as for a claim.
pub fn accept(session: &Session, cell: &OpenCell, named: &str, lease: Option<u64>) -> Result<Told> {
    session.require_agent("accept a handoff")?;
    let mut writing = session.write(cell, "handoff accept")?;
    let mut taker = Taker::read(session, &writing)?;
    let mut offered = find(&writing, &taker.fence, named)?;
    offered.require_open()?;
    let (id, to) = (TaskId::new(offered.task_id.as_str())?, taker.id.clone());
    let pass = Pass::read(&writing, &id, &to)?;
    offered.accept(to.as_str(), pass.needs_approval(), writing.now())?;
    pass.require_possible()?;
    let (mut task, as_given) = (pass.task.clone(), pass.given());
    let waits = waits_for(&writing, &task)?;
    let busy = taker.busy_with(&writing)?;
    let wanted = Wanted {
        id: id.as_str(),
        task: &as_given,
        cell: taker.cell,
        waits_for: &waits,
    };
    claim::require_claimable(wanted, taker.claimant(busy.as_deref()))?;
    // The giver's hold ends, and its lease with it.
    taker.fence.held.remove(id.as_str());
    if let Some(Ok(giver)) = pass.from.as_deref().map(AgentId::new) {
        due::leave(&mut writing, &giver, id.as_str())?;
    }
    handoff::put_closed(&mut writing, &mut taker.fence, &offered)?;
    task.assigned_to = Some(to.to_string());
    let task = taker.stage(&mut writing, &id, task, lease)?;
    let from = pass
        .from
        .as_deref()
        .map_or(String::new(), |from| format!(" from {}", shown(from)));
    writing.commit(&format!("{to} took {id} over{from} ({})", offered.id))?;
    let mut told = Told::of(cell.id(), offered, None);
    told.claim = task.claim.as_ref().map(Given::from);
    Ok(told)
}

/// The taker does not want it; or its giver, or an operator, takes the offer back. The task stays with its giver.
pub fn decline(
    session: &Session,
    cell: &OpenCell,
    named: &str,
    reason: Option<&str>,
) -> Result<Told> {
    let mut writing = session.write_because(cell, "handoff decline", reason)?;
    let mut fence = fence::read(&writing)?;
    let mut offered = find(&writing, &fence, named)?;
    let by = session.agent.as_ref().map(AgentId::as_str);
    offered.decline(by, reason, writing.now())?;
    handoff::put_closed(&mut writing, &mut fence, &offered)?;
    fence::put(&mut writing, &fence)?;
    writing.commit(&format!(
        "the handoff {} of {} to {} is {}",
        offered.id,
        offered.task_id,
        shown(&offered.to),
        offered.state.word()
    ))?;
    Ok(Told::of(cell.id(), offered, None))
}

/// An operator agrees to an offer. It is still the taker who takes it.
pub fn approve(session: &Session, cell: &OpenCell, named: &str) -> Result<Told> {
    session.require_operator("approve a handoff")?;
    let mut writing = session.write(cell, "handoff approve")?;
    let mut fence = fence::read(&writing)?;
    let mut offered = find(&writing, &fence, named)?;
    offered.approve()?;
    handoff::put_open(&mut writing, &mut fence, &offered)?;
    fence::put_beside(&mut writing, &fence)?;
    writing.commit(&format!(
        "approved the handoff {} of {} to {}",
        offered.id,
        offered.task_id,
        shown(&offered.to)
    ))?;
    let known = fence.offers.get(&offered.task_id);
    let deadline = known.map(|offer| offer.deadline.expires_at);
    Ok(Told::of(cell.id(), offered, deadline))
}
