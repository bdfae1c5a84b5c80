//! Writes a backup: reads and hashes what was gathered while another thread compresses it.

use super::gather::{Gathered, Item, Source};
use super::tape::{Tape, compress};
use super::{CHUNK, CONTENTS, Contents, LABEL, Label, Listed};
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::store::folder::Folder;
use crate::store::journal::{hex, sha256};
use rustix::fd::OwnedFd;
use rustix::fs::{OFlags, Stat};
use rustix::io::retry_on_intr;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::sync::mpsc;

/// How often a file that changes while it is read is read again.
const TRIES: usize = 3;
/// Chunks that may wait to be compressed.
const AHEAD: usize = 8;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// How many files.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// What changed while it was read, and what was gone: a sentence each.
    pub notes: Vec<String>,
}

/// Writes the backup of what was gathered. `tell` hears how many bytes are read, of how many.
pub fn pack<W: Write + Send>(
    cell: &Folder,
    gathered: &Gathered,
    label: &Label,
    out: W,
    tell: &dyn Fn(u64, u64),
) -> Result<(W, Packed)> {
    let (send, full) = mpsc::sync_channel(AHEAD);
    let (give_back, spare) = mpsc::channel();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || compress(&full, &give_back, out));
        let mut packing = Packing {
            cell,
            gathered,
            tape: Tape::new(send, spare),
            contents: Contents {
                files: Vec::with_capacity(gathered.items.len()),
                journal_head: gathered.journal_head.clone(),
            },
            packed: Packed::default(),
            tell,
        };
        let read = packing.all(label);
        let Packing { tape, packed, .. } = packing;
        let ended = read.and_then(|()| tape.end());
        let written = writer
            .join()
            .map_err(|_| Error::bug("the thread that compresses fell over"))?;
        // Where both failed, the writer knows why.
        let out = written.map_err(|error| Error::storage("write the backup", error))?;
        ended?;
        Ok((out, packed))
    })
}

struct Packing<'a> {
    cell: &'a Folder,
    gathered: &'a Gathered,
    tape: Tape,
    contents: Contents,
    packed: Packed,
    tell: &'a dyn Fn(u64, u64),
}

