//! The one file that calls fs2, by full path: with its trait imported, `try_lock_shared` and `unlock` silently mean std's.
//! fs2 is old and frozen; moving to std's `File::lock` is a change of this file alone.

#![allow(clippy::disallowed_methods, reason = "the one file that calls fs2")]

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::path::Path;

/// Takes a lock if it is free at once. A signal in between is no answer.
pub fn try_lock(file: &File, alone: bool) -> Result<bool> {
    loop {
        let tried = if alone {
            fs2::FileExt::try_lock_exclusive(file)
        } else {
            fs2::FileExt::try_lock_shared(file)
        };
        match tried {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Takes a lock, however long it takes.
pub fn lock(file: &File, alone: bool) -> Result<()> {
    loop {
        let locked = if alone {
            fs2::FileExt::lock_exclusive(file)
        } else {
            fs2::FileExt::lock_shared(file)
        };
        match locked {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Gives a lock back.
pub fn unlock(file: &File) -> Result<()> {
    fs2::FileExt::unlock(file)
}

/// Bytes of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// What a user may still take.
    pub available: u64,
}

impl Space {
    /// How full it is, in per cent.
    pub fn full(self) -> u64 {
        (self.total.saturating_sub(self.available)) * 100 / self.total.max(1)
    }
}

/// The space of the file system that a path lies on.
pub fn space(path: &Path) -> Result<Space> {
    let stats = fs2::statvfs(path)?;
    Ok(Space {
        total: stats.total_space(),
        available: stats.available_space(),
    })
}
