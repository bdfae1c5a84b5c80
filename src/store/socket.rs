//! The root's socket: where the daemon is spoken to by those who may write to the root.

use crate::base::error::{Error, Result};
use crate::store::folder::Folder;
use crate::store::layout;
use crate::store::root::Root;
use rustix::fs::{AtFlags, Gid, Mode};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Who may connect: its owner, and the group of the root.
const MODE: u32 = 0o660;

impl Root {
    /// Listens on the root's socket. One that is there is replaced: whoever calls this holds the daemon's lock, so nobody
    /// listens on it any more.
    pub fn listen(&self) -> Result<UnixListener> {
        let (parent, name) = layout::split(layout::SOCKET);
        let folder = self.folder().folder_there(parent)?;
        let temp = format!(".{name}{}", layout::TEMP);
        folder.remove_file(&temp)?;
        // An address has room for 107 bytes, and a root may lie deep: the folder held open has a short name.
        let near = format!("/proc/self/fd/{}", folder.handle().as_raw_fd());
        let socket = UnixListener::bind(Path::new(&near).join(&temp)).map_err(|error| {
            let path = self.folder().path_of(layout::SOCKET);
            Error::storage(format_args!("listen on {}", path.display()), error)
        })?;
        // It has its rights before it has its name: at no moment can somebody else connect.
        give_rights(&folder, &temp)?;
        folder.rename(&temp, name)?;
        Ok(socket)
    }

    /// Takes the root's socket away, under the daemon's lock.
    pub fn remove_socket(&self) -> Result<()> {
        self.folder().remove_file(layout::SOCKET)
    }
}

fn give_rights(folder: &Folder, name: &str) -> Result<()> {
    let failed = |error: Errno| folder.trouble("give its rights to", name, error);
    let group = folder.rights("")?.map(|rights| Gid::from_raw(rights.group));
    let handle = folder.handle();
    match retry_on_intr(|| {
        rustix::fs::chownat(handle, name, None, group, AtFlags::SYMLINK_NOFOLLOW)
    }) {
        // Who is not of the group cannot give it away, and is the only one to be spoken to then.
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(failed(error)),
    }
    let mode = Mode::from_raw_mode(MODE);
    retry_on_intr(|| rustix::fs::chmodat(handle, name, mode, AtFlags::empty())).map_err(failed)
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_socket_is_for_the_owner_and_the_group_and_takes_the_place_of_an_old_one() {
        let place = tempfile::tempdir().unwrap();
        // Deeper than an address can say.
        let deep = place.path().join("x".repeat(100)).join("y".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        let root = Root::open(&deep).unwrap();
        root.make_runtime().unwrap();
        let old = root.listen().unwrap();
        let new = root.listen().unwrap();
        let file = deep.join(layout::SOCKET);
        let seen = std::fs::symlink_metadata(&file).unwrap();
        assert!(seen.file_type().is_socket());
        assert_eq!(seen.permissions().mode() & 0o777, MODE);
        assert_eq!(
            seen.gid(),
            std::fs::metadata(deep.join(layout::RUNTIME)).unwrap().gid()
        );
        drop(old);
        let folder = std::fs::File::open(deep.join(layout::RUNTIME)).unwrap();
        let near = format!("/proc/self/fd/{}/agents.sock", folder.as_raw_fd());
        let _client = UnixStream::connect(near).unwrap();
        new.accept().unwrap();
        root.remove_socket().unwrap();
        assert!(!file.exists());
        assert_eq!(
            std::fs::read_dir(deep.join(layout::RUNTIME))
                .unwrap()
                .count(),
            0
        );
    }
}
