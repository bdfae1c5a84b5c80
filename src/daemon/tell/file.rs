//! The queue in its file, `.mcell/stories.json` of the root.

use super::queue::Queue;
use crate::base::error::{Error, Kind, Result};
use crate::store::layout;
use crate::store::root::Root;

/// What the file gave.
pub(super) struct Read {
    pub(super) queue: Queue,
    /// Where it was put aside, and why, if not all of it could be read.
    pub(super) put_aside: Option<(String, String)>,
}

/// Reads the file; none is an empty queue. What cannot be understood is put aside: a daemon that does not start for the
/// sake of old stories would watch nobody. What cannot be *read* is an error: it may be there, and whole.
pub(super) fn read(root: &Root) -> Result<Read> {
    let Some(text) = root.folder().read(layout::STORIES)? else {
        return Ok(Read {
            queue: Queue::default(),
            put_aside: None,
        });
    };
    let (queue, why) = match Queue::of_file(&text) {
        Ok((queue, 0)) => (queue, None),
        Ok((queue, lost)) => (
            queue,
            Some(format!("{lost} of them are of another version")),
        ),
        Err(error) => (Queue::default(), Some(error.to_string())),
    };
    let Some(why) = why else {
        return Ok(Read {
            queue,
            put_aside: None,
        });
    };
    root.write_own(layout::BROKEN_STORIES, &text)?;
    let place = root.folder().path_of(layout::BROKEN_STORIES);
    Ok(Read {
        queue,
        put_aside: Some((place.display().to_string(), why)),
    })
}

/// Writes the file.
pub(super) fn write(root: &Root, queue: &Queue) -> Result<()> {
    let text = queue
        .to_file()
        .map_err(|error| Error::bug(format!("stories cannot be written: {error}")))?;
    let written = root.write_own(layout::STORIES, &text);
    match written {
        // Who makes or removes a cell sweeps temps, ours among them.
        Err(error) if error.kind() == Kind::Storage => root.write_own(layout::STORIES, &text),
        other => other,
    }
}
