//! The life of a runner: it starts an agent, takes its log, waits for its end, and ends last. Its lock is held for as long,
//! so a free lock means that nothing of the agent is left.

use super::beats::Beats;
use super::child;
use super::log::Log;
use super::notify::{self, Ear};
use super::order::{Order, Report};
use super::output::Output;
use super::saving::Saving;
use super::signals::Signals;
use super::tree::{self, Reaped};
use crate::base::boot::Moment;
use crate::base::clock::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::process::Process;
use crate::base::signal;
use crate::mission::run::{End, Identity, RunNote, Saved};
use crate::store::folder::Folder;
use crate::store::run;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitStatus};
use rustix::time::Timespec;
use std::time::{Duration, Instant};

/// Open files of an agent, where whoever starts it may have raised its own limit: as systemd gives them.
const FILES: u64 = 1024;
/// After how long a runner looks again whether what it killed is over, if nothing tells it before.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An agent that runs.
struct Life<'c> {
    cell: &'c Folder,
    order: &'c Order,
    note: RunNote,
    child: Pid,
    log: Log<'c>,
    /// What the agent says: one stream, or two where it is shown.
    outputs: Vec<Output>,
    /// Where it speaks sd_notify.
    ear: Option<Ear<'c>>,
    beats: Beats<'c>,
    /// Variables that the runner itself gives.
    more: Vec<(&'static str, String)>,
    /// The command that makes it save its state, while that runs.
    saving: Option<Saving>,
    signals: Signals,
    /// When SIGKILL follows, once it was told to end.
    until: Option<Instant>,
    was_ordered: bool,
}

/// What a runner waits for.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A signal.
    Signals,
    /// A word by sd_notify.
    Ear,
    /// What the agent says, by one of its streams.
    Output(usize),
    /// What the command says that makes it save its state.
    Saving,
}

