//! The log of an agent: what it says, byte for byte, in files of a bounded size.

use super::order::Keeping;
use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::store::folder::{Folder, write_all};
use crate::store::layout;
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;

/// A log, open at its end.
#[derive(Debug)]
pub(super) struct Log<'c> {
    cell: &'c Folder,
    agent: &'c AgentId,
    keeping: Keeping,
    file: OwnedFd,
    size: u64,
    /// Bytes that no disk took, and that nobody was told of.
    lost: u64,
}

impl<'c> Log<'c> {
    /// Opens it, and goes on at its end.
    pub(super) fn open(cell: &'c Folder, agent: &'c AgentId, keeping: Keeping) -> Result<Self> {
        let (file, size) = open(cell, agent)?;
        Ok(Log {
            cell,
            agent,
            keeping,
            file,
            size,
            lost: 0,
        })
    }

    /// Adds what the agent said. A full disk loses it, and does not hold the agent up.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.keeping.max_size.saturating_sub(self.size);
            let here = fitting(bytes, room, self.size == 0);
            let (now, rest) = bytes.split_at(here);
            self.own_up();
            match write_all(&self.file, now) {
                Ok(()) => self.size += now.len() as u64,
                Err(_) => self.lost += now.len() as u64,
            }
            bytes = rest;
            if !bytes.is_empty() && self.turn().is_err() {
                // Where it cannot be turned it grows: what was said counts for more.
                self.size = 0;
            }
        }
    }

    /// Says how much is missing, as soon as the disk takes it.
    fn own_up(&mut self) {
        if self.lost == 0 {
            return;
        }
        let told = format!(
            "[mcell: {} bytes are missing here: the disk took none]\n",
            self.lost
        );
        if write_all(&self.file, told.as_bytes()).is_ok() {
            self.size += told.len() as u64;
            self.lost = 0;
        }
    }

    /// Begins a new file; the oldest goes.
    fn turn(&mut self) -> Result<()> {
        let name = |number| layout::full_agent_log(self.agent, number);
        let keep = self.keeping.keep;
        if keep == 0 {
            self.cell.remove_file(&layout::agent_log(self.agent))?;
        } else {
            self.cell.remove_file(&name(keep))?;
            for number in (1..keep).rev() {
                if self.cell.stat(&name(number))?.is_some() {
                    self.cell.rename(&name(number), &name(number + 1))?;
                }
            }
            self.cell.rename(&layout::agent_log(self.agent), &name(1))?;
        }
        (self.file, self.size) = open(self.cell, self.agent)?;
        Ok(())
    }
}

/// How many bytes come before a new file begins: whole lines, as many as there is room for. A line that has no room in an
/// empty file is cut.
fn fitting(bytes: &[u8], room: u64, is_empty: bool) -> usize {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if bytes.len() <= room {
        return bytes.len();
    }
    let fit = bytes.get(..room).unwrap_or_default();
    match memchr::memrchr(b'\n', fit) {
        Some(end) => end + 1,
        None if is_empty => room.max(1),
        None => 0,
    }
}

fn open(cell: &Folder, agent: &AgentId) -> Result<(OwnedFd, u64)> {
    let file = layout::agent_log(agent);
    cell.make_file(&file)?;
    let opened = cell.open_file(&file, OFlags::WRONLY | OFlags::APPEND)?;
    let (handle, stat) =
        opened.ok_or_else(|| cell.trouble("open", &file, rustix::io::Errno::NOENT))?;
    Ok((handle, u64::try_from(stat.st_size).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_file_ends_with_a_whole_line_if_it_can() {
        assert_eq!(fitting(b"one\ntwo\n", 8, true), 8);
        assert_eq!(fitting(b"one\ntwo\n", 7, true), 4);
        assert_eq!(fitting(b"one\ntwo\n", 7, false), 4);
        assert_eq!(fitting(b"one two\n", 4, false), 0);
        assert_eq!(fitting(b"one two\n", 4, true), 4);
        assert_eq!(fitting(b"one\n", 0, true), 1);
        assert_eq!(fitting(b"", 0, false), 0);
    }
}
