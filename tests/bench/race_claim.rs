//! `mcell task claim` and `task complete`, as processes, against a bare process that makes the same files durable.

use crate::field::Field;
use crate::measure::{self, Runner, in_turn};
use crate::race_add::{add, fresh, init};
use crate::report::{Bound, Pair, Report, Result};
use crate::tools;
use std::path::Path;
use std::process::Command;

/// One act is short and the disk has moods: more runs than elsewhere.
const RUNS: u32 = 31;

pub fn race(field: &Field, report: &mut Report) {
    for (verb, what) in [
        (
            Verb::Claim,
            "one task claim, against a bare durable write of the same files",
        ),
        (Verb::Complete, "one task complete, against the same"),
    ] {
        report.pair("claim", what, Bound::AtMost(3.0), against_bare(field, verb));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Claim,
    Complete,
}

/// Races one verb; the other is done in between, and its time is not taken.
fn against_bare(field: &Field, verb: Verb) -> Result<Pair> {
    field.needs_a_disk(field.scratch())?;
    let root = fresh(field, "claim")?;
    let cell = init(field, &root, "claims")?;
    let typed = |words: &[&str]| {
        let mut mcell = tools::mcell(field, &root);
        mcell.args(["--cell", &cell]).args(words);
        mcell
    };
    measure::timed(&mut typed(&["add-agent", "--role", "write", "-q"]), &[0])?;
    let (claim, complete) = (
        |task: &str| typed(&["task", "claim", task, "--as", "agent_001", "-q"]),
        |task: &str| typed(&["task", "complete", task, "--as", "agent_001", "-q"]),
    );
    let mut number = 0;
    let ours = Runner::new(|| {
        let held = format!("task_{number:03}");
        if verb == Verb::Claim && number > 0 {
            measure::timed(&mut complete(&held), &[0])?;
        }
        number += 1;
        let task = format!("task_{number:03}");
        measure::timed(&mut add(field, &root, &cell, number), &[0])?;
        Ok(match verb {
            Verb::Claim => claim(&task),
            Verb::Complete => {
                measure::timed(&mut claim(&task), &[0])?;
                complete(&task)
            }
        })
    });
    in_turn(RUNS, ours, bare(field)?)
}

/// The task, the agent and the counters, each in a folder of its own.
fn bare(field: &Field) -> Result<Runner<'static>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/bare/durable_set.rs");
    let program = tools::compiled(field, "durable_set", &source)?;
    let folder = fresh(field, "bare-claim")?;
    let files = [
        "tasks/task_001.json",
        "agents/agent_001.json",
        ".mcell/fence",
    ]
    .map(|file| folder.join(file));
    for file in &files {
        std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
    }
    let journal = folder.join("journal.jsonl");
    std::fs::write(&journal, "")?;
    Ok(Runner::new(move || {
        let mut durable = Command::new(&program);
        durable.arg(&journal).args(&files);
        Ok(durable)
    }))
}
