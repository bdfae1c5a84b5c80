//! Tries what the store builds on, in a folder of its own that is removed again: locks that keep others out, renames that
//! replace nothing, durable names. Network and FUSE file systems promise more than they keep.

use crate::base::error::{Error, Result};
use crate::store::folder::Folder;
use crate::store::{fs2, layout};
use rustix::fs::{Access, Mode, OFlags, RenameFlags};
use rustix::io::{Errno, retry_on_intr};
use std::fs::File;

/// What a file system can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Whether a lock keeps a second one out, and only while it is held.
    pub locks: bool,
    /// Whether a rename can refuse to replace.
    pub renames_new: bool,
}

/// How the folders of trials are called; one that was killed is removed by the next.
const FOLDER: &str = ".doctor-";

/// Tries it under a root's own folder; none where there is none yet, or where the caller may not write.
pub fn try_out(root: &Folder) -> Result<Option<Trial>> {
    // Asked of the path: who may not even open it gets an answer, and no error.
    let may_write = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    if rustix::fs::access(root.path_of(layout::RUNTIME), may_write).is_err() {
        return Ok(None);
    }
    let Some(runtime) = root.folder(layout::RUNTIME)? else {
        return Ok(None);
    };
    for entry in runtime.list("")?.unwrap_or_default() {
        if let Some(name) = std::str::from_utf8(&entry.name)
            .ok()
            .filter(|name| was_left(name))
        {
            runtime.remove_tree(name)?;
        }
    }
    let name = format!("{FOLDER}{}", std::process::id());
    runtime.make_folder(&name)?;
    let tried = runtime.folder_there(&name).and_then(|place| inside(&place));
    runtime.remove_tree(&name)?;
    tried.map(Some)
}

/// Whether the process that made a trial's folder is gone.
fn was_left(name: &str) -> bool {
    let pid = name
        .strip_prefix(FOLDER)
        .and_then(|pid| pid.parse().ok())
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(Errno::SRCH))
}

fn inside(place: &Folder) -> Result<Trial> {
    let locks = locks(place).map_err(|error| Error::storage("try a lock", error))?;
    let renames_new = renames_new(place)
        .map_err(|error| Error::storage("try a rename", std::io::Error::from(error)))?;
    place.sync()?;
    Ok(Trial { locks, renames_new })
}

fn locks(place: &Folder) -> std::io::Result<bool> {
    let one = File::from(make(place, "lock")?);
    // A second opening of the same file, as another process would have it.
    let other = File::from(retry_on_intr(|| {
        rustix::fs::openat(
            place.handle(),
            "lock",
            OFlags::RDWR | OFlags::CLOEXEC,
            Mode::empty(),
        )
    })?);
    let taken = fs2::try_lock(&one, true)?;
    let kept_out = !fs2::try_lock(&other, true)?;
    fs2::unlock(&one)?;
    let let_in = fs2::try_lock(&other, true)?;
    Ok(taken && kept_out && let_in)
}

fn renames_new(place: &Folder) -> rustix::io::Result<bool> {
    drop(make(place, "one")?);
    drop(make(place, "two")?);
    let rename = |to: &str| {
        retry_on_intr(|| {
            rustix::fs::renameat_with(
                place.handle(),
                "one",
                place.handle(),
                to,
                RenameFlags::NOREPLACE,
            )
        })
    };
    match (rename("two"), rename("three")) {
        (Err(Errno::EXIST), Ok(())) => Ok(true),
        (Err(Errno::INVAL | Errno::NOSYS), _) => Ok(false),
        (Err(error), _) => Err(error),
        (Ok(()), _) => Ok(false),
    }
}

fn make(place: &Folder, name: &str) -> rustix::io::Result<rustix::fd::OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(place.handle(), name, flags, Mode::from_raw_mode(0o600)))
}

/// Whether the kernel opens beneath a folder in one call (openat2); without it the store opens one name at a time.
pub fn opens_beneath() -> bool {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = retry_on_intr(|| {
        rustix::fs::openat2(
            rustix::fs::CWD,
            ".",
            flags,
            Mode::empty(),
            rustix::fs::ResolveFlags::BENEATH,
        )
    });
    !matches!(opened, Err(Errno::NOSYS | Errno::PERM))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the trees they read")]
mod tests {
    use super::*;

    #[test]
    fn a_trial_leaves_nothing_and_makes_nothing_where_nothing_is() {
        let place = tempfile::tempdir().unwrap();
        let root = Folder::open(place.path()).unwrap().unwrap();
        assert_eq!(try_out(&root).unwrap(), None);
        assert!(root.list("").unwrap().unwrap().is_empty());
        // Left by one that was killed: a process of this number is never there.
        std::fs::create_dir_all(place.path().join(".mcell/.doctor-2147483646/left")).unwrap();
        let trial = try_out(&root).unwrap().unwrap();
        assert!(trial.locks && trial.renames_new);
        assert!(root.list(layout::RUNTIME).unwrap().unwrap().is_empty());
    }
}
