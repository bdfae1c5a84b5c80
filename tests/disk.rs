//! A disk that is full, read-only or somebody else's: clear words, exit 7, and what is there can still be read.

use crate::mount::{Mount, may_mount, run};
use crate::world::{MCELL, World, lacks, require};
use crate::{fleet, sound};
use std::io::Write;
use std::process::Command;

/// The commands that write, each on its own.
const WRITERS: [&str; 3] = ["init More", "add-agent --role write", "add-task More"];

/// The commands that look. To see one more work on a disk that takes nothing, add it.
const READERS: &[&str] = &[
    "scan",
    "health",
    "status",
    "validate -A --all",
    "cell list",
    "agent list",
    "task list",
];

/// Every writer is refused with exit 7 and these words, and nothing changed; every reader works.
fn refuses(world: &World, words: &[&str]) {
    let before = fleet::sound(&world_root(world));
    let cell = fleet::names(&world_root(world))
        .expect("the root")
        .pop()
        .expect("a cell");
    for line in WRITERS {
        let line = if line.starts_with("init") {
            line.to_owned()
        } else {
            format!("-c {cell} {line}")
        };
        let mut refused = world.mcell(&line).code(7);
        for word in words {
            refused = refused.says(word);
        }
    }
    for line in READERS {
        // A disk that is full is itself a problem that scan names (exit 1).
        let read = world.mcell(line);
        assert!(matches!(read.code, 0 | 1), "`mcell {line}`: {read:?}");
    }
    assert_eq!(fleet::sound(&world_root(world)), before);
}

/// The root that `MCELL_ROOT` names in this file's worlds.
fn world_root(world: &World) -> std::path::PathBuf {
    world.place().join("disk/missions")
}

fn world() -> World {
    let mut world = World::new();
    let root = world.place().join("disk/missions");
    world.set("MCELL_ROOT", root);
    world
}

#[test]
fn a_full_disk_is_named_nothing_is_lost_and_room_is_all_that_is_needed() {
    if !may_mount() {
        return;
    }
    let world = world();
    let disk = Mount::new(
        &world.place().join("disk"),
        &["-t", "tmpfs", "-o", "size=1m", "tmpfs"],
    )
    .expect("a small disk");
    world.mcell("init Example").ok();
    world.mcell("add-task First").ok();
    let ballast = disk.place().join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("ballast");
    while file.write_all(&[0; 4096]).is_ok() {}
    refuses(&world, &["no space left", "the disk is full"]);
    drop(file);
    std::fs::remove_file(ballast).expect("room");
    world.mcell("add-task Second").ok().shows("task_002");
    assert_eq!(sound::flaws(&world_root(&world)), Vec::<String>::new());
}

#[test]
fn a_read_only_mount_is_named_and_can_be_read() {
    if !may_mount() {
        return;
    }
    let world = world();
    let disk = Mount::new(&world.place().join("disk"), &["-t", "tmpfs", "tmpfs"]).expect("a disk");
    world.mcell("init Example").ok();
    world.mcell("add-task First").ok();
    run(Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(disk.place()))
    .expect("read-only");
    refuses(&world, &["read-only file system", "mounted read-only"]);
    run(Command::new("mount")
        .args(["-o", "remount,rw"])
        .arg(disk.place()))
    .expect("writable");
    world.mcell("add-task Second").ok().shows("task_002");
    assert_eq!(sound::flaws(&world_root(&world)), Vec::<String>::new());
}

#[test]
fn a_cell_of_somebody_else_is_closed_in_clear_words() {
    const NOBODY: &str = "65534";
    if !require("setpriv") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        lacks("root", "only root may become somebody else");
        return;
    }
    let world = world();
    std::fs::create_dir_all(world_root(&world)).expect("a root");
    let cell = world.mcell("init -q Example").ok().datum().to_owned();
    world.mcell("add-task First").ok();
    let open = |path: &std::path::Path| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("chmod");
    };
    let program = world.place().join("mcell");
    std::fs::copy(MCELL, &program).expect("a copy of the program");
    open(&program);
    open(&world.place());
    let before = fleet::sound(&world_root(&world));
    for line in WRITERS {
        let output = world
            .command("setpriv")
            .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
            .arg(&program)
            .args(["-c", &cell])
            .args(crate::world::words(line))
            .output()
            .expect("setpriv runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(7), "{line}: {said}");
        assert!(said.contains("permission denied"), "{line}: {said}");
        assert!(
            said.contains("hint: look at the owner and mode"),
            "{line}: {said}"
        );
    }
    assert_eq!(fleet::sound(&world_root(&world)), before);
    world.mcell("add-task Second").ok().shows("task_002");
}
