//! Agents that fall and are brought back, by a real daemon and with real processes.

use crate::crew::{add, life, note, pid, send, world};
use crate::pit::{Daemon, is_over, until};
use crate::world::{Outcome, World};
use rustix::process::Signal;
use serde_json::Value;

/// Waits until another life of an agent than this one runs.
pub(crate) fn comes_back(world: &World, agent: &str, before: u64) -> i32 {
    until(&format!("{agent} is back"), || {
        let pid = pid(world, agent);
        let is_new = life(world, agent) > before && pid > 0 && !is_over(pid);
        is_new.then_some(pid)
    })
}

pub(crate) fn revivals(world: &World) -> Vec<Value> {
    let listed = world.mcell("revival list --all --json").ok().json();
    listed["revivals"].as_array().unwrap().clone()
}

/// Waits until a request stands so.
pub(crate) fn stands(world: &World, status: &str) -> Value {
    until(&format!("a request is {status}"), || {
        let mut all = revivals(world).into_iter();
        all.find(|one| one["status"] == status)
    })
}

fn agents_running(world: &World, line: &str) -> usize {
    let out = world.shell(&format!("pgrep -f '{line}' | wc -l")).out;
    out.trim().parse().unwrap()
}

fn start(world: &World) -> Outcome {
    world.mcell("agent start agent_001").ok()
}

#[test]
fn an_agent_that_is_killed_is_seen_and_brought_back_with_its_task() {
    // gastown 3638: staleness was logged, nothing acted on it: 155 hours down.
    let world = world("echo \"claim $MCELL_CLAIM\"; exec sleep 1000");
    world.mcell("add-task 'Code Review'").ok();
    let daemon = Daemon::start(&world);
    start(&world);
    world.mcell("task claim task_001 --as agent_001").ok();
    let (before, old) = (life(&world, "agent_001"), pid(&world, "agent_001"));
    send(old, Signal::KILL);
    comes_back(&world, "agent_001", before);
    assert!(is_over(old));
    let revival = stands(&world, "revived");
    assert_eq!(revival["incarnation"], life(&world, "agent_001"));
    assert!(
        revival["reason"].as_str().unwrap().contains("SIGKILL"),
        "{revival}"
    );
    let task = world.mcell("task show task_001 --json").ok().json();
    assert_eq!(task["status"], "in_progress");
    assert_eq!(task["claim"]["agent"], "agent_001");
    let log = std::fs::read_to_string(world.cell().join("logs/agent_001.log")).unwrap();
    let claim = format!("claim task_001:{}", task["claim"]["token"]);
    assert!(log.lines().any(|line| line == claim), "{log}");
    world.mcell("health").ok().shows("healthy");
    daemon.stop();
}

#[test]
fn a_runner_that_a_daemon_started_and_that_is_over_leaves_no_zombie() {
    let world = world("exec sleep 1000");
    let daemon = Daemon::start(&world);
    start(&world);
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    comes_back(&world, "agent_001", before);
    let runner = note(&world, "agent_001")["runner"]["pid"].as_i64().unwrap();
    let runner = i32::try_from(runner).unwrap();
    let process = || mcell::base::process::Process::of(runner).unwrap();
    let parent = i32::try_from(daemon.pid()).unwrap();
    assert_eq!(process().unwrap().parent, parent);
    world.mcell("agent stop agent_001").ok();
    until("it is reaped", || {
        let is_ours = process().is_some_and(|process| process.parent == parent);
        (!is_ours).then_some(())
    });
    daemon.stop();
}

