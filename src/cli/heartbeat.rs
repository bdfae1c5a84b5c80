//! `mcell heartbeat`: an agent says that it is alive.

use crate::base::error::{Error, Kind, Result};
use crate::base::exit;
use crate::base::process::Process;
use crate::base::text::shown;
use crate::cli::context::{Context, seconds};
use crate::cli::{Outcome, complete};
use crate::health::roster::Order;
use crate::ops::heartbeat::{Answer, Heard, Heart, Words};
use crate::ui::page::Page;
use crate::ui::printer::{Form, Report};
use clap::Args;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open};
use rustix::time::Timespec;
use serde_json::{Map, Value};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Say that an agent is alive
///
/// The daemon hears it; where none runs it is left on file, and judged by `mcell scan`, `mcell health` and the next daemon.
/// What the agent is to do is printed, an order a line: drain (finish what you are at, and begin nothing), checkpoint_now,
/// stop. With `--every` it goes on until it is ended, until the process that started it ends, or until it is told to stop.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell heartbeat                                  in an agent that mcell started
  mcell heartbeat agent_001 --status compiling --progress 40
  mcell heartbeat agent_001 --metadata branch=main --metadata tests=212
  mcell heartbeat agent_001 --quiet-for 10m        a long step: silence is no death

In the first line of a shell script that is an agent:
  mcell heartbeat agent_001 --every 30s &")]
pub struct Heartbeat {
    /// The agent: AGENT, or CELL/AGENT [default: --as, MCELL_AGENT]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
    /// Go on, once in so long
    #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with_all = ["progress", "quiet_for"])]
    every: Option<u64>,
    /// What it does, in a few words
    #[arg(long, value_name = "TEXT")]
    status: Option<String>,
    /// How far it is: any number that rises as the work goes on
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number)]
    progress: Option<f64>,
    /// What else shall be known of it; VALUE is JSON if it reads as JSON, and `null` takes it away
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, Value)>,
    /// It will say nothing for so long, an hour at most
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    quiet_for: Option<u64>,
}

fn number(text: &str) -> std::result::Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| String::from("it is no number"))?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(String::from("it is no number that can rise"))
    }
}

fn pair(text: &str) -> std::result::Result<(String, Value), String> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| String::from("write it as KEY=VALUE"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((key.to_owned(), value))
}

impl Report for Answer {
    fn words(&self, page: &mut Page) {
        for order in &self.orders {
            page.line(order.word());
        }
    }

    fn datum(&self) -> Option<String> {
        let words: Vec<&str> = self.orders.iter().map(|order| order.word()).collect();
        (!words.is_empty()).then(|| words.join("\n"))
    }
}

impl Heartbeat {
    /// Beats, once or until it is over.
    pub fn run(self, context: &Context) -> Outcome {
        let every = self.every;
        if every == Some(0) {
            return Err(Error::usage("`--every` is at least a second"));
        }
        let heart = Heart::of(&context.session, self.agent.as_deref())?;
        let words = self.into_words();
        if let Some(every) = every {
            return Beating::begin(context, &heart, words)?.go_on(Duration::from_secs(every));
        }
        let (answer, heard) = heart.beat(&words)?;
        if let Heard::OnFile(file, why) = heard {
            context.printer.say(&on_file(&file, why.as_ref()));
        }
        context.printer.show(&answer)?;
        Ok(exit::DONE)
    }

    fn into_words(self) -> Words {
        Words {
            status: self.status,
            progress: self.progress,
            quiet_for: self.quiet_for,
            metadata: self.metadata.into_iter().collect::<Map<_, _>>(),
        }
    }
}

fn on_file(file: &std::path::Path, why: Option<&Error>) -> String {
    let file = file.display().to_string();
    let file = shown(&file);
    match why {
        None => format!("No daemon runs: the beat is on file, {file}"),
        Some(why) => format!(
            "The beat is on file, {file}, since the daemon did not hear it: {}",
            shown(why.message())
        ),
    }
}

/// An agent that goes on beating.
struct Beating<'c> {
    context: &'c Context,
    heart: &'c Heart<'c>,
    words: Words,
    parent: Parent,
    has_beaten: bool,
    /// Whether the daemon heard the last beat; none before the first.
    was_heard: Option<bool>,
    /// What the last answer told it to do, so that a state is told once and not with every beat.
    orders: Vec<Order>,
    /// The last failure that was told.
    trouble: Option<String>,
}

