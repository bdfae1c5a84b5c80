//! The requests to bring agents back, on disk: those of which something may still come in one folder, those that are over
//! in another. A request goes from the one to the other in one commit, and only the newest of those that are over are kept.

use crate::base::error::{Error, Result};
use crate::base::ids::RevivalId;
use crate::base::text::shown;
use crate::mission::revival::Revival;
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::layout;

/// How many of those that are over are kept.
pub const KEPT: usize = 100;

/// The ids in one of the two folders, sorted. Files that are none are passed over.
pub fn ids(cell: &OpenCell, folder: &str) -> Result<Vec<RevivalId>> {
    let entries = cell.folder().list(folder)?.unwrap_or_default();
    let stems = entries.iter().filter_map(|entry| {
        std::str::from_utf8(&entry.name)
            .ok()?
            .strip_suffix(layout::JSON)
    });
    let mut ids: Vec<RevivalId> = stems.filter_map(|stem| RevivalId::new(stem).ok()).collect();
    ids.sort();
    Ok(ids)
}

/// One request, wherever it lies, for a look without the lock; none if there is none of that id.
pub fn read(cell: &OpenCell, id: &RevivalId) -> Result<Option<Revival>> {
    for file in [layout::open_revival(id), layout::revival(id)] {
        if let Some(text) = cell.folder().read(&file)? {
            return parse(cell, &file, &text).map(Some);
        }
    }
    Ok(None)
}

/// One that is open, with what is staged; none if there is none of that id.
pub fn read_open(writing: &Writing<'_>, id: &RevivalId) -> Result<Option<Revival>> {
    let file = layout::open_revival(id);
    let text = writing.text(&file)?;
    text.map(|text| parse(writing.cell(), &file, &text))
        .transpose()
}

fn parse(cell: &OpenCell, file: &str, text: &[u8]) -> Result<Revival> {
    serde_json::from_slice(text).map_err(|error| {
        Error::malformed(format!(
            "{} cannot be read: {}",
            cell.folder().path_of(file).display(),
            shown(&error.to_string())
        ))
        .hint("move it away: the agent is asked for again")
    })
}

/// An id that no request of the cell has.
pub fn new_id(cell: &OpenCell) -> Result<RevivalId> {
    loop {
        let id = RevivalId::random();
        let is_free = |file: String| Ok::<_, Error>(cell.folder().stat(&file)?.is_none());
        if is_free(layout::open_revival(&id))? && is_free(layout::revival(&id))? {
            return Ok(id);
        }
    }
}

/// Stages a request as it now stands: in its place, by whether it is over.
pub fn put(writing: &mut Writing<'_>, revival: &Revival) -> Result<()> {
    let id = RevivalId::new(revival.id.as_str())?;
    let text = pretty(revival)?;
    if revival.status.is_open() {
        return writing.put_text(&layout::open_revival(&id), text).map(drop);
    }
    // The new one first: killed in between, there are two rather than none, and the next writer takes the old one away.
    writing.put_text(&layout::revival(&id), text)?;
    if writing.text(&layout::open_revival(&id))?.is_some() {
        writing.take_away(&layout::open_revival(&id))?;
    }
    let closed = ids(writing.cell(), layout::REVIVALS)?;
    if closed.len() < KEPT {
        return Ok(());
    }
    let mut dated = Vec::with_capacity(closed.len());
    for id in closed {
        // What cannot be read stays, for somebody to look at.
        if let Ok(Some(old)) = read(writing.cell(), &id) {
            dated.push((old.closed_at, id));
        }
    }
    dated.sort();
    let surplus = (dated.len() + 1).saturating_sub(KEPT);
    for (_, id) in dated.into_iter().take(surplus) {
        writing.take_away(&layout::revival(&id))?;
    }
    Ok(())
}
