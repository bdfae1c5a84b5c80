//! The end of a log: its last lines, and what is added to it.

use crate::base::error::Result;
use crate::store::folder::Folder;
use crate::store::layout;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::retry_on_intr;

/// How much of a file is read at once, from its end.
const PIECE: u64 = 64 << 10;
/// The most bytes of lines that are given: what is longer is cut at its beginning.
const MOST: usize = 16 << 20;

/// The last lines of a log, the oldest first. `files`: its file, then those that came before it, the youngest first.
pub fn last<N: AsRef<str>>(
    folder: &Folder,
    files: impl IntoIterator<Item = N>,
    lines: usize,
) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for file in files {
        let left = lines.saturating_sub(found.len());
        if left == 0 {
            break;
        }
        let text = end_of(folder, file.as_ref(), left)?;
        let text = String::from_utf8_lossy(&text);
        found.extend(text.lines().rev().take(left).map(str::to_owned));
    }
    found.reverse();
    Ok(found)
}

/// The end of a file that has so many lines in it, if it has as many.
fn end_of(folder: &Folder, name: &str, lines: usize) -> Result<Vec<u8>> {
    let Some((file, stat)) = folder.open_file(name, OFlags::RDONLY)? else {
        return Ok(Vec::new());
    };
    let mut from = u64::try_from(stat.st_size).unwrap_or(0);
    let mut text: Vec<u8> = Vec::new();
    while from > 0 && text.len() < MOST {
        let size = PIECE.min(from);
        from -= size;
        let mut piece = vec![0; usize::try_from(size).unwrap_or(0)];
        let got = retry_on_intr(|| rustix::io::pread(&file, &mut piece, from))
            .map_err(|error| folder.trouble("read", name, error))?;
        piece.truncate(got);
        piece.append(&mut text);
        text = piece;
        // One more: the first one may be cut.
        if memchr::memchr_iter(b'\n', &text).count() > lines {
            break;
        }
    }
    Ok(text)
}

/// Reads what is added to a log, as it comes, also where a new file begins.
#[derive(Debug)]
pub struct Follow {
    folder: Folder,
    name: String,
    watch: OwnedFd,
    file: Option<OwnedFd>,
    rest: Vec<u8>,
    is_unheard: bool,
}

impl Follow {
    /// Goes on from the log's present end.
    pub fn of(above: &Folder, file: &str) -> Result<Self> {
        let (place, name) = layout::split(file);
        let folder = above.folder_there(place)?;
        let trouble = |error| folder.trouble("watch", "", error);
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(trouble)?;
        let flags =
            WatchFlags::ONLYDIR | WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        inotify::add_watch(&watch, folder.path(), flags).map_err(trouble)?;
        let file = folder
            .open_file(name, OFlags::RDONLY)?
            .map(|(file, _)| file);
        if let Some(file) = &file {
            seek(file, SeekFrom::End(0)).map_err(|error| folder.trouble("read", name, error))?;
        }
        Ok(Follow {
            name: name.to_owned(),
            folder,
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
                .map_err(|error| self.folder.trouble("wait for", &self.name, error))?;
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
        let there = self.folder.open_file(&self.name, OFlags::RDONLY)?;
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
                .map_err(|error| self.folder.trouble("read", &self.name, error))?;
            if got == 0 {
                return Ok(());
            }
            self.rest
                .extend_from_slice(room.get(..got).unwrap_or_default());
        }
    }
}
