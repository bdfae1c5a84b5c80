//! What is made for a cell before its lock is taken: copies of large files, whole folders. A commit puts it in its place
//! by one rename; what a killed maker left is swept by the next writer.
//!
//! A maker holds a lock on what it makes, so that a sweep tells the living from the dead.

use crate::base::error::{Error, Result};
use crate::store::cell::OpenCell;
use crate::store::commit::make_path;
use crate::store::folder::{Folder, Rights, give, write_all};
use crate::store::journal::hex;
use crate::store::{fs2, layout};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::Path;

/// Bytes read and hashed at once.
const CHUNK: usize = 256 << 10;

/// How often something is begun again that a sweep took on its way.
const TRIES: u32 = 8;

/// What a copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
}

/// A file or folder made for a commit: whole, durable, and gone again unless a commit takes it.
#[derive(Debug)]
pub struct Incoming {
    making: Making,
    is_folder: bool,
    copied: Copied,
}

/// A folder that is being made.
#[derive(Debug)]
pub struct NewFolder {
    making: Making,
    folder: Folder,
}

/// A name under `INCOMING`, removed when dropped unless a commit took it.
#[derive(Debug)]
struct Making {
    cell: Folder,
    path: String,
    held: File,
    is_taken: bool,
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.is_taken {
            // What stays is swept by the next writer.
            let _ = match self.cell.stat(&self.path) {
                Ok(Some(stat)) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                    self.cell.remove_tree(&self.path)
                }
                _ => self.cell.remove_file(&self.path),
            };
        }
        let _ = fs2::unlock(&self.held);
    }
}

impl Making {
    /// A name of its own that nothing has yet.
    fn name(cell: &OpenCell) -> Result<(Folder, String)> {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let mut made = make_path(cell.folder(), layout::INCOMING);
        for _ in 0..TRIES {
            // A writer may have swept it on its way to its name.
            if made.is_err() {
                made = make_path(cell.folder(), layout::INCOMING);
            }
        }
        made?;
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!(".made.{}-{number}{}", std::process::id(), layout::TEMP);
        let folder = cell.folder().folder_there("")?;
        Ok((folder, layout::join(layout::INCOMING, &name)))
    }

    /// Holds what was just made. A sweep that came in between has removed it: false.
    fn hold(cell: Folder, path: String, held: File) -> Result<Option<Self>> {
        let failed = |error| {
            Error::storage(
                format_args!("lock {}", cell.path_of(&path).display()),
                error,
            )
        };
        if !fs2::try_lock(&held, true).map_err(failed)? || cell.stat(&path)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Making {
            cell,
            path,
            held,
            is_taken: false,
        }))
    }

    /// Makes and holds; again if a sweep was faster.
    fn begin(cell: &OpenCell, make: impl Fn(&Folder, &str) -> Result<File>) -> Result<Self> {
        let mut tries = TRIES;
        loop {
            let (folder, path) = Making::name(cell)?;
            let made = match make(&folder, &path) {
                Ok(made) => made,
                // A sweep may have taken it between two of its steps.
                Err(_) if tries > 1 => {
                    tries -= 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(making) = Making::hold(folder, path, made)? {
                return Ok(making);
            }
        }
    }
}

impl Incoming {
    /// Copies a whole file: shared blocks where the disk can, else its bytes. Durable when it returns.
    pub fn copy(cell: &OpenCell, source: &File) -> Result<Self> {
        let making = Making::begin(cell, new_file)?;
        let place = making.cell.path_of(&making.path);
        let copied = copy_into(&making.held, source)
            .map_err(|error| Error::storage(format_args!("copy to {}", place.display()), error))?;
        Ok(Incoming {
            making,
            is_folder: false,
            copied,
        })
    }

    /// Its path in the cell for now.
    pub fn path(&self) -> &str {
        &self.making.path
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// What it is: of a folder, what its manifest is.
    pub fn copied(&self) -> &Copied {
        &self.copied
    }

    /// Gives it the rights of its place.
    pub(super) fn give(&self, rights: Rights) -> Result<()> {
        give(self.making.held.as_fd(), rights).map_err(|error| {
            self.making
                .cell
                .trouble("set the rights of", self.path(), error)
        })
    }

    /// A commit names it: from now on it is the commit's to move, or the next writer's.
    pub(super) fn take(&mut self) {
        self.making.is_taken = true;
    }
}

impl NewFolder {
    /// Begins a folder.
    pub fn begin(cell: &OpenCell) -> Result<Self> {
        let making = Making::begin(cell, |folder, path| {
            let (parent, name) = layout::split(path);
            folder.folder_there(parent)?.build_folder(name, None)?;
            let opened = folder.folder_there(path)?;
            Ok(File::from(opened.into_handle()))
        })?;
        let folder = making.cell.folder_there(&making.path)?;
        Ok(NewFolder { making, folder })
    }

    /// Writes a file in it, with the folders on its way.
    pub fn write(&self, name: &str, text: &[u8]) -> Result<Copied> {
        let rights = self.rights(name)?;
        self.folder.write_new(name, text, rights)?;
        Ok(Copied {
            sha256: crate::store::journal::sha256(text),
            bytes: text.len() as u64,
        })
    }

    /// Copies a file into it, with the folders on its way.
    pub fn copy(&self, name: &str, source: &File) -> Result<Copied> {
        let rights = self.rights(name)?;
        let file = new_file(&self.folder, name)?;
        let failed = |error| {
            Error::storage(
                format_args!("copy to {}", self.folder.path_of(name).display()),
                error,
            )
        };
        give(file.as_fd(), rights)
            .map_err(|error| self.folder.trouble("set the rights of", name, error))?;
        copy_into(&file, source).map_err(failed)
    }

    /// The folder as it is for now.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    fn rights(&self, name: &str) -> Result<Rights> {
        let (parent, _) = layout::split(name);
        make_path(&self.folder, parent)?;
        let rights = self.folder.rights(parent)?;
        Ok(rights
            .ok_or_else(|| self.folder.trouble("look at", parent, Errno::NOENT))?
            .for_file())
    }

    /// Ends it with its manifest. Durable when it returns.
    pub fn finish(self, manifest: &[u8]) -> Result<Incoming> {
        let copied = self.write(layout::MANIFEST, manifest)?;
        sync_tree(&self.folder)?;
        Ok(Incoming {
            making: self.making,
            is_folder: true,
            copied,
        })
    }
}

/// Fsyncs every folder of a tree; its files are durable already.
fn sync_tree(folder: &Folder) -> Result<()> {
    for entry in folder.list("")?.unwrap_or_default() {
        if entry.sort == crate::store::folder::Sort::Folder
            && let Ok(name) = std::str::from_utf8(&entry.name)
        {
            sync_tree(&folder.folder_there(name)?)?;
        }
    }
    folder.sync()
}

fn new_file(folder: &Folder, path: &str) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    folder
        .open_new(path, flags)
        .map(File::from)
        .map_err(|error| folder.trouble("write", path, error))
}

