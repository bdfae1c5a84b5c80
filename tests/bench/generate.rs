//! A missions root of any size, the same for the same seed whatever the number of threads:
//! every cell is drawn from its own dice, thrown from the seed and the cell's number.
//!
//! Without `bad` each cell is what the specification asks for and nothing in it contradicts
//! anything else, so `mcell validate` has nothing to say and still has to look at everything.

mod cell;
mod dice;
mod fault;
mod plan;

use crate::options::{Generate, Size};
use crate::report::Result;
use cell::Draft;
use dice::Dice;
use fault::Fault;
use plan::Plan;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the root was made from is written here; scans skip names with a dot.
pub const NOTE: &str = ".generated";

/// What decides every byte of a root.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub size: Size,
    /// The share of cells with one fault, 0 to 1.
    pub bad: f64,
    /// Whether every cell is active and no agent rests, so that a daemon watches them all.
    pub active: bool,
}

impl Recipe {
    /// A root as it comes.
    pub fn of(size: Size, bad: f64) -> Self {
        let active = false;
        Self { size, bad, active }
    }

    /// A root for a daemon: agents that are all watched.
    pub fn watched(cells: usize, agents: usize, tasks: usize) -> Self {
        let seed = 1;
        Self {
            size: Size {
                cells,
                agents,
                tasks,
                seed,
            },
            bad: 0.0,
            active: true,
        }
    }

    /// The recipe in words, to tell later whether a root is what is wanted.
    pub fn note(&self) -> String {
        let Self { size, bad, active } = self;
        let active = if *active { " active" } else { "" };
        format!(
            "cells={} agents={} tasks={} seed={} bad={bad}{active}\n",
            size.cells, size.agents, size.tasks, size.seed
        )
    }
}

/// What was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Made {
    pub cells: usize,
    pub json_files: usize,
    pub json_bytes: usize,
    pub other_files: usize,
    pub other_bytes: usize,
    /// The cells with a fault, each with its name.
    pub faults: BTreeMap<String, &'static str>,
}

/// Makes a root in a folder that is empty or does not exist yet.
pub fn root(out: &Path, recipe: &Recipe, threads: usize) -> Result<Made> {
    if recipe.size.agents == 0 {
        return Err("a cell needs at least one agent: --agents 1"
            .to_owned()
            .into());
    }
    std::fs::create_dir_all(out)?;
    if out.read_dir()?.next().is_some() {
        return Err(format!("{} is not empty: name a new folder", out.display()).into());
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Made::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= recipe.size.cells {
                return Ok(made);
            }
            made.add_cell(out, recipe, index)?;
        }
    };
    let parts: Vec<Result<Made>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("a generator"))
            .collect()
    });
    let mut sum = Made::default();
    for part in parts {
        sum.add(part?);
    }
    // Last, so that a root that was only half made is never taken for a whole one.
    std::fs::write(out.join(NOTE), recipe.note())?;
    Ok(sum)
}

impl Made {
    fn add_cell(&mut self, out: &Path, recipe: &Recipe, index: usize) -> Result<()> {
        let mut dice = Dice::thrown(recipe.size.seed, index as u64);
        let fault = dice.chance(recipe.bad).then(|| Fault::of(index));
        let plan = Plan::drawn(&mut dice, index, recipe, fault.is_some());
        let mut draft = Draft::of(&plan, &mut dice);
        if let Some(fault) = fault {
            fault.put_into(&mut draft, &plan);
            self.faults.insert(plan.id.clone(), fault.name());
        }
        draft.write(&out.join(&plan.id))?;
        self.cells += 1;
        self.json_files += draft.json.len();
        self.json_bytes += draft.json.values().map(String::len).sum::<usize>();
        self.other_files += draft.other.len();
        self.other_bytes += draft.other.values().map(String::len).sum::<usize>();
        Ok(())
    }

    fn add(&mut self, part: Self) {
        self.cells += part.cells;
        self.json_files += part.json_files;
        self.json_bytes += part.json_bytes;
        self.other_files += part.other_files;
        self.other_bytes += part.other_bytes;
        self.faults.extend(part.faults);
    }
}

/// `cargo bench -- generate OUT …`
pub fn speak(wanted: &Generate) -> Result<bool> {
    let recipe = Recipe {
        size: wanted.size.clone(),
        bad: wanted.bad,
        active: wanted.active,
    };
    let made = root(&wanted.out, &recipe, wanted.threads)?;
    println!(
        "cells={} json_files={} json_bytes={} other_files={} other_bytes={} faults={}",
        made.cells,
        made.json_files,
        made.json_bytes,
        made.other_files,
        made.other_bytes,
        made.faults.len()
    );
    for (cell, fault) in &made.faults {
        println!("{cell} {fault}");
    }
    Ok(true)
}
