//! JOURNAL FILE…: these files replaced and one journal line, made to survive a power cut, and nothing else. No lock, no
//! check, no reading: what a durable act on several files costs as a process at the least.
//!
//! The steps are those of docs/mission-cell-spec.md: each temp created exclusively and fsynced, the journal line appended
//! and fsynced, the renames, each folder fsynced once.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, rename};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let journal = arguments.next().expect("JOURNAL FILE…");
    let files: Vec<PathBuf> = arguments.collect();
    // About as long as a task, an agent and the counters are.
    let text = "{\"key\": \"value\"}\n".repeat(20);
    let temp = |file: &Path| file.with_extension("tmp");
    for file in &files {
        let mut out = OpenOptions::new().write(true).create_new(true).open(temp(file))?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
    }
    let mut journal = OpenOptions::new().append(true).open(journal)?;
    journal.write_all(format!("{{\"files\":{files:?},\"what\":\"a task taken\"}}\n").as_bytes())?;
    journal.sync_all()?;
    for file in &files {
        rename(temp(file), file)?;
    }
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
