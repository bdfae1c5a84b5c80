//! A daemon's look over a root in which nothing happened, against `mcell scan` over the same.

use crate::field::Field;
use crate::measure::{self, median};
use crate::race_beats::metric;
use crate::race_scan::{self, ANSWERS};
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::server::Server;
use crate::tools;
use crate::wire::Wire;
use mcell::base::boot::Moment;
use mcell::base::clock::Clock;
use mcell::daemon::tree::{EVERY, Refreshed, Tree};
use std::path::Path;
use std::time::{Duration, Instant};

/// Looks a round: one alone is too short for the clock.
const LOOKS: u32 = 1000;
/// How long a sweep may be waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn race(field: &Field, report: &mut Report) {
    if let Err(trouble) = sees_a_change(field) {
        // A look that sees nothing would win every race.
        report.pair("sweep", "sees a change", Bound::Shown, Err(trouble));
        return;
    }
    report.pair(
        "sweep",
        "a look over the unchanged root, against `mcell scan`",
        Bound::AtMost(0.02),
        unchanged(field),
    );
    report.pair(
        "sweep",
        "a daemon's whole sweep over it, against `mcell scan`",
        Bound::AtMost(0.02),
        whole(field),
    );
    report.pair(
        "sweep",
        "the look that reads everything, against `mcell scan`",
        Bound::AtMost(1.0),
        everything(field),
    );
}

fn unchanged(field: &Field) -> Result<Pair> {
    let mut tree = open(field.root(), EVERY)?;
    look(&mut tree)?;
    in_turn(field, || {
        let start = Instant::now();
        for _ in 0..LOOKS {
            let seen = look(&mut tree)?;
            if seen != Refreshed::default() {
                return Err(format!("a look over an unchanged root gave {seen:?}").into());
            }
        }
        Ok(start.elapsed() / LOOKS)
    })
}

fn everything(field: &Field) -> Result<Pair> {
    // Always due.
    let mut tree = open(field.root(), Duration::ZERO)?;
    in_turn(field, || {
        let start = Instant::now();
        let seen = look(&mut tree)?;
        let taken = start.elapsed();
        if !seen.is_full {
            return Err("a full look was none".to_owned().into());
        }
        Ok(taken)
    })
}

/// Sweeps of a daemon, by its own metrics: it also judges everybody, and writes down what a restart shall find.
fn whole(field: &Field) -> Result<Pair> {
    if !field.clean {
        let why = "no daemon is started on a root that was not generated for this run";
        return Err(Trouble::Skipped(why.into()));
    }
    let daemon = Server::daemon(field, field.root(), r#"{"poll_interval": 1}"#)?;
    let mut wire = Wire::to(daemon.address());
    let pair = in_turn(field, || {
        let (count, _) = sweeps(&mut wire, 0.0)?;
        // The first may have met the scan.
        let (first, before) = sweeps(&mut wire, count)?;
        let (last, after) = sweeps(&mut wire, first)?;
        Ok(Duration::from_secs_f64((after - before) / (last - first)))
    });
    drop(daemon);
    // The races to come find the root as it was.
    std::fs::remove_dir_all(field.root().join(".mcell"))?;
    pair
}

/// How many sweeps there were, and how many seconds they took, as soon as there were more than so many.
fn sweeps(wire: &mut Wire, known: f64) -> Result<(f64, f64)> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let page = wire.get("/metrics")?;
        let count = metric(&page, "mcell_sweep_seconds_count")?;
        if count > known {
            return Ok((count, metric(&page, "mcell_sweep_seconds_sum")?));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("the daemon does not sweep any more".to_owned().into())
}

/// Ours in this process, the scan as a process, in turn; each once before the clock counts.
fn in_turn(field: &Field, mut ours: impl FnMut() -> Result<Duration>) -> Result<Pair> {
    let scan = || measure::timed(&mut race_scan::command(field), ANSWERS);
    ours()?;
    scan()?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..field.rounds {
        a.push(ours()?.as_secs_f64());
        b.push(scan()?.as_secs_f64());
    }
    Ok(Pair {
        ours: median(a),
        theirs: median(b),
    })
}

fn open(root: &Path, every: Duration) -> Result<Tree> {
    Tree::open(root, every).map_err(|error| error.to_string().into())
}

fn look(tree: &mut Tree) -> Result<Refreshed> {
    let now = Moment::now(Clock::System);
    tree.refresh(&now).map_err(|error| error.to_string().into())
}

fn sees_a_change(field: &Field) -> Result<()> {
    let root = field.scratch().join("sweep");
    std::fs::create_dir_all(&root)?;
    let mcell = |arguments: &[&str]| {
        let mut command = tools::mcell(field, &root);
        command.args(arguments);
        measure::output(&mut command, &[0])
    };
    mcell(&["init", "-q", "Watched"])?;
    let mut tree = open(&root, EVERY)?;
    look(&mut tree)?;
    mcell(&["add-agent", "--role", "write"])?;
    let seen = look(&mut tree)?;
    if seen.is_full || seen.changed.len() != 1 || !look(&mut tree)?.changed.is_empty() {
        return Err(format!("of one agent that was added a look saw {seen:?}").into());
    }
    Ok(())
}
