//! File systems of a test's own: always unmounted, also when the test fails.

use crate::world::{lacks, require};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system. Unmounted, and its loop device given back, when it goes out of sight.
pub(crate) struct Mount {
    place: PathBuf,
}

impl Mount {
    /// Mounts with these words of `mount`; the folder is made. An error says what `mount` said.
    pub(crate) fn new(place: &Path, words: &[&str]) -> Result<Self, String> {
        std::fs::create_dir_all(place).expect("a folder to mount on");
        run(Command::new("mount").args(words).arg(place))?;
        Ok(Mount {
            place: place.to_path_buf(),
        })
    }

    /// Where it is mounted.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if run(Command::new("umount").arg(&self.place)).is_err() {
            // Somebody still has a file open there: gone from sight now, given back when they end.
            let _ = run(Command::new("umount").arg("-l").arg(&self.place));
        }
    }
}

/// Runs a command; an error says what it said.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Tells whether this process may mount; if not, the test is skipped.
#[track_caller]
pub(crate) fn may_mount() -> bool {
    if !rustix::process::geteuid().is_root() {
        return lacks("root", "only root may mount");
    }
    if !require("mount") || !require("umount") {
        return false;
    }
    let place = tempfile::tempdir().expect("a place");
    match Mount::new(place.path(), &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        Ok(_) => true,
        Err(error) => lacks("mount", &format!("nothing can be mounted here: {error}")),
    }
}
