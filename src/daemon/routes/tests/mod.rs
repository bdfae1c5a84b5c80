//! Requests to the routes of a daemon of one root, without a socket.

mod acts;
mod agent;
mod beat;
mod page;
mod who;

use super::*;
use crate::base::boot::Moment;
use crate::base::clock::Clock;
use crate::base::ids::AgentId;
use crate::daemon::log::{Log, LogFormat};
use crate::daemon::message::{Body, JSON, Target};
use crate::daemon::tree::{EVERY, Tree};
use crate::daemon::world::World;
use crate::health::settings::Settings;
use crate::ops::config::LogLevel;
use crate::ops::world::World as Root;
use crate::store::layout;
use serde_json::Value;

const OPERATOR: &str = "the operator's token";

/// A root with one cell, and the routes of its daemon.
struct Pit {
    root: Root,
    tree: Tree,
    routes: Routes,
}

/// An answer, read.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Answer {
    /// The word of a refusal.
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

impl Pit {
    fn new() -> Self {
        let root = Root::new();
        let path = root.root().path().to_path_buf();
        let log = Log::new(LogFormat::Text, LogLevel::Error, Clock::System, None);
        let world = World::new(Settings::default(), 30);
        let desk = Desk::new(path.clone(), Clock::System, log, world, 30).unwrap();
        let events = Arc::new(Events::default());
        let env = &root.session.env;
        let routes = Front::open(Arc::new(desk), events, OPERATOR, env, || 0).unwrap();
        let tree = Tree::open(&path, EVERY).unwrap();
        let mut pit = Pit { root, tree, routes };
        pit.sweep();
        pit
    }

    /// Reads the root, as the loop of the daemon does.
    fn sweep(&mut self) {
        let refreshed = self.tree.refresh(&Moment::now(Clock::System)).unwrap();
        let (mut world, now) = self.routes.0.desk.world_now();
        for cell in refreshed.changed {
            let census = &self.tree.cells()[&cell];
            world.roster.enrol(census, |_| None, now);
        }
    }

    /// Another cell in the root, with an agent called agent_001.
    fn add_cell(&mut self) -> String {
        let session = &self.root.session;
        let new = crate::ops::init::NewCell {
            name: String::from("Second"),
            ..Default::default()
        };
        let root = session.open_root().unwrap();
        let (cell, _) = crate::ops::init::init(session, &root, &new).unwrap();
        let second = cell.id().to_string();
        let first = std::mem::replace(&mut self.root.cell, cell);
        self.root.add_agent();
        self.root.cell = first;
        self.sweep();
        second
    }

    /// An agent of the first cell that was started with a token.
    fn start(&mut self, token: &str, incarnation: u64) -> AgentId {
        let agent = self.root.add_agent();
        self.note(&agent, token, incarnation);
        self.sweep();
        agent
    }

    /// What a runner writes when it starts an agent. The daemon is not told.
    fn note(&self, agent: &AgentId, token: &str, incarnation: u64) {
        let hash: String = super::who::hash(token)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let folder = self.root.cell.path().join(layout::RUN);
        std::fs::create_dir_all(folder).unwrap();
        let text = format!("{{\"incarnation\": {incarnation}, \"token_sha256\": \"{hash}\"}}");
        self.root.write(&layout::run_note(agent), &text);
    }

    fn cell(&self) -> String {
        self.root.cell.id().to_string()
    }

    fn request(&self, method: Method, path: &str, body: &str) -> Request {
        Request {
            method,
            target: Target::parse(path, None).unwrap(),
            token: None,
            content_type: Some(String::from(JSON)),
            body: body.as_bytes().to_vec(),
            peer: Peer::Loopback,
        }
    }

    fn ask(&self, request: &Request) -> Answer {
        let response = match self.routes.answer(request) {
            Reply::Now(response) => response,
            Reply::Later(later) => later.wait(),
        };
        let Body::Whole(body) = response.body else {
            panic!("a stream");
        };
        Answer {
            status: response.status,
            headers: response.headers,
            body: serde_json::from_slice(&body)
                .unwrap_or_else(|_| String::from_utf8(body).unwrap().into()),
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&self.request(Method::Get, path, ""))
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(&self.request(Method::Post, path, body))
    }

    fn post_with(&self, token: &str, path: &str, body: &str) -> Answer {
        let mut request = self.request(Method::Post, path, body);
        request.token = Some(token.to_owned());
        self.ask(&request)
    }
}

