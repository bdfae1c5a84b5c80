//! Agents behind a gateway that does not answer: one is brought back; where it answers nobody the gateway is at fault, and
//! nothing is spent.

use crate::alone::{LINE, living, requests};
use crate::crew::{note, world};
use crate::pit::{Daemon, until};
use crate::world::{World, require};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A gateway that is up or down, and ends with its test.
struct Gateway {
    address: SocketAddr,
    is_up: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Gateway {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_up = Arc::new(AtomicBool::new(true));
        let is_over = Arc::new(AtomicBool::new(false));
        let (up, over) = (Arc::clone(&is_up), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                answer(stream, up.load(Ordering::SeqCst));
            }
        });
        Gateway {
            address,
            is_up,
            is_over,
            thread: Some(thread),
        }
    }

    fn be_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::SeqCst);
    }
}

fn answer(mut stream: TcpStream, is_up: bool) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head);
    let (status, body) = match is_up {
        true => ("200 OK", r#"{"status": "ok"}"#),
        false => ("503 Service Unavailable", "{}"),
    };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A world with so many agents behind one gateway, and a daemon that asks it once a second.
fn behind(gateway: &Gateway, agents: usize) -> (World, Daemon, Vec<String>) {
    let world = world(LINE);
    world.mcell("cell set max_agents=100").ok();
    world.mcell("agent set agent_001 gateway=gateway_1").ok();
    for _ in 1..agents {
        let agent = ["add-agent", "--role", "write", "--gateway", "gateway_1"];
        let command = ["--", "/bin/sh", "-c", LINE];
        world.run(agent.into_iter().chain(command)).ok();
    }
    let config = world.place().join("config.json");
    let text = serde_json::json!({
        "poll_interval": 1,
        "gateways": {"gateway_1": {"url": format!("http://{}", gateway.address)}},
        "health": {"interval": 1, "probe_timeout": 1, "grace": 1},
    });
    std::fs::write(&config, text.to_string()).unwrap();
    let names: Vec<String> = (1..=agents).map(|at| format!("agent_{at:03}")).collect();
    let start = ["agent", "start"].into_iter().map(str::to_owned);
    world.run(start.chain(names.iter().cloned())).ok();
    let daemon = Daemon::start_with(&world, &["--config", config.to_str().unwrap()]);
    until("all of them are well", || {
        let health = world.mcell("health --json").json();
        (health["healthy"] == agents).then_some(())
    });
    (world, daemon, names)
}

fn life(world: &World, agent: &str) -> u64 {
    note(world, agent)["incarnation"].as_u64().unwrap_or(0)
}

#[test]
fn process_compose_403_an_agent_whose_probes_fail_is_brought_back_and_more_than_once() {
    if !require("flock") {
        return;
    }
    let gateway = Gateway::new();
    let (world, daemon, _) = behind(&gateway, 1);
    let before = life(&world, "agent_001");
    gateway.be_up(false);
    until("it was started again", || {
        (life(&world, "agent_001") > before).then_some(())
    });
    gateway.be_up(true);
    until("it has proved that it lives", || {
        let closed = requests(&world.root(), "closed");
        let revived = closed.iter().any(|one| one["status"] == "revived");
        revived.then_some(())
    });
    world.mcell("health").ok();
    assert_eq!(living(&world.root(), "agent_001").len(), 1);
    daemon.stop();
}

#[test]
fn a_gateway_outage_with_thirty_agents_behind_it_spends_no_retries_and_all_go_on_when_it_is_back() {
    if !require("flock") {
        return;
    }
    let gateway = Gateway::new();
    let (world, daemon, agents) = behind(&gateway, 30);
    let root = world.root();
    let lives: Vec<u64> = agents.iter().map(|agent| life(&world, agent)).collect();
    let present = || -> Vec<u64> { agents.iter().map(|agent| life(&world, agent)).collect() };
    gateway.be_up(false);
    until("all of them are held", || {
        let open = requests(&root, "open");
        let held = open.iter().filter(|one| one["status"] == "held");
        (held.count() == agents.len()).then_some(())
    });
    for one in requests(&root, "open") {
        let why = one["why"].as_str().unwrap();
        assert!(
            why.contains("answers none of the agents that share it"),
            "{one}"
        );
    }
    assert_eq!(
        present(),
        lives,
        "an outage is nobody's fault but the gateway's"
    );
    gateway.be_up(true);
    until("nothing is open any more", || {
        let health = world.mcell("health --json").json();
        let is_over = requests(&root, "open").is_empty();
        (is_over && health["healthy"] == agents.len()).then_some(())
    });
    daemon.stop();
    for agent in &agents {
        let state = world.cell().join(format!(".mcell/agents/{agent}.json"));
        let state: serde_json::Value =
            serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        let record = &state["falls"]["record"];
        assert!(
            record["tries"].as_u64().unwrap_or(0) == 0,
            "{agent}: {state}"
        );
        assert!(record["is_quarantined"] != true, "{agent}: {state}");
        assert_eq!(living(&root, agent).len(), 1, "{agent}");
    }
}
