//! The daemon is killed after every durable step of a revival, and at random moments: the next one goes on where it was,
//! and one process of each agent lives.

use crate::alone::{self, LINE, Then, living, requests};
use crate::crew::{add, note, send, world};
use crate::curl::report_failures;
use crate::injection::{nothing_wrong, sweep_with};
use crate::pit::{Daemon, Ours, until};
use crate::world::{MCELL, World, lacks, require};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

const AGENT: &str = "agent_001";

/// One step after which the daemon is killed, and how it comes to that.
struct Story {
    step: &'static str,
    /// What the agent does before it is what all of them are.
    begins: &'static str,
    fall: fn(&World, &Daemon),
    then: Then,
}

/// Nothing beforehand.
const PLAIN: &str = "";
/// Its second life ends at once.
const DIES: &str = "if [ -e \"$MCELL_ROOT.one\" ] && [ ! -e \"$MCELL_ROOT.two\" ]; then : >\"$MCELL_ROOT.two\"; exit 1; fi; \
                    : >\"$MCELL_ROOT.one\"; ";
/// Its second life asks for a third at once.
const ASKS: &str = "if [ -e \"$MCELL_ROOT.one\" ] && [ ! -e \"$MCELL_ROOT.two\" ]; then : >\"$MCELL_ROOT.two\"; exit 75; fi; \
                    : >\"$MCELL_ROOT.one\"; ";
/// It asks for another life as soon as it is told to.
const ASKS_WHEN_TOLD: &str = "if [ ! -e \"$MCELL_ROOT.told\" ]; then until [ -e \"$MCELL_ROOT.told\" ]; do sleep 0.02; done; exit 75; fi; ";
/// It is done as soon as it is told to.
const ENDS_WHEN_TOLD: &str = "until [ -e \"$MCELL_ROOT.told\" ]; do sleep 0.02; done; exit 0; ";

const STORIES: &[Story] = &[
    story("fence", PLAIN, dies),
    story("stop", PLAIN, dies),
    story("start", PLAIN, dies),
    story("note", PLAIN, dies),
    story("close", PLAIN, dies),
    // What fell lives, and stands still: the next daemon finds the old life beside a request for a new one.
    story("fence", PLAIN, stands_still),
    story("stop", PLAIN, stands_still),
    story("start", PLAIN, stands_still),
    story("vain", DIES, dies),
    story("withdraw", ASKS, dies),
    story("ask", ASKS_WHEN_TOLD, is_told),
    story("lift", PLAIN, falls_while_held),
    Story {
        then: Then::Gone,
        ..story("finish", ENDS_WHEN_TOLD, is_told)
    },
];

const fn story(step: &'static str, begins: &'static str, fall: fn(&World, &Daemon)) -> Story {
    Story {
        step,
        begins,
        fall,
        then: Then::Lives,
    }
}

fn pid(world: &World) -> i32 {
    i32::try_from(note(world, AGENT)["pid"].as_i64().unwrap()).unwrap()
}

fn dies(world: &World, _: &Daemon) {
    send(pid(world), Signal::KILL);
}

fn stands_still(world: &World, daemon: &Daemon) {
    send(pid(world), Signal::STOP);
    report_failures(&daemon.url(), &world.root(), AGENT);
}

fn is_told(world: &World, _: &Daemon) {
    let file = format!("{}.told", world.root().display());
    std::fs::write(file, "").unwrap();
}

fn falls_while_held(world: &World, _: &Daemon) {
    world.mcell("daemon hold 'the disk is replaced'").ok();
    send(pid(world), Signal::KILL);
    until("it is held", || {
        let open = requests(&world.root(), "open");
        open.iter().any(|one| one["status"] == "held").then_some(())
    });
    world.mcell("daemon release").ok();
}

impl Story {
    /// Lives through it, and gives what is wrong in the end.
    fn pass(&self) -> Vec<String> {
        let mut world = world(&format!("{}{LINE}", self.begins));
        world.mcell("add-task 'Code Review'").ok();
        world.set("MCELL_STOP_AFTER", self.step);
        let mut doomed = Daemon::start(&world);
        world.unset("MCELL_STOP_AFTER");
        world.mcell("agent start agent_001").ok();
        world.mcell("task claim task_001 --as agent_001").ok();
        (self.fall)(&world, &doomed);
        let mut wrong = Vec::new();
        let ended = doomed.wait();
        if ended.signal() != Some(9) {
            wrong.push(format!("the daemon was not killed: {ended}"));
        }
        let daemon = Daemon::start(&world);
        let root = world.root();
        let is_over = || {
            let is_revived = requests(&root, "closed")
                .iter()
                .any(|one| one["status"] == "revived");
            let lives = living(&root, AGENT).len();
            let is_done = match self.then {
                Then::Lives => is_revived && lives == 1,
                Then::Gone => lives == 0,
            };
            (is_done && requests(&root, "open").is_empty()).then_some(())
        };
        until(&format!("{} is over", self.step), is_over);
        daemon.stop();
        // What was held by one that is done is free with the next command that writes.
        for line in ["add-task After", "journal verify", "validate"] {
            let outcome = world.mcell(line);
            if outcome.code != 0 {
                wrong.push(format!("`{line}`: {}", outcome.out));
            }
        }
        wrong.extend(alone::flaws(&root, AGENT, self.then, Some("task_001")));
        let place = |what| format!("killed after `{}`: {what}", self.step);
        wrong.into_iter().map(place).collect()
    }
}

