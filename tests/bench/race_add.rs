//! One durable `mcell add-task`, as a process: against a bare process that does the same
//! durable steps, `git commit`, `sqlite3`, and against eight of itself.

use crate::field::Field;
use crate::measure::{self, Runner, in_turn};
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// One act is short and the disk has moods: more runs than elsewhere.
const RUNS: u32 = 31;
/// Tasks that each adder adds where eight of them run at once.
const EACH: u32 = 16;
const ADDERS: u32 = 8;

pub fn race(field: &Field, report: &mut Report) {
    let what = "one durable add-task, against a bare process with the same steps";
    report.pair("add", what, Bound::AtMost(1.5), against(field, bare));
    report.pair(
        "add",
        "against `git commit` of one file",
        Bound::Faster,
        against(field, git),
    );
    let what = "against one insert by sqlite3, synchronous=FULL, rollback journal";
    report.pair("add", what, Bound::Faster, against(field, sqlite));
    report.pair(
        "add",
        "8 adders on 8 cells, a task, against one adder",
        Bound::AsFast(1.5),
        eight(field),
    );
}

/// Races add-task on a new cell against one of the others, in folders of the same disk.
fn against(field: &Field, other: fn(&Field) -> Result<Runner<'static>>) -> Result<Pair> {
    field.needs_a_disk(field.scratch())?;
    let theirs = other(field)?;
    let root = fresh(field, "add")?;
    let cell = init(field, &root, "one adder")?;
    let mut added = 0;
    let ours = Runner::new(|| {
        added += 1;
        Ok(add(field, &root, &cell, added))
    });
    let pair = in_turn(RUNS, ours, theirs)?;
    expect_tasks(&root, &cell, added)?;
    Ok(pair)
}

fn bare(field: &Field) -> Result<Runner<'static>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/bare/durable.rs");
    let program = tools::compiled(field, "durable", &source)?;
    let folder = fresh(field, "bare")?;
    let (tasks, journal) = (folder.join("tasks"), folder.join("journal.jsonl"));
    std::fs::create_dir(&tasks)?;
    std::fs::write(&journal, "")?;
    let mut added = 0;
    Ok(Runner::new(move || {
        added += 1;
        let mut durable = Command::new(&program);
        durable
            .arg(&tasks)
            .arg(format!("task_{added:03}.json"))
            .arg(&journal);
        Ok(durable)
    }))
}

/// Staging is not timed: only the commit is.
fn git(field: &Field) -> Result<Runner<'static>> {
    let program = tools::other("git")?.get_program().to_owned();
    let folder = fresh(field, "git")?;
    let git = move |words: &[&str]| {
        let mut git = Command::new(&program);
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("GIT_") {
                git.env_remove(key);
            }
        }
        // Nobody's hooks, signatures or templates.
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        git.args([
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@localhost",
            "-c",
            "gc.auto=0",
        ]);
        git.arg("-C").arg(&folder).args(words);
        git
    };
    measure::timed(&mut git(&["init", "-q"]), &[0])?;
    let folder = fresh_path(field, "git");
    let mut added = 0;
    Ok(Runner::new(move || {
        added += 1;
        let name = format!("task_{added:03}.json");
        std::fs::write(
            folder.join(&name),
            format!("{{\"task_id\": \"task_{added:03}\"}}\n"),
        )?;
        measure::timed(&mut git(&["add", &name]), &[0])?;
        Ok(git(&["commit", "-q", "-m", &name]))
    }))
}

fn sqlite(field: &Field) -> Result<Runner<'static>> {
    let program = tools::other("sqlite3")?.get_program().to_owned();
    let database = fresh(field, "sqlite")?.join("tasks.db");
    let sqlite = move |words: &str| {
        let mut sqlite = Command::new(&program);
        sqlite
            .args(["-batch", "-init", "/dev/null"])
            .arg(&database)
            .arg(words);
        sqlite
    };
    measure::timed(
        &mut sqlite("CREATE TABLE task (id TEXT PRIMARY KEY, title TEXT NOT NULL)"),
        &[0],
    )?;
    let mut added = 0;
    Ok(Runner::new(move || {
        added += 1;
        let insert = format!("INSERT INTO task VALUES ('task_{added:03}', 'One of many')");
        Ok(sqlite(&format!(
            "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; {insert}"
        )))
    }))
}

/// Seconds a task with eight adders at once, each on its own cell, and with one.
fn eight(field: &Field) -> Result<Pair> {
    field.needs_a_disk(field.scratch())?;
    let root = fresh(field, "eight")?;
    let named = (0..ADDERS).map(|number| init(field, &root, &format!("adder {number}")));
    let cells: Vec<String> = named.collect::<Result<_>>()?;
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    // The first round warms up.
    let rounds = field.rounds.min(5);
    for round in 0..=rounds {
        let first = 2 * round * EACH;
        together.push(adders(field, &root, &cells, first)?);
        alone.push(adders(field, &root, &cells[..1], first + EACH)?);
    }
    expect_tasks(&root, &cells[0], 2 * (rounds + 1) * EACH)?;
    Ok(Pair {
        ours: measure::median(together.split_off(1)),
        theirs: measure::median(alone.split_off(1)),
    })
}

/// Lets one adder a cell add its tasks, one process after the other; gives seconds a task.
fn adders(field: &Field, root: &Path, cells: &[String], first: u32) -> Result<f64> {
    let start = Instant::now();
    let ends: Vec<Result<()>> = std::thread::scope(|scope| {
        let adder = |cell: &String| {
            (1..=EACH).try_for_each(|number| {
                measure::timed(&mut add(field, root, cell, first + number), &[0]).map(drop)
            })
        };
        let started: Vec<_> = cells
            .iter()
            .map(|cell| scope.spawn(move || adder(cell)))
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("an adder"))
            .collect()
    });
    ends.into_iter().collect::<Result<()>>()?;
    Ok(start.elapsed().as_secs_f64() / f64::from(EACH * cells.len() as u32))
}

/// Makes a cell and gives its id.
pub fn init(field: &Field, root: &Path, name: &str) -> Result<String> {
    let said = measure::output(tools::mcell(field, root).args(["init", name, "-q"]), &[0])?;
    let id = String::from_utf8_lossy(&said).trim().to_owned();
    if root.join(&id).join("cell.json").exists() && !id.is_empty() {
        return Ok(id);
    }
    Err(format!("`mcell init -q` said {id:?}, which is no cell of the root").into())
}

pub fn add(field: &Field, root: &Path, cell: &str, number: u32) -> Command {
    let mut add = tools::mcell(field, root);
    add.args([
        "--cell",
        cell,
        "add-task",
        &format!("One of many, number {number}"),
        "-q",
    ]);
    add
}

/// Checks that every add-task that said yes left a task.
fn expect_tasks(root: &Path, cell: &str, wanted: u32) -> Result<()> {
    let entries = root.join(cell).join("tasks").read_dir()?.flatten();
    let found = entries
        .filter(|entry| entry.path().extension().is_some_and(|name| name == "json"))
        .count();
    if found == wanted as usize {
        return Ok(());
    }
    Err(Trouble::Failed(format!(
        "{wanted} tasks were added, {found} are there"
    )))
}

/// A folder of the scratch folder, empty.
pub fn fresh(field: &Field, name: &str) -> Result<PathBuf> {
    let folder = fresh_path(field, name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

fn fresh_path(field: &Field, name: &str) -> PathBuf {
    field.scratch().join(name)
}
