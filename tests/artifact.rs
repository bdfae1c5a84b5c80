//! What comes of the work is kept whole, noted, and held against what was noted.

use crate::world::{MCELL, Outcome, World};
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A cell with a writing, an auditing and a leading agent, and two tasks.
fn world() -> World {
    let world = World::with_cell("Example Mission");
    for role in ["write", "audit", "lead"] {
        world.run(["add-agent", "--role", role]).ok();
    }
    world.mcell("add-task 'Code Review'").ok();
    world.mcell("add-task Testing").ok();
    world
}

/// Writes a file of the home, where commands run.
fn file(world: &World, name: &str, text: &str) -> PathBuf {
    let path = world.home().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(&path, text).expect("a file");
    path
}

/// Writes a file of the cell, as an agent does.
fn in_cell(world: &World, name: &str, text: &str) {
    let path = world.cell().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

fn text(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.cell().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn json(world: &World, name: &str) -> Value {
    serde_json::from_str(&text(world, name)).expect("JSON")
}

fn noted(world: &World, name: &str) -> Value {
    json(world, ".mcell/artifacts.json")["artifacts"][name].clone()
}

/// The lines of the journal.
fn journal(world: &World) -> Vec<Value> {
    let text = text(world, "logs/journal.jsonl");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line"));
    lines.collect()
}

/// The files that a line of the journal names.
fn files(line: &Value) -> Vec<&str> {
    let files = line["files"].as_array().expect("files");
    files
        .iter()
        .filter_map(|file| file["file"].as_str())
        .collect()
}

fn nothing_is_left(world: &World) {
    let left = crate::sound::flaws(&world.root());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_operator_adds_files_and_each_is_noted_by_kind_hash_size_and_task() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    file(&world, "work/report.md", "# Report\n");
    file(&world, "found.sarif", "{}");
    let before = journal(&world).len();
    world
        .mcell("artifact add parser.rs work/report.md found.sarif --task task_001")
        .ok()
        .prints(
            "Added code/parser.rs: 13 bytes, of task_001\n\
             Added docs/report.md: 9 bytes, of task_001\n\
             Added reports/found.sarif: 2 bytes, of task_001\n",
        );
    assert_eq!(text(&world, "artifacts/code/parser.rs"), "fn main() {}\n");
    let note = noted(&world, "code/parser.rs");
    assert_eq!(note["bytes"], 13);
    assert_eq!(
        note["sha256"],
        mcell::store::journal::sha256(b"fn main() {}\n")
    );
    assert_eq!(
        (&note["task"], &note["added_by"]),
        (&"task_001".into(), &"ada".into())
    );
    assert_eq!(note.get("agent"), None);
    let task = json(&world, "tasks/task_001.json");
    assert_eq!(
        task["artifacts"],
        serde_json::json!([
            "artifacts/code/parser.rs",
            "artifacts/docs/report.md",
            "artifacts/reports/found.sarif"
        ])
    );
    assert_eq!(journal(&world).len(), before + 1, "one change, one line");
    world
        .mcell("artifact add found.sarif --kind docs -q")
        .ok()
        .prints("docs/found.sarif\n");
    world
        .mcell("artifact add parser.rs --name old/parser.rs -q")
        .ok()
        .prints("code/old/parser.rs\n");
    world.mcell("validate").ok();
    nothing_is_left(&world);
}

#[test]
fn an_agent_adds_what_came_of_the_task_it_holds() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    file(&world, "notes.md", "notes");
    world.mcell("artifact add notes.md --as agent_001").ok();
    let note = noted(&world, "docs/notes.md");
    assert_eq!(
        (&note["agent"], note.get("task")),
        (&"agent_001".into(), None)
    );
    world.mcell("task claim task_001 --as agent_001").ok();
    world
        .mcell("artifact add parser.rs --as agent_001")
        .ok()
        .shows("of task_001");
    let note = noted(&world, "code/parser.rs");
    assert_eq!(
        (&note["agent"], &note["task"]),
        (&"agent_001".into(), &"task_001".into())
    );
    world
        .mcell("artifact list --agent agent_001 --task task_001 -q")
        .ok()
        .prints("code/parser.rs\n");
}

#[test]
fn an_agent_that_never_changes_anything_adds_nothing() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    let refused = world.mcell("artifact add parser.rs --as agent_002").code(5);
    refused.says("its role is audit").says("hint:");
    world
        .mcell("artifact add parser.rs --as agent_009")
        .code(5)
        .says("not an agent of this cell");
    world
        .mcell("artifact collect --as agent_003")
        .code(5)
        .says("only an operator");
    world.mcell("artifact list --as agent_002").ok();
    assert!(!world.cell().join("artifacts/code/parser.rs").exists());
    nothing_is_left(&world);
}

