//! HTTP over a socket file.
//!
//! std connects to a socket file without a deadline, and a process that is stopped never takes a connection: once its
//! queue is full, whoever connects waits for ever. A socket's own time-out for sending counts for connecting too.

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout as Direction, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// Connects to one socket file, whatever the URL.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
}

impl Socket {
    pub(super) fn at(path: &Path) -> Self {
        Socket {
            path: path.to_path_buf(),
        }
    }
}

impl Connector<()> for Socket {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, Error> {
        let until = Until::of(details.timeout);
        let stream = open(&self.path, until.left()?).map_err(|error| match error {
            // Its queue is full, and stayed so.
            Errno::AGAIN | Errno::INPROGRESS => Error::Timeout(ureq::Timeout::Connect),
            other => Error::Io(other.into()),
        })?;
        let config = details.config;
        Ok(Some(Wire {
            stream,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

fn open(path: &Path, patience: Option<Duration>) -> Result<UnixStream, Errno> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    set_socket_timeout(&socket, Direction::Send, patience)?;
    match SocketAddrUnix::new(path) {
        Ok(address) => connect(&socket, &address)?,
        // An address has room for 107 bytes, and a root may lie deep. The folder held open has a short name.
        Err(Errno::NAMETOOLONG) => {
            let (folder, name) = (path.parent(), path.file_name());
            let (Some(folder), Some(name)) = (folder, name) else {
                return Err(Errno::NAMETOOLONG);
            };
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let folder: OwnedFd = rustix::fs::open(folder, flags, Mode::empty())?;
            let near = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
            connect(&socket, &SocketAddrUnix::new(near.join(name))?)?;
        }
        Err(error) => return Err(error),
    }
    Ok(UnixStream::from(socket))
}

/// A connection to a socket file.
#[derive(Debug)]
pub(super) struct Wire {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let until = Until::of(timeout.for_write());
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            self.stream.set_write_timeout(until.left()?)?;
            match self.stream.write(rest) {
                Ok(0) => return Err(Error::Io(ErrorKind::WriteZero.into())),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) => until.go_on(error)?,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let until = Until::of(timeout.for_read());
        loop {
            self.stream.set_read_timeout(until.left()?)?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) => until.go_on(error)?,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // No connection is kept, so none is taken again.
        false
    }
}

/// When something must have happened.
#[derive(Clone, Copy)]
struct Until {
    /// None: whenever.
    end: Option<Instant>,
    reason: ureq::Timeout,
}

impl Until {
    fn of(timeout: NextTimeout) -> Self {
        let after = (!timeout.after.is_not_happening()).then_some(*timeout.after);
        Until {
            end: after.and_then(|after| Instant::now().checked_add(after)),
            reason: timeout.reason,
        }
    }

    /// How long is left, never zero: a socket takes zero for no end.
    fn left(self) -> Result<Option<Duration>, Error> {
        let Some(end) = self.end else {
            return Ok(None);
        };
        let left = end.saturating_duration_since(Instant::now());
        if left < Duration::from_micros(1) {
            return Err(self.over());
        }
        Ok(Some(left))
    }

    fn over(self) -> Error {
        Error::Timeout(self.reason)
    }

    /// A signal in between is no answer, and the time-out of the socket is looked at again by `left`.
    fn go_on(self, error: std::io::Error) -> Result<(), Error> {
        match error.kind() {
            ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(()),
            _ => Err(Error::Io(error)),
        }
    }
}
