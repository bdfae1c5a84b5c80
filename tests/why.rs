//! Why an agent is as it is, and what happens next.

use crate::pit::Daemon;
use crate::world::World;

fn world() -> World {
    let mut world = World::with_cell("Example Mission");
    world.at_time("2026-01-02T03:00:00Z");
    world
        .mcell("add-agent --role write --gateway gateway_3")
        .ok();
    world
}

#[test]
fn a_silent_agent_is_explained_with_its_numbers_and_what_happens_when() {
    let mut world = world();
    world.mcell("heartbeat agent_001").ok();
    world.at_time("2026-01-02T03:03:34Z");
    let why = world.mcell("why agent_001").ok();
    let why = why
        .shows("health          degraded")
        .shows("because silent for 3 min 34 s, 3 beats missed; dead at 5 min")
        .shows("last 03:00:00, 3 min ago; degraded after 90 s, dead after 5 min; due, since the first one came")
        .shows("notify          not due: its watchdog never pinged")
        .shows("output          not due: `health.output_timeout` is not set")
        .shows("probe           not due: gateway_3 has no address")
        .shows("timeout            300 s      default")
        .shows("next            03:05:00, in 86 s: unhealthy, if it gives no sign before");
    assert!(!why.out.contains("\u{1b}"));
    let seen = world.mcell("why agent_001 --json").ok().json();
    assert_eq!(seen["status"], "degraded");
    assert_eq!(seen["next_at"], "2026-01-02T03:05:00Z");
    assert_eq!(seen["watched"], false);
    world
        .mcell("why agent_001 -q")
        .ok()
        .prints("silent for 3 min 34 s, 3 beats missed; dead at 5 min\n");
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let mut world = world();
    let config = world.home().join("config.json");
    std::fs::write(&config, r#"{"timeout": 200, "health": {"interval": 20}}"#).unwrap();
    world.set("MCELL_CONFIG", &config);
    world
        .mcell("agent set agent_001 health.failure_threshold=5 health.expect=heartbeat")
        .ok();
    let file = config.display().to_string();
    world
        .mcell("why agent_001")
        .ok()
        .shows(&format!("interval           20 s       {file}"))
        .shows(&format!("timeout            200 s      {file}"))
        .shows("failure_threshold  5          agents/agent_001.json")
        .shows("expect             heartbeat  agents/agent_001.json")
        .shows("success_threshold  2          default")
        .shows("due, since `health.expect` names it");
}

#[test]
fn what_is_not_judged_says_how_it_is_judged_again() {
    let world = world();
    world.mcell("agent pause agent_001").ok();
    world
        .mcell("why agent_001")
        .ok()
        .shows("because not judged: it is paused")
        .shows("order           drain: finish what it is at, and begin nothing")
        .shows("nothing until `mcell agent resume");
    world.mcell("agent resume agent_001").ok();
    world.mcell("daemon hold --for 10m 'gateway upgrade'").ok();
    world
        .mcell("why agent_001")
        .ok()
        .shows("held            ada holds all until 03:10: gateway upgrade");
}

#[test]
fn with_a_daemon_the_page_says_what_the_daemon_says() {
    let mut world = world();
    world.unset("MCELL_NOW");
    let _daemon = Daemon::start(&world);
    world
        .mcell("why agent_001")
        .ok()
        .shows("seen            by the daemon, which watches it")
        .says_nothing();
    world.mcell("heartbeat agent_001").ok();
    let seen = world.mcell("why agent_001 --json").ok().json();
    assert_eq!(seen["status"], "healthy", "{seen}");
    assert_eq!(seen["watched"], true);
    // The daemon wrote down its state before that beat.
    let beats = seen["signals"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["signal"] == "heartbeat"));
    let beats = beats.expect("beats");
    assert_eq!(beats["due"], true, "{seen}");
    assert!(beats["silent"].as_u64().is_some_and(|silent| silent < 60));
}

#[test]
fn an_id_of_an_agent_and_of_a_task_means_both_unless_it_is_said() {
    let world = world();
    world.mcell("add-agent alpha --role write").ok();
    world.mcell("add-task Review --id alpha").ok();
    world
        .mcell("why alpha")
        .ok()
        .shows("alpha  Writer, of Example Mission")
        .shows("alpha  Review")
        .says("alpha is an agent and a task");
    let both = world.mcell("why alpha --json").ok().json();
    assert_eq!(both["tasks"][0]["task_id"], "alpha");
    assert_eq!(both["agents"][0]["agent_id"], "alpha");
    let agent = world.mcell("why agent/alpha --json").ok().json();
    assert_eq!(agent["agent_id"], "alpha");
    let task = world.mcell("why task/alpha --json").ok().json();
    assert_eq!(task["task_id"], "alpha");
    let cell = world.cell().file_name().unwrap().display().to_string();
    world
        .mcell(&format!("why {}/agent/alpha", &cell[..8]))
        .ok()
        .hides("Review");
    world
        .mcell("why beta")
        .code(3)
        .says("there is no agent and no task beta");
}
