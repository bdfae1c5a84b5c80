//! `mcell scan` with an empty page cache: there threads wait for the disk, so more of them than
//! cores are the win. The same pair on a warm cache shows what they cost or bring there.

use crate::field::Field;
use crate::measure::{Runner, in_turn};
use crate::race_scan::{self, ANSWERS};
use crate::report::{Bound, Pair, Report, Result, Trouble};
use std::fs::OpenOptions;
use std::io::Write;

const SWITCH: &str = "/proc/sys/vm/drop_caches";
const ROUNDS: u32 = 3;

pub fn race(field: &Field, report: &mut Report) {
    if let Err(trouble) = race_scan::names_every_open_cell(field) {
        report.pair("cold", "names every open cell", Bound::Shown, Err(trouble));
        return;
    }
    let warm = pair(field, field.rounds, || Ok(()));
    report.pair(
        "cold",
        "scan with a warm cache, against 2 threads",
        Bound::Shown,
        warm,
    );
    let cold = field
        .needs_a_disk(field.root())
        .and_then(|()| pair(field, field.rounds.min(ROUNDS), drop_caches));
    report.pair(
        "cold",
        "scan with a cold cache, against 2 threads",
        Bound::AsFast(2.5),
        cold,
    );
}

/// Scan as it is, against scan with two threads; `before` comes before each run.
fn pair(field: &Field, rounds: u32, before: fn() -> Result<()>) -> Result<Pair> {
    let runner = |threads: Option<&'static str>| {
        Runner::new(move || {
            let mut scan = race_scan::command(field);
            if let Some(threads) = threads {
                scan.env("MCELL_THREADS", threads);
            }
            before()?;
            Ok(scan)
        })
        .answers(ANSWERS)
    };
    in_turn(rounds, runner(None), runner(Some("2")))
}

/// Makes the kernel forget every clean page, folder entry and inode.
fn drop_caches() -> Result<()> {
    let opened = OpenOptions::new().write(true).open(SWITCH);
    let mut switch =
        opened.map_err(|error| Trouble::Skipped(format!("{SWITCH} needs root: {error}")))?;
    // What is not written yet cannot be forgotten.
    rustix::fs::sync();
    switch.write_all(b"3")?;
    Ok(())
}
