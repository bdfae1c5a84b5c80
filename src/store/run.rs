//! The files of an agent's run: the lock that its runner holds for life, and what that says of it (docs/mission-cell-spec.md).

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::mission::run::RunNote;
use crate::store::commit::pretty;
use crate::store::folder::Folder;
use crate::store::layout;
use crate::store::lock::{self, Held, Wait};
use rustix::fs::OFlags;
use std::fs::File;
use std::time::Duration;

/// How long a runner waits for its lock: whoever looks whether it is held has it for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes the lock that proves an agent's life (exit 6 if another runner has it).
pub fn hold(cell: &Folder, agent: &AgentId) -> Result<Held> {
    cell.make_folder(layout::RUNTIME)?;
    cell.make_folder(layout::RUN)?;
    let wait = Wait {
        patience: PATIENCE,
        ..Wait::quietly("run")
    };
    let held = lock::exclusive(cell, &layout::run_lock(agent), wait)?;
    // The note is written by who has this lock.
    sweep(cell, &[layout::run_lock(agent), layout::run_note(agent)])?;
    Ok(held)
}

/// Takes the lock of whoever starts, stops or revives an agent: never two act on one.
pub fn act(cell: &Folder, agent: &AgentId, wait: Wait<'_>) -> Result<Held> {
    cell.make_folder(layout::RUNTIME)?;
    cell.make_folder(layout::RUN)?;
    let held = lock::exclusive(cell, &layout::run_act(agent), wait)?;
    sweep(cell, &[layout::run_act(agent)])?;
    Ok(held)
}

/// Removes what was left by who was killed while it made one of these files; they are there now.
fn sweep(cell: &Folder, files: &[String]) -> Result<()> {
    for entry in cell.list(layout::RUN)?.unwrap_or_default() {
        let Ok(name) = std::str::from_utf8(&entry.name) else {
            continue;
        };
        let is_temp_of = |file: &String| {
            let rest = name.strip_prefix('.');
            let rest = rest.and_then(|rest| rest.strip_prefix(layout::split(file).1));
            rest.is_some_and(|rest| rest.starts_with('.') && rest.ends_with(layout::TEMP))
        };
        if files.iter().any(is_temp_of) {
            cell.remove_file(&layout::join(layout::RUN, name))?;
        }
    }
    Ok(())
}

/// Whether an agent lives: something holds its runner's lock.
pub fn lives(cell: &Folder, agent: &AgentId) -> Result<bool> {
    lock::is_held(cell, &layout::run_lock(agent))
}

/// Whether somebody starts, stops or revives an agent just now.
pub fn is_in_hand(cell: &Folder, agent: &AgentId) -> Result<bool> {
    lock::is_held(cell, &layout::run_act(agent))
}

/// Who holds an agent's lock, in words; none if that cannot be told.
pub fn holder(cell: &Folder, agent: &AgentId) -> Option<String> {
    let opened = cell.open_file(&layout::run_lock(agent), OFlags::RDONLY);
    let (file, _) = opened.ok()??;
    Some(lock::holder(&File::from(file)))
}

/// What is said of an agent's present run, or its last; none if it never ran.
pub fn read(cell: &Folder, agent: &AgentId) -> Result<Option<RunNote>> {
    let file = layout::run_note(agent);
    let Some(text) = cell.read(&file)? else {
        return Ok(None);
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        let path = cell.path_of(&file);
        Error::malformed(format!("{} cannot be read: {error}", path.display()))
            .hint("if nothing of the agent runs any more, move the file away and try again")
    })
}

/// Whether a note is to outlive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// How it ended.
    Yes,
    /// That it runs: after a power cut it does not.
    No,
}

/// Replaces what is said of an agent's run. Its runner alone writes it.
pub fn write(cell: &Folder, agent: &AgentId, note: &RunNote, sync: Sync) -> Result<()> {
    let file = layout::run_note(agent);
    let text = pretty(note)?;
    match sync {
        Sync::Yes => cell.replace(&file, &text, cell.rights_for_files(&file)?),
        Sync::No => cell.replace_unsynced(&file, &text),
    }
}
