//! `agent start`, `stop`, `restart` and `log`, with real processes.

use crate::crew::{note, pid, send, world};
use crate::pit::{is_over, until};
use crate::world::World;
use rustix::process::Signal;
use serde_json::Value;
use std::path::PathBuf;

fn log_file(world: &World, agent: &str) -> PathBuf {
    world.cell().join(format!("logs/{agent}.log"))
}

fn log(world: &World, agent: &str) -> String {
    std::fs::read_to_string(log_file(world, agent)).unwrap_or_default()
}

/// Waits until an agent has said this in a line of its own, and gives what follows it there.
fn said(world: &World, agent: &str, beginning: &str) -> String {
    until(&format!("{agent} says {beginning}"), || {
        let log = log(world, agent);
        let mut lines = log
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'));
        lines.find_map(|line| line.strip_prefix(beginning).map(str::to_owned))
    })
}

fn pid_said(world: &World, agent: &str, beginning: &str) -> i32 {
    said(world, agent, beginning).trim().parse().unwrap()
}

fn start(world: &World) -> Value {
    world.mcell("agent start agent_001 --json").ok().json()
}

fn pid_of(value: &Value) -> i32 {
    i32::try_from(value.as_u64().unwrap()).unwrap()
}

fn is_free(world: &World, agent: &str) -> bool {
    let path = world.cell().join(format!(".mcell/run/{agent}.lock"));
    let lock = std::fs::File::open(path).unwrap();
    mcell::store::fs2::try_lock(&lock, false).unwrap()
}

#[test]
fn an_agent_that_is_started_runs_on_and_is_told_who_it_is() {
    let world = world("env | sort; echo ready; exec sleep 1000");
    let started = start(&world);
    let pid = pid_of(&started["pid"]);
    said(&world, "agent_001", "ready");
    assert!(!is_over(pid) && !is_free(&world, "agent_001"));
    let note = note(&world, "agent_001");
    assert_eq!(note["pid"], started["pid"]);
    assert_eq!(note["incarnation"], started["incarnation"]);
    let log = log(&world, "agent_001");
    let cell = world.cell();
    let uuid = cell.file_name().unwrap().to_str().unwrap();
    for variable in [
        format!("MCELL_ROOT={}", world.root().display()),
        format!("MCELL_CELL={uuid}"),
        format!("MCELL_CELL_DIR={}", cell.display()),
        String::from("MCELL_AGENT=agent_001"),
        format!("MCELL_INCARNATION={}", started["incarnation"]),
        format!("HOME={}", world.home().display()),
    ] {
        assert!(
            log.lines().any(|line| line == variable),
            "{variable}\n{log}"
        );
    }
    // What the caller has beside that stays with the caller.
    assert!(!log.contains("LOGNAME"), "{log}");
    let again = start(&world);
    assert_eq!(again["ran_already"], true);
    assert_eq!(again["pid"], started["pid"]);
    world
        .mcell("agent log agent_001 -n 1")
        .ok()
        .prints("ready\n");
    world
        .mcell("agent stop agent_001")
        .ok()
        .prints("agent_001 has ended: SIGTERM\n");
    assert!(is_over(pid) && is_free(&world, "agent_001"));
    world
        .mcell("agent stop agent_001")
        .ok()
        .prints("agent_001 does not run, and is not wanted\n");
}

#[test]
fn the_command_that_started_it_may_end_and_its_terminal_go_away() {
    let world = world("echo ready; exec sleep 1000");
    let pid = pid_of(&start(&world)["pid"]);
    said(&world, "agent_001", "ready");
    let runner = pid_of(&note(&world, "agent_001")["runner"]["pid"]);
    let process = |pid| mcell::base::process::Process::of(pid).unwrap().unwrap();
    // It leads a session, so no terminal's end reaches it; and the agent leads a group of its own in it.
    assert_eq!(process(runner).session, runner);
    assert_eq!((process(pid).session, process(pid).group), (runner, pid));
    send(pid, Signal::TERM);
    until("it has ended", || {
        is_free(&world, "agent_001").then_some(())
    });
}

#[test]
fn how_an_agent_ended_is_on_disk_when_its_lock_is_free() {
    for (line, code, signal) in [
        ("exit 0", Some(0), None),
        ("exit 75", Some(75), None),
        ("kill -9 $$", None, Some(9)),
    ] {
        let world = world(line);
        start(&world);
        until("its lock is free", || {
            is_free(&world, "agent_001").then_some(())
        });
        let end = &note(&world, "agent_001")["end"];
        assert_eq!(end["code"].as_i64(), code, "{line}: {end}");
        assert_eq!(end["signal"].as_i64(), signal, "{line}: {end}");
        assert_eq!(end["is_ordered"], false);
    }
}

