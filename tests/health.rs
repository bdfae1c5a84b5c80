//! How agents are: asked of the daemon, looked at without one, written down, watched.

use crate::curl::text;
use crate::pit::{Daemon, Life, Ours, until, want};
use crate::world::{MCELL, World, require};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

/// A cell with three agents: one that beats, one whose gateway is asked, one of whom nothing is due.
fn world(gateway: &str) -> World {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write").ok();
    world
        .mcell(&format!("add-agent --role write --gateway {gateway}"))
        .ok();
    world
        .mcell("add-agent --role read --gateway gateway_3")
        .ok();
    world
}

/// An address at which nobody listens: taken and let go.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// A gateway that answers every request the same, for as long as the test runs.
fn gateway(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    address
}

fn seen(world: &World, line: &str) -> Value {
    world.mcell(&format!("{line} --json")).json()["agents"].clone()
}

#[test]
fn without_a_daemon_a_look_says_what_is_known_and_invents_no_grace() {
    let world = world(&nobody());
    world.mcell("heartbeat agent_001").ok();
    let health = world.mcell("health").ok().says_nothing();
    health
        .shows("CELL      AGENT      HEALTH    SINCE")
        .shows("healthy")
        .shows("1 probe failed, unhealthy at 3: refuses connections")
        .shows("nothing is due from it")
        .hides("grace");
    let agents = seen(&world, "health");
    assert_eq!(agents["agent_001"]["status"], "healthy");
    assert_eq!(agents["agent_002"]["status"], "degraded");
    assert_eq!(agents["agent_003"]["status"], "unknown");
}