/// Copies and fsyncs. The copy is hashed, not the source: that may change meanwhile.
fn copy_into(copy: &File, source: &File) -> std::io::Result<Copied> {
    let copied = if rustix::fs::ioctl_ficlone(copy, source).is_ok() {
        read_all(copy, |_| Ok(()))?
    } else {
        let target = OwnedFd::from(copy.try_clone()?);
        read_all(source, |chunk| Ok(write_all(&target, chunk)?))?
    };
    retry_on_intr(|| rustix::fs::fsync(copy))?;
    Ok(copied)
}

/// Reads a file from its beginning to its end, hashes it, and gives each piece to `each`.
fn read_all(
    file: &File,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<Copied> {
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0_u64, vec![0; CHUNK]);
    loop {
        let got = retry_on_intr(|| rustix::io::pread(file, &mut chunk, bytes))?;
        let piece = chunk.get(..got).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        hash.update(piece);
        each(piece)?;
        bytes += got as u64;
    }
    Ok(Copied {
        sha256: hex(&hash.finalize()),
        bytes,
    })
}

/// Opens a file that a user names, to copy it in: a regular file, by whatever way it is reached. Exit 3 if it is not there.
pub fn open_source(path: &Path) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(file) => file,
        Err(Errno::NOENT) => {
            return Err(Error::not_found(format!(
                "there is no file {}",
                path.display()
            )));
        }
        Err(error) => {
            return Err(Error::storage(
                format_args!("open {}", path.display()),
                error,
            ));
        }
    };
    let stat = retry_on_intr(|| rustix::fs::fstat(&file))
        .map_err(|error| Error::storage(format_args!("read {}", path.display()), error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::usage(format!(
            "{} is no regular file",
            path.display()
        )));
    }
    Ok(File::from(file))
}

/// Reads a whole file that a user names: at most 16 MiB, as a mission file has.
pub fn read_source(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut text = Vec::new();
    open_source(path)?
        .take(layout::LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| Error::storage(format_args!("read {}", path.display()), error))?;
    Ok(text)
}

/// Opens a regular file beneath, of any size, to copy it; none if there is none.
pub fn open_beneath(folder: &Folder, beneath: &str) -> Result<Option<File>> {
    let opened = folder.open_file(beneath, OFlags::RDONLY)?;
    Ok(opened.map(|(file, _)| File::from(file)))
}

/// The hash and the size of a file beneath, of any size; none if there is none. Of a folder: those of its manifest.
pub fn measure(folder: &Folder, beneath: &str) -> Result<Option<Copied>> {
    let Some(stat) = folder.stat(beneath)? else {
        return Ok(None);
    };
    let manifest = layout::join(beneath, layout::MANIFEST);
    let file = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => manifest.as_str(),
        _ => beneath,
    };
    let Some((file, _)) = folder.open_file(file, OFlags::RDONLY)? else {
        return Ok(None);
    };
    let read = read_all(&File::from(file), |_| Ok(()));
    read.map(Some).map_err(|error| {
        Error::storage(
            format_args!("read {}", folder.path_of(beneath).display()),
            error,
        )
    })
}

/// The hash alone: SHA-256 in lower-case hex; none if there is nothing.
pub fn hash_of(folder: &Folder, beneath: &str) -> Result<Option<String>> {
    Ok(measure(folder, beneath)?.map(|copied| copied.sha256))
}

/// Removes what killed makers left; what somebody holds is being made.
pub(super) fn sweep(cell: &Folder) -> Result<()> {
    let Some(place) = cell.folder(layout::INCOMING)? else {
        return Ok(());
    };
    for entry in place.list("")?.unwrap_or_default() {
        let Ok(name) = std::str::from_utf8(&entry.name) else {
            continue;
        };
        use crate::store::folder::Sort;
        let held = match entry.sort {
            Sort::File => place
                .open_file(name, OFlags::RDONLY)?
                .map(|(file, _)| File::from(file)),
            Sort::Folder => place
                .folder(name)?
                .map(|folder| File::from(folder.into_handle())),
            _ => None,
        };
        let is_free = match &held {
            Some(file) => fs2::try_lock(file, true).map_err(|error| {
                Error::storage(
                    format_args!("lock {}", place.path_of(name).display()),
                    error,
                )
            })?,
            None => true,
        };
        if is_free {
            match entry.sort {
                Sort::Folder => place.remove_tree(name)?,
                _ => place.remove_file(name)?,
            }
        }
    }
    Ok(())
}
