//! Agents that mcell starts, as tests see them: by the notes of their runners, and by their processes.

use crate::world::World;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A world with one cell and an agent that runs this line of a shell.
pub(crate) fn world(line: &str) -> World {
    let world = World::with_cell("Example Mission");
    add(&world, line);
    world
}

/// Adds one more.
pub(crate) fn add(world: &World, line: &str) {
    let arguments = ["add-agent", "--role", "write", "--", "/bin/sh", "-c", line];
    world.run(arguments).ok();
}

/// What the runner of an agent says; null if none ever ran.
pub(crate) fn note(world: &World, agent: &str) -> Value {
    let path = world.cell().join(format!(".mcell/run/{agent}.json"));
    let text = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The process of an agent, or its last; 0 if none ever ran.
pub(crate) fn pid(world: &World, agent: &str) -> i32 {
    i32::try_from(note(world, agent)["pid"].as_i64().unwrap_or(0)).unwrap()
}

/// Which life of it runs, or ran last.
pub(crate) fn life(world: &World, agent: &str) -> u64 {
    note(world, agent)["incarnation"].as_u64().unwrap_or(0)
}

/// Sends a process a signal.
pub(crate) fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
