//! The daemon as an operator meets it: one for each root, told by signals, killed at any moment and none the worse.

use crate::curl::http;
use crate::pit::{Daemon, until};
use crate::world::World;
use rustix::process::Signal;
use serde_json::Value;

/// The state of every agent, as the daemon tells it.
fn states(daemon: &Daemon) -> Vec<(String, String)> {
    let health = http(&format!("{}/health", daemon.url()), None);
    let agents = health["agents"].as_object().expect("agents").iter();
    agents
        .map(|(key, agent)| {
            (
                key.clone(),
                agent["status"].as_str().unwrap_or("none").to_owned(),
            )
        })
        .collect()
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, state)| ((*key).to_owned(), (*state).to_owned()))
        .collect()
}

/// A world with three agents, and a config that is impatient.
fn crew() -> World {
    let world = World::with_cell("Example Mission");
    for role in ["lead", "write", "write"] {
        world.run(["add-agent", "--role", role]).ok();
    }
    config(
        &world,
        r#"{"poll_interval": 1, "health": {"interval": 1, "timeout": 3, "grace": 1}}"#,
    );
    world
}

fn config(world: &World, text: &str) {
    let folder = world.home().join(".lazarus");
    std::fs::create_dir_all(&folder).expect("a folder for the config");
    std::fs::write(folder.join("config.json"), text).expect("a config");
}

