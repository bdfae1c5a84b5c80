//! What of a cell travels. Under the shared lock what commits change is linked aside and the lengths of logs are noted, so
//! that all of it is of one moment; what agents write without the lock is listed afterwards, and read where it lies.

use super::place::{OWN_FILES, OWN_TREES, TOKEN, TREES, is_live};
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::store::cell::OpenCell;
use crate::store::commit::Act;
use crate::store::folder::{Folder, Sort};
use crate::store::incoming::{self, NewFolder};
use crate::store::journal::Journal;
use crate::store::layout;
use crate::store::lock::{self, Wait};
use rustix::fs::{AtFlags, OFlags};
use rustix::io::retry_on_intr;
use std::collections::HashSet;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

/// How often a lock that a writer left half done is mended before this gives up.
const TRIES: usize = 8;

/// What a backup is made of.
#[derive(Debug)]
pub struct Gathered {
    pub(super) aside: NewFolder,
    pub(super) items: Vec<Item>,
    pub(super) journal_head: String,
    /// The mission's name, if cell.json could be read.
    pub mission_name: Option<String>,
    /// What was left out, and why: a sentence each.
    pub notes: Vec<String>,
    /// About how many bytes there are to read.
    pub bytes: u64,
}

/// One entry to come.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) source: Source,
}

/// Where an entry's bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is a folder.
    Folder,
    /// In the folder aside under this name; of a log, so many bytes.
    Aside(String, Option<u64>),
    /// Where it lies.
    Live,
}

/// Gathers what travels. Waits for writers as writers wait for each other (exit 6), and lets them go on when it returns.
pub fn gather(cell: &OpenCell, act: &Act, wait: Wait<'_>) -> Result<Gathered> {
    let folder = cell.folder();
    folder.make_folder(layout::RUNTIME)?;
    let mut tries = 0;
    let held = loop {
        let held = lock::beside_readers(folder, layout::LOCK, wait)?;
        if !held.was_abandoned {
            break held;
        }
        drop(held);
        tries += 1;
        if tries > TRIES {
            return Err(Error::refused(
                "the cell's writers are killed faster than what they leave can be mended",
            )
            .hint("type the command again"));
        }
        // Whoever takes it for writing finishes what was left half done.
        drop(cell.lock_for_writing(act.clone(), wait)?);
    };
    // What killed ones left; what somebody holds stays.
    incoming::sweep(folder)?;
    let journal = Journal::read_end(folder)?;
    let mut gathering = Gathering {
        cell: folder,
        secrets: Secrets::of(cell)?,
        journal_bytes: journal.live_bytes(),
        made: Gathered {
            aside: NewFolder::begin(cell)?,
            items: Vec::new(),
            journal_head: journal.prev().to_owned(),
            mission_name: mission_name(folder)?,
            notes: Vec::new(),
            bytes: 0,
        },
        live: Vec::new(),
    };
    gathering.top()?;
    drop(held);
    for live in std::mem::take(&mut gathering.live) {
        gathering.tree(&live, true)?;
    }
    let mut made = gathering.made;
    made.items.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(made)
}

struct Gathering<'c> {
    cell: &'c Folder,
    secrets: Secrets,
    journal_bytes: u64,
    made: Gathered,
    /// Folders to be listed without the lock.
    live: Vec<String>,
}

