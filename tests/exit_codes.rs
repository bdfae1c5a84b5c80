//! The exit codes of docs/exit-codes.md, a test a row, each as words and as JSON.

use crate::world::{Outcome, World, lacks};
use mcell::base::error::Kind;
use serde_json::Value;

/// Runs a line as words and as JSON: the same code, and an error object of this word on stderr, nothing on stdout.
#[track_caller]
fn fails(world: &World, line: &str, code: i32, word: &str) -> Outcome {
    let said = world.mcell(line).code(code);
    assert!(said.err.starts_with("error"), "{line}: {}", said.err);
    let failed = world.mcell(&format!("--json {line}")).code(code);
    assert_eq!(failed.out, "", "{line}");
    let error: Value = serde_json::from_str(&failed.err)
        .unwrap_or_else(|error| panic!("{line}: {error}\n{}", failed.err));
    let error = error["error"].as_object().expect("an error");
    let names: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "message", "hints", "place"], "{line}");
    assert_eq!(error["code"], word, "{line}");
    assert!(error["hints"].is_array(), "{line}");
    failed
}

fn world() -> World {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write").ok();
    world.mcell("add-task 'Code Review'").ok();
    world
}

#[test]
fn code_0_is_done_or_yes() {
    let world = world();
    world.mcell("validate").code(0);
    world
        .mcell("permission allows agent_001 write task_001")
        .code(0);
}

#[test]
fn code_1_is_no_and_the_answer_is_on_stdout() {
    let world = world();
    world
        .mcell("permission grant agent_001 write task_001 --only")
        .ok();
    world.mcell("add-task Testing").ok();
    let line = "permission allows agent_001 write task_002";
    world.mcell(line).code(1).shows("no: ");
    let answer = world
        .mcell(&format!("{line} --json"))
        .code(1)
        .says_nothing();
    assert_eq!(answer.json()["allowed"], false);
    // An agent that fell silent, and a daemon that does not run.
    let mut world = self::world();
    world.at_time("2026-01-02T03:00:00Z");
    world.mcell("heartbeat agent_001").ok();
    world.mcell("health").code(0);
    world.at_time("2026-01-02T04:00:00Z");
    world.mcell("health").code(1).shows("unhealthy");
    world.mcell("daemon status").code(1);
}

#[test]
fn code_2_is_a_command_line_that_makes_no_sense() {
    let world = world();
    for line in [
        "add-agent --role painter",
        "add-agent",
        "add-tusk X",
        "task set task_001",
        "task show",
        "cell remove",
    ] {
        fails(&world, line, 2, "usage");
    }
}

#[test]
fn code_3_is_no_such_thing() {
    let world = world();
    for line in [
        "task show task_999",
        "agent show agent_999",
        "cell show nothing",
        "add-task X --depends-on task_999",
        "explain MC999",
        "schema nothing",
    ] {
        fails(&world, line, 3, "not_found");
    }
}

#[test]
fn code_4_is_a_file_that_is_not_what_the_specification_says() {
    let world = world();
    let file = world.cell().join("tasks/task_001.json");
    std::fs::write(file, "{\n  \"task_id\": oops\n}\n").expect("a broken task");
    let failed = fails(&world, "task show task_001", 4, "malformed");
    let error: Value = serde_json::from_str(&failed.err).expect("JSON");
    let place = &error["error"]["place"];
    let file = place["file"].as_str().expect("a file");
    assert!(file.ends_with("tasks/task_001.json"), "{place}");
    assert_eq!(place["line"], 2);
}

#[test]
fn code_5_is_refused() {
    let world = world();
    world.mcell("cell complete --force").ok();
    for line in [
        "cell pause",
        "cell resume",
        "add-agent agent_001 --role write",
    ] {
        fails(&world, line, 5, "refused");
    }
    fails(&world, "--as agent_001 add-task X", 5, "refused");
}

#[test]
fn code_5_is_fenced_too_where_a_newer_life_has_taken_over() {
    let mut world = world();
    let _life = crate::pit::Life::of(&world.cell(), "agent_001", 2);
    world.set("MCELL_INCARNATION", "1");
    fails(&world, "heartbeat agent_001", 5, "fenced");
}

#[test]
fn code_6_is_a_lock_that_was_not_free_in_time() {
    let mut world = world();
    world.set("MCELL_LOCK_TIMEOUT", "0");
    let lock = world.cell().join(mcell::store::layout::LOCK);
    let held = std::fs::File::open(&lock).expect("the lock of the cell");
    held.lock().expect("the lock");
    fails(&world, "add-task Testing", 6, "busy");
    held.unlock().expect("the lock is let go");
    world.mcell("add-task Testing").ok();
}

#[test]
fn code_7_is_disk_or_rights() {
    let world = world();
    let file = world.home().join("file");
    std::fs::write(&file, "").expect("a file");
    // A root beneath a file cannot be made by anybody, root included.
    let line = format!("init X --root {}", file.join("root").display());
    fails(&world, &line, 7, "storage");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else {
        lacks("/dev/full", "there is no /dev/full here");
        return;
    };
    let status = world
        .command(crate::world::MCELL)
        .args(["task", "list"])
        .stdout(full)
        .output()
        .map(|output| output.status.code());
    assert_eq!(status.expect("mcell"), Some(7));
}

#[test]
fn code_8_is_that_nobody_could_tell() {
    let world = world();
    fails(&world, "health --recorded", 8, "could_not_tell");
    let daemon = crate::pit::Daemon::start(&world);
    std::fs::remove_file(daemon.socket()).expect("a socket");
    fails(&world, "health", 8, "could_not_tell");
}

#[test]
fn codes_8_9_and_70_belong_to_their_kinds() {
    // What brings them about is shown where it happens: doctor, the sync after a commit, a panic.
    assert_eq!(Kind::CouldNotTell.exit(), 8);
    assert_eq!(Kind::OutcomeUnknown.exit(), 9);
    assert_eq!(Kind::Bug.exit(), 70);
}

#[test]
fn a_signal_is_128_and_its_number() {
    let world = world();
    let lock = world.cell().join(mcell::store::layout::LOCK);
    let held = std::fs::File::open(&lock).expect("the lock of the cell");
    held.lock().expect("the lock");
    // It waits for the lock when the signal comes.
    let line = "mcell add-task Testing & sleep 0.3; kill -TERM $!; wait $!";
    world.shell(line).code(143);
    drop(held);
    world.mcell("task list -q").ok().prints("task_001\n");
}

#[test]
fn the_page_says_of_every_kind_what_the_program_does() {
    let page = include_str!("../docs/exit-codes.md");
    for (code, _) in mcell::base::exit::ALL {
        assert!(
            page.contains(&format!("\n| {code} |")),
            "{code} is not on the page"
        );
    }
    // Code 1 is an answer, and has no error object.
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::No) {
        let (code, word) = (kind.exit(), kind.code());
        let is_said = page.lines().any(|line| {
            line.starts_with(&format!("| {code} |")) && line.contains(&format!("`{word}`"))
        });
        assert!(is_said, "{code} {word} is not on the page");
    }
}
