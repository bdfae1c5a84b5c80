//! One connection, from its first byte to its last.

use super::House;
use super::service::{Visitor, answer};
use super::slot::{Phase, Slot};
use super::sniff::Sniff;
use super::stream::{Io, Stream};
use crate::daemon::message::{Body, Response};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use tokio::io::AsyncWrite;

/// The most bytes of a head.
pub(super) const HEAD: usize = 8 << 10;
/// How many bytes of what was sent to no purpose are read away.
const LEFTOVERS: usize = 1 << 20;

/// How hyper's part of a connection ended.
enum End {
    /// Its time is over.
    Dropped,
    /// Nothing was said for a while.
    Parked,
    /// It is over, in order or not.
    Over(Result<(), hyper::Error>),
}

/// Serves a connection until it is over.
pub(super) async fn serve(house: Rc<House>, visitor: Visitor, mut stream: Stream) {
    let visitor = Rc::new(visitor);
    let slot = visitor.slot.clone();
    let (mut sniff, mut given) = (Sniff::new(), Vec::new());
    // hyper's part costs 8 KiB and more as soon as it is made. A connection on which nothing whole has come yet, or nothing
    // for a while, is kept without it: thousands of them fit where a few hundred would.
    while await_head(&stream, &slot, &mut sniff, &mut given).await {
        let io = TokioIo::new(Io::new(stream, sniff, given, slot.clone()));
        let service = service_fn(|request| answer(house.clone(), visitor.clone(), request));
        // In a place of its own: the task of a connection that waits is small.
        let mut connection = Box::new(house.http.serve_connection(io, service));
        let end = poll_fn(|context| {
            if slot.is_ended(context) {
                Poll::Ready(End::Dropped)
            } else if slot.takes_parking() {
                Poll::Ready(End::Parked)
            } else {
                Pin::new(&mut connection).poll(context).map(End::Over)
            }
        })
        .await;
        let parts = match end {
            End::Dropped => return,
            End::Parked => connection.into_parts(),
            End::Over(result) => {
                let io = connection.into_parts().io.into_inner();
                return Box::pin(leave(&house, result, io, &slot)).await;
            }
        };
        let io = parts.io.into_inner();
        (stream, sniff, given) = (io.stream, io.sniff, parts.read_buf.to_vec());
    }
}

/// Reads until there is something for hyper: a whole head, more than one may have, or what can become none. False if the
/// connection is over before.
async fn await_head(stream: &Stream, slot: &Slot, sniff: &mut Sniff, given: &mut Vec<u8>) -> bool {
    // What hyper left when it was parted with goes back to it, if that is more than the beginning of a head.
    if given.len() > sniff.size() {
        return true;
    }
    loop {
        let is_open = poll_fn(|context| {
            if slot.is_ended(context) {
                return Poll::Ready(false);
            }
            stream.poll_readable(context).map(|ready| ready.is_ok())
        });
        if !is_open.await {
            return false;
        }
        let mut buffer = [0; HEAD];
        match stream.try_read(&mut buffer) {
            Ok(0) => return false,
            Ok(read) => {
                let read = buffer.get(..read).unwrap_or_default();
                given.extend_from_slice(read);
                let is_whole = sniff.feed(read);
                if is_whole || sniff.is_hopeless() || sniff.size() >= HEAD {
                    return true;
                }
                if slot.phase() == Phase::Idle && sniff.is_amid_head() {
                    slot.enter(Phase::Head);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
}

/// Says what hyper refused, and closes so that it is heard: a socket that is closed with unread bytes in it is reset, and
/// the reset overtakes what was sent.
async fn leave(house: &House, result: Result<(), hyper::Error>, mut io: Io, slot: &Slot) {
    slot.enter(Phase::Leaving);
    if let Err(error) = result {
        if !error.is_parse() {
            return;
        }
        // A few hundred bytes into a socket whose buffer is free: if they do not fit, nobody reads.
        let (status, bytes) = refusal(&error, &io.refusal);
        house.handler.answered(status);
        _ = io.stream.try_write(&bytes);
    }
    let shut = poll_fn(|context| Pin::new(&mut io.stream).poll_shutdown(context));
    if shut.await.is_err() {
        return;
    }
    let mut left = LEFTOVERS;
    loop {
        let is_open = poll_fn(|context| {
            if slot.is_ended(context) {
                return Poll::Ready(false);
            }
            io.stream.poll_readable(context).map(|ready| ready.is_ok())
        });
        if !is_open.await {
            return;
        }
        let mut buffer = [0; HEAD];
        match io.stream.try_read(&mut buffer) {
            Ok(read) if read > 0 && read < left => left -= read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => return,
        }
    }
}

/// hyper's own refusal with a body. `head` is what hyper said; it says nothing to HTTP/2.
fn refusal(error: &hyper::Error, head: &[u8]) -> (u16, Vec<u8>) {
    let response = if error.is_parse_too_large() {
        let told = format!("a head has at most {HEAD} bytes and 100 headers");
        Response::error(431, "head_too_large", &told)
    } else if error.is_parse_version_h2() {
        Response::error(400, "bad_request", "HTTP/1.1 is spoken here, not HTTP/2")
    } else {
        Response::error(400, "bad_request", &format!("this is no request: {error}"))
    };
    let Body::Whole(body) = response.body else {
        return (response.status, Vec::new());
    };
    let head = if head.is_empty() {
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    } else {
        std::str::from_utf8(head).unwrap_or_default()
    };
    let length = format!(
        "content-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    let mut bytes = head.replacen("content-length: 0", &length, 1).into_bytes();
    bytes.extend_from_slice(&body);
    (response.status, bytes)
}
