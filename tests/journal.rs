//! The journal: what was done is shown, what was tampered with is named, however long it is.

use crate::world::{MCELL, World};
use mcell::base::clock::Time;
use mcell::store::journal::{Change, Line, sha256};
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long an event may take to be seen: none should, so a slow machine is not a failure.
const DEADLINE: Duration = Duration::from_secs(60);

/// A cell with two agents and two tasks, made at 03:04, 04:04 and 05:04.
fn world() -> World {
    let mut world = World::new();
    world.at_time("2026-01-02T03:04:05Z");
    world.mcell("init 'Example Mission'").ok();
    world.mcell("add-agent --role write").ok();
    world.mcell("add-agent --role write").ok();
    world.at_time("2026-01-02T04:04:05Z");
    world.mcell("add-task 'Code Review'").ok();
    world.mcell("add-task Testing --depends-on task_001").ok();
    world.at_time("2026-01-02T05:04:05Z");
    world.mcell("task claim task_001 --as agent_001").ok();
    world.mcell("agent pause agent_002 --reason 'no disk'").ok();
    world
}

fn acts(world: &World, filters: &str) -> Vec<String> {
    let shown = world.mcell(&format!("log --json {filters}")).ok().json();
    let lines = shown["lines"].as_array().expect("a list").iter();
    lines
        .map(|line| line["act"].as_str().expect("an act").to_owned())
        .collect()
}

fn edit(path: &Path, change: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(path).expect("a text");
    let changed = change(&text);
    assert_ne!(text, changed, "nothing was changed");
    std::fs::write(path, changed).expect("a changed text");
}

#[test]
fn each_change_is_a_line_in_words_with_its_reason() {
    let world = world();
    world.mcell("journal show").ok().says_nothing().prints(
        "\
03:04         ada  init: made the cell Example Mission
03:04         ada  add-agent: added agent_001 (write)
03:04         ada  add-agent: added agent_002 (write)
04:04         ada  add-task: added task_001: Code Review
04:04         ada  add-task: added task_002: Testing
05:04         agent_001  task claim: agent_001 claimed task_001
05:04         ada  agent pause: [..]  why: no disk
",
    );
    let raw = world.mcell("logs -q -n 1").ok();
    let file = std::fs::read_to_string(world.cell().join("logs/journal.jsonl")).expect("it");
    assert_eq!(raw.out.lines().last(), file.lines().last());
}

#[test]
fn lines_are_found_by_time_agent_task_and_kind() {
    let world = world();
    assert_eq!(acts(&world, "").len(), 7);
    assert_eq!(acts(&world, "--since 1h").len(), 4);
    assert_eq!(acts(&world, "--since 30m").len(), 2);
    assert_eq!(acts(&world, "--since 90m --until 30m"), ["add-task"; 2]);
    assert_eq!(acts(&world, "--until 2026-01-02T03:04:05Z").len(), 3);
    assert_eq!(
        acts(&world, "--agent agent_002"),
        ["add-agent", "agent pause"]
    );
    assert_eq!(
        acts(&world, "--agent agent_001"),
        ["add-agent", "task claim"]
    );
    assert_eq!(acts(&world, "--task task_001"), ["add-task", "task claim"]);
    assert_eq!(acts(&world, "--kind task").len(), 3);
    assert_eq!(acts(&world, "--kind 'task claim'"), ["task claim"]);
    assert_eq!(acts(&world, "--kind task -n 1"), ["task claim"]);
    assert!(acts(&world, "--task task_009").is_empty());
    world
        .mcell("log --since yesterday")
        .code(2)
        .says("how long ago");
    world.mcell("log -n 0").code(2);
}

#[test]
fn an_agent_sees_nothing_of_a_task_that_it_may_not_read() {
    let world = world();
    world
        .mcell("permission grant agent_002 read task_002 --only")
        .ok();
    let acts = acts(&world, "--as agent_002");
    assert!(!acts.contains(&"task claim".to_owned()), "{acts:?}");
    assert_eq!(acts.iter().filter(|act| *act == "add-task").count(), 1);
}

