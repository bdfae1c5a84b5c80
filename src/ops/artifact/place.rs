//! From a file to an artifact: copied before the lock is taken, put in its place under it.

use super::{Change, Placed, noted, put, used};
use crate::base::error::{Error, Kind as ErrorKind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::shown;
use crate::mission::amount::Bytes;
use crate::mission::artifact::{self, Kind, Name, Note};
use crate::mission::isolation::Isolation;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::folder::{Folder, Sort};
use crate::store::incoming::{Copied, Incoming, measure, open_source};
use crate::store::layout;
use rustix::fs::{FileType, Stat};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that is ready to become an artifact.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(super) name: Name,
    /// Its copy; none if it lies in its place already.
    pub(super) copy: Option<Incoming>,
    /// What lies in its place.
    pub(super) there: Option<Seen>,
    /// The agent that made it, if it is not the one who adds it.
    pub(super) agent: Option<AgentId>,
}

/// A file as it was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    stat: Stat,
    pub(super) copied: Copied,
}

impl Seen {
    /// Looks at a file of the cell. None if nothing is there; what is no file is refused.
    pub(super) fn now(folder: &Folder, file: &str) -> Result<Option<Self>> {
        let Some(stat) = stat_of(folder, file)? else {
            return Ok(None);
        };
        Ok(measure(folder, file)?.map(|copied| Seen { stat, copied }))
    }

    /// The same under the lock: read again only if it changed since.
    fn still(folder: &Folder, file: &str, before: Option<Seen>) -> Result<Option<Self>> {
        let mark = |stat: &Stat| (stat.st_ino, stat.st_size, stat.st_ctime, stat.st_ctime_nsec);
        match (stat_of(folder, file)?, before) {
            (None, _) => Ok(None),
            (Some(stat), Some(before)) if mark(&stat) == mark(&before.stat) => Ok(Some(before)),
            _ => Seen::now(folder, file),
        }
    }
}

fn stat_of(folder: &Folder, file: &str) -> Result<Option<Stat>> {
    let Some(stat) = folder.stat(file)? else {
        return Ok(None);
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Some(stat)),
        other => Err(Error::refused(format!(
            "{} is a {}, not a file",
            folder.path_of(file).display(),
            Sort::of(other).word()
        ))
        .hint("`--name NAME` gives the artifact another name")),
    }
}

/// Copies files in, and looks at what lies in their places; the lock is not taken. A file that is an artifact of the cell
/// already, by its name or its path, is not copied. Exit 3 for what is nowhere.
pub(crate) fn prepare(
    session: &Session,
    cell: &OpenCell,
    files: &[PathBuf],
    name: Option<&str>,
    kind: Option<Kind>,
) -> Result<Vec<Prepared>> {
    let mut prepared: Vec<Prepared> = Vec::with_capacity(files.len());
    for file in files {
        prepared.push(one(session, cell, file, name, kind)?);
    }
    Ok(prepared)
}

fn one(
    session: &Session,
    cell: &OpenCell,
    file: &Path,
    name: Option<&str>,
    kind: Option<Kind>,
) -> Result<Prepared> {
    let path = session.env.resolve(file);
    let stays = name.is_none() && kind.is_none();
    if stays && let Some(name) = below(cell, &path)? {
        return in_place(cell, name)?.ok_or_else(|| gone(file));
    }
    let source = match open_source(&path) {
        Ok(source) => source,
        Err(error) if error.kind() == ErrorKind::NotFound && stays => {
            // Not a file from here: then the name of one that is in the cell.
            let named = file.to_str().map(|name| name.trim_start_matches("./"));
            let named = named.map(|name| name.strip_prefix("artifacts/").unwrap_or(name));
            let named = named.and_then(|name| Name::new(name).ok());
            let there = named
                .map(|name| in_place(cell, name))
                .transpose()?
                .flatten();
            return there.ok_or_else(|| gone(file));
        }
        Err(error) => return Err(error),
    };
    let called = match name {
        Some(name) => name,
        None => path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| {
                Error::usage(format!("{} has no name in UTF-8", path.display()))
                    .hint("`--name NAME` gives it one")
            })?,
    };
    let name = Name::given(called, kind)?;
    let there = Seen::now(cell.folder(), &layout::artifact(name.as_str()))?;
    let copy = Some(Incoming::copy(cell, &source)?);
    Ok(Prepared {
        name,
        copy,
        there,
        agent: None,
    })
}

fn gone(file: &Path) -> Error {
    Error::not_found(format!(
        "there is no file {}, and no artifact of that name",
        shown(&file.to_string_lossy())
    ))
    .hint("`mcell artifact list` shows the artifacts of the cell")
}

/// The name of an artifact by its path.
fn below(cell: &OpenCell, path: &Path) -> Result<Option<Name>> {
    // What cannot be resolved is no artifact; opening it says what is wrong.
    let real = cell.path().join(layout::ARTIFACTS).canonicalize();
    let (Ok(real), Ok(path)) = (real, path.canonicalize()) else {
        return Ok(None);
    };
    match path.strip_prefix(&real) {
        Ok(below) => Name::new(below.to_string_lossy()).map(Some),
        Err(_) => Ok(None),
    }
}

