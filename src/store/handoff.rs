//! The handoffs of a cell on disk: those that wait in one folder, those that are over in another. A handoff goes from the
//! one to the other in one commit, and only the newest of those that are over are kept.

use crate::base::error::{Error, Result};
use crate::base::ids::HandoffId;
use crate::base::text::shown;
use crate::mission::handoff::Handoff;
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::fence::{Fence, Offer};
use crate::store::layout;

/// How many of those that are over are kept.
pub const KEPT: usize = 100;

/// The ids of the handoffs in one of the two folders, sorted. Files that are none are passed over.
pub fn ids(cell: &OpenCell, folder: &str) -> Result<Vec<HandoffId>> {
    let entries = cell.folder().list(folder)?.unwrap_or_default();
    let stems = entries.iter().filter_map(|entry| {
        std::str::from_utf8(&entry.name)
            .ok()?
            .strip_suffix(layout::JSON)
    });
    let mut ids: Vec<HandoffId> = stems.filter_map(|stem| HandoffId::new(stem).ok()).collect();
    ids.sort();
    Ok(ids)
}

/// One file, for a look without the lock; none if there is no such file.
pub fn read(cell: &OpenCell, file: &str) -> Result<Option<Handoff>> {
    let text = cell.folder().read(file)?;
    text.map(|text| parse(cell, file, &text)).transpose()
}

/// One that waits, with what is staged; none if there is none of that id.
pub fn read_open(writing: &Writing<'_>, id: &HandoffId) -> Result<Option<Handoff>> {
    let file = layout::offer(id);
    let text = writing.text(&file)?;
    text.map(|text| parse(writing.cell(), &file, &text))
        .transpose()
}

fn parse(cell: &OpenCell, file: &str, text: &[u8]) -> Result<Handoff> {
    serde_json::from_slice(text).map_err(|error| {
        Error::malformed(format!(
            "{} cannot be read: {}",
            cell.folder().path_of(file).display(),
            shown(&error.to_string())
        ))
        .hint("move it away: the task stays with who has it")
    })
}

/// An id that no handoff of the cell has.
pub fn new_id(cell: &OpenCell) -> Result<HandoffId> {
    loop {
        let id = HandoffId::random();
        let is_free = |file: String| Ok::<_, Error>(cell.folder().stat(&file)?.is_none());
        if is_free(layout::offer(&id))? && is_free(layout::handoff(&id))? {
            return Ok(id);
        }
    }
}

/// Stages one that waits, as it now stands. The fence is for the caller to stage.
pub fn put_open(writing: &mut Writing<'_>, fence: &mut Fence, handoff: &Handoff) -> Result<()> {
    let id = HandoffId::new(handoff.id.as_str())?;
    writing.put_text(&layout::offer(&id), pretty(handoff)?)?;
    if let Some(deadline) = &handoff.deadline {
        let known = fence.offers.get(&handoff.task_id);
        let deadline = match known.filter(|known| known.id == handoff.id) {
            Some(known) => known.deadline.clone(),
            None => deadline.clone(),
        };
        let id = handoff.id.clone();
        fence
            .offers
            .insert(handoff.task_id.clone(), Offer { id, deadline });
    }
    Ok(())
}

/// Stages that one is over, as it now stands, and that the oldest go. The fence is for the caller to stage.
pub fn put_closed(writing: &mut Writing<'_>, fence: &mut Fence, handoff: &Handoff) -> Result<()> {
    let id = HandoffId::new(handoff.id.as_str())?;
    if fence
        .offers
        .get(&handoff.task_id)
        .is_some_and(|known| known.id == handoff.id)
    {
        fence.offers.remove(&handoff.task_id);
    }
    // The new one first: killed in between, there are two rather than none, and the next writer takes the old one away.
    writing.put_text(&layout::handoff(&id), pretty(handoff)?)?;
    writing.take_away(&layout::offer(&id))?;
    let closed = ids(writing.cell(), layout::HANDOFFS)?;
    if closed.len() < KEPT {
        return Ok(());
    }
    let mut dated = Vec::with_capacity(closed.len());
    for id in closed {
        // What cannot be read stays, for somebody to look at.
        if let Ok(Some(old)) = read(writing.cell(), &layout::handoff(&id)) {
            dated.push((old.closed_at, id));
        }
    }
    dated.sort();
    let surplus = (dated.len() + 1).saturating_sub(KEPT);
    for (_, id) in dated.into_iter().take(surplus) {
        writing.take_away(&layout::handoff(&id))?;
    }
    Ok(())
}
