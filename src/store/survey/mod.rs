//! Reads whole cells, fast: one growing buffer a worker, one open and one read a file, nothing copied.
//!
//! Names of one part need no openat2: O_NOFOLLOW beneath an open folder is the same promise for one system call less.

mod around;
mod take;

use crate::base::ids::is_id;
use crate::mission::sheet::Sheet;
use crate::mission::survey::{Context, Oddity, OddityKind, Survey};
use crate::store::folder::Sort;
use crate::store::layout;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use std::ops::Range;
use take::words;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK);
/// Spare room before a read: nearly every mission file fits, so one read sees its end.
const ROOM: usize = 16 << 10;
/// The most bytes of one cell that are looked at: 256 MiB.
const LARGEST_CELL: usize = 256 << 20;
/// The most odd things named in one cell.
const MOST_ODDITIES: usize = 10_000;

/// How much to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The cell's own file, its agents and its policies: what a daemon reads again and again.
    Crew,
    /// The mission files.
    Quick,
    /// Also rights, strays, checkpoints and artifacts.
    Thorough,
}

/// Which sheet a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Cell,
    Agent,
    Task,
    Isolation,
    Policies,
    Permissions,
}

/// A worker's buffers, used for one cell after another.
#[derive(Debug)]
pub struct Surveyor {
    depth: Depth,
    listing: Vec<u8>,
    text: Vec<u8>,
    names: Vec<u8>,
    files: Vec<(Part, Range<usize>, Range<usize>)>,
    entries: Vec<(Range<usize>, Sort)>,
    oddities: Vec<Oddity>,
    contexts: Vec<(String, Context)>,
    artifacts: Vec<String>,
    ran_short: bool,
}

impl Surveyor {
    /// Empty buffers.
    pub fn new(depth: Depth) -> Self {
        Surveyor {
            depth,
            listing: Vec::with_capacity(32 << 10),
            text: Vec::with_capacity(64 << 10),
            names: Vec::new(),
            files: Vec::new(),
            entries: Vec::new(),
            oddities: Vec::new(),
            contexts: Vec::new(),
            artifacts: Vec::new(),
            ran_short: false,
        }
    }

