//! One keep-alive connection to a server, on which one question follows the other.

use crate::report::Result;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub struct Wire {
    address: SocketAddr,
    stream: Option<TcpStream>,
    bytes: Vec<u8>,
}

/// A beat, as it is sent.
pub fn beat(path: &str) -> Vec<u8> {
    const BODY: &str = r#"{"metadata": {"status": "active"}}"#;
    let length = BODY.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{BODY}"
    )
    .into_bytes()
}

impl Wire {
    /// One that is opened when it is first used.
    pub fn to(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            bytes: Vec::new(),
        }
    }

    /// Asks for a page.
    pub fn get(&mut self, path: &str) -> Result<String> {
        let (status, body) =
            self.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        if status != 200 {
            return Err(format!("GET {path}: {status} {body}").into());
        }
        Ok(body)
    }

    /// Asks, and gives status and body. A connection that the server closed between two questions is opened anew, as
    /// every client does.
    pub fn ask(&mut self, request: &[u8]) -> Result<(u16, String)> {
        let is_old = self.stream.is_some();
        let answer = match self.attempt(request) {
            Err(error) if is_old && is_end(&error) => {
                self.stream = None;
                self.attempt(request)
            }
            answer => answer,
        };
        Ok(answer?)
    }

    fn attempt(&mut self, request: &[u8]) -> std::io::Result<(u16, String)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                none.insert(stream)
            }
        };
        stream.write_all(request)?;
        self.bytes.clear();
        let mut piece = [0; 16 << 10];
        loop {
            let read = stream.read(&mut piece)?;
            if read == 0 {
                let is_first = self.bytes.is_empty();
                let kind = if is_first {
                    ErrorKind::ConnectionReset
                } else {
                    ErrorKind::UnexpectedEof
                };
                return Err(Error::new(
                    kind,
                    "the connection was closed before all of the answer was there",
                ));
            }
            self.bytes.extend_from_slice(&piece[..read]);
            if let Some(answer) = whole(&self.bytes) {
                return Ok(answer);
            }
        }
    }
}

/// Whether a connection was closed before anything of the answer came.
fn is_end(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

/// Status and body, if all of it is there.
fn whole(bytes: &[u8]) -> Option<(u16, String)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end])
        .ok()?
        .to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length?.trim().parse().ok()?;
    let body = bytes.get(end..end + length)?;
    Some((status, String::from_utf8_lossy(body).into_owned()))
}
