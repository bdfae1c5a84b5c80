//! What the daemon knows of agents, as it wrote it down last: `<root>/.mcell/health.json`. A restart goes on from it, and
//! whoever looks while no daemon runs.

use crate::base::error::{Error, Result};
use crate::health::roster::{Record, VERSION};
use crate::store::layout;
use crate::store::root::Root;
use serde::Serialize;

/// What is on file; none if there is nothing. A file that cannot be understood is a sentence why, and nothing more: the
/// state it held is learnt again from the agents themselves.
pub fn read(root: &Root) -> Result<(Option<Record>, Option<String>)> {
    let Some(text) = root.folder().read(layout::HEALTH)? else {
        return Ok((None, None));
    };
    let path = root.folder().path_of(layout::HEALTH);
    let lost = |why: String| {
        Ok((
            None,
            Some(format!(
                "{} cannot be read, and is begun anew: {why}",
                path.display()
            )),
        ))
    };
    match serde_json::from_slice::<Record>(&text) {
        Ok(record) if record.version > VERSION => {
            lost(format!("it is of a later form, {}", record.version))
        }
        Ok(record) => Ok((Some(record), None)),
        Err(error) => lost(error.to_string()),
    }
}

/// The text of it.
pub fn text(record: &Record<impl Default + Serialize>) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(record)
        .map_err(|error| Error::bug(format!("the state of agents cannot be written: {error}")))?;
    text.push(b'\n');
    Ok(text)
}

/// Writes its text, whole.
pub fn write(root: &Root, text: &[u8]) -> Result<()> {
    root.write_state(layout::HEALTH, text)
}
