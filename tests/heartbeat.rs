//! A beat by command: to the daemon, to a file where none runs, once or again and again.

use crate::pit::{Daemon, Life, Ours, is_over, until};
use crate::world::{MCELL, World, require, works};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

/// How long a line of a running command may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// A cell with two agents.
fn world() -> World {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write").ok();
    world.mcell("add-agent --role audit").ok();
    world
}

/// A command of the world that goes on, and the lines that it prints as they come.
fn going_on(world: &World, line: &str) -> (Ours, mpsc::Receiver<String>) {
    let mut command = world.command(MCELL);
    command
        .args(crate::world::words(line))
        .stdout(Stdio::piped());
    let mut running = Ours::start(world, command);
    let out = running.child().stdout.take().expect("what it prints");
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    (running, receive)
}

fn health_of(world: &World, agent: &str) -> Value {
    let health = world.mcell(&format!("health {agent} --json"));
    health.json()["agents"][agent].clone()
}

#[test]
fn without_a_daemon_a_beat_is_on_file_and_judged_by_whoever_looks() {
    let world = world();
    world
        .mcell("heartbeat agent_001 --status compiling --progress 4 --metadata branch=main --metadata tests=212")
        .ok()
        .prints("")
        .says("No daemon runs: the beat is on file");
    let seen = health_of(&world, "agent_001");
    assert_eq!(seen["status"], "healthy", "{seen}");
    assert_eq!(seen["metadata"]["branch"], "main");
    assert_eq!(seen["metadata"]["tests"], 212);
    world.mcell("scan -c Example").ok().shows("1 ok, 1 unknown");
    let answer = world.mcell("heartbeat agent_001 --json").ok().json();
    assert_eq!(answer["status"], "recorded");
    assert_eq!(answer["next_heartbeat"], 30);
    assert_eq!(answer["orders"], serde_json::json!([]));
}

#[test]
fn the_daemon_hears_a_beat_by_its_socket_and_the_next_one_hears_what_is_on_file() {
    let world = world();
    let daemon = Daemon::start(&world);
    let answer = world.mcell("heartbeat agent_001 --json").ok().json();
    assert_eq!(answer["status"], "ok");
    assert_eq!(answer["agent_id"], "agent_001");
    assert_eq!(health_of(&world, "agent_001")["status"], "healthy");
    daemon.stop();
    world.mcell("heartbeat agent_002 -q").ok().says_nothing();
    let _next = Daemon::start(&world);
    let seen = health_of(&world, "agent_002");
    assert_eq!(seen["status"], "healthy", "{seen}");
}

#[test]
fn a_beat_on_file_is_newer_than_what_the_last_daemon_wrote_down() {
    let world = world();
    let daemon = Daemon::start(&world);
    world.mcell("heartbeat agent_001").ok();
    daemon.stop();
    world.mcell("heartbeat agent_001 --metadata n=2").ok();
    let _next = Daemon::start(&world);
    let seen = health_of(&world, "agent_001");
    assert_eq!(seen["metadata"]["n"], 2, "{seen}");
    let reason = seen["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("its last beat came"), "{seen}");
}

#[test]
fn an_agent_beats_for_itself_and_for_nobody_else() {
    let world = world();
    // Of any role: it says that it lives, and changes nothing.
    world.mcell("heartbeat --as agent_002").ok();
    world
        .mcell("heartbeat agent_001 --as agent_002")
        .code(5)
        .says("agent_002 cannot beat for agent_001");
    world.mcell("heartbeat").code(2).says("--as AGENT");
    world
        .mcell("heartbeat agent_009")
        .code(3)
        .says("there is no agent agent_009");
    world
        .mcell("heartbeat agent_001 --every 5s --progress 3")
        .code(2);
    world.mcell("heartbeat agent_001 --metadata x").code(2);
}

#[test]
fn an_agent_is_found_in_the_only_cell_that_has_it() {
    let world = world();
    world.mcell("init Other -q").ok();
    world.mcell("add-agent scribe --role read -c Other").ok();
    world.mcell("heartbeat scribe").ok();
    world.mcell("heartbeat Other/scribe").ok();
    world.mcell("add-agent --role read -c Other").ok();
    world
        .mcell("heartbeat agent_001")
        .code(2)
        .says("agent_001 is in 2 cells");
    world.mcell("heartbeat agent_001 -c Other").ok();
}

#[test]
fn orders_are_printed_a_line_each_with_and_without_a_daemon() {
    let world = world();
    world.mcell("agent pause agent_001").ok();
    world.mcell("heartbeat agent_001").ok().prints("drain\n");
    let _daemon = Daemon::start(&world);
    world.mcell("heartbeat agent_001").ok().prints("drain\n");
    world.mcell("cell complete --force").ok();
    until("the daemon knows that the mission is over", || {
        let said = world.mcell("heartbeat agent_001 -q").ok();
        (said.out == "stop\n").then_some(())
    });
}

#[test]
fn a_life_that_is_over_is_refused_with_and_without_a_daemon() {
    let mut world = world();
    let life = Life::of(&world.cell(), "agent_001", 3);
    world.set("MCELL_INCARNATION", "2");
    world
        .mcell("heartbeat agent_001")
        .code(5)
        .says("the present one is 3");
    let failed = world.mcell("heartbeat agent_001 --json").code(5);
    let error: Value = serde_json::from_str(&failed.err).expect("an error");
    assert_eq!(error["error"]["code"], "fenced");
    world.mcell("heartbeat agent_001 --every 1s").code(5);
    let _daemon = Daemon::start(&world);
    world.mcell("heartbeat agent_001").code(5);
    world.mcell("heartbeat agent_001 --every 1s").code(5);
    world.set("MCELL_INCARNATION", "3");
    world.mcell("heartbeat agent_001").ok();
    life.end();
}

#[test]
fn a_loop_goes_on_when_the_daemon_goes_and_comes_and_ends_at_once_when_told() {
    let world = world();
    let daemon = Daemon::start(&world);
    let (mut running, _lines) = going_on(&world, "heartbeat agent_001 --every 1s");
    let beat = || health_of(&world, "agent_001")["last_heartbeat"].as_f64();
    let first = until("the daemon hears it", beat);
    daemon.kill();
    until("it says that nobody hears it", || {
        running.said().contains("on file").then_some(())
    });
    let _next = Daemon::start(&world);
    until("it says that it is heard again", || {
        running
            .said()
            .contains("hears the beats again")
            .then_some(())
    });
    let later = until("the next daemon hears it", || {
        beat().filter(|beat| *beat > first)
    });
    assert!(later > first);
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(0), "{}", running.said());
    let (mut other, _lines) = going_on(&world, "heartbeat agent_002 --every 1h");
    until("its first beat is heard", || {
        health_of(&world, "agent_002")["last_heartbeat"].as_f64()
    });
    other.signal(Signal::INT);
    assert_eq!(other.wait().code(), Some(0), "{}", other.said());
}

