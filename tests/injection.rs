//! Records the system calls of a command with strace, and runs it again with a fault at one of them.
//!
//! strace counts `when=` by the name of the call, so a place is a name and a number, taken from a recording.

use crate::world::{MCELL, World, words};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Every call by which a command looks at a tree or changes it.
const CALLS: &str = "open,openat,openat2,creat,read,pread64,write,pwrite64,writev,lseek,fsync,fdatasync,rename,renameat,renameat2,\
link,linkat,symlink,symlinkat,mkdir,mkdirat,unlink,unlinkat,rmdir,truncate,ftruncate,fchmod,fchmodat,fchown,fchownat,\
flock,getdents64,stat,lstat,fstat,newfstatat,statx,utimensat,fallocate,copy_file_range,sendfile,exit_group";
/// Beside these, every call by which a command makes or ends a process.
const PROCESSES: &str = "clone,clone3,vfork,fork,kill,pidfd_open,pidfd_send_signal,wait4,waitid,setsid,prctl,dup2,dup3,pipe2";

/// One call of a recording.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    /// How many of this name came before it, plus one.
    pub(crate) number: usize,
    /// The line of the recording.
    pub(crate) line: String,
}

impl Call {
    /// Whether it may make, write or remove something, make it durable, lock, or end the process.
    pub(crate) fn changes(&self) -> bool {
        match self.name.as_str() {
            "open" | "openat" | "openat2" => {
                self.line.contains("O_CREAT") || self.line.contains("O_TRUNC")
            }
            "read" | "pread64" | "lseek" | "getdents64" | "stat" | "lstat" | "fstat"
            | "newfstatat" | "statx" | "pidfd_open" | "pipe2" | "wait4" | "waitid" => false,
            _ => true,
        }
    }

    /// Whether it writes to standard output or standard error.
    pub(crate) fn talks(&self) -> bool {
        self.line.contains("write(1,") || self.line.contains("write(2,")
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line.chars().take(160).collect::<String>();
        write!(out, "{} number {}: {line}", self.name, self.number)
    }
}

/// A root as it is before a command, copied afresh for each run.
pub(crate) struct Start {
    /// The world in which the command runs.
    pub(crate) world: World,
    place: tempfile::TempDir,
    /// Commands that each copy has gone through.
    first: &'static [&'static str],
    /// Whether the command alone is traced, not what it starts, which goes on after it.
    is_alone: bool,
}

impl Start {
    /// The root of this world, put where fsync costs nothing, if there is such a place.
    pub(crate) fn of(world: World) -> Self {
        let memory = Path::new("/dev/shm");
        let place = tempfile::Builder::new()
            .prefix("mcell-sweep-")
            .tempdir_in(memory)
            .or_else(|_| tempfile::tempdir())
            .expect("a place for copies");
        Start {
            world,
            place,
            first: &[],
            is_alone: false,
        }
    }

    /// The same for commands that start what goes on after them: they alone are traced. Each copy goes through some
    /// commands first.
    pub(crate) fn alone(world: World, first: &'static [&'static str]) -> Self {
        Start {
            first,
            is_alone: true,
            ..Start::of(world)
        }
    }

    /// A fresh copy of the root: owners, modes and times as they are.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let copy = self.place.path().join(name);
        let status = Command::new("cp")
            .arg("-a")
            .arg(self.world.root())
            .arg(&copy)
            .status();
        assert!(status.expect("cp").success(), "cp -a failed");
        for line in self.first {
            let output = self.run(&copy, &words(line));
            assert!(output.status.success(), "`{line}`: {output:?}");
        }
        copy
    }

    /// Runs mcell on a copy.
    pub(crate) fn run(&self, copy: &Path, words: &[String]) -> Output {
        let mut command = self.world.command(MCELL);
        command.env("MCELL_ROOT", copy).args(words);
        command.output().expect("mcell runs")
    }

    /// Runs mcell on a copy under strace with these options.
    fn trace(&self, copy: &Path, options: &[OsString], words: &[String]) -> Output {
        let mut command = self.world.command("strace");
        command.env("MCELL_ROOT", copy).args(options);
        if !self.is_alone {
            command.arg("-f");
        }
        command.arg(MCELL).args(words);
        command.output().expect("strace runs")
    }

    /// The calls of a command from the one on that first names the root, and how it ended.
    pub(crate) fn record(&self, words: &[String]) -> (Vec<Call>, PathBuf, Output) {
        let copy = self.copy("recorded");
        let record = self.place.path().join("recording");
        let trace = match self.is_alone {
            true => with_processes(),
            false => format!("trace={CALLS}"),
        };
        let options = ["-s", "512", "-e", &trace, "-o"].map(OsString::from);
        let options = [&options[..], &[record.clone().into()]].concat();
        let output = self.trace(&copy, &options, words);
        let text = std::fs::read_to_string(&record).expect("a recording");
        (calls(&text, &copy), copy, output)
    }

    /// Runs a command on a copy with something done to it at one call: `signal=SIGKILL`, `error=EIO`.
    pub(crate) fn inject(&self, copy: &Path, call: &Call, what: &str, words: &[String]) -> Output {
        let Call { name, number, .. } = call;
        let options = [
            String::from("-qq"),
            format!("--trace={name}"),
            format!("--inject={name}:{what}:when={number}"),
            String::from("-o"),
            String::from("/dev/null"),
        ]
        .map(OsString::from);
        self.trace(copy, &options, words)
    }
}

/// The option by which a recording has the calls that make and end processes as well.
pub(crate) fn with_processes() -> String {
    format!("trace={CALLS},{PROCESSES}")
}

/// The calls of a recording from the one on that first names the root.
pub(crate) fn calls(text: &str, root: &Path) -> Vec<Call> {
    let root = root.display().to_string();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut calls = Vec::new();
    let mut begun = false;
    for line in text.lines() {
        // "1234 openat(…": the process or thread first, where several are followed.
        let call = line.trim_start_matches(|first: char| first.is_ascii_digit());
        let Some((name, _)) = call.trim_start().split_once('(') else {
            continue;
        };
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            continue;
        }
        let number = counts.entry(name.to_owned()).or_default();
        *number += 1;
        begun |= line.contains(&root);
        if begun {
            calls.push(Call {
                name: name.to_owned(),
                number: *number,
                line: line.replace(&root, "ROOT"),
            });
        }
    }
    assert!(calls.len() > 5, "a recording of nothing:\n{text}");
    calls
}

/// Goes through a list with two threads, and gives everything that was wrong.
pub(crate) fn sweep<T: Sync>(
    list: &[T],
    each: impl Fn(usize, &T) -> Vec<String> + Sync,
) -> Vec<String> {
    sweep_with(2, list, each)
}

/// The same with as many threads as are of use where each waits for most of its time.
pub(crate) fn sweep_with<T: Sync>(
    threads: usize,
    list: &[T],
    each: impl Fn(usize, &T) -> Vec<String> + Sync,
) -> Vec<String> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match list.get(number) {
                Some(item) => wrong.extend(each(number, item)),
                None => return wrong,
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker"))
            .collect()
    })
}

/// Fails with everything that was wrong, as far as one wants to read it.
#[track_caller]
pub(crate) fn nothing_wrong(wrong: &[String], of: usize) {
    let first: Vec<&str> = wrong.iter().take(25).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} things wrong in {of} runs:\n{}",
        wrong.len(),
        first.join("\n")
    );
}
