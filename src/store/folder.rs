//! A folder held open, and everything beneath it: no link is followed, nothing but a regular file is read.
//!
//! Files come from others and are not trusted: a path is resolved beneath the folder by openat2, or one name at a time
//! where the kernel has none. Only "no such file" means absent; any other error is one.

use crate::base::error::{Error, Result};
use crate::store::layout;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
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

/// Who may do what with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Its owner's number.
    pub owner: u32,
    /// Its group's number.
    pub group: u32,
    /// Its mode, 12 bits.
    pub mode: u32,
}

impl Rights {
    fn of(stat: &Stat) -> Self {
        Rights {
            owner: stat.st_uid,
            group: stat.st_gid,
            mode: stat.st_mode & 0o7777,
        }
    }

    /// The rights of a new file in a folder of these rights.
    #[must_use]
    pub fn for_file(self) -> Self {
        Rights {
            mode: self.mode & 0o666,
            ..self
        }
    }
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

    /// The open handle.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Opens a folder beneath; "" is this one again. None if there is none.
    pub fn folder(&self, beneath: &str) -> Result<Option<Folder>> {
        let opened = match beneath {
            "" => retry_on_intr(|| rustix::fs::openat(&self.handle, ".", FOLDER, Mode::empty())),
            _ => open_beneath(self.handle(), beneath, FOLDER, Mode::empty()),
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

    /// Reads a whole file beneath that may be of any size: mcell's own journal.
    pub fn read_long(&self, beneath: &str) -> Result<Option<Vec<u8>>> {
        use std::io::Read;
        let Some((file, _)) = self.open_file(beneath, FILE)? else {
            return Ok(None);
        };
        let mut text = Vec::new();
        std::fs::File::from(file)
            .read_to_end(&mut text)
            .map_err(|error| {
                Error::storage(
                    format_args!("read {}", self.path_of(beneath).display()),
                    error,
                )
            })?;
        Ok(Some(text))
    }

    /// Opens a regular file beneath with its stat. None if there is none.
    pub fn open_file(&self, beneath: &str, flags: OFlags) -> Result<Option<(OwnedFd, Stat)>> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match open_beneath(self.handle(), beneath, flags, Mode::from_raw_mode(0o600)) {
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

    /// Makes a folder beneath with the rights of its parent, if it is not there; the parent is fsynced.
    pub fn make_folder(&self, beneath: &str) -> Result<()> {
        self.make_folder_with(beneath, None)
    }

    /// Makes a folder beneath with these rights (none: those of its parent), if it is not there; the parent is fsynced.
    pub fn make_folder_with(&self, beneath: &str, rights: Option<Rights>) -> Result<()> {
        if self.stat(beneath)?.is_some() {
            return Ok(());
        }
        let (parent, name) = layout::split(beneath);
        let parent = self.folder_there(parent)?;
        // Under another name until it has its rights: whoever is killed in between leaves no folder closed to its group.
        let temp = temp_of(name);
        let made = parent
            .build_folder(&temp, rights)
            .and_then(|()| parent.rename_new(&temp, &parent, name));
        if !matches!(made, Ok(true)) {
            let _ = rustix::fs::unlinkat(&parent.handle, &temp, AtFlags::REMOVEDIR);
        }
        match made {
            Ok(_) => parent.sync(),
            // Another one was faster, and swept.
            Err(_) if self.stat(beneath)?.is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder in this one where nobody looks yet, with these rights (none: those of this folder). Not fsynced.
    pub(crate) fn build_folder(&self, name: &str, rights: Option<Rights>) -> Result<()> {
        match retry_on_intr(|| rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o700)))
        {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(self.trouble("make the folder", name, error)),
        }
        let made = self.folder_there(name)?;
        match rights.map_or_else(|| self.rights(""), |rights| Ok(Some(rights)))? {
            Some(rights) => give(made.handle(), rights)
                .map_err(|error| self.trouble("set the rights of", name, error)),
            None => Ok(()),
        }
    }

    /// Makes an empty file beneath with the rights of its folder, if it is not there; the folder is fsynced.
    pub fn make_file(&self, beneath: &str) -> Result<()> {
        if self.stat(beneath)?.is_some() {
            return Ok(());
        }
        let (parent, name) = layout::split(beneath);
        self.make_folder(parent)?;
        let parent = self.folder_there(parent)?;
        let rights = parent
            .rights("")?
            .ok_or_else(|| Error::bug("an open folder has no rights"))?;
        // Under another name until it has its rights, as with folders.
        let temp = temp_of(name);
        let made = parent
            .write_new(&temp, b"", rights.for_file())
            .and_then(|()| parent.rename_new(&temp, &parent, name));
        if !matches!(made, Ok(true)) {
            let _ = rustix::fs::unlinkat(&parent.handle, &temp, AtFlags::empty());
        }
        match made {
            Ok(_) => parent.sync(),
            Err(_) if self.stat(beneath)?.is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a file beneath that is not there yet, whole and fsynced, with these rights. Its folder is not fsynced.
    pub fn write_new(&self, beneath: &str, text: &[u8], rights: Rights) -> Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let open = || open_beneath(self.handle(), beneath, flags, Mode::from_raw_mode(0o600));
        let file = match open() {
            // A temp of a killed writer that had the same number: pids come again, in containers at once.
            Err(Errno::EXIST) if is_temp(layout::split(beneath).1.as_bytes()) => {
                self.remove_file(beneath)?;
                open()
            }
            opened => opened,
        }
        .map_err(|error| self.trouble("write", beneath, error))?;
        give(file.as_fd(), rights)
            .and_then(|()| write_all(&file, text))
            .and_then(|()| retry_on_intr(|| rustix::fs::fsync(&file)))
            .map_err(|error| self.trouble("write", beneath, error))
    }

    /// Removes what killed writers left in a folder beneath: temps, and folders on their way to their name.
    pub(crate) fn sweep_temps(&self, place: &str) -> Result<()> {
        for entry in self.list(place)?.unwrap_or_default() {
            let Ok(name) = std::str::from_utf8(&entry.name) else {
                continue;
            };
            if !is_temp(&entry.name) {
                continue;
            }
            let path = layout::join(place, name);
            if entry.sort != Sort::Folder {
                self.remove_file(&path)?;
                continue;
            }
            match retry_on_intr(|| rustix::fs::unlinkat(&self.handle, &path, AtFlags::REMOVEDIR)) {
                // What has something in it is none of ours.
                Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(error) => return Err(self.trouble("remove", &path, error)),
            }
        }
        Ok(())
    }

    /// Renames beneath, in place of what was there.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        retry_on_intr(|| rustix::fs::renameat(&self.handle, from, &self.handle, to))
            .map_err(|error| self.trouble(format_args!("rename {from} to"), to, error))
    }

    /// Renames to a place in another folder where nothing is yet; false if something is.
    pub fn rename_new(&self, from: &str, folder: &Folder, to: &str) -> Result<bool> {
        let moved = retry_on_intr(|| {
            rustix::fs::renameat_with(
                &self.handle,
                from,
                &folder.handle,
                to,
                RenameFlags::NOREPLACE,
            )
        });
        match moved {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(false),
            // A file system without NOREPLACE: the caller holds the lock, so looking first is enough.
            Err(Errno::INVAL) if folder.stat(to)?.is_none() => {
                retry_on_intr(|| rustix::fs::renameat(&self.handle, from, &folder.handle, to))
                    .map(|()| true)
                    .map_err(|error| folder.trouble(format_args!("rename {from} to"), to, error))
            }
            Err(error) => Err(folder.trouble(format_args!("rename {from} to"), to, error)),
        }
    }

    /// Removes a file beneath; it is no error if there is none.
    pub fn remove_file(&self, beneath: &str) -> Result<()> {
        match retry_on_intr(|| rustix::fs::unlinkat(&self.handle, beneath, AtFlags::empty())) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.trouble("remove", beneath, error)),
        }
    }

    /// Removes a folder beneath with all that is in it, links not followed.
    pub fn remove_tree(&self, beneath: &str) -> Result<()> {
        for entry in self.list(beneath)?.unwrap_or_default() {
            // Names that are not UTF-8 are removed by the folder's own handle.
            let Some(folder) = self.folder(beneath)? else {
                return Ok(());
            };
            let name = std::ffi::CString::new(entry.name)
                .map_err(|_| self.trouble("remove", beneath, Errno::INVAL))?;
            if entry.sort == Sort::Folder {
                match name.to_str() {
                    Ok(name) => folder.remove_tree(name)?,
                    Err(_) => {
                        return Err(Error::refused(format!(
                            "a folder in {} has a name that is not UTF-8",
                            folder.path.display()
                        )));
                    }
                }
            } else {
                match retry_on_intr(|| {
                    rustix::fs::unlinkat(&folder.handle, &name, AtFlags::empty())
                }) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(self.trouble("remove a file in", beneath, error)),
                }
            }
        }
        match retry_on_intr(|| rustix::fs::unlinkat(&self.handle, beneath, AtFlags::REMOVEDIR)) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.trouble("remove", beneath, error)),
        }
    }

    /// Makes names in this folder durable.
    pub fn sync(&self) -> Result<()> {
        retry_on_intr(|| rustix::fs::fsync(&self.handle))
            .map_err(|error| self.trouble("fsync", "", error))
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

/// Tells a temp by its name.
fn is_temp(name: &[u8]) -> bool {
    name.starts_with(b".") && name.ends_with(layout::TEMP.as_bytes())
}

/// A name of its own for what shall get a name when it is ready.
fn temp_of(name: &str) -> String {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!(".{name}.{}-new{number}{}", std::process::id(), layout::TEMP)
}

fn sort_of(folder: BorrowedFd<'_>, name: &std::ffi::CStr) -> Sort {
    retry_on_intr(|| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW))
        .map_or(Sort::Special, |stat| {
            Sort::of(FileType::from_raw_mode(stat.st_mode))
        })
}