#[test]
fn a_task_that_an_agent_may_not_write_or_does_not_hold_any_more_takes_nothing_of_it() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    world.mcell("task set task_002 assigned_to=agent_003").ok();
    world
        .mcell("artifact add parser.rs --task task_002 --as agent_001")
        .code(5)
        .says("permission grant agent_001 write task_002");
    world.mcell("task claim task_001 --as agent_001").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    world
        .mcell("artifact add parser.rs --as agent_001 --token 1")
        .code(5)
        .says("not the present one");
    world.mcell("task release task_001").ok();
    world
        .mcell("artifact add parser.rs --as agent_001 --token 2")
        .code(5)
        .says("holds no task any more");
    world
        .mcell("artifact add parser.rs --task task_009")
        .code(3)
        .says("there is no task task_009");
    nothing_is_left(&world);
}

#[test]
fn the_same_content_twice_changes_nothing() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    world.mcell("artifact add parser.rs --task task_001").ok();
    let (lines, note) = (journal(&world).len(), noted(&world, "code/parser.rs"));
    world
        .mcell("artifact add parser.rs --task task_001")
        .ok()
        .shows("was there already with the same content");
    assert_eq!(journal(&world).len(), lines);
    assert_eq!(noted(&world, "code/parser.rs"), note);
    let again = world.mcell("artifact add parser.rs --json").ok().json();
    assert_eq!(again["artifacts"][0]["change"], "unchanged");
}

#[test]
fn other_content_under_a_name_is_refused_until_it_is_wanted() {
    let world = world();
    file(&world, "a/parser.rs", "one");
    file(&world, "b/parser.rs", "two");
    world
        .mcell("artifact add a/parser.rs b/parser.rs")
        .code(2)
        .says("two of these files");
    world.mcell("artifact add a/parser.rs").ok();
    let refused = world.mcell("artifact add b/parser.rs").code(5);
    refused
        .says("code/parser.rs already, with other content")
        .says("--replace");
    assert_eq!(text(&world, "artifacts/code/parser.rs"), "one");
    world
        .mcell("artifact add b/parser.rs --replace")
        .ok()
        .shows("Replaced code/parser.rs");
    assert_eq!(text(&world, "artifacts/code/parser.rs"), "two");
    world.mcell("artifact verify").ok();
    world
        .mcell("artifact add a/parser.rs b/parser.rs --name x")
        .code(2)
        .says("`--name` is of one file");
    for name in ["../x", ".x", "code/../../x", "/x"] {
        world
            .run(["artifact", "add", "a/parser.rs", "--name", name])
            .code(2)
            .says("no name of an artifact");
    }
    nothing_is_left(&world);
}

#[test]
fn a_link_is_followed_where_a_user_names_it_and_a_fifo_is_no_file() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    symlink("parser.rs", world.home().join("latest.rs")).expect("a link");
    world.mcell("artifact add latest.rs").ok();
    let there = world.cell().join("artifacts/code/latest.rs");
    assert!(there.symlink_metadata().expect("an artifact").is_file());
    world.shell("mkfifo pipe.rs").ok();
    world
        .mcell("artifact add pipe.rs")
        .code(2)
        .says("no regular file");
    world
        .mcell("artifact add work")
        .code(3)
        .says("there is no file work");
    world.mcell("artifact add .").code(2);
    symlink("nowhere", world.home().join("lost.rs")).expect("a link");
    world.mcell("artifact add lost.rs").code(3);
    nothing_is_left(&world);
}