#[test]
fn the_documented_session_of_the_fleet_works_as_written() {
    let world = crew();
    let daemon = Daemon::start(&world);
    let url = daemon.url();
    let beat = http(
        &format!("{url}/heartbeat/test_agent"),
        Some(r#"{"metadata": {"status": "active"}}"#),
    );
    assert_eq!(
        (beat["status"].as_str(), beat["agent_id"].as_str()),
        (Some("ok"), Some("test_agent"))
    );
    assert!(
        beat["timestamp"].is_f64() && beat["next_heartbeat"] == 1,
        "{beat}"
    );
    let health = http(&format!("{url}/health"), None);
    for field in [
        "timestamp",
        "total_cells",
        "total_agents",
        "healthy",
        "degraded",
        "unhealthy",
        "unknown",
        "cells",
    ] {
        assert!(!health[field].is_null(), "{field} is missing: {health}");
    }
    let agent = &health["agents"]["test_agent"];
    assert_eq!(agent["metadata"]["status"], "active");
    assert_eq!(
        (agent["status"].as_str(), agent["cell_id"].is_null()),
        (Some("healthy"), true)
    );
    daemon.stop();
}

#[test]
fn a_second_daemon_says_who_runs() {
    let world = crew();
    let daemon = Daemon::start(&world);
    let pid = format!("as pid {}", daemon.pid());
    world
        .mcell("daemon --listen 127.0.0.1:0")
        .code(6)
        .says("runs already")
        .says(&pid);
    daemon.stop();
}

#[test]
fn killed_at_any_moment_the_next_one_goes_on_with_the_same_states() {
    let world = crew();
    let daemon = Daemon::start(&world);
    let url = daemon.url();
    http(&format!("{url}/heartbeat/agent_001"), Some("{}"));
    until("agent_001 is unhealthy, and that is on file", || {
        let is_so =
            states(&daemon).contains(&(String::from("agent_001"), String::from("unhealthy")));
        let file =
            std::fs::read_to_string(world.root().join(".mcell/health.json")).unwrap_or_default();
        (is_so && file.contains("\"unhealthy\"")).then_some(())
    });
    let before = until("agent_002 is healthy, and that is on file", || {
        http(&format!("{url}/heartbeat/agent_002"), Some("{}"));
        let file =
            std::fs::read_to_string(world.root().join(".mcell/health.json")).unwrap_or_default();
        file.contains("\"healthy\"").then(|| states(&daemon))
    });
    assert_eq!(
        before,
        of(&[
            ("agent_001", "unhealthy"),
            ("agent_002", "healthy"),
            ("agent_003", "unknown")
        ])
    );
    daemon.kill();
    world.mcell("scan --problems").code(1);
    let daemon = Daemon::start(&world);
    let after = states(&daemon);
    assert_eq!(
        after[0], before[0],
        "what was dead is not well by a restart"
    );
    assert_ne!(
        after[1].1, "unhealthy",
        "what beat in time is not dead by a restart"
    );
    let left: Vec<_> = std::fs::read_dir(world.root().join(".mcell"))
        .expect("the root's own folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "left over: {left:?}");
    daemon.stop();
}

#[test]
fn where_nothing_happens_the_state_is_not_written_again() {
    let world = crew();
    let daemon = Daemon::start(&world);
    let file = world.root().join(".mcell/health.json");
    let written = || {
        let about = std::fs::metadata(&file).expect("the state");
        std::os::unix::fs::MetadataExt::ino(&about)
    };
    let sweep = || {
        let last = daemon.about()["last_sweep"].clone();
        until("another sweep", || {
            (daemon.about()["last_sweep"] != last).then_some(())
        });
    };
    sweep();
    let before = written();
    (0..2).for_each(|_| sweep());
    assert_eq!(written(), before, "a file that says the same");
    http(&format!("{}/heartbeat/agent_001", daemon.url()), Some("{}"));
    until("the beat is on file", || {
        (written() != before).then_some(())
    });
    daemon.stop();
}

#[test]
fn it_is_killed_many_times_and_there_is_always_one() {
    let world = crew();
    for _ in 0..10 {
        let daemon = Daemon::start(&world);
        http(&format!("{}/heartbeat/agent_001", daemon.url()), Some("{}"));
        daemon.kill();
    }
    let daemon = Daemon::start(&world);
    assert_eq!(states(&daemon).len(), 3);
    daemon.stop();
}

#[test]
fn a_config_that_is_bad_is_refused_and_the_old_one_stays() {
    let world = crew();
    let daemon = Daemon::start(&world);
    config(&world, r#"{"poll_interval": "soon"}"#);
    daemon.signal(Signal::HUP);
    until("the bad config is refused", || {
        daemon.said().contains("the old one stays").then_some(())
    });
    config(&world, r#"{"poll_interval": 1, "health": {"interval": 7}}"#);
    world.mcell("daemon reload").ok();
    until("the good one is taken", || {
        let beat = http(&format!("{}/heartbeat/agent_001", daemon.url()), Some("{}"));
        (beat["next_heartbeat"] == 7).then_some(())
    });
    daemon.stop();
}

#[test]
fn a_restart_keeps_the_process_and_what_is_known() {
    let world = crew();
    let daemon = Daemon::start(&world);
    http(
        &format!("{}/heartbeat/agent_001", daemon.url()),
        Some(r#"{"metadata": {"step": 3}}"#),
    );
    world.mcell("daemon restart").ok().shows("restarted");
    let health = http(&format!("{}/health", daemon.url()), None);
    assert_eq!(health["agents"]["agent_001"]["metadata"]["step"], 3);
    world.mcell("daemon stop").ok();
    world.mcell("daemon status").code(1).shows("it was stopped");
    world.mcell("daemon stop").code(1).says("no daemon");
}

#[test]
fn a_lapsed_lease_is_freed_by_the_sweep() {
    let world = crew();
    world.run(["add-task", "Review"]).ok();
    world
        .mcell("task claim task_001 --as agent_002 --lease 1")
        .ok();
    let daemon = Daemon::start(&world);
    until("the task is free again", || {
        world
            .mcell("task show task_001 --json")
            .ok()
            .datum()
            .contains("\"pending\"")
            .then_some(())
    });
    world
        .mcell("log -n 3")
        .ok()
        .shows("daemon")
        .shows("is free again");
    daemon.stop();
}

#[test]
fn a_checkpoint_is_ordered_on_time_and_once() {
    let world = crew();
    world.mcell("policy set checkpoint_interval=2").ok();
    let daemon = Daemon::start(&world);
    let beat =
        || http(&format!("{}/heartbeat/agent_002", daemon.url()), Some("{}"))["orders"].clone();
    assert_eq!(beat(), serde_json::json!([]));
    until("a checkpoint is ordered", || {
        (beat() == serde_json::json!(["checkpoint_now"])).then_some(())
    });
    assert_eq!(beat(), serde_json::json!([]), "it is ordered once");
    world.mcell("agent pause agent_002").ok();
    until("who is paused is told to drain", || {
        (beat() == serde_json::json!(["drain"])).then_some(())
    });
    daemon.stop();
}

#[test]
fn a_hold_is_the_operators_and_outlives_the_daemon() {
    let world = crew();
    world
        .mcell("daemon hold --for 30m 'gateway upgrade'")
        .ok()
        .shows("gateway upgrade");
    let daemon = Daemon::start(&world);
    world.mcell("daemon status").ok().shows("gateway upgrade");
    daemon.kill();
    world
        .mcell("daemon status --json")
        .code(1)
        .shows("gateway upgrade");
    world.mcell("daemon release").ok();
    world.mcell("daemon release").ok().shows("no hold");
    world.mcell("daemon hold nap --as agent_001").code(5);
}

#[test]
fn its_log_is_found_by_the_root_as_words_and_as_json() {
    let world = crew();
    let daemon = Daemon::start(&world);
    http(&format!("{}/heartbeat/agent_001", daemon.url()), Some("{}"));
    until("it says who is healthy", || {
        world
            .mcell("daemon log")
            .ok()
            .datum()
            .contains("agent_001: unknown -> healthy")
            .then_some(())
    });
    let line = world
        .mcell("daemon log --json -n 1")
        .ok()
        .datum()
        .to_owned();
    let line: Value = serde_json::from_str(&line).expect("one object a line");
    assert!(line["at"].is_string() && line["text"].is_string(), "{line}");
    daemon.stop();
}

#[test]
fn gastown_2795_each_incident_is_told_once_also_by_a_daemon_that_is_killed_and_started_again() {
    let world = crew();
    let told = world.place().join("told");
    let script = format!("cat >> '{0}'; echo ---- >> '{0}'", told.display());
    let text = serde_json::json!({
        "poll_interval": 1,
        "health": {"interval": 1, "timeout": 2, "grace": 1},
        "notify_command": ["sh", "-c", script],
    });
    config(&world, &text.to_string());
    let subjects = || {
        let text = std::fs::read_to_string(&told).unwrap_or_default();
        let stories = text
            .split("----\n")
            .filter_map(|story| story.lines().next());
        stories.map(str::to_owned).collect::<Vec<String>>()
    };
    let daemon = Daemon::start(&world);
    http(&format!("{}/heartbeat/agent_001", daemon.url()), Some("{}"));
    until("somebody is told of the silence", || {
        (subjects().len() == 1).then_some(())
    });
    assert!(
        subjects()[0].starts_with("agent_001 of Example Mission is unhealthy: silent for "),
        "{:?}",
        subjects()
    );
    // It comes and goes, and that is the same incident.
    for _ in 0..2 {
        until("it is up again", || {
            http(&format!("{}/heartbeat/agent_001", daemon.url()), Some("{}"));
            states(&daemon)
                .contains(&(String::from("agent_001"), String::from("healthy")))
                .then_some(())
        });
        until("it is down again", || {
            states(&daemon)
                .contains(&(String::from("agent_001"), String::from("unhealthy")))
                .then_some(())
        });
    }
    daemon.kill();
    let daemon = Daemon::start(&world);
    until("somebody is told that nobody watched", || {
        (subjects().len() == 2).then_some(())
    });
    assert!(
        subjects()[1].contains("runs again: the one before was killed or crashed"),
        "{:?}",
        subjects()
    );
    until("it is down still", || {
        states(&daemon)
            .contains(&(String::from("agent_001"), String::from("unhealthy")))
            .then_some(())
    });
    daemon.stop();
    assert_eq!(subjects().len(), 2, "{:?}", subjects());
}
