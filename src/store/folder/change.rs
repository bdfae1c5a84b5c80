//! What changes beneath a folder: new names with their rights from the first moment on, renames, removals, fsync.

use super::resolve::open_beneath;
use super::{Folder, Rights, Sort, give};
use crate::base::error::{Error, Result};
use crate::store::layout;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::{Errno, retry_on_intr};

impl Folder {
    /// Makes a folder beneath with the rights of its parent, if it is not there; the parent is fsynced.
    pub fn make_folder(&self, beneath: &str) -> Result<()> {
        self.make_folder_with(beneath, None)
    }

    /// Makes a folder beneath with these rights (none: those of its parent), if it is not there; the parent is fsynced.
    pub fn make_folder_with(&self, beneath: &str, rights: Option<Rights>) -> Result<()> {
        let (parent, _) = layout::split(beneath);
        self.make_folder_by(parent, beneath, rights)
    }

    /// The same; on its way to its name it lies in this place, which is swept.
    pub(crate) fn make_folder_by(
        &self,
        place: &str,
        beneath: &str,
        rights: Option<Rights>,
    ) -> Result<()> {
        if self.stat(beneath)?.is_some() {
            return Ok(());
        }
        let (parent, name) = layout::split(beneath);
        let parent = self.folder_there(parent)?;
        let place = self.folder_there(place)?;
        let rights = match rights {
            Some(rights) => Some(rights),
            None => parent.rights("")?,
        };
        // Under another name until it has its rights: whoever is killed in between leaves no folder closed to its group.
        let temp = temp_of(name);
        let made = place
            .build_folder(&temp, rights)
            .and_then(|()| place.rename_new(&temp, &parent, name));
        if !matches!(made, Ok(true)) {
            let _ = rustix::fs::unlinkat(&place.handle, &temp, AtFlags::REMOVEDIR);
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

    /// Opens a file beneath that is not there yet. Nobody else may read it before it is given its rights.
    pub(crate) fn open_new(&self, beneath: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        open_beneath(self.handle(), beneath, flags, Mode::from_raw_mode(0o600))
    }

    /// Makes a file beneath that is not there yet, whole and fsynced, with these rights. Its folder is not fsynced.
    pub fn write_new(&self, beneath: &str, text: &[u8], rights: Rights) -> Result<()> {
        let file = self.write_open(beneath, text, rights)?;
        retry_on_intr(|| rustix::fs::fsync(&file))
            .map_err(|error| self.trouble("write", beneath, error))
    }

    /// The same without waiting for the disk.
    pub fn write_unsynced(&self, beneath: &str, text: &[u8], rights: Rights) -> Result<()> {
        self.write_open(beneath, text, rights).map(|_| ())
    }

    fn write_open(&self, beneath: &str, text: &[u8], rights: Rights) -> Result<OwnedFd> {
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
            .map_err(|error| self.trouble("write", beneath, error))?;
        Ok(file)
    }

    /// Replaces a file beneath, whole and durably, where one process alone writes it. What a killed one left half done is
    /// swept by the next, or by who holds the lock over the folder.
    pub fn replace(&self, beneath: &str, text: &[u8], rights: Rights) -> Result<()> {
        let (parent, name) = layout::split(beneath);
        let temp = layout::join(parent, &format!(".{name}{}", layout::TEMP));
        self.remove_file(&temp)?;
        self.write_new(&temp, text, rights)?;
        self.rename(&temp, beneath)?;
        self.folder_there(parent)?.sync()
    }

    /// The same without waiting for the disk: for what is of no use after a power cut. Its rights are those of its folder.
    pub fn replace_unsynced(&self, beneath: &str, text: &[u8]) -> Result<()> {
        let (parent, name) = layout::split(beneath);
        // No `.tmp` at its end: whoever holds the lock over the folder sweeps those.
        let next = layout::join(parent, &format!(".{name}.next"));
        self.remove_file(&next)?;
        self.write_unsynced(&next, text, self.rights_for_files(beneath)?)?;
        self.rename(&next, beneath)
    }

    /// The rights that a new file beneath gets: those of its folder.
    pub(crate) fn rights_for_files(&self, beneath: &str) -> Result<Rights> {
        let (parent, _) = layout::split(beneath);
        let rights = self.rights(parent)?.ok_or_else(|| {
            Error::not_found(format!("there is no {}", self.path_of(parent).display()))
        })?;
        Ok(rights.for_file())
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

    /// Renames beneath, in place of what was there, where others may have put a link on the way: none is followed.
    pub(crate) fn rename_unlinked(&self, from: &str, to: &str) -> Result<()> {
        let (parent, name) = layout::split(to);
        let parent = self.folder_there(parent)?;
        retry_on_intr(|| rustix::fs::renameat(&self.handle, from, &parent.handle, name))
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

/// Writes all of a text.
pub(crate) fn write_all(file: &OwnedFd, mut text: &[u8]) -> rustix::io::Result<()> {
    while !text.is_empty() {
        let wrote = retry_on_intr(|| rustix::io::write(file, text))?;
        text = text.get(wrote..).unwrap_or_default();
    }
    Ok(())
}
