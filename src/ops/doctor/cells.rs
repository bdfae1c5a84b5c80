//! Every cell's rights. Nothing is started from what neither the caller nor root owns, nor from what more than the root's
//! group may write.

use super::{Caller, Check, group_name, user_name};
use crate::base::error::Result;
use crate::base::text::{count, quoted};
use crate::store::folder::{Folder, Rights, Sort};
use crate::store::layout;
use crate::store::root::Root;
use rustix::fs::OFlags;
use std::path::{Path, PathBuf};

const NAME: &str = "cells";

/// What was found in all cells together: how much, and one to show.
#[derive(Default)]
struct Found {
    /// Owned by someone else.
    foreign: Vec<(PathBuf, u32)>,
    /// Writable by everyone.
    open: Vec<PathBuf>,
    /// Writable by a group that is not the root's.
    other_group: Vec<(PathBuf, u32)>,
    /// A lock that cannot be opened for writing.
    closed: Vec<PathBuf>,
    /// What cannot be looked at.
    unseen: Vec<String>,
}

pub(super) fn look(root: &Root, rights: Rights, caller: &Caller, checks: &mut Vec<Check>) {
    let ids = match root.cell_ids() {
        Ok(ids) => ids,
        Err(error) => return checks.push(Check::unknown(NAME, &error)),
    };
    let mut found = Found::default();
    for id in &ids {
        let looked = root
            .folder()
            .folder(id.as_str())
            .and_then(|cell| match cell {
                Some(cell) => look_at(&cell, rights, caller, &mut found),
                None => Ok(()),
            });
        if let Err(error) = looked {
            found.unseen.push(error.message().to_owned());
        }
    }
    let before = checks.len();
    found.say(root.path(), rights, caller, checks);
    if checks.len() == before {
        checks.push(Check::ok(
            NAME,
            format!("{}, all rights as they should be", count(ids.len(), "cell")),
        ));
    }
}

fn look_at(cell: &Folder, root: Rights, caller: &Caller, found: &mut Found) -> Result<()> {
    let mut judge = |beneath: &str| -> Result<()> {
        let Some(rights) = cell.rights(beneath)? else {
            return Ok(());
        };
        let path = || cell.path_of(beneath);
        if !caller.trusts(rights.owner) {
            found.foreign.push((path(), rights.owner));
        }
        if rights.mode & 0o002 != 0 {
            found.open.push(path());
        } else if rights.mode & 0o020 != 0 && rights.group != root.group {
            found.other_group.push((path(), rights.group));
        }
        Ok(())
    };
    judge("")?;
    judge(layout::CELL)?;
    for folder in [
        layout::AGENTS,
        layout::TASKS,
        layout::CONFIG,
        layout::RUNTIME,
    ] {
        // A link is not followed, so its target's rights are nothing to us; validate names it.
        let Ok(Some(entries)) = cell.list(folder) else {
            continue;
        };
        judge(folder)?;
        for entry in entries.iter().filter(|entry| entry.sort != Sort::Link) {
            if let Ok(name) = std::str::from_utf8(&entry.name) {
                judge(&layout::join(folder, name))?;
            }
        }
    }
    if cell.open_file(layout::LOCK, OFlags::RDWR).is_err() {
        found.closed.push(cell.path_of(layout::LOCK));
    }
    Ok(())
}

impl Found {
    fn say(&self, base: &Path, root: Rights, caller: &Caller, checks: &mut Vec<Check>) {
        if let Some((first, owner)) = self.foreign.first() {
            let why = format!(
                "{} to neither you nor root, as {} to {}: nothing would be started from there",
                belong(self.foreign.len()),
                first.display(),
                user_name(*owner)
            );
            let check = if caller.is_root() {
                // A daemon of root's runs an agent as the owner of its cell.
                Check::warning(NAME, why)
            } else {
                Check::problem(NAME, why)
            };
            let cells = self.foreign.iter().map(|(path, _)| path);
            let begin = format!("sudo chown -R {}", caller.name);
            checks.push(for_each_cell(check, &begin, cells, base));
        }
        if let Some(first) = self.open.first() {
            let why = format!(
                "everyone may write {}, as {}: nothing would be started from there",
                count(self.open.len(), "thing"),
                first.display()
            );
            let check = Check::problem(NAME, why);
            checks.push(for_each_cell(check, "chmod -R o-w", self.open.iter(), base));
        }
        if let Some((first, group)) = self.other_group.first() {
            let why = format!(
                "a group that is not the root's may write {}, as {} {}: nothing would be started from there",
                count(self.other_group.len(), "thing"),
                group_name(*group),
                first.display()
            );
            let begin = format!("chgrp -R {}", group_name(root.group));
            let cells = self.other_group.iter().map(|(path, _)| path);
            checks.push(for_each_cell(
                Check::problem(NAME, why),
                &begin,
                cells,
                base,
            ));
        }
        if let Some(first) = self.closed.first() {
            let why = format!(
                "you may look at {} and not change {}: {} cannot be opened for writing",
                count(self.closed.len(), "cell"),
                if self.closed.len() == 1 { "it" } else { "them" },
                first.display()
            );
            checks.push(Check::warning(NAME, why).command(format!("ls -l {}", shown(first))));
        }
        if let Some(first) = self.unseen.first() {
            let more = self.unseen.len() - 1;
            let rest = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            let check = Check::new(NAME, super::Verdict::Unknown, format!("{first}{rest}"));
            checks.push(check.command("sudo mcell doctor"));
        }
    }
}

fn belong(number: usize) -> String {
    if number == 1 {
        String::from("1 thing belongs")
    } else {
        format!("{number} things belong")
    }
}

/// The most cells for which a command is shown.
const MOST: usize = 3;

/// Adds the command for the first few cells that have such a path, each of them whole.
fn for_each_cell<'p>(
    mut check: Check,
    begin: &str,
    paths: impl Iterator<Item = &'p PathBuf>,
    base: &Path,
) -> Check {
    let ids = paths.filter_map(|path| path.strip_prefix(base).ok()?.components().next());
    let mut cells: Vec<PathBuf> = ids.map(|id| base.join(id)).collect();
    cells.dedup();
    for cell in cells.iter().take(MOST) {
        check = check.command(format!("{begin} {}", shown(cell)));
    }
    if cells.len() > MOST {
        let more = count(cells.len() - MOST, "more cell");
        check.why = format!("{} ({more} not shown)", check.why);
    }
    check
}

fn shown(path: &Path) -> String {
    quoted(&path.display().to_string())
}
