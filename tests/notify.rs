//! What agents say by sd_notify, and that they say anything at all, with real processes.

use crate::crew::{life, note, pid, send};
use crate::pit::{Daemon, is_over, until};
use crate::revival::{comes_back, stands};
use crate::world::{World, require};
use mcell::base::ids::AgentId;
use mcell::mission::beat::{Beat, Kind, Says};
use mcell::store::folder::Folder;
use rustix::process::Signal;
use std::path::PathBuf;

/// What every agent here begins with.
const PRELUDE: &str = "
import array, os, socket, subprocess, sys, time
def say(text, **more):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.connect(os.environ['NOTIFY_SOCKET'])
    notify.sendmsg([text.encode() if isinstance(text, str) else text], more.get('files', []))
def is_there(name):
    return os.path.exists(os.path.join(os.environ['MCELL_CELL_DIR'], name))
def wait_for(name):
    while not is_there(name):
        time.sleep(0.01)
";

/// A world with an agent that speaks sd_notify, and does what this says in Python; none where there is no Python.
fn world(id: &str, script: &str) -> Option<World> {
    if !require("python3") {
        return None;
    }
    let world = World::with_cell("Example Mission");
    let script = format!("{PRELUDE}{script}");
    let head = ["add-agent", id, "--role", "write", "--"];
    let command = ["/usr/bin/env", "python3", "-u", "-c", &script];
    world.run(head.into_iter().chain(command)).ok();
    world.run(["agent", "set", id, "run.notify=true"]).ok();
    Some(world)
}

fn start(world: &World, id: &str) {
    world.run(["agent", "start", id]).ok();
}

/// Lets an agent go on that waits for a file of this name.
fn lets(world: &World, name: &str) {
    std::fs::write(world.cell().join(name), "").unwrap();
}

/// The signs of an agent that are on file.
fn signs(world: &World, id: &str) -> Vec<Beat> {
    let cell = Folder::open(&world.cell()).unwrap().unwrap();
    mcell::store::beat::read(&cell, &AgentId::new(id).unwrap()).unwrap()
}

/// Waits for a sign by sd_notify that is so.
fn heard(world: &World, id: &str, what: &str, is_it: impl Fn(&Beat) -> bool) -> Beat {
    until(&format!("{id} is heard: {what}"), || {
        let mut signs = signs(world, id).into_iter();
        signs.find(|sign| sign.kind == Kind::Notify && is_it(sign))
    })
}

fn socket_of(world: &World, id: &str) -> PathBuf {
    world.cell().join(format!(".mcell/run/{id}.notify"))
}

fn runner(world: &World, id: &str) -> i32 {
    i32::try_from(note(world, id)["runner"]["pid"].as_i64().unwrap()).unwrap()
}

fn open_files(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .count()
}

#[test]
fn what_an_agent_or_its_tree_says_is_heard_and_what_others_say_is_not() {
    let script = "
say('STATUS=loads the model')
wait_for('one')
say('READY=1\\nSTATUS=works')
wait_for('two')
subprocess.run([sys.executable, '-c', '''
import os, socket, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ['NOTIFY_SOCKET'])
notify.send(b'WATCHDOG=1')
while not os.path.exists(os.path.join(os.environ['MCELL_CELL_DIR'], 'three')):
    time.sleep(0.01)
'''])
say('STOPPING=1\\nSTATUS=puts its tools away')
time.sleep(1000)
";
    let Some(world) = world("agent_001", script) else {
        return;
    };
    start(&world, "agent_001");
    let words = heard(&world, "agent_001", "words", |sign| sign.status.is_some());
    assert_eq!(words.says, Says::Words);
    // Of the same user, and of another tree.
    let other = std::os::unix::net::UnixDatagram::unbound().unwrap();
    other.connect(socket_of(&world, "agent_001")).unwrap();
    other.send(b"WATCHDOG=1\nSTATUS=forged").unwrap();
    lets(&world, "one");
    let ready = heard(&world, "agent_001", "ready", |sign| {
        sign.status.as_deref() != Some("loads the model")
    });
    assert_eq!(ready.says, Says::Ready, "{ready:?}");
    assert_eq!(ready.status.as_deref(), Some("works"));
    assert_eq!(ready.incarnation, Some(life(&world, "agent_001")));
    lets(&world, "two");
    let ping = heard(&world, "agent_001", "a ping of its child", |sign| {
        sign.says == Says::Lives
    });
    assert!(ping.up > ready.up && ping.quiet_until.is_none(), "{ping:?}");
    lets(&world, "three");
    let end = heard(&world, "agent_001", "its end", |sign| {
        sign.quiet_until.is_some()
    });
    assert_eq!(end.up, ping.up, "to end is no ping");
    world
        .mcell("why agent_001")
        .ok()
        .shows("puts its tools away")
        .shows("announced, until");
    world.mcell("agent stop agent_001").ok();
    assert!(!socket_of(&world, "agent_001").exists());
}

