//! `agent start --foreground`, with real processes.

use crate::crew::{life, note, pid, send, world};
use crate::pit::{Ours, is_over, until};
use crate::world::{MCELL, World};
use rustix::process::Signal;
use std::io::Read;
use std::process::Stdio;

/// An agent that is shown: what it says on stdout is in a file of this name.
fn shown(world: &World) -> Ours {
    let out = std::fs::File::create(world.place().join("shown")).unwrap();
    let mut command = world.command(MCELL);
    command.args(["agent", "start", "agent_001", "--foreground"]);
    command.stdout(Stdio::from(out));
    Ours::start(world, command)
}

fn says(world: &World, part: &str) {
    let file = world.place().join("shown");
    until(&format!("{part} is shown"), || {
        let out = std::fs::read_to_string(&file).unwrap();
        out.contains(part).then_some(())
    });
}

fn log(world: &World) -> String {
    std::fs::read_to_string(world.cell().join("logs/agent_001.log")).unwrap()
}

fn wanted(world: &World) -> String {
    let text = std::fs::read(world.cell().join(".mcell/agents/agent_001.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&text).unwrap();
    state["wanted"].as_str().unwrap().to_owned()
}

#[test]
fn an_agent_in_a_terminal_is_shown_and_logged_and_its_end_is_passed_on() {
    for (end, code, told) in [
        ("exit 0", 0, "agent_001 has ended: exit 0"),
        ("exit 3", 3, "agent_001 has ended: exit 3"),
        ("kill -9 $$", 137, "agent_001 has ended: SIGKILL"),
    ] {
        let world = world(&format!("echo to stdout; echo to stderr >&2; {end}"));
        world
            .mcell("agent start agent_001 --foreground")
            .code(code)
            .prints("to stdout\n")
            .says("agent_001 runs: pid")
            .says("to stderr\n")
            .says(told);
        let log = log(&world);
        assert!(
            log.contains("to stdout\n") && log.contains("to stderr\n"),
            "{log}"
        );
        let note = note(&world, "agent_001");
        assert_eq!(note["end"]["is_ordered"], false, "{note}");
        assert_eq!(wanted(&world), "running");
    }
}

#[test]
fn all_that_it_says_is_shown_to_the_last_byte() {
    let world = world("head -c 3000000 /dev/zero | tr '\\0' x; printf 'no line'");
    let out = world.mcell("agent start agent_001 --foreground").ok().out;
    assert_eq!(out.len(), 3_000_007);
    assert!(out.ends_with("xno line") && log(&world) == out);
}

#[test]
fn ctrl_c_stops_it_in_the_agreed_way_and_it_is_not_wanted_any_more() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let world =
            world("trap 'echo bye; exit 4' TERM; printf ready; while :; do sleep 0.05; done");
        let saves = r#"run.checkpoint=["/bin/sh", "-c", "touch \"$MCELL_CELL_DIR/saved\""]"#;
        world.run(["agent", "set", "agent_001", saves]).ok();
        let mut terminal = shown(&world);
        says(&world, "ready");
        terminal.signal(signal);
        assert_eq!(terminal.wait().code(), Some(4), "{}", terminal.said());
        says(&world, "bye\n");
        let end = note(&world, "agent_001")["end"].clone();
        assert_eq!(end["is_ordered"], true, "{end}");
        assert_eq!(wanted(&world), "stopped");
        assert!(world.cell().join("saved").exists());
    }
}

#[test]
fn a_second_ctrl_c_kills_one_that_does_not_end() {
    let world =
        world("trap 'echo asked' TERM; (sleep 1000) & echo ready; while :; do sleep 0.05; done");
    world.mcell("agent set agent_001 run.stop_timeout=600").ok();
    let mut terminal = shown(&world);
    says(&world, "ready\n");
    terminal.signal(Signal::INT);
    says(&world, "asked\n");
    let own = pid(&world, "agent_001");
    assert!(!is_over(own));
    terminal.signal(Signal::INT);
    assert_eq!(terminal.wait().code(), Some(137), "{}", terminal.said());
    assert!(is_over(own));
}

#[test]
fn one_whose_terminal_is_killed_runs_on_and_is_logged() {
    let world = world(
        "echo ready; until [ -e \"$MCELL_CELL_DIR/go\" ]; do sleep 0.05; done
         for n in 1 2 3; do echo \"line $n\"; done; exec sleep 1000",
    );
    let terminal = shown(&world);
    says(&world, "ready\n");
    let own = pid(&world, "agent_001");
    drop(terminal);
    std::fs::write(world.cell().join("go"), "").unwrap();
    until("it goes on into its log", || {
        log(&world).ends_with("line 3\n").then_some(())
    });
    assert!(!is_over(own));
    world
        .mcell("agent stop agent_001")
        .ok()
        .prints("agent_001 has ended: SIGTERM\n");
}

#[test]
fn one_that_nobody_looks_at_any_more_is_waited_for_and_not_held_up() {
    let world = world("echo first; head -c 3000000 /dev/zero | tr '\\0' x; exit 5");
    let mut command = world.command(MCELL);
    command.args(["agent", "start", "agent_001", "--foreground"]);
    command.stdout(Stdio::piped());
    let mut terminal = Ours::start(&world, command);
    let mut first = [0; 6];
    let mut out = terminal.child().stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    assert_eq!(terminal.wait().code(), Some(5), "{}", terminal.said());
    assert_eq!(log(&world).len(), 3_000_006);
}

#[test]
fn a_runner_that_is_killed_takes_the_end_of_its_agent_with_it() {
    let world = world("echo ready; exec sleep 1000");
    let mut terminal = shown(&world);
    says(&world, "ready\n");
    let runner = note(&world, "agent_001")["runner"]["pid"].as_i64().unwrap();
    send(i32::try_from(runner).unwrap(), Signal::KILL);
    assert_eq!(terminal.wait().code(), Some(9), "{}", terminal.said());
    assert!(terminal.said().contains("mcell agent stop agent_001"));
}

#[test]
fn what_cannot_be_shown_is_not_started() {
    let world = world("exec sleep 1000");
    world
        .mcell("agent start agent_001 --foreground --json")
        .code(2)
        .says("not one JSON object");
    crate::crew::add(&world, "exec sleep 1000");
    world
        .mcell("agent start agent_001 agent_002 --foreground")
        .code(2)
        .says("one agent at a time");
    assert_eq!(life(&world, "agent_001"), 0);
    world.mcell("agent start agent_001").ok();
    let before = note(&world, "agent_001");
    world
        .mcell("agent start agent_001 --foreground")
        .code(5)
        .says("agent_001 runs already: pid")
        .says("agent log agent_001 --follow");
    assert_eq!(note(&world, "agent_001"), before);
    world
        .mcell("agent set agent_002 run.command=/nowhere/at/all")
        .ok();
    world
        .mcell("agent start agent_002 --foreground")
        .code(5)
        .says("/nowhere/at/all");
}
