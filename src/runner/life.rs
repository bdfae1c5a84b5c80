//! The life of a runner: it starts an agent, takes its log, waits for its end, and ends last. Its lock is held for as long,
//! so a free lock means that nothing of the agent is left.

use super::log::Log;
use super::order::{Order, Report};
use super::signals::{Signals, Wish};
use super::tree::{self, Reaped};
use crate::base::boot::Moment;
use crate::base::clock::Clock;
use crate::base::error::{Error, Kind, Result, in_words};
use crate::base::process::Process;
use crate::base::signal;
use crate::mission::run::{End, Identity, RunNote};
use crate::store::folder::Folder;
use crate::store::run;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitStatus};
use rustix::time::Timespec;
use std::io::{PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Open files of an agent, where whoever starts it may have raised its own limit: as systemd gives them.
const FILES: u64 = 1024;
/// How much of what the agent says is taken at once.
const CHUNK: usize = 16 << 10;
/// After how long a runner looks again whether what it killed is over, if nothing tells it before.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An agent that runs.
struct Life<'c> {
    cell: &'c Folder,
    order: &'c Order,
    note: RunNote,
    child: Pid,
    log: Log<'c>,
    output: Option<PipeReader>,
    signals: Signals,
    /// When SIGKILL follows, once it was told to end.
    until: Option<Instant>,
    was_ordered: bool,
}

/// Runs an agent from its start to its end. `tell` is called once, as soon as it is known whether the agent runs.
pub(super) fn live(order: &Order, tell: impl FnOnce(&Report)) -> Result<()> {
    let cell = match Folder::open(&order.cell) {
        Ok(Some(cell)) => cell,
        Ok(None) => {
            let why = format!("there is no {}", order.cell.display());
            tell(&Report::Failed { why, passes: false });
            return Ok(());
        }
        Err(error) => {
            tell(&failed(&error));
            return Ok(());
        }
    };
    // Held until this process ends, however that comes.
    let held = match run::hold(&cell, &order.agent) {
        Ok(held) => held,
        Err(error) if error.kind() == Kind::Busy => {
            let holder =
                run::holder(&cell, &order.agent).unwrap_or_else(|| String::from("another process"));
            tell(&Report::Busy { holder });
            return Ok(());
        }
        Err(error) => {
            tell(&failed(&error));
            return Ok(());
        }
    };
    match Life::begin(&cell, order) {
        Ok(life) => {
            let pid = life.note.pid.unwrap_or_default();
            tell(&Report::Runs { pid });
            life.go_on()
        }
        Err(error) => {
            // Nothing of it may stay behind a lock that is free.
            _ = end_children(None);
            // Whoever hears that it failed may start it again at once.
            drop(held);
            tell(&failed(&error));
            Ok(())
        }
    }
}

fn failed(error: &Error) -> Report {
    Report::Failed {
        why: error.message().to_owned(),
        passes: error.passes(),
    }
}

impl<'c> Life<'c> {
    fn begin(cell: &'c Folder, order: &'c Order) -> Result<Self> {
        let storage = |doing: &'static str| move |error: Errno| Error::storage(doing, error);
        // A runner that was started by hand may lead its group: then it has a session of its own already, or it shares one.
        _ = rustix::process::setsid();
        let own = Some(rustix::process::getpid());
        rustix::process::set_child_subreaper(own).map_err(storage("take orphans in"))?;
        limit_files();
        let signals =
            Signals::listen().map_err(|error| Error::storage("listen to signals", error))?;
        let log = Log::open(cell, &order.agent, order.log)?;
        let mut note = first_note(order)?;
        // Before there is a process: whoever finds the runner dead knows which session to sweep.
        run::write(cell, &order.agent, &note, run::Sync::No)?;
        let (child, output) = spawn(order)?;
        let seen = Process::of(child.as_raw_pid())
            .map_err(|error| Error::storage("look at the agent's process", error))?;
        note.pid = u32::try_from(child.as_raw_pid()).ok();
        note.started = seen.map(|process| process.started);
        run::write(cell, &order.agent, &note, run::Sync::No)?;
        Ok(Life {
            cell,
            order,
            note,
            child,
            log,
            output: Some(output),
            signals,
            until: None,
            was_ordered: false,
        })
    }

    fn go_on(mut self) -> Result<()> {
        let status = loop {
            if let Some(status) = self.look_for_end()? {
                break status;
            }
            self.wait()?;
            match self.signals.take() {
                Some(Wish::Stop) if self.until.is_none() => self.ask_to_end(),
                Some(Wish::Kill) => self.kill(),
                Some(Wish::Stop) | None => {}
            }
            if self.until.is_some_and(|until| until <= Instant::now()) {
                self.kill();
            }
        };
        let ended = Moment::now(Clock::System);
        end_children(Some(&self.signals))?;
        self.take_output(true);
        self.note.end = Some(End {
            at: ended.wall,
            up: Some(ended.up),
            code: status.exit_status(),
            signal: status.terminating_signal(),
            is_ordered: self.was_ordered,
        });
        run::write(self.cell, &self.order.agent, &self.note, run::Sync::Yes)
    }