#[test]
fn a_flood_of_rubbish_of_large_messages_and_of_files_harms_nobody() {
    let script = "
wait_for('go')
here = os.open('/', os.O_RDONLY)
files = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [here] * 8))]
for round in range(3000):
    say(b'\\xff\\x00' * 50)
    say('STATUS=' + 'x' * 8000)
    say('WATCHDOG=1\\nSTATUS=' + '\\x01\"' * 2000)
    say('BARRIER=1', files=files)
try:
    say('WATCHDOG=1' + 'x' * 1000000)
except OSError:
    pass
say('READY=1\\nSTATUS=sent')
print('sent')
time.sleep(1000)
";
    let Some(world) = world("agent_001", script) else {
        return;
    };
    start(&world, "agent_001");
    let runner = runner(&world, "agent_001");
    let before = open_files(runner);
    lets(&world, "go");
    heard(&world, "agent_001", "the last of it", |sign| {
        sign.status.as_deref() == Some("sent")
    });
    assert_eq!(open_files(runner), before);
    world.mcell("agent log agent_001").ok().prints("sent\n");
    world
        .mcell("agent stop agent_001")
        .ok()
        .prints("agent_001 has ended: SIGTERM\n");
}

#[test]
fn a_socket_deep_in_the_tree_has_a_path_that_is_short_enough() {
    let id = "a".repeat(128);
    let script = "
say('READY=1')
print(len(os.environ['NOTIFY_SOCKET']) < 108, os.environ['WATCHDOG_USEC'])
time.sleep(1000)
";
    let Some(world) = world(&id, script) else {
        return;
    };
    assert!(socket_of(&world, &id).as_os_str().len() > 108);
    start(&world, &id);
    heard(&world, &id, "that it is ready", |sign| {
        sign.says == Says::Ready
    });
    let log = until("it says where", || {
        let log = world.run(["agent", "log", &id]).ok().out;
        log.ends_with('\n').then_some(log)
    });
    // Twice the 30 seconds between two beats.
    assert_eq!(log, "True 60000000\n");
    world.run(["agent", "stop", &id]).ok();
}

#[test]
fn what_a_killed_runner_left_of_its_socket_is_replaced() {
    let Some(world) = world("agent_001", "say('READY=1')\ntime.sleep(1000)\n") else {
        return;
    };
    start(&world, "agent_001");
    heard(&world, "agent_001", "the first", |sign| {
        sign.says == Says::Ready
    });
    let before = life(&world, "agent_001");
    send(runner(&world, "agent_001"), Signal::KILL);
    until("the runner is gone", || {
        is_over(runner(&world, "agent_001")).then_some(())
    });
    assert!(socket_of(&world, "agent_001").exists());
    start(&world, "agent_001");
    heard(&world, "agent_001", "the second", |sign| {
        sign.incarnation > Some(before)
    });
    world.mcell("agent stop agent_001").ok();
}

