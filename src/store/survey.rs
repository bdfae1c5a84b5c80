//! Reads whole cells, fast: one growing buffer a worker, one open and one read a file, nothing copied.
//!
//! Names of one part need no openat2: O_NOFOLLOW beneath an open folder is the same promise for one system call less.

use crate::base::ids::is_id;
use crate::base::text::nearest;
use crate::mission::sheet::Sheet;
use crate::mission::survey::{Context, Oddity, OddityKind, Survey};
use crate::store::folder::Sort;
use crate::store::journal::sha256;
use crate::store::layout;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, retry_on_intr};
use std::ops::Range;

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
    }

    fn read_cell(&mut self, cell: BorrowedFd<'_>) {
        if self.depth == Depth::Thorough {
            self.look_around(cell);
        }
        self.read_file(cell, Part::Cell, "", layout::CELL.as_bytes(), true);
        self.read_all(cell, layout::AGENTS, Part::Agent);
        self.read_all(cell, layout::TASKS, Part::Task);
        self.read_config(cell);
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
            let name = self.names.get(name.clone()).unwrap_or_default().to_vec();
            self.take_entry(held.as_fd(), folder, &name, *sort, part);
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

    fn read_config(&mut self, cell: BorrowedFd<'_>) {
        let Some(held) = self.open_folder(cell, layout::CONFIG) else {
            return;
        };
        for (path, part) in [
            (layout::ISOLATION, Part::Isolation),
            (layout::POLICIES, Part::Policies),
            (layout::PERMISSIONS, Part::Permissions),
        ] {
            let (folder, name) = layout::split(path);
            self.read_file(held.as_fd(), part, folder, name.as_bytes(), false);
        }
    }

    fn read_file(
        &mut self,
        held: BorrowedFd<'_>,
        part: Part,
        folder: &str,
        name: &[u8],
        must: bool,
    ) {
        let opened = with_c_string(name, |name| {
            retry_on_intr(|| rustix::fs::openat(held, name, FILE, Mode::empty()))
        });
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT) if must => return self.odd(folder, name, OddityKind::MissingCell),
            // Another may have removed it between the listing and here.
            Err(Errno::NOENT) => return,
            Err(Errno::LOOP) => return self.odd(folder, name, OddityKind::Link),
            // A socket, or a device that is not there.
            Err(Errno::NXIO) => return self.odd(folder, name, OddityKind::Special),
            Err(error) => return self.odd(folder, name, OddityKind::Unreadable(words(error))),
        };
        if self.depth == Depth::Thorough
            && let Ok(stat) = rustix::fs::fstat(&file)
            && stat.st_mode & 0o002 != 0
        {
            self.odd(
                folder,
                name,
                OddityKind::WorldWritable(stat.st_mode & 0o7777),
            );
        }
        let from = self.text.len();
        match self.fill(&file, from) {
            // Nothing was read: an empty file, or not a file at all.
            Ok(Fill::Empty) => match rustix::fs::fstat(&file) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {}
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                    return self.odd(folder, name, OddityKind::FolderForFile);
                }
                Ok(_) => return self.odd(folder, name, OddityKind::Special),
                Err(error) => return self.odd(folder, name, OddityKind::Unreadable(words(error))),
            },
            Ok(Fill::Whole) => {}
            Ok(Fill::TooLarge) => {
                self.text.truncate(from);
                let size = rustix::fs::fstat(&file).map_or(layout::LARGEST, |stat| {
                    u64::try_from(stat.st_size).unwrap_or(0)
                });
                return self.odd(folder, name, OddityKind::TooLarge(size));
            }
            Ok(Fill::TooMuch) => {
                self.text.truncate(from);
                return self.odd(folder, name, OddityKind::TooMuch);
            }
            Err(Errno::ISDIR) => return self.odd(folder, name, OddityKind::FolderForFile),
            Err(error) => {
                self.text.truncate(from);
                return self.odd(folder, name, OddityKind::Unreadable(words(error)));
            }
        }
        let start = self.names.len();
        if !folder.is_empty() {
            self.names.extend_from_slice(folder.as_bytes());
            self.names.push(b'/');
        }
        self.names.extend_from_slice(name);
        self.files
            .push((part, start..self.names.len(), from..self.text.len()));
    }

    fn fill(&mut self, file: &OwnedFd, from: usize) -> rustix::io::Result<Fill> {
        loop {
            if self.text.capacity() - self.text.len() < ROOM {
                self.text.reserve(ROOM.max(self.text.len() / 2));
            }
            let room = self.text.capacity() - self.text.len();
            let got = retry_on_intr(|| {
                rustix::io::read(file, rustix::buffer::spare_capacity(&mut self.text))
            })?;
            let have = self.text.len() - from;
            if have as u64 > layout::LARGEST {
                return Ok(Fill::TooLarge);
            }
            if self.text.len() > LARGEST_CELL {
                return Ok(Fill::TooMuch);
            }
            if got < room {
                return Ok(if have == 0 { Fill::Empty } else { Fill::Whole });
            }
            // The room was filled to the brim. A file that says it is far too large is not read to the cap.
            if let Ok(stat) = rustix::fs::fstat(file)
                && u64::try_from(stat.st_size).unwrap_or(0) > layout::LARGEST
            {
                return Ok(Fill::TooLarge);
            }
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
            Err(error) => self.no_folder(folder, OddityKind::Unreadable(words(error))),
        }
    }

    fn no_folder(&mut self, folder: &str, kind: OddityKind) -> Option<OwnedFd> {
        self.odd("", folder.as_bytes(), kind);
        None
    }

    /// Lists a folder into `entries`, sorted by name. False if that failed.
    fn list(&mut self, held: BorrowedFd<'_>, folder: &str) -> bool {
        self.entries.clear();
        let mut failed = None;
        let mut raw = RawDir::new(held, self.listing.spare_capacity_mut());
        while let Some(entry) = raw.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let sort = match entry.file_type() {
                FileType::Unknown => {
                    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                    rustix::fs::statat(held, entry.file_name(), flags)
                        .map_or(Sort::Special, |stat| {
                            Sort::of(FileType::from_raw_mode(stat.st_mode))
                        })
                }
                known => Sort::of(known),
            };
            let start = self.names.len();
            self.names.extend_from_slice(name);
            self.entries.push((start..self.names.len(), sort));
        }
        let names = &self.names;
        // By stem, not by name: "a.json" comes before "a-b.json" only with its end cut off.
        let stem = |range: &Range<usize>| {
            let name = names.get(range.clone()).unwrap_or_default();
            name.strip_suffix(layout::JSON.as_bytes()).unwrap_or(name)
        };
        self.entries
            .sort_unstable_by(|one, other| stem(&one.0).cmp(stem(&other.0)));
        if let Some(error) = failed {
            self.odd("", folder.as_bytes(), OddityKind::Unreadable(words(error)));
        }
        failed.is_none()
    }

    /// The cell's own folder: what is missing, what is stray, what everybody may write.
    fn look_around(&mut self, cell: BorrowedFd<'_>) {
        if let Ok(stat) = rustix::fs::fstat(cell)
            && stat.st_mode & 0o002 != 0
        {
            self.odd("", b"", OddityKind::WorldWritable(stat.st_mode & 0o7777));
        }
        let Ok(held) = rustix::fs::openat(cell, ".", FOLDER, Mode::empty()) else {
            return;
        };
        if !self.list(held.as_fd(), "") {
            return;
        }
        let entries = std::mem::take(&mut self.entries);
        for folder in layout::NEEDED_FOLDERS {
            let there = entries
                .iter()
                .any(|(name, _)| self.names.get(name.clone()) == Some(folder.as_bytes()));
            if !there {
                self.odd("", folder.as_bytes(), OddityKind::MissingFolder);
            }
        }
        for (name, sort) in &entries {
            let name = self.names.get(name.clone()).unwrap_or_default().to_vec();
            self.look_at_top(held.as_fd(), &name, *sort);
        }
        self.entries = entries;
        self.look_at_config_names(cell);
    }

    fn look_at_top(&mut self, held: BorrowedFd<'_>, name: &[u8], sort: Sort) {
        if name.starts_with(b".") {
            if name.ends_with(layout::TEMP.as_bytes()) {
                self.odd("", name, OddityKind::LeftTemp);
            }
            return;
        }
        let known = std::str::from_utf8(name).ok();
        let is_folder = known.is_some_and(|name| layout::NEEDED_FOLDERS.contains(&name));
        match (known, sort) {
            (None, _) => self.odd("", name, OddityKind::NameNotUtf8),
            (Some(layout::CELL), _) => {}
            (_, Sort::Folder) if is_folder => {
                if let Some(stat) = with_c_string(name, |name| {
                    rustix::fs::statat(held, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
                })
                .ok()
                    && stat.st_mode & 0o002 != 0
                {
                    self.odd("", name, OddityKind::WorldWritable(stat.st_mode & 0o7777));
                }
            }
            // What agents/, tasks/ and config/ are instead of folders is said when they are opened.
            (Some(layout::AGENTS | layout::TASKS | layout::CONFIG), _) => {}
            (_, Sort::Link) => self.odd("", name, OddityKind::Link),
            (_, Sort::Special) => self.odd("", name, OddityKind::Special),
            (_, Sort::File) if is_folder => self.odd("", name, OddityKind::FileForFolder),
            (Some(known), _) => {
                let like = layout::NEEDED_FOLDERS.into_iter().chain([layout::CELL]);
                let like = nearest(known, like).map(str::to_owned);
                self.odd("", name, OddityKind::Stray(like));
            }
        }
    }

    fn look_at_config_names(&mut self, cell: BorrowedFd<'_>) {
        let Ok(held) = rustix::fs::openat(cell, layout::CONFIG, FOLDER, Mode::empty()) else {
            return;
        };
        if !self.list(held.as_fd(), layout::CONFIG) {
            return;
        }
        let entries = std::mem::take(&mut self.entries);
        let known = [layout::ISOLATION, layout::POLICIES, layout::PERMISSIONS]
            .map(|path| layout::split(path).1);
        for (name, sort) in &entries {
            let name = self.names.get(name.clone()).unwrap_or_default().to_vec();
            match std::str::from_utf8(&name) {
                Ok(text) if known.contains(&text) => {}
                Ok(text) if text.starts_with('.') => {
                    if text.ends_with(layout::TEMP) {
                        self.odd(layout::CONFIG, &name, OddityKind::LeftTemp);
                    }
                }
                Ok(_) if *sort == Sort::Link => self.odd(layout::CONFIG, &name, OddityKind::Link),
                Ok(text) => {
                    let like = nearest(text, known).map(|like| layout::join(layout::CONFIG, like));
                    self.odd(layout::CONFIG, &name, OddityKind::Stray(like));
                }
                Err(_) => self.odd(layout::CONFIG, &name, OddityKind::NameNotUtf8),
            }
        }
        self.entries = entries;
    }

    /// The hash of each agent's context.json, where the folder is there.
    fn look_at_checkpoints(&mut self, cell: BorrowedFd<'_>) {
        let Ok(held) = rustix::fs::openat(cell, layout::CHECKPOINTS, FOLDER, Mode::empty()) else {
            return;
        };
        if !self.list(held.as_fd(), layout::CHECKPOINTS) {
            return;
        }
        let entries = std::mem::take(&mut self.entries);
        for (name, sort) in &entries {
            let name = self.names.get(name.clone()).unwrap_or_default().to_vec();
            let Ok(agent) = std::str::from_utf8(&name) else {
                self.odd(layout::CHECKPOINTS, &name, OddityKind::NameNotUtf8);
                continue;
            };
            if *sort != Sort::Folder {
                continue;
            }
            let mut context = Context {
                hash: None,
                has_folder: true,
            };
            if let Ok(folder) = rustix::fs::openat(held.as_fd(), agent, FOLDER, Mode::empty())
                && let Ok(file) =
                    rustix::fs::openat(folder.as_fd(), "context.json", FILE, Mode::empty())
            {
                let from = self.text.len();
                if let Ok(Fill::Whole | Fill::Empty) = self.fill(&file, from) {
                    context.hash = self.text.get(from..).map(sha256);
                }
                self.text.truncate(from);
            }
            self.contexts.push((agent.to_owned(), context));
        }
        self.entries = entries;
    }

    fn look_at_artifacts(&mut self, cell: BorrowedFd<'_>) {
        let Ok(held) = rustix::fs::openat(cell, layout::ARTIFACTS, FOLDER, Mode::empty()) else {
            return;
        };
        let mut left = MOST_ODDITIES;
        list_files(held.as_fd(), "", 0, &mut left, &mut self.artifacts);
        self.artifacts.sort_unstable();
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

enum Fill {
    Empty,
    Whole,
    TooLarge,
    TooMuch,
}

/// The files beneath a folder, eight deep at most.
fn list_files(
    held: BorrowedFd<'_>,
    prefix: &str,
    depth: usize,
    left: &mut usize,
    files: &mut Vec<String>,
) {
    let mut buffer = Vec::with_capacity(8 << 10);
    let mut raw = RawDir::new(held, buffer.spare_capacity_mut());
    while let Some(Ok(entry)) = raw.next() {
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." || *left == 0 {
            continue;
        }
        *left -= 1;
        let path = layout::join(prefix, name);
        match entry.file_type() {
            FileType::Directory if depth < 8 => {
                if let Ok(folder) = rustix::fs::openat(held, name, FOLDER, Mode::empty()) {
                    list_files(folder.as_fd(), &path, depth + 1, left, files);
                }
            }
            FileType::Directory => {}
            _ => files.push(path),
        }
    }
}

fn words(error: Errno) -> String {
    crate::base::error::in_words(&error.into())
}

/// A name as the system wants it, without an allocation for each of 200,000 files.
fn with_c_string<T>(
    name: &[u8],
    act: impl FnOnce(&std::ffi::CStr) -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    let mut buffer = [0; 256];
    match buffer.get_mut(..name.len()) {
        Some(start) if name.len() < 256 => start.copy_from_slice(name),
        _ => return Err(Errno::NAMETOOLONG),
    }
    std::ffi::CStr::from_bytes_until_nul(&buffer)
        .map_err(|_| Errno::INVAL)
        .and_then(act)
}
