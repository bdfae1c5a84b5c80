//! What became of the only agent of a world, as the log of its daemon tells it.

use crate::pit::until;
use crate::world::World;
use serde_json::Value;

/// The lines of the daemon's log that are of this sort.
pub(crate) fn events(world: &World, event: &str) -> Vec<Value> {
    let log = world.mcell("daemon log -n 1000 --json").ok();
    let lines = log
        .datum()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_default());
    lines
        .filter(|line: &Value| line["event"] == event)
        .collect()
}

/// Every change of the agent so far, as `from -> to: reason`.
pub(crate) fn changes(world: &World) -> Vec<String> {
    let told = |line: &Value| {
        let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        format!("{} -> {}: {}", word("from"), word("to"), word("reason"))
    };
    events(world, "agent.changed").iter().map(told).collect()
}

/// Waits until the agent has become this, and gives all changes until then.
#[track_caller]
pub(crate) fn until_it_becomes(world: &World, state: &str) -> Vec<String> {
    until(&format!("the agent becomes {state}"), || {
        let changes = changes(world);
        let last = changes
            .last()
            .is_some_and(|change| change.contains(&format!("-> {state}: ")));
        last.then_some(changes)
    })
}