#[test]
fn whatever_an_agent_started_is_gone_with_it_though_it_hid() {
    // hermes-agent 88562: 122 descendants were left.
    let world = world(
        "trap '' TERM
         setsid sh -c 'trap \"\" TERM HUP; echo \"far $$\"; while :; do sleep 1000; done' &
         sh -c 'echo \"stopped $$\"; kill -STOP $$' &
         (setsid sh -c 'echo \"orphan $$\"; exec sleep 1000' &)
         echo ready; while :; do sleep 1000; done",
    );
    world.mcell("agent set agent_001 run.stop_timeout=1").ok();
    let own = pid_of(&start(&world)["pid"]);
    said(&world, "agent_001", "ready");
    let others = ["far ", "stopped ", "orphan "].map(|name| pid_said(&world, "agent_001", name));
    world
        .mcell("agent stop agent_001")
        .ok()
        .prints("agent_001 has ended: SIGKILL\n");
    for pid in others.into_iter().chain([own]) {
        assert!(is_over(pid), "{pid} lives");
    }
}

#[test]
fn what_a_dead_agent_left_is_gone_before_its_lock_is_free() {
    let world = world("setsid sleep 1000 & echo \"child $!\"; exec sleep 1000");
    let pid = pid_of(&start(&world)["pid"]);
    let child = pid_said(&world, "agent_001", "child ");
    send(pid, Signal::KILL);
    until("its lock is free", || {
        is_free(&world, "agent_001").then_some(())
    });
    assert!(is_over(child));
    assert_eq!(note(&world, "agent_001")["end"]["signal"], 9);
}

#[test]
fn a_runner_that_is_killed_is_swept_before_anything_new_starts() {
    let world = world("setsid sleep 1000 & echo \"child $!\"; echo ready; exec sleep 1000");
    let first = start(&world);
    said(&world, "agent_001", "ready");
    let child = pid_said(&world, "agent_001", "child ");
    send(
        pid_of(&note(&world, "agent_001")["runner"]["pid"]),
        Signal::KILL,
    );
    until("its lock is free", || {
        is_free(&world, "agent_001").then_some(())
    });
    let own = pid_of(&first["pid"]);
    assert!(!is_over(own) && !is_over(child));
    let second = world.mcell("agent start agent_001 --json").ok();
    assert!(is_over(own) && is_over(child));
    second.says("2 of its processes were left");
    let second: Value = note(&world, "agent_001");
    assert!(second["incarnation"].as_u64() > first["incarnation"].as_u64());
    assert!(!is_over(pid_of(&second["pid"])));
}

#[test]
fn of_many_who_start_an_agent_one_does() {
    let world = world("echo \"pid $$\"; exec sleep 1000");
    let pids: Vec<Value> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| start(&world))).collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap()["pid"].clone())
            .collect()
    });
    said(&world, "agent_001", "pid ");
    assert!(pids.iter().all(|pid| pid == &pids[0]), "{pids:?}");
    assert_eq!(log(&world, "agent_001").lines().count(), 1);
}

