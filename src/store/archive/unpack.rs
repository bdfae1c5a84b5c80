//! Reads a backup that may come from anyone: plain files and folders with paths of a cell, no more than there is room for,
//! each as the backup's own list says. Nothing is believed before that list was read.

use super::pipe::{AHEAD, Pipe, decompress};
use super::verify::{Came, broken, verify};
use super::{CHUNK, CONTENTS, Contents, FORMAT, LABEL, Label, RECORD, place};
use crate::base::error::{Error, Kind, Result};
use crate::base::text::shown;
use crate::store::folder::{Folder, Rights, give, write_all};
use crate::store::journal::{hex, sha256};
use crate::store::layout;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use tar::{Archive, EntryType};

mod durable;
mod refusal;
use durable::{Durable, work};
use refusal::{clash, parse, text, unreadable, word};

/// The most entries of a backup.
const MOST_ENTRIES: usize = 4 << 20;
/// The most bytes of its first entry, and of its list.
const LARGEST_LABEL: u64 = 64 << 10;
const LARGEST_CONTENTS: u64 = 1 << 30;
/// The most bytes that may follow the last entry: tar fills its last block.
const LARGEST_END: u64 = 1 << 20;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// What the backup says of itself.
    pub label: Label,
    /// How many files.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// The hash of the journal's last line, as the backup has it.
    pub journal_head: String,
    /// The files that changed while they were backed up.
    pub changed: Vec<String>,
}

/// Where a backup goes, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// An empty folder that nobody looks into.
    pub folder: &'a Folder,
    /// What its folders get; files get the same without the right to run.
    pub rights: Rights,
    /// The most bytes that there is room for.
    pub room: u64,
}

/// Unpacks a backup, verifies it and makes it durable. `begin` is asked when it is known what it is of; `tell` hears how
/// many bytes of the backup's file are read, of how many.
pub fn unpack(
    backup: File,
    into: Target<'_>,
    begin: &dyn Fn(&Label) -> Result<()>,
    tell: &dyn Fn(u64, u64),
) -> Result<Unpacked> {
    let all = backup.metadata().map_or(0, |about| about.len());
    let count = AtomicU64::new(0);
    let (send, full) = mpsc::sync_channel(AHEAD);
    let (give_back, spare) = mpsc::channel();
    let (durable, queue) = Durable::new();
    std::thread::scope(|scope| {
        let count = &count;
        scope.spawn(move || decompress(backup, count, &send, &spare));
        let syncers: Vec<_> = (0..durable::WORKERS)
            .map(|_| {
                let queue = &queue;
                scope.spawn(move || work(queue, into.folder))
            })
            .collect();
        let mut unpacking = Unpacking {
            into,
            begin,
            tell: &|| {
                tell(
                    count.load(Ordering::Relaxed).min(all.saturating_sub(1)),
                    all,
                );
            },
            durable: &durable,
            label: None,
            came: HashMap::new(),
            small: Vec::new(),
            folders: BTreeSet::new(),
            bytes: 0,
        };
        let unpacked = unpacking.all(Pipe::new(full, give_back));
        drop(durable);
        for syncer in syncers {
            syncer
                .join()
                .map_err(|_| Error::bug("the thread that makes files durable fell over"))??;
        }
        unpacked
    })
}

struct Unpacking<'a> {
    into: Target<'a>,
    begin: &'a dyn Fn(&Label) -> Result<()>,
    tell: &'a dyn Fn(),
    durable: &'a Durable,
    label: Option<Label>,
    came: HashMap<String, Came>,
    /// What is made durable when all is verified.
    small: Vec<String>,
    folders: BTreeSet<String>,
    bytes: u64,
}

