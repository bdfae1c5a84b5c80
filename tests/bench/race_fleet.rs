//! A fleet of 10,000 agents that beat as they should, and a crowd that holds connections without saying anything.

use crate::field::Field;
use crate::fleet::{Fleet, Replayed};
use crate::generate::{self, Recipe};
use crate::race_beats::accepted;
use crate::report::{Report, Result};
use crate::server::{Server, open_files};
use crate::wire::Wire;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CELLS: usize = 1000;
const AGENTS: usize = 10;
/// Every agent beats once in this time.
const INTERVAL: Duration = Duration::from_secs(30);
/// Connections that send half of a head and no more.
const CROWD: usize = 5000;
/// For how long the crowd is there.
const CROWDED: Duration = Duration::from_secs(10);
/// The daemon ends them after five seconds; before that there are new ones.
const FRESH: Duration = Duration::from_secs(4);
/// MiB that the daemon may have.
const MEMORY: f64 = 64.0;

pub fn race(field: &Field, report: &mut Report) {
    let outcome = replayed(field);
    let of = |figure: fn(&Figures) -> f64| outcome.as_ref().map(figure).map_err(Clone::clone);
    report.share(
        "fleet",
        "10,000 agents beat within 30 s: of one core",
        5.0,
        of(|seen| seen.share),
    );
    let slowest = |of: fn(&Figures) -> Duration| outcome.as_ref().map(of).map_err(Clone::clone);
    report.time(
        "fleet",
        "the slowest answer",
        slowest(|seen| seen.alone.slowest),
    );
    let peak = |of: fn(&Figures) -> u64| outcome.as_ref().map(of).map_err(Clone::clone);
    report.memory("fleet", "peak memory", MEMORY, peak(|seen| seen.peak));
    report.memory(
        "fleet",
        "peak memory with 5,000 half-open connections",
        MEMORY,
        peak(|seen| seen.crowded_peak),
    );
    report.time(
        "fleet",
        "the slowest answer among them",
        slowest(|seen| seen.crowded.slowest),
    );
}

/// What was seen of the daemon.
struct Figures {
    share: f64,
    alone: Replayed,
    peak: u64,
    crowded: Replayed,
    crowded_peak: u64,
}

fn replayed(field: &Field) -> Result<Figures> {
    // The daemon has as many as this process.
    open_files((CROWD + CELLS + 500) as u64)?;
    let root = field.scratch().join("fleet");
    generate::root(&root, &Recipe::watched(CELLS, AGENTS, 5), 2)?;
    let daemon = Server::daemon(field, &root, "{}")?;
    let mut fleet = Fleet::of(&root, daemon.address())?;
    let agents = fleet.agents();
    let pause = INTERVAL / agents as u32;
    let mut wire = Wire::to(daemon.address());

    let (begun, before) = (Instant::now(), daemon.spent()?);
    let alone = fleet.replay(agents, pause)?;
    let share = (daemon.spent()? - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    expect_heard(&daemon, &mut wire, alone.sent)?;
    expect_healthy(&daemon, &mut wire, agents)?;
    let peak = daemon.peak()?;

    let some = agents * CROWDED.as_secs() as usize / INTERVAL.as_secs() as usize;
    let crowded = among(daemon.address(), || fleet.replay(some, pause))?;
    expect_heard(&daemon, &mut wire, alone.sent + crowded.sent)?;
    let crowded_peak = daemon.peak()?;
    Ok(Figures {
        share,
        alone,
        peak,
        crowded,
        crowded_peak,
    })
}

/// No beat is lost, and none counts twice.
pub fn expect_heard(daemon: &Server, wire: &mut Wire, sent: u64) -> Result<()> {
    match accepted(wire)? {
        heard if heard == sent => Ok(()),
        heard => Err(daemon.failed(&format!(
            "{sent} beats were answered by 200, and {heard} accepted"
        ))),
    }
}

pub fn expect_healthy(daemon: &Server, wire: &mut Wire, agents: usize) -> Result<()> {
    let overview: serde_json::Value = serde_json::from_str(&wire.get("/health")?)
        .map_err(|error| format!("GET /health: {error}"))?;
    if overview["healthy"] == agents && overview["total_agents"] == agents {
        return Ok(());
    }
    let counts = [
        "total_agents",
        "healthy",
        "degraded",
        "unhealthy",
        "unknown",
    ];
    let counts = counts.map(|word| format!("{word} {}", overview[word]));
    Err(daemon.failed(&format!(
        "all {agents} beat, but there are: {}",
        counts.join(", ")
    )))
}

/// Does something while a crowd holds connections on which half of a head came.
fn among<T>(address: SocketAddr, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let is_over = AtomicBool::new(false);
    let mut crowd = gather(address)?;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| -> Result<()> {
            let mut since = Instant::now();
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                if since.elapsed() >= FRESH {
                    crowd.clear();
                    crowd = gather(address)?;
                    since = Instant::now();
                }
            }
            Ok(())
        });
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        waiting.join().expect("a crowd")?;
        done
    })
}

fn gather(address: SocketAddr) -> Result<Vec<TcpStream>> {
    let mut crowd = Vec::with_capacity(CROWD);
    for _ in 0..CROWD {
        let mut one = TcpStream::connect(address)?;
        // Where the table is full one of them may be ended before it has said anything.
        let _ = one.write_all(b"POST /heartbeat/a HTTP/1.1\r\nHost: loc");
        crowd.push(one);
    }
    Ok(crowd)
}
