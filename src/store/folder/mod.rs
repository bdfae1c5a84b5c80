//! A folder held open, and everything beneath it: no link is followed, nothing but a regular file is read.
//!
//! Files come from others and are not trusted: a path is resolved beneath the folder by openat2, or one name at a time
//! where the kernel has none. Only "no such file" means absent; any other error is one.

mod change;
mod resolve;
mod rights;
mod tree;

pub(crate) use change::write_all;
pub use rights::Rights;
pub(crate) use rights::give;
pub use tree::Found;

use crate::base::error::{Error, Result};
use crate::store::layout;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};
use std::path::{Path, PathBuf};

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);
// NONBLOCK: a FIFO named agent_009.json must not hang whoever opens it.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK);

/// A folder held open.
#[derive(Debug)]
pub struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

/// What a name in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Special,
}

impl Sort {
    pub(crate) fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Sort::File,
            FileType::Directory => Sort::Folder,
            FileType::Symlink => Sort::Link,
            _ => Sort::Special,
        }
    }

    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Sort::File => "file",
            Sort::Folder => "folder",
            Sort::Link => "link",
            Sort::Special => "special file",
        }
    }
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name's bytes: it may not be UTF-8.
    pub name: Vec<u8>,
    /// What it is.
    pub sort: Sort,
}

impl Folder {
    /// Opens a folder; its last name may not be a link. None if there is no such folder.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        match retry_on_intr(|| rustix::fs::open(path, FOLDER, Mode::empty())) {
            Ok(handle) => Ok(Some(Folder {
                handle,
                path: path.to_path_buf(),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(Error::refused(format!(
                "{} is a link or no folder",
                path.display()
            ))
            .hint("give the real folder: `realpath` names it")),
            Err(error) => Err(Error::storage(
                format_args!("open {}", path.display()),
                error,
            )),
        }
    }

    /// The same folder under the name that it has now.
    pub(crate) fn renamed(self, path: PathBuf) -> Self {
        Folder { path, ..self }
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole path of what lies beneath, for people.
    pub fn path_of(&self, beneath: &str) -> PathBuf {
        if beneath.is_empty() {
            self.path.clone()
        } else {
            self.path.join(beneath)
        }
    }

    /// The open handle, to keep.
    pub(crate) fn into_handle(self) -> OwnedFd {
        self.handle
    }

    /// The open handle.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Opens a folder beneath; "" is this one again. None if there is none.
    pub fn folder(&self, beneath: &str) -> Result<Option<Folder>> {
        let opened = match beneath {
            "" => retry_on_intr(|| rustix::fs::openat(&self.handle, ".", FOLDER, Mode::empty())),
            _ => resolve::open_beneath(self.handle(), beneath, FOLDER, Mode::empty()),
        };
        match opened {
            Ok(handle) => Ok(Some(Folder {
                handle,
                path: self.path_of(beneath),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.trouble("open", beneath, error)),
        }
    }

    /// Opens a folder beneath, which is there (exit 7 if not).
    pub fn folder_there(&self, beneath: &str) -> Result<Folder> {
        self.folder(beneath)?
            .ok_or_else(|| self.trouble("open", beneath, Errno::NOENT))
    }

    /// Reads a whole file beneath: none if there is no such file; at most 16 MiB, and only a regular file.
    pub fn read(&self, beneath: &str) -> Result<Option<Vec<u8>>> {
        let Some((file, stat)) = self.open_file(beneath, FILE)? else {
            return Ok(None);
        };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > layout::LARGEST {
            return Err(Error::malformed(format!(
                "{} is too large: {size} bytes",
                self.path_of(beneath).display()
            ))
            .hint(format!(
                "a mission file has at most {} bytes",
                layout::LARGEST
            )));
        }
        let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
        fill(&file, &mut text).map_err(|error| self.trouble("read", beneath, error))?;
        if text.len() as u64 > layout::LARGEST {
            return Err(Error::malformed(format!(
                "{} grew too large while it was read",
                self.path_of(beneath).display()
            )));
        }
        Ok(Some(text))
    }

    /// Opens a regular file beneath with its stat. None if there is none.
    pub fn open_file(&self, beneath: &str, flags: OFlags) -> Result<Option<(OwnedFd, Stat)>> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match resolve::open_beneath(
            self.handle(),
            beneath,
            flags,
            Mode::from_raw_mode(0o600),
        ) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.trouble("open", beneath, error)),
        };
        let stat = retry_on_intr(|| rustix::fs::fstat(&file))
            .map_err(|error| self.trouble("read", beneath, error))?;
        let sort = Sort::of(FileType::from_raw_mode(stat.st_mode));
        if sort != Sort::File {
            return Err(Error::malformed(format!(
                "{} is a {}, not a file",
                self.path_of(beneath).display(),
                sort.word()
            )));
        }
        Ok(Some((file, stat)))
    }

    /// The rights of what lies beneath ("" is the folder itself), links not followed. None if there is nothing.
    pub fn rights(&self, beneath: &str) -> Result<Option<Rights>> {
        Ok(self.stat(beneath)?.map(|stat| Rights::of(&stat)))
    }

    /// What lies beneath, links not followed. None if there is nothing.
    pub fn stat(&self, beneath: &str) -> Result<Option<Stat>> {
        let got = match beneath {
            "" => retry_on_intr(|| rustix::fs::fstat(&self.handle)),
            _ => retry_on_intr(|| {
                rustix::fs::statat(&self.handle, beneath, AtFlags::SYMLINK_NOFOLLOW)
            }),
        };
        match got {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.trouble("look at", beneath, error)),
        }
    }

