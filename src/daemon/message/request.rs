//! A request, as a handler sees it: whole, its head checked, its body read.

use super::{Response, Target};
use crate::base::strict::ObjectOnly;
use crate::base::text::{cut, shown};
use serde::de::DeserializeOwned;

/// The most letters that are told of what is wrong with a body.
const LONGEST: usize = 200;
/// How deep the JSON of a body may be nested.
const DEEPEST: usize = 32;

/// A request that has arrived whole.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// With what.
    pub target: Target,
    /// The bearer token of its `Authorization`, if it has one.
    pub token: Option<String>,
    /// Its `Content-Type`, as it was sent.
    pub content_type: Option<String>,
    /// Its body; empty if it has none.
    pub body: Vec<u8>,
    /// Who sent it.
    pub peer: Peer,
}

/// What a request wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// To see something.
    Get,
    /// To see how large something is. The listener sends the head of the answer only.
    Head,
    /// To tell something, or have it done.
    Post,
    /// To have something be there.
    Put,
    /// To have something go.
    Delete,
    /// A method of HTTP that no route has.
    Other,
}

impl Method {
    /// How it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Other => "other",
        }
    }
}

/// Who sent a request, as far as the socket tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process of this machine, over TCP.
    Loopback,
    /// Another machine.
    Remote,
    /// A process of this machine, over the root's socket, and which user runs it; none if the system does not tell.
    Local(Option<u32>),
}

impl Request {
    /// Whether its body says that it is JSON.
    pub fn is_json(&self) -> bool {
        self.content_type.as_deref().is_some_and(|written| {
            let kind = written.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json")
        })
    }

    /// The body as an object of JSON, of whatever content type. None if there is no body; a 400 if it is not what is wanted.
    pub fn json<T: DeserializeOwned>(&self) -> Result<Option<T>, Response> {
        if self.body.is_empty() {
            return Ok(None);
        }
        if depth(&self.body) > DEEPEST {
            let told = format!("the body is nested deeper than {DEEPEST}");
            return Err(Response::error(400, "too_deep", &told));
        }
        let mut text = serde_json::Deserializer::from_slice(&self.body);
        T::deserialize(ObjectOnly(&mut text))
            .and_then(|read| text.end().map(|()| Some(read)))
            .map_err(|error| {
                // The words of the parser repeat what was sent.
                let error = error.to_string();
                let error = cut(&shown(&error), LONGEST).into_owned();
                let told = format!("the body is not what is wanted here: {error}");
                Response::error(400, "bad_body", &told)
            })
    }
}

/// How deep brackets are nested in a text of JSON. One pass over the bytes, before any of them is believed.
fn depth(text: &[u8]) -> usize {
    let (mut deepest, mut depth) = (0_usize, 0_usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => _ = bytes.next(),
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_text_do_not_nest() {
        assert_eq!(depth(b""), 0);
        assert_eq!(depth(br#"{"a": [1, {"b": []}], "c": {}}"#), 4);
        assert_eq!(depth(br#"["[[[[", "\"[[[", "\\"]"#), 1);
        assert_eq!(depth(b"]]]]["), 1);
        assert_eq!(depth(b"\"[[["), 0);
    }
}