#[test]
fn one_that_is_brought_back_is_back_when_it_says_that_it_is_ready() {
    let script = "
if is_there('fallen'):
    wait_for('go')
say('READY=1')
time.sleep(1000)
";
    let Some(world) = world("agent_001", script) else {
        return;
    };
    let daemon = Daemon::start(&world);
    start(&world, "agent_001");
    heard(&world, "agent_001", "that it is ready", |sign| {
        sign.says == Says::Ready
    });
    until("it is healthy", || {
        let health = world.mcell("health agent_001 --json").out;
        health.contains("\"healthy\"").then_some(())
    });
    lets(&world, "fallen");
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    comes_back(&world, "agent_001", before);
    let waits = until("it is waited for", || {
        let why = world.mcell("why agent_001 --json").ok().json();
        let reason = why["reason"].as_str().unwrap_or_default().to_owned();
        // A process alone would have been enough after five seconds.
        (reason.contains("has not said in 6 s") || reason.contains("has not said in 7 s"))
            .then_some(why)
    });
    assert_eq!(waits["status"], "unknown", "{waits}");
    stands(&world, "running");
    lets(&world, "go");
    stands(&world, "revived");
    daemon.stop();
}

#[test]
fn one_whose_watchdog_pings_no_more_is_brought_back() {
    let script = "
say('READY=1')
while not is_there('hangs') or is_there('again'):
    say('WATCHDOG=1')
    time.sleep(0.2)
open(os.path.join(os.environ['MCELL_CELL_DIR'], 'again'), 'w').close()
time.sleep(1000)
";
    let Some(world) = world("agent_001", script) else {
        return;
    };
    world
        .mcell("agent set agent_001 health.interval=1 health.timeout=4")
        .ok();
    let daemon = Daemon::start(&world);
    start(&world, "agent_001");
    until("its pings are heard", || {
        let why = world.mcell("why agent_001").out;
        why.contains("its watchdog pinged").then_some(())
    });
    let before = life(&world, "agent_001");
    lets(&world, "hangs");
    comes_back(&world, "agent_001", before);
    let revival = stands(&world, "revived");
    let reason = revival["reason"].as_str().unwrap();
    assert!(reason.contains("no watchdog ping for"), "{revival}");
    daemon.stop();
}

#[test]
fn a_log_that_grows_is_a_sign_of_life_and_one_that_does_not_is_missed() {
    let script = "
while not is_there('hangs') or is_there('again'):
    print('line')
    time.sleep(0.2)
open(os.path.join(os.environ['MCELL_CELL_DIR'], 'again'), 'w').close()
time.sleep(1000)
";
    let Some(world) = world("agent_001", script) else {
        return;
    };
    world
        .mcell("agent set agent_001 run.notify= health.output_timeout=4")
        .ok();
    let daemon = Daemon::start(&world);
    start(&world, "agent_001");
    until("it is heard", || {
        let why = world.mcell("why agent_001").out;
        why.contains("it wrote to its log").then_some(())
    });
    let before = life(&world, "agent_001");
    lets(&world, "hangs");
    comes_back(&world, "agent_001", before);
    let revival = stands(&world, "revived");
    let reason = revival["reason"].as_str().unwrap();
    assert!(reason.contains("no line in its log for"), "{revival}");
    daemon.stop();
}

#[test]
fn a_runner_whose_agent_says_nothing_does_nothing() {
    let script = "
print('line')
say('READY=1')
print('line')
time.sleep(1000)
";
    let Some(world) = world("agent_001", script) else {
        return;
    };
    world
        .mcell("agent set agent_001 health.output_timeout=10")
        .ok();
    start(&world, "agent_001");
    let runner = runner(&world, "agent_001");
    let switches = || {
        let text = std::fs::read_to_string(format!("/proc/{runner}/status")).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.unwrap().to_owned()
    };
    heard(&world, "agent_001", "that it is ready", |sign| {
        sign.says == Says::Ready
    });
    // What is noted late is noted once: then there is nothing that wakes it.
    until("it stands still for a while", || {
        let before = switches();
        std::thread::park_timeout(std::time::Duration::from_secs(2));
        (before == switches()).then_some(())
    });
    world.mcell("agent stop agent_001").ok();
}
