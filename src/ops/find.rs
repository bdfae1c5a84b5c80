//! Which root and which cell are meant.

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::base::text::{cut, shown};
use crate::mission::cell::Cell;
use crate::ops::config::{self, Places};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::layout;
use crate::store::root::Root;
use std::path::{Path, PathBuf};

/// Where missions lie if nobody says otherwise.
pub const USUAL_ROOT: &str = "/var/missions";

/// The root that is meant, and why that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootChoice {
    /// Where it lies.
    pub path: PathBuf,
    /// Who chose it: "--root", "MCELL_ROOT", a config file, "the default", "the cell you stand in".
    pub why: String,
}

/// What a look is about.
#[derive(Debug)]
pub enum Scope {
    /// One cell.
    Cell(OpenCell),
    /// Every cell of a root.
    Root(Root),
}

impl Session {
    /// The root that is meant: `--root`, else `MCELL_ROOT`, else the config's `missions_path`, else `/var/missions`.
    pub fn root_choice(&self) -> Result<RootChoice> {
        self.root_choice_by(|| config::places(&self.env))
    }

    /// The same by a config that was found otherwise; it is read only if neither an option nor the environment says more.
    pub fn root_choice_by(&self, config: impl FnOnce() -> Result<Places>) -> Result<RootChoice> {
        if let Some(root) = &self.root {
            return Ok(RootChoice {
                path: self.env.resolve(root),
                why: String::from("--root"),
            });
        }
        if let Some(root) = self.env.path("MCELL_ROOT") {
            return Ok(RootChoice {
                path: self.env.resolve(&root),
                why: String::from("MCELL_ROOT"),
            });
        }
        let config = config()?;
        if let (Some(path), Some(file)) = (config.missions_path, config.file) {
            return Ok(RootChoice {
                path,
                why: file.display().to_string(),
            });
        }
        Ok(RootChoice {
            path: PathBuf::from(USUAL_ROOT),
            why: String::from("the default"),
        })
    }

    /// Opens the root that is meant (exit 3 if there is none).
    pub fn open_root(&self) -> Result<Root> {
        let choice = self.root_choice()?;
        Root::open(&choice.path).map_err(|error| match error.kind() {
            Kind::NotFound => error.hint(format!(
                "{} was chosen by {}",
                choice.path.display(),
                choice.why
            )),
            _ => error,
        })
    }

    /// The cell that the working directory lies in. What lies in a root's own folder is none: half made, or in the trash.
    pub fn cell_stood_in(&self) -> Option<PathBuf> {
        let cell = self
            .env
            .folder()
            .ancestors()
            .find(|folder| is_cell(folder))?;
        let is_hidden = cell
            .components()
            .any(|part| part.as_os_str() == layout::RUNTIME);
        (!is_hidden).then(|| cell.to_path_buf())
    }

    /// The one cell that a write is about: `--cell`, else `MCELL_CELL`, else the one stood in, else the only one, else
    /// the one picked from a list, else an error that lists them.
    pub fn open_cell(&self) -> Result<OpenCell> {
        let named = self.cell.as_deref().or_else(|| self.env.word("MCELL_CELL"));
        if let Some(named) = named {
            return self.open_named(named);
        }
        if let Some(path) = self.cell_stood_in() {
            return OpenCell::open(&path);
        }
        let root = self.open_root()?;
        let mut known = known_cells(&root)?;
        let open: Vec<Known> = known
            .iter()
            .filter(|known| !known.is_over())
            .cloned()
            .collect();
        match (open.as_slice(), known.as_slice()) {
            ([only], _) | ([], [only]) => OpenCell::open(&root.path().join(only.id.as_str())),
            ([], []) => Err(Error::not_found(format!(
                "there is no cell in {}",
                root.path().display()
            ))
            .hint("make one with `mcell init NAME`")),
            _ => {
                known.sort_by_key(|known| {
                    (
                        known.is_over(),
                        std::cmp::Reverse(known.cell.as_ref().map(|cell| cell.created_at)),
                    )
                });
                let lines: Vec<String> = known.iter().map(Known::line).collect();
                if let Some(pick) = &self.pick {
                    let chosen = pick("Which cell", &lines)?;
                    let chosen = known
                        .get(chosen)
                        .ok_or_else(|| Error::usage("no cell was chosen"))?;
                    return OpenCell::open(&root.path().join(chosen.id.as_str()));
                }
                Err(several(
                    "which cell is meant? say it with `--cell`, or stand in its folder",
                    &lines,
                ))
            }
        }
    }

