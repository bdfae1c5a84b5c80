//! Makes what is unpacked durable while the rest is still read: the disk need not wait for the processor.

use crate::base::error::{Error, Result};
use crate::store::folder::{Folder, Sort};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags};
use rustix::io::retry_on_intr;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError, mpsc};

/// They wait for the disk, not for a processor; a file system makes what waits at once durable at once.
pub(super) const WORKERS: usize = 8;

/// What is to be made durable.
pub(super) enum Job {
    /// A file that is written.
    File(OwnedFd),
    /// A file or folder, by its path.
    Path(String),
}

/// Takes what is to be made durable; whoever works at it ends when this is dropped.
pub(super) struct Durable {
    send: Sender<Job>,
}

impl Durable {
    pub(super) fn new() -> (Self, Mutex<Receiver<Job>>) {
        let (send, queue) = mpsc::channel();
        (Durable { send }, Mutex::new(queue))
    }

    pub(super) fn file(&self, file: OwnedFd) {
        self.send(Job::File(file));
    }

    pub(super) fn path(&self, path: String) {
        self.send(Job::Path(path));
    }

    fn send(&self, job: Job) {
        // Nobody takes it only where all of them failed; then that is the error.
        let _ = self.send.send(job);
    }
}

/// Makes durable what comes, until nothing comes any more or something fails.
pub(super) fn work(queue: &Mutex<Receiver<Job>>, folder: &Folder) -> Result<()> {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Err(_) => return Ok(()),
            Ok(Job::File(file)) => retry_on_intr(|| rustix::fs::fsync(&file))
                .map_err(|error| Error::storage("make a file of the backup durable", error))?,
            Ok(Job::Path(path)) => by_path(folder, &path)?,
        }
    }
}

fn by_path(folder: &Folder, path: &str) -> Result<()> {
    let stat = folder.stat(path)?;
    let sort = stat.map(|stat| Sort::of(FileType::from_raw_mode(stat.st_mode)));
    if sort == Some(Sort::Folder) {
        return folder.folder_there(path)?.sync();
    }
    match folder.open_file(path, OFlags::RDONLY)? {
        Some((file, _)) => retry_on_intr(|| rustix::fs::fsync(&file))
            .map_err(|error| folder.trouble("fsync", path, error)),
        None => Ok(()),
    }
}
