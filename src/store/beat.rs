//! Signs of life on disk, `.mcell/run/<agent>.beat`: one write of one line, in place. Nothing is synced: after a power cut
//! there is nobody alive whose sign it could have been.

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::beat::{self, Beat};
use crate::store::folder::Folder;
use crate::store::layout;
use rustix::fs::OFlags;
use rustix::io::retry_on_intr;

/// Writes a sign. The file, and its folder, are made at the first one.
pub fn write(cell: &Folder, agent: &AgentId, beat: &Beat) -> Result<()> {
    let (at, line) = beat.line()?;
    let file = layout::beat(agent);
    let handle = match cell.open_file(&file, OFlags::WRONLY)? {
        Some((handle, _)) => handle,
        None => {
            cell.make_folder(layout::RUNTIME)?;
            cell.make_folder(layout::RUN)?;
            cell.make_file(&file)?;
            let made = cell.open_file(&file, OFlags::WRONLY)?;
            made.ok_or_else(|| {
                Error::refused(format!("{file} was removed as soon as it was made"))
            })?
            .0
        }
    };
    let trouble = |error| cell.trouble("write", &file, error);
    let wrote = retry_on_intr(|| rustix::io::pwrite(&handle, &line, at as u64)).map_err(trouble)?;
    if wrote < line.len() {
        return Err(trouble(rustix::io::Errno::NOSPC));
    }
    Ok(())
}

/// The last signs of an agent, one of a kind; none if there are none. What is no sign in the file is passed over.
pub fn read(cell: &Folder, agent: &AgentId) -> Result<Vec<Beat>> {
    let file = layout::beat(agent);
    let Some((handle, _)) = cell.open_file(&file, OFlags::RDONLY)? else {
        return Ok(Vec::new());
    };
    let mut text = [0; beat::FILE];
    let length = retry_on_intr(|| rustix::io::pread(&handle, &mut text, 0))
        .map_err(|error| cell.trouble("read", &file, error))?;
    Ok(Beat::read(text.get(..length).unwrap_or_default()))
}