    /// Reads a cell, held open, whose folder has this name. What cannot be read is an oddity, never an error.
    pub fn look<'s>(&'s mut self, cell: BorrowedFd<'_>, name: &'s str) -> Survey<'s> {
        self.clear();
        self.read_cell(cell);
        self.survey(name)
    }

    /// A survey of a cell that cannot be opened.
    pub fn unreadable(name: &str, kind: OddityKind) -> Survey<'_> {
        Survey {
            folder: name,
            oddities: vec![Oddity {
                path: String::new(),
                kind,
            }],
            ..Survey::default()
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(1 << 20);
        self.names.clear();
        self.files.clear();
        self.oddities.clear();
        self.contexts.clear();
        self.artifacts.clear();
        self.ran_short = false;
    }

    /// Whether the last look missed something that is no fault of the file: no descriptor was left, say.
    pub fn ran_short(&self) -> bool {
        self.ran_short
    }

    fn read_cell(&mut self, cell: BorrowedFd<'_>) {
        if self.depth == Depth::Thorough {
            self.look_around(cell);
        }
        self.read_file(cell, Part::Cell, "", layout::CELL.as_bytes(), true);
        self.read_all(cell, layout::AGENTS, Part::Agent);
        if self.depth == Depth::Crew {
            return self.read_config(cell, &[(layout::POLICIES, Part::Policies)]);
        }
        self.read_all(cell, layout::TASKS, Part::Task);
        self.read_config(
            cell,
            &[
                (layout::ISOLATION, Part::Isolation),
                (layout::POLICIES, Part::Policies),
                (layout::PERMISSIONS, Part::Permissions),
            ],
        );
        if self.depth == Depth::Thorough {
            self.look_at_checkpoints(cell);
            self.look_at_artifacts(cell);
        }
    }

    /// Every `*.json` of a folder, sorted by name.
    fn read_all(&mut self, cell: BorrowedFd<'_>, folder: &'static str, part: Part) {
        let Some(held) = self.open_folder(cell, folder) else {
            return;
        };
        if !self.list(held.as_fd(), folder) {
            return;
        }
        let entries = std::mem::take(&mut self.entries);
        for (name, sort) in &entries {
            // A copy on the stack: what is found out about the file goes into the same buffer.
            let mut copy = [0; 256];
            let name = self.names.get(name.clone()).unwrap_or_default();
            let Some(copy) = copy.get_mut(..name.len()) else {
                continue;
            };
            copy.copy_from_slice(name);
            self.take_entry(held.as_fd(), folder, copy, *sort, part);
        }
        self.entries = entries;
    }

    fn take_entry(
        &mut self,
        held: BorrowedFd<'_>,
        folder: &'static str,
        name: &[u8],
        sort: Sort,
        part: Part,
    ) {
        if name.starts_with(b".") {
            if name.ends_with(layout::TEMP.as_bytes()) {
                self.odd(folder, name, OddityKind::LeftTemp);
            }
            return;
        }
        let Ok(text) = std::str::from_utf8(name) else {
            return self.odd(folder, name, OddityKind::NameNotUtf8);
        };
        let Some(stem) = text.strip_suffix(layout::JSON) else {
            let kind = match sort {
                Sort::Link => OddityKind::Link,
                Sort::Special => OddityKind::Special,
                _ => OddityKind::Stray(None),
            };
            return self.odd(folder, name, kind);
        };
        match sort {
            Sort::Link => self.odd(folder, name, OddityKind::Link),
            Sort::Special => self.odd(folder, name, OddityKind::Special),
            Sort::Folder => self.odd(folder, name, OddityKind::FolderForFile),
            Sort::File if !is_id(stem) => self.odd(folder, name, OddityKind::NameNotAnId),
            Sort::File => self.read_file(held, part, folder, name, false),
        }
    }

    fn read_config(&mut self, cell: BorrowedFd<'_>, parts: &[(&'static str, Part)]) {
        let Some(held) = self.open_folder(cell, layout::CONFIG) else {
            return;
        };
        for (path, part) in parts {
            let (folder, name) = layout::split(path);
            self.read_file(held.as_fd(), *part, folder, name.as_bytes(), false);
        }
    }
    fn open_folder(&mut self, cell: BorrowedFd<'_>, folder: &'static str) -> Option<OwnedFd> {
        match retry_on_intr(|| rustix::fs::openat(cell, folder, FOLDER, Mode::empty())) {
            Ok(held) => Some(held),
            // A thorough look has named the missing ones.
            Err(Errno::NOENT) => None,
            Err(Errno::LOOP) => self.no_folder(folder, OddityKind::Link),
            Err(Errno::NOTDIR) => {
                match rustix::fs::statat(cell, folder, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) if Sort::of(FileType::from_raw_mode(stat.st_mode)) == Sort::Link => {
                        self.no_folder(folder, OddityKind::Link)
                    }
                    _ => self.no_folder(folder, OddityKind::FileForFolder),
                }
            }
            Err(error) => {
                let kind = self.unread(error);
                self.no_folder(folder, kind)
            }
        }
    }

    /// A file or folder that is there and cannot be read.
    fn unread(&mut self, error: Errno) -> OddityKind {
        self.ran_short |= crate::base::error::passes(&error.into());
        OddityKind::Unreadable(words(error))
    }

    fn no_folder(&mut self, folder: &str, kind: OddityKind) -> Option<OwnedFd> {
        self.odd("", folder.as_bytes(), kind);
        None
    }
    fn odd(&mut self, folder: &str, name: &[u8], kind: OddityKind) {
        if self.oddities.len() < MOST_ODDITIES {
            let name = String::from_utf8_lossy(name);
            self.oddities.push(Oddity {
                path: layout::join(folder, &name),
                kind,
            });
        }
    }

    fn survey<'s>(&'s mut self, folder: &'s str) -> Survey<'s> {
        let mut survey = Survey {
            folder,
            is_thorough: self.depth == Depth::Thorough,
            ..Survey::default()
        };
        survey.oddities = std::mem::take(&mut self.oddities);
        survey.artifacts = std::mem::take(&mut self.artifacts);
        let contexts = std::mem::take(&mut self.contexts);
        let agents = self
            .files
            .iter()
            .filter(|file| file.0 == Part::Agent)
            .count();
        survey.agents.reserve(agents);
        survey.tasks.reserve(self.files.len() - agents);
        for (part, name, text) in &self.files {
            let text = self.text.get(text.clone()).unwrap_or_default();
            // Names were UTF-8 when the file was taken.
            let name = String::from_utf8_lossy(self.names.get(name.clone()).unwrap_or_default());
            match part {
                Part::Cell => survey.cell = Some(Sheet::read(name, text)),
                Part::Agent => survey.agents.push(Sheet::read(name, text)),
                Part::Task => survey.tasks.push(Sheet::read(name, text)),
                Part::Isolation => survey.isolation = Some(Sheet::read(name, text)),
                Part::Policies => survey.policies = Some(Sheet::read(name, text)),
                Part::Permissions => survey.permissions = Some(Sheet::read(name, text)),
            }
        }
        if survey.is_thorough {
            let of = |id: &str| {
                contexts
                    .iter()
                    .find(|(agent, _)| agent == id)
                    .map(|(_, context)| context.clone())
            };
            survey.contexts = survey
                .agents
                .iter()
                .map(|sheet| of(sheet.stem()).unwrap_or_default())
                .collect();
        }
        survey
    }
}
