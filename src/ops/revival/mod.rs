//! How an agent is brought back: what follows when it falls, the steps of a try, how that ends, and what an operator may
//! say to it (docs/revival.md). Every step is a commit, and each can be done again by whoever comes next.

mod answer;
mod fall;
mod list;
mod request;
mod steps;

pub use answer::{Answer, answer};
pub use fall::{Done, News, fallen};
pub use list::{Listed, Told, find, list};
pub use request::{is_under_way, request, require_unwell, see_through};
pub use steps::{carry_out, conclude};

use crate::base::boot::Moment;
use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::mission::policy::{AutoRevive, Effective, Source};
use crate::mission::revival::Revival;
use crate::ops::run::State;
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

/// The policy of a cell under these terms, and how many tries may be in vain.
fn policy_of(cell: &OpenCell, terms: Terms) -> Result<(AutoRevive, u64)> {
    let policies = cell.policies()?;
    let policies = Effective::of(&cell.cell()?, policies.as_ref());
    let retries = match policies.max_retries.source {
        Source::Default => terms.max_retries,
        _ => policies.max_retries.value,
    };
    let policy = crate::revival::policy(policies.auto_revive.value, terms.ceiling);
    Ok((policy, retries))
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
    on_disk::put(writing, revival)?;
    state.put(writing, agent)
}

/// The wait until a moment of this boot's clock; none if that has come.
fn wait_until(at: u64, now: &Moment) -> Option<crate::mission::lease::Lease> {
    let left = at.saturating_sub(now.up).div_ceil(1000);
    (left > 0).then(|| crate::mission::lease::Lease::begin(left, now))
}
