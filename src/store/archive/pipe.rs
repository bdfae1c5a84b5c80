//! The bytes of a backup's tar, decompressed by another thread while the last ones are written.

use super::CHUNK;
use std::fs::File;
use std::io::{Read, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender};

/// Chunks that may wait to be written.
pub(super) const AHEAD: usize = 4;

/// What comes out of the other thread.
pub(super) struct Pipe {
    full: Receiver<Result<Vec<u8>>>,
    spare: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    read: usize,
}

impl Pipe {
    pub(super) fn new(full: Receiver<Result<Vec<u8>>>, spare: Sender<Vec<u8>>) -> Self {
        Pipe {
            full,
            spare,
            chunk: Vec::new(),
            read: 0,
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        while self.read == self.chunk.len() {
            let Ok(next) = self.full.recv() else {
                return Ok(0);
            };
            let done = std::mem::replace(&mut self.chunk, next?);
            self.read = 0;
            // The other thread has ended when nobody takes it.
            let _ = self.spare.send(done);
        }
        let rest = self.chunk.get(self.read..).unwrap_or_default();
        let now = rest.len().min(into.len());
        if let (Some(into), Some(rest)) = (into.get_mut(..now), rest.get(..now)) {
            into.copy_from_slice(rest);
        }
        self.read += now;
        Ok(now)
    }
}

/// Counts what is read of the file, for whoever tells how far it is.
struct Counted<'c> {
    file: File,
    count: &'c AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let got = self.file.read(into)?;
        self.count.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Decompresses a file and sends it on until it ends or nobody takes it any more.
pub(super) fn decompress(
    file: File,
    count: &AtomicU64,
    full: &SyncSender<Result<Vec<u8>>>,
    spare: &Receiver<Vec<u8>>,
) {
    let mut decoder = match zstd::stream::read::Decoder::new(Counted { file, count }) {
        Ok(decoder) => decoder,
        Err(error) => {
            let _ = full.send(Err(error));
            return;
        }
    };
    loop {
        let mut chunk = spare.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        while let Some(room) = chunk.get_mut(filled..).filter(|room| !room.is_empty()) {
            match decoder.read(room) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(error) => {
                    // Whoever reads has gone where this is not taken.
                    let _ = full.send(Err(error));
                    return;
                }
            }
        }
        chunk.truncate(filled);
        if filled == 0 || full.send(Ok(chunk)).is_err() {
            return;
        }
    }
}
