//! Hostile trees: `validate` and `scan` end in bounded time and memory, name each thing, and nothing speaks to the terminal.

use crate::broken::{ID, base, world_of};
use crate::world::{MCELL, World};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn hostile() -> (World, PathBuf) {
    let world = World::new();
    let cell = world.root().join(ID);
    base(&cell);
    (world, cell)
}

fn task(cell: &Path, id: &str, title: &str, dependencies: &str) {
    let text = format!(
        r#"{{"task_id": "{id}", "title": {title}, "status": "pending", "priority": "low", "dependencies": {dependencies}, "created_at": "2026-01-02T03:04:05Z"}}"#
    );
    std::fs::write(cell.join("tasks").join(format!("{id}.json")), text).unwrap();
}

/// Every line that both looks print, and how long they took.
fn look(world: &World) -> String {
    let started = Instant::now();
    let validate = world.mcell("validate -A --all");
    let scan = world.mcell("scan -A --all");
    assert!(
        [0, 1].contains(&validate.code) && [0, 1].contains(&scan.code),
        "{} {}",
        validate.err,
        scan.err
    );
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "took {:?}",
        started.elapsed()
    );
    let all = format!("{}{}{}{}", validate.out, validate.err, scan.out, scan.err);
    let spoken: Vec<char> = all
        .chars()
        .filter(|letter| letter.is_control() && *letter != '\n')
        .collect();
    assert!(
        spoken.is_empty(),
        "control characters reach the terminal: {spoken:?}"
    );
    all
}

#[test]
fn what_each_tree_hides_is_named_and_does_no_harm() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile"));
    let mut seen = 0;
    for fixture in folders.unwrap().map(|entry| entry.unwrap().path()) {
        let lines = |file: &str| std::fs::read_to_string(fixture.join(file)).unwrap_or_default();
        if !fixture.is_dir() {
            continue;
        }
        seen += 1;
        let (world, _broken) = world_of(&fixture);
        let all = look(&world);
        let name = fixture.display();
        for part in lines("named").lines() {
            assert!(all.contains(part), "{name}: {part} is not named in\n{all}");
        }
        for part in lines("unsaid").lines() {
            assert!(!all.contains(part), "{name}: {part} is said in\n{all}");
        }
    }
    assert!(seen >= 5, "{seen} hostile trees");
}

#[test]
fn ids_that_would_leave_the_folder_are_refused_before_a_path_is_made() {
    let (world, _) = hostile();
    for line in [
        "add-agent ../x --role write",
        "add-task X --id ../x",
        "add-task X --depends-on ../x",
        "add-task X --assign a/b",
        "task show ../../x",
        "agent remove .. --yes",
        "init X --id ../../x",
    ] {
        let code = world.mcell(&format!("-c {ID} {line}")).code;
        assert!(matches!(code, 2 | 3), "{line}: {code}");
    }
}

#[test]
fn a_gigabyte_is_not_read() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile/huge");
    let (world, _broken) = world_of(&fixture);
    // A gigabyte is not read: the peak is far below it.
    let mut child = world
        .command(MCELL)
        .args(["validate", "-A"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
                .unwrap_or(0),
        );
        std::thread::yield_now();
    }
    assert!(peak < 300_000, "{peak} kB");
}

#[test]
fn names_and_titles_cannot_speak_to_the_terminal() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile/names");
    let (world, _broken) = world_of(&fixture);
    for line in [
        "task list -A",
        "task show task_009",
        "task graph",
        "cell list",
        "status",
    ] {
        let outcome = world.mcell(line);
        let spoken = format!("{}{}", outcome.out, outcome.err);
        assert!(
            !spoken
                .chars()
                .any(|letter| letter.is_control() && letter != '\n'),
            "{line}: {spoken:?}"
        );
    }
}

#[test]
fn a_knot_of_ten_thousand_tasks_is_told_in_time() {
    let (world, cell) = hostile();
    for number in 0..10_000 {
        let next = (number + 1) % 10_000;
        task(
            &cell,
            &format!("t{number:05}"),
            "\"x\"",
            &format!("[\"t{next:05}\"]"),
        );
    }
    assert!(look(&world).contains("t00000"));
}

#[test]
fn one_bad_cell_never_stops_the_scan_of_the_others() {
    let (world, cell) = hostile();
    std::fs::write(cell.join("cell.json"), "{").unwrap();
    std::fs::create_dir(world.root().join("no cell at all")).unwrap();
    std::fs::create_dir(world.root().join(OsStr::from_bytes(b"\xff\xfe"))).unwrap();
    world.mcell("init Good").ok();
    let all = look(&world);
    assert!(
        all.contains("Good") && all.contains(ID.get(..8).unwrap()),
        "{all}"
    );
}
