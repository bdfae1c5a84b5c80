//! Reads what a daemon needs of a cell, and little more: its agents, the tasks they work on, what is due, their runs.
//!
//! No lock is taken, nothing is written, and no file is opened for writing: a look makes no event of those that
//! `store/watch` waits for.

mod lives;
mod stamp;

use crate::base::error::Error;
use crate::base::ids::{AgentId, CellId, TaskId};
use crate::mission::beat::Beat;
use crate::mission::census::{CellCensus, Due};
use crate::mission::survey::{Oddity, OddityKind, Survey};
use crate::mission::task::{self, Task};
use crate::store::cell::OpenCell;
use crate::store::fence::Fence;
use crate::store::folder::Sort;
use crate::store::layout;
use crate::store::root::Root;
use crate::store::survey::Surveyor;
use crate::store::walk::id_of;
use rustix::fs::FileType;
use stamp::Stamper;

pub use stamp::Stamp;

/// What a name in a root turned out to be.
#[derive(Debug)]
pub enum Seen {
    /// A cell.
    Cell(Box<Look>),
    /// No cell, or one that may not be opened: why, in a sentence.
    NoCell(String),
    /// It could not be told: why, in a sentence. What was known of it stays.
    Untold(String),
    /// There is nothing of this name, or nothing that could be a cell.
    Nothing,
}

/// A cell as it was read.
#[derive(Debug)]
pub struct Look {
    /// What it says.
    pub census: CellCensus,
    /// The agents that have signs of life on file, sorted, and those.
    pub beats: Vec<(AgentId, Vec<Beat>)>,
    /// Whether something was missed that is no fault of the cell: no file descriptor was left, say.
    pub ran_short: bool,
    /// The times of all files read, as they were before; none unless it was asked for, or where they prove nothing.
    pub stamp: Option<Stamp>,
}

/// Looks at what lies under a name in a root.
pub fn look(surveyor: &mut Surveyor, root: &Root, name: &[u8], sort: Sort, stamps: bool) -> Seen {
    if sort == Sort::File || name.starts_with(b".") {
        return Seen::Nothing;
    }
    let id = match id_of(name, sort) {
        Ok(id) => id,
        Err(kind) => {
            let path = String::from_utf8_lossy(name).into_owned();
            return Seen::NoCell(Oddity { path, kind }.hides().unwrap_or_default());
        }
    };
    match root.folder().folder(id.as_str()) {
        Ok(Some(folder)) => {
            let cell = OpenCell::of(folder, id);
            match look_into(surveyor, &cell, stamps) {
                Some(look) => Seen::Cell(Box::new(look)),
                None => Seen::NoCell(cell.no_cell().message().to_owned()),
            }
        }
        Ok(None) => Seen::Nothing,
        Err(error) if error.passes() => Seen::Untold(error.message().to_owned()),
        Err(error) => Seen::NoCell(error.message().to_owned()),
    }
}

/// The same by the name alone.
pub fn look_up(surveyor: &mut Surveyor, root: &Root, id: &CellId, stamps: bool) -> Seen {
    match root.folder().stat(id.as_str()) {
        Ok(Some(stat)) => {
            let sort = Sort::of(FileType::from_raw_mode(stat.st_mode));
            look(surveyor, root, id.as_str().as_bytes(), sort, stamps)
        }
        Ok(None) => Seen::Nothing,
        Err(error) if error.passes() => Seen::Untold(error.message().to_owned()),
        Err(error) => Seen::NoCell(error.message().to_owned()),
    }
}

/// Reads a cell that is held open; none if it has no `cell.json`.
pub fn look_into(surveyor: &mut Surveyor, cell: &OpenCell, stamps: bool) -> Option<Look> {
    let mut stamper = stamps.then(|| Stamper::of(cell));
    let survey = surveyor.look(cell.folder().handle(), cell.id().as_str());
    let missing = |oddity: &Oddity| oddity.kind == OddityKind::MissingCell;
    if survey.oddities.iter().any(missing) {
        return None;
    }
    let census = CellCensus::of(cell.id().clone(), &survey);
    drop(survey);
    let mut reader = Reader {
        cell,
        census,
        ran_short: surveyor.ran_short(),
    };
    reader.time_tasks(stamper.as_mut());
    reader.see_what_is_due();
    reader.see_wishes();
    let beats = reader.see_lives();
    reader.census.cut_troubles();
    Some(Look {
        census: reader.census,
        beats,
        ran_short: reader.ran_short,
        stamp: stamper.and_then(Stamper::done),
    })
}