/// An artifact that lies in its place already.
pub(super) fn in_place(cell: &OpenCell, name: Name) -> Result<Option<Prepared>> {
    let seen = Seen::now(cell.folder(), &layout::artifact(name.as_str()))?;
    Ok(seen.map(|there| Prepared {
        name,
        copy: None,
        there: Some(there),
        agent: None,
    }))
}

/// Stages what was prepared, with what is noted of it. Same name, same content: nothing changes. Same name, other content:
/// refused (exit 5) unless `replace`. So is what the disk that the cell is allowed does not take.
pub(crate) fn stage(
    writing: &mut Writing<'_>,
    prepared: Vec<Prepared>,
    task: Option<&TaskId>,
    agent: Option<&AgentId>,
    replace: bool,
) -> Result<Vec<Placed>> {
    let folder = writing.cell().folder();
    let before = noted(writing)?;
    let mut manifest = before.clone();
    let mut room = Room::default();
    let mut placed: Vec<Placed> = Vec::with_capacity(prepared.len());
    let mut names: BTreeMap<Name, String> = BTreeMap::new();
    for one in prepared {
        let name = one.name;
        let file = layout::artifact(name.as_str());
        let there = Seen::still(folder, &file, one.there)?;
        let is_copy = one.copy.is_some();
        let copied = match (&one.copy, &there) {
            (Some(copy), _) => copy.copied().clone(),
            (None, Some(there)) => there.copied.clone(),
            (None, None) => return Err(gone(Path::new(name.as_str()))),
        };
        match names.get(&name) {
            Some(sha256) if *sha256 == copied.sha256 => continue,
            Some(_) => return Err(twice(&name)),
            None => names.insert(name.clone(), copied.sha256.clone()),
        };
        let known = manifest.of(name.as_str()).map(|note| note.sha256.clone());
        let is_there = there.as_ref().is_some_and(|there| there.copied == copied);
        let is_known = known.as_ref() == Some(&copied.sha256);
        let change = match (&there, is_there, is_known) {
            (_, true, true) => Change::Unchanged,
            (_, true, false) if is_copy || known.is_none() || replace => Change::Recorded,
            (None, ..) => Change::Added,
            _ if replace => Change::Replaced,
            _ => return Err(clash(&name, is_copy)),
        };
        if let Some(copy) = one.copy.filter(|_| !is_there) {
            room.take(
                &name,
                copied.bytes,
                there.as_ref().map(|there| there.copied.bytes),
            );
            writing.put_made(&file, copy)?;
        }
        let maker = one.agent.as_ref().or(agent);
        let note = Note {
            sha256: copied.sha256,
            bytes: copied.bytes,
            task: task.map(ToString::to_string),
            agent: maker.map(ToString::to_string),
            added_at: writing.now(),
            added_by: writing.act().by.clone(),
        };
        manifest.add(&name, note);
        if let Some(note) = manifest.of(name.as_str()) {
            placed.push(Placed::of(name.as_str(), note, change));
        }
    }
    room.require(writing)?;
    if manifest != before {
        put(writing, &manifest)?;
    }
    Ok(placed)
}

fn twice(name: &Name) -> Error {
    Error::usage(format!("two of these files would be {name}"))
        .hint("add them one by one: `--name NAME` gives one another name")
}

fn clash(name: &Name, is_copy: bool) -> Error {
    if is_copy {
        return Error::refused(format!("there is {name} already, with other content")).hint(
            "`mcell artifact add FILE --replace` puts it in its place, `--name NAME` gives it another name",
        );
    }
    Error::refused(format!("{name} is not what was noted of it"))
        .hint("`mcell artifact add FILE --replace` notes it as it is now")
}

/// What the disk of the cell has to take.
#[derive(Debug, Default)]
struct Room {
    coming: u64,
    leaving: u64,
    names: Vec<String>,
}

impl Room {
    fn take(&mut self, name: &Name, bytes: u64, instead: Option<u64>) {
        self.coming = self.coming.saturating_add(bytes);
        self.leaving = self.leaving.saturating_add(instead.unwrap_or(0));
        self.names.push(name.to_string());
    }

    fn require(&self, writing: &Writing<'_>) -> Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        let Some(limit) = limit(writing)? else {
            return Ok(());
        };
        let used = used(writing.cell().folder())?.saturating_sub(self.leaving);
        let what = match self.names.as_slice() {
            [only] => only.clone(),
            several => crate::base::text::count(several.len(), "file"),
        };
        artifact::require_room(Some(limit), used, self.coming, &what)
    }
}

/// The disk that config/isolation.json allows the cell.
fn limit(writing: &Writing<'_>) -> Result<Option<Bytes>> {
    let isolation: Option<Isolation> = writing.read(layout::ISOLATION)?;
    let limits = isolation.and_then(|isolation| isolation.resource_limits);
    let disk = limits.and_then(|limits| limits.disk);
    let limit = disk.map(|disk| disk.parse::<Bytes>()).transpose();
    limit.map_err(|error| {
        Error::malformed(format!("{}: {error}", layout::ISOLATION))
            .hint("`mcell isolation set --disk 10GB` states it anew")
    })
}
