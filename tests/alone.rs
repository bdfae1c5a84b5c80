//! An agent lives once. Tests see that by other means than those of the program: by the variables of each process, and by
//! a lock that the agent itself takes.

use crate::fleet::names;
use crate::pit::is_over;
use crate::sound;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What such an agent runs: it takes a lock of its own, leaves a mark where another life of it still has that, and goes on.
pub(crate) const LINE: &str = "exec 9>\"$MCELL_ROOT.$MCELL_AGENT.lock\"; flock -n 9 || echo $$ >>\"$MCELL_ROOT.twice\"; exec sleep 1000";

/// How long a process may take to be what it is to be.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is to be of an agent in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// One process of it lives, and holds the task if it held one.
    Lives,
    /// None does, and the task is free.
    Gone,
}

/// A process that has the variables of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct One {
    /// Its number.
    pub(crate) pid: i32,
    /// The program that it runs.
    program: String,
    /// `MCELL_INCARNATION`.
    incarnation: u64,
    /// `MCELL_CLAIM`.
    claim: Option<String>,
}

/// The processes that live as an agent of a root.
pub(crate) fn living(root: &Path, agent: &str) -> Vec<One> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let file = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let text = file("environ");
        let text = String::from_utf8_lossy(&text);
        let variable = |name: &str| {
            let mut all = text.split('\0');
            all.find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
        };
        let is_it =
            variable("MCELL_ROOT") == root.to_str() && variable("MCELL_AGENT") == Some(agent);
        if is_it && !is_over(pid) {
            found.push(One {
                pid,
                program: String::from_utf8_lossy(&file("comm")).trim().to_owned(),
                incarnation: variable("MCELL_INCARNATION")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0),
                claim: variable("MCELL_CLAIM").map(str::to_owned),
            });
        }
    }
    found
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The folder of the only cell of a root.
fn cell_of(root: &Path) -> PathBuf {
    let mut cells = names(root)
        .unwrap_or_default()
        .into_iter()
        .map(|name| root.join(name));
    cells
        .find(|path| path.join("cell.json").exists())
        .expect("a cell")
}

/// The requests of a root's only cell that lie in this folder.
pub(crate) fn requests(root: &Path, folder: &str) -> Vec<Value> {
    let place = cell_of(root).join(".mcell/revivals").join(folder);
    let names = if place.exists() {
        names(&place).unwrap_or_default()
    } else {
        Vec::new()
    };
    names.iter().map(|name| json(&place.join(name))).collect()
}

/// What is not as it must be of a root with one agent that runs [`LINE`], once whoever acted on it is done. It may hold a
/// task.
pub(crate) fn flaws(root: &Path, agent: &str, then: Then, holds: Option<&str>) -> Vec<String> {
    let mut flaws = of_root(root);
    flaws.extend(of_agent(root, agent, then, holds));
    flaws
}

/// What is not as it must be of a root: its journal, its requests, and whether anybody lived twice at a time.
pub(crate) fn of_root(root: &Path) -> Vec<String> {
    let mut flaws = sound::flaws(root);
    if PathBuf::from(format!("{}.twice", root.display())).exists() {
        flaws.push(String::from("an agent lived twice at a time"));
    }
    let open = requests(root, "open");
    if !open.is_empty() {
        flaws.push(format!("a request is open: {open:?}"));
    }
    flaws.extend(lost(root, &cell_of(root)));
    flaws
}

/// The same of one agent.
pub(crate) fn of_agent(root: &Path, agent: &str, then: Then, holds: Option<&str>) -> Vec<String> {
    let cell = cell_of(root);
    let mut flaws = Vec::new();
    let end = Instant::now() + PATIENCE;
    let all = loop {
        let all = living(root, agent);
        let is_so = match (then, all.as_slice()) {
            (Then::Lives, [one]) => one.program == "sleep",
            (Then::Gone, []) => true,
            _ => false,
        };
        if is_so {
            break all;
        }
        if Instant::now() >= end {
            let note = json(&cell.join(format!(".mcell/run/{agent}.json")));
            let log = std::fs::read_to_string(cell.join(format!("logs/{agent}.log")));
            let count = all.len();
            flaws.push(format!(
                "{count} processes of {agent} live: {all:?} {note} {log:?}"
            ));
            return flaws;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    };
    let state = json(&cell.join(format!(".mcell/agents/{agent}.json")));
    let note = json(&cell.join(format!(".mcell/run/{agent}.json")));
    let task = holds.map(|task| json(&cell.join(format!("tasks/{task}.json"))));
    let task = task.unwrap_or_default();
    let held = &json(&cell.join(".mcell/fence"))["held"];
    match all.first() {
        Some(one) => {
            let is_known = note["pid"] == one.pid && note["incarnation"] == one.incarnation;
            if !is_known || state["incarnation"] != one.incarnation {
                flaws.push(format!("{one:?} is not who is noted: {note} {state}"));
            }
            if state["wanted"] != "running" {
                flaws.push(format!("it is not wanted: {state}"));
            }
            if let Some(id) = holds {
                let token = &task["claim"]["token"];
                let is_held = task["claim"]["agent"] == agent && held[id]["agent"] == agent;
                if !is_held || held[id]["token"] != *token {
                    flaws.push(format!("its task is not its own: {task} {held}"));
                }
                if one.claim != Some(format!("{id}:{token}")) {
                    flaws.push(format!("it was told of another claim: {one:?} {task}"));
                }
            }
        }
        None => {
            if state["wanted"] != "stopped" {
                flaws.push(format!("it is wanted: {state}"));
            }
            if let Some(id) = holds
                && (task["claim"].is_object() || held[id].is_object())
            {
                flaws.push(format!("its task is not free: {task} {held}"));
            }
        }
    }
    flaws
}

/// Requests that the journal speaks of, and that are in neither folder.
fn lost(root: &Path, cell: &Path) -> Vec<String> {
    let kept: BTreeSet<String> = ["open", "closed"]
        .into_iter()
        .flat_map(|folder| requests(root, folder))
        .filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect();
    // Of those that are over only the newest hundred are kept.
    if requests(root, "closed").len() >= 100 {
        return Vec::new();
    }
    let journal = std::fs::read_to_string(cell.join("logs/journal.jsonl")).unwrap_or_default();
    let told: BTreeSet<String> = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| {
            let what = line["what"].as_str()?;
            let (_, rest) = what.split_once("revival ")?;
            rest.get(..6).map(str::to_owned)
        })
        .collect();
    let lost = told.difference(&kept);
    lost.map(|id| format!("the request {id} is lost")).collect()
}
