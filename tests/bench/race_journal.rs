//! `mcell journal verify` against `sha256sum` of the same bytes, on a journal of 200,000 lines.

use crate::field::Field;
use crate::measure::{self, Runner, in_turn};
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::tools;
use mcell::base::clock::Time;
use mcell::store::journal::{Change, Line, sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES: u64 = 200_000;
/// The bound, in bytes a second, for those to whom the ratio says nothing.
const LEAST: f64 = 150e6;

pub fn race(field: &Field, report: &mut Report) {
    let cell = match long_journal(field) {
        Ok(cell) => cell,
        Err(trouble) => {
            report.pair("journal", "verify", Bound::Shown, Err(trouble));
            return;
        }
    };
    let raced = against_sha256sum(field, &cell);
    if let (Ok(pair), Ok(size)) = (&raced, std::fs::metadata(cell.journal())) {
        let mb = |seconds: f64| size.len() as f64 / seconds / 1e6;
        let (ours, theirs) = (mb(pair.ours), mb(pair.theirs));
        let bound = LEAST / 1e6;
        eprintln!("verify: {ours:.0} MB/s (sha256sum: {theirs:.0} MB/s; {bound:.0} is enough too)");
    }
    report.pair(
        "journal",
        "verify of 200,000 lines, against `sha256sum` of the file",
        Bound::AtMost(2.0),
        raced,
    );
    for (what, arguments) in [
        ("verify, peak memory", ["journal", "verify"].as_slice()),
        (
            "show --since, peak memory",
            &["journal", "show", "--since", "2026-01-02T03:04:05Z"],
        ),
    ] {
        let peak = measure::peak(3, &[0], || cell.mcell(field, arguments));
        report.memory("journal", what, 24.0, peak);
    }
}

/// A cell with a long journal.
struct Cell {
    root: PathBuf,
    path: PathBuf,
}

impl Cell {
    fn journal(&self) -> PathBuf {
        self.path.join("logs/journal.jsonl")
    }

    fn mcell(&self, field: &Field, arguments: &[&str]) -> Command {
        let mut command = tools::mcell(field, &self.root);
        command.arg("-c").arg(&self.path).args(arguments);
        command
    }
}

fn against_sha256sum(field: &Field, cell: &Cell) -> Result<Pair> {
    let theirs = tools::other("sha256sum")?.get_program().to_owned();
    finds_a_change(field, cell)?;
    in_turn(
        field.rounds,
        Runner::new(|| Ok(cell.mcell(field, &["journal", "verify"]))),
        Runner::new(|| {
            let mut sum = Command::new(&theirs);
            sum.arg(cell.journal());
            Ok(sum)
        }),
    )
}

/// Makes a cell, and in it a journal of one claim after the other whose chain is right.
fn long_journal(field: &Field) -> Result<Cell> {
    let root = field.scratch().join("journal");
    std::fs::create_dir_all(&root)?;
    let mut init = tools::mcell(field, &root);
    let id = measure::output(init.args(["init", "-q", "Long Journal"]), &[0])?;
    let path = root.join(String::from_utf8_lossy(&id).trim());
    let cell = Cell { root, path };
    let mut out = std::io::BufWriter::new(std::fs::File::create(cell.journal())?);
    let at = Time::parse("2026-01-02T03:04:05Z").ok_or_else(|| "no time".to_owned())?;
    let mut prev = String::new();
    for number in 0..LINES {
        let text = serde_json::to_string(&claim(number, at.plus(number), prev))
            .map_err(|error| error.to_string())?;
        prev = sha256(text.as_bytes());
        writeln!(out, "{text}")?;
    }
    out.flush()?;
    Ok(cell)
}

fn claim(number: u64, at: Time, prev: String) -> Line {
    let change = |file: String| Change {
        temp: Some(file.replace('/', "/.") + ".4711-0.tmp"),
        trash: None,
        before: Some(sha256(file.as_bytes())),
        after: Some(sha256(prev.as_bytes())),
        file,
    };
    Line {
        at,
        by: "agent_001".to_owned(),
        act: "task claim".to_owned(),
        what: format!("agent_001 claimed task_{number:06}"),
        why: None,
        request: Some(format!("{number:016x}")),
        token: Some(number),
        files: vec![
            change(format!("tasks/task_{number:06}.json")),
            change("agents/agent_001.json".to_owned()),
        ],
        prev,
    }
}

/// A verify that finds nothing would win every race.
fn finds_a_change(field: &Field, cell: &Cell) -> Result<()> {
    let whole = std::fs::read(cell.journal())?;
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    let digit = changed
        .iter()
        .skip(middle)
        .position(|byte| *byte == b'7')
        .ok_or_else(|| Trouble::Failed("no 7 in the journal".into()))?;
    changed[middle + digit] = b'8';
    write(&cell.journal(), &changed)?;
    let found = measure::timed(&mut cell.mcell(field, &["journal", "verify"]), &[1]);
    write(&cell.journal(), &whole)?;
    found.map(|_| ())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(std::fs::write(path, bytes)?)
}