#[test]
fn a_start_that_cannot_be_is_refused_and_changes_nothing() {
    let world = world("exec sleep 1000");
    let refused = |told: &str| {
        world.mcell("agent start agent_001").code(5).says(told);
        assert!(!world.cell().join(".mcell/run/agent_001.json").exists());
    };
    world.mcell("agent pause agent_001").ok();
    refused("agent_001 is paused");
    world.mcell("agent resume agent_001").ok();
    world.mcell("cell pause").ok();
    refused("the cell is paused");
    world.mcell("cell resume").ok();
    world.mcell("isolation set level_1").ok();
    refused("cannot enforce yet");
    world.mcell("isolation set none").ok();
    std::fs::write(world.cell().join(".mcell/host"), r#"{"host": "elsewhere"}"#).unwrap();
    refused("at home on elsewhere");
    std::fs::remove_file(world.cell().join(".mcell/host")).unwrap();
    let mode = |mode| {
        use std::os::unix::fs::PermissionsExt;
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(world.cell().join("agents/agent_001.json"), rights).unwrap();
    };
    mode(0o666);
    refused("everybody may write it");
    mode(0o640);
    world.mcell("agent set agent_001 run.cwd=/nowhere").ok();
    refused("there is no folder /nowhere");
    world.mcell("add-agent --role read").ok();
    world
        .mcell("agent start agent_002")
        .code(5)
        .says("agent_002 has no command");
}

#[test]
fn a_program_that_cannot_be_run_leaves_the_agent_unwanted() {
    let world = world("exec sleep 1000");
    let program = world.place().join("work.sh");
    std::fs::write(&program, "no program").unwrap();
    let run = format!(r#"run={{"command": ["{}"]}}"#, program.display());
    world.run(["agent", "set", "agent_001", &run]).ok();
    world
        .mcell("agent start agent_001")
        .code(5)
        .says("work.sh: permission denied");
    let state = std::fs::read_to_string(world.cell().join(".mcell/agents/agent_001.json")).unwrap();
    assert!(state.contains(r#""wanted": "stopped""#), "{state}");
    assert!(is_free(&world, "agent_001"));
}

#[test]
fn an_agent_that_runs_is_not_removed() {
    let world = world("exec sleep 1000");
    start(&world);
    world
        .mcell("agent remove agent_001 --yes")
        .code(5)
        .says("agent_001 runs");
    world.mcell("agent stop agent_001").ok();
    world.mcell("agent remove agent_001 --yes").ok();
}

#[test]
fn the_task_of_an_agent_that_is_stopped_is_free_again() {
    let world = world("echo ready; exec sleep 1000");
    world.mcell("add-task 'Code Review'").ok();
    start(&world);
    world.mcell("task claim task_001 --as agent_001").ok();
    world
        .mcell("agent stop agent_001")
        .ok()
        .says("task_001 is free again: agent_001 was stopped");
    world
        .mcell("task show task_001 --json")
        .ok()
        .shows(r#""status": "pending""#);
}

#[test]
fn a_restart_is_another_life_with_its_task_and_its_newest_good_checkpoint() {
    let world = world("echo \"from $MCELL_CHECKPOINT holding $MCELL_CLAIM\"; exec sleep 1000");
    world.mcell("add-task 'Code Review'").ok();
    let first = start(&world);
    said(&world, "agent_001", "from  holding ");
    let claim = world
        .mcell("task claim task_001 --as agent_001 --json")
        .ok()
        .json();
    let old = claim["claim"]["token"].as_u64().unwrap();
    for text in ["one", "two"] {
        let context = world.place().join("context.json");
        std::fs::write(&context, format!(r#"{{"at": "{text}"}}"#)).unwrap();
        world
            .run([
                "checkpoint",
                "save",
                "agent_001",
                "--context",
                context.to_str().unwrap(),
            ])
            .ok();
    }
    // The newest one is broken: the older one counts, and that is said.
    let broken = world
        .cell()
        .join(".mcell/checkpoints/agent_001/2/context.json");
    std::fs::write(broken, "{}").unwrap();
    world
        .mcell("agent restart agent_001")
        .ok()
        .shows("from checkpoint 1")
        .shows("checkpoint 2 is not what was saved");
    let claim = said(
        &world,
        "agent_001",
        &format!(
            "from {}/.mcell/checkpoints/agent_001/1 holding task_001:",
            world.cell().display()
        ),
    );
    let new: u64 = claim.parse().unwrap();
    assert!(new > old);
    let second = note(&world, "agent_001");
    assert!(second["incarnation"].as_u64() > first["incarnation"].as_u64());
    // The older life is fenced.
    world
        .mcell(&format!(
            "task complete task_001 --as agent_001 --token {old}"
        ))
        .code(5)
        .says("is not the present one");
    world
        .mcell(&format!(
            "task complete task_001 --as agent_001 --token {new}"
        ))
        .ok();
}

#[test]
fn what_an_agent_saved_stands_in_its_command_or_stops_the_start() {
    let world = World::with_cell("Example Mission");
    let line = "echo \"session $0\"; exec sleep 1000";
    let arguments = ["/bin/sh", "-c", line, "{state.session_id}"];
    world
        .run(
            ["add-agent", "--role", "write", "--"]
                .into_iter()
                .chain(arguments),
        )
        .ok();
    world
        .mcell("agent start agent_001")
        .code(5)
        .says("{state.session_id} stands in its command, and it has no checkpoint");
    let state = world.place().join("state.json");
    let save = |text: &str| {
        std::fs::write(&state, text).unwrap();
        world
            .run([
                "checkpoint",
                "save",
                "agent_001",
                "--state",
                state.to_str().unwrap(),
            ])
            .ok();
    };
    save(r#"{"session_id": "--evil"}"#);
    world
        .mcell("agent start agent_001")
        .code(5)
        .says("begins with `-`");
    save(r#"{"session_id": "s-1"}"#);
    world
        .mcell("agent start agent_001 --dry-run")
        .ok()
        .shows("s-1")
        .shows("from checkpoint 2");
    start(&world);
    said(&world, "agent_001", "session s-1");
}

#[test]
fn a_log_that_is_full_begins_anew_and_the_oldest_goes() {
    let mut world =
        world("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo \"line $i\"; done; exec sleep 1000");
    let config = world.place().join("config.json");
    std::fs::write(&config, r#"{"logs": {"max_size": "10KB", "keep": 2}}"#).unwrap();
    world.set("MCELL_CONFIG", config);
    start(&world);
    said(&world, "agent_001", "line 3000");
    let file = |end: &str| world.cell().join(format!("logs/agent_001.log{end}"));
    for end in ["", ".1", ".2"] {
        let size = std::fs::metadata(file(end)).unwrap().len();
        assert!(size <= 10_240, "{end}: {size}");
    }
    assert!(!file(".3").exists());
    let last: String = (2001..=3000)
        .map(|number| format!("line {number}\n"))
        .collect();
    world
        .mcell("agent log agent_001 -n 1000")
        .ok()
        .prints(&last);
}

#[test]
fn the_agents_of_a_mission_that_is_over_are_named_and_stopped_where_that_is_asked_for() {
    let world = world("exec sleep 1000");
    world.mcell("agent start agent_001").ok();
    let pid = pid(&world, "agent_001");
    world
        .mcell("cell complete")
        .ok()
        .shows("agent_001 runs on: `mcell agent stop agent_001` ends it");
    assert!(!is_over(pid));
    world
        .mcell("cell complete --stop")
        .ok()
        .shows("agent_001 is stopped");
    assert!(is_over(pid));
}

#[test]
fn a_cell_is_not_removed_under_its_agents() {
    let world = world("exec sleep 1000");
    world.mcell("agent start agent_001").ok();
    let pid = pid(&world, "agent_001");
    world
        .run(["cell", "remove", "Example Mission", "--yes"])
        .code(5)
        .says("agent_001 runs in it")
        .says("--stop");
    assert!(world.cell().is_dir() && !is_over(pid));
    world
        .run(["cell", "remove", "Example Mission", "--yes", "--stop"])
        .ok();
    assert!(is_over(pid));
}

#[test]
fn without_its_runner_beside_it_mcell_is_the_runner_itself() {
    let world = world("exec sleep 1000");
    let alone = world.place().join("mcell");
    std::fs::copy(crate::world::MCELL, &alone).unwrap();
    let start = format!("'{}' agent start agent_001", alone.display());
    world.shell(&start).ok().shows("agent_001 runs: pid");
    world.mcell("health").ok().shows("its process lives");
    world
        .mcell("agent stop agent_001")
        .ok()
        .shows("agent_001 has ended: SIGTERM");
}

#[test]
fn an_agent_saves_its_state_before_it_is_stopped_if_it_can_and_a_failure_holds_nobody_up() {
    let world = world("exec sleep 1000");
    let saves =
        r#"run.checkpoint=["/bin/sh", "-c", "echo $MCELL_AGENT > \"$MCELL_CELL_DIR/saved\""]"#;
    world.run(["agent", "set", "agent_001", saves]).ok();
    world.mcell("agent start agent_001").ok();
    world.mcell("agent restart agent_001").ok();
    let saved = world.cell().join("saved");
    assert_eq!(std::fs::read_to_string(&saved).unwrap(), "agent_001\n");
    let fails = r#"run.checkpoint=["/bin/sh", "-c", "exit 3"]"#;
    world.run(["agent", "set", "agent_001", fails]).ok();
    world.mcell("agent restart agent_001").ok();
    world
        .mcell("agent stop agent_001")
        .ok()
        .shows("agent_001 has ended: SIGTERM")
        .says("did not save its state before it was stopped: exit 3");
    world
        .mcell("journal show")
        .ok()
        .shows("did not save its state");
}
