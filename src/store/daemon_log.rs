//! The daemon's own log under its root, one JSON object a line, so that `daemon log` finds it wherever the daemon's terminal
//! is. A full one becomes the one before.

use crate::base::error::Result;
use crate::store::folder::{Folder, write_all};
use crate::store::layout;
use crate::store::root::Root;
use crate::store::tail::{self, Follow};
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;

/// Bytes at which a new file begins: 1 MiB.
const FULL: u64 = 1 << 20;

/// The log, open for writing.
#[derive(Debug)]
pub struct DaemonLog {
    root: Folder,
    file: OwnedFd,
    size: u64,
}

impl DaemonLog {
    /// Opens it, and goes on at its end. The root's own folder is there.
    pub fn open(root: &Root) -> Result<Self> {
        let root = root.folder().folder_there("")?;
        let (file, size) = open(&root)?;
        Ok(DaemonLog { root, file, size })
    }

    /// Adds a line, without waiting for the disk.
    pub fn add(&mut self, line: &str) -> Result<()> {
        if self.size >= FULL {
            self.root
                .rename(layout::DAEMON_LOG, layout::DAEMON_LOG_BEFORE)?;
            (self.file, self.size) = open(&self.root)?;
        }
        let text = format!("{line}\n");
        write_all(&self.file, text.as_bytes())
            .map_err(|error| self.root.trouble("write", layout::DAEMON_LOG, error))?;
        self.size += text.len() as u64;
        Ok(())
    }
}

fn open(root: &Folder) -> Result<(OwnedFd, u64)> {
    root.make_file(layout::DAEMON_LOG)?;
    let opened = root.open_file(layout::DAEMON_LOG, OFlags::WRONLY | OFlags::APPEND)?;
    let (file, stat) =
        opened.ok_or_else(|| root.trouble("open", layout::DAEMON_LOG, rustix::io::Errno::NOENT))?;
    Ok((file, u64::try_from(stat.st_size).unwrap_or(0)))
}

/// The last lines of the log, the oldest first.
pub fn last(root: &Root, lines: usize) -> Result<Vec<String>> {
    tail::last(
        root.folder(),
        [layout::DAEMON_LOG, layout::DAEMON_LOG_BEFORE],
        lines,
    )
}

/// Reads what is added to the log, as it comes.
pub fn follow(root: &Root) -> Result<Follow> {
    Follow::of(root.folder(), layout::DAEMON_LOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_becomes_the_one_before_and_the_last_lines_are_of_both() {
        let place = tempfile::tempdir().unwrap();
        let root = Root::open(place.path()).unwrap();
        root.make_runtime().unwrap();
        let mut log = DaemonLog::open(&root).unwrap();
        log.add("one").unwrap();
        log.size = FULL;
        log.add("two").unwrap();
        drop(log);
        let mut log = DaemonLog::open(&root).unwrap();
        assert_eq!(log.size, 4);
        log.add("three").unwrap();
        assert_eq!(last(&root, 2).unwrap(), ["two", "three"]);
        assert_eq!(last(&root, 9).unwrap(), ["one", "two", "three"]);
    }
}
