//! The read floor: the least work that sees every JSON file of a root. Each is opened, read to
//! its end and closed; nothing is parsed, nothing is looked at.
//!
//! It is as good as we can make it, because a slow floor would flatter mcell: folders are
//! listed by getdents64 into one buffer a level, files are read into one buffer a thread
//! without asking for their size first, and threads take cells from one counter.

use crate::report::Result;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, Mode, OFlags, RawDir, open, openat};
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
/// Cells a thread takes at once.
const HANDFUL: usize = 8;

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub folders: usize,
    pub files: usize,
    pub bytes: usize,
}

struct Reader {
    seen: Seen,
    bytes: Vec<u8>,
}

/// Reads every `*.json` under `root` with so many threads.
pub fn read(root: &Path, threads: usize) -> rustix::io::Result<Seen> {
    let root = open(root, FOLDER, Mode::empty())?;
    let mut top = Reader::new();
    let cells = top.folder(root.as_fd())?;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut reader = Reader::new();
        loop {
            let first = next.fetch_add(HANDFUL, Ordering::Relaxed);
            if first >= cells.len() {
                return Ok(reader.seen);
            }
            for cell in &cells[first..cells.len().min(first + HANDFUL)] {
                reader.tree(root.as_fd(), cell)?;
            }
        }
    };
    let parts: Vec<rustix::io::Result<Seen>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("a reader"))
            .collect()
    });
    let mut sum = top.seen;
    for part in parts {
        let part = part?;
        sum.folders += part.folders;
        sum.files += part.files;
        sum.bytes += part.bytes;
    }
    Ok(sum)
}

impl Reader {
    fn new() -> Self {
        Self {
            seen: Seen::default(),
            bytes: vec![0; 64 << 10],
        }
    }

    fn tree(&mut self, parent: BorrowedFd, name: &CStr) -> rustix::io::Result<()> {
        let folder = openat(parent, name, FOLDER, Mode::empty())?;
        for inner in self.folder(folder.as_fd())? {
            self.tree(folder.as_fd(), &inner)?;
        }
        Ok(())
    }

    /// Reads the JSON files of one folder; gives the names of the folders in it.
    fn folder(&mut self, folder: BorrowedFd) -> rustix::io::Result<Vec<CString>> {
        self.seen.folders += 1;
        let mut inner = Vec::new();
        let mut listing = [MaybeUninit::uninit(); 8 << 10];
        let mut entries = RawDir::new(folder, &mut listing);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type() == FileType::Directory {
                inner.push(name.to_owned());
            } else if name.to_bytes().ends_with(b".json") {
                self.file(folder, name)?;
            }
        }
        Ok(inner)
    }

    fn file(&mut self, folder: BorrowedFd, name: &CStr) -> rustix::io::Result<()> {
        let file = openat(folder, name, FILE, Mode::empty())?;
        let mut filled = 0;
        loop {
            filled += rustix::io::read(&file, &mut self.bytes[filled..])?;
            // A read that leaves room has reached the end: a second one would only say so.
            if filled < self.bytes.len() {
                break;
            }
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        self.seen.files += 1;
        self.seen.bytes += filled;
        Ok(())
    }
}

/// `cargo bench -- floor ROOT THREADS`; also the process that mcell is measured against.
pub fn speak(root: &Path, threads: usize) -> Result<bool> {
    let Seen {
        folders,
        files,
        bytes,
    } = read(root, threads).map_err(|error| format!("{}: {error}", root.display()))?;
    println!("folders={folders} files={files} bytes={bytes}");
    Ok(true)
}
