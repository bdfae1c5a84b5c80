//! `mcell drill` breaks what it is told to break, measures what follows, and leaves nothing as it broke it.

use crate::crew::{add, note, world};
use crate::pit::{Daemon, Ours, is_over, until};
use crate::world::{MCELL, World};
use mcell::base::process::Process;
use rustix::process::Signal;
use serde_json::Value;
use std::path::PathBuf;

/// An agent that beats, until it stands still.
const BEATS: &str = "while :; do mcell heartbeat; sleep 0.3; done";
/// One whose beats do not tell how it is: another process sends them.
const BEATS_BESIDE: &str = "mcell heartbeat --every 1s & exec sleep 1000";

fn pid(world: &World) -> i32 {
    i32::try_from(note(world, "agent_001")["pid"].as_i64().unwrap_or(0)).unwrap()
}

/// A daemon that sees silence within seconds, and agent_001 at work.
fn watched(world: &World, more: &str) -> Daemon {
    let config = world.place().join("config.json");
    let health = r#""health": {"interval": 1, "timeout": 3, "grace": 2}"#;
    std::fs::write(
        &config,
        format!(r#"{{"poll_interval": 1, {health}{more}}}"#),
    )
    .unwrap();
    let daemon = Daemon::start_with(world, &["--config", config.to_str().unwrap()]);
    world.mcell("agent start agent_001").ok();
    daemon
}

fn beats(world: &World) {
    until("it beats", || {
        let health = world.mcell("why agent_001 --json").ok().json();
        let signals = health["signals"].as_array().unwrap().clone();
        let heartbeat = signals.iter().find(|one| one["signal"] == "heartbeat")?;
        (heartbeat["due"] == true).then_some(())
    });
}

fn state(world: &World) -> Value {
    let path = world.cell().join(".mcell/agents/agent_001.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A drill beside the test.
fn begin(world: &World, line: &str) -> (Ours, PathBuf) {
    let out = world.place().join("drilled.json");
    let mut command = world.command(MCELL);
    command.args(["--json", "--yes", "drill", "agent_001"]);
    command.args(line.split(' '));
    command.stdout(std::fs::File::create(&out).unwrap());
    let ours = Ours::start(world, command);
    until("the drill began", || {
        (state(world)["drill"]["outcome"].is_null() && state(world)["drill"].is_object())
            .then_some(())
    });
    (ours, out)
}

fn is_stopped(pid: i32) -> bool {
    Process::of(pid)
        .unwrap()
        .is_some_and(|process| process.state == b'T')
}

#[test]
fn a_drill_measures_what_follows_and_counts_for_nothing() {
    let world = world("exec sleep 1000");
    let daemon = watched(&world, "");
    for _ in 0..2 {
        let old = pid(&world);
        let drilled = world.mcell("drill agent_001 --yes --json").ok().json();
        let after = |name: &str| drilled[name].as_f64().unwrap();
        let (noticed, started, verified) = (
            after("noticed_after"),
            after("started_after"),
            after("verified_after"),
        );
        assert!(0.0 <= noticed && noticed <= started, "{drilled}");
        // It has to live for five seconds to prove that it does.
        assert!(started + 4.9 < verified && verified <= 30.0, "{drilled}");
        assert_eq!(drilled["pid"], old);
        assert!(is_over(old));
        assert_eq!(drilled["new_pid"], pid(&world));
        assert_eq!(drilled["met"], true);
        assert_eq!(drilled["mended"], "by_daemon");
        // The same figures stand in the story, but for the moment between the blow and the death.
        let id = drilled["revival"].as_str().unwrap();
        let story = world.mcell(&format!("revival show {id} --json")).ok();
        let story = story.json();
        assert_eq!(story["is_drill"], true);
        let told = story["steps"].as_array().unwrap().last().unwrap()["after"].as_f64();
        assert!((verified - told.unwrap()).abs() < 0.5, "{drilled} {story}");
        // A second one may follow at once: there is no incident.
        assert!(state(&world)["falls"].is_null(), "{}", state(&world));
    }
    let lines = world.mcell("journal show --kind drill").ok();
    lines
        .shows("a drill by ada, SIGKILL: pid ")
        .shows("is over: it was back after ");
    daemon.stop();
}

#[test]
fn an_agent_that_ends_well_when_it_is_asked_to_is_brought_back_all_the_same() {
    // Else it would have finished, and a drill would have ended its work for good.
    let world = world("trap 'exit 0' TERM; sleep 1000 & wait");
    let daemon = watched(&world, "");
    world
        .mcell("drill agent_001 --kill term --yes")
        .ok()
        .shows("was broken by SIGTERM")
        .shows("target 30 s: met")
        .shows("was brought back by the daemon");
    assert_eq!(state(&world)["wanted"], "running");
    daemon.stop();
}

#[test]
fn an_agent_that_stands_still_is_noticed_by_its_silence() {
    let world = world(BEATS);
    let daemon = watched(&world, "");
    beats(&world);
    let old = pid(&world);
    world
        .mcell("drill agent_001 --kill STOP --target 60s --dry-run")
        .ok()
        .shows("noticed by its heartbeat, within 3 s");
    assert!(!is_stopped(old));
    let drilled = world
        .mcell("drill agent_001 --kill STOP --target 60s --yes --json")
        .ok()
        .json();
    assert!(
        drilled["noticed_after"].as_f64().unwrap() > 1.0,
        "{drilled}"
    );
    assert_eq!(drilled["met"], true);
    assert!(is_over(old));
    daemon.stop();
}

#[test]
fn what_nobody_notices_is_missed_and_goes_on() {
    let world = world(BEATS_BESIDE);
    let daemon = watched(&world, "");
    beats(&world);
    let old = pid(&world);
    let drilled = world
        .mcell("drill agent_001 --kill STOP --target 5s --yes --json")
        .code(1)
        .json();
    assert_eq!(drilled["mended"], "continued");
    assert!(drilled["noticed_after"].is_null(), "{drilled}");
    assert_eq!(pid(&world), old);
    assert!(!is_stopped(old) && !is_over(old));
    daemon.stop();
}

#[test]
fn a_drill_that_is_interrupted_leaves_nobody_standing_still() {
    let world = world(BEATS_BESIDE);
    let daemon = watched(&world, "");
    beats(&world);
    let old = pid(&world);
    let (mut drill, _) = begin(&world, "--kill STOP --target 100s");
    until("it stands still", || is_stopped(old).then_some(()));
    drill.signal(Signal::INT);
    assert_eq!(drill.wait().code(), Some(130), "{}", drill.said());
    assert!(!is_stopped(old) && !is_over(old));
    assert_eq!(
        state(&world)["drill"]["outcome"],
        "the drill was interrupted"
    );
    daemon.stop();
}

#[test]
fn too_late_is_missed_also_where_the_agent_comes_back() {
    let world = world("exec sleep 1000");
    let daemon = watched(&world, "");
    let drilled = world
        .mcell("drill agent_001 --target 2s --yes --json")
        .code(1)
        .json();
    assert_eq!(drilled["mended"], "late");
    assert!(drilled["verified_after"].as_f64().unwrap() > 2.0);
    world.mcell("health").ok();
    daemon.stop();
}

#[test]
fn an_agent_that_nobody_brings_back_is_brought_back_by_the_drill() {
    let world = world("trap 'sleep 2; exit 1' TERM; sleep 1000 & wait");
    let daemon = watched(&world, "");
    let old = pid(&world);
    let (mut drill, out) = begin(&world, "--kill TERM --target 4s");
    daemon.kill();
    assert_eq!(drill.wait().code(), Some(1));
    assert!(drill.said().contains("by the drill itself"));
    let drilled: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    assert_eq!(drilled["mended"], "by_drill", "{drilled}");
    assert!(is_over(old) && !is_over(pid(&world)));
    assert_eq!(drilled["new_pid"], pid(&world));
}

#[test]
fn a_signal_that_does_not_end_an_agent_is_a_target_missed() {
    let world = world("trap '' TERM; sleep 1000 & wait");
    let daemon = watched(&world, "");
    let old = pid(&world);
    world
        .mcell("drill agent_001 --kill TERM --target 1s --yes")
        .code(1)
        .shows("the signal did not end it");
    assert_eq!(pid(&world), old);
    daemon.stop();
}

#[test]
fn people_are_told_of_a_drill_as_of_a_drill() {
    let world = world("exec sleep 1000");
    let told = world.place().join("told");
    let line = format!("echo $MCELL_EVENT >> {}", told.display());
    let more = format!(r#", "notify_command": ["/bin/sh", "-c", "{line}"]"#);
    let daemon = watched(&world, &more);
    world.mcell("drill agent_001 --yes").ok();
    let events = || std::fs::read_to_string(&told).unwrap_or_default();
    until("that it is over is told", || {
        events().contains("drill.ended").then_some(())
    });
    let events = events();
    let events: Vec<&str> = events.lines().collect();
    assert_eq!(events, ["drill.began", "drill.ended"]);
    daemon.stop();
}

#[test]
fn who_is_still_down_when_the_drill_is_over_is_told_of_as_down() {
    let world = world("[ -e ran ] && exit 3; touch ran; exec sleep 1000");
    let told = world.place().join("told");
    let line = format!("echo $MCELL_EVENT >> {}", told.display());
    let more = format!(r#", "notify_command": ["/bin/sh", "-c", "{line}"]"#);
    let daemon = watched(&world, &more);
    world
        .mcell("drill agent_001 --target 2s --yes")
        .code(1)
        .shows("is down");
    until("that it is down is told", || {
        let events = std::fs::read_to_string(&told).unwrap_or_default();
        events.contains("agent.unhealthy").then_some(())
    });
    // That it does not come back is its own failure.
    assert_eq!(state(&world)["falls"]["record"]["is_open"], true);
    daemon.stop();
}

#[test]
fn nothing_is_broken_that_nobody_would_bring_back() {
    let world = world("exec sleep 1000");
    let drill = |line: &str| world.mcell(&format!("drill agent_001 --yes {line}"));
    drill("").code(8).says("no daemon of");
    let daemon = Daemon::start(&world);
    drill("").code(5).says("does not run");
    world.mcell("agent start agent_001").ok();
    let old = pid(&world);
    world
        .mcell("drill agent_001")
        .code(2)
        .says("Nobody can be asked here")
        .says("--yes");
    world
        .mcell("drill agent_001 --yes --as agent_001")
        .code(5)
        .says("only an operator");
    world.mcell("policy set auto_revive=ask").ok();
    drill("").code(5).says("auto_revive of its cell is ask");
    world.mcell("policy set auto_revive=yes").ok();
    world.mcell("daemon hold upgrade").ok();
    drill("").code(5).says("mcell daemon release");
    world.mcell("daemon release").ok();
    drill("--kill STOP")
        .code(5)
        .says("watched by its process alone")
        .says("--kill KILL");
    world.mcell("agent pause agent_001").ok();
    drill("").code(5).says("is paused");
    world.mcell("agent resume agent_001").ok();
    world.mcell("cell pause").ok();
    drill("").code(5).says("mcell cell resume");
    world.mcell("cell resume").ok();
    world.mcell("add-agent --role write").ok();
    world
        .mcell("drill agent_002 --yes")
        .code(5)
        .says("has no command");
    world.mcell("drill agent_009 --yes").code(3);
    assert_eq!(pid(&world), old);
    assert!(!is_over(old));
    // A fall of its own is an incident for ten healthy minutes.
    crate::crew::send(old, Signal::KILL);
    until("it is back", || {
        let listed = world.mcell("revival list --all --json").ok().json();
        let all = listed["revivals"].as_array().unwrap().clone();
        all.iter()
            .any(|one| one["status"] == "revived")
            .then_some(())
    });
    drill("").code(5).says("ten minutes");
    daemon.stop();
}

#[test]
fn nothing_is_broken_where_the_daemon_revives_nobody_or_sees_silence_too_late() {
    let world = world(BEATS);
    let config = world.place().join("config.json");
    std::fs::write(&config, r#"{"auto_revive": false}"#).unwrap();
    let daemon = Daemon::start_with(&world, &["--config", config.to_str().unwrap()]);
    world.mcell("agent start agent_001").ok();
    world
        .mcell("drill agent_001 --yes")
        .code(5)
        .says("the daemon's own auto_revive is false");
    std::fs::write(&config, "{}").unwrap();
    beats(&world);
    world
        .mcell("drill agent_001 --kill STOP --yes")
        .code(5)
        .says("is seen by its heartbeat after 5 m")
        .says("--target 600s");
    add(&world, "exec sleep 1000");
    daemon.stop();
}

/// The indented lines beneath a heading of the page.
fn recipe(heading: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/drill.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("## {heading}\n")).unwrap();
    let rest = rest.split("\n## ").next().unwrap();
    let lines = rest.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_line_for_cron_is_silent_while_all_is_well_and_tells_what_is_not() {
    let world = World::with_cell("Example Mission");
    add(&world, "exec sleep 1000");
    let daemon = Daemon::start(&world);
    let line = recipe("From cron");
    let line = line.strip_prefix("17 4 * * 1  ").unwrap();
    let line = line.replace("/var/missions", world.root().to_str().unwrap());
    // It does not run.
    world
        .shell(&line)
        .shows("agent_001")
        .says("does not run")
        .says("agent start agent_001");
    world.mcell("agent start agent_001").ok();
    world.shell(&line).ok().prints("").says_nothing();
    daemon.stop();
}

#[test]
fn the_script_for_ci_is_what_it_says_and_leaves_nothing() {
    let mut world = World::new();
    let temporary = world.place().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    world.set("TMPDIR", &temporary).unset("MCELL_ROOT");
    world.shell(&recipe("In CI")).ok();
    let drilled = std::fs::read(world.home().join("drill.json")).unwrap();
    let drilled: Value = serde_json::from_slice(&drilled).unwrap();
    assert_eq!(drilled["met"], true, "{drilled}");
    assert_eq!(drilled["target"], 30);
    assert!(
        std::fs::read_dir(&temporary).unwrap().next().is_none(),
        "the root is left"
    );
}
