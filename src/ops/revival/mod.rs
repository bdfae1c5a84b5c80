//! How an agent is brought back: what follows when it falls, the steps of a try, how that ends, and what an operator may
//! say to it (docs/revival.md). Every step is a commit, and each can be done again by whoever comes next.

mod answer;
mod fall;
mod list;
mod request;
mod steps;
mod substitute;
mod timeline;

pub use answer::answer;
pub use fall::{Done, fallen};
pub use list::{Listed, Told, ToldStep, find, list};
pub use request::{is_under_way, request, require_unwell, see_through};
pub use steps::{carry_out, conclude, recovered};

pub use crate::revival::{Answer, News};

use crate::base::backoff;
use crate::base::boot::Moment;
use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::mission::policy::{Effective, Source};
use crate::mission::revival::Revival;
use crate::ops::run::State;
use crate::revival::Rule;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::revival as on_disk;
use std::time::Duration;

/// What of the daemon's config counts where a cell says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its `auto_revive`: a ceiling.
    pub ceiling: bool,
    /// How many tries may be in vain after the first.
    pub max_retries: u64,
}

/// What counts for an agent of a cell under these terms.
pub(crate) fn rule_of(cell: &OpenCell, id: &AgentId, terms: Terms) -> Result<Rule> {
    let policies = cell.policies()?;
    let policies = Effective::of(&cell.cell()?, policies.as_ref());
    let retries = match policies.max_retries.source {
        Source::Default => terms.max_retries,
        _ => policies.max_retries.value,
    };
    Ok(Rule {
        policy: crate::revival::policy(policies.auto_revive.value, terms.ceiling),
        retries,
        seed: backoff::seed(&[cell.id().as_str(), id.as_str()]),
    })
}

/// How long a life has to prove that it lives.
fn revive_timeout(cell: &OpenCell) -> Result<Duration> {
    let policies = cell.policies()?;
    let policies = Effective::of(&cell.cell()?, policies.as_ref());
    Ok(Duration::from_secs(policies.revive_timeout.value))
}

/// The open request of an agent, with what is staged. One whose file is gone is none.
fn open_of(writing: &Writing<'_>, state: &State) -> Result<Option<Revival>> {
    match state.revival() {
        Some(id) => on_disk::read_open(writing, &id),
        None => Ok(None),
    }
}

/// Stages a request and what is kept of its agent, so that the one names the other exactly while it is open.
fn put(
    writing: &mut Writing<'_>,
    agent: &AgentId,
    state: &mut State,
    revival: &Revival,
) -> Result<()> {
    let is_open = revival.status.is_open();
    state.ask(is_open.then_some(revival.id.as_str()));
    state.count_step();
    let mut revival = revival.clone();
    revival.note(&Moment::showing(writing.now()));
    on_disk::put(writing, &revival)?;
    state.put(writing, agent)
}