#[test]
fn a_daemon_killed_after_any_durable_step_of_a_revival_is_gone_on_from() {
    if !cfg!(debug_assertions) {
        lacks("debug assertions", "this build has no stop points");
        return;
    }
    if !require("flock") {
        return;
    }
    // Each waits for a process to have lived for five seconds.
    let wrong = sweep_with(STORIES.len(), STORIES, |_, story| story.pass());
    nothing_wrong(&wrong, STORIES.len());
}

#[test]
fn a_daemon_killed_while_a_request_is_put_in_its_place_leaves_no_second_one() {
    let world = world("exec sleep 1000");
    world.mcell("policy set auto_revive=ask").ok();
    world.mcell("agent start agent_001").ok();
    let state = world.cell().join(".mcell/agents/agent_001.json");
    let before = std::fs::read(&state).unwrap();
    let daemon = Daemon::start(&world);
    send(pid(&world), Signal::KILL);
    let open = || requests(&world.root(), "open");
    until("it waits for an operator", || {
        (open().len() == 1).then_some(())
    });
    daemon.kill();
    // As a killed writer leaves it: the request is in its place, and the agent's state still under its other name.
    let journal = std::fs::read_to_string(world.cell().join("logs/journal.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    let mut files = line["files"].as_array().unwrap().iter();
    let of_state = files.find(|one| one["file"] == ".mcell/agents/agent_001.json");
    let temp = of_state.unwrap()["temp"].as_str().unwrap();
    std::fs::rename(&state, world.cell().join(temp)).unwrap();
    std::fs::write(&state, before).unwrap();
    let first = open().pop().unwrap()["id"].clone();
    let daemon = Daemon::start(&world);
    until("it is seen to", || {
        let state = std::fs::read_to_string(&state).unwrap();
        state.contains("\"revival\"").then_some(())
    });
    // Another agent falls and waits: the daemon had its time to ask again.
    add(&world, "exec sleep 1000");
    world.mcell("agent start agent_002").ok();
    let other = note(&world, "agent_002")["pid"].as_i64().unwrap();
    send(i32::try_from(other).unwrap(), Signal::KILL);
    until("the other one waits", || {
        let mut all = open().into_iter();
        all.find(|one| one["agent_id"] == "agent_002")
    });
    daemon.stop();
    let of_first: Vec<_> = open()
        .into_iter()
        .filter(|one| one["agent_id"] == AGENT)
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(of_first, [first]);
}

/// Numbers that are the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

/// A number that a variable of the test's own may say.
fn knob(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A daemon that nobody waits for: it is killed before it has looked at everything, as often as not.
fn begin(world: &World) -> Ours {
    let mut command = world.command(MCELL);
    command.args(["daemon", "--listen", "127.0.0.1:0"]);
    command.stdout(Stdio::null());
    Ours::start(world, command)
}

/// `MCELL_KILLS=200` kills as often; `MCELL_SEED` is the seed that is printed.
#[test]
fn a_daemon_killed_at_random_moments_while_agents_fall_brings_each_of_them_back_once() {
    if !require("flock") {
        return;
    }
    let kills = knob("MCELL_KILLS", 25);
    let seed = knob("MCELL_SEED", u64::from(std::process::id()));
    println!("MCELL_SEED={seed} MCELL_KILLS={kills}");
    let mut chance = Chance(seed);
    let world = world(LINE);
    world
        .run(["cell", "set", &format!("max_agents={kills}")])
        .ok();
    for _ in 1..kills {
        add(&world, LINE);
    }
    let agents: Vec<String> = (1..=kills).map(|at| format!("agent_{at:03}")).collect();
    let start = ["agent", "start"].into_iter().map(str::to_owned);
    world.run(start.chain(agents.iter().cloned())).ok();
    let mut daemon = begin(&world);
    for agent in &agents {
        let note = note(&world, agent);
        // Of some the runner falls, which leaves a process that is to end before the next one starts.
        let whose = match chance.below(5) {
            0 => &note["runner"]["pid"],
            _ => &note["pid"],
        };
        send(
            i32::try_from(whose.as_i64().unwrap()).unwrap(),
            Signal::KILL,
        );
        let most = if chance.below(4) == 0 { 1000 } else { 150 };
        std::thread::park_timeout(Duration::from_millis(chance.below(most)));
        daemon.signal(Signal::KILL);
        daemon.wait();
        daemon = begin(&world);
    }
    daemon.signal(Signal::KILL);
    daemon.wait();
    let last = Daemon::start(&world);
    let root = world.root();
    // One after the other: the last daemon has whatever the others left.
    for agent in &agents {
        let open = || requests(&root, "open");
        let is_open = || open().iter().any(|one| one["agent_id"] == **agent);
        let stands = || format!("{:?} {:?} {}", living(&root, agent), open(), last.said());
        let end = Instant::now() + Duration::from_secs(120);
        while living(&root, agent).len() != 1 || is_open() {
            assert!(Instant::now() < end, "{agent} is not back: {}", stands());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
    world.mcell("health").ok();
    last.stop();
    let mut wrong = alone::of_root(&root);
    let closed = requests(&root, "closed");
    for agent in &agents {
        wrong.extend(alone::of_agent(&root, agent, Then::Lives, None));
        let revived = closed
            .iter()
            .filter(|one| one["agent_id"] == **agent && one["status"] == "revived");
        // Only the newest hundred are kept.
        let count = revived.count();
        if count != 1 && kills <= 100 {
            wrong.push(format!("{agent} was brought back {count} times"));
        }
    }
    nothing_wrong(&wrong, agents.len());
    world.mcell("journal verify").ok();
    world.mcell("validate").ok();
}