impl Packing<'_> {
    fn all(&mut self, label: &Label) -> Result<()> {
        let text = json(label)?;
        self.listed(LABEL, text.len() as u64, sha256(&text));
        self.tape.whole(LABEL, &text, false)?;
        for item in &self.gathered.items {
            match &item.source {
                Source::Folder => self.tape.folder(&item.path)?,
                Source::Aside(..) | Source::Live => self.file(item)?,
            }
        }
        self.packed.files = self.contents.files.len() - 1;
        let text = json(&self.contents)?;
        self.tape.whole(CONTENTS, &text, false)
    }

    fn listed(&mut self, path: &str, bytes: u64, sha256: String) {
        self.contents.files.push(Listed {
            path: path.to_owned(),
            bytes,
            sha256,
            times: 1,
            changed: false,
        });
    }

    fn tell(&self, more: u64) {
        let all = self.gathered.bytes;
        // The end is told when the file is whole.
        (self.tell)((self.packed.bytes + more).min(all.saturating_sub(1)), all);
    }

    fn open(&self, item: &Item) -> Result<Option<(OwnedFd, Stat)>> {
        match &item.source {
            Source::Aside(name, _) => self.gathered.aside.folder().open_file(name, OFlags::RDONLY),
            _ => self.cell.open_file(&item.path, OFlags::RDONLY),
        }
    }

    fn file(&mut self, item: &Item) -> Result<()> {
        let Some((file, stat)) = self.open(item)? else {
            let note = format!("{} was gone when it was to be read", shown(&item.path));
            self.packed.notes.push(note);
            return Ok(());
        };
        let length = match &item.source {
            Source::Aside(_, Some(length)) => Some(*length),
            _ => None,
        };
        let bytes = length.unwrap_or_else(|| size(&stat));
        self.tell(0);
        let is_executable = stat.st_mode & 0o100 != 0;
        let (copied, is_stable) = if bytes <= CHUNK as u64 {
            self.small(item, &file, stat, length, is_executable)?
        } else {
            self.tape.file(&item.path, bytes, is_executable)?;
            let (copied, is_whole) = self.stream(item, &file, bytes)?;
            (
                copied,
                is_whole && (length.is_some() || is_same(&stat, &self.now(item, &file)?)),
            )
        };
        self.listed(&item.path, copied.1, copied.0);
        if !is_stable && bytes > CHUNK as u64 {
            self.again(item, is_executable)?;
        } else if !is_stable {
            self.went_on_changing(item);
        }
        let bytes = self.contents.files.last().map_or(0, |listed| listed.bytes);
        self.packed.bytes += bytes;
        Ok(())
    }

    /// A file that fits into memory is read until it stands still, and written then.
    fn small(
        &mut self,
        item: &Item,
        file: &OwnedFd,
        mut stat: Stat,
        length: Option<u64>,
        is_executable: bool,
    ) -> Result<((String, u64), bool)> {
        let mut text = Vec::new();
        let mut is_stable = false;
        for _ in 0..=TRIES {
            let most = length.unwrap_or(4 * CHUNK as u64);
            read_whole(file, &mut text, most).map_err(|error| self.failed(item, error))?;
            let now = self.now(item, file)?;
            is_stable = match length {
                Some(length) => text.len() as u64 == length,
                None => is_same(&stat, &now) && text.len() as u64 == size(&now),
            };
            if is_stable {
                break;
            }
            stat = now;
        }
        self.tape.whole(&item.path, &text, is_executable)?;
        Ok(((sha256(&text), text.len() as u64), is_stable))
    }

    /// So many bytes of a file, hashed on their way. What it lacks is filled with zeros, since its header says the size:
    /// then it is not whole.
    fn stream(&mut self, item: &Item, file: &OwnedFd, bytes: u64) -> Result<((String, u64), bool)> {
        let mut hash = Sha256::new();
        let mut left = bytes;
        let mut is_whole = true;
        while left > 0 {
            let room = self.tape.room()?;
            let most = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let Some(room) = room.get_mut(..most) else {
                break;
            };
            let mut got = 0;
            if is_whole {
                got = retry_on_intr(|| rustix::io::pread(file, &mut *room, bytes - left))
                    .map_err(|error| self.failed(item, error))?;
            }
            // Again: the tape is borrowed by the room while it is read.
            let room = self.tape.room()?.get_mut(..most).unwrap_or_default();
            if got == 0 {
                is_whole = false;
                room.iter_mut().for_each(|byte| *byte = 0);
                got = most;
            }
            hash.update(room.get(..got).unwrap_or_default());
            self.tape.took(got);
            left -= got as u64;
            self.tell(bytes - left);
        }
        self.tape.fill_record(bytes)?;
        Ok(((hex(&hash.finalize()), bytes), is_whole))
    }

    /// A large file that changed while it was read: copied aside until the copy is of one moment, and written once more.
    /// The later entry of a path counts, as tar has it.
    fn again(&mut self, item: &Item, is_executable: bool) -> Result<()> {
        let aside = &self.gathered.aside;
        let mut last = None;
        let mut is_stable = false;
        for number in 0..TRIES {
            let Some((file, stat)) = self.open(item)? else {
                break;
            };
            let name = format!("again-{}-{number}", self.contents.files.len());
            let file = File::from(file);
            let copied = aside.copy(&name, &file)?;
            let file = OwnedFd::from(file);
            if let Some((before, _)) = last.replace((name, copied.bytes)) {
                aside.folder().remove_file(&before)?;
            }
            is_stable = is_same(&stat, &self.now(item, &file)?);
            if is_stable {
                break;
            }
        }
        if let Some((name, bytes)) = last
            && let Some((file, _)) = aside.folder().open_file(&name, OFlags::RDONLY)?
        {
            self.tape.file(&item.path, bytes, is_executable)?;
            let (copied, _) = self.stream(item, &file, bytes)?;
            if let Some(listed) = self.contents.files.last_mut() {
                (listed.sha256, listed.bytes) = copied;
                listed.times += 1;
            }
            aside.folder().remove_file(&name)?;
        }
        if !is_stable {
            self.went_on_changing(item);
        }
        Ok(())
    }

    fn went_on_changing(&mut self, item: &Item) {
        if let Some(listed) = self.contents.files.last_mut() {
            listed.changed = true;
        }
        let note = format!("{} changed while it was read", shown(&item.path));
        self.packed.notes.push(note);
    }

    fn now(&self, item: &Item, file: &OwnedFd) -> Result<Stat> {
        retry_on_intr(|| rustix::fs::fstat(file)).map_err(|error| self.failed(item, error))
    }

    fn failed(&self, item: &Item, error: rustix::io::Errno) -> Error {
        self.cell.trouble("read", &item.path, error)
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    crate::store::commit::pretty(value)
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// Tells whether a file was left alone between two looks. What was linked aside is judged alike: other tools of the fleet
/// write in place.
fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_size, one.st_mtime, one.st_mtime_nsec)
        == (other.st_size, other.st_mtime, other.st_mtime_nsec)
}

fn read_whole(file: &OwnedFd, text: &mut Vec<u8>, most: u64) -> rustix::io::Result<()> {
    text.clear();
    let mut chunk = vec![0; 64 << 10];
    while (text.len() as u64) < most {
        let left = usize::try_from(most - text.len() as u64).unwrap_or(usize::MAX);
        let want = left.min(chunk.len());
        let Some(room) = chunk.get_mut(..want) else {
            break;
        };
        let got = retry_on_intr(|| rustix::io::pread(file, &mut *room, text.len() as u64))?;
        if got == 0 {
            break;
        }
        text.extend_from_slice(chunk.get(..got).unwrap_or_default());
    }
    Ok(())
}
