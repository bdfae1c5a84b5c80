//! An answer: a status, a few headers, and a body.

use super::{Feed, Later};
use crate::base::error::{Error, Kind};
use serde::Serialize;

/// The content type of JSON.
pub const JSON: &str = "application/json";
/// The content type of plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// Further headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// What is said.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// Events, as they come.
    Stream(Feed),
}

/// What a handler gives: an answer, or one that is still made elsewhere. A handler runs on the listener's only thread, so
/// whatever waits for a lock, the disk or the net is given later.
#[derive(Debug)]
pub enum Reply {
    /// The answer.
    Now(Response),
    /// Whoever makes the answer holds the promise.
    Later(Later),
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Reply::Now(response)
    }
}

impl Response {
    /// An answer in JSON, in one line.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let mut body = Vec::with_capacity(256);
        if let Err(error) = serde_json::to_writer(&mut body, value) {
            return Response::error(
                500,
                "bug",
                &format!("the answer cannot be written: {error}"),
            );
        }
        // A shell's prompt comes to stand in a line of its own.
        body.push(b'\n');
        Response {
            status,
            content_type: JSON,
            headers: Vec::new(),
            body: Body::Whole(body),
        }
    }

    /// A text.
    pub fn text(status: u16, content_type: &'static str, text: String) -> Self {
        Response {
            status,
            content_type,
            headers: Vec::new(),
            body: Body::Whole(text.into_bytes()),
        }
    }

    /// A stream of events.
    pub fn stream(feed: Feed) -> Self {
        Response {
            status: 200,
            content_type: "text/event-stream",
            headers: vec![("cache-control", String::from("no-store"))],
            body: Body::Stream(feed),
        }
    }

    /// A refusal: `{"error": {"code", "message"}}`. The code is a word that never changes, the message is for people.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        #[derive(Serialize)]
        struct Outer<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
        }
        Response::json(
            status,
            &Outer {
                error: Inner { code, message },
            },
        )
    }

    /// The same with a list of what may have been meant beside the message.
    pub fn refusal<'a>(
        status: u16,
        code: &str,
        message: &str,
        name: &'static str,
        list: impl Iterator<Item = &'a str>,
    ) -> Self {
        let list: Vec<&str> = list.collect();
        let error = serde_json::json!({ "code": code, "message": message, name: list });
        Response::json(status, &serde_json::json!({ "error": error }))
    }

    /// What an act of the CLI says when it fails, with its hints. The code is the word of its kind (docs/exit-codes.md).
    pub fn of_error(error: &Error) -> Self {
        let status = match error.kind() {
            Kind::Usage => 400,
            Kind::NotFound => 404,
            Kind::No | Kind::Refused | Kind::Fenced | Kind::Malformed => 409,
            Kind::Busy | Kind::Storage | Kind::CouldNotTell => 503,
            Kind::OutcomeUnknown | Kind::Bug => 500,
        };
        let hints = error.hints().iter().map(String::as_str);
        Response::refusal(status, error.kind().code(), error.message(), "hints", hints)
    }

    /// The same with one more header; its name is in lower case.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
