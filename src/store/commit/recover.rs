//! What the next writer does with what a killed one left: finishes the last line of the journal, then sweeps temps.

use super::Writing;
use crate::base::error::Result;
use crate::store::folder::Folder;
use crate::store::incoming::{self, hash_of};
use crate::store::journal::{Change, tell_mission_log};
use crate::store::layout;

impl Writing<'_> {
    /// Does again what the last line promises and a crash left undone. Tells whether there was something.
    pub(super) fn finish_last_line(&mut self) -> Result<bool> {
        let Some(mut line) = self.journal.last.clone() else {
            return Ok(false);
        };
        // A line that somebody wrote by hand must not move what it likes.
        line.files.retain(is_own);
        let folder = self.cell.folder();
        let mut finished = false;
        for change in &line.files {
            let Some(temp) = change.temp.as_deref() else {
                continue;
            };
            if folder.stat(temp)?.is_none() {
                continue;
            }
            let is = |file: &str, hash: &Option<String>| -> Result<bool> {
                Ok(hash_of(folder, file)? == *hash)
            };
            let undone = match &change.trash {
                None if change.after.is_none() => {
                    folder.stat(&change.file)?.is_some() && is(&change.file, &change.before)?
                }
                // Its text was fsynced before the line was; another text is not what the line promises.
                None => is(temp, &change.after)?,
                Some(trash) => {
                    self.cell.root_folder()?.stat(trash)?.is_none()
                        && folder.stat(&change.file)?.is_some()
                        && is(&change.file, &change.before)?
                }
            };
            // Also where only the temp is left: it is swept.
            finished = true;
            if undone {
                self.held.half_done = true;
                self.move_one(change)?;
            }
        }
        if finished || self.held.was_abandoned {
            // Also where every rename was done: whoever was killed after the last one made none of them durable.
            self.sync_folders(&line)?;
        }
        if finished {
            self.mended
                .push(format!("finished what a crash cut short: {}", line.what));
            tell_mission_log(folder, &line);
        }
        Ok(finished)
    }

    /// Removes the temps of killed writers; nobody else writes while the lock is held.
    pub(super) fn sweep_temps(&self) -> Result<()> {
        for place in layout::WRITTEN_FOLDERS {
            self.cell.folder().sweep_temps(place)?;
        }
        incoming::sweep(self.cell.folder())
    }
}

/// Removes what a killed maker left before it had the lock, or wanted it.
pub(super) fn sweep_made(cell: &Folder) -> Result<()> {
    cell.sweep_temps(layout::RUNTIME)?;
    incoming::sweep(cell)
}

/// Tells whether a change is one that a commit could have written: all its paths lie where they should.
fn is_own(change: &Change) -> bool {
    let beside = layout::split(&change.file).0;
    let is_own_temp = |temp: &str| {
        let (place, name) = layout::split(temp);
        (place == beside || place == layout::INCOMING)
            && name.starts_with('.')
            && name.ends_with(layout::TEMP)
    };
    let is_own_trash = |trash: &str| {
        let below = trash.strip_prefix(layout::TRASH);
        below.is_some_and(|below| below.starts_with('/')) && stays_beneath(trash)
    };
    let is_removal = change.after.is_none() && change.trash.is_none();
    stays_beneath(&change.file)
        && (!is_removal || layout::may_go(&change.file))
        && change.temp.as_deref().is_none_or(is_own_temp)
        && change.trash.as_deref().is_none_or(is_own_trash)
}

/// Tells whether a path is relative and leads nowhere else on its way.
fn stays_beneath(path: &str) -> bool {
    path.split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..")
}
