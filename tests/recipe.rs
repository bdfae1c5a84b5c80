//! A cell that an operator made by hand with mkdir and cat is a cell.

use crate::world::World;
use std::path::Path;

const FOLDER: &str = "c0ffee00-0000-4000-8000-000000000001";
const OTHER: &str = "c0ffee00-0000-4000-8000-000000000002";

fn by_hand(world: &World, folder: &str, cell_id: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recipe/by-hand.sh");
    world
        .shell(&format!(
            "sh '{}' \"$MCELL_ROOT\" {folder} {cell_id}",
            script.display()
        ))
        .ok();
}

#[test]
fn a_cell_made_by_hand_with_matching_ids_gives_not_a_line() {
    let world = World::new();
    by_hand(&world, FOLDER, FOLDER);
    let outcome = world.mcell("validate -A").ok();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
    world.mcell("scan --all").shows("Example Mission");
}

#[test]
fn ids_of_two_uuidgens_are_one_warning_that_fix_mends() {
    let world = World::new();
    by_hand(&world, FOLDER, OTHER);
    let found = world.mcell("validate --json").ok().json();
    let codes: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["MC014"]);
    assert_eq!(found["errors"], 0);
    world.mcell("validate --fix").ok().says("cell_id");
    let outcome = world.mcell("validate").ok();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
    let text = std::fs::read_to_string(world.root().join(FOLDER).join("cell.json")).unwrap();
    assert!(
        text.contains(FOLDER) && text.contains("\"timeout\": 3600"),
        "{text}"
    );
}

#[test]
fn a_fresh_cell_gives_not_a_line() {
    let world = World::with_cell("Example Mission");
    let outcome = world.mcell("validate").ok();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
}

#[test]
fn mcell_works_on_a_cell_made_by_hand() {
    let world = World::new();
    by_hand(&world, FOLDER, FOLDER);
    world
        .mcell("add-agent --role write")
        .ok()
        .shows("agent_002");
    world
        .mcell("add-task Testing --depends-on task_001 --assign agent_002")
        .ok()
        .shows("task_002");
    let outcome = world.mcell("validate").ok();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
}
