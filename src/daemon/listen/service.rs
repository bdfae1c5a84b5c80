//! From hyper's request to ours, to the handler, and back.

use super::House;
use super::guard::{self, Head};
use super::slot::{Phase, Slot};
use crate::daemon::message::{Body, Feed, Peer, Reply, Request, Response};
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, StatusCode};
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The most bytes of a body.
const BODY: usize = 64 << 10;
/// The most bytes of all bodies that are not whole yet: many that send a little, and no more, do not fill the memory.
const BODIES: usize = 4 << 20;

/// A comment of a stream of events: it lives.
const COMMENT: &[u8] = b":\n\n";

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) slot: Rc<Slot>,
    pub(super) peer: Peer,
    /// The address that was called, where all addresses are listened on.
    pub(super) local: Option<IpAddr>,
}

/// Answers one request.
pub(super) async fn answer(
    house: Rc<House>,
    visitor: Rc<Visitor>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Said>, Infallible> {
    let slot = &visitor.slot;
    slot.is_said.set(false);
    slot.enter(Phase::Body);
    let (parts, body) = request.into_parts();
    // What is in the connection after a body whose length was told in two ways is nobody's guess.
    let is_chunked = parts.headers.contains_key(TRANSFER_ENCODING);
    let mut closes = is_chunked || parts.method == Method::CONNECT;
    let head = guard::check_length(&parts, slot.is_ambiguous.get())
        .and_then(|()| guard::check(&parts, &house.names, visitor.local));
    // It holds the buffer of the head, which is larger than what was read from it.
    drop(parts);
    let reply = match head {
        Err(refusal) => {
            closes |= !body.is_end_stream();
            Reply::Now(refusal)
        }
        Ok(head) => match read_body(&house, body).await {
            Err(refusal) => {
                closes = true;
                Reply::Now(refusal)
            }
            Ok(body) => {
                slot.enter(Phase::Working);
                house.handler.answer(&whole(head, body, visitor.peer))
            }
        },
    };
    let response = match reply {
        Reply::Now(response) => response,
        Reply::Later(later) => later.await,
    };
    house.handler.answered(response.status);
    closes |= house.is_stopping.get();
    Ok(said(&house, response, slot, closes))
}

fn whole(head: Head, body: Vec<u8>, peer: Peer) -> Request {
    Request {
        method: head.method,
        target: head.target,
        token: head.token,
        content_type: head.content_type,
        body,
        peer,
    }
}

/// What a connection holds of all unfinished bodies.
struct Share<'h> {
    house: &'h House,
    bytes: usize,
}

impl Share<'_> {
    /// False if all have too much together.
    fn add(&mut self, bytes: usize) -> bool {
        let all = self.house.held.get() + bytes;
        self.house.held.set(all);
        self.bytes += bytes;
        all <= BODIES
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.house.held.set(self.house.held.get() - self.bytes);
    }
}

async fn read_body(house: &House, mut body: Incoming) -> Result<Vec<u8>, Response> {
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let too_large = || {
        let told = format!("a body has at most {BODY} bytes");
        Response::error(413, "too_large", &told)
    };
    let hint = body.size_hint();
    let least = usize::try_from(hint.lower()).unwrap_or(usize::MAX);
    if least > BODY {
        return Err(too_large());
    }
    let mut share = Share { house, bytes: 0 };
    let mut read = Vec::new();
    let mut waiting = None;
    let mut next = move |context: &mut Context<'_>| {
        let frame = Pin::new(&mut body).poll_frame(context);
        if frame.is_pending() && waiting.is_none() {
            waiting = Some(house.table.wait_for_body());
        }
        frame
    };
    while let Some(frame) = poll_fn(&mut next).await {
        let frame = frame.map_err(|_| {
            let told = "the body is not sent as its head says";
            Response::error(400, "bad_request", told)
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if read.len() + data.len() > BODY {
            return Err(too_large());
        }
        if !share.add(data.len()) {
            let told = "too many bodies are being sent at once; try again";
            return Err(Response::error(503, "busy", told));
        }
        // Grown by what came, not by what was promised.
        read.extend_from_slice(&data);
    }
    Ok(read)
}

/// The body of an answer, which notes when hyper has all of it.
#[derive(Debug)]
pub(super) struct Said {
    slot: Rc<Slot>,
    rest: Rest,
}

#[derive(Debug)]
enum Rest {
    Nothing,
    Whole(Bytes),
    Stream(Feed),
}

fn said(house: &House, response: Response, slot: &Rc<Slot>, closes: bool) -> hyper::Response<Said> {
    let (phase, rest) = match response.body {
        Body::Whole(bytes) if bytes.is_empty() => (Phase::Sending, Rest::Nothing),
        Body::Whole(bytes) => (Phase::Sending, Rest::Whole(bytes.into())),
        Body::Stream(feed) => (Phase::Listening, Rest::Stream(feed)),
    };
    slot.enter(phase);
    if let Rest::Whole(bytes) = &rest {
        house.table.owe(slot, bytes.len());
    }
    let mut answer = hyper::Response::new(Said {
        slot: slot.clone(),
        rest,
    });
    *answer.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(response.content_type),
    );
    for (name, value) in response.headers {
        // A value that cannot be sent is left out: no caller's text comes to stand here.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    if closes {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

impl hyper::body::Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let said = self.get_mut();
        let next = match std::mem::replace(&mut said.rest, Rest::Nothing) {
            Rest::Nothing => None,
            Rest::Whole(bytes) => Some(bytes),
            Rest::Stream(mut feed) => {
                let next = match feed.poll(context) {
                    Poll::Pending if said.slot.takes_comment() => Some(Bytes::from_static(COMMENT)),
                    Poll::Pending => {
                        said.rest = Rest::Stream(feed);
                        return Poll::Pending;
                    }
                    Poll::Ready(next) => next.map(Bytes::from),
                };
                if next.is_some() {
                    said.rest = Rest::Stream(feed);
                }
                next
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Rest::Nothing => SizeHint::with_exact(0),
            Rest::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Rest::Stream(_) => SizeHint::default(),
        }
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        if self.slot.phase() == Phase::Listening {
            self.slot.enter(Phase::Sending);
        }
        self.slot.is_said.set(true);
    }
}
