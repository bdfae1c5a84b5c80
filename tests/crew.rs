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

/// Sends a process a signal.
pub(crate) fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