impl Gathering<'_> {
    fn top(&mut self) -> Result<()> {
        for entry in self.cell.list("")?.unwrap_or_default() {
            let Some(name) = self.name("", &entry.name) else {
                continue;
            };
            match entry.sort {
                Sort::Folder if name == layout::RUNTIME => self.own()?,
                Sort::Folder if TREES.contains(&&*name) && is_live(&name) => self.live.push(name),
                Sort::Folder if TREES.contains(&&*name) => self.tree(&name, false)?,
                Sort::File if name == layout::CELL => self.file(name, false)?,
                _ if is_temp(&name) => {}
                _ => self.note(&name, "it is no part of a cell"),
            }
        }
        Ok(())
    }

    fn own(&mut self) -> Result<()> {
        self.folder(layout::RUNTIME);
        for entry in self.cell.list(layout::RUNTIME)?.unwrap_or_default() {
            let Ok(name) = std::str::from_utf8(&entry.name) else {
                continue;
            };
            let path = layout::join(layout::RUNTIME, name);
            match entry.sort {
                Sort::Folder if OWN_TREES.contains(&&*path) => self.tree(&path, false)?,
                Sort::File if OWN_FILES.contains(&&*path) => self.file(path, false)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn tree(&mut self, beneath: &str, live: bool) -> Result<()> {
        let Some(entries) = self.cell.list(beneath)? else {
            return Ok(());
        };
        self.folder(beneath);
        for entry in entries {
            let Some(name) = self.name(beneath, &entry.name) else {
                continue;
            };
            let path = layout::join(beneath, &name);
            match entry.sort {
                _ if !live && is_temp(&name) => {}
                Sort::Folder if !live && is_live(&path) => self.live.push(path),
                Sort::Folder if path.ends_with(TOKEN) => {
                    self.note(&path, "it is named as a secret");
                }
                Sort::Folder => self.tree(&path, live)?,
                Sort::File => self.file(path, live)?,
                sort => self.note(&path, &format!("it is a {}", sort.word())),
            }
        }
        Ok(())
    }

    fn folder(&mut self, path: &str) {
        self.made.items.push(Item {
            path: path.to_owned(),
            source: Source::Folder,
        });
    }

    fn file(&mut self, path: String, live: bool) -> Result<()> {
        if path.ends_with(TOKEN) {
            self.note(&path, "it is named as a secret");
            return Ok(());
        }
        let Some(stat) = self.cell.stat(&path)? else {
            return Ok(());
        };
        if self.secrets.has(&path, (stat.st_dev, stat.st_ino)) {
            self.note(&path, "it holds the environment of an agent");
            return Ok(());
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let source = if live {
            Source::Live
        } else {
            let name = self.made.items.len().to_string();
            if !self.put_aside(&path, &name)? {
                return Ok(());
            }
            let length = match path.as_str() {
                layout::JOURNAL => Some(self.journal_bytes),
                _ if layout::split(&path).0 == layout::LOGS => Some(size),
                _ => None,
            };
            Source::Aside(name, length)
        };
        self.made.bytes += size;
        self.made.items.push(Item { path, source });
        Ok(())
    }

    /// Links a file aside; where links cannot be made, copies it. False if it is gone.
    fn put_aside(&self, path: &str, name: &str) -> Result<bool> {
        let (parent, file_name) = layout::split(path);
        let parent = self.cell.folder_there(parent)?;
        let aside = self.made.aside.folder().handle();
        let linked = retry_on_intr(|| {
            rustix::fs::linkat(parent.handle(), file_name, aside, name, AtFlags::empty())
        });
        if linked.is_ok() {
            return Ok(true);
        }
        let Some((file, _)) = self.cell.open_file(path, OFlags::RDONLY)? else {
            return Ok(false);
        };
        self.made.aside.copy(name, &File::from(file))?;
        Ok(true)
    }

    fn name(&mut self, beneath: &str, name: &[u8]) -> Option<String> {
        match std::str::from_utf8(name) {
            Ok(name) => Some(name.to_owned()),
            Err(_) => {
                let path = layout::join(beneath, &String::from_utf8_lossy(name));
                self.note(&path, "its name is not UTF-8");
                None
            }
        }
    }

    fn note(&mut self, path: &str, why: &str) {
        let note = format!("left out {}: {why}", shown(path));
        self.made.notes.push(note);
    }
}

/// The files that agents get their environment from: by path, and by what lies there, links followed.
struct Secrets {
    paths: HashSet<PathBuf>,
    files: HashSet<(u64, u64)>,
}

impl Secrets {
    fn of(cell: &OpenCell) -> Result<Self> {
        let mut secrets = Secrets {
            paths: HashSet::new(),
            files: HashSet::new(),
        };
        for id in cell.agent_ids()? {
            // Read loosely: a record that is not as it should be may still name one.
            let text = cell.folder().read(&layout::agent(&id))?.unwrap_or_default();
            let record: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
            let run = record.get("run");
            let word = |name| run?.get(name)?.as_str();
            let Some(env_file) = word("env_file") else {
                continue;
            };
            let cwd =
                word("cwd").map_or_else(|| cell.path().to_owned(), |cwd| cell.path().join(cwd));
            for place in [cwd.join(env_file), cell.path().join(env_file)] {
                if let Ok(stat) = retry_on_intr(|| rustix::fs::stat(&place)) {
                    secrets.files.insert((stat.st_dev, stat.st_ino));
                }
                if let Ok(beneath) = clean(&place).strip_prefix(clean(cell.path())) {
                    secrets.paths.insert(beneath.to_owned());
                }
            }
        }
        Ok(secrets)
    }

    fn has(&self, path: &str, file: (u64, u64)) -> bool {
        self.files.contains(&file) || self.paths.contains(Path::new(path))
    }
}

/// A path without "." and "..", by its words alone.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// Read loosely: a cell that is not as it should be can be backed up too.
fn mission_name(cell: &Folder) -> Result<Option<String>> {
    let text = cell.read(layout::CELL)?.unwrap_or_default();
    let record: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let name = record.get("mission_name").and_then(|name| name.as_str());
    Ok(name.map(str::to_owned))
}

fn is_temp(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(layout::TEMP)
}
