//! What is due whoever comes first: pauses whose time is over end, tasks whose lease lapsed or whose holder is gone are
//! free again, and handoffs that nobody took are over. Every command that writes does this first, and says so;
//! `.mcell/fence` tells from one read whether there is anything to do.

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::{Cell, CellStatus};
use crate::mission::claim::{Ended, Hold};
use crate::mission::run::{AgentState, Wanted};
use crate::mission::task::{Task, TaskStatus};
use crate::ops::handoff;
use crate::store::commit::{Act, Writing};
use crate::store::fence::{self, Fence};
use crate::store::{layout, run};

/// Does what is due. Gives a sentence for each change.
pub fn settle(writing: &mut Writing<'_>, now: &Moment) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let known = fence::find(writing)?;
    let is_lost = known.is_none();
    let mut fence = match known {
        Some(fence) => fence,
        None => fence::read(writing)?,
    };
    if is_lost || fence.wake.is_some_and(|wake| wake <= now.wall) {
        done.extend(wake_cell(writing, now, &mut fence)?);
        done.extend(wake_agents(writing, now, &mut fence)?);
        fence.wake = next_wake(writing)?;
        // Also where nothing woke: it was lost, or an edit made it look.
        fence::put_beside(writing, &fence)?;
    }
    done.extend(free(writing, now, &mut fence)?);
    if !fence.offers.is_empty() {
        done.extend(handoff::close_moot(writing, now, &mut fence)?);
    }
    Ok(done)
}

/// Frees each task whose lease lapsed or whose holder is gone.
fn free(writing: &mut Writing<'_>, now: &Moment, fence: &mut Fence) -> Result<Vec<String>> {
    let mut freed = Vec::new();
    for (id, hold) in fence.held.clone() {
        let Some(ended) = ended(writing, &hold, now)? else {
            continue;
        };
        let (Ok(task_id), Ok(agent_id)) = (TaskId::new(&*id), AgentId::new(&*hold.agent)) else {
            continue;
        };
        fence.held.remove(&id);
        let file = layout::task(&task_id);
        // Removed by another tool, or taken up by one: nothing to free.
        if let Some(mut task) = writing.read::<Task>(&file)?
            && task
                .claim
                .as_ref()
                .is_some_and(|claim| claim.token == hold.token)
        {
            task.become_status(TaskStatus::Pending, now.wall)?;
            writing.put(&file, &task)?;
        }
        leave(writing, &agent_id, &id)?;
        freed.push(format!("{id} is free again: {}", ended.words(&hold.agent)));
    }
    if freed.is_empty() {
        return Ok(Vec::new());
    }
    fence::put(writing, fence)?;
    commit_as(writing, "task release", &freed.join("; "))?;
    Ok(freed)
}

