//! What is tried when bringing an agent back fails: other checkpoints, other agents, and at last a person.

use crate::crew::{add, life, pid, send, world};
use crate::pit::{Daemon, until};
use crate::revival::{comes_back, stands};
use crate::world::World;
use rustix::process::Signal;
use serde_json::Value;

fn task(world: &World) -> Value {
    world.mcell("task show task_001 --json").ok().json()
}

/// A world whose agent runs this line, and has claimed its task.
fn at_work(line: &str) -> (World, Daemon) {
    let world = world(line);
    world.mcell("add-task 'Code Review'").ok();
    let daemon = Daemon::start(&world);
    world.mcell("agent start agent_001").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    (world, daemon)
}

#[test]
fn a_task_that_kills_its_agent_three_times_is_named_and_waits_for_an_operator() {
    // gastown 4044: 75 restarts for one task.
    let (world, daemon) = at_work("[ -n \"$MCELL_CLAIM\" ] && exit 1; exec sleep 1000");
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    let waits = stands(&world, "pending_approval");
    let why = waits["why"].as_str().unwrap();
    assert!(why.contains("three times over task_001"), "{waits}");
    assert!(life(&world, "agent_001") > before);
    // Without that task it lives.
    world.mcell("task release task_001").ok();
    world.mcell("approve").ok();
    comes_back(&world, "agent_001", before);
    stands(&world, "revived");
    daemon.stop();
}

#[test]
fn a_checkpoint_is_required_and_none_is_good_so_the_revival_fails_and_says_so() {
    let (world, daemon) = at_work("exec sleep 1000");
    let state = world.place().join("state.json");
    std::fs::write(&state, r#"{"page": 7}"#).unwrap();
    let save = format!("checkpoint save agent_001 --state {}", state.display());
    world.mcell(&save).ok();
    world.mcell("policy set checkpoint_required=true").ok();
    let broken = world
        .cell()
        .join(".mcell/checkpoints/agent_001/1/state.json");
    std::fs::write(broken, "{}").unwrap();
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    let failed = stands(&world, "failed");
    let why = failed["why"].as_str().unwrap();
    assert!(why.contains("no good one is left"), "{failed}");
    assert_eq!(life(&world, "agent_001"), before);
    // Nobody works on its task, so it is free.
    until("its task is free", || {
        (task(&world)["status"] == "pending").then_some(())
    });
    world.mcell("policy set checkpoint_required=false").ok();
    world
        .mcell("revive agent_001")
        .ok()
        .shows("agent_001 is back");
    daemon.stop();
}

#[test]
fn the_task_of_an_agent_that_is_not_brought_back_is_free() {
    // gastown 659, hermes kanban: a task stayed with a worker that was dead.
    let (world, daemon) = at_work("exec sleep 1000");
    world.mcell("policy set auto_revive=ask").ok();
    send(pid(&world, "agent_001"), Signal::KILL);
    stands(&world, "pending_approval");
    assert_eq!(task(&world)["status"], "in_progress");
    world.mcell("deny").ok();
    assert_eq!(task(&world)["status"], "pending");
    daemon.stop();
}

#[test]
fn a_substitute_takes_the_task_of_an_agent_that_does_not_come_back() {
    let line = "echo \"claim '$MCELL_CLAIM'\"; [ -e \"$MCELL_CELL_DIR/broken\" ] && exit 1; exec sleep 1000";
    let (world, daemon) = at_work(line);
    // The first has other work, the second no process.
    for _ in 0..3 {
        add(&world, "exec sleep 1000");
    }
    world.mcell("add-task 'Other work'").ok();
    world.mcell("agent start agent_002 agent_004").ok();
    world.mcell("task claim task_002 --as agent_002").ok();
    let set = "policy set substitute_agents=agent_002,agent_003,agent_004 max_retries=0";
    world.mcell(set).ok();
    std::fs::write(world.cell().join("broken"), "").unwrap();
    until("agent_004 is seen to live", || {
        let health = world.mcell("health agent_004 --json").ok().json();
        (health["agents"]["agent_004"]["status"] == "healthy").then_some(())
    });
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    let given_up = until("it is given up", || {
        let pending = stands(&world, "pending");
        let why = pending["why"].as_str()?.to_owned();
        why.contains("quarantined").then_some(why)
    });
    assert!(
        given_up.contains("agent_004 takes task_001 over"),
        "{given_up}"
    );
    assert_eq!(task(&world)["assigned_to"], "agent_004");
    world
        .mcell("task claim --next --as agent_004")
        .ok()
        .shows("task_001");
    // The agent that comes back finds its task handed on.
    std::fs::remove_file(world.cell().join("broken")).unwrap();
    world.mcell("revive agent_001").ok();
    comes_back(&world, "agent_001", before);
    let log = std::fs::read_to_string(world.cell().join("logs/agent_001.log")).unwrap();
    assert_eq!(log.lines().last(), Some("claim ''"), "{log}");
    assert_eq!(task(&world)["claim"]["agent"], "agent_004");
    daemon.stop();
}
