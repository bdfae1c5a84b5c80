//! The daemon's own log under its root, one JSON object a line, so that `daemon log` finds it wherever the daemon's terminal
//! is. A full one becomes the one before.

use crate::base::error::Result;
use crate::store::folder::{Folder, write_all};
use crate::store::layout;
use crate::store::root::Root;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::retry_on_intr;

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
    let mut found: Vec<String> = Vec::new();
    for file in [layout::DAEMON_LOG, layout::DAEMON_LOG_BEFORE] {
        let text = root.folder().read(file)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let left = lines.saturating_sub(found.len());
        found.extend(text.lines().rev().take(left).map(str::to_owned));
    }
    found.reverse();
    Ok(found)
}

/// Reads what is added to the log, as it comes.
#[derive(Debug)]
pub struct Follow {
    root: Folder,
    watch: OwnedFd,
    file: Option<OwnedFd>,
    rest: Vec<u8>,
    is_unheard: bool,
}

impl Follow {
    /// Goes on from the log's present end.
    pub fn of(root: &Root) -> Result<Self> {
        let root = root.folder().folder_there("")?;
        let trouble = |error| root.trouble("watch", layout::RUNTIME, error);
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(trouble)?;
        let flags =
            WatchFlags::ONLYDIR | WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        inotify::add_watch(&watch, root.path_of(layout::RUNTIME), flags).map_err(trouble)?;
        let file = root
            .open_file(layout::DAEMON_LOG, OFlags::RDONLY)?
            .map(|(file, _)| file);
        if let Some(file) = &file {
            seek(file, SeekFrom::End(0))
                .map_err(|error| root.trouble("read", layout::DAEMON_LOG, error))?;
        }
        Ok(Follow {
            root,
            watch,
            file,
            rest: Vec::new(),
            is_unheard: false,
        })
    }

    /// Whether whoever reads what is told went away.
    pub fn is_unheard(&self) -> bool {
        self.is_unheard
    }

    /// Waits for the next whole lines, and no longer than `out` is read by somebody.
    pub fn wait(&mut self, out: BorrowedFd<'_>) -> Result<Vec<String>> {
        loop {
            let lines = self.lines()?;
            if !lines.is_empty() || self.is_unheard {
                return Ok(lines);
            }
            let mut both = [
                PollFd::new(&self.watch, PollFlags::IN),
                PollFd::from_borrowed_fd(out, PollFlags::empty()),
            ];
            retry_on_intr(|| poll(&mut both, None))
                .map_err(|error| self.root.trouble("wait for", layout::DAEMON_LOG, error))?;
            self.is_unheard = both[1]
                .revents()
                .intersects(PollFlags::ERR | PollFlags::HUP);
            // What happened does not matter: the file is read anyway.
            let mut room = [0; 4096];
            while rustix::io::read(&self.watch, &mut room).is_ok_and(|got| got > 0) {}
        }
    }

    fn lines(&mut self) -> Result<Vec<String>> {
        self.read()?;
        // A new file has begun: the old one is read to its end.
        let there = self.root.open_file(layout::DAEMON_LOG, OFlags::RDONLY)?;
        if let Some((file, stat)) = there {
            let own = self
                .file
                .as_ref()
                .and_then(|own| rustix::fs::fstat(own).ok());
            if own.is_none_or(|own| (own.st_dev, own.st_ino) != (stat.st_dev, stat.st_ino)) {
                self.file = Some(file);
                self.read()?;
            }
        }
        let whole = memchr::memrchr(b'\n', &self.rest).map_or(0, |end| end + 1);
        let text: Vec<u8> = self.rest.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    fn read(&mut self) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut room = [0; 16 << 10];
        loop {
            let got = retry_on_intr(|| rustix::io::read(file, &mut room))
                .map_err(|error| self.root.trouble("read", layout::DAEMON_LOG, error))?;
            if got == 0 {
                return Ok(());
            }
            self.rest
                .extend_from_slice(room.get(..got).unwrap_or_default());
        }
    }
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