    /// Reaps whatever is over; gives how the agent itself ended, if it did.
    fn look_for_end(&mut self) -> Result<Option<WaitStatus>> {
        loop {
            match tree::reap().map_err(|error| Error::storage("wait for the agent", error))? {
                Reaped::One(pid, status) if pid == self.child.as_raw_pid() => {
                    return Ok(Some(status));
                }
                Reaped::One(..) => {}
                Reaped::NoneYet => return Ok(None),
                Reaped::NoneLeft => {
                    return Err(Error::bug(
                        "the agent's process was reaped by somebody else",
                    ));
                }
            }
        }
    }

    /// Waits for a signal, for something that the agent says, or until its time to end is over.
    fn wait(&mut self) -> Result<()> {
        let left = self
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        let mut watched = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if let Some(output) = &self.output {
            watched.push(PollFd::new(output, PollFlags::IN));
        }
        match poll(&mut watched, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::storage("wait for the agent", error)),
        }
        let is_said = watched
            .get(1)
            .is_some_and(|output| !output.revents().is_empty());
        drop(watched);
        if is_said {
            self.take_output(false);
        }
        Ok(())
    }

    /// Takes what the agent said: what is there now, or a piece of it.
    fn take_output(&mut self, all: bool) {
        let mut bytes = [0; CHUNK];
        while let Some(output) = &mut self.output {
            match output.read(&mut bytes) {
                Ok(0) => self.output = None,
                Ok(read) => self.log.add(bytes.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.output = None,
            }
            if !all {
                return;
            }
        }
    }

    fn ask_to_end(&mut self) {
        self.was_ordered = true;
        let asked = signal::named(&self.order.stop_signal).unwrap_or(Signal::TERM);
        self.signal(asked);
        // One that stands still hears nothing else.
        self.signal(Signal::CONT);
        self.until = Some(Instant::now() + Duration::from_secs(self.order.stop_timeout));
    }

    fn kill(&mut self) {
        self.was_ordered = true;
        self.signal(Signal::KILL);
        self.until = None;
    }

    /// To the group that the agent leads: it is not reaped, so the number is its own.
    fn signal(&self, signal: Signal) {
        // A group that is empty takes none, which is no failure.
        _ = rustix::process::kill_process_group(self.child, signal);
    }
}

/// Ends every descendant, and waits until none is left.
fn end_children(signals: Option<&Signals>) -> Result<()> {
    let failed = |error| Error::storage("end what the agent left", error);
    loop {
        match tree::reap().map_err(failed)? {
            Reaped::One(..) => {}
            Reaped::NoneLeft => return Ok(()),
            Reaped::NoneYet => {
                tree::kill_children().map_err(failed)?;
                let limit = Timespec::try_from(LOOK_AGAIN).ok();
                let mut watched: Vec<PollFd<'_>> = signals
                    .map(|signals| PollFd::new(signals, PollFlags::IN))
                    .into_iter()
                    .collect();
                match poll(&mut watched, limit.as_ref()) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(failed(error.into())),
                }
            }
        }
    }
}

fn first_note(order: &Order) -> Result<RunNote> {
    let own = Process::own().map_err(|error| Error::storage("look at this process", error))?;
    let runner = own.map(|own| Identity {
        pid: own.pid.unsigned_abs(),
        started: own.started,
    });
    let now = Moment::now(Clock::System);
    Ok(RunNote {
        incarnation: order.incarnation,
        token_sha256: Some(order.token_sha256.clone()),
        runner,
        boot: now.boot,
        started_at: Some(now.wall),
        version: Some(order.version.clone()),
        ..RunNote::default()
    })
}

fn limit_files() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current > FILES) {
        let usual = Rlimit {
            current: Some(FILES),
            maximum: limit.maximum,
        };
        // One that may not be lowered is as it was.
        _ = rustix::process::setrlimit(Resource::Nofile, usual);
    }
}

fn spawn(order: &Order) -> Result<(Pid, PipeReader)> {
    let [program, arguments @ ..] = order.command.as_slice() else {
        return Err(Error::bug("an order without a command"));
    };
    let cannot = |error| Error::storage("make a pipe", error);
    let (output, said) = std::io::pipe().map_err(cannot)?;
    rustix::io::ioctl_fionbio(&output, true).map_err(|error| cannot(error.into()))?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.cwd)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(said.try_clone().map_err(cannot)?)
        .stderr(said)
        .spawn();
    let child = child.map_err(|error| {
        let told = format!("{program}: {}", in_words(&error));
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                Error::refused(told)
            }
            _ => Error::storage(format_args!("start {program}"), error),
        }
    })?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::bug("a process has no number"))?;
    Ok((pid, output))
}
