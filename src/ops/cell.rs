//! What one can do with a cell as a whole.

use crate::base::error::{Error, Kind, Result};
use crate::mission::cell::{Cell, CellStatus};
use crate::store::commit::{Act, Writing};
use crate::store::layout;

/// Ends a pause of the cell whose time is over, and says so. Every command that writes does this first.
pub fn wake(writing: &mut Writing<'_>) -> Result<Vec<String>> {
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

/// A record that may hold a pause with an end. Most files do not have the word, and are not taken apart; one that is not
/// sound keeps nobody from writing to the cell, least of all who mends it.
pub(crate) fn due<T>(writing: &Writing<'_>, file: &str) -> Result<Option<T>>
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
