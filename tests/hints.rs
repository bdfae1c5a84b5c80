//! What mcell says beside its data: hints go to stderr, and name what to do next.

use crate::world::World;

#[test]
fn a_list_of_nothing_prints_nothing_and_says_how_to_begin() {
    let world = World::new();
    world
        .mcell("cell list")
        .ok()
        .prints("")
        .says("mcell init \"Example Mission\"");
    world.mcell("init 'Example Mission'").ok();
    for (line, hint) in [
        ("agent list", "mcell add-agent --role write"),
        ("permission show", "mcell add-agent --role write"),
        ("task list", "mcell add-task TITLE"),
        ("task graph", "mcell add-task TITLE"),
        ("task list --status failed", "There is no such task"),
        ("task ready", "No task is ready"),
    ] {
        world.mcell(line).ok().prints("").says(hint);
        world
            .mcell(&format!("{line} -q"))
            .ok()
            .prints("")
            .says_nothing();
    }
}

#[test]
fn a_cell_made_like_another_is_to_be_looked_at() {
    let world = World::new();
    world.mcell("init First").ok().shows("mcell add-agent");
    world
        .mcell("init Second --like First")
        .ok()
        .shows("mcell status")
        .shows("mcell validate")
        .hides("mcell add-agent");
}

#[test]
fn the_program_of_an_agent_is_stored_without_dots_that_mean_nothing() {
    let world = World::with_cell("Example Mission");
    let added = world
        .mcell("add-agent --role write --cwd . --json -- ./bin/.././work.sh")
        .ok()
        .json();
    let run = &added["agent"]["run"];
    let home = world.home().display().to_string();
    // Where bin/.. leads is for the file system to say.
    assert_eq!(run["command"][0], format!("{home}/bin/../work.sh"));
    assert_eq!(run["cwd"], home);
}
