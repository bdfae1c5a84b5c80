//! Agents after a reboot, on another host, and under a newer mcell than the one that started them.

use crate::alone::{self, LINE, Then, living, requests};
use crate::crew::{add, note, send, world};
use crate::pit::{Daemon, Ours, is_over, until};
use crate::world::{World, require};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;

/// Changes what is noted of a run, as a whole file.
fn change_note(cell: &Path, agent: &str, change: impl FnOnce(&mut Value)) {
    let path = cell.join(format!(".mcell/run/{agent}.json"));
    let mut note = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut note);
    let next = path.with_extension("changed");
    std::fs::write(&next, note.to_string()).unwrap();
    std::fs::rename(next, path).unwrap();
}

fn number(value: &Value) -> i32 {
    i32::try_from(value.as_i64().unwrap()).unwrap()
}

/// Ends an agent with its runner, as the power does.
fn cut_off(world: &World, agent: &str) {
    let note = note(world, agent);
    let all = [number(&note["runner"]["pid"]), number(&note["pid"])];
    all.into_iter().for_each(|pid| send(pid, Signal::KILL));
    until("it is over", || all.into_iter().all(is_over).then_some(()));
}

/// A process that is nobody's agent.
fn bystander(world: &World) -> (Ours, Value) {
    let mut command = world.command("sleep");
    command.arg("1000");
    let process = Ours::start(world, command);
    let pid = i32::try_from(process.pid()).unwrap();
    let seen = mcell::base::process::Process::of(pid).unwrap().unwrap();
    let identity = json!({"pid": seen.pid, "started": seen.started});
    (process, identity)
}

#[test]
fn after_a_reboot_what_was_wanted_is_started_two_at_a_time_and_nothing_is_held() {
    if !require("flock") {
        return;
    }
    let world = world(LINE);
    // A start asks for no policy.
    world.mcell("policy set auto_revive=no").ok();
    let agents: Vec<String> = (1..=6).map(|at| format!("agent_{at:03}")).collect();
    for _ in 1..agents.len() {
        add(&world, LINE);
    }
    let start = ["agent", "start"].into_iter().map(str::to_owned);
    world.run(start.chain(agents.iter().cloned())).ok();
    world.mcell("agent stop agent_006").ok();
    // In the other boot its numbers were what another process's are in this one.
    let (mut bystander, identity) = bystander(&world);
    for agent in &agents {
        if agent != "agent_006" {
            cut_off(&world, agent);
        }
        change_note(&world.cell(), agent, |note| {
            note["boot"] = "the boot before".into();
            note["runner"] = identity.clone();
            note["pid"] = identity["pid"].clone();
            note["started"] = identity["started"].clone();
        });
    }
    let daemon = Daemon::start(&world);
    let root = world.root();
    until("they run, and have proved it", || {
        let run = agents
            .iter()
            .filter(|agent| living(&root, agent).len() == 1);
        let is_over = requests(&root, "open").is_empty();
        (run.count() == 5 && is_over).then_some(())
    });
    daemon.stop();
    for agent in &agents {
        let then = match agent.as_str() {
            "agent_006" => Then::Gone,
            _ => Then::Lives,
        };
        assert_eq!(alone::of_agent(&root, agent, then, None), [""; 0]);
        let state = world.cell().join(format!(".mcell/agents/{agent}.json"));
        let state = std::fs::read_to_string(state).unwrap();
        assert!(!state.contains("\"tries\": 1"), "{state}");
    }
    assert_eq!(alone::of_root(&root), [""; 0]);
    assert!(bystander.ended().is_none());
    let closed = requests(&root, "closed");
    assert!(
        closed.iter().all(|one| one["status"] == "revived"),
        "{closed:?}"
    );
    let journal = std::fs::read_to_string(world.cell().join("logs/journal.jsonl")).unwrap();
    assert!(!journal.contains("is held"), "{journal}");
    let (mut at_a_time, mut most, mut all) = (0, 0, 0);
    for line in journal
        .lines()
        .filter(|line| line.contains("; revival ") || line.contains("runs as pid"))
    {
        at_a_time += if line.contains("runs as pid") { -1 } else { 1 };
        all += i32::from(at_a_time > 0);
        most = most.max(at_a_time);
    }
    assert!(at_a_time == 0 && most <= 2 && all >= 5, "{journal}");
}

