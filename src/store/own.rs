//! Files outside missions that mcell writes for its user: a config, metrics. Replaced whole, durably.

use crate::base::error::{Error, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Makes a file, whole and durably, in a folder that is there. False if something has that name already; it stays as it is.
#[allow(
    clippy::disallowed_methods,
    reason = "not a mission's file: there is no cell to open it beneath"
)]
pub fn create(file: &Path, text: &[u8]) -> Result<bool> {
    let folder = folder_of(file);
    let temp = temp_beside(file)?;
    let write = || -> std::io::Result<bool> {
        let mut out = std::fs::File::create_new(&temp)?;
        out.write_all(text)?;
        out.sync_all()?;
        // Unlike a rename, a link never takes the place of what is there.
        match std::fs::hard_link(&temp, file) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
            linked => linked?,
        }
        std::fs::File::open(folder)?.sync_all()?;
        Ok(true)
    };
    let made = write();
    // It has served; where it never came to be there is nothing to remove.
    let _ = std::fs::remove_file(&temp);
    made.map_err(|error| Error::storage(format_args!("write {}", file.display()), error))
}

fn folder_of(file: &Path) -> &Path {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn temp_beside(file: &Path) -> Result<PathBuf> {
    let name = file
        .file_name()
        .ok_or_else(|| Error::usage(format!("{} is no file", file.display())))?;
    Ok(folder_of(file).join(format!(
        ".{}.{}.tmp",
        name.to_string_lossy(),
        std::process::id()
    )))
}

/// Replaces a file: temp beside it, fsync, rename, fsync of the folder. Its mode is kept; a new one is 0644 less the umask.
#[allow(
    clippy::disallowed_methods,
    reason = "not a mission's file: there is no cell to open it beneath"
)]
pub fn replace(file: &Path, text: &[u8]) -> Result<()> {
    let folder = folder_of(file);
    let temp = temp_beside(file)?;
    let write = || -> std::io::Result<()> {
        let mut out = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temp)?;
        if let Ok(about) = std::fs::symlink_metadata(file)
            && about.is_file()
        {
            out.set_permissions(about.permissions())?;
        }
        out.write_all(text)?;
        out.sync_all()?;
        std::fs::rename(&temp, file)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|error| {
        // The temp may not be there; the error that counts is the first.
        let _ = std::fs::remove_file(&temp);
        Error::storage(format_args!("write {}", file.display()), error)
    })
}