fn ended(writing: &Writing<'_>, hold: &Hold, now: &Moment) -> Result<Option<Ended>> {
    let Ok(id) = AgentId::new(&*hold.agent) else {
        return Ok(Some(Ended::Removed));
    };
    match writing.read::<Agent>(&layout::agent(&id)) {
        Ok(holder) => Ok(match hold.ended(holder.as_ref(), now) {
            None => is_down(writing, &id, holder.as_ref())?,
            ended => ended,
        }),
        // Whoever cannot be read is not gone.
        Err(error) if error.kind() == Kind::Malformed => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether nothing runs of an agent that mcell starts, and nothing will by itself: it is not wanted, or is not brought back.
fn is_down(writing: &Writing<'_>, id: &AgentId, agent: Option<&Agent>) -> Result<Option<Ended>> {
    if agent.is_none_or(|agent| agent.run.is_none()) {
        return Ok(None);
    }
    let state = writing.text(&layout::agent_state(id))?;
    let state = state.and_then(|text| serde_json::from_slice::<AgentState>(&text).ok());
    let ended = match state.unwrap_or_default() {
        state if state.wanted == Some(Wanted::Stopped) => Ended::Stopped,
        state if state.is_suppressed => Ended::GivenUp,
        _ => return Ok(None),
    };
    Ok((!run::lives(writing.cell().folder(), id)?).then_some(ended))
}

/// Stages that the lease of the agent who acts begins anew. Nothing of it is written unless the act is.
pub(crate) fn renew(writing: &mut Writing<'_>, agent: &AgentId, now: &Moment) -> Result<()> {
    let Some(mut fence) = fence::find(writing)? else {
        return Ok(());
    };
    let mut renewed = Vec::new();
    for (id, hold) in &mut fence.held {
        if let Some(lease) = hold.lease.as_mut().filter(|_| hold.agent == agent.as_str()) {
            lease.renew(now);
            renewed.push((id.clone(), lease.expires_at));
        }
    }
    for (id, expires_at) in &renewed {
        let file = layout::task(&TaskId::new(id.as_str())?);
        if let Some(mut task) = writing.read::<Task>(&file)?
            && let Some(claim) = &mut task.claim
        {
            claim.expires_at = Some(*expires_at);
            writing.put_record_beside(&file, &task)?;
        }
    }
    if !renewed.is_empty() {
        fence::put_beside(writing, &fence)?;
    }
    Ok(())
}

/// Stages that an agent does not work on a task any more.
pub(crate) fn leave(writing: &mut Writing<'_>, agent: &AgentId, task: &str) -> Result<()> {
    let file = layout::agent(agent);
    let Some(mut record) = writing.read::<Agent>(&file)? else {
        return Ok(());
    };
    if record.current_task.as_deref() == Some(task) {
        record.current_task = None;
        if record.status == AgentStatus::Active {
            record.become_status(AgentStatus::Idle)?;
        }
        writing.put(&file, &record)?;
    }
    Ok(())
}

/// Stages that clocks stand still, or go on: the cell's, and those of the claims whose cell or holder is paused.
pub(crate) fn pace(writing: &mut Writing<'_>, now: &Moment, fence: &mut Fence) -> Result<()> {
    let cell: Option<Cell> = writing.read(layout::CELL)?;
    let Some(mut cell) = cell else { return Ok(()) };
    let is_paused = cell.status == CellStatus::Paused;
    match (is_paused, fence.still_since) {
        (true, None) => fence.still_since = Some(now.wall),
        (false, Some(since)) => {
            fence.still_since = None;
            let seconds = u64::try_from(now.wall.since(since)).unwrap_or(0);
            cell.paused_seconds = Some(cell.paused_seconds.unwrap_or(0).saturating_add(seconds));
            writing.put(layout::CELL, &cell)?;
        }
        _ => {}
    }
    for (id, hold) in &mut fence.held {
        let holder = match AgentId::new(&*hold.agent) {
            Ok(id) => writing.read_sound::<Agent>(&layout::agent(&id))?,
            Err(_) => None,
        };
        let holder_is_paused = holder.is_some_and(|agent| agent.status == AgentStatus::Paused);
        let Some(seconds) = hold.pace(is_paused || holder_is_paused, now) else {
            continue;
        };
        let file = layout::task(&TaskId::new(id.as_str())?);
        if let Some(mut task) = writing.read::<Task>(&file)?
            && let Some(claim) = &mut task.claim
        {
            claim.paused_seconds = Some(claim.paused_seconds.unwrap_or(0).saturating_add(seconds));
            claim.expires_at = hold.lease.as_ref().map(|lease| lease.expires_at);
            writing.put(&file, &task)?;
        }
    }
    for offer in fence.offers.values_mut() {
        match (is_paused, offer.deadline.left) {
            (true, None) => offer.deadline.freeze(now),
            (false, Some(_)) => offer.deadline.thaw(now),
            _ => {}
        }
    }
    Ok(())
}

/// Stages what follows from a pause or its end: leases stand still or go on, and the next one knows when to look.
pub(crate) fn follow_pause(
    writing: &mut Writing<'_>,
    now: &Moment,
    until: Option<Time>,
) -> Result<()> {
    let mut fence = fence::read(writing)?;
    pace(writing, now, &mut fence)?;
    fence.wake = [fence.wake, until].into_iter().flatten().min();
    fence::put_beside(writing, &fence)
}

/// Stages that the next one looks at every pause: an edit may have changed one.
pub(crate) fn look_again(writing: &mut Writing<'_>) -> Result<()> {
    let mut fence = fence::read(writing)?;
    fence.wake = Some(writing.now());
    fence::put_beside(writing, &fence)
}

/// When the next pause ends.
fn next_wake(writing: &Writing<'_>) -> Result<Option<Time>> {
    let mut next = due::<Cell>(writing, layout::CELL)?.and_then(|cell| cell.paused_until);
    for id in agents(writing)? {
        let until =
            due::<Agent>(writing, &layout::agent(&id))?.and_then(|agent| agent.paused_until);
        next = [next, until].into_iter().flatten().min();
    }
    Ok(next)
}

/// Makes what is staged true as an act of its own.
pub(crate) fn commit_as(writing: &mut Writing<'_>, name: &'static str, what: &str) -> Result<()> {
    let act = Act {
        name,
        why: None,
        ..writing.act().clone()
    };
    writing.commit_as(act, what)
}

/// The agents. A folder that is none, or a link, is for validate to name; it keeps nobody from writing elsewhere.
fn agents(writing: &Writing<'_>) -> Result<Vec<AgentId>> {
    writing
        .cell()
        .agent_ids()
        .or_else(|error| match error.kind() {
            Kind::Malformed => Ok(Vec::new()),
            _ => Err(error),
        })
}

/// Ends a pause of the cell whose time is over.
fn wake_cell(writing: &mut Writing<'_>, now: &Moment, fence: &mut Fence) -> Result<Vec<String>> {
    let Some(mut cell) = due::<Cell>(writing, layout::CELL)? else {
        return Ok(Vec::new());
    };
    let Some(until) = cell
        .paused_until
        .filter(|until| *until <= now.wall && cell.status == CellStatus::Paused)
    else {
        return Ok(Vec::new());
    };
    cell.become_status(CellStatus::Active)?;
    writing.put(layout::CELL, &cell)?;
    pace(writing, now, fence)?;
    fence::put_beside(writing, fence)?;
    let what = format!("resumed the cell: its pause ended at {until}");
    commit_as(writing, "cell resume", &what)?;
    Ok(vec![what])
}

/// Ends pauses of agents whose time is over.
fn wake_agents(writing: &mut Writing<'_>, now: &Moment, fence: &mut Fence) -> Result<Vec<String>> {
    let mut woken = Vec::new();
    for id in agents(writing)? {
        let file = layout::agent(&id);
        let Some(mut agent) = due::<Agent>(writing, &file)? else {
            continue;
        };
        let is_over = agent.paused_until.is_some_and(|until| until <= now.wall);
        if is_over && agent.status == AgentStatus::Paused {
            agent.become_status(agent.working_status())?;
            writing.put(&file, &agent)?;
            woken.push(id.to_string());
        }
    }
    if woken.is_empty() {
        return Ok(Vec::new());
    }
    pace(writing, now, fence)?;
    fence::put_beside(writing, fence)?;
    let what = format!("resumed {}: the pause ended", woken.join(", "));
    commit_as(writing, "agent resume", &what)?;
    Ok(vec![what])
}

/// A record that may hold a pause with an end. Most files do not have the word, and are not taken apart; one that is not
/// sound keeps nobody from writing to the cell, least of all who mends it.
fn due<T>(writing: &Writing<'_>, file: &str) -> Result<Option<T>>
where
    T: crate::mission::sheet::Record + serde::de::DeserializeOwned,
{
    const WORD: &[u8] = b"paused_until";
    let read = || -> Result<Option<T>> {
        match writing.text(file)? {
            Some(text) if memchr::memmem::find(&text, WORD).is_some() => writing.read(file),
            _ => Ok(None),
        }
    };
    read().or_else(|error: Error| match error.kind() {
        Kind::Malformed => Ok(None),
        _ => Err(error),
    })
}
