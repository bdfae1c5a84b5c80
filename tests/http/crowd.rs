//! Many at once, and few descriptors.

use super::daemon::Daemon;
use super::wire::Wire;
use crate::world::{MCELL, World, lacks, require};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

const BEAT: &str = "POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";

/// Whether this process may have so many descriptors.
fn may_open(files: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= files);
    if !is_enough(limit.current) && is_enough(limit.maximum) {
        let current = Some(files);
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
    }
    is_enough(getrlimit(Resource::Nofile).current)
        || lacks(
            "descriptors",
            &format!("a process may not have {files} descriptors here"),
        )
}

/// One beat over a connection of its own, and how long it took.
fn beat(daemon: &Daemon) -> Duration {
    let begun = Instant::now();
    let mut wire = Wire::call(daemon.address());
    wire.send(BEAT);
    let answer = wire.answer();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    begun.elapsed()
}

/// Waits until the listener has let go of each of them.
fn all_end(crowd: Vec<TcpStream>, within: Duration) {
    let begun = Instant::now();
    for mut one in crowd {
        one.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // An end or a reset, behind whatever was answered before; what is still open would time out.
        let ended = std::io::copy(&mut one, &mut std::io::sink());
        let is_open = ended.as_ref().is_err_and(|error| {
            let kind = error.kind();
            matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
        });
        assert!(!is_open, "{ended:?}");
    }
    let lasted = begun.elapsed();
    assert!(lasted < within, "{lasted:?}");
}

fn half_open(daemon: &Daemon, number: usize, half: &str) -> Vec<TcpStream> {
    use std::io::Write;
    let open = (0..number).map(|_| {
        let mut stream = TcpStream::connect(daemon.address()).unwrap();
        // One that was thrown out meanwhile may be gone.
        let _ = stream.write_all(half.as_bytes());
        stream
    });
    open.collect()
}

#[test]
fn five_thousand_half_requests_keep_nobody_from_beating() {
    if !may_open(5200) {
        return;
    }
    let mut daemon = Daemon::start();
    let halves = [
        String::new(),
        String::from("GET /health HTTP/1.1\r\nHost: loc"),
        String::from(
            "POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n{",
        ),
        format!("{BEAT}POST /heart"),
    ];
    for half in halves {
        let crowd = half_open(&daemon, 5000, &half);
        for _ in 0..20 {
            let took = beat(&daemon);
            // After five seconds the crowd is let go: who is kept waiting by it waits longer.
            assert!(took < Duration::from_secs(4), "{took:?} among {half:?}");
        }
        all_end(crowd, Duration::from_secs(10));
        let most = daemon.most_memory();
        assert!(most <= 64, "{most} MiB after {half:?}");
    }
    assert!(daemon.is_alive());
    assert!(daemon.descriptors() < 100);
}

#[test]
fn with_few_descriptors_and_many_connections_it_recovers_by_itself() {
    if !require("prlimit") {
        return;
    }
    let world = World::with_cell("Example Mission");
    let mut few = world.command("prlimit");
    few.args(["--nofile=64:64", MCELL]);
    let mut daemon = Daemon::start_by(world, few);
    let crowd = half_open(&daemon, 400, "");
    // Also while they are all there.
    beat(&daemon);
    let before = daemon.worked();
    all_end(crowd, Duration::from_secs(20));
    let took = beat(&daemon);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let worked = daemon.worked() - before;
    assert!(worked < Duration::from_secs(3), "it spins: {worked:?}");
    assert!(daemon.is_alive() && daemon.descriptors() <= 64);
}

#[test]
fn one_who_does_not_read_an_answer_keeps_nobody_from_theirs() {
    let daemon = Daemon::start();
    let mut wire = Wire::call(daemon.address());
    let ask = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    wire.send(ask.repeat(2000));
    for _ in 0..20 {
        beat(&daemon);
    }
}
