//! What is asked over HTTP, and what is answered: one function a route, from a request to a response.

mod acts;
mod agent;
mod beat;
mod cells;
mod events;
mod health;
mod metrics;
mod ready;
mod revivals;
#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod tests;
mod who;

use crate::base::env::Env;
use crate::base::error::Result;
use crate::daemon::desk::Desk;
use crate::daemon::events::Events;
use crate::daemon::listen::Handler;
use crate::daemon::message::{Method, Peer, Reply, Request, Response};
use crate::daemon::pool::Pool;
use crate::health::roster::TokenHash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What routes need.
pub struct Front {
    desk: Arc<Desk>,
    events: Arc<Events>,
    pool: Pool,
    operator: TokenHash,
    /// The token by which others than this machine may read.
    reader: Mutex<Option<TokenHash>>,
    env: Env,
    stories: Box<dyn Fn() -> usize + Send + Sync>,
    /// When a token that is not known was last looked for on disk, in milliseconds since the boot.
    looked: AtomicU64,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Front").finish_non_exhaustive()
    }
}

impl Front {
    /// What routes need. `operator`: the operator's token; `env`: the daemon's own, of which acts of agents see some knobs;
    /// `stories`: how many wait to be told.
    pub fn open(
        desk: Arc<Desk>,
        events: Arc<Events>,
        operator: &str,
        env: &Env,
        stories: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Result<Routes> {
        Ok(Routes(Arc::new(Front {
            env: acts::env_of_acts(env, &desk),
            desk,
            events,
            pool: Pool::start()?,
            operator: who::hash(operator),
            reader: Mutex::new(None),
            stories: Box::new(stories),
            looked: AtomicU64::new(0),
        })))
    }

    /// Whether a token that is not known may be looked for on disk: once a second, so that guessing costs no disk.
    fn may_look(&self) -> bool {
        let now = self.desk.moment().up;
        let last = self.looked.load(Ordering::Relaxed);
        now.saturating_sub(last) >= 1000
            && self
                .looked
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// The routes as a handler.
#[derive(Clone, Debug)]
pub struct Routes(Arc<Front>);

impl Routes {
    /// Takes the token by which others than this machine may read; none: only by the operator's.
    pub fn readers(&self, token: Option<&str>) {
        let mut reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
        *reader = token.map(who::hash);
    }
}

/// One request on its way: what it asks of whom.
struct Call<'c> {
    front: &'c Arc<Front>,
    request: &'c Request,
    /// What stands in the place of each name in braces, in order.
    names: Names<'c>,
}

/// The names that a path holds; no route has more than two.
type Names<'n> = [&'n str; 2];

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// Whoever is on this machine; from elsewhere who has the operator's token, and to read that of readers.
    Near,
    /// Who has the operator's token.
    Operator,
    /// The route sees to it: it depends on the agent that is spoken of.
    Agent,
}

/// What a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// It is not looked at.
    Nothing,
    /// JSON, whatever its content type says: the fleet's `curl -d` sends that of a form.
    Anything,
    /// JSON that says so.
    Json,
}

