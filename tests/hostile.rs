//! Hostile trees: `validate` and `scan` end in bounded time and memory, name each thing, and nothing speaks to the terminal.

use crate::broken::base;
use crate::world::{MCELL, World};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ID: &str = "c0ffee00-0000-4000-8000-000000000001";

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
fn ids_that_would_leave_the_folder_are_named_and_go_nowhere() {
    let (world, cell) = hostile();
    let text = std::fs::read_to_string(cell.join("tasks/task_001.json")).unwrap();
    let text = text
        .replace("\"agent_002\"", "\"../../../etc/passwd\"")
        .replace("\"dependencies\": []", "\"dependencies\": [\"../x\"]");
    std::fs::write(cell.join("tasks/task_001.json"), text).unwrap();
    let all = look(&world);
    assert!(
        all.contains("../../../etc/passwd") && all.contains("../x"),
        "{all}"
    );
    for line in [
        "add-agent ../x --role write",
        "add-task X --id ../x",
        "add-task X --depends-on ../x",
        "add-task X --assign a/b",
    ] {
        let outcome = world.run(
            [
                &["-c", ID][..],
                &crate::world::words(line)
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            ]
            .concat(),
        );
        assert_eq!(outcome.code, 2, "{line}: {}", outcome.err);
    }
    world.mcell("init X --id ../../x").code(2);
}

#[test]
fn links_out_of_the_cell_are_named_and_not_followed() {
    let (world, cell) = hostile();
    let secret = world.place().join("secret.json");
    std::fs::write(&secret, r#"{"secret": "the secret"}"#).unwrap();
    symlink(&secret, cell.join("agents/agent_009.json")).unwrap();
    symlink("../../../..", cell.join("tasks/task_009.json")).unwrap();
    std::fs::remove_dir(cell.join("config")).unwrap();
    symlink(world.place(), cell.join("config")).unwrap();
    symlink(
        &cell,
        world.root().join("c0ffee00-0000-4000-8000-000000000002"),
    )
    .unwrap();
    let all = look(&world);
    for part in [
        "agents/agent_009.json",
        "tasks/task_009.json",
        "/config",
        "c0ffee00-0000-4000-8000-000000000002",
    ] {
        assert!(all.contains(part), "{part} is not named: {all}");
    }
    assert!(!all.contains("the secret"));
}

#[test]
fn a_fifo_named_as_an_agent_does_not_hang() {
    let (world, cell) = hostile();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    for path in ["agents/agent_009.json", "tasks/task_009.json"] {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            cell.join(path),
            rustix::fs::FileType::Fifo,
            mode,
            0,
        )
        .unwrap();
    }
    let all = look(&world);
    assert!(
        all.contains("agents/agent_009.json") && all.contains("tasks/task_009.json"),
        "{all}"
    );
    std::fs::remove_file(cell.join("cell.json")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        cell.join("cell.json"),
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .unwrap();
    assert!(look(&world).contains("cell.json"));
}

#[test]
fn ten_thousand_deep_and_a_gigabyte_are_bounded() {
    let (world, cell) = hostile();
    std::fs::write(cell.join("tasks/deep.json"), "[".repeat(10_000)).unwrap();
    std::fs::write(cell.join("tasks/deeper.json"), "{\"a\":".repeat(1_000_000)).unwrap();
    std::fs::File::create(cell.join("agents/large.json"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let all = look(&world);
    for part in ["tasks/deep.json", "tasks/deeper.json", "agents/large.json"] {
        assert!(all.contains(part), "{part} is not named");
    }
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
    let (world, cell) = hostile();
    task(
        &cell,
        "task_009",
        "\"\\u001b]0;owned\\u0007\\u001b[2J\\u202e\"",
        "[\"\\u001b[31m\"]",
    );
    let text = std::fs::read_to_string(cell.join("cell.json"))
        .unwrap()
        .replace("Example Mission", "\\u001b[2JX\\r\\n");
    std::fs::write(cell.join("cell.json"), text).unwrap();
    std::fs::write(
        cell.join("tasks")
            .join(OsStr::from_bytes(b"\x1b[2J\xff.json")),
        "{}",
    )
    .unwrap();
    std::fs::write(cell.join("agents/\u{1b}[31m.json"), "{}").unwrap();
    look(&world);
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
