//! The sockets of both kinds as one, and what hyper reads and writes through.

use super::slot::{Equipped, Phase, Slot};
use super::sniff::Sniff;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connection of either kind.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Whether there are bytes to read, or their end.
    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => stream.poll_read_ready(context),
            Stream::Unix(stream) => stream.poll_read_ready(context),
        }
    }

    /// Reads what there is, without waiting.
    pub(super) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_read(into),
            Stream::Unix(stream) => stream.try_read(into),
        }
    }

    /// Writes what fits, without waiting.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_write(bytes),
            Stream::Unix(stream) => stream.try_write(bytes),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, into),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The kernel has what was written.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// What hyper reads and writes through. It notes what the connection is at, as the bytes tell.
#[derive(Debug)]
pub(super) struct Io {
    pub(super) stream: Stream,
    pub(super) sniff: Sniff,
    slot: Rc<Slot>,
    _equipped: Equipped,
    /// What was read before hyper was there, and how much of it hyper has.
    given: Vec<u8>,
    taken: usize,
    /// The head of hyper's own refusal, which it believes to have sent.
    pub(super) refusal: Vec<u8>,
}

impl Io {
    /// A stream of which `given` was read, and looked at, already.
    pub(super) fn new(stream: Stream, sniff: Sniff, given: Vec<u8>, slot: Rc<Slot>) -> Self {
        slot.is_ambiguous.set(sniff.is_ambiguous());
        Io {
            stream,
            sniff,
            _equipped: slot.equip(),
            slot,
            given,
            taken: 0,
            refusal: Vec::new(),
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let io = self.get_mut();
        if let Some(rest) = io.given.get(io.taken..)
            && !rest.is_empty()
        {
            let here = rest.len().min(into.remaining());
            into.put_slice(rest.get(..here).unwrap_or_default());
            io.taken += here;
            if io.taken == io.given.len() {
                io.given = Vec::new();
                io.taken = 0;
            }
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut io.stream).poll_read(context, into))?;
        let read = into.filled().get(before..).unwrap_or_default();
        if !read.is_empty() {
            io.sniff.feed(read);
            io.slot.is_ambiguous.set(io.sniff.is_ambiguous());
            if io.slot.phase() == Phase::Idle && io.sniff.is_amid_head() {
                io.slot.enter(Phase::Head);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let io = self.get_mut();
        // What hyper refuses by itself it refuses without a word: the connection's task says it, with a body.
        let (rest, own) = bytes.split_at(bytes.len() - own_words(bytes));
        if rest.is_empty() {
            io.refusal = own.to_vec();
            return Poll::Ready(Ok(own.len()));
        }
        let written = ready!(Pin::new(&mut io.stream).poll_write(context, rest))?;
        io.slot.moved();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = self.get_mut();
        // hyper flushes when it has written all it has; so an answer that was handed to it whole is out.
        if io.slot.phase() == Phase::Sending && io.slot.is_said.take() {
            let is_amid = io.sniff.is_amid_head();
            let next = if is_amid { Phase::Head } else { Phase::Idle };
            io.slot.sent(context, next);
        }
        Pin::new(&mut io.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection's task does it, and may have something to say before.
        Poll::Ready(Ok(()))
    }
}

/// How many of the last bytes are an answer of hyper's own: a refusal with no body and no content type. Every answer of
/// ours has one, and an interim answer (100) has no length.
fn own_words(bytes: &[u8]) -> usize {
    if !bytes.ends_with(b"\r\n\r\n") {
        return 0;
    }
    let Some(at) = memchr::memmem::rfind(bytes, b"HTTP/1.") else {
        return 0;
    };
    let head = bytes.get(at..).unwrap_or_default();
    let has = |what: &[u8]| memchr::memmem::find(head, what).is_some();
    let is_refusal = head
        .get(b"HTTP/1.1".len()..)
        .is_some_and(|rest| rest.starts_with(b" 4"));
    if is_refusal && has(b"\r\ncontent-length: 0\r\n") && !has(b"\r\ncontent-type: ") {
        head.len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_hyper_says_by_itself_is_kept_back() {
        let own =
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer =
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(own_words(own.as_bytes()), own.len());
        assert_eq!(
            own_words(format!("{answer}{{}}\n{own}").as_bytes()),
            own.len()
        );
        assert_eq!(own_words(answer.as_bytes()), 0);
        assert_eq!(own_words(b"HTTP/1.1 100 Continue\r\n\r\n"), 0);
        assert_eq!(own_words(b"0\r\n\r\n"), 0);
    }
}