/// Opens a relative path beneath a folder, following no link.
fn open_beneath(
    folder: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    // The kernel refuses a mode without CREATE.
    let mode = if flags.contains(OFlags::CREATE) {
        mode
    } else {
        Mode::empty()
    };
    if path != ".." && !path.contains('/') {
        return retry_on_intr(|| rustix::fs::openat(folder, path, flags, mode));
    }
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match retry_on_intr(|| rustix::fs::openat2(folder, path, flags, mode, beneath)) {
        // No openat2: an old kernel, or a sandbox that does not let it through.
        Err(Errno::NOSYS | Errno::PERM) => open_by_name(folder, path, flags, mode),
        opened => opened,
    }
}

fn open_by_name(
    folder: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> rustix::io::Result<OwnedFd> {
    let mut held: Option<OwnedFd> = None;
    let mut names = path
        .split('/')
        .filter(|name| !name.is_empty() && *name != ".")
        .peekable();
    while let Some(name) = names.next() {
        if name == ".." || path.starts_with('/') {
            return Err(Errno::XDEV);
        }
        let at = held.as_ref().map_or(folder, AsFd::as_fd);
        let (flags, mode) = if names.peek().is_some() {
            (FOLDER, Mode::empty())
        } else {
            (flags, mode)
        };
        held = Some(retry_on_intr(|| rustix::fs::openat(at, name, flags, mode))?);
    }
    held.ok_or(Errno::INVAL)
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

/// Writes all of a text.
pub(crate) fn write_all(file: &OwnedFd, mut text: &[u8]) -> rustix::io::Result<()> {
    while !text.is_empty() {
        let wrote = retry_on_intr(|| rustix::io::write(file, text))?;
        text = text.get(wrote..).unwrap_or_default();
    }
    Ok(())
}

/// Gives an open file these rights. Owner and group are given where the system lets us: a member of the group who is
/// not the owner cannot, and may write all the same.
pub(crate) fn give(file: BorrowedFd<'_>, rights: Rights) -> rustix::io::Result<()> {
    let stat = retry_on_intr(|| rustix::fs::fstat(file))?;
    let own = Rights::of(&stat);
    if own.owner != rights.owner || own.group != rights.group {
        let owner = (own.owner != rights.owner).then(|| rustix::fs::Uid::from_raw(rights.owner));
        let group = (own.group != rights.group).then(|| rustix::fs::Gid::from_raw(rights.group));
        let both = retry_on_intr(|| rustix::fs::fchown(file, owner, group));
        if both == Err(Errno::PERM) && group.is_some() {
            match retry_on_intr(|| rustix::fs::fchown(file, None, group)) {
                Ok(()) | Err(Errno::PERM) => {}
                Err(error) => return Err(error),
            }
        } else if both != Err(Errno::PERM) {
            both?;
        }
    }
    if own.mode != rights.mode {
        retry_on_intr(|| rustix::fs::fchmod(file, Mode::from_raw_mode(rights.mode)))?;
    }
    Ok(())
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
                open_by_name(folder.handle(), path, FILE, Mode::empty()).is_err(),
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