/// One route.
struct Route {
    path: &'static str,
    method: Method,
    may: May,
    takes: Takes,
    act: fn(&Call<'_>) -> Reply,
}

const fn route(
    method: Method,
    path: &'static str,
    may: May,
    takes: Takes,
    act: fn(&Call<'_>) -> Reply,
) -> Route {
    Route {
        path,
        method,
        may,
        takes,
        act,
    }
}

#[rustfmt::skip] // One route a line: this is a table.
static ROUTES: &[Route] = &[
    route(Method::Post, "/heartbeat/{agent_id}", May::Agent, Takes::Anything, beat::beat),
    route(Method::Post, "/cells/{cell_id}/heartbeat/{agent_id}", May::Agent, Takes::Anything, beat::beat_in_cell),
    route(Method::Post, "/failure/{agent_id}", May::Agent, Takes::Json, beat::failure),
    route(Method::Post, "/cells/{cell_id}/failure/{agent_id}", May::Agent, Takes::Json, beat::failure_in_cell),
    route(Method::Get, "/health", May::Near, Takes::Nothing, health::health),
    route(Method::Get, "/agent/{agent_id}", May::Near, Takes::Nothing, agent::show),
    route(Method::Put, "/agent/{agent_id}", May::Near, Takes::Json, agent::register),
    route(Method::Delete, "/agent/{agent_id}", May::Near, Takes::Nothing, agent::unregister),
    route(Method::Get, "/cells/{cell_id}/agent/{agent_id}", May::Near, Takes::Nothing, agent::show_in_cell),
    route(Method::Get, "/cells", May::Near, Takes::Nothing, cells::list),
    route(Method::Get, "/cells/{cell_id}", May::Near, Takes::Nothing, cells::show),
    route(Method::Post, "/cells/{cell_id}/acts", May::Agent, Takes::Json, acts::act),
    route(Method::Get, "/revivals", May::Near, Takes::Nothing, revivals::list),
    route(Method::Post, "/revivals/{revival_id}/approve", May::Operator, Takes::Json, revivals::approve),
    route(Method::Post, "/revivals/{revival_id}/deny", May::Operator, Takes::Json, revivals::deny),
    route(Method::Post, "/revivals/{revival_id}/cancel", May::Operator, Takes::Json, revivals::cancel),
    route(Method::Get, "/metrics", May::Near, Takes::Nothing, metrics::metrics),
    route(Method::Get, "/livez", May::Near, Takes::Nothing, ready::live),
    route(Method::Get, "/readyz", May::Near, Takes::Nothing, ready::ready),
    route(Method::Get, "/events", May::Operator, Takes::Nothing, events::listen),
];

impl Route {
    /// The names in the path of a request, if it is one of this route.
    fn names<'t>(&self, segments: impl Iterator<Item = &'t str>) -> Option<Names<'t>> {
        let mut names = Names::default();
        let mut free = names.iter_mut();
        let mut parts = self.path.split('/').skip(1);
        for segment in segments {
            match parts.next()? {
                name if name.starts_with('{') => *free.next()? = segment,
                word if word == segment => {}
                _ => return None,
            }
        }
        parts.next().is_none().then_some(names)
    }

    /// Whether a request with this method is for it. Who wants the head of an answer is answered as who wants all.
    fn takes_method(&self, method: Method) -> bool {
        self.method == method || (self.method == Method::Get && method == Method::Head)
    }
}

impl Handler for Routes {
    fn answer(&self, request: &Request) -> Reply {
        let mut allowed = Vec::new();
        for route in ROUTES {
            let Some(names) = route.names(request.target.segments()) else {
                continue;
            };
            if !route.takes_method(request.method) {
                allowed.push(route.method);
                continue;
            }
            let call = Call {
                front: &self.0,
                request,
                names,
            };
            return match call.check(route) {
                Ok(()) => (route.act)(&call),
                Err(refusal) => refusal.into(),
            };
        }
        if allowed.is_empty() {
            let told = "there is no such path here; docs/openapi.yaml lists them";
            return Response::error(404, "not_found", told).into();
        }
        not_so(&allowed).into()
    }

    fn opened(&self) {
        self.0.desk.metrics.connection_opened();
    }

    fn closed(&self) {
        self.0.desk.metrics.connection_closed();
    }

    fn answered(&self, status: u16) {
        self.0.desk.metrics.request(status);
    }
}

/// Refuses a method, and says which there are.
fn not_so(allowed: &[Method]) -> Response {
    let mut words: Vec<&str> = Vec::new();
    for method in allowed {
        words.push(method.word());
        if *method == Method::Get {
            words.push(Method::Head.word());
        }
    }
    let words = words.join(", ");
    let told = format!("this path takes {words}");
    Response::error(405, "method_not_allowed", &told).with("allow", words)
}

impl Call<'_> {
    fn check(&self, route: &Route) -> Result<(), Response> {
        match route.may {
            May::Agent => {}
            May::Near if self.request.peer != Peer::Remote => {}
            May::Near if route.method == Method::Get && self.may_read() => {}
            May::Near | May::Operator => self.require_operator()?,
        }
        let has_body = !self.request.body.is_empty();
        if route.takes == Takes::Json && has_body && !self.request.is_json() {
            let told = "the body is JSON, and its Content-Type says so: application/json";
            return Err(Response::error(415, "not_json", told));
        }
        Ok(())
    }

    /// Whether the token is that by which others may read.
    fn may_read(&self) -> bool {
        let reader = *self
            .front
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let token = self.request.token.as_deref().map(who::hash);
        reader
            .zip(token)
            .is_some_and(|(reader, token)| who::same(&reader, &token))
    }

    /// Refuses who does not have the operator's token.
    fn require_operator(&self) -> Result<(), Response> {
        match &self.request.token {
            None => Err(who::unknown(
                "this is for operators: send the operator's token",
            )),
            Some(token) if who::same(&who::hash(token), &self.front.operator) => Ok(()),
            Some(_) => Err(who::unknown("this is not the operator's token")),
        }
    }
}
