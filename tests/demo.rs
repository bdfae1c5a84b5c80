//! The demo is real, and leaves nothing.

use crate::pit::is_over;
use crate::world::{MCELL, World, require};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
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
        .shows("silent for 3 s")
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
        .prints("task_004\n");
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

/// How many primes there are below this, by a sieve of our own.
fn primes_below(end: usize) -> usize {
    let mut is_prime = vec![true; end];
    let mut count = 0;
    for number in 2..end {
        if is_prime[number] {
            count += 1;
            for multiple in (number * number..end).step_by(number) {
                is_prime[multiple] = false;
            }
        }
    }
    count
}

#[test]
fn an_agent_that_is_killed_at_work_goes_on_where_it_was_and_comes_to_the_right_number() {
    if !require("factor") {
        return;
    }
    let mut world = world();
    let shown = world.mcell("--json demo --keep").ok().json();
    let recoveries = shown["recoveries"].as_array().expect("recoveries");
    assert_eq!(recoveries.len(), 1, "{shown}");
    let killed = &recoveries[0];
    let after = |name: &str| {
        let seconds = killed[name].as_f64();
        seconds.unwrap_or_else(|| panic!("no {name}: {killed}"))
    };
    let order = [
        after("noticed_after"),
        after("started_after"),
        after("verified_after"),
    ];
    assert!(order.is_sorted() && order[0] >= 0.0, "{killed}");
    assert!(after("task_finished_after") > order[1], "{killed}");
    // The table and the story are of one record.
    world.set("MCELL_ROOT", shown["root"].as_str().expect("a root"));
    let id = killed["revival"].as_str().expect("an id");
    let story = world.mcell(&format!("revival show {id} --json")).ok();
    let story = story.json();
    assert_eq!(story["status"], "revived");
    assert_eq!(story["steps"][0]["pid"], killed["pid"]);
    let saved = killed["checkpoint"].as_u64().expect("a checkpoint");
    assert!(saved >= 3, "{killed}");
    // It did no step again that it had saved, and left none out.
    let log = world.mcell("-c Night agent log agent_002 -n 100").ok();
    let (before, later) = log
        .out
        .split_once("I go on after step ")
        .expect("that it goes on");
    let steps = |text: &str| -> Vec<u64> {
        text.lines()
            .filter_map(|line| line.strip_prefix("step "))
            .map(|line| line.split(' ').next().expect("a word"))
            .map(|number| number.parse().expect("a number"))
            .collect()
    };
    let went_on: u64 = later
        .split(',')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number");
    assert!(went_on >= 3);
    assert!(
        steps(before)
            .iter()
            .eq(&(1..=steps(before).len() as u64).collect::<Vec<_>>())
    );
    assert_eq!(steps(later), (went_on + 1..=8).collect::<Vec<_>>());
    let number = format!("{} primes", primes_below(2_000_000));
    for task in ["task_001", "task_002", "task_003"] {
        let task = world
            .mcell(&format!("-c Night task show {task} --json"))
            .ok()
            .json();
        assert_eq!(task["status"], "completed");
        assert_eq!(task["result"], *number, "{task}");
    }
}

#[test]
fn a_demo_that_is_interrupted_leaves_no_agent_and_no_daemon() {
    if !require("factor") {
        return;
    }
    let world = world();
    for signal in [Signal::INT, Signal::KILL] {
        let mut command = world.command(MCELL);
        // A group of its own, as a shell gives it: Ctrl-C is for all of it.
        command.arg("demo").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut demo = command.stderr(Stdio::piped()).spawn().expect("a demo");
        let mut said = demo.stderr.take().expect("what it says");
        let mut shown = BufReader::new(demo.stdout.take().expect("what it shows"));
        let mut line = String::new();
        let mut pids = Vec::new();
        while !line.contains("It is seen, and brought back") {
            line.clear();
            let read = shown.read_line(&mut line).expect("a line");
            assert!(read > 0, "the demo ended");
            // "process  pid 1, …" of the daemon, "agent_001 runs: pid 2, …" of the agents.
            let is_told = line.starts_with("process ") || line.contains(" runs: pid ");
            if let Some(pid) = line.split("pid ").nth(1).filter(|_| is_told) {
                let pid = pid.split(',').next().expect("a number");
                pids.push(pid.parse::<i32>().expect("a number"));
            }
        }
        assert_eq!(pids.len(), 4, "{pids:?}");
        let group = Pid::from_raw(i32::try_from(demo.id()).expect("a number")).expect("a group");
        match signal {
            Signal::INT => kill_process_group(group, signal).expect("a signal"),
            _ => demo.kill().expect("a kill"),
        }
        demo.wait().expect("its end");
        // Whoever is left of it holds the pipe.
        let mut rest = String::new();
        said.read_to_string(&mut rest).expect("the end of the pipe");
        for pid in pids {
            assert!(is_over(pid), "{pid} lives after {signal:?}");
        }
        assert_eq!(left(&world), [""; 0], "{rest}");
    }
}