#[test]
fn a_tree_on_another_host_is_watched_and_never_revived_until_it_is_taken_over() {
    if !require("flock") {
        return;
    }
    let home = world(LINE);
    home.mcell("agent start agent_001").ok();
    let at_home = number(&note(&home, "agent_001")["pid"]);
    // It is copied while it runs.
    let mut away = World::new();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(home.root().join("."))
        .arg(away.root())
        .status();
    assert!(copied.unwrap().success());
    away.set("MCELL_HOST", "another-host");
    change_note(&away.cell(), "agent_001", |note| {
        note["boot"] = "a boot of the first host".into();
    });
    let daemon = Daemon::start(&away);
    until("it is seen that it does not run here", || {
        let health = away.mcell("health --json").json();
        let mut agents = health["agents"].as_object().unwrap().values();
        agents.any(|one| one["status"] == "unhealthy").then_some(())
    });
    // By hand neither; and the daemon had its time for more than one look.
    away.mcell("revive agent_001")
        .code(5)
        .says("is at home on")
        .says("mcell cell take-over");
    away.mcell("agent start agent_001").code(5);
    away.mcell("add-agent --role write -- /bin/sh").ok();
    until("it has looked at the cell again", || {
        let health = away.mcell("health --json").json();
        (health["total_agents"] == 2).then_some(())
    });
    let root = away.root();
    assert!(living(&root, "agent_001").is_empty());
    assert!(requests(&root, "open").is_empty() && requests(&root, "closed").is_empty());
    away.mcell("cell take-over").ok();
    until("it runs here", || {
        let runs = living(&root, "agent_001").len() == 1;
        (runs && requests(&root, "open").is_empty()).then_some(())
    });
    daemon.stop();
    assert_eq!(alone::flaws(&root, "agent_001", Then::Lives, None), [""; 0]);
    // Nobody laid a hand on it where it is at home.
    assert!(!is_over(at_home));
    assert_eq!(living(&home.root(), "agent_001").len(), 1);
}

#[test]
fn a_newer_daemon_adopts_the_agents_that_an_older_mcell_started() {
    if !require("flock") {
        return;
    }
    let world = world(LINE);
    add(&world, LINE);
    world.mcell("agent start agent_001 agent_002").ok();
    let agents = ["agent_001", "agent_002"];
    let pids = agents.map(|agent| number(&note(&world, agent)["pid"]));
    // It knew less, and something that nobody knows any more.
    for agent in agents {
        change_note(&world.cell(), agent, |note| {
            let note = note.as_object_mut().unwrap();
            note.remove("started_at");
            note.insert(String::from("version"), "0.0.1".into());
            note.insert(String::from("forgotten"), json!({"a": 1}));
        });
        let path = world.cell().join(format!(".mcell/agents/{agent}.json"));
        let state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let older = json!({
            "wanted": "running",
            "incarnation": state["incarnation"],
            "forgotten": true,
        });
        std::fs::write(&path, older.to_string()).unwrap();
    }
    let daemon = Daemon::start(&world);
    world.mcell("health").ok();
    assert!(requests(&world.root(), "open").is_empty());
    assert_eq!(
        agents.map(|agent| number(&note(&world, agent)["pid"])),
        pids
    );
    send(pids[0], Signal::KILL);
    let root = world.root();
    until("it is back", || {
        let is_back = living(&root, "agent_001")
            .iter()
            .any(|one| one.pid != pids[0]);
        (is_back && requests(&root, "open").is_empty()).then_some(())
    });
    assert!(!is_over(pids[1]));
    world.mcell("agent stop agent_002").ok();
    assert!(is_over(pids[1]));
    daemon.stop();
    assert_eq!(alone::flaws(&root, "agent_001", Then::Lives, None), [""; 0]);
    let state = world.cell().join(".mcell/agents/agent_001.json");
    let state = std::fs::read_to_string(state).unwrap();
    assert!(state.contains("forgotten"), "{state}");
}