impl Unpacking<'_> {
    fn all(&mut self, pipe: Pipe) -> Result<Unpacked> {
        let mut archive = Archive::new(pipe);
        let mut long: Option<String> = None;
        let mut contents: Option<Contents> = None;
        let mut entries = 0;
        // Raw: a long path is read here, with a limit, and no other extension is known.
        for entry in archive.entries().map_err(unreadable)?.raw(true) {
            let mut entry = entry.map_err(unreadable)?;
            entries += 1;
            if contents.is_some() {
                return Err(broken(format!("something follows {CONTENTS}")));
            }
            if entries > MOST_ENTRIES {
                return Err(broken(format!("it has more than {MOST_ENTRIES} entries")));
            }
            let header = entry.header();
            let sort = header.entry_type();
            let bytes = header.size().map_err(unreadable)?;
            let is_executable = header.mode().is_ok_and(|mode| mode & 0o100 != 0);
            if sort == EntryType::GNULongName {
                let mut path = self.short(&mut entry, bytes, place::LONGEST as u64 + 1)?;
                path.pop_if(|last| *last == 0);
                long = Some(text(path)?);
                continue;
            }
            let path = match long.take() {
                Some(path) => path,
                None => text(header.path_bytes().into_owned())?,
            };
            if self.label.is_none() && (path != LABEL || sort != EntryType::Regular) {
                return Err(Error::malformed(format!(
                    "this is no backup of a cell: it begins with {}, not with {LABEL}",
                    shown(&path)
                )));
            }
            match sort {
                EntryType::Regular if path == CONTENTS => {
                    let text = self.short(&mut entry, bytes, LARGEST_CONTENTS)?;
                    contents = Some(parse(CONTENTS, &text)?);
                }
                EntryType::Regular if path == LABEL => {
                    let text = self.short(&mut entry, bytes, LARGEST_LABEL)?;
                    self.begins(&text)?;
                }
                EntryType::Regular => self.file(&path, &mut entry, bytes, is_executable)?,
                EntryType::Directory => self.folder(path.strip_suffix('/').unwrap_or(&path))?,
                other => {
                    return Err(broken(format!(
                        "{} is {}: a backup holds files and folders only",
                        shown(&path),
                        word(other)
                    )));
                }
            }
            (self.tell)();
        }
        self.end(&mut archive.into_inner())?;
        let Some(label) = self.label.take() else {
            return Err(Error::malformed("this is no backup of a cell: it is empty"));
        };
        let contents = contents.ok_or_else(|| broken(format!("it ends without {CONTENTS}")))?;
        let files = self.came.len() - 1;
        verify(&contents, std::mem::take(&mut self.came))?;
        for path in self.small.drain(..) {
            self.durable.path(path);
        }
        self.durable.path(String::new());
        for folder in std::mem::take(&mut self.folders) {
            self.durable.path(folder);
        }
        let changed = contents.files.iter().filter(|listed| listed.changed);
        Ok(Unpacked {
            label,
            files,
            bytes: self.bytes,
            changed: changed.map(|listed| listed.path.clone()).collect(),
            journal_head: contents.journal_head,
        })
    }

    /// The whole of a short entry.
    fn short(&self, entry: &mut impl Read, bytes: u64, most: u64) -> Result<Vec<u8>> {
        if bytes > most {
            return Err(broken(format!(
                "an entry of it has {bytes} bytes, and {most} is the most"
            )));
        }
        let mut text = Vec::new();
        entry
            .take(bytes)
            .read_to_end(&mut text)
            .map_err(unreadable)?;
        if text.len() as u64 != bytes {
            return Err(broken("it ends early"));
        }
        Ok(text)
    }

    fn begins(&mut self, text: &[u8]) -> Result<()> {
        let label: Label = parse(LABEL, text)?;
        if label.format > FORMAT {
            return Err(Error::malformed(format!(
                "the backup was written by mcell {} in form {}, and this mcell knows none above {FORMAT}",
                shown(&label.mcell),
                label.format
            ))
            .hint("restore it with that version or a newer one"));
        }
        if self.label.is_some() {
            return Err(broken(format!("{LABEL} is in it twice")));
        }
        (self.begin)(&label)?;
        let came = Came {
            bytes: text.len() as u64,
            sha256: sha256(text),
            times: 1,
        };
        self.came.insert(String::from(LABEL), came);
        self.label = Some(label);
        Ok(())
    }

    fn folder(&mut self, path: &str) -> Result<()> {
        self.check(path, true)?;
        self.make_folder(path)
    }

    /// Makes a folder, parents first.
    fn make_folder(&mut self, path: &str) -> Result<()> {
        if path.is_empty() || self.folders.contains(path) {
            return Ok(());
        }
        let (parent, name) = layout::split(path);
        self.make_folder(parent)?;
        let folder = self.into.folder;
        folder
            .folder_there(parent)
            .and_then(|parent| parent.build_folder(name, Some(self.into.rights)))
            .map_err(|error| clash(path, error))?;
        self.folders.insert(path.to_owned());
        Ok(())
    }

    fn file(
        &mut self,
        path: &str,
        entry: &mut impl Read,
        bytes: u64,
        is_executable: bool,
    ) -> Result<()> {
        self.check(path, false)?;
        if place::is_record(path) && bytes > layout::LARGEST {
            return Err(broken(format!(
                "{} has {bytes} bytes, and a mission file has {} at most",
                shown(path),
                layout::LARGEST
            )));
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.into.room {
            return Err(Error::new(
                Kind::Storage,
                format!(
                    "the backup holds more than the {} bytes that are free here",
                    self.into.room
                ),
            )
            .hint("make room, or name a root on another disk with `--root`"));
        }
        self.make_folder(layout::split(path).0)?;
        let file = self.open(path, is_executable)?;
        let sha256 = self.write(path, &file, entry, bytes)?;
        let times = self.came.get(path).map_or(1, |came| came.times + 1);
        let came = Came {
            bytes,
            sha256,
            times,
        };
        self.came.insert(path.to_owned(), came);
        if bytes >= CHUNK as u64 {
            self.durable.file(file);
        } else {
            self.small.push(path.to_owned());
        }
        Ok(())
    }

    fn open(&self, path: &str, is_executable: bool) -> Result<OwnedFd> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let folder = self.into.folder;
        let opened = match folder.open_new(path, flags) {
            // Read again since it changed: the later one counts. The list must know of it.
            Err(Errno::EXIST) if self.came.contains_key(path) => {
                folder.remove_file(path)?;
                folder.open_new(path, flags)
            }
            opened => opened,
        };
        let file = opened.map_err(|error| clash(path, folder.trouble("write", path, error)))?;
        let mut rights = self.into.rights.for_file();
        if is_executable {
            // Whoever may read it may run it.
            rights.mode |= (rights.mode & 0o444) >> 2;
        }
        give(file.as_fd(), rights)
            .map_err(|error| folder.trouble("set the rights of", path, error))?;
        Ok(file)
    }

    fn write(
        &self,
        path: &str,
        file: &OwnedFd,
        entry: &mut impl Read,
        bytes: u64,
    ) -> Result<String> {
        let mut hash = Sha256::new();
        let most = usize::try_from(bytes)
            .unwrap_or(usize::MAX)
            .clamp(RECORD, CHUNK / 4);
        let mut chunk = vec![0; most];
        let mut left = bytes;
        while left > 0 {
            let got = entry.read(&mut chunk).map_err(unreadable)?;
            let part = chunk.get(..got).unwrap_or_default();
            if part.is_empty() {
                return Err(broken(format!("it ends in the middle of {}", shown(path))));
            }
            hash.update(part);
            write_all(file, part)
                .map_err(|error| self.into.folder.trouble("write", path, error))?;
            left = left.saturating_sub(got as u64);
            (self.tell)();
        }
        Ok(hex(&hash.finalize()))
    }

    fn check(&self, path: &str, is_folder: bool) -> Result<()> {
        match place::fault(path, is_folder) {
            None => Ok(()),
            Some(fault) => Err(broken(format!("{} {fault}", shown(path)))),
        }
    }

    /// Reads to the end, so that a stream that was cut or changed at its end is seen.
    fn end(&self, pipe: &mut Pipe) -> Result<()> {
        let mut chunk = vec![0; 64 << 10];
        let mut after = 0;
        loop {
            let got = pipe.read(&mut chunk).map_err(unreadable)?;
            let part = chunk.get(..got).unwrap_or_default();
            after += got as u64;
            if part.is_empty() {
                return Ok(());
            }
            if after > LARGEST_END || part.iter().any(|byte| *byte != 0) {
                return Err(broken("something follows its end"));
            }
        }
    }
}
