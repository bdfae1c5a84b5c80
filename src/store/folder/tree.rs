//! Everything beneath a folder, links not followed.

use super::{FOLDER, Folder, Sort};
use crate::base::error::Result;
use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::{Errno, retry_on_intr};
use std::ffi::CString;

/// A thing beneath a folder that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path from the folder on; none if it is not UTF-8.
    pub path: Option<String>,
    /// What it is.
    pub sort: Sort,
    /// Bytes, of a file.
    pub bytes: u64,
}

impl Folder {
    /// Everything beneath a folder beneath but folders, sorted by path; nothing if there is no such folder. Hidden names
    /// count too.
    pub fn tree(&self, beneath: &str) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        if let Some(folder) = self.folder(beneath)? {
            folder.gather(Some(""), &mut found)?;
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    fn gather(&self, before: Option<&str>, found: &mut Vec<Found>) -> Result<()> {
        for entry in self.list("")?.unwrap_or_default() {
            let path = before
                .zip(std::str::from_utf8(&entry.name).ok())
                .map(|(before, name)| crate::store::layout::join(before, name));
            let name = CString::new(entry.name)
                .map_err(|_| self.trouble("look at something in", "", Errno::INVAL))?;
            if entry.sort == Sort::Folder {
                match retry_on_intr(|| {
                    rustix::fs::openat(&self.handle, &name, FOLDER, Mode::empty())
                }) {
                    Ok(handle) => {
                        let below = Folder {
                            handle,
                            path: self.path.join(name.to_string_lossy().as_ref()),
                        };
                        below.gather(path.as_deref(), found)?;
                        continue;
                    }
                    // Gone since the list was made, or something else now: looked at below.
                    Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {}
                    Err(error) => {
                        return Err(self.trouble("open", &name.to_string_lossy(), error));
                    }
                }
            }
            let stat = retry_on_intr(|| {
                rustix::fs::statat(&self.handle, &name, AtFlags::SYMLINK_NOFOLLOW)
            });
            let stat = match stat {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(self.trouble("look at", &name.to_string_lossy(), error)),
            };
            let sort = Sort::of(FileType::from_raw_mode(stat.st_mode));
            let bytes = match sort {
                Sort::File => u64::try_from(stat.st_size).unwrap_or(0),
                _ => 0,
            };
            found.push(Found { path, sort, bytes });
        }
        Ok(())
    }
}