impl<'c> Beating<'c> {
    fn begin(context: &'c Context, heart: &'c Heart<'c>, words: Words) -> Result<Self> {
        // Whoever ends it wants it to end at once, and not when the daemon has answered: there is nothing to clean up.
        let always = Arc::new(AtomicBool::new(true));
        for signal in [SIGTERM, SIGINT] {
            register_conditional_shutdown(signal, i32::from(exit::DONE), Arc::clone(&always))
                .map_err(|error| Error::storage("wait for signals", error))?;
        }
        Ok(Beating {
            context,
            heart,
            words,
            parent: Parent::of_process(),
            has_beaten: false,
            was_heard: None,
            orders: Vec::new(),
            trouble: None,
        })
    }

    fn go_on(mut self, every: Duration) -> Outcome {
        let mut next = Instant::now();
        if self.parent.has_left() {
            return Ok(exit::DONE);
        }
        loop {
            match self.heart.beat(&self.words) {
                Ok((answer, heard)) => {
                    self.tell_who_hears(&heard);
                    if !self.tell_orders(answer)? {
                        return Ok(exit::DONE);
                    }
                }
                Err(error) if self.is_the_end(&error) => return Err(error),
                // A full disk may have room again with the next beat, and a daemon an ear.
                Err(error) => self.tell_trouble(&error),
            }
            // What took longer than an interval is not made up for.
            while next <= Instant::now() {
                next += every;
            }
            if !self.parent.lives_until(next)? {
                return Ok(exit::DONE);
            }
        }
    }

    /// Whether an error will be there again with every beat to come.
    fn is_the_end(&self, error: &Error) -> bool {
        match error.kind() {
            Kind::Fenced | Kind::Refused | Kind::NotFound => true,
            // What was heard by the daemon may be too long for a file.
            Kind::Usage => !self.has_beaten,
            _ => false,
        }
    }

    /// Says when the daemon goes, and when it is back.
    fn tell_who_hears(&mut self, heard: &Heard) {
        let printer = &self.context.printer;
        let is_heard = matches!(heard, Heard::ByDaemon);
        let was_heard = self.was_heard.replace(is_heard);
        self.has_beaten = true;
        self.trouble = None;
        match (was_heard, heard) {
            (None | Some(true), Heard::OnFile(file, why)) => {
                printer.say(&on_file(file, why.as_ref()));
            }
            (Some(false), Heard::ByDaemon) => printer.say("The daemon hears the beats again."),
            _ => {}
        }
    }

    fn tell_trouble(&mut self, error: &Error) {
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            self.context.printer.warn(&shown(&text));
            self.trouble = Some(text);
        }
        self.was_heard = None;
    }

    /// Prints orders that are new. False if it is to stop.
    fn tell_orders(&mut self, mut answer: Answer) -> Result<bool> {
        let all = answer.orders.clone();
        let is_over = all.contains(&Order::Stop);
        let known = std::mem::replace(&mut self.orders, all);
        if self.context.printer.form() == Form::Json {
            self.context.printer.show(&answer)?;
            return Ok(!is_over);
        }
        // An order to save is given once, and done: the next one is another.
        answer
            .orders
            .retain(|order| *order == Order::CheckpointNow || !known.contains(order));
        self.context.printer.show(&answer)?;
        Ok(!is_over)
    }
}

/// The process that started this one: for whom it beats.
struct Parent {
    pid: Option<Pid>,
    /// The process itself: a number alone may be another's tomorrow. None where the system gives no such handle.
    process: Option<OwnedFd>,
}

impl Parent {
    fn of_process() -> Self {
        let pid = getppid();
        let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Parent { pid, process }
    }

    /// Whether it was gone before this process could look: then that is somebody else's child by now. A child is of the
    /// session of whoever started it, unless it leads one of its own.
    fn has_left(&self) -> bool {
        let (Some(parent), Ok(Some(own))) = (self.pid, Process::own()) else {
            return false;
        };
        let parent = Process::of(parent.as_raw_pid());
        own.session != own.pid
            && matches!(parent, Ok(Some(parent)) if parent.session != own.session)
    }

    /// Waits until then; false as soon as the parent is gone.
    fn lives_until(&self, then: Instant) -> Result<bool> {
        // It may have ended before its handle was had.
        if getppid() != self.pid {
            return Ok(false);
        }
        let mut watched: Vec<PollFd<'_>> = self
            .process
            .iter()
            .map(|process| PollFd::new(process, PollFlags::IN))
            .collect();
        loop {
            let left = then.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(|_| Error::bug("a wait is too long"))?;
            match poll(&mut watched, Some(&left)) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::storage("wait", error)),
                Ok(_) => break,
            }
        }
        let has_ended = watched.iter().any(|process| !process.revents().is_empty());
        Ok(!has_ended && getppid() == self.pid)
    }
}