#[test]
fn a_path_that_is_there_with_another_method_says_which_it_takes() {
    let pit = Pit::new();
    let answer = pit.ask(&pit.request(Method::Delete, "/health", ""));
    assert_eq!(answer.status, 405);
    assert_eq!(answer.headers, [("allow", String::from("GET, HEAD"))]);
    let answer = pit.ask(&pit.request(Method::Other, "/agent/a", ""));
    assert_eq!(
        answer.headers,
        [("allow", String::from("GET, HEAD, PUT, DELETE"))]
    );
    for path in [
        "/",
        "/healthz",
        "/health/",
        "/heartbeat",
        "/heartbeat/a/b",
        "/cells/a/b",
        "//health",
    ] {
        assert_eq!(pit.get(path).status, 404, "{path}");
    }
    assert_eq!(pit.get("/%68ealth").status, 200);
}

#[test]
fn only_beats_take_what_a_form_sends() {
    let pit = Pit::new();
    for (path, status) in [("/heartbeat/a", 200), ("/failure/a", 415)] {
        let mut request = pit.request(Method::Post, path, r#"{"error": "x"}"#);
        for kind in ["application/x-www-form-urlencoded", "text/plain"] {
            request.content_type = Some(String::from(kind));
            assert_eq!(pit.ask(&request).status, status, "{path} {kind}");
        }
        request.content_type = Some(String::from("Application/JSON; charset=utf-8"));
        assert_eq!(pit.ask(&request).status, 200, "{path}");
    }
}

#[test]
fn from_another_machine_a_token_is_needed_for_reading_too() {
    let pit = Pit::new();
    pit.routes.readers(Some("the readers' token"));
    let ask = |method, path, token: Option<&str>| {
        let mut request = pit.request(method, path, "");
        request.peer = Peer::Remote;
        request.token = token.map(str::to_owned);
        pit.ask(&request).status
    };
    for path in ["/health", "/cells", "/metrics", "/livez", "/agent/a"] {
        assert_eq!(ask(Method::Get, path, None), 401, "{path}");
        assert_eq!(ask(Method::Get, path, Some("wrong")), 401, "{path}");
        for token in [OPERATOR, "the readers' token"] {
            assert_ne!(ask(Method::Get, path, Some(token)), 401, "{path}");
        }
    }
    assert_eq!(
        ask(Method::Put, "/agent/a", Some("the readers' token")),
        401
    );
    assert_eq!(ask(Method::Put, "/agent/a", Some(OPERATOR)), 201);
    assert_eq!(ask(Method::Post, "/heartbeat/a", None), 401);
    assert_eq!(ask(Method::Post, "/heartbeat/a", Some(OPERATOR)), 200);
}

#[test]
fn readiness_waits_for_the_first_sweep() {
    let pit = Pit::new();
    assert_eq!(pit.get("/livez").status, 200);
    let answer = pit.get("/readyz");
    assert_eq!((answer.status, answer.code()), (503, "not_ready"));
    let desk = &pit.routes.0.desk;
    let now = desk.moment().up;
    desk.swept(now);
    assert_eq!(pit.get("/readyz").status, 200);
    desk.swept(now.saturating_sub(91_000).max(1));
    assert_eq!(pit.get("/readyz").status, 503);
}

#[test]
fn revivals_are_listed_and_only_operators_answer_them() {
    let pit = Pit::new();
    assert_eq!(
        pit.get("/revivals").body,
        serde_json::json!({ "revivals": [] })
    );
    for verb in ["approve", "deny", "cancel"] {
        let path = format!("/revivals/rabcde/{verb}");
        assert_eq!(pit.post(&path, "").status, 401);
        assert_eq!(pit.post_with("wrong", &path, "").status, 401);
        assert_eq!(pit.post_with(OPERATOR, &path, "").status, 404);
    }
}

#[test]
fn the_numbers_are_text_and_events_are_for_operators() {
    let pit = Pit::new();
    pit.post("/heartbeat/a", "");
    let text = pit.get("/metrics").body;
    assert!(
        text.as_str()
            .unwrap()
            .contains("mcell_beats_total{result=\"accepted\"} 1"),
        "{text}"
    );
    assert_eq!(pit.get("/events").status, 401);
    let mut request = pit.request(Method::Get, "/events", "");
    request.token = Some(String::from(OPERATOR));
    let Reply::Now(response) = pit.routes.answer(&request) else {
        panic!("later");
    };
    assert!(matches!(response.body, Body::Stream(_)));
}
