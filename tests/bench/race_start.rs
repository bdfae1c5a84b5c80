//! `mcell --version` against a Rust program that does nothing, both timed by hyperfine.

use crate::field::Field;
use crate::measure;
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::tools;
use std::path::Path;

const NOTHING: &str = "fn main() {}\n";

pub fn race(field: &Field, report: &mut Report) {
    report.pair(
        "start",
        "`mcell --version`, against a trivial Rust program",
        Bound::ExtraMs(1.0),
        start(field),
    );
}

fn start(field: &Field) -> Result<Pair> {
    let mut hyperfine = tools::deaf(field, tools::other("hyperfine")?);
    let source = field.scratch().join("nothing.rs");
    std::fs::write(&source, NOTHING)?;
    let nothing = tools::compiled(field, "nothing", &source)?;
    let version = format!(
        "{} --version",
        quoted(Path::new(env!("CARGO_BIN_EXE_mcell")))
    );
    let said = measure::output(tools::bare_mcell(field).arg("--version"), &[0])?;
    if !said.starts_with(b"mcell ") {
        return Err(Trouble::Failed(
            "`mcell --version` does not say `mcell …`".into(),
        ));
    }
    let figures = field.scratch().join("start.json");
    hyperfine.args(["--shell=none", "--style=none", "--warmup=20", "--runs=200"]);
    hyperfine.arg("--export-json").arg(&figures);
    // Each twice and in turn, as everywhere here.
    hyperfine
        .arg(&version)
        .arg(quoted(&nothing))
        .arg(&version)
        .arg(quoted(&nothing));
    measure::timed(&mut hyperfine, &[0])?;
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&figures)?)
        .map_err(|error| format!("hyperfine's figures: {error}"))?;
    let of = |run: usize| figures["results"][run]["median"].as_f64();
    let medians = of(0).zip(of(1)).zip(of(2).zip(of(3)));
    let Some(((ours, theirs), (ours_again, theirs_again))) = medians else {
        return Err(Trouble::Failed("hyperfine gave no medians".into()));
    };
    Ok(Pair {
        ours: f64::midpoint(ours, ours_again),
        theirs: f64::midpoint(theirs, theirs_again),
    })
}

/// hyperfine splits a command into words as a shell would.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}
