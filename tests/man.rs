//! The manual pages.

use crate::world::{World, checked_in, checked_in_folder, require};

#[test]
fn the_checked_in_pages_are_those_that_mcell_makes() {
    let world = World::new();
    let made = world.mcell("man --all pages --json").ok().json();
    let files = made["files"].as_array().expect("a list of files");
    let names: Vec<&str> = files
        .iter()
        .map(|file| file.as_str().expect("a name"))
        .collect();
    assert!(names.contains(&"mcell.1") && names.contains(&"mcell-add-task.1"));
    for name in &names {
        let page = std::fs::read_to_string(world.home().join("pages").join(name)).expect("a page");
        checked_in(&format!("docs/man/{name}"), &page);
    }
    checked_in_folder("docs/man", &names);
}

#[test]
fn the_top_page_has_the_exit_codes_and_the_variables() {
    let world = World::new();
    let page = world.mcell("man").ok();
    for part in [
        "EXIT STATUS",
        "128+n",
        "MCELL_LOCK_TIMEOUT",
        "NO_COLOR",
        "VISUAL",
        "mcell init",
    ] {
        assert!(page.out.contains(part), "{part} is not in the page");
    }
    world
        .mcell("man add-task")
        .ok()
        .shows("Code Review")
        .hides("MCELL_LOCK_TIMEOUT");
    world
        .mcell("man add-tusk")
        .code(3)
        .says("is `add-task` meant?");
}

#[test]
fn man_reads_every_page_without_a_complaint() {
    if !require("man") {
        return;
    }
    let world = World::new();
    world.mcell("man --all pages").ok();
    world
        .shell("for page in pages/*; do man --warnings -l \"$page\" >/dev/null || exit 1; done")
        .ok()
        .says_nothing();
}
