//! Another life of an agent begins: what the older one knew of itself counts no more.

use super::state::State;
use crate::base::error::Result;
use crate::base::ids::{AgentId, TaskId};
use crate::mission::run::Wanted;
use crate::mission::task::Task;
use crate::store::commit::Writing;
use crate::store::{fence, layout};

/// A life that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// Its number.
    pub(super) incarnation: u64,
    /// The task that it holds, with its token.
    pub(super) claim: Option<(String, u64)>,
}

/// Stages that another life of an agent begins: its number is above every other, and so are the tokens of what it holds.
pub(super) fn begin(writing: &mut Writing<'_>, agent: &AgentId, state: &mut State) -> Result<Life> {
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
    state.want(Wanted::Running);
    state.begin(incarnation);
    Ok(Life { incarnation, claim })
}
