//! One commit record for every change: temps written and fsynced; one journal line that names them, fsynced, which is the
//! commit; then the renames and one fsync a folder. The next writer finishes or forgets what a crash left.

mod discard;
mod place;
mod recover;
mod stage;

use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::store::cell::OpenCell;
use crate::store::folder::{Folder, Rights};
use crate::store::incoming::{Incoming, hash_of};
use crate::store::journal::{Change, Journal, Line, sha256, tell_mission_log};
use crate::store::layout;
use crate::store::lock::Held;
use serde::Serialize;
use stage::{After, Staged};

/// Who does what, and why: what the journal says of a change.
#[derive(Clone, Debug)]
pub struct Act {
    /// The command: "task set".
    pub name: &'static str,
    /// An operator's name or an agent's id.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why, where somebody said so.
    pub why: Option<String>,
    /// The request that it is part of: the same in every line of one command.
    pub request: Option<String>,
}

/// The write lock of a cell: the only way to change it. What is put is staged; nothing is there until `commit`.
#[derive(Debug)]
pub struct Writing<'c> {
    cell: &'c OpenCell,
    held: Held,
    act: Act,
    journal: Journal,
    staged: Vec<Staged>,
    /// What was made beforehand for what is staged.
    made: Vec<Incoming>,
    /// The highest fencing token given so far, which every line carries on.
    token: u64,
    /// What was mended on the way in, for people.
    pub mended: Vec<String>,
}

impl<'c> Writing<'c> {
    /// Goes on from a lock just taken: mends what a killed writer left.
    pub(crate) fn begin(cell: &'c OpenCell, held: Held, act: Act) -> Result<Self> {
        let journal = Journal::read_end(cell.folder())?;
        let token = journal.last.as_ref().and_then(|line| line.token);
        let mut writing = Writing {
            cell,
            held,
            act,
            journal,
            token: token.unwrap_or(0),
            staged: Vec::new(),
            made: Vec::new(),
            mended: Vec::new(),
        };
        let cut = writing.journal.cut_torn_line(cell.folder())?;
        if cut {
            writing.mended.push(format!(
                "cut a line of {} that a crash left without its end",
                layout::JOURNAL
            ));
        }
        // Whatever the lock's note says: it is not fsynced, and a disk that was cut off under a running system may show an
        // older one. The line and its temps are.
        let finished = writing.finish_last_line()?;
        if finished || cut || writing.held.was_abandoned {
            writing.sweep_temps()?;
        } else {
            recover::sweep_made(cell.folder())?;
        }
        writing.held.half_done = false;
        Ok(writing)
    }

