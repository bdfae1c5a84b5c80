//! A process as the system tells of it: `/proc/<pid>/stat`.

use rustix::io::Errno;
use std::io;

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// One letter: R runs, S sleeps, T is stopped, Z is dead and waits for its parent.
    pub state: u8,
    /// Whose child it is; 0: of a process that cannot be seen from here.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session; 0: one whose leader cannot be seen from here, as in a container that has no session of its own.
    pub session: i32,
    /// When it was started, in ticks since the boot: with the boot and the number, that is which process it is.
    pub started: u64,
}

impl Process {
    /// Of this number; none if there is no such process.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        Process::read(&format!("/proc/{pid}/stat"))
    }

    /// Of the caller; none where the system's table is not that of this process, as in a container that sees its host's.
    pub fn own() -> io::Result<Option<Self>> {
        let pid = rustix::process::getpid().as_raw_pid();
        let own = Process::read("/proc/self/stat")?;
        Ok(own.filter(|own| own.pid == pid))
    }

    /// Whether it runs, or would: one that is dead and waits for its parent does not.
    pub const fn lives(self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a file of the system, not of a mission"
    )]
    fn read(file: &str) -> io::Result<Option<Self>> {
        match std::fs::read(file) {
            Ok(text) => match Process::parse(&text) {
                Some(process) => Ok(Some(process)),
                None => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{file} is not what proc(5) says"),
                )),
            },
            // It may end between the opening and the reading.
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a line. A name may hold spaces and parentheses of its own: what follows the last one is well-formed.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let (head, rest) = line.rsplit_once(')')?;
        let (pid, _) = head.split_once(' ')?;
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| words.get(at)?.parse().ok();
        Some(Process {
            pid: pid.parse().ok()?,
            state: *words.first()?.as_bytes().first()?,
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            started: words.get(19)?.parse().ok()?,
        })
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_what_it_likes() {
        let line = b"42 (a) S 7 (b) R 1 40 39 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
        let process = Process::parse(line).unwrap();
        let known = (process.pid, process.state, process.parent, process.group);
        assert_eq!(known, (42, b'R', 1, 40));
        assert_eq!((process.session, process.started), (39, 987_654));
        assert_eq!(Process::parse(b"42 (a) S 1"), None);
        assert_eq!(Process::parse(b""), None);
    }

    #[test]
    fn the_own_process_is_seen_and_none_of_a_number_that_none_has() {
        let own = Process::own().unwrap().unwrap();
        assert_eq!(Process::of(own.pid).unwrap(), Some(own));
        assert!(own.started > 0);
        assert_eq!(Process::of(i32::MAX).unwrap(), None);
    }
}