#[test]
fn a_line_changed_by_hand_is_found_and_named() {
    let world = world();
    world
        .mcell("journal verify")
        .ok()
        .prints("7 lines: each carries the hash of the one before\n");
    let journal = world.cell().join("logs/journal.jsonl");
    edit(&journal, |text| text.replace("Code Review", "Core Review"));
    world.mcell("journal verify").code(1).shows(
        "logs/journal.jsonl:5 does not carry the hash of line 4: line 4 or this one was changed",
    );
    edit(&journal, |text| text.replacen("{\"at\"", "\"at\"", 1));
    let found = world.mcell("journal verify --json").code(1).json();
    let lines: Vec<u64> = found["bad"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|flaw| flaw["line"].as_u64())
        .collect();
    assert_eq!(lines, [1, 2, 5]);
    // What can be read is shown, and that something cannot is said.
    let shown = world.mcell("journal show -q").ok().says("1 line");
    assert_eq!(shown.out.lines().count(), 6);
}

#[test]
fn a_head_kept_elsewhere_tells_what_was_cut_off_or_written_anew() {
    let world = world();
    let head = world.mcell("journal head -q").ok().datum().to_owned();
    assert!(head.ends_with(":7"), "{head}");
    world.mcell("add-task More").ok();
    let verify = format!("journal verify --head {head}");
    world.mcell(&verify).ok();
    let (hash, _) = head.split_once(':').expect("a hash");
    world.mcell(&format!("journal verify --head {hash}")).ok();
    let journal = world.cell().join("logs/journal.jsonl");
    edit(&journal, |text| {
        let lines: Vec<&str> = text.lines().take(6).collect();
        lines.join("\n") + "\n"
    });
    // The chain alone holds.
    world.mcell("journal verify").ok();
    world
        .mcell(&verify)
        .code(1)
        .shows("has 6 lines, and had 7 when the head");
    world.mcell("task set task_001 priority=high").ok();
    world.mcell(&verify).code(1).shows("was written anew");
    world.mcell("journal verify --head x").code(2).says("HASH");
}

#[test]
fn a_line_cut_short_by_a_crash_is_a_note_and_the_next_writer_mends_it() {
    let world = world();
    let journal = world.cell().join("logs/journal.jsonl");
    edit(&journal, |text| format!("{text}{{\"at\":\"20"));
    world
        .mcell("journal verify")
        .ok()
        .shows("note: logs/journal.jsonl:8 ends without its line end");
    assert_eq!(acts(&world, "").len(), 7);
    world.mcell("add-task More").ok().says("cut a line");
    world
        .mcell("journal verify")
        .ok()
        .prints("8 lines: each carries the hash of the one before\n");
}

#[test]
fn what_other_tools_changed_is_noted() {
    let world = world();
    world.mcell("journal verify --files").ok().hides("note:");
    let task = world.cell().join("tasks/task_002.json");
    edit(&task, |text| text.replace("Testing", "Texting"));
    std::fs::remove_file(world.cell().join("agents/agent_002.json")).expect("a file");
    world
        .mcell("journal verify --files")
        .ok()
        .shows("note: tasks/task_002.json was changed by something else")
        .shows("note: agents/agent_002.json is gone");
}

#[test]
fn a_rotated_journal_is_one_journal() {
    let mut world = World::new();
    world.set("MCELL_JOURNAL_MAX", "2000");
    world.mcell("init 'Example Mission'").ok();
    for _ in 0..12 {
        world.mcell("add-task Review").ok();
    }
    let logs = world.cell().join("logs");
    assert!(logs.join("journal.000002.jsonl").exists());
    assert_eq!(acts(&world, "").len(), 13);
    world.mcell("journal verify --files").ok().hides("note:");
    world.mcell("validate").ok().hides("journal");
    assert_eq!(crate::sound::flaws(&world.root()), [""; 0]);
    edit(&logs.join("journal.000001.jsonl"), |text| {
        text.replace("task_003: Review", "task_003: Preview")
    });
    world
        .mcell("journal verify")
        .code(1)
        .shows("error: logs/journal.000001.jsonl:");
    std::fs::remove_file(logs.join("journal.000001.jsonl")).expect("a file");
    world
        .mcell("journal verify")
        .code(1)
        .shows("error: logs/journal.000002.jsonl:1 does not begin a journal");
    world.set("MCELL_JOURNAL_MAX", "much");
    world.mcell("add-task X").code(2).says("MCELL_JOURNAL_MAX");
}

/// Ends a child that a failed test would leave.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn follow(world: &World, arguments: &[&str]) -> (Ended, mpsc::Receiver<String>) {
    let mut child = world
        .command(MCELL)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("mcell");
    let out = child.stdout.take().expect("a pipe");
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        // Stops reading when nobody wants the lines any more, and so closes the pipe.
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if line.contains("The End") || send.send(line).is_err() {
                return;
            }
        }
    });
    (Ended(child), receive)
}

