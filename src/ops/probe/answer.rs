//! What a gateway's answer means.

use super::BODY;
use crate::base::text::{cut, shown};
use crate::health::probe::Answer;
use serde_json::Value;
use std::io::Read;
use ureq::Body;
use ureq::http::Response;
use ureq::http::header::LOCATION;

/// An answer, as far as it was read.
pub(super) struct Said {
    status: u16,
    /// Where it sends whoever asks.
    location: Option<String>,
    /// Empty if nothing hangs on it, or if it is too large to be read.
    body: Vec<u8>,
}

/// What an answer means, and who gave it.
pub(super) struct Sense {
    pub(super) answer: Answer,
    pub(super) pid: Option<u64>,
}

impl Sense {
    pub(super) fn of(answer: Answer) -> Self {
        Sense { answer, pid: None }
    }
}

impl Said {
    /// Reads an answer to its end, or not at all: of one that is too large the rest is left where it is.
    pub(super) fn read(response: Response<Body>) -> std::io::Result<Self> {
        let (head, body) = response.into_parts();
        let location = head.headers.get(LOCATION);
        let location = location.map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
        let mut said = Said {
            status: head.status.as_u16(),
            location,
            body: Vec::new(),
        };
        let is_small = body.content_length().is_none_or(|length| length <= BODY);
        if head.status.is_success() && is_small {
            let mut reader = body.into_reader().take(BODY + 1);
            reader.read_to_end(&mut said.body)?;
            if said.body.len() as u64 > BODY {
                said.body.clear();
            }
        }
        Ok(said)
    }

    /// What it means, for one who asked with a key or without.
    pub(super) fn sense(&self, with_key: bool) -> Sense {
        let failed = |why: String| Sense::of(Answer::Failed(why));
        match (self.status, &self.location) {
            (200..=299, _) => {}
            (300..=399, Some(location)) => {
                return failed(format!("redirects to {}, not followed", visible(location)));
            }
            (401 | 403, _) if with_key => {
                return failed(format!("answered {}: its key is not taken", self.status));
            }
            (status, _) => return failed(format!("answered {status}")),
        }
        let answer = match Answer::of_body(&self.body) {
            Answer::Degraded(status) => Answer::Degraded(visible(&status)),
            other => other,
        };
        let pid = self.json().and_then(|body| body.get("pid")?.as_u64());
        Sense { answer, pid }
    }

    /// The name of the first model, by which a Hermes gateway says whose it is.
    pub(super) fn model(&self) -> Option<String> {
        if !(200..=299).contains(&self.status) {
            return None;
        }
        let models = self.json()?;
        Some(models.get("data")?.get(0)?.get("id")?.as_str()?.to_owned())
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// A word of somebody else's, as it may be shown.
pub(super) fn visible(word: &str) -> String {
    cut(&shown(&cut(word, 80)), 80).into_owned()
}
