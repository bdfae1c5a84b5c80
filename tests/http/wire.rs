//! A client that sends what no client should.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long anything may take that is not a matter of time.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(super) fn call(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let read = Vec::new();
        Wire { stream, read }
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A listener that has heard enough may be gone.
        _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more is sent.
    pub(super) fn shut(&mut self) {
        _ = self.stream.shutdown(Shutdown::Write);
    }

    fn more(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.read.extend_from_slice(&buffer[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // A socket with a timeout says so to a process that was stopped and goes on.
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) => panic!("{error}; so far: {}", String::from_utf8_lossy(&self.read)),
        }
    }

    /// Whether nothing comes for a while, and nothing came.
    pub(super) fn is_silent(&mut self) -> bool {
        let short = Duration::from_millis(50);
        self.stream.set_read_timeout(Some(short)).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        peeked.is_err()
    }

    /// Waits until something comes; true if it is not the end.
    pub(super) fn is_answered(&mut self) -> bool {
        loop {
            match self.stream.peek(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                peeked => return peeked.is_ok_and(|read| read > 0),
            }
        }
    }

    /// One answer, whole.
    pub(super) fn answer(&mut self) -> String {
        loop {
            if let Some(length) = whole(&self.read) {
                let rest = self.read.split_off(length);
                let said = std::mem::replace(&mut self.read, rest);
                return String::from_utf8(said).unwrap();
            }
            assert!(
                self.more(),
                "it ended with: {}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    /// Reads until it has read this.
    pub(super) fn read_until(&mut self, what: &str) {
        while memchr::memmem::find(&self.read, what.as_bytes()).is_none() {
            assert!(self.more(), "it ended before {what:?}");
        }
        self.read.clear();
    }

    /// All until the end.
    pub(super) fn rest(&mut self) -> String {
        while self.more() {}
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }
}

/// How many bytes the first answer has, if it is there whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let length = head.split("content-length: ").nth(1).map_or(0, |rest| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    (bytes.len() >= end + length).then_some(end + length)
}

/// The statuses of all answers, one after the other; each says in JSON why, if it is a refusal.
pub(super) fn answers(said: &str) -> Vec<u16> {
    let mut rest = said;
    let mut statuses = Vec::new();
    while !rest.is_empty() {
        let length = whole(rest.as_bytes()).unwrap_or_else(|| panic!("no answer: {rest}"));
        let (one, others) = rest.split_at(length);
        let status: u16 = one[9..12].parse().unwrap();
        if status >= 400 {
            assert!(one.contains("\r\n\r\n{\"error\":{\"code\":\""), "{one}");
            assert!(
                one.contains("\r\ncontent-type: application/json\r\n"),
                "{one}"
            );
        }
        statuses.push(status);
        rest = others;
    }
    statuses
}
