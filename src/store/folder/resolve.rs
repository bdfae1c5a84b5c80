//! Opens a path beneath a folder, following no link.

use super::FOLDER;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

/// Opens a relative path beneath a folder, following no link.
pub(super) fn open_beneath(
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

pub(super) fn open_by_name(
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