#[test]
fn a_link_in_the_cell_leads_nothing_out_of_it() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    let outside = world.place().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    symlink(&outside, world.cell().join("artifacts/code/way")).expect("a link");
    world
        .mcell("artifact add parser.rs --name way/parser.rs")
        .code(4)
        .says("artifacts/code/way is not a folder");
    assert_eq!(std::fs::read_dir(&outside).expect("a folder").count(), 0);
    symlink(
        file(&world, "secret", "s"),
        world.cell().join("artifacts/code/parser.rs"),
    )
    .expect("a link");
    world
        .mcell("artifact add parser.rs --replace")
        .code(5)
        .says("is a link, not a file");
    world.mcell("artifact list -q").ok().prints("");
    std::fs::create_dir(world.cell().join("artifacts/docs/a.md")).expect("a folder");
    file(&world, "a.md", "a");
    world
        .mcell("artifact add a.md --replace")
        .code(5)
        .says("is a folder, not a file");
    nothing_is_left(&world);
}

#[test]
fn the_disk_that_the_cell_is_allowed_is_kept_and_the_refusal_says_how_it_stands() {
    let world = world();
    world.mcell("isolation set none --disk 2MB").ok();
    file(&world, "one.bin", &"x".repeat(900_000));
    file(&world, "two.bin", &"y".repeat(700_000));
    in_cell(
        &world,
        "checkpoints/agent_001/artifacts/saved.bin",
        &"z".repeat(500_000),
    );
    world.mcell("artifact add one.bin").ok();
    let refused = world.mcell("artifact add two.bin").code(5);
    refused
        .says("code/two.bin takes 700.0 KB")
        .says("uses 1.4 MB")
        .says("the 2MB")
        .says("isolation set --disk");
    assert!(!world.cell().join("artifacts/code/two.bin").exists());
    assert_eq!(noted(&world, "code/two.bin"), Value::Null);
    world
        .mcell("artifact add two.bin --name code/one.bin --replace")
        .ok();
    world.mcell("artifact add two.bin --name code/one.bin").ok();
    world.mcell("artifact list").ok().says("use 1.2 MB of 2MB");
    nothing_is_left(&world);
}

#[test]
fn what_was_altered_or_lost_is_found_and_what_was_never_added_is_a_note() {
    let world = world();
    for name in ["a.rs", "b.rs", "c.rs", "d.rs"] {
        file(&world, name, "text");
    }
    world.mcell("artifact add a.rs b.rs c.rs d.rs").ok();
    world
        .mcell("artifact verify")
        .ok()
        .prints("4 artifacts, as noted\n");
    in_cell(&world, "artifacts/code/new.rs", "new");
    world
        .mcell("artifact verify")
        .ok()
        .shows("code/new.rs was never added");
    world.mcell("artifact list").ok().shows("not recorded");
    in_cell(&world, "artifacts/code/b.rs", "tixt");
    std::fs::remove_file(world.cell().join("artifacts/code/c.rs")).expect("removed");
    let linked = world.cell().join("artifacts/code/d.rs");
    std::fs::remove_file(&linked).expect("removed");
    symlink(world.home().join("d.rs"), &linked).expect("a link");
    let wrong = world.mcell("artifact verify --json").code(1).json();
    assert_eq!(
        wrong["altered"],
        serde_json::json!(["code/b.rs", "code/d.rs"])
    );
    assert_eq!(wrong["missing"], serde_json::json!(["code/c.rs"]));
    assert_eq!(wrong["unrecorded"], serde_json::json!(["code/new.rs"]));
    world
        .mcell("artifact verify")
        .code(1)
        .shows("altered  code/b.rs")
        .shows("missing  code/c.rs");
    world.mcell("artifact list").ok().shows("missing");
    std::fs::remove_file(&linked).expect("removed");
    world.mcell("artifact add b.rs c.rs d.rs --replace").ok();
    world.mcell("artifact verify").ok();
}

