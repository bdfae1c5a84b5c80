//! `mcell journal show`.

use crate::base::clock::Time;
use crate::base::duration::Seconds;
use crate::base::error::Result;
use crate::base::exit;
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::{count, shown};
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::journal::{Entry, Listener, Reading, Wanted};
use crate::store::journal::Line;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::{Form, Stream};
use clap::Args;
use rustix::fd::AsFd;
use std::collections::VecDeque;
use std::num::NonZeroUsize;

/// Show who changed what, when and why
///
/// One line a change, oldest first. `-q` prints the lines as they stand in the journal, and so does `--json` with
/// `--follow`: one object a line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell journal show --since 1h
  mcell journal show --since 2026-01-02T03:00:00Z --until 2026-01-02T04:00:00Z
  mcell journal show --agent agent_001 --kind task -n 20
  mcell journal show --task task_001 --follow")]
pub(super) struct Show {
    /// Not before: so long ago (1h, 2d), or a time
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Moment>,
    /// Not after: so long ago, or a time
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Moment>,
    /// What this agent did, and what was done to its files
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    agent: Option<AgentId>,
    /// What was done to this task
    #[arg(long, value_name = "TASK", add = complete::tasks())]
    task: Option<TaskId>,
    /// Acts on this noun (task), or this act alone ('task claim')
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only the last so many
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Go on as changes come
    #[arg(long, short)]
    follow: bool,
}

/// When, as it is typed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Ago(Seconds),
    At(Time),
}

fn moment(text: &str) -> std::result::Result<Moment, String> {
    if let Some(time) = Time::guess(text).filter(|_| text.contains(['-', '/', ':'])) {
        return Ok(Moment::At(time));
    }
    text.parse()
        .map(Moment::Ago)
        .map_err(|_| String::from("write how long ago (90, 15m, 8h, 2d), or 2026-01-02T03:04:05Z"))
}

impl Moment {
    fn of(self, now: Time) -> Option<Time> {
        match self {
            Moment::At(time) => Some(time),
            // Before all time is no bound.
            Moment::Ago(ago) => i64::try_from(ago.0)
                .ok()
                .and_then(|ago| Time::from_unix(now.unix().checked_sub(ago)?)),
        }
    }
}

impl Show {
    /// Shows it.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let cell = session.open_cell()?;
        let now = session.env.clock.now();
        let wanted = Wanted {
            since: self.since.and_then(|since| since.of(now)),
            until: self.until.and_then(|until| until.of(now)),
            agent: self.agent,
            task: self.task,
            kind: self.kind,
        };
        let mut reading = Reading::of(session, &cell, wanted)?;
        let mut told = Telling {
            context,
            out: context.printer.stream(),
            limit: self.limit,
            kept: VecDeque::new(),
            is_list: context.printer.form() == Form::Json && !self.follow,
            count: 0,
            is_heard: true,
        };
        if self.follow {
            reading.follow(std::io::stdout().as_fd(), &mut told)?;
            return Ok(exit::DONE);
        }
        let read = reading.read(None, &mut told)?;
        told.end()?;
        if read.unreadable > 0 {
            context.printer.warn(&format!(
                "{} cannot be read: `mcell journal verify` names them",
                count(
                    usize::try_from(read.unreadable).unwrap_or(usize::MAX),
                    "line"
                )
            ));
        } else if told.count == 0 {
            context.printer.say("No such change is written down");
        }
        Ok(exit::DONE)
    }
}

/// Prints lines as they come, or the last ones at the end.
struct Telling<'c> {
    context: &'c Context,
    out: Stream,
    /// How many of the last are wanted, until they are told.
    limit: Option<NonZeroUsize>,
    kept: VecDeque<Vec<u8>>,
    /// Whether it is one JSON object, with the lines as a list.
    is_list: bool,
    count: u64,
    is_heard: bool,
}

impl Telling<'_> {
    fn print(&mut self, piece: &[u8]) -> Result<bool> {
        let before: &[u8] = match (self.is_list, self.count) {
            (false, _) => b"",
            (true, 0) => b"{\"lines\": [\n  ",
            (true, _) => b",\n  ",
        };
        self.count += 1;
        let after: &[u8] = if self.is_list { b"" } else { b"\n" };
        self.is_heard = self.out.put(before)? && self.out.put(piece)? && self.out.put(after)?;
        Ok(self.is_heard)
    }

    fn print_kept(&mut self) -> Result<bool> {
        self.limit = None;
        for piece in std::mem::take(&mut self.kept) {
            if !self.print(&piece)? {
                return Ok(false);
            }
        }
        Ok(self.is_heard)
    }

    fn end(&mut self) -> Result<()> {
        if !self.print_kept()? {
            return Ok(());
        }
        if self.is_list {
            let end: &[u8] = match self.count {
                0 => b"{\"lines\": []}\n",
                _ => b"\n]}\n",
            };
            self.out.put(end)?;
        }
        self.out.flush().map(|_| ())
    }

    fn piece(&self, entry: &Entry<'_>) -> Vec<u8> {
        match self.context.printer.form() {
            Form::Words => {
                let now = self.context.session.env.clock.now();
                words(&self.context.printer.page(), &entry.line, now).into_bytes()
            }
            Form::Json | Form::Quiet => entry.text.to_vec(),
        }
    }
}

impl Listener for Telling<'_> {
    fn hear(&mut self, entry: &Entry<'_>) -> Result<bool> {
        let piece = self.piece(entry);
        let Some(limit) = self.limit else {
            return self.print(&piece);
        };
        if self.kept.len() == limit.get() {
            self.kept.pop_front();
        }
        self.kept.push_back(piece);
        Ok(true)
    }

    fn pause(&mut self) -> Result<bool> {
        Ok(self.print_kept()? && self.out.flush()?)
    }
}

fn words(page: &Page, line: &Line, now: Time) -> String {
    let [by, act, what] = [&line.by, &line.act, &line.what].map(|text| shown(text));
    let at = page.tone(Tone::Dim, format_args!("{:<12}", line.at.local(now)));
    let why = line
        .why
        .as_deref()
        .map(|why| page.tone(Tone::Dim, format_args!("  why: {}", shown(why))))
        .unwrap_or_default();
    format!("{at}  {}  {act}: {what}{why}", page.tone(Tone::Strong, by))
}
