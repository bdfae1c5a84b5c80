//! The file of a backup while it is written: beside its place, and renamed there when it is whole and durable.

use crate::base::error::{Error, Kind, Result};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A backup's file to be; gone again when dropped unless it was finished.
#[derive(Debug)]
pub struct NewBackup {
    temp: PathBuf,
    target: PathBuf,
    replaces: bool,
    is_done: bool,
}

impl Drop for NewBackup {
    #[allow(
        clippy::disallowed_methods,
        reason = "not a mission's file: there is no cell to open it beneath"
    )]
    fn drop(&mut self) {
        if !self.is_done {
            // What stays is a temp by its name.
            let _ = std::fs::remove_file(&self.temp);
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "not a mission's file: there is no cell to open it beneath"
)]
impl NewBackup {
    /// Begins a file for this place, readable by owner and group: what it holds is as secret as the cell. Refused where
    /// there is one already, unless it may be replaced.
    pub fn begin(target: &Path, replaces: bool) -> Result<(Self, File)> {
        let name = target
            .file_name()
            .ok_or_else(|| Error::usage(format!("{} is no file", target.display())))?;
        if !replaces && target.symlink_metadata().is_ok() {
            return Err(is_there(target));
        }
        let temp = folder_of(target).join(format!(
            ".{}.{}.tmp",
            name.to_string_lossy(),
            std::process::id()
        ));
        let open = || {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o640).open(&temp)
        };
        let file = match open() {
            // Of a killed process that had the same number.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(&temp).and_then(|()| open())
            }
            opened => opened,
        }
        .map_err(|error| Error::storage(format_args!("write {}", target.display()), error))?;
        let begun = NewBackup {
            temp,
            target: target.to_owned(),
            replaces,
            is_done: false,
        };
        Ok((begun, file))
    }

    /// Makes it durable and gives it its name. Gives its bytes.
    pub fn finish(mut self, file: &File) -> Result<u64> {
        let failed = |error| Error::storage(format_args!("write {}", self.target.display()), error);
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        if self.replaces {
            std::fs::rename(&self.temp, &self.target).map_err(failed)?;
        } else {
            let flags = RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(CWD, &self.temp, CWD, &self.target, flags) {
                Ok(()) => {}
                Err(Errno::EXIST) => return Err(is_there(&self.target)),
                // A file system without NOREPLACE: it was looked for at the beginning.
                Err(Errno::INVAL) if self.target.symlink_metadata().is_err() => {
                    std::fs::rename(&self.temp, &self.target).map_err(failed)?;
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
        self.is_done = true;
        File::open(folder_of(&self.target))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed(error).of_kind(Kind::OutcomeUnknown))?;
        Ok(bytes)
    }
}

fn folder_of(target: &Path) -> &Path {
    target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn is_there(target: &Path) -> Error {
    Error::refused(format!("{} is there already", target.display()))
        .hint("`--force` replaces it; `--output FILE` gives another name")
}
