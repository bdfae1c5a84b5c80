//! Gateways as the daemon meets them: real processes that answer, freeze, thaw, and say that they are not well.

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
        let config = serde_json::json!({
            "poll_interval": 1,
            "gateways": {"gateway_1": {"url": format!("http://127.0.0.1:{port}")}},
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

    /// Every change of the agent so far, as `from -> to: reason`.
    fn changes(&self) -> Vec<String> {
        let log = self.world.mcell("daemon log -n 1000 --json").ok();
        let lines = log
            .datum()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_default());
        lines
            .filter(|line: &serde_json::Value| line["event"] == "agent.changed")
            .map(|line| {
                let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
                format!("{} -> {}: {}", word("from"), word("to"), word("reason"))
            })
            .collect()
    }

    /// Waits for a change, and gives all of them until then.
    fn until_it_becomes(&self, state: &str) -> Vec<String> {
        until(&format!("the agent becomes {state}"), || {
            let changes = self.changes();
            let last = changes
                .last()
                .is_some_and(|change| change.contains(&format!("-> {state}")));
            last.then_some(changes)
        })
    }
}

#[test]
fn hermes_113372_a_frozen_gateway_is_unhealthy_after_three_misses_and_healthy_after_two_answers() {
    let Some(place) = Place::new() else { return };
    let daemon = Daemon::start(&place.world);
    place.until_it_becomes("healthy");
    place.gateway.signal(Signal::STOP);
    let fell = place.until_it_becomes("unhealthy");
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
    let rose = place.until_it_becomes("healthy");
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
    place.until_it_becomes("healthy");
    place.says("degraded");
    let changes = place.until_it_becomes("degraded");
    assert!(
        changes[1].ends_with("its gateway answers, and says degraded"),
        "{changes:?}"
    );
    // Ten more answers change nothing.
    let asked = || {
        let metrics = text(&format!("{}/metrics", daemon.url()), None);
        let name = "mcell_probe_seconds_count{outcome=\"degraded\"}";
        let line = metrics.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .unwrap_or(0)
    };
    until("it was asked ten times more", || {
        (asked() > 10).then_some(())
    });
    assert_eq!(place.changes().len(), 2, "{:?}", place.changes());
    assert!(
        !place.world.home().join("told").exists(),
        "nobody is woken for it"
    );
    place.says("ok");
    place.until_it_becomes("healthy");
    daemon.stop();
}