#[test]
fn a_gateway_is_asked_and_one_that_says_so_itself_is_degraded() {
    let world = world(&gateway(r#"{"status": "ok"}"#));
    assert_eq!(seen(&world, "health")["agent_002"]["status"], "healthy");
    let sick = self::world(&gateway(r#"{"status": "degraded"}"#));
    let agents = seen(&sick, "health");
    assert_eq!(agents["agent_002"]["status"], "degraded");
    assert_eq!(
        agents["agent_002"]["reason"],
        "its gateway answers, and says degraded"
    );
}

#[test]
fn the_exit_code_says_whether_somebody_is_unhealthy() {
    let mut world = world(&nobody());
    world.at_time("2026-01-02T03:00:00Z");
    world.mcell("health").code(0);
    world.mcell("health --strict").code(1);
    world.mcell("health agent_003 --strict").code(1);
    world.mcell("heartbeat agent_001").ok();
    world.mcell("health agent_001 --strict").code(0);
    world.at_time("2026-01-02T03:06:00Z");
    world
        .mcell("health agent_001")
        .code(1)
        .shows("silent for 6 min");
    let id = world.cell().file_name().expect("a name").to_owned();
    let quiet = world.mcell("health -q").code(1);
    assert_eq!(quiet.datum(), format!("{}/agent_001", id.display()));
    world
        .mcell("health agent_009")
        .code(3)
        .says("there is no agent agent_009");
    world
        .mcell("health --recorded")
        .code(8)
        .says("has written down how its agents are");
}

#[test]
fn what_the_command_prints_is_what_the_daemon_answers() {
    let mut world = world(&gateway("ok"));
    let config = world.home().join("config.json");
    std::fs::write(&config, r#"{"poll_interval": 1}"#).expect("a config");
    world.set("MCELL_CONFIG", &config);
    let daemon = Daemon::start(&world);
    world.mcell("heartbeat agent_001 --metadata a=1").ok();
    // Until somebody has looked, that an agent turned is as new as the answer.
    until("both say the same", || {
        let answers = [
            text(&format!("{}/health", daemon.url()), None),
            world.mcell("health -A --json").out,
        ];
        let [one, other] = answers.map(|text| {
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            // A moment passed between the two.
            answer["timestamp"] = Value::Null;
            for (_, agent) in answer["agents"].as_object_mut().expect("agents") {
                agent["reason"] = Value::Null;
            }
            answer
        });
        let is_known = one["agents"]["agent_001"]["metadata"]["a"] == 1;
        (is_known && one == other).then_some(())
    });
}

#[test]
fn a_daemon_that_runs_and_does_not_answer_is_no_answer() {
    let world = world(&nobody());
    let daemon = Daemon::start(&world);
    std::fs::remove_file(daemon.socket()).expect("a socket");
    world
        .mcell("health")
        .code(8)
        .says("does not listen at its socket")
        .says("--recorded");
    world.mcell("health --recorded").ok();
    world.mcell("health --probe").ok();
}

#[test]
fn agents_of_no_cell_are_shown_and_never_make_it_a_no() {
    let mut world = world(&nobody());
    let config = world.home().join("config.json");
    let hasty = r#"{"poll_interval": 1, "health": {"interval": 1, "timeout": 1, "grace": 0}}"#;
    std::fs::write(&config, hasty).expect("a config");
    world.set("MCELL_CONFIG", &config);
    world.mcell("agent pause agent_002").ok();
    let daemon = Daemon::start(&world);
    text(
        &format!("{}/heartbeat/test_agent", daemon.url()),
        Some("{}"),
    );
    world.mcell("health -A").ok().shows("-         test_agent");
    until("it is silent for too long", || {
        let health = world.mcell("health -A test_agent").ok();
        health.out.contains("unhealthy").then_some(())
    });
    world.mcell("health -A").ok();
}

#[test]
fn what_is_written_down_shows_its_age_and_nobody_is_asked() {
    let world = world(&nobody());
    let daemon = Daemon::start(&world);
    world.mcell("heartbeat agent_001").ok();
    daemon.stop();
    world
        .mcell("health --recorded")
        .ok()
        .shows("agent_001")
        .says("Written down by the daemon");
    world
        .mcell("health")
        .ok()
        .says("going on from what the daemon wrote down");
    world
        .mcell("agent list")
        .ok()
        .shows("HEALTH")
        .shows("healthy");
    world
        .mcell("agent show agent_001")
        .ok()
        .shows("health          healthy since");
    let shown = world.mcell("agent show agent_001 --json").ok().json();
    assert_eq!(shown["recorded_health"]["status"], "healthy");
}

#[test]
fn a_process_that_should_run_and_does_not_is_unhealthy_at_once() {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write -- /bin/true").ok();
    let cell = world.cell();
    world.mcell("health").ok().shows("not judged");
    want(&cell, "agent_001", "running");
    let life = Life::of(&cell, "agent_001", 1);
    world
        .mcell("health")
        .ok()
        .shows("its process lives (process only)");
    world.mcell("scan -c Example").ok().shows("1 ok");
    life.end();
    world
        .mcell("health")
        .code(1)
        .shows("its process ended, and should run");
    let id = cell.file_name().expect("a name").display().to_string();
    let short = &id[..8];
    world
        .mcell("scan -c Example --problems")
        .code(1)
        .prints(&format!(
            "{short}: agent agent_001 is unhealthy: its process ended, and should run  # mcell why {short}/agent_001\n"
        ));
}

/// What `scan --changes` prints, but for the disk of whoever runs the tests.
fn changes(world: &World, line: &str) -> String {
    let printed = world.mcell(&format!("scan --changes {line}")).out;
    let lines = printed.lines().filter(|line| !line.contains("the disk is"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn scan_knows_a_daemon_that_fell_and_none_that_was_stopped() {
    let world = world(&nobody());
    assert_eq!(changes(&world, "-A"), "");
    world.mcell("status").shows("No daemon watches this root");
    let daemon = Daemon::start(&world);
    world.mcell("status").shows("The daemon runs (last sweep");
    daemon.stop();
    assert_eq!(changes(&world, "-A"), "");
    world.mcell("status").shows("The daemon was stopped");
    Daemon::start(&world).kill();
    let came = changes(&world, "-A");
    assert!(
        came.starts_with("came: the daemon of this root does not run (last sweep ")
            && came.ends_with(")  # mcell daemon\n"),
        "{came}"
    );
    assert_eq!(changes(&world, "-A"), "");
    let scanned = world.mcell("scan -A --json").code(1).json();
    assert_eq!(scanned["daemon"]["running"], false);
    assert_eq!(scanned["problems"][0]["key"], "daemon_down");
    let _next = Daemon::start(&world);
    let gone = changes(&world, "-A");
    assert!(gone.starts_with("gone: the daemon of this root"), "{gone}");
}

#[test]
fn scan_tells_of_an_unhealthy_agent_once_with_the_command_to_type() {
    let mut world = world(&nobody());
    world.at_time("2026-01-02T03:00:00Z");
    world.mcell("heartbeat agent_001").ok();
    world
        .mcell("scan -c Example")
        .ok()
        .shows("HEALTH")
        .shows("1 ok, 2 unknown");
    world.at_time("2026-01-02T03:06:00Z");
    world
        .mcell("scan -c Example")
        .code(1)
        .shows("1 unhealthy, 2 unknown");
    let came = changes(&world, "-A");
    assert!(
        came.contains("agent agent_001 is unhealthy: silent for 6 min  # mcell why"),
        "{came}"
    );
    world.at_time("2026-01-02T03:07:00Z");
    assert_eq!(changes(&world, "-A"), "");
    let file = world.home().join("mcell.prom");
    world
        .run(["scan", "--metrics", file.to_str().expect("a path")])
        .code(1);
    let text = std::fs::read_to_string(&file).expect("metrics");
    assert!(text.contains("state=\"unhealthy\"} 1\n"), "{text}");
    assert!(text.contains("mcell_daemon_running{} 0\n"), "{text}");
    world.mcell("agent pause agent_001").ok();
    let gone = changes(&world, "-A");
    assert!(gone.contains("gone: "), "{gone}");
}

#[test]
fn status_has_at_most_fifteen_lines_whatever_is_wrong_and_waits() {
    let mut world = World::new();
    world.at_time("2026-01-02T03:00:00Z");
    for number in 0..8 {
        world.mcell(&format!("init Mission{number} -q")).ok();
        let cell = format!("-c Mission{number}");
        world.mcell(&format!("add-agent --role write {cell}")).ok();
        world.mcell(&format!("add-task Review {cell}")).ok();
        world.mcell(&format!("heartbeat agent_001 {cell}")).ok();
    }
    world.at_time("2026-01-02T04:00:00Z");
    let status = world.mcell("status").code(1);
    assert!(status.out.lines().count() <= 15, "{}", status.out);
    assert!(status.out.contains("agents: 8 unhealthy"), "{}", status.out);
}

#[test]
fn a_watch_prints_a_table_when_something_changed() {
    let world = world(&nobody());
    let _daemon = Daemon::start(&world);
    let mut command = world.command(MCELL);
    command
        .args(["health", "agent_001", "--watch"])
        .stdout(Stdio::piped());
    let mut watch = Ours::start(&world, command);
    let mut out = watch.child().stdout.take().expect("what it prints");
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(got @ 1..) = out.read(&mut bytes) {
            let _ = send.send(String::from_utf8_lossy(&bytes[..got]).into_owned());
        }
    });
    let mut shown = String::new();
    until("the first table", || {
        shown.extend(receive.try_iter());
        shown.contains("1 agent: 1 unknown").then_some(())
    });
    world.mcell("heartbeat agent_001").ok();
    until("the next table", || {
        shown.extend(receive.try_iter());
        shown.contains("1 agent: 1 healthy").then_some(())
    });
    assert_eq!(shown.matches("AGENT").count(), 2, "{shown}");
    watch.signal(Signal::TERM);
    watch.wait();
}

#[test]
fn a_watch_at_a_terminal_draws_over_itself_and_gives_the_cursor_back() {
    if !require("script") {
        return;
    }
    let world = world(&nobody());
    let _daemon = Daemon::start(&world);
    let typescript = world.home().join("typescript");
    let mut command = world.command("script");
    // `script` gives it a terminal; what is typed comes by a pipe that stays open.
    command
        .args(["--quiet", "--flush", "--command"])
        .arg(format!("exec {MCELL} health --watch"))
        .arg(&typescript)
        .stdout(Stdio::null());
    let mut running = Ours::start(&world, command);
    let drawn = || std::fs::read_to_string(&typescript).unwrap_or_default();
    until("it is drawn", || {
        drawn().contains("agent_001").then_some(())
    });
    until("it is drawn again", || {
        (drawn().matches("\u{1b}[?7l").count() > 1).then_some(())
    });
    // Over the first one: the head, three agents and their sum.
    assert!(drawn().contains("\u{1b}[5A"), "{}", drawn());
    assert!(drawn().contains("\u{1b}[?25l"), "{}", drawn());
    // Ctrl-C reaches the one in the terminal, the child of `script`.
    let children = format!("/proc/{0}/task/{0}/children", running.pid());
    let child = std::fs::read_to_string(children).expect("a child");
    let pid = child
        .trim()
        .parse()
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a process"), Signal::INT).expect("a signal");
    running.wait();
    let drawn = drawn();
    let cursor = drawn.rfind("\u{1b}[?25h").expect("the cursor is shown");
    assert!(cursor > drawn.rfind("agent_001").unwrap_or(0), "{drawn}");
}
