//! Gateways as the daemon meets them: real processes that answer, freeze, thaw, and say that they are not well.

use crate::changes::{changes, events, until_it_becomes};
use crate::curl::text;
use crate::pit::{Daemon, Ours, until};
use crate::world::{World, require};
use rustix::process::Signal;
use std::process::Stdio;

/// A gateway: it answers with what stands in a file.
const GATEWAY: &str = r#"
import http.server, sys
class Gateway(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open(sys.argv[2], "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
open(sys.argv[1], "w").write(str(server.server_address[1]))
server.serve_forever()
"#;

/// A world with a gateway, and an agent at it.
struct Place {
    world: World,
    gateway: Ours,
}

impl Place {
    fn new() -> Option<Self> {
        Place::with(&[])
    }

    /// The same with more members of its entry in the config.
    fn with(members: &[(&str, &str)]) -> Option<Self> {
        if !require("python3") {
            return None;
        }
        let world = World::with_cell("Example Mission");
        let (script, port, body) = (
            world.place().join("gateway.py"),
            world.place().join("port"),
            world.place().join("body"),
        );
        std::fs::write(&script, GATEWAY).expect("a script");
        std::fs::write(&body, r#"{"status": "ok"}"#).expect("a body");
        let mut command = world.command("python3");
        command
            .arg(&script)
            .arg(&port)
            .arg(&body)
            .stdout(Stdio::null());
        let gateway = Ours::start(&world, command);
        let port = until("the gateway listens", || {
            std::fs::read_to_string(&port)
                .ok()
                .filter(|port| !port.is_empty())
        });
        let folder = world.home().join(".lazarus");
        std::fs::create_dir_all(&folder).expect("a folder for the config");
        let mut entry = serde_json::json!({"url": format!("http://127.0.0.1:{port}")});
        for (name, value) in members {
            entry[*name] = (*value).into();
        }
        let config = serde_json::json!({
            "poll_interval": 1,
            "gateways": {"gateway_1": entry},
            "health": {"interval": 1, "probe_timeout": 1},
            "notify_command": ["sh", "-c", "cat >> told"],
        });
        std::fs::write(folder.join("config.json"), config.to_string()).expect("a config");
        world
            .run(["add-agent", "--role", "write", "--gateway", "gateway_1"])
            .ok();
        Some(Place { world, gateway })
    }

    fn says(&self, status: &str) {
        let body = serde_json::json!({ "status": status }).to_string();
        // Replaced whole: the gateway reads it at any moment.
        let next = self.world.place().join("next");
        std::fs::write(&next, body).expect("a body");
        std::fs::rename(next, self.world.place().join("body")).expect("the body");
    }
}

/// Waits until gateways have answered so, so many times.
fn until_it_answered(daemon: &Daemon, outcome: &str, times: u64) {
    let name = format!("mcell_probe_seconds_count{{outcome=\"{outcome}\"}}");
    until("the gateway was asked often enough", || {
        let metrics = text(&format!("{}/metrics", daemon.url()), None);
        let line = metrics.lines().find(|line| line.starts_with(&name))?;
        let count: u64 = line.rsplit(' ').next()?.parse().ok()?;
        (count >= times).then_some(())
    });
}

#[test]
fn hermes_113372_a_frozen_gateway_is_unhealthy_after_three_misses_and_healthy_after_two_answers() {
    let Some(place) = Place::new() else { return };
    let daemon = Daemon::start(&place.world);
    until_it_becomes(&place.world, "healthy");
    place.gateway.signal(Signal::STOP);
    let fell = until_it_becomes(&place.world, "unhealthy");
    let words: Vec<&str> = fell.iter().map(String::as_str).collect();
    assert!(
        words[1].starts_with("healthy -> degraded: 1 probe failed, unhealthy at 3"),
        "{words:?}"
    );
    assert!(
        words[2].starts_with("degraded -> unhealthy: 3 probes in a row failed"),
        "{words:?}"
    );
    assert!(
        fell[2].contains("no answer within 1 s"),
        "a frozen one accepts, and answers nothing: {words:?}"
    );
    place.gateway.signal(Signal::CONT);
    let rose = until_it_becomes(&place.world, "healthy");
    assert!(
        rose[3].starts_with("unhealthy -> degraded: recovering: 1 good of 2"),
        "{rose:?}"
    );
    assert_eq!(rose.len(), 5, "{rose:?}");
    daemon.stop();
}

#[test]
fn a_degraded_gateway_is_shown_and_nobody_is_told() {
    let Some(place) = Place::new() else { return };
    let daemon = Daemon::start(&place.world);
    until_it_becomes(&place.world, "healthy");
    place.says("degraded");
    let fell = until_it_becomes(&place.world, "degraded");
    assert!(
        fell[1].ends_with("its gateway answers, and says degraded"),
        "{fell:?}"
    );
    // Ten more answers change nothing.
    until_it_answered(&daemon, "degraded", 11);
    let now = changes(&place.world);
    assert_eq!(now, fell);
    assert!(
        !place.world.home().join("told").exists(),
        "nobody is woken for it"
    );
    place.says("ok");
    until_it_becomes(&place.world, "healthy");
    daemon.stop();
}

#[test]
fn a_gateway_that_was_frozen_and_thaws_degraded_is_degraded_and_not_unhealthy() {
    let Some(place) = Place::new() else { return };
    let daemon = Daemon::start(&place.world);
    until_it_becomes(&place.world, "healthy");
    place.gateway.signal(Signal::STOP);
    until_it_becomes(&place.world, "unhealthy");
    place.says("degraded");
    place.gateway.signal(Signal::CONT);
    let changes = until_it_becomes(&place.world, "degraded");
    assert_eq!(
        changes.last().map(String::as_str),
        Some("unhealthy -> degraded: its gateway answers, and says degraded")
    );
    // From there it takes as many good answers as from unhealthy.
    place.says("ok");
    until_it_becomes(&place.world, "healthy");
    daemon.stop();
}

#[test]
fn a_key_that_cannot_be_read_is_told_once_and_the_gateway_is_asked_without_it() {
    let Some(place) = Place::with(&[("token_file", "~/no.key")]) else {
        return;
    };
    let daemon = Daemon::start(&place.world);
    until_it_answered(&daemon, "good", 5);
    let notes = events(&place.world, "probe.note");
    let texts: Vec<_> = notes.iter().map(|note| &note["text"]).collect();
    assert!(
        texts.len() == 1 && texts[0].to_string().contains("no.key: no such file"),
        "{texts:?}"
    );
    daemon.stop();
}
