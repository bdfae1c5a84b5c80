//! Who may do what with a file.

use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, Stat};
use rustix::io::{Errno, retry_on_intr};

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
    pub(super) fn of(stat: &Stat) -> Self {
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
