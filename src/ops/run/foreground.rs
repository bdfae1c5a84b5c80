//! An agent that runs in a terminal: what it says is shown there, and whoever ends the command ends it.

use super::start::{self, Started};
use super::stop::stop;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::ops::agent::show;
use crate::ops::session::Session;
use crate::runner::{self, Handle, Shown};
use crate::store::cell::OpenCell;
use crate::store::run;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

/// An agent that was started to be shown.
#[derive(Debug)]
pub struct Foreground {
    /// What became of the start.
    pub started: Started,
    /// What it says on stdout, for as long as it lives.
    pub output: ChildStdout,
    /// What it says on stderr.
    pub errors: ChildStderr,
    /// What is left of it.
    pub life: ShownLife,
}

/// Its life, to be waited for.
#[derive(Debug)]
pub struct ShownLife {
    incarnation: u64,
    runner: std::process::Child,
    handle: Handle,
    signals: Signals,
}

/// Starts an agent as [`super::start`] does, to be shown by this process. SIGINT, SIGTERM and SIGHUP are for the agent from
/// now on. One that runs already is refused (exit 5): what it says goes elsewhere.
pub fn start_here(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Foreground> {
    session.require_operator("start an agent")?;
    show(cell, id)?;
    let _acting = run::act(cell.folder(), id, session.wait("agent start")?)?;
    if let Some(note) = start::runs(cell, id)? {
        let pid = note.pid.unwrap_or_default();
        return Err(
            Error::refused(format!("{id} runs already: pid {pid}")).hint(format!(
                "`mcell agent log {id} --follow` shows what it says; `mcell agent stop {id}` ends it"
            )),
        );
    }
    // Before there is an agent: none is left alone by a Ctrl-C that comes early.
    let signals = Signals::listen().map_err(|error| Error::storage("listen to signals", error))?;
    let mut shown = None;
    let started = start::begin(session, cell, id, "agent start", |program, order| {
        let order = runner::Order {
            is_shown: true,
            ..order.clone()
        };
        let (report, shows) = runner::start_shown(program, &order)?;
        shown = shows;
        Ok(report)
    })?;
    let Some(Shown {
        runner,
        handle,
        output,
        errors,
    }) = shown
    else {
        return Err(Error::bug("an agent that runs shows nothing"));
    };
    let life = ShownLife {
        incarnation: started.incarnation,
        runner,
        handle,
        signals,
    };
    Ok(Foreground {
        started,
        output,
        errors,
        life,
    })
}

/// How an agent ended that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What the command is to end with.
    pub code: u8,
    /// How it ended, in a word; none if the next life began before that could be read.
    pub end: Option<String>,
}

impl ShownLife {
    /// Waits until the agent has ended. The first signal stops it as `agent stop` does, so it is not wanted any more; a
    /// second SIGINT kills it. Exit 9 if its runner was killed.
    pub fn wait(mut self, session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Passed> {
        let (send, receive) = channel();
        let (handle, signals) = (&self.handle, &mut self.signals);
        let failed = std::thread::scope(|scope| {
            let watching = scope.spawn(|| watch(handle, signals, send));
            let mut failed = None;
            // None comes after the agent's end.
            for () in receive {
                if let Err(error) = stop(session, cell, id, false) {
                    // Whoever wants it to end is not kept waiting by what stands in the way of a note.
                    _ = handle.signal(Signal::TERM);
                    failed = Some(error);
                }
            }
            let watched = watching.join();
            failed.map_or(Ok(()), Err).and(
                watched
                    .unwrap_or(Ok(()))
                    .map_err(|error| Error::storage(format_args!("wait for {id}"), error)),
            )
        });
        failed?;
        self.end(cell, id)
    }

    fn end(mut self, cell: &OpenCell, id: &AgentId) -> Result<Passed> {
        let status = self
            .runner
            .wait()
            .map_err(|error| Error::storage(format_args!("wait for {id}"), error))?;
        let note = run::read(cell.folder(), id)?.unwrap_or_default();
        let is_it = note.incarnation == self.incarnation;
        if let Some(end) = note.end.filter(|_| is_it) {
            return Ok(Passed {
                code: end.exit_code(),
                end: Some(end.to_string()),
            });
        }
        // The next life has begun already; the runner says itself how this one ended.
        match status.code().and_then(|code| u8::try_from(code).ok()) {
            Some(code) if !is_it => Ok(Passed { code, end: None }),
            _ => Err(Error::new(
                Kind::OutcomeUnknown,
                format!("the runner of {id} was killed, and how {id} ended was not seen"),
            )
            .hint(format!(
                "`mcell agent stop {id}` ends what is left of it, and so does the next start"
            ))),
        }
    }
}

/// Waits for the end of a runner; tells of the first signal that comes before, and kills its agent at a later SIGINT.
fn watch(runner: &Handle, signals: &mut Signals, tell: Sender<()>) -> rustix::io::Result<()> {
    let mut tell = Some(tell);
    loop {
        let mut watched = [
            PollFd::new(runner, PollFlags::IN),
            PollFd::new(&signals.wake, PollFlags::IN),
        ];
        match poll(&mut watched, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        let [over, signalled] = watched.map(|fd| !fd.revents().is_empty());
        if over {
            return Ok(());
        }
        if signalled {
            let is_interrupt = signals.take();
            match tell.take() {
                Some(tell) => _ = tell.send(()),
                None if is_interrupt => _ = runner.signal(Signal::INT),
                None => {}
            }
        }
    }
}

/// The signals that are for the agent.
#[derive(Debug)]
struct Signals {
    wake: UnixStream,
    interrupt: Arc<AtomicBool>,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let interrupt = Arc::default();
        // The flag first: whoever is woken finds it set.
        signal_hook::flag::register(SIGINT, Arc::clone(&interrupt))?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Signals { wake, interrupt })
    }

    /// Takes note of those that came; tells whether there was a SIGINT among them.
    fn take(&mut self) -> bool {
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|got| got > 0) {}
        self.interrupt.swap(false, Ordering::Relaxed)
    }
}
