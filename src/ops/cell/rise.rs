//! What rises when a cell goes on from an older state of itself or on another host: whoever the other one gave a token to
//! is behind from then on.

use crate::base::boot::Moment;
use crate::base::document::{Document, edits_between, splice};
use crate::base::error::{Error, Result};
use crate::mission::task::Task;
use crate::store::commit::Writing;
use crate::store::{fence, layout};
use serde_json::Value;

/// By how much. The one that was lost gave fewer tokens since than this.
pub(super) const RISE: u64 = 1 << 20;

/// Stages that every token rises: the counter, and a new one for each task that is taken. Leases begin anew. Gives the
/// highest.
pub(super) fn rise(writing: &mut Writing<'_>, now: &Moment) -> Result<u64> {
    let mut fence = fence::read(writing)?;
    let mut taken = Vec::new();
    for id in writing.cell().task_ids()? {
        let Some(task) = writing.read_sound::<Task>(&layout::task(&id))? else {
            continue;
        };
        if let Some(claim) = &task.claim {
            fence.token = fence.token.max(claim.token);
            taken.push((id, task));
        }
    }
    fence.token = fence.token.saturating_add(RISE);
    for hold in fence.held.values_mut() {
        fence.token += 1;
        hold.token = fence.token;
        if let Some(lease) = &mut hold.lease {
            lease.renew(now);
        }
    }
    for (id, mut task) in taken {
        let Some(claim) = &mut task.claim else {
            continue;
        };
        match fence.held.get(id.as_str()) {
            Some(hold) => {
                claim.token = hold.token;
                claim.expires_at = hold.lease.as_ref().map(|lease| lease.expires_at);
            }
            None => claim.token = fence.next_token(),
        }
        writing.put(&layout::task(&id), &task)?;
    }
    rise_incarnations(writing)?;
    fence::put(writing, &fence)?;
    Ok(fence.token)
}

/// The incarnations of agents rise as tokens do.
fn rise_incarnations(writing: &mut Writing<'_>) -> Result<()> {
    let folder = writing.cell().folder();
    for entry in folder.list(layout::AGENT_STATES)?.unwrap_or_default() {
        let Ok(name) = std::str::from_utf8(&entry.name) else {
            continue;
        };
        if !name.ends_with(layout::JSON) || name.starts_with('.') {
            continue;
        }
        let file = layout::join(layout::AGENT_STATES, name);
        let Some(text) = writing.text(&file)? else {
            continue;
        };
        // One that cannot be read is made anew by whoever starts the agent.
        let Ok(before) = serde_json::from_slice::<Value>(&text) else {
            continue;
        };
        let Some(incarnation) = before.get("incarnation").and_then(Value::as_u64) else {
            continue;
        };
        let mut after = before.clone();
        if let Some(place) = after.get_mut("incarnation") {
            *place = incarnation.saturating_add(RISE).into();
        }
        let broken = |error: &dyn std::fmt::Display| {
            Error::malformed(format!("{}: {error}", folder.path_of(&file).display()))
        };
        let document = Document::parse(&text).map_err(|fault| broken(&fault))?;
        let spliced =
            splice(&document, &edits_between(&before, &after)).map_err(|error| broken(&error))?;
        writing.put_text(&file, spliced.into_bytes())?;
    }
    Ok(())
}
