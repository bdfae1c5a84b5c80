//! Another life of an agent begins: what the older one knew of itself counts no more.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::run::{AgentState, Wanted};
use crate::mission::task::Task;
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::{fence, layout};
use serde_json::{Map, Value};

/// A life that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// Its number.
    pub(super) incarnation: u64,
    /// The task that it holds, with its token.
    pub(super) claim: Option<(String, u64)>,
}

/// Stages that another life of an agent begins: its number is above every other, and so are the tokens of what it holds.
pub(super) fn begin(writing: &mut Writing<'_>, agent: &AgentId) -> Result<Life> {
    let mut fence = fence::read(writing)?;
    let incarnation = fence.next_token();
    let held: Vec<String> = fence
        .held
        .iter()
        .filter(|(_, hold)| hold.agent == agent.as_str())
        .map(|(task, _)| task.clone())
        .collect();
    let mut claim = None;
    for id in held {
        let token = fence.next_token();
        let file = layout::task(&TaskId::new(id.as_str())?);
        if let Some(hold) = fence.held.get_mut(&id) {
            hold.token = token;
        }
        if let Some(mut task) = writing.read::<Task>(&file)?
            && let Some(of_task) = &mut task.claim
        {
            of_task.token = token;
            writing.put(&file, &task)?;
            claim = Some((id, token));
        }
    }
    fence::put(writing, &fence)?;
    set(writing, agent, Wanted::Running, Some(incarnation))?;
    Ok(Life { incarnation, claim })
}

/// Stages what is wanted of an agent, and which life of it was begun.
pub(super) fn set(
    writing: &mut Writing<'_>,
    agent: &AgentId,
    wanted: Wanted,
    incarnation: Option<u64>,
) -> Result<()> {
    let file = layout::agent_state(agent);
    let text = writing.text(&file)?;
    let mut state: Map<String, Value> = match &text {
        None => Map::new(),
        Some(text) => serde_json::from_slice(text).map_err(|error| {
            let path = writing.cell().folder().path_of(&file);
            Error::malformed(format!("{} cannot be read: {error}", path.display()))
                .hint("move it away: the next start makes it again")
        })?,
    };
    state.insert(String::from("wanted"), wanted.word().into());
    if let Some(incarnation) = incarnation {
        state.insert(String::from("incarnation"), incarnation.into());
    }
    writing.put_text(&file, pretty(&state)?).map(drop)
}

/// What is wanted of an agent; nothing is said of one that never was started.
pub(super) fn wanted(cell: &OpenCell, agent: &AgentId) -> Result<Option<Wanted>> {
    let text = cell.folder().read(&layout::agent_state(agent))?;
    let state = text.and_then(|text| serde_json::from_slice::<AgentState>(&text).ok());
    Ok(state.and_then(|state| state.wanted))
}
