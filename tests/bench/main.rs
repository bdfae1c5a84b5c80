//! `cargo bench`: mcell against the floor, the first version and other tools.
//!
//! | file | what |
//! |---|---|
//! | `options` | arguments |
//! | `field` | where the races are run: the generated root, the scratch folder |
//! | `generate`, `floor` | the project's own missions root and its own read floor |
//! | `measure`, `report` | two commands in turn, medians, peak memory; the table |
//! | `tools` | mcell with a clean environment, other people's programs, rustc |
//! | `server`, `wire`, `fleet` | servers that are raced, a connection to one, agents that beat |
//! | `race_*`, `cold` | one race each |
//! | `check` | what `cargo test --benches` runs: the yardsticks themselves, on small roots |
//!
//! What each line of the table means stands in docs/performance.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a bench speaks to the terminal, has no callers, and may stop at a broken machine"
)]

mod check;
mod cold;
mod field;
mod fleet;
mod floor;
mod generate;
mod measure;
mod options;
mod race_add;
mod race_backup;
mod race_beats;
mod race_claim;
mod race_fleet;
mod race_journal;
mod race_rest;
mod race_revive;
mod race_scan;
mod race_start;
mod race_sweep;
mod race_validate;
mod report;
mod server;
mod tools;
mod wire;

use clap::Parser;
use field::Field;
use options::{Mode, Options, Race};
use report::{Report, Result};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.mode {
        Some(Mode::Generate(wanted)) => generate::speak(wanted),
        Some(Mode::Floor { root, threads }) => floor::speak(root, *threads),
        // Cargo says `--bench` when it means a bench; without it this is `cargo test --benches`.
        None if !options.bench => check::everything(&options),
        None => race(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the races that were asked for. No, if a bound was missed or a command failed.
fn race(options: &Options) -> Result<bool> {
    let field = Field::prepare(options)?;
    let mut report = Report::default();
    for race in options.races() {
        eprintln!("race: {race:?}");
        match race {
            Race::Scan => race_scan::race(&field, &mut report),
            Race::Validate => race_validate::race(&field, &mut report),
            Race::Start => race_start::race(&field, &mut report),
            Race::Add => race_add::race(&field, &mut report),
            Race::Claim => race_claim::race(&field, &mut report),
            Race::Backup => race_backup::race(&field, &mut report),
            Race::Journal => race_journal::race(&field, &mut report),
            Race::Sweep => race_sweep::race(&field, &mut report),
            Race::Beats => race_beats::race(&field, &mut report),
            Race::Fleet => race_fleet::race(&field, &mut report),
            Race::Rest => race_rest::race(&field, &mut report),
            Race::Revive => race_revive::race(&field, &mut report),
            Race::Cold => cold::race(&field, &mut report),
        }
    }
    let about = field.about();
    println!("{about}\n{}", report.table());
    if let Some(page) = &options.markdown {
        report.write_into(page, &about)?;
    }
    Ok(report.passed())
}