/// What is known of the agents of a cell beside a survey of it: whether they are wanted, whether they live, their signs on
/// file. Where there is nothing of that kind, and nobody asks all the same, that costs one call, and gives none. Its troubles
/// are of what is beside the survey alone.
pub fn look_beside(survey: &Survey<'_>, cell: &OpenCell, is_asked: bool) -> Option<Look> {
    let agents = survey.agents.iter();
    let mut agents = agents.filter_map(|sheet| sheet.value.as_ref());
    let has_runs = agents.any(|agent| agent.run.is_some());
    if !is_asked && !has_runs && matches!(cell.folder().stat(layout::RUN), Ok(None)) {
        return None;
    }
    let mut reader = Reader {
        cell,
        census: CellCensus::of(cell.id().clone(), survey),
        ran_short: false,
    };
    reader.census.troubles.clear();
    if has_runs {
        reader.see_wishes();
    }
    let beats = reader.see_lives();
    Some(Look {
        census: reader.census,
        beats,
        ran_short: reader.ran_short,
        stamp: None,
    })
}

/// The times of all files that the census of a cell was read from; none where they prove nothing.
pub fn stamp(cell: &OpenCell, census: &CellCensus) -> Option<Stamp> {
    let mut stamper = Stamper::of(cell);
    for task in current_tasks(census) {
        stamper.file(&layout::task(&task));
    }
    stamper.done()
}

/// The tasks that agents work on, in the order of the agents.
fn current_tasks(census: &CellCensus) -> Vec<TaskId> {
    let tasks = census
        .agents
        .iter()
        .filter_map(|agent| agent.current_task.as_deref());
    tasks.filter_map(|task| TaskId::new(task).ok()).collect()
}

/// A census on its way.
struct Reader<'c> {
    cell: &'c OpenCell,
    census: CellCensus,
    ran_short: bool,
}

impl Reader<'_> {
    /// How long the tasks may take that agents work on. No other task is read.
    fn time_tasks(&mut self, mut stamper: Option<&mut Stamper<'_>>) {
        for at in 0..self.census.agents.len() {
            let current = self
                .census
                .agents
                .get(at)
                .and_then(|agent| agent.current_task.as_deref());
            let Some(id) = current.and_then(|task| TaskId::new(task).ok()) else {
                continue;
            };
            let file = layout::task(&id);
            if let Some(stamper) = &mut stamper {
                stamper.file(&file);
            }
            let read = self.cell.folder().read(&file);
            let seconds =
                self.taken(read).flatten().and_then(|text| {
                    match crate::store::read::sound::<Task>(&file, &file, &text) {
                        Ok(task) => Some(task.timeout.unwrap_or(task::TIMEOUT)),
                        Err(error) => {
                            self.census
                                .troubles
                                .push(format!("{file}: {}", error.message()));
                            None
                        }
                    }
                });
            if let Some(agent) = self.census.agents.get_mut(at) {
                agent.task_timeout = seconds;
            }
        }
    }

    /// Leases, offers, and the end of a pause.
    fn see_what_is_due(&mut self) {
        let Some(fence) = self.parsed::<Fence>(layout::FENCE) else {
            return;
        };
        let leases = fence.held.into_values().filter_map(|hold| hold.lease);
        let offers = fence.offers.into_values().map(|offer| offer.deadline);
        let lapses = leases.chain(offers).map(Due::Lapse);
        self.census.due = lapses.chain(fence.wake.map(Due::Wake)).collect();
    }

    /// Reads a file of mcell's own; what is not there, or not as it should be, is none.
    fn parsed<T: serde::de::DeserializeOwned>(&mut self, file: &str) -> Option<T> {
        let read = self.cell.folder().read(file);
        let text = self.taken(read).flatten()?;
        // serde's derived structs would take a list too.
        let why = if text.trim_ascii_start().first() == Some(&b'{') {
            match serde_json::from_slice(&text) {
                Ok(value) => return Some(value),
                Err(error) => error.to_string(),
            }
        } else {
            String::from("it is no JSON object")
        };
        let trouble = format!("{file} cannot be read: {why}");
        self.census.troubles.push(trouble);
        None
    }

    /// What was read; an error becomes a trouble.
    fn taken<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        read.inspect_err(|error| {
            self.ran_short |= error.passes();
            self.census.troubles.push(error.message().to_owned());
        })
        .ok()
    }
}