    /// Opens the cell that a text names: a path, an id, a unique beginning of one, or a unique part of a mission's name.
    pub fn open_named(&self, named: &str) -> Result<OpenCell> {
        let as_path = self.env.resolve(Path::new(named));
        if (named.contains('/') || named == "." || named == "..") && !named.is_empty() {
            let as_path = as_path.canonicalize().unwrap_or(as_path);
            return OpenCell::open(&as_path);
        }
        let root = self.open_root()?;
        let ids = root.cell_ids()?;
        if let Some(id) = ids.iter().find(|id| id.as_str() == named) {
            return OpenCell::open(&root.path().join(id.as_str()));
        }
        let lower = named.to_lowercase();
        let begin: Vec<&CellId> = ids
            .iter()
            .filter(|id| id.as_str().starts_with(&lower))
            .collect();
        if let [only] = begin.as_slice() {
            return OpenCell::open(&root.path().join(only.as_str()));
        }
        let (known, trouble) = look(&root)?;
        // What could not be read may be the one, or a second one, of that name.
        if let Some(error) = trouble {
            return Err(error.hint("name the cell by its id"));
        }
        let matching: Vec<&Known> = known
            .iter()
            .filter(|known| known.is_meant_by(&lower))
            .collect();
        match matching.as_slice() {
            [only] => OpenCell::open(&root.path().join(only.id.as_str())),
            [] if is_cell(&as_path) => OpenCell::open(&as_path),
            [] => Err(Error::not_found(format!(
                "no cell in {} is called `{}`",
                root.path().display(),
                shown(named)
            ))
            .hint("`mcell cell list --all` shows them")),
            many => Err(several(
                &format!("`{}` names {} cells", shown(named), many.len()),
                &many.iter().map(|known| known.line()).collect::<Vec<_>>(),
            )),
        }
    }

    /// What a look is about: the cell named or stood in, else the whole root; `everywhere` forces the root.
    pub fn scope(&self, everywhere: bool) -> Result<Scope> {
        if !everywhere {
            if self.cell.is_some() || self.env.word("MCELL_CELL").is_some() {
                return Ok(Scope::Cell(self.open_cell()?));
            }
            if let Some(path) = self.cell_stood_in() {
                return Ok(Scope::Cell(OpenCell::open(&path)?));
            }
        }
        Ok(Scope::Root(self.open_root()?))
    }

    /// The cell and the rest of `CELL/THING`, else the cell that is meant and the thing.
    pub fn split<'t>(&self, target: &'t str) -> Result<(OpenCell, &'t str)> {
        match target.rsplit_once('/') {
            Some((cell, thing)) => Ok((self.open_named(cell)?, thing)),
            None => Ok((self.open_cell()?, target)),
        }
    }
}

/// Tells whether a folder is a cell. It is only looked at, never opened here. Where the disk does not answer it counts as
/// one: taken for none, the next cell further up or the only other one would be written to instead.
fn is_cell(folder: &Path) -> bool {
    use rustix::io::Errno;
    match rustix::io::retry_on_intr(|| rustix::fs::stat(folder.join(layout::CELL))) {
        Ok(_) => true,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP | Errno::NAMETOOLONG) => {
            false
        }
        Err(_) => true,
    }
}

/// A cell of a root, with what its `cell.json` says if that can be read.
#[derive(Clone, Debug)]
pub struct Known {
    /// The folder's name.
    pub id: CellId,
    /// What it says.
    pub cell: Option<Cell>,
}

impl Known {
    /// Whether its mission is over.
    pub fn is_over(&self) -> bool {
        self.cell.as_ref().is_some_and(|cell| cell.status.is_over())
    }

    fn is_meant_by(&self, lower: &str) -> bool {
        self.id.as_str().starts_with(lower)
            || self
                .cell
                .as_ref()
                .is_some_and(|cell| cell.mission_name.to_lowercase().contains(lower))
    }

    fn line(&self) -> String {
        match &self.cell {
            Some(cell) => format!(
                "{}  {}  ({})",
                self.id,
                cut(&shown(&cell.mission_name), 60),
                cell.status.word()
            ),
            None => format!("{}  (its cell.json cannot be read)", self.id),
        }
    }
}

/// Every cell of a root.
pub fn known_cells(root: &Root) -> Result<Vec<Known>> {
    Ok(look(root)?.0)
}

/// Every cell of a root, and why one of them could not be read, if the disk did not answer.
fn look(root: &Root) -> Result<(Vec<Known>, Option<Error>)> {
    let mut known = Vec::new();
    let mut trouble = None;
    for id in root.cell_ids()? {
        // One that cannot be opened is one all the same: left out, another would be the only one.
        let opened = OpenCell::open(&root.path().join(id.as_str()));
        match opened.and_then(|open| open.cell()) {
            Ok(cell) => known.push(Known {
                id,
                cell: Some(cell),
            }),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => {
                if error.kind() == Kind::Storage && !is_closed(root, &id) {
                    trouble = trouble.or(Some(error));
                }
                known.push(Known { id, cell: None });
            }
        }
    }
    Ok((known, trouble))
}

/// Tells whether a cell is closed to whoever asks: then it is not the one meant.
fn is_closed(root: &Root, id: &CellId) -> bool {
    let file = root.path().join(id.as_str()).join(layout::CELL);
    rustix::fs::access(file, rustix::fs::Access::READ_OK) == Err(rustix::io::Errno::ACCESS)
}

fn several(message: &str, lines: &[String]) -> Error {
    const SHOWN: usize = 12;
    let mut error = Error::usage(message);
    for line in lines.iter().take(SHOWN) {
        error = error.hint(line.clone());
    }
    if lines.len() > SHOWN {
        error = error.hint(format!(
            "… and {} more: `mcell cell list --all`",
            lines.len() - SHOWN
        ));
    }
    error
}
