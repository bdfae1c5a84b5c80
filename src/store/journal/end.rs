//! The end of the journal, where the next line goes.

use super::{LONGEST, Line, open_for_append, rotation, sha256};
use crate::base::error::{Error, Kind, Result};
use crate::store::folder::{Folder, write_all};
use crate::store::layout;
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};

/// The end of a journal, read under the exclusive lock.
#[derive(Debug)]
pub struct Journal {
    /// The last whole line, if it can be read.
    pub last: Option<Line>,
    prev: String,
    whole: u64,
    torn: bool,
    most: u64,
    /// What `prev` and `last` were before the line just appended, and its length.
    before: Option<(String, Option<Line>, u64)>,
}

/// The end of one file of a journal.
struct End {
    /// The last whole line, without its line end; none if there is none.
    line: Option<Vec<u8>>,
    /// The bytes up to its end.
    whole: u64,
    /// Whether something follows that has no end.
    torn: bool,
}

impl End {
    /// Reads it from behind; none if there is no such file.
    fn of(cell: &Folder, path: &str) -> Result<Option<Self>> {
        let Some((file, stat)) = cell.open_file(path, OFlags::RDONLY)? else {
            return Ok(None);
        };
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        let mut window = 4096;
        loop {
            let from = length.saturating_sub(window);
            let text = read_range(&file, from, length)
                .map_err(|error| cell.trouble("read", path, error))?;
            // Not by memchr: every command that writes comes by here, and asking a virtual processor what it can do takes
            // longer than these few bytes.
            let last = |text: &[u8]| text.iter().rposition(|byte| *byte == b'\n');
            let end = last(&text).map(|at| at + 1);
            let start = end
                .and_then(|end| last(text.get(..end - 1)?))
                .map(|at| at + 1);
            match (start, end) {
                // Not a whole line in the window, and more before it.
                (None, _) if from > 0 => window *= 4,
                (start, Some(end)) => {
                    let line = text.get(start.unwrap_or(0)..end - 1).unwrap_or_default();
                    let whole = from + end as u64;
                    return Ok(Some(End {
                        line: Some(line.to_vec()),
                        whole,
                        torn: whole < length,
                    }));
                }
                (_, None) => {
                    return Ok(Some(End {
                        line: None,
                        whole: 0,
                        torn: length > 0,
                    }));
                }
            }
        }
    }
}

impl Journal {
    /// Reads the end of a cell's journal; one that is not there is empty. Where a crash left the live file without a whole
    /// line, just rotated or just begun, the last line is that of the newest rotated one.
    pub fn read_end(cell: &Folder) -> Result<Self> {
        let live = End::of(cell, layout::JOURNAL)?;
        let (whole, torn) = live
            .as_ref()
            .map_or((0, false), |end| (end.whole, end.torn));
        let mut last = live.and_then(|end| end.line);
        if last.is_none() {
            for rotated in rotation::rotated(cell)?.iter().rev() {
                last = End::of(cell, rotated)?.and_then(|end| end.line);
                if last.is_some() {
                    break;
                }
            }
        }
        Ok(Journal {
            prev: last.as_deref().map(sha256).unwrap_or_default(),
            last: last.and_then(|line| serde_json::from_slice(&line).ok()),
            whole,
            torn,
            most: rotation::USUAL_MOST,
            before: None,
        })
    }

    /// How many bytes the live file may have; the line that would make it longer begins a new one.
    pub fn rotate_beyond(&mut self, most: u64) {
        self.most = most;
    }

    /// Cuts a line that a crash left without its end. Tells whether there was one.
    pub fn cut_torn_line(&mut self, cell: &Folder) -> Result<bool> {
        if !self.torn {
            return Ok(false);
        }
        if let Some((file, _)) = cell.open_file(layout::JOURNAL, OFlags::WRONLY)? {
            truncate(&file, self.whole)
                .map_err(|error| cell.trouble("mend", layout::JOURNAL, error))?;
        }
        self.torn = false;
        Ok(true)
    }

    /// How many bytes the whole lines of the live file have.
    pub fn live_bytes(&self) -> u64 {
        self.whole
    }

    /// The hash that the next line carries.
    pub fn prev(&self) -> &str {
        &self.prev
    }

    /// Appends a line and fsyncs it: the commit. A failure leaves the journal as it was, or says that nobody knows.
    pub fn append(&mut self, cell: &Folder, line: &Line) -> Result<()> {
        let mut text = serde_json::to_vec(line)
            .map_err(|error| Error::bug(format!("a journal line cannot be written: {error}")))?;
        let hash = sha256(&text);
        if text.len() > LONGEST {
            return Err(Error::refused(format!(
                "the change is too large for one line of {}: it has {} files",
                layout::JOURNAL,
                line.files.len()
            ))
            .hint("do it in several commands"));
        }
        text.push(b'\n');
        if self.whole > 0 && self.whole + text.len() as u64 > self.most {
            rotation::rotate(cell)?;
            self.whole = 0;
        }
        let file = open_for_append(cell, layout::JOURNAL)?;
        if let Err(error) = write_all(&file, &text) {
            truncate(&file, self.whole).map_err(|again| unknown(cell, again))?;
            return Err(cell.trouble("write", layout::JOURNAL, error));
        }
        retry_on_intr(|| rustix::fs::fsync(&file)).map_err(|error| unknown(cell, error))?;
        self.whole += text.len() as u64;
        let prev = std::mem::replace(&mut self.prev, hash);
        let last = self.last.replace(line.clone());
        self.before = Some((prev, last, text.len() as u64));
        Ok(())
    }

    /// Takes the line just appended back, as long as nothing of what it promises was done.
    pub fn take_back(&mut self, cell: &Folder) -> Result<()> {
        let Some((prev, last, length)) = self.before.take() else {
            return Ok(());
        };
        let journal = cell
            .open_file(layout::JOURNAL, OFlags::WRONLY)
            .map_err(|error| error.of_kind(Kind::OutcomeUnknown).hint(LOOK))?;
        if let Some((file, _)) = journal {
            truncate(&file, self.whole - length).map_err(|error| unknown(cell, error))?;
        }
        self.whole -= length;
        self.prev = prev;
        self.last = last;
        Ok(())
    }
}

fn truncate(file: &OwnedFd, length: u64) -> rustix::io::Result<()> {
    retry_on_intr(|| rustix::fs::ftruncate(file, length))?;
    retry_on_intr(|| rustix::fs::fsync(file))
}

fn read_range(file: &OwnedFd, from: u64, to: u64) -> rustix::io::Result<Vec<u8>> {
    let mut text = vec![0; usize::try_from(to - from).unwrap_or(usize::MAX)];
    let mut filled = 0;
    while let Some(rest) = text.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let got = retry_on_intr(|| rustix::io::pread(file, &mut *rest, from + filled as u64))?;
        if got == 0 {
            break;
        }
        filled += got;
    }
    text.truncate(filled);
    Ok(text)
}

fn unknown(cell: &Folder, error: Errno) -> Error {
    cell.trouble("make durable", layout::JOURNAL, error)
        .of_kind(Kind::OutcomeUnknown)
        .hint(LOOK)
}

const LOOK: &str = "the change may have happened or not; look, then type the command again: the next one first finishes or forgets it";
