//! A journal read line by line, oldest first, through one buffer: however long it is, no more than a line is kept.

use super::{LONGEST, rotation};
use crate::base::error::Result;
use crate::store::folder::Folder;
use crate::store::layout;
use rustix::fd::OwnedFd;
use rustix::fs::{OFlags, Stat};
use rustix::io::retry_on_intr;
use std::collections::VecDeque;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// A line as it stands in its file.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'l> {
    /// The file it is in, from the cell's folder.
    pub file: &'l str,
    /// Its number in that file, from 1.
    pub number: u64,
    /// Its bytes without the line end; of one that is too long none.
    pub text: &'l [u8],
    /// Whether its line end is missing: a crash left it, or somebody cut it.
    pub is_torn: bool,
    /// Whether it has more than 16 MiB.
    pub is_too_long: bool,
}

/// A place in a journal, behind a whole line. It stays true when the file is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    file: (u64, u64),
    offset: u64,
}

/// The lines of a journal as it was when this was made.
#[derive(Debug)]
pub struct Lines<'c> {
    cell: &'c Folder,
    waiting: VecDeque<Source>,
    reading: Option<Reading>,
    buffer: Vec<u8>,
    /// What of the buffer is not given yet.
    start: usize,
    filled: usize,
    mark: Option<Mark>,
}

#[derive(Debug)]
struct Source {
    path: String,
    file: (u64, u64),
    /// Where to begin, and where it ended when this was made.
    from: u64,
    length: u64,
    /// Of the live file: it may be renamed before its turn comes.
    handle: Option<OwnedFd>,
}

#[derive(Debug)]
struct Reading {
    source: Source,
    handle: OwnedFd,
    /// How far it was read into the buffer.
    at: u64,
    number: u64,
}

/// A line found in the buffer.
struct Found {
    from: usize,
    to: usize,
    is_torn: bool,
    is_too_long: bool,
}

impl<'c> Lines<'c> {
    /// All lines of a cell's journal. Without the cell's lock the last one may be in the making.
    pub fn of(cell: &'c Folder) -> Result<Self> {
        // The live file first: whatever is rotated from now on is newer than what is read here.
        let live = cell.open_file(layout::JOURNAL, OFlags::RDONLY)?;
        let own = live.as_ref().map(|(_, stat)| identity(stat));
        let mut waiting = VecDeque::new();
        for path in rotation::rotated(cell)? {
            match cell.stat(&path)? {
                Some(stat) if Some(identity(&stat)) != own => {
                    waiting.push_back(Source::new(path, &stat, None));
                }
                _ => {}
            }
        }
        if let Some((handle, stat)) = live {
            let path = layout::JOURNAL.to_owned();
            waiting.push_back(Source::new(path, &stat, Some(handle)));
        }
        Ok(Lines {
            cell,
            waiting,
            reading: None,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            mark: None,
        })
    }

    /// Leaves out what lies before a mark. Where the marked file is gone, only what is live now is new.
    #[must_use]
    pub fn behind(mut self, mark: Mark) -> Self {
        let marked = |source: &Source| source.file == mark.file;
        match self.waiting.iter().position(marked) {
            Some(at) => {
                self.waiting.drain(..at);
                if let Some(first) = self.waiting.front_mut() {
                    first.from = mark.offset.min(first.length);
                }
            }
            None => self.waiting.retain(|source| source.handle.is_some()),
        }
        self.mark = Some(mark);
        self
    }

    /// Where the last whole line given ends.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// The names of the files that are still to read, oldest first, with their sizes in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let waiting = self.waiting.iter();
        waiting.map(|source| (source.path.as_str(), source.length))
    }

    /// The next line.
    #[allow(
        clippy::should_implement_trait,
        reason = "what it gives lies in the buffer, and an iterator cannot lend"
    )]
    pub fn next(&mut self) -> Result<Option<Raw<'_>>> {
        let found = loop {
            if self.reading.is_none() && !self.open_next()? {
                return Ok(None);
            }
            match self.find()? {
                Some(found) => break found,
                None => self.reading = None,
            }
        };
        let Some(reading) = &mut self.reading else {
            return Ok(None);
        };
        reading.number += 1;
        if !found.is_torn {
            self.mark = Some(Mark {
                file: reading.source.file,
                offset: reading.at - (self.filled - self.start) as u64,
            });
        }
        Ok(Some(Raw {
            file: &reading.source.path,
            number: reading.number,
            text: self.buffer.get(found.from..found.to).unwrap_or_default(),
            is_torn: found.is_torn,
            is_too_long: found.is_too_long,
        }))
    }

    fn open_next(&mut self) -> Result<bool> {
        let Some(mut source) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let handle = match source.handle.take() {
            Some(handle) => handle,
            None => match self.cell.open_file(&source.path, OFlags::RDONLY)? {
                Some((handle, _)) => handle,
                None => {
                    let gone = rustix::io::Errno::NOENT;
                    return Err(self.cell.trouble("read", &source.path, gone));
                }
            },
        };
        (self.start, self.filled) = (0, 0);
        self.reading = Some(Reading {
            at: source.from,
            source,
            handle,
            number: 0,
        });
        Ok(true)
    }

    /// Finds the next line of the file being read; none at its end.
    fn find(&mut self) -> Result<Option<Found>> {
        let mut scanned = 0;
        let mut is_too_long = false;
        loop {
            let unread = self.buffer.get(self.start..self.filled).unwrap_or_default();
            let fresh = unread.get(scanned..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let (from, to) = (self.start, self.start + scanned + at);
                self.start = to + 1;
                let is_too_long = is_too_long || to - from > LONGEST;
                return Ok(Some(Found {
                    from: if is_too_long { to } else { from },
                    to,
                    is_torn: false,
                    is_too_long,
                }));
            }
            scanned = unread.len();
            if scanned > LONGEST {
                // Only its end is looked for now.
                is_too_long = true;
                (self.start, self.filled, scanned) = (0, 0, 0);
            }
            if !self.fill()? {
                let (from, to) = (self.start, self.filled);
                self.start = to;
                return Ok((is_too_long || to > from).then_some(Found {
                    from: if is_too_long { to } else { from },
                    to,
                    is_torn: true,
                    is_too_long,
                }));
            }
        }
    }

    /// Reads more of the file behind what is not given yet. False at its end.
    fn fill(&mut self) -> Result<bool> {
        let Some(reading) = &mut self.reading else {
            return Ok(false);
        };
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        if self.buffer.len() < self.filled + CHUNK {
            self.buffer
                .resize((self.filled + CHUNK).next_power_of_two(), 0);
        }
        let left = reading.source.length.saturating_sub(reading.at);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let most = room.len().min(left);
        let room = room.get_mut(..most).unwrap_or_default();
        let got = retry_on_intr(|| rustix::io::pread(&reading.handle, &mut *room, reading.at))
            .map_err(|error| self.cell.trouble("read", &reading.source.path, error))?;
        self.filled += got;
        reading.at += got as u64;
        Ok(got > 0)
    }
}

impl Source {
    fn new(path: String, stat: &Stat, handle: Option<OwnedFd>) -> Self {
        Source {
            path,
            file: identity(stat),
            from: 0,
            length: u64::try_from(stat.st_size).unwrap_or(0),
            handle,
        }
    }
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
