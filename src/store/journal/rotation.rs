//! Which files a journal is made of, and how one more begins.

use crate::base::error::Result;
use crate::store::folder::Folder;
use crate::store::layout;

/// How long the live file grows unless somebody says otherwise: 16 MiB.
pub const USUAL_MOST: u64 = 16 << 20;
/// The environment variable that says otherwise, in bytes.
pub const KNOB: &str = "MCELL_JOURNAL_MAX";

/// The rotated files of a journal, oldest first.
pub(super) fn rotated(cell: &Folder) -> Result<Vec<String>> {
    let numbers = numbers(cell)?.into_iter();
    Ok(numbers.map(layout::rotated_journal).collect())
}

/// Gives the live file the next number and makes that durable. Only then may a new one begin: a power cut must not keep the
/// new file and lose the old one's name.
pub(super) fn rotate(cell: &Folder) -> Result<()> {
    let mut number = numbers(cell)?.last().map_or(1, |last| last + 1);
    while !cell.rename_new(layout::JOURNAL, cell, &layout::rotated_journal(number))? {
        number += 1;
    }
    cell.folder_there(layout::LOGS)?.sync()
}

fn numbers(cell: &Folder) -> Result<Vec<u64>> {
    let names = cell.list(layout::LOGS)?.unwrap_or_default();
    let mut numbers: Vec<u64> = names
        .iter()
        .filter_map(|entry| layout::rotated_number(std::str::from_utf8(&entry.name).ok()?))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}
