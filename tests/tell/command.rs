//! `notify_command`: what the program gets, and that none outlives its time.

use super::{PATIENCE, Told, delivered, story, to_shell};
use mcell::daemon::tell::{Note, Receivers};
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn a_program_gets_the_story_on_its_standard_input() {
    let told = Told::new();
    let out = told.root.path().join("out");
    let teller = told.start(to_shell(&format!(
        "{{ cat; env; pwd; }} > '{}'",
        out.display()
    )));
    teller.tell(story("2f1c9a4e/agent_002/1"));
    told.hears("a delivery", delivered);
    let out = std::fs::read_to_string(out).expect("what it wrote");
    let first = out.lines().next().expect("a line");
    assert_eq!(
        first,
        "agent_002 of Example Mission is unhealthy: silent for 312 s"
    );
    for line in [
        "event     agent.unhealthy",
        "MCELL_EVENT=agent.unhealthy",
        "MCELL_CELL=2f1c9a4e",
        "MCELL_EVENT_AGENT=agent_002",
        "MCELL_EVENT_REASON=silent for 312 s",
    ] {
        assert!(out.lines().any(|other| other == line), "{line}\n{out}");
    }
    // `mcell` in such a program is the operator's, not the agent's.
    assert!(!out.contains("\nMCELL_AGENT="), "{out}");
    assert_eq!(teller.stop(PATIENCE), 0);
}

#[test]
fn a_program_that_fails_is_told_of_and_not_run_again() {
    let told = Told::new();
    let out = told.root.path().join("out");
    let teller = told.start(to_shell(&format!("echo x >> '{}'; exit 3", out.display())));
    teller.tell(story("a"));
    let note = told.hears("that it failed", |note| {
        matches!(note, Note::GivenUp { .. })
    });
    assert!(
        note.to_string()
            .contains("notify_command: it ended with exit code 3"),
        "{note}"
    );
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(std::fs::read_to_string(out).expect("what it wrote"), "x\n");
    let nowhere = Receivers {
        command: vec![String::from("/nowhere/notify")],
        webhooks: Vec::new(),
    };
    let teller = told.start(nowhere);
    teller.tell(story("b"));
    told.hears("that there is none", |note| {
        note.to_string().contains("cannot be started")
    });
    teller.stop(PATIENCE);
}

/// Tells whether a process is there and not just waiting to be reaped.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap_or_default();
    !stat.is_empty() && !state.starts_with(['Z', 'X'])
}

#[track_caller]
fn dies(pid: &str) {
    let begun = Instant::now();
    while lives(pid) {
        assert!(begun.elapsed() < PATIENCE, "{pid} lives on");
        std::thread::yield_now();
    }
}

/// A program that never ends and has a child that never ends; their numbers are in the file.
fn endless(file: &Path) -> Receivers {
    let file = file.display();
    to_shell(&format!(
        "sleep 100000 & echo $! $$ > '{file}.part'; mv '{file}.part' '{file}'; sleep 100000"
    ))
}

fn numbers(file: &Path) -> Vec<String> {
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(file) {
            return text.split_whitespace().map(str::to_owned).collect();
        }
        assert!(begun.elapsed() < PATIENCE, "the program did not begin");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    let mut told = Told::new();
    told.pace.command_deadline = Duration::from_millis(500);
    let file = told.root.path().join("pids");
    let teller = told.start(endless(&file));
    teller.tell(story("a"));
    let note = told.hears("that it hung", |note| matches!(note, Note::GivenUp { .. }));
    assert!(
        note.to_string().contains("did not end within 0.5 s"),
        "{note}"
    );
    for pid in numbers(&file) {
        dies(&pid);
    }
    assert_eq!(teller.stop(PATIENCE), 0);
}

#[test]
fn a_program_that_runs_at_the_end_is_killed_and_run_again_at_the_next_start() {
    let told = Told::new();
    let file = told.root.path().join("pids");
    let teller = told.start(endless(&file));
    teller.tell(story("a"));
    let pids = numbers(&file);
    assert_eq!(teller.stop(Duration::from_millis(50)), 1);
    for pid in pids {
        dies(&pid);
    }
    let out = told.root.path().join("out");
    let teller = told.start(to_shell(&format!("cat > '{}'", out.display())));
    told.hears("a delivery", delivered);
    assert!(
        std::fs::read_to_string(out)
            .expect("the story")
            .starts_with("agent_002")
    );
    assert_eq!(teller.stop(PATIENCE), 0);
}
