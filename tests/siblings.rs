//! Who is meant: never another agent of the same command, never a process that took over a number, and never one beside
//! what still lives.

use crate::alone::{self, LINE, Then, living, requests};
use crate::crew::{add, note, pid, send, world};
use crate::curl::report_failures;
use crate::pit::{Daemon, Ours, is_over, until};
use crate::world::{World, require};
use rustix::process::Signal;

fn runner(world: &World, agent: &str) -> i32 {
    let pid = &note(world, agent)["runner"]["pid"];
    i32::try_from(pid.as_i64().unwrap()).unwrap()
}

#[test]
fn hermes_agent_30155_a_restart_leaves_the_siblings_of_the_same_command_alone() {
    if !require("flock") {
        return;
    }
    let world = world(LINE);
    add(&world, LINE);
    world.mcell("agent start agent_001 agent_002").ok();
    let sibling = pid(&world, "agent_002");
    world.mcell("agent restart agent_001").ok();
    world.mcell("agent stop agent_001 --now").ok();
    world.mcell("agent start agent_001").ok();
    // Also where what is left has to be looked for.
    let fallen = runner(&world, "agent_001");
    send(fallen, Signal::KILL);
    until("its runner is over", || is_over(fallen).then_some(()));
    world
        .mcell("agent start agent_001")
        .ok()
        .says("1 of its processes were left");
    assert_eq!(pid(&world, "agent_002"), sibling);
    assert!(!is_over(sibling) && !is_over(runner(&world, "agent_002")));
    assert_eq!(
        alone::flaws(&world.root(), "agent_001", Then::Lives, None),
        [""; 0]
    );
}

#[test]
fn what_a_killed_runner_left_is_ended_and_the_same_agent_in_a_copy_of_the_cell_is_not() {
    if !require("flock") {
        return;
    }
    let (world, copy) = (world(LINE), World::new());
    world.mcell("agent stop agent_001").ok();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(world.root().join("."))
        .arg(copy.root())
        .status();
    assert!(copied.unwrap().success());
    // The same id, the same agent, the same number of its life.
    for one in [&world, &copy] {
        one.mcell("agent start agent_001").ok();
    }
    let (own, others) = (pid(&world, "agent_001"), pid(&copy, "agent_001"));
    let life = |world: &World| note(world, "agent_001")["incarnation"].clone();
    assert_eq!(life(&world), life(&copy));
    let fallen = runner(&world, "agent_001");
    send(fallen, Signal::KILL);
    until("its runner is over", || is_over(fallen).then_some(()));
    world.mcell("agent stop agent_001").ok();
    assert!(is_over(own) && !is_over(others));
}

#[test]
fn hermes_agent_13655_a_stale_note_with_the_number_of_another_process_stops_no_start_and_signals_nobody()
 {
    if !require("flock") {
        return;
    }
    let world = world(LINE);
    world.mcell("agent start agent_001").ok();
    world.mcell("agent stop agent_001").ok();
    let mut command = world.command("sleep");
    command.arg("1000");
    let mut other = Ours::start(&world, command);
    // As a runner leaves it that was killed: no end is noted, and its numbers are another's by now.
    let path = world.cell().join(".mcell/run/agent_001.json");
    let mut stale = note(&world, "agent_001");
    stale.as_object_mut().unwrap().remove("end");
    stale["pid"] = other.pid().into();
    stale["runner"]["pid"] = other.pid().into();
    std::fs::write(path, stale.to_string()).unwrap();
    world.mcell("agent start agent_001").ok();
    world.mcell("agent restart agent_001").ok();
    world.mcell("agent stop agent_001 --now").ok();
    assert!(other.ended().is_none());
}

#[test]
fn hermes_agent_21141_a_frozen_worker_is_gone_with_its_tree_before_another_has_its_task() {
    if !require("flock") {
        return;
    }
    // Neither it nor what it started ends when it is asked to; and what it started has its lock as well.
    let stubborn = "trap '' TERM; exec 9>\"$MCELL_ROOT.own\"; flock -n 9 || echo $$ >>\"$MCELL_ROOT.twice\"; \
                    echo \"claim $MCELL_CLAIM\"; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & \
                    echo \"far $!\"; while :; do sleep 1; done";
    let world = world(stubborn);
    add(&world, LINE);
    world.mcell("agent set agent_001 run.stop_timeout=3").ok();
    world.mcell("add-task 'Code Review'").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    let daemon = Daemon::start(&world);
    world.mcell("agent start agent_001 agent_002").ok();
    let log =
        || std::fs::read_to_string(world.cell().join("logs/agent_001.log")).unwrap_or_default();
    let far = until("it says whom it started", || {
        let log = log();
        let line = log.lines().find_map(|line| line.strip_prefix("far "))?;
        line.parse::<i32>().ok()
    });
    let (frozen, other) = (pid(&world, "agent_001"), pid(&world, "agent_002"));
    send(frozen, Signal::STOP);
    send(far, Signal::STOP);
    report_failures(&daemon.url(), &world.root(), "agent_001");
    until("somebody is at it", || {
        let open = requests(&world.root(), "open");
        open.iter()
            .any(|one| one["status"] == "running")
            .then_some(())
    });
    // Meanwhile the others are not kept waiting.
    send(other, Signal::KILL);
    until("the other one is back", || {
        let all = living(&world.root(), "agent_002");
        all.iter().any(|one| one.pid != other).then_some(())
    });
    assert!(
        !is_over(frozen),
        "it took longer than the end of a stubborn one"
    );
    until("another life of it works", || {
        let now = pid(&world, "agent_001");
        (now > 0 && now != frozen).then_some(())
    });
    assert!(is_over(frozen) && is_over(far));
    let task = world.mcell("task show task_001 --json").ok().json();
    let claim = format!("claim task_001:{}", task["claim"]["token"]);
    until("it was told of its claim", || {
        log().lines().any(|line| line == claim).then_some(())
    });
    assert_eq!(task["claim"]["agent"], "agent_001");
    assert!(!std::path::Path::new(&format!("{}.twice", world.root().display())).exists());
    daemon.stop();
}

#[test]
fn hermes_agent_113372_a_note_that_says_running_is_no_proof_of_life() {
    if !require("flock") {
        return;
    }
    let world = world(LINE);
    let daemon = Daemon::start(&world);
    world.mcell("agent start agent_001").ok();
    let old = pid(&world, "agent_001");
    // Its runner falls and writes nothing: the note says as before that it runs, and its process still does.
    send(runner(&world, "agent_001"), Signal::KILL);
    let root = world.root();
    until("another life of it has proved that it lives", || {
        let all = living(&root, "agent_001");
        let is_new = all.len() == 1 && all.iter().all(|one| one.pid != old);
        (is_new && requests(&root, "open").is_empty()).then_some(())
    });
    assert!(is_over(old));
    daemon.stop();
    assert_eq!(alone::flaws(&root, "agent_001", Then::Lives, None), [""; 0]);
}
