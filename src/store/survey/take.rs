//! One open and one read a file, into the worker's buffer.

use super::{Depth, FILE, LARGEST_CELL, Part, ROOM, Surveyor};
use crate::mission::survey::OddityKind;
use crate::store::folder::Sort;
use crate::store::layout;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, RawDir};
use rustix::io::{Errno, retry_on_intr};
use std::ops::Range;

impl Surveyor {
    pub(super) fn read_file(
        &mut self,
        held: BorrowedFd<'_>,
        part: Part,
        folder: &str,
        name: &[u8],
        must: bool,
    ) {
        let opened = with_c_string(name, |name| {
            retry_on_intr(|| rustix::fs::openat(held, name, FILE, Mode::empty()))
        });
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT) if must => return self.odd(folder, name, OddityKind::MissingCell),
            // Another may have removed it between the listing and here.
            Err(Errno::NOENT) => return,
            Err(Errno::LOOP) => return self.odd(folder, name, OddityKind::Link),
            // A socket, or a device that is not there.
            Err(Errno::NXIO) => return self.odd(folder, name, OddityKind::Special),
            Err(error) => {
                let kind = self.unread(error);
                return self.odd(folder, name, kind);
            }
        };
        if self.depth == Depth::Thorough
            && let Ok(stat) = rustix::fs::fstat(&file)
            && stat.st_mode & 0o002 != 0
        {
            self.odd(
                folder,
                name,
                OddityKind::WorldWritable(stat.st_mode & 0o7777),
            );
        }
        let from = self.text.len();
        match self.fill(&file, from) {
            // Nothing was read: an empty file, or not a file at all.
            Ok(Fill::Empty) => match rustix::fs::fstat(&file) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {}
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                    return self.odd(folder, name, OddityKind::FolderForFile);
                }
                Ok(_) => return self.odd(folder, name, OddityKind::Special),
                Err(error) => return self.odd(folder, name, OddityKind::Unreadable(words(error))),
            },
            Ok(Fill::Whole) => {}
            Ok(Fill::TooLarge) => {
                self.text.truncate(from);
                let size = rustix::fs::fstat(&file).map_or(layout::LARGEST, |stat| {
                    u64::try_from(stat.st_size).unwrap_or(0)
                });
                return self.odd(folder, name, OddityKind::TooLarge(size));
            }
            Ok(Fill::TooMuch) => {
                self.text.truncate(from);
                return self.odd(folder, name, OddityKind::TooMuch);
            }
            Err(Errno::ISDIR) => return self.odd(folder, name, OddityKind::FolderForFile),
            Err(error) => {
                self.text.truncate(from);
                let kind = self.unread(error);
                return self.odd(folder, name, kind);
            }
        }
        let start = self.names.len();
        if !folder.is_empty() {
            self.names.extend_from_slice(folder.as_bytes());
            self.names.push(b'/');
        }
        self.names.extend_from_slice(name);
        self.files
            .push((part, start..self.names.len(), from..self.text.len()));
    }

    pub(super) fn fill(&mut self, file: &OwnedFd, from: usize) -> rustix::io::Result<Fill> {
        loop {
            if self.text.capacity() - self.text.len() < ROOM {
                self.text.reserve(ROOM.max(self.text.len() / 2));
            }
            let room = self.text.capacity() - self.text.len();
            let got = retry_on_intr(|| {
                rustix::io::read(file, rustix::buffer::spare_capacity(&mut self.text))
            })?;
            let have = self.text.len() - from;
            if have as u64 > layout::LARGEST {
                return Ok(Fill::TooLarge);
            }
            if self.text.len() > LARGEST_CELL {
                return Ok(Fill::TooMuch);
            }
            if got < room {
                return Ok(if have == 0 { Fill::Empty } else { Fill::Whole });
            }
            // The room was filled to the brim. A file that says it is far too large is not read to the cap.
            if let Ok(stat) = rustix::fs::fstat(file)
                && u64::try_from(stat.st_size).unwrap_or(0) > layout::LARGEST
            {
                return Ok(Fill::TooLarge);
            }
        }
    }
    /// Lists a folder into `entries`, sorted by name. False if that failed.
    pub(super) fn list(&mut self, held: BorrowedFd<'_>, folder: &str) -> bool {
        self.entries.clear();
        let mut failed = None;
        let mut raw = RawDir::new(held, self.listing.spare_capacity_mut());
        while let Some(entry) = raw.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let sort = match entry.file_type() {
                FileType::Unknown => {
                    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                    rustix::fs::statat(held, entry.file_name(), flags)
                        .map_or(Sort::Special, |stat| {
                            Sort::of(FileType::from_raw_mode(stat.st_mode))
                        })
                }
                known => Sort::of(known),
            };
            let start = self.names.len();
            self.names.extend_from_slice(name);
            self.entries.push((start..self.names.len(), sort));
        }
        self.sort_entries();
        if let Some(error) = failed {
            let kind = self.unread(error);
            self.odd("", folder.as_bytes(), kind);
        }
        failed.is_none()
    }

    /// By stem, not by name: "a.json" comes before "a-b.json" only with its end cut off.
    fn sort_entries(&mut self) {
        let names = &self.names;
        let text = |range: &Range<usize>| names.get(range.clone()).unwrap_or_default();
        let stem = |range: &Range<usize>| {
            let name = text(range);
            name.strip_suffix(layout::JSON.as_bytes()).unwrap_or(name)
        };
        self.entries.sort_by_cached_key(|(range, _)| stem(range));
    }
}

pub(super) enum Fill {
    Empty,
    Whole,
    TooLarge,
    TooMuch,
}
pub(super) fn words(error: Errno) -> String {
    crate::base::error::in_words(&error.into())
}

/// A name as the system wants it, without an allocation for each of 200,000 files.
pub(super) fn with_c_string<T>(
    name: &[u8],
    act: impl FnOnce(&std::ffi::CStr) -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    let mut buffer = [0; 256];
    match buffer.get_mut(..name.len()) {
        Some(start) if name.len() < 256 => start.copy_from_slice(name),
        _ => return Err(Errno::NAMETOOLONG),
    }
    std::ffi::CStr::from_bytes_until_nul(&buffer)
        .map_err(|_| Errno::INVAL)
        .and_then(act)
}
