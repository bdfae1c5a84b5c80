//! Pauses with an end: every command that writes first ends those whose time is over, and says so.

use crate::base::error::{Error, Kind, Result};
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::{Cell, CellStatus};
use crate::store::commit::{Act, Writing};
use crate::store::layout;

/// Ends the pauses of the cell and of its agents whose time is over. Gives a sentence for each change.
pub fn wake(writing: &mut Writing<'_>) -> Result<Vec<String>> {
    Ok([wake_cell(writing)?, wake_agents(writing)?].concat())
}

/// Ends a pause of the cell whose time is over, and says so. Every command that writes does this first.
fn wake_cell(writing: &mut Writing<'_>) -> Result<Vec<String>> {
    let Some(mut cell) = due::<Cell>(writing, layout::CELL)? else {
        return Ok(Vec::new());
    };
    let Some(until) = cell
        .paused_until
        .filter(|until| *until <= writing.now() && cell.status == CellStatus::Paused)
    else {
        return Ok(Vec::new());
    };
    cell.become_status(CellStatus::Active)?;
    writing.put(layout::CELL, &cell)?;
    let what = format!("resumed the cell: its pause ended at {until}");
    let act = Act {
        name: "cell resume",
        why: None,
        ..writing.act().clone()
    };
    writing.commit_as(act, &what)?;
    Ok(vec![what])
}

/// Ends pauses of agents whose time is over, and says so. Every command that writes does this first.
fn wake_agents(writing: &mut Writing<'_>) -> Result<Vec<String>> {
    let mut woken = Vec::new();
    let ids = writing.cell().agent_ids();
    // A folder that is none, or a link, is for validate to name; it keeps nobody from writing elsewhere in the cell.
    let ids = ids.or_else(|error| match error.kind() {
        Kind::Malformed => Ok(Vec::new()),
        _ => Err(error),
    })?;
    for id in ids {
        let file = layout::agent(&id);
        let Some(mut agent) = due::<Agent>(writing, &file)? else {
            continue;
        };
        let is_over = agent
            .paused_until
            .is_some_and(|until| until <= writing.now());
        if is_over && agent.status == AgentStatus::Paused {
            agent.become_status(agent.working_status())?;
            writing.put(&file, &agent)?;
            woken.push(id.to_string());
        }
    }
    if woken.is_empty() {
        return Ok(Vec::new());
    }
    let what = format!("resumed {}: the pause ended", woken.join(", "));
    let act = Act {
        name: "agent resume",
        why: None,
        ..writing.act().clone()
    };
    writing.commit_as(act, &what)?;
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