#[test]
fn a_loop_stops_when_it_is_told_to_and_tells_a_state_once() {
    let world = world();
    world.mcell("agent pause agent_001").ok();
    let (mut running, lines) = going_on(&world, "heartbeat agent_001 --every 1s");
    let first = lines.recv_timeout(DEADLINE).expect("an order");
    assert_eq!(first, "drain");
    world.mcell("cell complete --force").ok();
    let second = lines.recv_timeout(DEADLINE).expect("another order");
    assert_eq!(second, "stop");
    assert_eq!(running.wait().code(), Some(0), "{}", running.said());
}

#[test]
fn a_loop_ends_with_the_shell_that_started_it() {
    let world = world();
    let mut command = world.command("sh");
    // The loop prints its process, and so does the shell stay until it is killed.
    command
        .args(["-c", "mcell heartbeat agent_001 --every 1h & echo $!; wait"])
        .stdout(Stdio::piped());
    let mut shell = Ours::start(&world, command);
    let out = shell.child().stdout.take().expect("what it prints");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("a process");
    let pid: i32 = line.trim().parse().expect("a number");
    until("it beats", || {
        health_of(&world, "agent_001")["last_heartbeat"].as_f64()
    });
    shell.signal(Signal::KILL);
    shell.wait();
    until("the loop ends too", || is_over(pid).then_some(()));
}

#[test]
fn a_loop_whose_shell_was_gone_before_it_looked_ends_at_once() {
    // In a session of its own, as cron and terminals give one: whoever inherits the loop is of another.
    if !require("setsid") {
        return;
    }
    let world = world();
    // The shell ends before the loop begins: `read` waits for the end of a pipe that this test holds.
    let line = "{ read -r _; exec mcell heartbeat agent_001 --every 1h; } <&3 & echo $!";
    let mut command = world.command("setsid");
    let (hold, keep) = std::io::pipe().expect("a pipe");
    command
        .args(["sh", "-c", &format!("exec 3<&0; {line}")])
        .stdout(Stdio::piped());
    let mut shell = Ours::start_with(&world, command, hold.into());
    let out = shell.child().stdout.take().expect("what it prints");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("a process");
    assert_eq!(shell.wait().code(), Some(0));
    let pid = line.trim().parse().expect("a number");
    drop(keep);
    until("the loop ends", || is_over(pid).then_some(()));
}

#[test]
fn a_loop_beats_in_a_container_that_has_no_session_of_its_own() {
    let cage = "--user --map-root-user --pid --fork --mount-proc --kill-child";
    let cage = crate::world::words(cage);
    let mut attempt: Vec<&str> = cage.iter().map(String::as_str).collect();
    attempt.push("true");
    if !works("unshare", &attempt) {
        return;
    }
    let world = world();
    let mut command = world.command("unshare");
    let beats = [MCELL, "heartbeat", "agent_001", "--every", "1h"];
    command.args(cage).args(beats);
    let mut running = Ours::start(&world, command);
    until("it beats", || {
        assert_eq!(running.ended(), None, "{}", running.said());
        health_of(&world, "agent_001")["last_heartbeat"].as_f64()
    });
}

#[test]
fn a_loop_that_cannot_write_says_so_once_and_goes_on() {
    let world = world();
    let run = world.cell().join(".mcell/run");
    std::fs::create_dir_all(&run).expect("a folder");
    // A folder in the place of the file: nobody can write a beat there, root included.
    let file = run.join("agent_001.beat");
    std::fs::create_dir(&file).expect("a folder");
    let (mut running, _lines) = going_on(&world, "heartbeat agent_001 --every 1s");
    until("it says what stands in the way", || {
        running.said().contains("agent_001.beat").then_some(())
    });
    std::fs::remove_dir(&file).expect("no folder");
    until("it beats", || {
        health_of(&world, "agent_001")["last_heartbeat"].as_f64()
    });
    let said = running.said();
    assert_eq!(said.matches("warning:").count(), 1, "{said}");
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(0));
}

#[test]
fn announced_quiet_is_no_silence() {
    let mut world = world();
    world.at_time("2026-01-02T03:00:00Z");
    world.mcell("heartbeat agent_001 --quiet-for 10m").ok();
    world.at_time("2026-01-02T03:09:00Z");
    let seen = health_of(&world, "agent_001");
    assert_eq!(seen["status"], "healthy", "{seen}");
    assert_eq!(seen["reason"], "it announced to be quiet for 60 s more");
    world.at_time("2026-01-02T03:16:00Z");
    assert_eq!(health_of(&world, "agent_001")["status"], "unhealthy");
}
