//! Surveys every cell of a root, in parallel. One bad cell never stops the others.

use crate::base::error::Result;
use crate::base::ids::CellId;
use crate::mission::survey::{OddityKind, Survey};
use crate::store::cell::OpenCell;
use crate::store::folder::Sort;
use crate::store::root::Root;
use crate::store::survey::{Depth, Surveyor};
use crate::store::workers;

/// How to walk.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// How much to look at.
    pub depth: Depth,
    /// Whether writers are held off for each cell's look (for a second at most).
    pub locks: bool,
    /// Workers; none for as many as serve this machine.
    pub threads: Option<usize>,
}

/// What a walk gave for one cell.
#[derive(Debug)]
pub struct Walked<R> {
    /// The folder's name, made UTF-8.
    pub name: String,
    /// What was made of its survey.
    pub made: R,
    /// Whether a writer was at work while it was read.
    pub in_change: bool,
}

/// Told how far a walk is: how many cells were begun, of how many. All of them means that the walk is over. Every worker
/// calls it for every cell, so it should be quick.
pub type Progress<'p> = dyn Fn(usize, usize) + Sync + 'p;

/// Makes something of the survey of each cell of a root; sorted by name.
pub fn each_cell<R: Send>(
    root: &Root,
    walk: Walk,
    progress: &Progress<'_>,
    make: impl Fn(&Survey<'_>) -> R + Sync,
) -> Result<Vec<Walked<R>>> {
    each_open_cell(root, walk, progress, |survey, _| make(survey))
}

/// The same with the cell, held open, for what is looked at beside its survey; none if it cannot be opened.
pub fn each_open_cell<R: Send>(
    root: &Root,
    walk: Walk,
    progress: &Progress<'_>,
    make: impl Fn(&Survey<'_>, Option<&OpenCell>) -> R + Sync,
) -> Result<Vec<Walked<R>>> {
    let candidates = root.candidates()?;
    let mut gathered = workers::each(
        &candidates,
        walk.threads.unwrap_or(workers::USUAL),
        || Surveyor::new(walk.depth),
        |surveyor, number, (name, sort)| {
            progress(number, candidates.len());
            one(root, walk, surveyor, name, *sort, &make)
        },
    );
    progress(candidates.len(), candidates.len());
    gathered.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(gathered)
}

/// Makes something of the survey of one cell.
pub fn one_cell<R>(
    cell: &OpenCell,
    walk: Walk,
    make: impl Fn(&Survey<'_>) -> R,
) -> Result<Walked<R>> {
    let view = if walk.locks { Some(cell.view()?) } else { None };
    let mut surveyor = Surveyor::new(walk.depth);
    let made = make(&surveyor.look(cell.folder().handle(), cell.id().as_str()));
    Ok(Walked {
        name: cell.id().to_string(),
        made,
        in_change: view.is_some_and(|view| view.in_change),
    })
}

fn one<R>(
    root: &Root,
    walk: Walk,
    surveyor: &mut Surveyor,
    name: &[u8],
    sort: Sort,
    make: &impl Fn(&Survey<'_>, Option<&OpenCell>) -> R,
) -> Option<Walked<R>> {
    let shown = String::from_utf8_lossy(name).into_owned();
    let odd = |kind| {
        let made = make(&Surveyor::unreadable(&shown, kind), None);
        Some(Walked {
            name: shown.clone(),
            made,
            in_change: false,
        })
    };
    let id = match id_of(name, sort) {
        Ok(id) => id,
        Err(kind) => return odd(kind),
    };
    match root.folder().folder(id.as_str()) {
        Ok(Some(folder)) => {
            let cell = OpenCell::of(folder, id);
            let view = if walk.locks { cell.view().ok() } else { None };
            let in_change = view.as_ref().is_some_and(|view| view.in_change);
            let survey = surveyor.look(cell.folder().handle(), cell.id().as_str());
            let made = make(&survey, Some(&cell));
            Some(Walked {
                name: shown,
                made,
                in_change,
            })
        }
        // It was removed between the listing and here.
        Ok(None) => None,
        Err(error) => odd(OddityKind::Unreadable(error.message().to_owned())),
    }
}

/// The id of what may be a cell, by its name in a root.
pub(crate) fn id_of(name: &[u8], sort: Sort) -> std::result::Result<CellId, OddityKind> {
    match sort {
        Sort::Folder => {}
        Sort::Link => return Err(OddityKind::Link),
        _ => return Err(OddityKind::Special),
    }
    let text = std::str::from_utf8(name).map_err(|_| OddityKind::NameNotUtf8)?;
    CellId::new(text).map_err(|_| OddityKind::NameNotAnId)
}

/// The number of workers that the environment asks for.
pub fn threads(env: &crate::base::env::Env) -> Option<usize> {
    env.word("MCELL_THREADS")
        .and_then(|text| text.parse().ok())
        .filter(|threads| (1..=512).contains(threads))
}
