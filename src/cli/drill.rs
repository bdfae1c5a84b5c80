//! `mcell drill`: break one agent on purpose, and see whether it comes back.

use crate::base::duration::in_words;
use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::cli::context::{Context, seconds};
use crate::cli::several::agents;
use crate::cli::{Outcome, complete};
use crate::mission::drill::Blow;
use crate::ops::drill::{self, Drilled, Mended, Plan};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::{Args, ValueEnum};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Break one agent on purpose, and measure how soon it is back
///
/// Its process gets a signal. Measured are the times until that is noticed, until its new process runs, and until it has
/// proved that it lives, which is to be within the target. The drill does not count against the agent, and people are told
/// of it as of a drill. An agent that nobody brings back is brought back at the end, and one that stands still goes on. A
/// daemon must run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell drill agent_001 --dry-run
  mcell drill agent_001 --yes --target 30s
  mcell drill agent_001 --kill STOP --target 10m --yes --json

Exit codes: 1 if the target was missed, 5 where nobody would bring the agent back or nothing would show that it fell, 8 if
no daemon runs.")]
pub struct Drill {
    /// An id, or CELL/ID
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: String,
    /// How it is broken: asked to end, killed, or made to stand still
    #[arg(
        long,
        value_name = "SIGNAL",
        default_value = "KILL",
        ignore_case = true
    )]
    kill: Signal,
    /// How long it may take until it has proved that it lives
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = seconds)]
    target: u64,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// The signals there are to choose from.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Signal {
    #[value(name = "TERM")]
    Term,
    #[value(name = "KILL")]
    Kill,
    #[value(name = "STOP")]
    Stop,
}

impl Drill {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        session.require_operator("break an agent on purpose")?;
        let target = agents(context, &[self.agent])?
            .pop()
            .ok_or_else(|| Error::usage("which agent is meant?"))?;
        let kill = match self.kill {
            Signal::Term => Blow::Term,
            Signal::Kill => Blow::Kill,
            Signal::Stop => Blow::Stop,
        };
        let (cell, id) = (&target.cell, &target.id);
        let plan = drill::look(session, cell, id, kill, self.target)?;
        if self.dry_run {
            context.printer.show(&plan)?;
            return Ok(exit::DONE);
        }
        let question = format!(
            "Break {id}, pid {}, by {}? Its work stops until it is back.",
            plan.pid,
            kill.word()
        );
        if !context.confirm(&question)? {
            context.printer.say("Nothing was broken");
            return Ok(exit::NO);
        }
        let interrupted = listen()?;
        let is_interrupted = || interrupted.load(Ordering::Relaxed) != 0;
        let drilled = drill::drill(session, cell, id, &plan, &is_interrupted)?;
        context.printer.show(&drilled)?;
        Ok(match interrupted.load(Ordering::Relaxed) {
            _ if drilled.met => exit::DONE,
            0 => exit::NO,
            signal => exit::SIGNAL.saturating_add(u8::try_from(signal).unwrap_or(0)),
        })
    }
}

/// Takes note of Ctrl-C and of SIGTERM: whoever is broken is mended first. The second one ends it at once.
fn listen() -> Result<Arc<AtomicUsize>> {
    let failed = |error| Error::storage("listen to signals", error);
    let interrupted = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM] {
        let is_second = Arc::new(AtomicBool::new(false));
        let number = usize::try_from(signal).unwrap_or(0);
        let code = i32::from(exit::SIGNAL).saturating_add(signal);
        flag::register_conditional_shutdown(signal, code, Arc::clone(&is_second))
            .map_err(failed)?;
        flag::register(signal, is_second).map_err(failed)?;
        flag::register_usize(signal, Arc::clone(&interrupted), number).map_err(failed)?;
    }
    Ok(interrupted)
}

impl Report for Plan {
    fn words(&self, page: &mut Page) {
        let (agent, signal) = (&self.agent_id, self.kill.word());
        page.line(format_args!(
            "{agent}, pid {}, incarnation {}, would be broken by {signal}",
            self.pid, self.incarnation
        ));
        let when = match self.noticed_within {
            None => String::from("at once"),
            Some(seconds) => format!("within {}", in_words(seconds)),
        };
        page.line(format_args!("  noticed by {}, {when}", self.noticed_by));
        page.line(format_args!(
            "  target: back within {}",
            in_words(self.target)
        ));
    }

    fn datum(&self) -> Option<String> {
        Some(self.pid.to_string())
    }
}

impl Report for Drilled {
    fn words(&self, page: &mut Page) {
        let agent = &self.agent_id;
        page.line(format_args!(
            "{agent}, pid {}, incarnation {}, was broken by {}",
            self.pid,
            self.incarnation,
            self.kill.word()
        ));
        let mut row = |name: &str, after: Option<f64>, more: String| {
            let after =
                after.map_or_else(|| String::from("never"), |after| format!("{after:.3} s"));
            page.line(
                format!("  {name:<12}{after:>10}{more}")
                    .trim_end()
                    .to_owned(),
            );
        };
        row("noticed", self.noticed_after, String::new());
        let new = match (self.new_pid, self.new_incarnation) {
            (Some(pid), Some(life)) => format!("  pid {pid}, incarnation {life}"),
            _ => String::new(),
        };
        row("new process", self.started_after, new);
        let word = if self.met { "met" } else { "missed" };
        let target = format!("  target {}: {word}", in_words(self.target));
        row("verified", self.verified_after, target);
        page.line(format_args!("{}", how(self.mended, agent)));
        if let Some(id) = &self.revival {
            page.command(&format!("mcell revival show {id}"));
        }
    }

    fn datum(&self) -> Option<String> {
        self.verified_after.map(|after| format!("{after:.3}"))
    }
}

fn how(mended: Mended, agent: &str) -> String {
    match mended {
        Mended::ByDaemon => format!("{agent} was brought back by the daemon"),
        Mended::Late => format!("{agent} was brought back by the daemon, too late"),
        Mended::ByDrill => format!("{agent} was brought back by the drill itself: nobody else did"),
        Mended::Continued => format!("{agent} goes on: nobody noticed in time that it stood still"),
        Mended::Unbroken => format!("{agent} runs as before: the signal did not end it"),
        Mended::LeftToDaemon => format!("the drill was interrupted; {agent} is left to the daemon"),
        Mended::Down => format!("{agent} is down: `mcell why {agent}` tells more"),
    }
}
