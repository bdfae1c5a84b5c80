//! `mcell scan` over everything: against the floor, in memory, and against the first version.

use crate::field::Field;
use crate::measure::{self, Runner, in_turn};
use crate::report::{Bound, Report, Result, Trouble};
use crate::tools;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

/// A scan that finds problems has done its work.
pub const ANSWERS: &[i32] = &[0, 1];
/// Where the fleet's first version lies: its folder or its driver.py.
const FIRST_VERSION: &str = "MCELL_FIRST_VERSION";

pub fn race(field: &Field, report: &mut Report) {
    if let Err(trouble) = names_every_open_cell(field) {
        // A scan that sees nothing would win every race.
        report.pair("scan", "names every open cell", Bound::Shown, Err(trouble));
        return;
    }
    let floor = in_turn(
        field.rounds,
        ours(field),
        Runner::new(|| tools::floor(field.root(), 2)),
    );
    report.pair(
        "scan",
        "all files, against the read floor with 2 threads",
        Bound::AtMost(1.5),
        floor,
    );
    let peak = measure::peak(3, ANSWERS, || command(field));
    report.memory("scan", "peak memory", 24.0, peak);
    report.pair(
        "scan",
        "against the first version's loader",
        Bound::AsFast(7.0),
        first_version(field),
    );
}

/// The scan that is timed.
pub fn command(field: &Field) -> Command {
    let mut scan = tools::mcell(field, field.root());
    scan.args(["scan", "--json"]);
    scan
}

fn ours(field: &Field) -> Runner<'_> {
    Runner::new(|| Ok(command(field))).answers(ANSWERS)
}

fn first_version(field: &Field) -> Result<crate::report::Pair> {
    let Some(place) = std::env::var_os(FIRST_VERSION).map(PathBuf::from) else {
        return Err(Trouble::Skipped(format!(
            "{FIRST_VERSION} does not name its driver.py"
        )));
    };
    let driver = if place.is_dir() {
        place.join("driver.py")
    } else {
        place
    };
    let theirs = Runner::new(|| {
        let mut python = tools::other("python3")?;
        python.arg(&driver).arg(field.root()).arg("full");
        Ok(python)
    });
    in_turn(field.rounds.min(3), ours(field), theirs.own_clock())
}

/// Checks that the scan's answer holds each cell that is active or paused.
pub fn names_every_open_cell(field: &Field) -> Result<()> {
    let said = measure::output(&mut command(field), ANSWERS)?;
    let said = String::from_utf8_lossy(&said);
    let said: HashSet<&str> = said.split('"').collect();
    for entry in field.root().read_dir()?.flatten() {
        let Ok(text) = std::fs::read(entry.path().join("cell.json")) else {
            continue;
        };
        let Ok(cell) = serde_json::from_slice::<serde_json::Value>(&text) else {
            continue;
        };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if matches!(cell["status"].as_str(), Some("active" | "paused")) && !said.contains(&*name) {
            return Err(format!("`mcell scan --json` says nothing of the cell {name}").into());
        }
    }
    Ok(())
}
