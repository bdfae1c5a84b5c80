//! The start of a runner, as whoever starts an agent sees it.

use super::order::{Order, Report};
use super::tree::Handle;
use crate::base::error::{Error, Kind, Result, in_words};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The binary's name.
const NAME: &str = "mcell-runner";
/// How long a runner may take to say whether its agent runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program that can be its own runner, only larger.
const OWN: &str = "mcell";

/// Whether this process was started as a runner: by its name.
pub fn is_meant() -> bool {
    let name = std::env::args_os().next();
    name.is_some_and(|name| Path::new(&name).file_name() == Some(OsStr::new(NAME)))
}

/// Where the runner lies: beside the program that asks; where none does, mcell is its own (exit 5 for other programs).
pub fn find() -> Result<PathBuf> {
    let own =
        std::env::current_exe().map_err(|error| Error::storage("look where mcell lies", error))?;
    let folders = own.ancestors().skip(1).take(2);
    // Tests lie one folder deeper.
    let beside = folders
        .map(|folder| folder.join(NAME))
        .find(|path| path.is_file());
    let is_own = own.file_name() == Some(OsStr::new(OWN)) && own.is_file();
    beside
        .or_else(|| is_own.then(|| own.clone()))
        .ok_or_else(|| {
            let folder = own.parent().unwrap_or(Path::new("."));
            Error::refused(format!("there is no {NAME} in {}", folder.display())).hint(
                "install it beside mcell: `cargo install --path .` and `cargo build` make both",
            )
        })
}

/// Starts a runner and waits until it says whether its agent runs. It goes on when this process ends; as long as that lives
/// the runner is its child: see [`reap`].
pub fn start(program: &Path, order: &Order) -> Result<Report> {
    let mut child = spawn(program, order)?;
    let heard = speak(&mut child, order);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.push(child);
    heard.map(|(report, _)| report)
}

/// A runner whose agent is shown where it was started.
#[derive(Debug)]
pub struct Shown {
    /// The runner, until it is waited for.
    pub runner: Child,
    /// The same, for signals and to wait beside other things.
    pub handle: Handle,
    /// What the agent says on stdout. Whoever reads no more of it holds the agent up; whoever closes it does not.
    pub output: ChildStdout,
    /// What it says on stderr.
    pub errors: ChildStderr,
}

/// The same for an order that is to be shown: gives what there is to show, if the agent runs.
pub fn start_shown(program: &Path, order: &Order) -> Result<(Report, Option<Shown>)> {
    let mut runner = spawn(program, order)?;
    let (report, output) = speak(&mut runner, order)?;
    let errors = runner.stderr.take();
    let (Report::Runs { .. }, Some(errors)) = (&report, errors) else {
        return Ok((report, None));
    };
    let handle = Handle::of_child(&runner)
        .map_err(|error| Error::storage(format_args!("wait for {}", order.agent), error))?;
    let shown = Shown {
        runner,
        handle,
        output,
        errors,
    };
    Ok((report, Some(shown)))
}

fn spawn(program: &Path, order: &Order) -> Result<Child> {
    let errors = if order.is_shown {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let child = Command::new(program)
        .arg0(NAME)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn();
    child.map_err(|error| {
        Error::refused(format!(
            "{} cannot be started: {}",
            program.display(),
            in_words(&error)
        ))
    })
}

/// Gives a runner its order, and hears what it says. What it goes on to say is the agent's.
fn speak(child: &mut Child, order: &Order) -> Result<(Report, ChildStdout)> {
    let text = serde_json::to_vec(order)
        .map_err(|error| Error::bug(format!("an order cannot be written: {error}")))?;
    let unclear = |told: &str| {
        Error::new(
            Kind::OutcomeUnknown,
            format!("the runner of {}: {told}", order.agent),
        )
        .hint("`mcell agent show` tells whether it runs; starting it again is safe")
    };
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(&text) {
            // What it says, or that it ended, says more.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                return Err(unclear(&in_words(&error)));
            }
            _ => {}
        }
    }
    let said = child.stdout.take();
    let mut said = said.ok_or_else(|| Error::bug("a runner without a stdout"))?;
    let line = listen(&mut said).map_err(|error| unclear(&in_words(&error)))?;
    let report = serde_json::from_slice(&line).map_err(|_| unclear("it ended without a word"))?;
    Ok((report, said))
}

/// Runners that this process started, until they are over.
static STARTED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Takes note of runners that are over, so that their numbers are free.
pub fn reap() {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

/// The first line that is said, in time, and nothing of what follows it.
fn listen(said: &mut ChildStdout) -> std::io::Result<Vec<u8>> {
    let end = Instant::now() + PATIENCE;
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        let left = end.saturating_duration_since(Instant::now());
        let limit = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        let mut watched = [PollFd::new(&*said, PollFlags::IN)];
        match poll(&mut watched, Some(&limit)) {
            Ok(0) => return Err(Errno::TIMEDOUT.into()),
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        match said.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => line.extend_from_slice(&byte),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}
