//! A daemon of a test's own, on a port that was free, ended and reaped whatever becomes of the test; and other processes
//! that a test must not leave behind.
//!
//! ```ignore
//! let daemon = Daemon::start(&world);
//! world.mcell("health").ok();
//! daemon.stop();
//! ```

#![allow(
    dead_code,
    reason = "each promise takes of it what it needs, and some machines skip some promises"
)]

use crate::world::{MCELL, World};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take that happens on every machine: a slow one is not a failure.
const DEADLINE: Duration = Duration::from_secs(60);

/// A process of a test's own, killed and reaped when the test is over.
pub(crate) struct Ours {
    child: Child,
    name: String,
    said: PathBuf,
}

impl Ours {
    /// Starts a process; what it says on stderr is shown if it does not behave.
    pub(crate) fn start(world: &World, command: Command) -> Self {
        Ours::start_with(world, command, Stdio::null())
    }

    /// The same with something to read.
    pub(crate) fn start_with(world: &World, mut command: Command, stdin: Stdio) -> Self {
        let name = format!("{command:?}");
        let said = tempfile::Builder::new()
            .prefix("said-")
            .tempfile_in(world.place())
            .expect("a file for what is said");
        let (file, said) = said.keep().expect("the file");
        let child = command
            .stdin(stdin)
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Ours { child, name, said }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process, to take its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What it said on stderr.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process"), signal).expect("a signal that is heard");
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < end,
                "{} does not end; it says:\n{}",
                self.name,
                self.said()
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells whether a process runs no more; one that nobody has reaped yet does not.
pub(crate) fn is_over(pid: i32) -> bool {
    let process = mcell::base::process::Process::of(pid).expect("the system's table");
    !process.is_some_and(mcell::base::process::Process::lives)
}

/// The daemon of a world's root.
pub(crate) struct Daemon {
    process: Ours,
    root: PathBuf,
}

impl Daemon {
    /// Starts it, and waits until it has looked at everything once.
    #[track_caller]
    pub(crate) fn start(world: &World) -> Self {
        Daemon::start_with(world, &[])
    }

    /// The same with more arguments.
    #[track_caller]
    pub(crate) fn start_with(world: &World, arguments: &[&str]) -> Self {
        let mut command = world.command(MCELL);
        command.args(["daemon", "--listen", "127.0.0.1:0"]);
        command.args(arguments).stdout(Stdio::null());
        let mut daemon = Daemon {
            process: Ours::start(world, command),
            root: world.root(),
        };
        let pid = daemon.pid();
        until("the daemon has looked at everything", || {
            if let Some(status) = daemon.process.ended() {
                panic!("the daemon {status}; it says:\n{}", daemon.said());
            }
            let about = daemon.about();
            (about["pid"] == pid && about["last_sweep"].is_string()).then_some(())
        });
        daemon
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it says of itself; null as long as it has not.
    pub(crate) fn about(&self) -> Value {
        let file = self.root.join(".mcell/daemon.json");
        let text = std::fs::read(file).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Where it is spoken to over TCP.
    #[track_caller]
    pub(crate) fn url(&self) -> String {
        let about = self.about();
        let url = about["url"].as_str().expect("a daemon that listens");
        url.trim_end_matches('/').to_owned()
    }

    /// Where it is spoken to by file.
    pub(crate) fn socket(&self) -> PathBuf {
        self.root.join(".mcell/agents.sock")
    }

    /// What it said.
    pub(crate) fn said(&self) -> String {
        self.process.said()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Stops it in order.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.process.wait();
        assert_eq!(status.code(), Some(0), "it says:\n{}", self.said());
    }

    /// Ends it as a machine that runs out of memory would.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.process.wait();
    }
}

/// Waits until something is so, and gives it.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Holds the lock of an agent in a cell, as its runner does for as long as the agent lives.
pub(crate) struct Life {
    lock: File,
    note: PathBuf,
    incarnation: u64,
}

impl Life {
    /// Takes it, and notes which life it is.
    pub(crate) fn of(cell: &Path, agent: &str, incarnation: u64) -> Self {
        let run = cell.join(".mcell/run");
        std::fs::create_dir_all(&run).expect("a folder for runs");
        let lock = File::create(run.join(format!("{agent}.lock"))).expect("a lock");
        lock.lock().expect("the lock");
        let life = Life {
            lock,
            note: run.join(format!("{agent}.json")),
            incarnation,
        };
        life.write(&serde_json::json!({ "incarnation": incarnation }));
        life
    }

    /// Notes which process it is.
    pub(crate) fn runs_as(&self, pid: u32) {
        self.write(&serde_json::json!({ "incarnation": self.incarnation, "pid": pid }));
    }

    fn write(&self, note: &Value) {
        // Replaced whole: the daemon reads it at any moment.
        let next = self.note.with_extension("next");
        std::fs::write(&next, note.to_string()).expect("a note");
        std::fs::rename(next, &self.note).expect("the note");
    }

    /// It ends.
    pub(crate) fn end(self) {
        drop(self.lock);
    }
}

/// Says whether mcell is to keep an agent running.
pub(crate) fn want(cell: &Path, agent: &str, word: &str) {
    let states = cell.join(".mcell/agents");
    std::fs::create_dir_all(&states).expect("a folder for states");
    let text = serde_json::json!({ "wanted": word }).to_string();
    std::fs::write(states.join(format!("{agent}.json")), text).expect("a state");
}

#[test]
fn a_daemon_of_a_test_is_ended_in_order_or_at_once() {
    let world = World::with_cell("Example Mission");
    let daemon = Daemon::start(&world);
    world.mcell("daemon status").ok().shows("runs");
    daemon.stop();
    world.mcell("daemon status").code(1).shows("it was stopped");
    Daemon::start(&world).kill();
    world
        .mcell("daemon status")
        .code(1)
        .shows("it was killed, or crashed");
}
