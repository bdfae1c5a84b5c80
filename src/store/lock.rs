//! Locks: shared and exclusive, with a deadline, and a word about who holds one.
//!
//! A lock is an flock on a file that is never deleted and never the data itself.

use crate::base::boot;
use crate::base::error::{Error, Kind, Result};
use crate::store::folder::Folder;
use crate::store::fs2;
use rustix::fs::OFlags;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long to wait since the lock last changed hands.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a view over several files waits before it reads anyway.
pub const VIEW_PATIENCE: Duration = Duration::from_secs(1);
/// After how long the wait is told.
const SILENCE: Duration = Duration::from_millis(500);
/// How many bytes the note in a lock's file has.
const NOTE: usize = 160;
/// The environment variable that sets the patience, in seconds.
pub const KNOB: &str = "MCELL_LOCK_TIMEOUT";

/// How to take a lock.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// How long to wait since the lock last changed hands.
    pub patience: Duration,
    /// What the waiting one is about to do: the holder's note for others.
    pub act: &'a str,
    /// Told once when the wait is noticeable: where, and who holds it.
    pub tell: &'a dyn Fn(&str),
}

impl<'a> Wait<'a> {
    /// Waits as long as is usual, and says nothing.
    pub fn quietly(act: &'a str) -> Self {
        Wait {
            patience: PATIENCE,
            act,
            tell: &|_| {},
        }
    }
}

/// A lock held until it is dropped, or until the process ends, however it ends.
#[derive(Debug)]
pub struct Held {
    file: File,
    exclusive: bool,
    /// Whether the one who held it before ended without putting it back: something may lie half done.
    pub was_abandoned: bool,
    /// Set while something lies half done: then the next holder is told.
    pub half_done: bool,
}

/// Takes a lock for itself alone. The file is made if it is not there. Until `half_done` is taken away, what an abandoned
/// lock was over counts as half done: whoever fails on the way to mending it leaves that to the next.
pub fn exclusive(folder: &Folder, beneath: &str, wait: Wait<'_>) -> Result<Held> {
    let path = folder.path_of(beneath).display().to_string();
    let file = loop {
        let (file, _) = acquire(open_or_make(folder, beneath)?, true, &path, wait)?;
        // Somebody removed the file while we waited: who comes now locks another one.
        if is_still(folder, beneath, &file)? {
            break file;
        }
    };
    let was_abandoned = boot::id().is_none_or(|boot| note(&file) != clean_note(boot));
    // The note is for people and for the next holder; losing it costs one sweep, so it is not fsynced.
    let text = format!(
        "{{\"pid\":{},\"act\":\"{}\"}}",
        std::process::id(),
        wait.act.replace(['"', '\\'], "'")
    );
    write_note(&file, &text)
        .map_err(|error| Error::storage(format_args!("write {path}"), error))?;
    Ok(Held {
        file,
        exclusive: true,
        was_abandoned,
        half_done: was_abandoned,
    })
}

fn is_still(folder: &Folder, beneath: &str, file: &File) -> Result<bool> {
    let about = file.metadata().map_err(|error| {
        Error::storage(
            format_args!("look at {}", folder.path_of(beneath).display()),
            error,
        )
    })?;
    let there = folder.stat(beneath)?;
    Ok(there.is_some_and(|there| there.st_ino == about.ino() && there.st_dev == about.dev()))
}

