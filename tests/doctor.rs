//! What doctor says of a machine and a root.

use crate::world::{World, lacks};
use std::os::unix::fs::PermissionsExt;

fn verdict(examination: &serde_json::Value, name: &str) -> String {
    let checks = examination["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}: {examination}"));
    check["verdict"].as_str().expect("a verdict").to_owned()
}

#[test]
fn a_fresh_root_is_well_and_doctor_leaves_nothing_in_it() {
    let world = World::with_cell("Example Mission");
    let seen = || {
        world
            .shell("find \"$MCELL_ROOT\" | sort; find ~ | sort")
            .ok()
            .out
    };
    let before = seen();
    let examination = world.mcell("doctor --json").ok().json();
    for name in [
        "version",
        "kernel",
        "root",
        "rights",
        "root's own",
        "file system",
        "disk",
        "cells",
    ] {
        assert_eq!(verdict(&examination, name), "ok", "{name}: {examination}");
    }
    assert_eq!(seen(), before);
}

#[test]
fn without_a_root_doctor_says_how_to_get_one() {
    let mut world = World::new();
    world.set("MCELL_ROOT", world.place().join("none"));
    world
        .mcell("doctor")
        .ok()
        .shows("none yet (chosen by MCELL_ROOT)")
        .shows("$ mcell init \"Example Mission\"\n");
    assert!(!world.place().join("none").exists());
}

#[test]
fn a_root_that_everyone_may_write_is_a_problem_with_the_line_that_mends_it() {
    let world = World::with_cell("Example Mission");
    let rights = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(world.root(), rights).expect("a root for everyone");
    let said = world.mcell("doctor").code(1).shows("problem  rights ");
    let line = said
        .out
        .lines()
        .find_map(|line| line.trim().strip_prefix("$ chmod"))
        .expect("a line to type");
    world.shell(&format!("chmod{line}")).ok();
    world.mcell("doctor").ok().hides("problem");
}

#[test]
fn a_file_that_everyone_may_write_is_a_problem_with_the_line_that_mends_it() {
    let world = World::with_cell("Example Mission");
    let rights = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(world.cell().join("cell.json"), rights).expect("a file for everyone");
    let line = format!("$ chmod -R o-w {}\n", world.cell().display());
    world
        .mcell("doctor")
        .code(1)
        .shows("nothing would be started from there")
        .shows(&line);
}

#[test]
fn a_cell_of_someone_else_is_named_with_the_line_that_takes_it_over() {
    if !rustix::process::geteuid().is_root() {
        lacks("root", "only root can give files away");
        return;
    }
    let world = World::with_cell("Example Mission");
    std::os::unix::fs::chown(world.cell().join("agents"), Some(54321), None).expect("a gift");
    let line = format!("$ sudo chown -R root {}\n", world.cell().display());
    world
        .mcell("doctor")
        .ok()
        .shows("1 thing belongs to neither you nor root")
        .shows(&line);
}

#[test]
fn a_variable_that_is_misspelt_or_makes_no_sense_is_named() {
    let mut world = World::new();
    world
        .set("MCELL_CEL", "x")
        .set("MCELL_LOCK_TIMEOUT", "soon");
    world
        .mcell("doctor")
        .code(1)
        .shows("is MCELL_CELL meant?")
        .shows("$ export MCELL_CELL=x; unset MCELL_CEL\n")
        .shows("MCELL_LOCK_TIMEOUT is not a number of seconds: soon");
}

#[test]
fn a_completion_script_of_another_version_is_found() {
    let world = World::new();
    world
        .shell(
            "mkdir -p ~/.config/fish/completions ~/.zfunc
             mcell completions zsh > ~/.zfunc/_mcell
             mcell completions fish | sed 's/VERSION=[^ ]*/VERSION=0.0.1/' > ~/.config/fish/completions/mcell.fish",
        )
        .ok();
    world
        .mcell("doctor")
        .ok()
        .shows("is of version 0.0.1, and completes nothing")
        .shows("$ mcell completions fish > ")
        .hides("_mcell is of version");
}

#[test]
fn a_config_that_is_not_json_is_a_problem_with_its_place() {
    let world = World::new();
    world
        .shell("mkdir ~/.lazarus && echo '{ nope' > ~/.lazarus/config.json")
        .ok();
    world
        .mcell("doctor")
        .code(1)
        .shows("config.json:1:3: the config is not JSON");
}
