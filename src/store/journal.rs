//! The journal: one line a change, appended and fsynced. The line is the commit (docs/mission-cell-spec.md).

use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::text::shown;
use crate::store::folder::{Folder, write_all};
use crate::store::layout;
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One line of `logs/journal.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Time,
    /// Who: an operator's name or an agent's id.
    pub by: String,
    /// Which command: "task set".
    pub act: String,
    /// What it did, in a sentence.
    pub what: String,
    /// Why, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The request that it is part of: the same in every line of one command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The highest fencing token given in this cell so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// The files it changes.
    pub files: Vec<Change>,
    /// SHA-256 of the line before, in hex; empty for the first.
    pub prev: String,
}

/// One file of a change. Paths are relative to the cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The file.
    pub file: String,
    /// The temp that takes its place; of a removal an empty one, which goes when the removal is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temp: Option<String>,
    /// Where it goes in the root's trash, relative to the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash: Option<String>,
    /// SHA-256 of what was there, in hex; absent for a new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// SHA-256 of what is there then, in hex; absent for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The end of a journal, read under the exclusive lock.
#[derive(Debug)]
pub struct Journal {
    /// The last whole line, if it can be read.
    pub last: Option<Line>,
    prev: String,
    whole: u64,
    torn: bool,
    /// What `prev` and `last` were before the line just appended, and its length.
    before: Option<(String, Option<Line>, u64)>,
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    hex
}

impl Journal {
    /// Reads the end of a cell's journal; one that is not there is empty.
    pub fn read_end(cell: &Folder) -> Result<Self> {
        let Some((file, stat)) = cell.open_file(layout::JOURNAL, OFlags::RDONLY)? else {
            return Ok(Journal {
                last: None,
                prev: String::new(),
                whole: 0,
                torn: false,
                before: None,
            });
        };
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        let mut window = 4096;
        loop {
            let from = length.saturating_sub(window);
            let text = read_range(&file, from, length)
                .map_err(|error| cell.trouble("read", layout::JOURNAL, error))?;
            let end = memchr::memrchr(b'\n', &text).map(|at| at + 1);
            let start = end
                .and_then(|end| memchr::memrchr(b'\n', text.get(..end - 1)?))
                .map(|at| at + 1);
            match (start, end) {
                // Not a whole line in the window, and more before it.
                (None, _) if from > 0 => window *= 4,
                (start, Some(end)) => {
                    let line = text.get(start.unwrap_or(0)..end - 1).unwrap_or_default();
                    return Ok(Journal {
                        last: serde_json::from_slice(line).ok(),
                        prev: sha256(line),
                        whole: from + end as u64,
                        torn: from + (end as u64) < length,
                        before: None,
                    });
                }
                (_, None) => {
                    return Ok(Journal {
                        last: None,
                        prev: String::new(),
                        whole: 0,
                        torn: length > 0,
                        before: None,
                    });
                }
            }
        }
    }

    /// Cuts a line that a crash left without its end. Tells whether there was one.
    pub fn cut_torn_line(&mut self, cell: &Folder) -> Result<bool> {
        if !self.torn {
            return Ok(false);
        }
        if let Some((file, _)) = cell.open_file(layout::JOURNAL, OFlags::WRONLY)? {
            truncate(&file, self.whole)
                .map_err(|error| cell.trouble("mend", layout::JOURNAL, error))?;
        }
        self.torn = false;
        Ok(true)
    }

    /// The hash that the next line carries.
    pub fn prev(&self) -> &str {
        &self.prev
    }

    /// How many bytes its whole lines have.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Appends a line and fsyncs it: the commit. A failure leaves the journal as it was, or says that nobody knows.
    pub fn append(&mut self, cell: &Folder, line: &Line) -> Result<()> {
        let mut text = serde_json::to_vec(line)
            .map_err(|error| Error::bug(format!("a journal line cannot be written: {error}")))?;
        let hash = sha256(&text);
        text.push(b'\n');
        let file = open_for_append(cell, layout::JOURNAL)?;
        if let Err(error) = write_all(&file, &text) {
            truncate(&file, self.whole).map_err(|again| unknown(cell, again))?;
            return Err(cell.trouble("write", layout::JOURNAL, error));
        }
        retry_on_intr(|| rustix::fs::fsync(&file)).map_err(|error| unknown(cell, error))?;
        self.whole += text.len() as u64;
        let prev = std::mem::replace(&mut self.prev, hash);
        let last = self.last.replace(line.clone());
        self.before = Some((prev, last, text.len() as u64));
        Ok(())
    }

    /// Takes the line just appended back, as long as nothing of what it promises was done.
    pub fn take_back(&mut self, cell: &Folder) -> Result<()> {
        let Some((prev, last, length)) = self.before.take() else {
            return Ok(());
        };
        let journal = cell
            .open_file(layout::JOURNAL, OFlags::WRONLY)
            .map_err(|error| error.of_kind(Kind::OutcomeUnknown).hint(LOOK))?;
        if let Some((file, _)) = journal {
            truncate(&file, self.whole - length).map_err(|error| unknown(cell, error))?;
        }
        self.whole -= length;
        self.prev = prev;
        self.last = last;
        Ok(())
    }
}

/// Appends a readable line to `logs/mission.log`. It is told afterwards, so nothing depends on it.
pub fn tell_mission_log(cell: &Folder, line: &Line) {
    if let Ok(file) = open_for_append(cell, layout::MISSION_LOG) {
        // A line that is told when it is finished was read from the journal, and may hold anything.
        let [by, act, what] = [&line.by, &line.act, &line.what].map(|text| shown(text));
        let text = format!("{} {by} {act}: {what}\n", line.at);
        let _ = write_all(&file, text.as_bytes());
    }
}

fn open_for_append(cell: &Folder, path: &str) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::APPEND;
    if let Some((file, _)) = cell.open_file(path, flags)? {
        return Ok(file);
    }
    cell.make_file(path)?;
    let opened = cell.open_file(path, flags)?;
    opened
        .map(|(file, _)| file)
        .ok_or_else(|| cell.trouble("make", path, Errno::NOENT))
}

fn truncate(file: &OwnedFd, length: u64) -> rustix::io::Result<()> {
    retry_on_intr(|| rustix::fs::ftruncate(file, length))?;
    retry_on_intr(|| rustix::fs::fsync(file))
}

fn read_range(file: &OwnedFd, from: u64, to: u64) -> rustix::io::Result<Vec<u8>> {
    let mut text = vec![0; usize::try_from(to - from).unwrap_or(usize::MAX)];
    let mut filled = 0;
    while let Some(rest) = text.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let got = retry_on_intr(|| rustix::io::pread(file, &mut *rest, from + filled as u64))?;
        if got == 0 {
            break;
        }
        filled += got;
    }
    text.truncate(filled);
    Ok(text)
}

fn unknown(cell: &Folder, error: Errno) -> Error {
    cell.trouble("make durable", layout::JOURNAL, error)
        .of_kind(Kind::OutcomeUnknown)
        .hint(LOOK)
}

const LOOK: &str = "the change may have happened or not; look, then type the command again: the next one first finishes or forgets it";

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the trees they read")]
mod tests {
    use super::*;

    fn line(what: &str, prev: &str) -> Line {
        let at = Time::parse("2026-01-02T03:04:05Z").unwrap();
        Line {
            at,
            by: "ana".into(),
            act: "test".into(),
            what: what.into(),
            why: None,
            request: None,
            token: None,
            files: Vec::new(),
            prev: prev.into(),
        }
    }

    fn cell() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("logs")).unwrap();
        let folder = Folder::open(place.path()).unwrap().unwrap();
        (place, folder)
    }

    #[test]
    fn a_line_cut_short_by_a_crash_is_cut_by_the_next_writer() {
        let (place, folder) = cell();
        let mut journal = Journal::read_end(&folder).unwrap();
        journal.append(&folder, &line("one", "")).unwrap();
        let path = place.path().join(layout::JOURNAL);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"at\":\"20"].concat()).unwrap();
        let mut journal = Journal::read_end(&folder).unwrap();
        assert_eq!(journal.last.as_ref().unwrap().what, "one");
        assert!(journal.cut_torn_line(&folder).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn each_line_carries_the_hash_of_the_one_before() {
        let (place, folder) = cell();
        for number in 0..3 {
            let mut journal = Journal::read_end(&folder).unwrap();
            let next = line(&"long ".repeat(number * 3000), journal.prev());
            journal.append(&folder, &next).unwrap();
        }
        let text = std::fs::read_to_string(place.path().join(layout::JOURNAL)).unwrap();
        let mut prev = String::new();
        for line in text.lines() {
            assert_eq!(serde_json::from_str::<Line>(line).unwrap().prev, prev);
            prev = sha256(line.as_bytes());
        }
    }

    #[test]
    fn a_journal_that_is_one_torn_line_is_empty() {
        let (place, folder) = cell();
        std::fs::write(place.path().join(layout::JOURNAL), "{\"at").unwrap();
        let mut journal = Journal::read_end(&folder).unwrap();
        assert!(journal.last.is_none() && journal.cut_torn_line(&folder).unwrap());
        journal.append(&folder, &line("one", "")).unwrap();
        assert_eq!(
            Journal::read_end(&folder).unwrap().last.unwrap().what,
            "one"
        );
    }
}
