//! FOLDER NAME JOURNAL: one file and one journal line, made to survive a power cut, and nothing
//! else. No lock, no check, no reading: what a durable act costs as a process at the least.
//!
//! The steps are those of docs/mission-cell-spec.md: the temp file created exclusively and
//! fsynced, the journal line appended and fsynced, the rename, the folder fsynced.

use std::fs::{File, OpenOptions, rename};
use std::io::{Result, Write};
use std::path::PathBuf;

const TASK: &str = r#"{
  "task_id": "task_001",
  "title": "One of many",
  "description": "",
  "assigned_to": null,
  "status": "pending",
  "priority": "medium",
  "dependencies": [],
  "timeout": 1800,
  "artifacts": [],
  "created_at": "2025-01-01T00:00:00Z"
}
"#;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, name, journal] = arguments.as_slice() else {
        panic!("FOLDER NAME JOURNAL");
    };
    let temp = folder.join(format!(".{}.tmp", name.display()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temp)?;
    file.write_all(TASK.as_bytes())?;
    file.sync_all()?;
    let line = format!("{{\"temp\":{temp:?},\"file\":{name:?},\"what\":\"task added\"}}\n");
    let mut journal = OpenOptions::new().append(true).open(journal)?;
    journal.write_all(line.as_bytes())?;
    journal.sync_all()?;
    rename(&temp, folder.join(name))?;
    File::open(folder)?.sync_all()
}