#[test]
fn checkpoints_are_collected_and_a_clash_gives_the_agents_name() {
    let world = world();
    file(&world, "parser.rs", "of the operator");
    world.mcell("artifact add parser.rs").ok();
    let saved = |agent: &str, name: &str| format!("checkpoints/{agent}/artifacts/{name}");
    in_cell(&world, &saved("agent_001", "parser.rs"), "of agent_001");
    in_cell(&world, &saved("agent_001", "docs/plan.txt"), "plan");
    in_cell(&world, &saved("agent_003", "parser.rs"), "of the operator");
    in_cell(&world, &saved("agent_003", ".hidden"), "h");
    in_cell(&world, "artifacts/reports/run.log", "by hand");
    in_cell(
        &world,
        "artifacts/code/taken.rs/inside.rs",
        "a folder has the name",
    );
    in_cell(&world, &saved("agent_003", "taken.rs"), "t");
    symlink(
        "/etc/passwd",
        world.cell().join(saved("agent_003", "passwd")),
    )
    .expect("a link");
    world.mcell("artifact collect agent_009").code(3);
    let before = journal(&world).len();
    let collected = world.mcell("artifact collect --json").ok().json();
    let names: Vec<&str> = collected["collected"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["artifact"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "docs/plan.txt",
            "code/parser-agent_001.rs",
            "code/taken-agent_003.rs"
        ]
    );
    assert_eq!(
        collected["recorded"],
        serde_json::json!(["code/taken.rs/inside.rs", "reports/run.log"])
    );
    assert_eq!(collected["unchanged"], 1);
    assert_eq!(collected["passed_over"].as_array().map(Vec::len), Some(2));
    assert_eq!(journal(&world).len(), before + 1);
    assert_eq!(text(&world, "artifacts/code/parser.rs"), "of the operator");
    assert_eq!(
        text(&world, "artifacts/code/parser-agent_001.rs"),
        "of agent_001"
    );
    assert_eq!(
        noted(&world, "code/parser-agent_001.rs")["agent"],
        "agent_001"
    );
    let again = world.mcell("artifact collect --json").ok().json();
    assert_eq!(again["unchanged"], 4);
    assert_eq!(again["collected"], serde_json::json!([]));
    assert_eq!(journal(&world).len(), before + 1);
    in_cell(&world, &saved("agent_001", "parser.rs"), "later");
    world
        .mcell("artifact collect agent_001 -q")
        .ok()
        .prints("code/parser-agent_001-2.rs\n");
    std::fs::remove_file(world.cell().join("artifacts/docs/plan.txt")).expect("removed");
    world
        .mcell("artifact collect -q")
        .ok()
        .prints("docs/plan.txt\n");
    world.mcell("artifact verify").ok();
    nothing_is_left(&world);
}

#[test]
fn a_task_is_completed_and_its_artifacts_are_added_in_one_commit() {
    let world = world();
    file(&world, "parser.rs", "fn main() {}\n");
    file(&world, "known.md", "known");
    in_cell(&world, "artifacts/reports/run.log", "written in its place");
    world.mcell("artifact add known.md").ok();
    std::fs::remove_file(world.home().join("known.md")).expect("removed");
    world.mcell("task claim task_001 --as agent_001").ok();
    world
        .mcell("task complete task_001 --artifact nowhere.rs --as agent_001")
        .code(3)
        .says("there is no file nowhere.rs, and no artifact of that name");
    let before = journal(&world).len();
    let log = world.cell().join("artifacts/reports/run.log");
    let log = log.display();
    world
        .mcell(&format!(
            "task complete task_001 --artifact parser.rs --artifact docs/known.md --artifact {log} --as agent_001"
        ))
        .ok();
    let lines = journal(&world);
    assert_eq!(lines.len(), before + 1);
    let files = files(lines.last().expect("a line"));
    for name in [
        "artifacts/code/parser.rs",
        ".mcell/artifacts.json",
        "tasks/task_001.json",
    ] {
        assert!(files.contains(&name), "{name}: {files:?}");
    }
    let task = json(&world, "tasks/task_001.json");
    assert_eq!(task["status"], "completed");
    assert_eq!(
        task["artifacts"],
        serde_json::json!([
            "artifacts/code/parser.rs",
            "artifacts/docs/known.md",
            "artifacts/reports/run.log"
        ])
    );
    assert_eq!(noted(&world, "code/parser.rs")["agent"], "agent_001");
    assert_eq!(noted(&world, "reports/run.log")["task"], "task_001");
    world.mcell("validate").ok();
    nothing_is_left(&world);
    std::fs::remove_file(world.cell().join("artifacts/code/parser.rs")).expect("removed");
    world.mcell("validate").shows("MC082");
}