#[test]
fn whoever_follows_sees_what_others_do_across_rotations_and_ends_when_nobody_reads() {
    let mut world = World::new();
    world.set("MCELL_JOURNAL_MAX", "1");
    world.mcell("init 'Example Mission'").ok();
    let (mut child, lines) = follow(&world, &["log", "--follow", "--json"]);
    let first = lines.recv_timeout(DEADLINE).expect("the first line");
    assert!(first.contains("\"act\":\"init\""), "{first}");
    for number in 1..=5 {
        world.mcell(&format!("add-task 'Number {number}'")).ok();
        let line = lines
            .recv_timeout(DEADLINE)
            .expect("a line that was written");
        let line: Line = serde_json::from_str(&line).expect("a line of the journal");
        assert!(line.what.ends_with(&format!("Number {number}")), "{line:?}");
    }
    assert!(world.cell().join("logs/journal.000005.jsonl").exists());
    world.mcell("add-task 'The End'").ok();
    let end = Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = child.0.try_wait().expect("a child") {
            break status;
        }
        assert!(Instant::now() < end, "it did not end when nobody read");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(0));
}

#[test]
fn whoever_follows_a_cell_that_is_removed_is_told() {
    let world = world();
    let (mut child, lines) = follow(&world, &["log", "-f", "-n", "1"]);
    let first = lines.recv_timeout(DEADLINE).expect("the last line");
    assert!(first.contains("no disk"), "{first}");
    world.mcell("cell remove Example --yes").ok();
    assert_eq!(child.0.wait().expect("an end").code(), Some(3));
}

/// A right chain of so many lines.
fn long_journal(lines: usize) -> String {
    let mut text = String::new();
    let mut prev = String::new();
    let at = Time::parse("2026-01-02T03:04:05Z").expect("a time");
    for number in 0..lines {
        let file = format!("tasks/task_{number:06}.json");
        let line = Line {
            at: at.plus(number as u64),
            by: String::from("agent_001"),
            act: String::from("task complete"),
            what: format!("completed task_{number:06}"),
            why: Some(String::from("all of its tests went through")),
            request: Some(sha256(b"request")),
            token: Some(number as u64),
            files: vec![Change {
                temp: Some(format!("tasks/.task_{number:06}.json.1234-0.tmp")),
                trash: None,
                before: Some(sha256(file.as_bytes())),
                after: Some(sha256(prev.as_bytes())),
                file,
            }],
            prev,
        };
        let line = serde_json::to_string(&line).expect("a line");
        prev = sha256(line.as_bytes());
        writeln!(text, "{line}").expect("a string");
    }
    text
}

/// The most memory in KiB that a command of this world has held, by the high-water mark that the kernel keeps.
fn peak(world: &World, arguments: &[&str]) -> u64 {
    let mut child = world
        .command(MCELL)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("mcell");
    let (mut highest, mut looks) = (0, 0);
    let status = loop {
        let about = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let about = about.unwrap_or_default();
        let mark = about.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(mark) = mark.and_then(|mark| mark.trim().strip_suffix(" kB")?.parse().ok()) {
            highest = highest.max(mark);
            looks += 1;
        }
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
    };
    assert!(status.success(), "{arguments:?}: {status}");
    assert!(looks > 20, "{arguments:?} was seen {looks} times only");
    highest
}

#[test]
fn a_long_journal_is_read_in_constant_memory() {
    let world = World::with_cell("Example Mission");
    let text = long_journal(50_000);
    assert!(text.len() > 25 << 20, "too small to tell: {}", text.len());
    std::fs::write(world.cell().join("logs/journal.jsonl"), text).expect("a journal");
    world
        .mcell("journal verify")
        .ok()
        .prints("50000 lines: each carries the hash of the one before\n");
    for arguments in [
        ["journal", "verify", "--json"].as_slice(),
        &["journal", "show", "--since", "2026-01-02T03:04:05Z"],
        &[
            "journal",
            "show",
            "--since",
            "2026-01-02T03:04:05Z",
            "--json",
        ],
    ] {
        let peak = peak(&world, arguments);
        assert!(peak < 24 << 10, "{arguments:?} held {peak} KiB");
    }
}