    /// The cell.
    pub fn cell(&self) -> &'c OpenCell {
        self.cell
    }

    /// Says when the act is done: once the lock is held, so that times in the journal never run backwards.
    pub fn at(&mut self, now: Time) {
        self.act.at = now;
    }

    /// Says how many bytes the live file of the journal may have before a new one begins.
    pub fn rotate_journal_beyond(&mut self, most: u64) {
        self.journal.rotate_beyond(most);
    }

    /// The act's moment.
    pub fn now(&self) -> Time {
        self.act.at
    }

    /// The act.
    pub fn act(&self) -> &Act {
        &self.act
    }

    /// The highest fencing token that this cell's journal knows of.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Notes that a fencing token is given: the next line says so.
    pub fn give_token(&mut self, token: u64) {
        self.token = self.token.max(token);
    }

    /// Makes what is staged true, all of it or nothing, and says `what` in the journal. Nothing staged: nothing happens.
    /// The lock stays held for more.
    pub fn commit(&mut self, what: &str) -> Result<()> {
        if !self.changes_anything() {
            return Ok(());
        }
        let staged = std::mem::take(&mut self.staged);
        let mut made = std::mem::take(&mut self.made);
        self.held.half_done = true;
        let changes = match self.write_temps(&staged) {
            Ok(changes) => changes,
            Err(error) => {
                self.held.half_done = self.sweep_temps().is_err();
                return Err(error);
            }
        };
        let line = self.line(what, changes);
        // From here on only who moves them may remove them.
        made.iter_mut().for_each(Incoming::take);
        drop(made);
        if let Err(error) = self.journal.append(self.cell.folder(), &line) {
            if error.kind() != Kind::OutcomeUnknown {
                self.held.half_done = self.sweep_temps().is_err();
            }
            return Err(error);
        }
        self.put_in_place(&line)?;
        self.held.half_done = false;
        tell_mission_log(self.cell.folder(), &line);
        Ok(())
    }

    /// Says in the journal what was done that is no change of files: a folder made, the cell moved to the trash.
    pub fn note(&mut self, what: &str) -> Result<()> {
        let line = self.line(what, Vec::new());
        self.journal.append(self.cell.folder(), &line)?;
        tell_mission_log(self.cell.folder(), &line);
        Ok(())
    }

    fn line(&self, what: &str, files: Vec<Change>) -> Line {
        Line {
            at: self.act.at,
            by: self.act.by.clone(),
            act: self.act.name.to_owned(),
            what: what.to_owned(),
            why: self.act.why.clone(),
            request: self.act.request.clone(),
            token: (self.token > 0).then_some(self.token),
            files,
            prev: self.journal.prev().to_owned(),
        }
    }

    /// Makes what is staged true as another act than the one the lock was taken for: what is due whoever comes first.
    pub fn commit_as(&mut self, act: Act, what: &str) -> Result<()> {
        let own = std::mem::replace(&mut self.act, act);
        let done = self.commit(what);
        self.act = own;
        done
    }

    fn write_temps(&self, staged: &[Staged]) -> Result<Vec<Change>> {
        let folder = self.cell.folder();
        let mut changes = Vec::with_capacity(staged.len());
        for (number, item) in staged.iter().enumerate() {
            let (parent, name) = layout::split(&item.file);
            let before = match &item.before {
                Some(text) => Some(sha256(text)),
                None => hash_of(folder, &item.file)?,
            };
            make_place(folder, parent)?;
            let temp = || {
                let name = format!(".{name}.{}-{number}{}", std::process::id(), layout::TEMP);
                if layout::WRITTEN_FOLDERS.contains(&parent) {
                    return Ok(layout::join(parent, &name));
                }
                folder.make_folder(layout::INCOMING)?;
                Ok::<_, Error>(layout::join(layout::INCOMING, &name))
            };
            let write = |text: &[u8]| -> Result<String> {
                let temp = temp()?;
                folder.write_new(&temp, text, self.rights_for(&item.file, parent)?)?;
                Ok(temp)
            };
            let (temp, trash, after) = match &item.after {
                // Empty: as long as it is there, the file is still to go. Nothing else would tell a file that was not
                // moved yet from one that somebody took out of the trash again.
                After::Trash(trash) => (write(&[])?, Some(trash.clone()), None),
                After::Gone => (write(&[])?, None, None),
                After::Text(text) => (write(text)?, None, Some(sha256(text))),
                After::Made { temp, sha256 } => (temp.clone(), None, Some(sha256.clone())),
            };
            changes.push(Change {
                file: item.file.clone(),
                temp: Some(temp),
                trash,
                before,
                after,
            });
        }
        Ok(changes)
    }

    /// What is replaced keeps owner, group and mode; what is new takes those of its folder.
    fn rights_for(&self, file: &str, parent: &str) -> Result<Rights> {
        let folder = self.cell.folder();
        if let Some(rights) = folder.rights(file)? {
            return Ok(rights);
        }
        let parent_rights = folder
            .rights(parent)?
            .ok_or_else(|| Error::not_found(format!("there is no folder {parent}")))?;
        Ok(parent_rights.for_file())
    }
}

/// Makes the folders of a path, parents first.
pub(crate) fn make_path(folder: &Folder, path: &str) -> Result<()> {
    let mut at = 0;
    while let Some(next) = path.get(at..).filter(|rest| !rest.is_empty()) {
        let end = at + next.find('/').unwrap_or(next.len());
        folder.make_folder(path.get(..end).unwrap_or(path))?;
        at = end + 1;
    }
    Ok(())
}

/// The same under the lock: what is on its way to its name lies where the next writer sweeps.
fn make_place(folder: &Folder, path: &str) -> Result<()> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let part = path.get(..end).unwrap_or(path);
        if part.is_empty() || layout::WRITTEN_FOLDERS.contains(&layout::split(part).0) {
            make_path(folder, part)?;
        } else if folder.stat(part)?.is_none() {
            make_path(folder, layout::INCOMING)?;
            folder.make_folder_by(layout::INCOMING, part, None)?;
        }
    }
    Ok(())
}

/// A record as a new file has it: two spaces, and a line end at the end.
pub fn pretty<T: Serialize>(record: &T) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(record)
        .map_err(|error| Error::bug(format!("a record cannot be written: {error}")))?;
    text.push(b'\n');
    Ok(text)
}
