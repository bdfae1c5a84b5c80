//! Beats over keep-alive connections, as fast as one client can send them: the daemon against nginx, which only says
//! 200, and against a listener of the first version's kind. The client is wrk.

use crate::field::Field;
use crate::generate::{self, Recipe};
use crate::measure::{self, median};
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::server::Server;
use crate::tools;
use crate::wire::Wire;
use std::path::{Path, PathBuf};

/// Seconds of a round. Short, since what else the machine does should meet both sides alike.
const ROUND: u32 = 2;
const CONNECTIONS: u32 = 32;

pub fn race(field: &Field, report: &mut Report) {
    let nginx = against(field, field.rounds, Server::nginx);
    let (time, cpu) = match nginx {
        Ok((time, cpu)) => (Ok(time), Ok(cpu)),
        Err(trouble) => (Err(trouble.clone()), Err(trouble)),
    };
    report.pair(
        "beats",
        "one keep-alive beat, against nginx `return 200` with 1 worker",
        Bound::AsFast(0.6),
        time,
    );
    report.pair(
        "beats",
        "CPU of the server for it, against the same",
        Bound::AtMost(3.0),
        cpu,
    );
    let asyncio = against(field, field.rounds.min(3), Server::asyncio);
    let what = "against an asyncio listener of the first version's kind";
    report.pair(
        "beats",
        what,
        Bound::AsFast(5.0),
        asyncio.map(|(time, _)| time),
    );
}

/// What a beat took in one round.
struct Round {
    seconds: f64,
    cpu: f64,
    beats: u64,
}

/// Seconds a beat, and seconds of the server's processor a beat.
fn against(
    field: &Field,
    rounds: u32,
    other: fn(&Field) -> Result<Server>,
) -> Result<(Pair, Pair)> {
    tools::other("wrk")?;
    let theirs = other(field)?;
    let ours = Server::daemon(field, &root(field)?, "{}")?;
    round(field, &ours)?;
    round(field, &theirs)?;
    let mut metrics = Wire::to(ours.address());
    let before = accepted(&mut metrics)?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(round(field, &ours)?);
        b.push(round(field, &theirs)?);
    }
    let sent: u64 = a.iter().map(|round| round.beats).sum();
    let heard = accepted(&mut metrics)? - before;
    // wrk does not wait for the last answers.
    if heard < sent || heard > sent + u64::from(CONNECTIONS * rounds) {
        return Err(ours.failed(&format!("{sent} beats were answered, and {heard} accepted")));
    }
    let pair = |of: fn(&Round) -> f64| Pair {
        ours: median(a.iter().map(of).collect()),
        theirs: median(b.iter().map(of).collect()),
    };
    Ok((pair(|round| round.seconds), pair(|round| round.cpu)))
}

/// A root of one cell with ten agents.
fn root(field: &Field) -> Result<PathBuf> {
    let root = field.scratch().join("beats");
    if !root.exists() {
        generate::root(&root, &Recipe::watched(1, 10, 10), 1)?;
    }
    Ok(root)
}

fn round(field: &Field, server: &Server) -> Result<Round> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/bare/beats.lua");
    let mut wrk = tools::deaf(field, tools::other("wrk")?);
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()]);
    wrk.args(["--duration", &format!("{ROUND}s"), "--script"])
        .arg(script);
    wrk.arg(format!("http://{}", server.address()));
    let before = server.spent()?;
    let said = measure::output(&mut wrk, &[0])?;
    let cpu = server.spent()? - before;
    let figures = figures(&String::from_utf8_lossy(&said))?;
    Ok(Round {
        seconds: figures.seconds / figures.requests as f64,
        cpu: cpu.as_secs_f64() / figures.requests as f64,
        beats: figures.requests,
    })
}

/// What wrk counted.
#[derive(Debug, PartialEq, serde::Deserialize)]
struct Figures {
    requests: u64,
    seconds: f64,
    refused: u64,
    failed: u64,
}

/// The last line that wrk says; an answer that is not 200 wins no race.
fn figures(said: &str) -> Result<Figures> {
    let last = said.trim_end().lines().next_back().unwrap_or_default();
    let figures: Figures =
        serde_json::from_str(last).map_err(|error| format!("wrk says {last:?}: {error}"))?;
    if figures.requests == 0 || figures.refused > 0 || figures.failed > 0 {
        return Err(Trouble::Failed(format!(
            "not every beat was answered by 200: {figures:?}"
        )));
    }
    Ok(figures)
}

/// How many beats a daemon has accepted so far.
pub fn accepted(wire: &mut Wire) -> Result<u64> {
    metric(
        &wire.get("/metrics")?,
        r#"mcell_beats_total{result="accepted"}"#,
    )
    .map(|number| number as u64)
}

/// One number of a page of metrics.
pub fn metric(page: &str, series: &str) -> Result<f64> {
    let number = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    number.ok_or_else(|| format!("the metrics lack {series}").into())
}
