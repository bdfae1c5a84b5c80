//! What explain says of a rule.

use crate::world::World;

#[test]
fn a_rule_is_found_by_its_code_its_number_and_its_name() {
    let world = World::new();
    let page = world.mcell("explain MC004").ok().says_nothing().out;
    assert!(page.starts_with("MC004 duplicate-key (error)\n"), "{page}");
    for typed in ["mc004", "4", "004", "duplicate-key", "Duplicate-Key"] {
        world.run(["explain", typed]).ok().prints(&page);
    }
}

#[test]
fn a_wrong_rule_is_answered_with_the_one_that_was_meant() {
    let world = World::new();
    world
        .mcell("explain duplicate_keys")
        .code(3)
        .says("is MC004 (duplicate-key) meant?");
    world
        .mcell("explain weather")
        .code(3)
        .says("`mcell explain` lists them");
}

#[test]
fn without_a_rule_all_are_listed_one_a_line() {
    let world = World::new();
    let lines = world.mcell("explain").ok().out;
    let rules = world.mcell("explain --json").ok().json();
    assert_eq!(
        lines.lines().count(),
        rules["rules"].as_array().expect("rules").len() + 1
    );
    world
        .mcell("explain MC004 --json")
        .ok()
        .shows("\"code\": \"MC004\"");
    world
        .mcell("explain 4 1")
        .ok()
        .shows("MC001 ")
        .shows("MC004 ");
}
