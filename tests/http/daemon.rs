//! A daemon of a throw-away root, for as long as a test needs it.

use crate::world::{MCELL, World};
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to begin, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon at work.
pub(super) struct Daemon {
    pub(super) world: World,
    child: Child,
    address: SocketAddr,
}

impl Daemon {
    /// One that listens on a free port of loopback.
    pub(super) fn start() -> Self {
        let world = World::with_cell("Example Mission");
        let command = world.command(MCELL);
        Daemon::start_by(world, command)
    }

    /// The same, started by a command that ends in the program: `prlimit … mcell`.
    pub(super) fn start_by(world: World, mut command: Command) -> Self {
        let log = File::create(world.place().join("daemon.out")).unwrap();
        let child = command
            .args(["daemon", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut daemon = Daemon {
            world,
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        daemon.address = daemon.wait();
        daemon
    }

    /// Waits until it has swept once, and gives where it listens.
    fn wait(&mut self) -> SocketAddr {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the daemon ended with {status}: {}", self.said());
            }
            let text = std::fs::read_to_string(self.file("daemon.json")).unwrap_or_default();
            let about: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let is_ours = about["pid"] == self.child.id() && !about["last_sweep"].is_null();
            if let (true, Some(url)) = (is_ours, about["url"].as_str()) {
                return url.trim_start_matches("http://").parse().unwrap();
            }
            std::thread::yield_now();
        }
        panic!("the daemon does not begin: {}", self.said());
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A file of the root's own.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.world.root().join(".mcell").join(name)
    }

    /// What it said so far.
    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(self.world.place().join("daemon.out")).unwrap_or_default()
    }

    /// The largest that its memory has been, in MiB.
    pub(super) fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    }

    /// How many descriptors it has open.
    pub(super) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .unwrap()
            .count()
    }

    /// The processor time that its threads have used.
    pub(super) fn worked(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let used = threads.map(|thread| {
            let file = thread.unwrap().path().join("schedstat");
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let used = text
                .split_whitespace()
                .next()
                .and_then(|used| used.parse().ok());
            Duration::from_nanos(used.unwrap_or(0))
        });
        used.sum()
    }

    pub(super) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