/// Takes a lock beside other readers, if its file is there and the lock is free in time; readers create nothing.
/// None: go on without, the tree may be in change.
pub fn shared(folder: &Folder, beneath: &str, patience: Duration) -> Result<Option<Held>> {
    let Ok(Some((file, _))) = folder.open_file(beneath, OFlags::RDONLY) else {
        return Ok(None);
    };
    let path = folder.path_of(beneath).display().to_string();
    match acquire(
        File::from(file),
        false,
        &path,
        Wait {
            patience,
            ..Wait::quietly("read")
        },
    ) {
        Ok((file, _)) => Ok(Some(Held {
            file,
            exclusive: false,
            was_abandoned: false,
            half_done: false,
        })),
        Err(error) if error.kind() == Kind::Busy => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes a lock beside other readers, waiting for it as a writer does. The file is made if it is not there. Says whether
/// the writer before ended without putting it back.
pub fn beside_readers(folder: &Folder, beneath: &str, wait: Wait<'_>) -> Result<Held> {
    let path = folder.path_of(beneath).display().to_string();
    let file = loop {
        let (file, _) = acquire(open_or_make(folder, beneath)?, false, &path, wait)?;
        if is_still(folder, beneath, &file)? {
            break file;
        }
    };
    let was_abandoned = boot::id().is_none_or(|boot| note(&file) != clean_note(boot));
    Ok(Held {
        file,
        exclusive: false,
        was_abandoned,
        half_done: false,
    })
}

/// Takes a lock for itself alone if it is free at once.
pub fn try_exclusive(folder: &Folder, beneath: &str) -> Result<Option<Held>> {
    let file = open_or_make(folder, beneath)?;
    match fs2::try_lock(&file, true) {
        Ok(true) => Ok(Some(Held {
            file,
            exclusive: true,
            was_abandoned: false,
            half_done: false,
        })),
        Ok(false) => Ok(None),
        Err(error) => Err(Error::storage(
            format_args!("lock {}", folder.path_of(beneath).display()),
            error,
        )),
    }
}

/// Tells whether somebody holds a lock for itself alone. The file is not made; none there is none held.
pub fn is_held(folder: &Folder, beneath: &str) -> Result<bool> {
    let Some((file, _)) = folder.open_file(beneath, OFlags::RDONLY)? else {
        return Ok(false);
    };
    let file = File::from(file);
    let is_free = fs2::try_lock(&file, false).map_err(|error| {
        Error::storage(
            format_args!("look at {}", folder.path_of(beneath).display()),
            error,
        )
    })?;
    // Closing the file gives back what was taken.
    Ok(!is_free)
}

/// The process that holds a lock, by the kernel's table; none if nobody does, or it cannot be seen from here.
pub fn holder_pid(folder: &Folder, beneath: &str) -> Result<Option<u32>> {
    let opened = folder.open_file(beneath, OFlags::RDONLY)?;
    Ok(opened.and_then(|(file, _)| holder_by_kernel(&File::from(file))))
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.exclusive && !self.half_done {
            // A failure here costs the next holder one sweep.
            if let Some(boot) = boot::id() {
                let _ = write_note(&self.file, &clean_note(boot));
            }
        }
        let _ = fs2::unlock(&self.file);
    }
}

fn open_or_make(folder: &Folder, beneath: &str) -> Result<File> {
    if let Some((file, _)) = folder.open_file(beneath, OFlags::RDWR)? {
        return Ok(File::from(file));
    }
    folder.make_file(beneath)?;
    let made = folder.open_file(beneath, OFlags::RDWR)?;
    made.map(|(file, _)| File::from(file))
        .ok_or_else(|| folder.trouble("make", beneath, rustix::io::Errno::NOENT))
}

/// Takes the lock, waiting for it on a thread of its own: a blocking wait is served in turn, polling is not.
fn acquire(file: File, alone: bool, path: &str, wait: Wait<'_>) -> Result<(File, bool)> {
    let failed = |error: std::io::Error| Error::storage(format_args!("lock {path}"), error);
    if fs2::try_lock(&file, alone).map_err(failed)? {
        return Ok((file, false));
    }
    let (send, receive) = mpsc::channel();
    let blocked = file.try_clone().map_err(failed)?;
    std::thread::Builder::new()
        .name(String::from("lock"))
        .stack_size(64 << 10)
        .spawn(move || {
            let taken = fs2::lock(&blocked, alone);
            // Nobody waits any more: closing the last handle gives the lock back.
            let _ = send.send(taken.map(|()| blocked));
        })
        .map_err(failed)?;
    let started = Instant::now();
    let mut since = started;
    let mut hands = note(&file);
    let mut told = false;
    loop {
        let left = wait.patience.saturating_sub(since.elapsed());
        let step = if told {
            left.min(Duration::from_millis(200))
        } else {
            left.min(SILENCE)
        };
        match receive.recv_timeout(step) {
            Ok(Ok(taken)) => return Ok((taken, true)),
            Ok(Err(error)) => return Err(failed(error)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Error::bug("the thread that waits for a lock ended"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        // The lock changed hands: the wait is for another one now, and it moves.
        let now = note(&file);
        if now != hands {
            (hands, since) = (now, Instant::now());
        } else if since.elapsed() >= wait.patience {
            let waited = started.elapsed().as_secs();
            return Err(Error::new(Kind::Busy, format!("{path} is held by {}; waited {waited} s", holder(&file)))
                .hint(format!("wait for it to end, or set {KNOB} to more seconds"))
                .hint("a process that hangs or is stopped holds its lock until it ends: `kill` it, and the next command mends what it left"));
        } else if !told {
            told = true;
            (wait.tell)(&format!("waiting for {path}, held by {}", holder(&file)));
        }
    }
}

fn note(file: &File) -> String {
    let mut text = [0; NOTE];
    let got = file.read_at(&mut text, 0).unwrap_or(0);
    String::from_utf8_lossy(text.get(..got).unwrap_or_default())
        .trim_end()
        .to_owned()
}

fn write_note(file: &File, text: &str) -> std::io::Result<()> {
    // Always the same length: one write changes it whole, and nothing of a longer one is left.
    file.write_all_at(format!("{:<NOTE$}\n", text.trim_end()).as_bytes(), 0)
}

/// What the lock's file says while nobody holds it and nothing lies half done. After a reboot it is never this; where the
/// system does not tell one boot from another, no lock counts as clean.
fn clean_note(boot: &str) -> String {
    format!("free {boot}")
}

/// Who holds the lock of a file, in words: by the kernel's table, else by the note in the file.
pub fn holder(file: &File) -> String {
    if let Some(pid) = holder_by_kernel(file) {
        return format!("pid {pid} ({})", command_of(pid));
    }
    match serde_json::from_str::<serde_json::Value>(&note(file)) {
        Ok(note) => match note.get("pid").and_then(serde_json::Value::as_u64) {
            Some(pid) => format!(
                "pid {pid} ({})",
                note.get("act")
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or("mcell")
            ),
            None => String::from("another process"),
        },
        Err(_) => String::from("another process"),
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
fn holder_by_kernel(file: &File) -> Option<u32> {
    let about = file.metadata().ok()?;
    let (major, minor) = (
        rustix::fs::major(about.dev()),
        rustix::fs::minor(about.dev()),
    );
    let wanted = format!("{major:02x}:{minor:02x}:{}", about.ino());
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    table.lines().find_map(|line| {
        // 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF; those who wait have "->" after the number.
        let words: Vec<&str> = line.split_whitespace().collect();
        let held = words.get(1) == Some(&"FLOCK") && words.get(5) == Some(&wanted.as_str());
        held.then(|| words.get(4)?.parse().ok())
            .flatten()
            .filter(|pid| *pid > 0)
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
fn command_of(pid: u32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    let line = crate::base::text::shown(line.trim()).into_owned();
    if line.is_empty() {
        String::from("its command cannot be seen")
    } else {
        crate::base::text::cut(&line, 80).into_owned()
    }
}
