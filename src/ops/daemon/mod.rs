//! Speaks to the daemon of a root, by HTTP over the root's socket file: nobody who squats a port is told a token.

use crate::base::error::{Error, Kind, Result};
use crate::base::text::{cut, shown};
use crate::ops::http;
use crate::ops::presence;
use crate::store::layout;
use crate::store::root::Root;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Body;
use ureq::http::{Method, Request, Response};

/// How long the daemon may take to answer, as a rule.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer: 64 MiB are those of 100,000 agents.
const LARGEST: u64 = 64 << 20;

/// A daemon that is spoken to.
#[derive(Debug)]
pub struct Daemon {
    agent: ureq::Agent,
    socket: PathBuf,
    /// Who it is, for people.
    who: String,
    token: Option<String>,
    patience: Duration,
}

impl Daemon {
    /// The daemon of a root; none if none runs. A held lock is the proof that it does.
    pub fn find(root: &Root) -> Result<Option<Self>> {
        let presence = presence::look(root)?;
        Ok(presence.running().map(|about| {
            let socket = root.path().join(layout::SOCKET);
            Daemon {
                who: format!(
                    "the daemon of {} (pid {})",
                    root.path().display(),
                    about.pid
                ),
                ..Daemon::at(&socket)
            }
        }))
    }

    /// The daemon of a root, which must run (exit 8 if it does not).
    pub fn of(root: &Root) -> Result<Self> {
        Daemon::find(root)?.ok_or_else(|| {
            Error::new(
                Kind::CouldNotTell,
                format!("no daemon of {} runs", root.path().display()),
            )
            .hint("start it with `mcell daemon`, in tmux or under systemd (docs/operations.md)")
        })
    }

    /// Whoever listens at a socket file: in its cage an agent sees no root, but MCELL_SOCKET.
    pub fn at(socket: &Path) -> Self {
        Daemon {
            agent: http::over_socket(socket),
            who: format!("the daemon at {}", socket.display()),
            socket: socket.to_path_buf(),
            token: None,
            patience: PATIENCE,
        }
    }

    /// Speaks with a token: an agent's own, or an operator's (`ops::operator::token`).
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Waits longer for an answer, or less long.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks. 401 and 403 are refusals (exit 5), 404 is nothing (3), 503 and no answer at all could not tell (8).
    pub fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None)
    }

    /// Tells. What was sent and not answered may have happened or not (exit 9).
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, Some(body))
    }

    /// The same, to put something there.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::PUT, path, Some(body))
    }

    /// The same, to take something away.
    pub fn delete(&self, path: &str) -> Result<Value> {
        self.ask(Method::DELETE, path, None)
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let is_safe = method == Method::GET;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .header("Connection", "close");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        let body = body.map(ToString::to_string).unwrap_or_default();
        let request = request.body(body).map_err(|error| {
            Error::bug(format!("a request to the daemon cannot be made: {error}"))
        })?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(self.patience))
            .build();
        let lost = |error: ureq::Error| self.lost(&error, is_safe);
        let response = self.agent.run(request).map_err(lost)?;
        let (status, text) = read(response).map_err(|error| lost(error.into()))?;
        if (200..=299).contains(&status) {
            if text.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_slice(&text)
                .map_err(|_| self.strange(format!("{} gave an answer that is no JSON", self.who)));
        }
        Err(self.refusal(status, &text))
    }

    /// No answer, or not all of one.
    fn lost(&self, error: &ureq::Error, is_safe: bool) -> Error {
        let who = &self.who;
        let never_began = match error {
            ureq::Error::Io(error) => matches!(
                error.kind(),
                std::io::ErrorKind::NotFound
                    | std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::PermissionDenied
            ),
            ureq::Error::Timeout(ureq::Timeout::Connect) => true,
            _ => false,
        };
        if never_began {
            let (why, hint) = match error {
                ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => (
                    "may not be spoken to by this user",
                    "its root has a group for that: `mcell doctor` names it",
                ),
                _ => (
                    "does not listen at its socket",
                    "it may be starting, or stopping: try again; `mcell daemon status` says what is known",
                ),
            };
            let socket = self.socket.display();
            return Error::new(Kind::CouldNotTell, format!("{who} {why}: {socket}")).hint(hint);
        }
        let what = match error {
            ureq::Error::Timeout(_) => {
                format!("{who} gave no answer within {} s", self.patience.as_secs())
            }
            other => format!("{who} gave no whole answer: {}", shown(&other.to_string())),
        };
        let hint = "`mcell daemon log` may say why; if it hangs, `mcell daemon restart`";
        if is_safe {
            return Error::new(Kind::CouldNotTell, what).hint(hint);
        }
        Error::new(
            Kind::OutcomeUnknown,
            format!("{what}; it may have done it or not"),
        )
        .hint("give the same command again; that is safe")
        .hint(hint)
    }

    /// A refusal of the daemon's, in its words: `{"error": {"code", "message"}}`.
    fn refusal(&self, status: u16, text: &[u8]) -> Error {
        let said: Value = serde_json::from_slice(text).unwrap_or_default();
        let said = said.get("error");
        let word = |name: &str| said.and_then(|said| said.get(name)?.as_str());
        let code = word("code").unwrap_or_default();
        // What is one of our own kinds was said by the same use case that would run here.
        let own = Kind::ALL.into_iter().find(|kind| kind.code() == code);
        let kind = match (status, own) {
            (401 | 403, _) => Kind::Refused,
            (404, _) => Kind::NotFound,
            (409, Some(Kind::Fenced)) => Kind::Fenced,
            (409, _) => Kind::Refused,
            (503, _) => Kind::CouldNotTell,
            (_, Some(own)) => own,
            _ => Kind::CouldNotTell,
        };
        let message = match word("message") {
            Some(message) if !message.is_empty() => cut(&shown(message), 2000).into_owned(),
            _ => format!("{} answered {status}, and does not say why", self.who),
        };
        let hints = said.and_then(|said| said.get("hints")?.as_array());
        let hints = hints.into_iter().flatten().filter_map(Value::as_str);
        let mut error = Error::new(kind, message);
        for hint in hints {
            error = error.hint(shown(hint));
        }
        if status == 401 {
            error = error.hint("an agent's token is in its MCELL_TOKEN, an operator's in .mcell/operator.token of the root");
        }
        error
    }

    fn strange(&self, message: String) -> Error {
        let socket = self.socket.display();
        Error::new(Kind::CouldNotTell, message).hint(format!(
            "is it mcell that listens at {socket}? `mcell daemon status` names its version"
        ))
    }
}

fn read(response: Response<Body>) -> std::io::Result<(u16, Vec<u8>)> {
    let status = response.status().as_u16();
    let mut text = Vec::new();
    let mut reader = response.into_body().into_reader().take(LARGEST + 1);
    reader.read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it is too long"));
    }
    Ok((status, text))
}

#[cfg(test)]
mod tests;
