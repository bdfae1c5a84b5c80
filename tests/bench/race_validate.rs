//! `mcell validate` with every rule: against the floor, jq and check-jsonschema.

use crate::field::Field;
use crate::generate::{self, Recipe};
use crate::measure::{self, Runner, in_turn};
use crate::options::Size;
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::tools;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use walkdir::WalkDir;

pub fn race(field: &Field, report: &mut Report) {
    if let Err(trouble) = finds_every_fault(field) {
        // A validate that finds nothing would win every race.
        report.pair(
            "validate",
            "finds every kind of fault",
            Bound::Shown,
            Err(trouble),
        );
        return;
    }
    let floor = Runner::new(|| tools::floor(field.root(), 2));
    let floor = in_turn(field.rounds, ours(field, field.root(), field.clean), floor);
    report.pair(
        "validate",
        "all rules, against the read floor with 2 threads",
        Bound::AtMost(2.0),
        floor,
    );
    report.pair(
        "validate",
        "against `jq empty` with xargs -P2, same files",
        Bound::AsFast(3.0),
        jq(field),
    );
    let what = "1,000 tasks, against check-jsonschema with our schema";
    report.pair(
        "validate",
        what,
        Bound::AsFast(30.0),
        check_jsonschema(field),
    );
}

fn command(field: &Field, root: &Path) -> Command {
    let mut validate = tools::mcell(field, root);
    validate.args(["validate", "-A", "--all"]);
    validate
}

/// A clean root has no findings: any other exit code there is a failure of the bench.
fn ours<'a>(field: &'a Field, root: &'a Path, clean: bool) -> Runner<'a> {
    Runner::new(move || Ok(command(field, root))).answers(if clean { &[0] } else { &[0, 1] })
}

/// jq only has to parse; it gets its list of files ready-made.
fn jq(field: &Field) -> Result<Pair> {
    let jq = tools::other("jq")?.get_program().to_owned();
    let mut list = Vec::new();
    for file in json_files(field.root()) {
        list.extend_from_slice(file.as_os_str().as_bytes());
        list.push(0);
    }
    let names = field.scratch().join("files");
    std::fs::write(&names, list)?;
    let theirs = Runner::new(|| {
        let mut xargs = tools::other("xargs")?;
        xargs
            .args(["-0", "-P2"])
            .arg(&jq)
            .arg("empty")
            .stdin(File::open(&names)?);
        Ok(xargs)
    });
    in_turn(
        field.rounds.min(3),
        ours(field, field.root(), field.clean),
        theirs,
    )
}

/// Ours validates the whole root with its 1,000 tasks, theirs the tasks alone.
fn check_jsonschema(field: &Field) -> Result<Pair> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/task.json");
    if !schema.exists() {
        return Err(Trouble::Skipped(
            "docs/schema/task.json is not there".into(),
        ));
    }
    tools::other("check-jsonschema")?;
    let root = field.scratch().join("thousand-tasks");
    let size = Size {
        cells: 20,
        agents: 10,
        tasks: 50,
        seed: 1000,
    };
    generate::root(&root, &Recipe::of(size, 0.0), 2)?;
    let tasks = json_files(&root).filter(|file| {
        file.parent()
            .is_some_and(|folder| folder.ends_with("tasks"))
    });
    let tasks: Vec<PathBuf> = tasks.collect();
    let theirs = Runner::new(|| {
        let mut check = tools::other("check-jsonschema")?;
        check.arg("--schemafile").arg(&schema).args(&tasks);
        Ok(check)
    });
    in_turn(field.rounds.min(3), ours(field, &root, true), theirs)
}

/// The files that the floor reads.
fn json_files(root: &Path) -> impl Iterator<Item = PathBuf> {
    let shown = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_bytes().starts_with(b".")
    };
    let entries = WalkDir::new(root)
        .into_iter()
        .filter_entry(shown)
        .filter_map(|entry| entry.ok());
    entries
        .filter(|entry| {
            entry.file_type().is_file()
                && entry.path().extension().is_some_and(|name| name == "json")
        })
        .map(walkdir::DirEntry::into_path)
}

/// Checks that each fault the generator knows makes validate answer no for its cell.
fn finds_every_fault(field: &Field) -> Result<()> {
    let root = field.scratch().join("faults");
    let size = Size {
        cells: 6,
        agents: 4,
        tasks: 10,
        seed: 6,
    };
    let made = generate::root(&root, &Recipe::of(size, 1.0), 1)?;
    for (cell, fault) in &made.faults {
        let mut validate = tools::mcell(field, &root);
        validate.arg("validate").arg(cell);
        measure::timed(&mut validate, &[1]).map_err(|trouble| {
            Trouble::Failed(format!(
                "a cell with `{fault}` was not answered by 1: {trouble}"
            ))
        })?;
    }
    Ok(())
}
