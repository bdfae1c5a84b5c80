//! The thorough look: what is missing or stray, whom a file is open to, checkpoints and artifacts.

use super::take::{Fill, with_c_string};
use super::{FILE, FOLDER, MOST_ODDITIES, Surveyor};
use crate::base::text::nearest;
use crate::mission::survey::{Context, OddityKind};
use crate::store::folder::Sort;
use crate::store::journal::sha256;
use crate::store::layout;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, Mode, RawDir};

impl Surveyor {
    /// The cell's own folder: what is missing, what is stray, what everybody may write.
    pub(super) fn look_around(&mut self, cell: BorrowedFd<'_>) {
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
    pub(super) fn look_at_checkpoints(&mut self, cell: BorrowedFd<'_>) {
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

    pub(super) fn look_at_artifacts(&mut self, cell: BorrowedFd<'_>) {
        let Ok(held) = rustix::fs::openat(cell, layout::ARTIFACTS, FOLDER, Mode::empty()) else {
            return;
        };
        let mut left = MOST_ODDITIES;
        list_files(held.as_fd(), "", 0, &mut left, &mut self.artifacts);
        self.artifacts.sort_unstable();
    }
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
