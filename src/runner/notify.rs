//! The socket over which an agent speaks sd_notify. Only what its own tree says counts: the kernel tells who sent a message.

use super::tree;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::store::folder::Folder;
use crate::store::layout;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, IoSliceMut, retry_on_intr};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SocketAddrUnix, SocketFlags, SocketType, bind, recvmsg, socket_with, sockopt,
};
use rustix::process::Pid;
use std::mem::MaybeUninit;

/// The variable that names the socket.
pub(super) const SOCKET: &str = "NOTIFY_SOCKET";
/// The variable that says within how many microseconds a ping is due.
pub(super) const WATCHDOG: &str = "WATCHDOG_USEC";
/// The longest path of a socket, in bytes.
const LONGEST_PATH: usize = 107;
/// The longest message that is taken, in bytes: what systemd takes.
const LONGEST: usize = 4096;
/// How many messages are taken before anything else is looked at.
const AT_ONCE: usize = 64;
/// The most letters of a status.
const LONGEST_STATUS: usize = 200;

/// What was said, taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// It is ready.
    pub(super) is_ready: bool,
    /// It lives.
    pub(super) pings: bool,
    /// It ends, on purpose.
    pub(super) stops: bool,
    /// What it does, in its own words.
    pub(super) status: Option<String>,
}

/// The socket. Its file goes with it.
#[derive(Debug)]
pub(super) struct Ear<'c> {
    cell: &'c Folder,
    file: String,
    socket: OwnedFd,
    /// The file itself, by which a socket deep in the tree has a short path too.
    handle: OwnedFd,
}

impl<'c> Ear<'c> {
    /// Makes it, in the place of what a killed runner left. Its agent's lock is held.
    pub(super) fn open(cell: &'c Folder, agent: &AgentId) -> Result<Self> {
        let trouble = |error: Errno| Error::storage("make a socket for notify", error);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).map_err(trouble)?;
        // Before it has a name: there is no message without its sender.
        sockopt::set_socket_passcred(&socket, true).map_err(trouble)?;
        let run = cell.folder_there(layout::RUN)?;
        let own = rustix::process::getpid();
        let temporary = format!(".notify-{}.tmp", own.as_raw_pid());
        run.remove_file(&temporary)?;
        let folder = run.handle().as_raw_fd();
        let address = SocketAddrUnix::new(format!("/proc/self/fd/{folder}/{temporary}"));
        bind(&socket, &address.map_err(trouble)?).map_err(trouble)?;
        let only_own = Mode::RUSR | Mode::WUSR;
        rustix::fs::chmodat(run.handle(), &temporary, only_own, AtFlags::empty())
            .map_err(trouble)?;
        let file = layout::notify(agent);
        let (_, name) = layout::split(&file);
        run.rename(&temporary, name)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle =
            rustix::fs::openat(run.handle(), name, flags, Mode::empty()).map_err(trouble)?;
        Ok(Ear {
            cell,
            file,
            socket,
            handle,
        })
    }

    /// Where it is found: its path, or a short one that leads there for as long as this process lives.
    pub(super) fn path(&self) -> String {
        let path = self.cell.path_of(&self.file).display().to_string();
        if path.len() <= LONGEST_PATH {
            return path;
        }
        let own = rustix::process::getpid().as_raw_pid();
        format!("/proc/{own}/fd/{}", self.handle.as_raw_fd())
    }

    /// Takes what was said: of one message that counts, or of several. None if there was none. An error means that nothing
    /// will be heard any more.
    pub(super) fn take(&self, child: Pid) -> rustix::io::Result<Option<Said>> {
        let mut heard: Option<Said> = None;
        for _ in 0..AT_ONCE {
            match self.next(child) {
                Ok(Some(said)) => heard.get_or_insert_default().add(said),
                Ok(None) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(heard)
    }

    /// Takes one message; none if it does not count.
    fn next(&self, child: Pid) -> rustix::io::Result<Option<Said>> {
        let mut text = [0; LONGEST];
        // There is room for the sender and for nothing else: files that come along are closed by the kernel.
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut with_it = RecvAncillaryBuffer::new(&mut room);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let got = retry_on_intr(|| {
            let mut into = [IoSliceMut::new(&mut text)];
            recvmsg(&self.socket, &mut into, &mut with_it, flags)
        })?;
        let sender = with_it.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmCredentials(sender) => Some(sender.pid),
            _ => None,
        });
        if got.flags.contains(ReturnFlags::TRUNC) {
            return Ok(None);
        }
        let said = text.get(..got.bytes).and_then(parse);
        // Who sent it is looked up for what says something only.
        Ok(said.filter(|_| sender.is_some_and(|sender| is_of(sender, child))))
    }
}

impl Drop for Ear<'_> {
    fn drop(&mut self) {
        // What cannot be removed is replaced by the next runner.
        _ = self.cell.remove_file(&self.file);
    }
}

impl AsFd for Ear<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Whether a sender is the agent or of its tree. One that is gone by now cannot be asked for its parents, and is not.
fn is_of(sender: Pid, child: Pid) -> bool {
    sender == child || tree::is_ours(sender.as_raw_pid()).unwrap_or(false)
}

impl Said {
    fn add(&mut self, later: Said) {
        self.is_ready |= later.is_ready;
        self.pings |= later.pings;
        self.stops |= later.stops;
        self.status = later.status.or(self.status.take());
    }
}

/// Reads a message: lines `NAME=VALUE`. None if there is nothing in it that counts.
fn parse(text: &[u8]) -> Option<Said> {
    if text.contains(&0) {
        return None;
    }
    let mut said = Said::default();
    for line in text.split(|byte| *byte == b'\n') {
        match line {
            b"READY=1" => said.is_ready = true,
            b"WATCHDOG=1" => said.pings = true,
            b"STOPPING=1" => said.stops = true,
            _ => {
                let status = line.strip_prefix(b"STATUS=");
                let status = status.and_then(|status| std::str::from_utf8(status).ok());
                let cut = |status: &str| status.chars().take(LONGEST_STATUS).collect();
                said.status = status.map(cut).or(said.status);
            }
        }
    }
    (said != Said::default()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_of_a_message_is_taken_and_the_rest_passed_over() {
        let said = parse(b"READY=1\nSTATUS=up\nMAINPID=1\nWATCHDOG=1\nFDSTORE=1\n").unwrap();
        assert!(said.is_ready && said.pings && !said.stops);
        assert_eq!(said.status.as_deref(), Some("up"));
        assert!(parse(b"STOPPING=1").unwrap().stops);
        for nothing in [
            &b""[..],
            b"\n\n",
            b"READY=2",
            b"READY",
            b"WATCHDOG=trigger",
            b"watchdog=1",
            b"STATUS=\xff",
            b"READY=1\0",
            b"BARRIER=1",
            &[0xff; 100],
        ] {
            assert_eq!(parse(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_status_is_cut() {
        let long = format!("STATUS={}", "\u{e9}".repeat(1000));
        let status = parse(long.as_bytes()).unwrap().status.unwrap();
        assert_eq!(status.chars().count(), LONGEST_STATUS);
    }
}