#[test]
fn a_task_is_not_completed_where_its_artifact_is_refused() {
    let world = world();
    file(&world, "a/parser.rs", "one");
    file(&world, "b/parser.rs", "two");
    world.mcell("artifact add a/parser.rs").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    world
        .mcell("task complete task_001 --artifact b/parser.rs --as agent_001")
        .code(5)
        .says("other content");
    assert_eq!(json(&world, "tasks/task_001.json")["status"], "in_progress");
    world
        .mcell("task complete task_001 --artifact a/parser.rs --as agent_001")
        .ok();
    nothing_is_left(&world);
}

/// The file that is being made for a commit, if there is one, and its bytes.
fn coming(cell: &Path) -> Option<u64> {
    let mut entries = std::fs::read_dir(cell.join(".mcell/incoming")).ok()?;
    entries.find_map(|entry| Some(entry.ok()?.metadata().ok()?.len()))
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").arg(name).arg(pid.to_string()).status();
    assert!(status.expect("kill").success());
}

/// Waits until something is so; no test depends on how long that takes.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(100);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "{what} never came");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn a_large_copy_is_made_while_others_change_the_cell() {
    const BYTES: usize = 40 << 20;
    let world = world();
    let cell = world.cell();
    std::fs::write(world.home().join("large.bin"), vec![7; BYTES]).expect("a large file");
    // Whoever copies meets a lock that is held: nothing of the copy needs it.
    let lock = std::fs::File::open(cell.join(".mcell/lock")).expect("the lock");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("held");
    let mut running = world
        .command(MCELL)
        .args(["artifact", "add", "large.bin"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mcell");
    until("the copy", || coming(&cell).is_some_and(|bytes| bytes > 0));
    // Stopped while it cannot hold the lock, wherever it is.
    signal("-STOP", running.id());
    let stat = format!("/proc/{}/stat", running.id());
    until("the stop", || {
        std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T "))
    });
    drop(lock);
    world.mcell("add-task Meanwhile").ok();
    assert!(coming(&cell).is_some(), "what is being made was swept away");
    signal("-CONT", running.id());
    assert!(running.wait().expect("an end").success());
    let there = std::fs::read(cell.join("artifacts/code/large.bin")).expect("the artifact");
    assert!(there.len() == BYTES && there.iter().all(|byte| *byte == 7));
    assert_eq!(noted(&world, "code/large.bin")["bytes"], BYTES);
    world.mcell("artifact verify").ok();
    nothing_is_left(&world);
}

#[test]
fn what_a_killed_copy_left_is_swept_by_the_next_command_that_writes() {
    let world = world();
    let cell = world.cell();
    std::fs::write(world.home().join("large.bin"), vec![7; 8 << 20]).expect("a large file");
    let lock = std::fs::File::open(cell.join(".mcell/lock")).expect("the lock");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("held");
    let mut running = world
        .command(MCELL)
        .args(["artifact", "add", "large.bin"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mcell");
    until("the copy", || coming(&cell).is_some_and(|bytes| bytes > 0));
    running.kill().expect("killed");
    running.wait().expect("an end");
    drop(lock);
    assert!(coming(&cell).is_some(), "it left nothing");
    world.mcell("add-task Next").ok();
    nothing_is_left(&world);
    assert!(!cell.join("artifacts/code/large.bin").exists());
}

#[test]
fn artifacts_of_several_cells_are_listed_with_their_cell() {
    let world = world();
    let here = |line: &str| -> Outcome { world.mcell(line).ok() };
    file(&world, "parser.rs", "fn main() {}\n");
    here("artifact list").says("There is no artifact");
    here("artifact add parser.rs");
    here("init 'Second Mission'");
    here("artifact list").shows("CELL").shows("code/parser.rs");
    let list = here("artifact list --json").json();
    assert_eq!(list["artifacts"][0]["kind"], "code");
    here("artifact list -c Second --kind docs").says("There is no such artifact");
}