/// Runs an agent from its start to its end, and gives that; none if it did not run. `tell` is called once, as soon as it is
/// known whether the agent runs.
pub(super) fn live(order: &Order, tell: impl FnOnce(&Report)) -> Result<Option<End>> {
    let cell = match Folder::open(&order.cell) {
        Ok(Some(cell)) => cell,
        Ok(None) => {
            let why = format!("there is no {}", order.cell.display());
            tell(&Report::Failed { why, passes: false });
            return Ok(None);
        }
        Err(error) => {
            tell(&failed(&error));
            return Ok(None);
        }
    };
    // Held until this process ends, however that comes.
    let held = match run::hold(&cell, &order.agent) {
        Ok(held) => held,
        Err(error) if error.kind() == Kind::Busy => {
            let holder =
                run::holder(&cell, &order.agent).unwrap_or_else(|| String::from("another process"));
            tell(&Report::Busy { holder });
            return Ok(None);
        }
        Err(error) => {
            tell(&failed(&error));
            return Ok(None);
        }
    };
    match Life::begin(&cell, order) {
        Ok(life) => {
            let pid = life.note.pid.unwrap_or_default();
            tell(&Report::Runs { pid });
            life.go_on().map(Some)
        }
        Err(error) => {
            // Nothing of it may stay behind a lock that is free.
            _ = end_children(None);
            // Whoever hears that it failed may start it again at once.
            drop(held);
            tell(&failed(&error));
            Ok(None)
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
        let (ear, more) = listen(cell, order)?;
        let mut note = first_note(order)?;
        // Before there is a process: whoever finds the runner dead knows which session to sweep.
        run::write(cell, &order.agent, &note, run::Sync::No)?;
        let child = child::spawn(&order.command, order, &more, order.is_shown)?;
        let seen = Process::of(child.pid.as_raw_pid())
            .map_err(|error| Error::storage("look at the agent's process", error))?;
        note.pid = u32::try_from(child.pid.as_raw_pid()).ok();
        note.started = seen.map(|process| process.started);
        run::write(cell, &order.agent, &note, run::Sync::No)?;
        let shown = |stream| order.is_shown.then(|| terminal(stream)).flatten();
        let errors = child.errors;
        let errors = errors.map(|from| Output::new(from, shown(rustix::stdio::stderr())));
        let output = Output::new(child.output, shown(rustix::stdio::stdout()));
        Ok(Life {
            cell,
            order,
            note,
            child: child.pid,
            log,
            outputs: [Some(output), errors].into_iter().flatten().collect(),
            ear,
            beats: Beats::new(cell, order),
            more,
            saving: None,
            signals,
            until: None,
            was_ordered: false,
        })
    }

    fn go_on(mut self) -> Result<End> {
        let status = loop {
            if let Some(status) = self.look_for_end()? {
                break status;
            }
            self.wait()?;
            self.see_to_wishes();
            if self.until.is_some_and(|until| until <= Instant::now()) {
                self.kill();
            }
            self.saving.iter_mut().for_each(Saving::look);
            self.beats.note();
        };
        let ended = Moment::now(Clock::System);
        end_children(Some(&self.signals))?;
        for output in &mut self.outputs {
            if output.take_all(&mut self.log) {
                self.beats.wrote();
            }
        }
        self.hear();
        self.beats.note_all();
        self.ear = None;
        if self.saving.take().is_some() {
            let saved = self.failed_to_save("its agent ended before it did");
            self.note.saved = Some(saved);
        }
        let end = End {
            at: ended.wall,
            up: Some(ended.up),
            code: status.exit_status(),
            signal: status.terminating_signal(),
            is_ordered: self.was_ordered,
        };
        self.note.end = Some(end);
        run::write(self.cell, &self.order.agent, &self.note, run::Sync::Yes)?;
        Ok(end)
    }

    /// Reaps whatever is over; gives how the agent itself ended, if it did.
    fn look_for_end(&mut self) -> Result<Option<WaitStatus>> {
        loop {
            match tree::reap().map_err(|error| Error::storage("wait for the agent", error))? {
                Reaped::One(pid, status) if pid == self.child.as_raw_pid() => {
                    return Ok(Some(status));
                }
                Reaped::One(pid, status) => {
                    let is_it = |saving: &mut Saving| saving.pid() == pid;
                    if let Some(saving) = self.saving.take_if(is_it) {
                        let saved = saving.end(status, &mut self.log);
                        self.tell_saved(saved);
                    }
                }
                Reaped::NoneYet => return Ok(None),
                Reaped::NoneLeft => {
                    return Err(Error::bug(
                        "the agent's process was reaped by somebody else",
                    ));
                }
            }
        }
    }

    /// Waits for a signal, for something that the agent says, or until something is due.
    fn wait(&mut self) -> Result<()> {
        let saving = self.saving.as_ref();
        let due = [self.until, saving.and_then(Saving::until), self.beats.due()];
        let due = due.into_iter().flatten().min();
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        let outputs = self.outputs.iter().enumerate();
        let (sources, mut watched): (Vec<Source>, Vec<PollFd<'_>>) =
            std::iter::once((Source::Signals, PollFd::new(&self.signals, PollFlags::IN)))
                .chain(
                    self.ear
                        .iter()
                        .map(|ear| (Source::Ear, PollFd::new(ear, PollFlags::IN))),
                )
                .chain(
                    outputs
                        .filter_map(|(at, output)| Some((Source::Output(at), output.watched()?))),
                )
                .chain(saving.and_then(|saving| Some((Source::Saving, saving.watched()?))))
                .unzip();
        match poll(&mut watched, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::storage("wait for the agent", error)),
        }
        let woken: Vec<Source> = sources
            .into_iter()
            .zip(&watched)
            .filter(|(_, fd)| !fd.revents().is_empty())
            .map(|(source, _)| source)
            .collect();
        drop(watched);
        for source in woken {
            self.see_to(source);
        }
        Ok(())
    }

    fn see_to(&mut self, source: Source) {
        match source {
            Source::Signals => {}
            Source::Ear => self.hear(),
            Source::Output(at) => {
                let output = self.outputs.get_mut(at);
                if output.is_some_and(|output| output.go_on(&mut self.log)) {
                    self.beats.wrote();
                }
            }
            Source::Saving => {
                if let Some(saving) = &mut self.saving {
                    saving.take_output(&mut self.log);
                }
            }
        }
    }

    /// Takes what the agent says by sd_notify.
    fn hear(&mut self) {
        let Some(ear) = &self.ear else { return };
        match ear.take(self.child) {
            Ok(Some(said)) => self.beats.said(&said),
            Ok(None) => {}
            // Whoever speaks to it now is told that nobody listens, and waits for nobody.
            Err(_) => self.ear = None,
        }
    }

    fn see_to_wishes(&mut self) {
        let wishes = self.signals.take();
        if wishes.kill {
            self.kill();
        } else if wishes.stop && self.until.is_none() {
            self.ask_to_end();
        }
        // Whoever asks while it is at it hears what comes of that.
        if wishes.save && self.saving.is_none() && self.note.can_save {
            let number = self.next_saving();
            match Saving::begin(self.order, &self.more, number) {
                Ok(saving) => self.saving = Some(saving),
                Err(saved) => self.tell_saved(saved),
            }
        }
    }

    fn next_saving(&self) -> u64 {
        let last = self.note.saved.as_ref().map_or(0, |saved| saved.number);
        last.saturating_add(1)
    }

    fn failed_to_save(&self, why: &str) -> Saved {
        Saved::failed(self.next_saving(), Clock::System.now(), why)
    }

    fn tell_saved(&mut self, saved: Saved) {
        self.note.saved = Some(saved);
        if let Err(error) = run::write(self.cell, &self.order.agent, &self.note, run::Sync::No) {
            let told = format!("[mcell: what came of run.checkpoint cannot be noted: {error}]\n");
            self.log.add(told.as_bytes());
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
        can_save: !order.checkpoint.is_empty(),
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

/// Variables that are known to the runner only.
type More = Vec<(&'static str, String)>;

/// The socket for an agent that speaks sd_notify, and what it is told of that.
fn listen<'c>(cell: &'c Folder, order: &Order) -> Result<(Option<Ear<'c>>, More)> {
    let Some(watchdog) = order.watchdog else {
        return Ok((None, Vec::new()));
    };
    let ear = Ear::open(cell, &order.agent)?;
    let more = vec![
        (notify::SOCKET, ear.path()),
        (notify::WATCHDOG, watchdog.to_string()),
    ];
    Ok((Some(ear), more))
}

/// A stream of this process, by which what the agent says is shown; a terminal that takes nothing does not hold the runner
/// up.
fn terminal(stream: BorrowedFd<'_>) -> Option<OwnedFd> {
    let stream = rustix::io::fcntl_dupfd_cloexec(stream, 3).ok()?;
    rustix::io::ioctl_fionbio(&stream, true).ok()?;
    Some(stream)
}