#[test]
fn a_script_that_ends_with_0_is_finished_and_not_dead() {
    let world = world("echo done");
    world.mcell("add-task 'Code Review'").ok();
    let daemon = Daemon::start(&world);
    start(&world);
    until("it is not wanted any more", || {
        let state = world.cell().join(".mcell/agents/agent_001.json");
        let state = std::fs::read_to_string(state).unwrap();
        state.contains(r#""wanted": "stopped""#).then_some(())
    });
    assert!(revivals(&world).is_empty());
    // And nobody was told that it fell.
    until("it is noted", || {
        let log = world
            .mcell("daemon log -n 100")
            .ok()
            .hides("unhealthy: its");
        log.out.contains("has finished").then_some(())
    });
    world.mcell("health").ok();
    daemon.stop();
}

#[test]
fn an_agent_that_asks_to_be_started_again_is_and_it_counts_as_no_failure() {
    let world = world("[ -e ready ] && exec sleep 1000; touch ready; exit 75");
    let daemon = Daemon::start(&world);
    start(&world);
    let before = life(&world, "agent_001");
    comes_back(&world, "agent_001", before);
    let revival = stands(&world, "revived");
    assert!(
        revival["reason"].as_str().unwrap().contains("exit 75"),
        "{revival}"
    );
    let state = std::fs::read_to_string(world.cell().join(".mcell/agents/agent_001.json")).unwrap();
    assert!(!state.contains("\"is_open\": true"), "{state}");
    daemon.stop();
}

#[test]
fn an_agent_that_says_never_again_waits_for_an_operator() {
    let world = world("[ -e ready ] && exec sleep 1000; touch ready; exit 78");
    let daemon = Daemon::start(&world);
    start(&world);
    let before = life(&world, "agent_001");
    let revival = stands(&world, "pending_approval");
    assert!(
        revival["reason"].as_str().unwrap().contains("exit 78"),
        "{revival}"
    );
    assert_eq!(life(&world, "agent_001"), before);
    // An agent can ask, never answer.
    let id = revival["id"].as_str().unwrap();
    world.mcell(&format!("approve {id} --as agent_001")).code(5);
    world.mcell("approve").ok().shows("is approved");
    comes_back(&world, "agent_001", before);
    stands(&world, "revived");
    world
        .mcell(&format!("approve {id}"))
        .code(5)
        .says("is over: it is revived");
    daemon.stop();
}

#[test]
fn ask_waits_and_a_denial_is_kept() {
    let world = world("exec sleep 1000");
    world.mcell("policy set auto_revive=ask").ok();
    let daemon = Daemon::start(&world);
    start(&world);
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    let id = stands(&world, "pending_approval")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .mcell(&format!("deny {}", &id[..3]))
        .ok()
        .shows("is denied");
    // Another one falls and waits: the daemon had its time to ask again.
    add(&world, "exec sleep 1000");
    world.mcell("agent start agent_002").ok();
    send(pid(&world, "agent_002"), Signal::KILL);
    until("the other one waits", || {
        let all = revivals(&world);
        all.iter()
            .any(|one| one["agent_id"] == "agent_002")
            .then_some(())
    });
    let of_first = revivals(&world)
        .into_iter()
        .filter(|one| one["agent_id"] == "agent_001");
    assert_eq!(of_first.count(), 1);
    assert_eq!(life(&world, "agent_001"), before);
    // An operator may bring it back all the same.
    world
        .mcell("revive agent_001")
        .ok()
        .shows("agent_001 is back");
    daemon.stop();
}

#[test]
fn no_is_said_once_and_the_daemons_own_no_makes_of_yes_an_ask() {
    let world = world("exec sleep 1000");
    world.mcell("policy set auto_revive=no").ok();
    let config = world.place().join("config.json");
    std::fs::write(&config, r#"{"auto_revive": false}"#).unwrap();
    let daemon = Daemon::start_with(&world, &["--config", config.to_str().unwrap()]);
    start(&world);
    send(pid(&world, "agent_001"), Signal::KILL);
    stands(&world, "suppressed");
    world.mcell("policy set auto_revive=yes").ok();
    add(&world, "exec sleep 1000");
    world.mcell("agent start agent_002").ok();
    send(pid(&world, "agent_002"), Signal::KILL);
    stands(&world, "pending_approval");
    assert_eq!(revivals(&world).len(), 2);
    daemon.stop();
}

#[test]
fn an_agent_that_dies_at_once_backs_off_and_that_survives_the_daemon() {
    // gastown 4044: a task that kills its agent: 75 restarts.
    let world = world("exit 1");
    let daemon = Daemon::start(&world);
    start(&world);
    let waits = until("a wait of ten seconds", || {
        let newest = revivals(&world).pop()?;
        let waits = newest["status"] == "pending" && newest["not_before"].is_string();
        waits.then_some(newest)
    });
    assert!(
        waits["why"].as_str().unwrap().contains("ended before"),
        "{waits}"
    );
    let lives = life(&world, "agent_001");
    daemon.kill();
    let daemon = Daemon::start(&world);
    let after = revivals(&world).pop().unwrap();
    assert_eq!(after["id"], waits["id"]);
    assert_eq!(after["status"], "pending");
    assert_eq!(life(&world, "agent_001"), lives);
    world.mcell("revival cancel r").ok().shows("is taken back");
    assert!(revivals(&world).pop().unwrap()["status"] == "cancelled");
    daemon.stop();
}

#[test]
fn agents_outlive_their_daemon_and_what_fell_meanwhile_is_brought_back_by_the_next() {
    let world = world("exec sleep 1000");
    add(&world, "exec sleep 1000");
    let daemon = Daemon::start(&world);
    world.mcell("agent start agent_001 agent_002").ok();
    let before = ["agent_001", "agent_002"].map(|agent| (pid(&world, agent), life(&world, agent)));
    daemon.kill();
    assert!(!is_over(before[0].0) && !is_over(before[1].0));
    send(before[0].0, Signal::KILL);
    let daemon = Daemon::start(&world);
    comes_back(&world, "agent_001", before[0].1);
    assert_eq!(
        (pid(&world, "agent_002"), life(&world, "agent_002")),
        before[1]
    );
    daemon.stop();
}

#[test]
fn a_daemon_killed_at_any_moment_of_a_revival_leaves_one_agent() {
    let marker = format!("1000.{}", std::process::id());
    let world = world(&format!("exec sleep {marker}"));
    let mut daemon = Daemon::start(&world);
    start(&world);
    for round in 0..20_u64 {
        let before = life(&world, "agent_001");
        send(pid(&world, "agent_001"), Signal::KILL);
        // Somewhere between the fall and the new process.
        std::thread::park_timeout(std::time::Duration::from_millis(round * 2));
        daemon.kill();
        // A life that is killed before it has proved anything waits: it is an operator's wish that it be now. It is refused
        // where the agent is back already.
        world.mcell("revive agent_001 --no-wait");
        daemon = Daemon::start(&world);
        comes_back(&world, "agent_001", before);
        // Its shell has to become it first.
        until(&format!("one runs in round {round}"), || {
            let running = agents_running(&world, &format!("^sleep {marker}"));
            assert!(running <= 1, "{running} in round {round}");
            (running == 1).then_some(())
        });
    }
    daemon.stop();
    world.mcell("journal verify").ok();
}

#[test]
fn without_a_daemon_revive_does_it_all_itself() {
    let world = world("exec sleep 1000");
    start(&world);
    let before = life(&world, "agent_001");
    world
        .mcell("revive agent_001")
        .code(5)
        .says("agent_001 is healthy");
    send(pid(&world, "agent_001"), Signal::KILL);
    until("it is over", || {
        let end = note(&world, "agent_001")["end"].is_object();
        end.then_some(())
    });
    world
        .mcell("revive agent_001 --dry-run")
        .ok()
        .shows("agent_001 would run: /bin/sh");
    assert_eq!(life(&world, "agent_001"), before);
    world
        .mcell("revive --failed --reason 'the disk is back'")
        .ok()
        .shows("agent_001 is back")
        .says("no daemon runs");
    assert!(life(&world, "agent_001") > before);
    let id = revivals(&world).pop().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .mcell(&format!("revival show {id}"))
        .ok()
        .shows("revived")
        .shows("the disk is back");
    world.mcell("add-agent --role read").ok();
    world
        .mcell("revive agent_002")
        .code(5)
        .says("has no command");
}

#[test]
fn paused_agents_and_cells_are_left_alone() {
    let world = world("exec sleep 1000");
    let daemon = Daemon::start(&world);
    start(&world);
    let before = life(&world, "agent_001");
    world.mcell("agent pause agent_001").ok();
    send(pid(&world, "agent_001"), Signal::KILL);
    add(&world, "exec sleep 1000");
    world.mcell("agent start agent_002").ok();
    let other = life(&world, "agent_002");
    send(pid(&world, "agent_002"), Signal::KILL);
    comes_back(&world, "agent_002", other);
    assert_eq!(life(&world, "agent_001"), before);
    world.mcell("agent resume agent_001").ok();
    comes_back(&world, "agent_001", before);
    daemon.stop();
}