    /// Every name in a folder beneath, sorted, without "." and "..". None if there is no such folder.
    pub fn list(&self, beneath: &str) -> Result<Option<Vec<Entry>>> {
        let Some(folder) = self.folder(beneath)? else {
            return Ok(None);
        };
        let mut buffer = Vec::with_capacity(16 << 10);
        let mut entries = Vec::new();
        let mut names = rustix::fs::RawDir::new(&folder.handle, buffer.spare_capacity_mut());
        while let Some(entry) = names.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(self.trouble("list", beneath, error)),
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let sort = match entry.file_type() {
                FileType::Unknown => sort_of(folder.handle(), entry.file_name()),
                known => Sort::of(known),
            };
            entries.push(Entry {
                name: name.to_vec(),
                sort,
            });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(entries))
    }

    /// A failed system call on something beneath, in words.
    pub(crate) fn trouble(
        &self,
        doing: impl std::fmt::Display,
        beneath: &str,
        error: Errno,
    ) -> Error {
        let path = self.path_of(beneath);
        match error {
            Errno::LOOP | Errno::XDEV => Error::malformed(format!(
                "{} is a link, or leads out of its folder",
                path.display()
            ))
            .hint("put the file itself there: links in a cell are not followed"),
            Errno::NOTDIR => Error::malformed(format!(
                "{} is not a folder, or lies in something that is none",
                path.display()
            )),
            Errno::NXIO => {
                Error::malformed(format!("{} is a special file, not a file", path.display()))
            }
            _ => Error::storage(format_args!("{doing} {}", path.display()), error),
        }
    }
}

fn sort_of(folder: BorrowedFd<'_>, name: &std::ffi::CStr) -> Sort {
    retry_on_intr(|| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW))
        .map_or(Sort::Special, |stat| {
            Sort::of(FileType::from_raw_mode(stat.st_mode))
        })
}

/// Reads to the end, or to one byte over the cap.
fn fill(file: &OwnedFd, text: &mut Vec<u8>) -> rustix::io::Result<()> {
    loop {
        if text.len() == text.capacity() {
            text.reserve(8 << 10);
        }
        let got = retry_on_intr(|| rustix::io::read(file, rustix::buffer::spare_capacity(text)))?;
        if got == 0 || text.len() as u64 > layout::LARGEST {
            return Ok(());
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the trees they read")]
mod tests {
    use super::*;

    fn hostile() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let cell = place.path().join("cell");
        std::fs::create_dir_all(cell.join("tasks")).unwrap();
        std::fs::write(place.path().join("secret.json"), "{}").unwrap();
        std::os::unix::fs::symlink("../secret.json", cell.join("link.json")).unwrap();
        std::os::unix::fs::symlink("..", cell.join("out")).unwrap();
        let folder = Folder::open(&cell).unwrap().unwrap();
        (place, folder)
    }

    #[test]
    fn nothing_outside_is_read() {
        let (_place, folder) = hostile();
        for path in [
            "link.json",
            "out/secret.json",
            "../secret.json",
            "tasks/../../secret.json",
        ] {
            assert!(folder.read(path).is_err(), "{path}");
            assert!(
                resolve::open_by_name(folder.handle(), path, FILE, Mode::empty()).is_err(),
                "{path} without openat2"
            );
        }
    }

    #[test]
    fn a_fifo_does_not_hang_and_is_no_file() {
        let (place, folder) = hostile();
        let path = place.path().join("cell/tasks/task_001.json");
        let kind = FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(folder.read("tasks/task_001.json").is_err());
    }

    #[test]
    fn only_no_such_file_is_absent() {
        let (_place, folder) = hostile();
        assert!(folder.read("tasks/none.json").unwrap().is_none());
        assert!(folder.read("none/none.json").unwrap().is_none());
        assert!(folder.read("tasks").is_err());
    }
}
