//! The tar side of a backup: records in chunks, which another thread compresses and writes while the next are read.

use super::{CHUNK, LEVEL, RECORD};
use crate::base::error::{Error, Result};
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use tar::{EntryType, Header};

/// The most bytes of a path that a plain header holds.
const SHORT: usize = 100;
/// The name that GNU tar gives to an entry that holds the long path of the next one.
const LONG_LINK: &str = "././@LongLink";

/// Where tar records go: to the thread that compresses them.
pub(super) struct Tape {
    send: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    filled: usize,
}

impl Tape {
    pub(super) fn new(send: SyncSender<Vec<u8>>, spare: Receiver<Vec<u8>>) -> Self {
        Tape {
            send,
            spare,
            chunk: vec![0; CHUNK],
            filled: 0,
        }
    }

    /// Room for bytes to come; never empty.
    pub(super) fn room(&mut self) -> Result<&mut [u8]> {
        if self.filled == CHUNK {
            self.pass_on()?;
        }
        Ok(self.chunk.get_mut(self.filled..).unwrap_or_default())
    }

    /// So many bytes were put into the room.
    pub(super) fn took(&mut self, bytes: usize) {
        self.filled = (self.filled + bytes).min(CHUNK);
    }

    pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = self.room()?;
            let now = room.len().min(bytes.len());
            if let (Some(room), Some(part)) = (room.get_mut(..now), bytes.get(..now)) {
                room.copy_from_slice(part);
            }
            self.took(now);
            bytes = bytes.get(now..).unwrap_or_default();
        }
        Ok(())
    }

    fn zeros(&mut self, mut bytes: u64) -> Result<()> {
        while bytes > 0 {
            let room = self.room()?;
            let now = room.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
            room.iter_mut().take(now).for_each(|byte| *byte = 0);
            self.took(now);
            bytes -= now as u64;
        }
        Ok(())
    }

    fn pass_on(&mut self) -> Result<()> {
        let next = self.spare.try_recv().unwrap_or_else(|_| vec![0; CHUNK]);
        let mut full = std::mem::replace(&mut self.chunk, next);
        full.truncate(self.filled);
        self.chunk.resize(CHUNK, 0);
        self.filled = 0;
        self.send.send(full).map_err(|_| stopped())
    }

    /// The header of a file.
    pub(super) fn file(&mut self, path: &str, bytes: u64, is_executable: bool) -> Result<()> {
        let mode = if is_executable { 0o755 } else { 0o644 };
        self.header(path, EntryType::Regular, bytes, mode)
    }

    /// The header of a folder.
    pub(super) fn folder(&mut self, path: &str) -> Result<()> {
        self.header(&format!("{path}/"), EntryType::Directory, 0, 0o755)
    }

    /// A file whose bytes are at hand.
    pub(super) fn whole(&mut self, path: &str, text: &[u8], is_executable: bool) -> Result<()> {
        self.file(path, text.len() as u64, is_executable)?;
        self.put(text)?;
        self.fill_record(text.len() as u64)
    }

    /// Fills the last record of a file of so many bytes.
    pub(super) fn fill_record(&mut self, bytes: u64) -> Result<()> {
        self.zeros(bytes.next_multiple_of(RECORD as u64) - bytes)
    }

    fn header(&mut self, path: &str, sort: EntryType, bytes: u64, mode: u32) -> Result<()> {
        if path.len() > SHORT {
            let mut long = blank(EntryType::GNULongName, path.len() as u64 + 1, 0o644);
            set_path(&mut long, LONG_LINK);
            self.put(long.as_bytes())?;
            self.put(path.as_bytes())?;
            self.put(&[0])?;
            self.fill_record(path.len() as u64 + 1)?;
        }
        let mut header = blank(sort, bytes, mode);
        set_path(&mut header, path);
        self.put(header.as_bytes())
    }

    /// Ends the archive.
    pub(super) fn end(mut self) -> Result<()> {
        self.zeros(2 * RECORD as u64)?;
        self.pass_on()
    }
}

fn blank(sort: EntryType, bytes: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(sort);
    header.set_size(bytes);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// What fits; the rest of a longer one stands before.
fn set_path(header: &mut Header, path: &str) {
    let name = &mut header.as_old_mut().name;
    for (byte, of_path) in name.iter_mut().zip(path.bytes()) {
        *byte = of_path;
    }
    header.set_cksum();
}

/// What the reading side says when the writing side ended: that one knows why.
fn stopped() -> Error {
    Error::bug("the backup cannot be written any more")
}

/// Compresses and writes what comes, and gives the writer back.
pub(super) fn compress<W: Write>(
    full: &Receiver<Vec<u8>>,
    spare: &Sender<Vec<u8>>,
    out: W,
) -> std::io::Result<W> {
    let mut encoder = zstd::stream::write::Encoder::new(out, LEVEL)?;
    // With any number of workers from one on the bytes are the same; without, they would be others.
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
    encoder.multithread(u32::try_from(workers).unwrap_or(1))?;
    encoder.include_checksum(true)?;
    while let Ok(chunk) = full.recv() {
        encoder.write_all(&chunk)?;
        // Nobody needs it any more when the last one is read.
        let _ = spare.send(chunk);
    }
    encoder.finish()
}
