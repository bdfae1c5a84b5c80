//! The demo is real, and leaves nothing.

use crate::world::{MCELL, World};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

fn world() -> World {
    let mut world = World::new();
    let temporary = world.place().join("temporary");
    std::fs::create_dir(&temporary).expect("a folder for temporary things");
    world.set("TMPDIR", temporary);
    world
}

fn left(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.place().join("temporary")).expect("the folder");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn the_demo_shows_what_it_does_and_leaves_nothing() {
    let mut world = world();
    // What the operator has set is not for the demo.
    world
        .set("MCELL_CELL", "none")
        .set("MCELL_CONFIG", "/nowhere");
    let shown = world.mcell("demo").ok().says_nothing();
    shown
        .shows("$ mcell init \"Example Mission\" --timeout 8h\nMade cell ")
        .shows("Critical chain: task_001 → task_002 → task_004 → task_005")
        .shows("error[MC005]")
        .shows("fixed: tasks/task_003.json: renamed titel to title")
        .shows("really run, on real files.");
    assert_eq!(left(&world), [""; 0]);
    assert!(
        std::fs::read_dir(world.root())
            .expect("the root")
            .next()
            .is_none()
    );
}

#[test]
fn a_demo_that_is_kept_is_a_root_to_go_on_in() {
    let mut world = world();
    let root = world.mcell("demo --keep --quiet").ok().datum().to_owned();
    world.set("MCELL_ROOT", root);
    world
        .mcell("add-task -q 'One more'")
        .ok()
        .prints("task_006\n");
    world.mcell("validate").ok().prints("");
}

#[test]
fn a_demo_that_is_killed_leaves_nothing_either() {
    let world = world();
    let mut command = world.command(MCELL);
    command
        .arg("demo")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut demo = command.spawn().expect("a demo");
    let mut said = demo.stderr.take().expect("what it says");
    let mut shown = BufReader::new(demo.stdout.take().expect("what it shows"));
    let mut line = String::new();
    while !line.contains("add-agent --role lead") {
        line.clear();
        assert!(
            shown.read_line(&mut line).expect("a line") > 0,
            "the demo ended"
        );
    }
    assert_eq!(left(&world).len(), 1);
    demo.kill().expect("a kill");
    demo.wait().expect("its end");
    // The keeper has the pipe too: its end is the keeper's.
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("the end of the pipe");
    assert_eq!(left(&world), [""; 0], "{rest}");
}
