//! `mcell revival show`: the story of an incident.

use super::Said;
use crate::base::clock::Time;
use crate::base::exit;
use crate::base::text::shown;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::timeline::Did;
use crate::ops::revival::{self, Told, ToldStep};
use clap::Args;

/// Show one request as a story: what fell and why, what was done, and how long each step took
///
/// Each line is a step, with the seconds since the one before it. `--json` gives them as `steps`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell revival show rabcd
  mcell revival show rabcd --json | jq '.steps[] | [.after, .step]'")]
pub(super) struct Show {
    /// Its id, or the beginning of it
    #[arg(value_name = "ID")]
    id: String,
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let (_, revival) = revival::find(&session.scope(true)?, &self.id)?;
        let now = session.env.clock.now();
        let told = Told::from(revival);
        let words = lines(&told, now);
        context.printer.show(&Said { told, words })?;
        Ok(exit::DONE)
    }
}

fn lines(told: &Told, now: Time) -> Vec<String> {
    let word = told.status.word().replace('_', " ");
    let mut lines = vec![format!("{} of {}: {word}", told.id, told.agent_id)];
    if told.steps.is_empty() {
        lines.extend(of_record(told, now));
    }
    let width = told.steps.iter().map(|step| since(step).len()).max();
    let width = width.unwrap_or(0);
    for step in &told.steps {
        let at = step.at.local_to_the_second(now);
        let since = since(step);
        lines.push(format!("  {at}  {since:>width$}  {}", words(step, told)));
        for passed in &step.passed_over {
            let (number, why) = (passed.checkpoint, shown(&passed.why));
            let gap = " ".repeat(at.chars().count() + width + 6);
            lines.push(format!("{gap}checkpoint {number} is passed over: {why}"));
        }
    }
    if let Some(until) = told.not_before {
        lines.push(format!("  not before {}", until.local_to_the_second(now)));
    }
    lines.extend(sum(told));
    lines
}

fn since(step: &ToldStep) -> String {
    let seconds = step.since_last;
    seconds.map_or_else(String::new, |seconds| format!("+{seconds:.3} s"))
}

fn words(step: &ToldStep, told: &Told) -> String {
    let what = step.what.as_deref().map(shown).unwrap_or_default();
    let life = step.incarnation.unwrap_or_default();
    let with = |words: &str| match what.is_empty() {
        true => words.to_owned(),
        false => format!("{words}: {what}"),
    };
    match step.step {
        Did::Fell => match (step.incarnation, step.pid) {
            (Some(life), Some(pid)) => with(&format!("incarnation {life}, pid {pid}, fell")),
            _ => with("it is down"),
        },
        Did::Asked if what.is_empty() => {
            format!("that is noticed by {}", shown(&told.requested_by))
        }
        Did::Asked | Did::Stopped => what.into_owned(),
        Did::Pending => with("waits"),
        Did::PendingApproval => with("waits for an operator"),
        Did::Held => with("held"),
        Did::Begun => match step.checkpoint {
            Some(number) => {
                format!(
                    "the older life is fenced; incarnation {life} begins from checkpoint {number}"
                )
            }
            None => format!("the older life is fenced; incarnation {life} begins anew"),
        },
        Did::Started => match step.pid {
            Some(pid) => format!("it was started: pid {pid}"),
            None => String::from("it was started"),
        },
        Did::InVain => with("in vain"),
        Did::Revived => String::from("it has proved that it lives"),
        Did::Failed => with("given up"),
        Did::Denied => with("denied"),
        Did::Cancelled => with("taken back"),
        Did::Suppressed => with("suppressed"),
        Did::Other => with("a step that this mcell does not know"),
    }
}

/// How long it took in all, where it came to an end.
fn sum(told: &Told) -> Option<String> {
    let last = told.steps.last()?;
    let seconds = last.after.filter(|_| last.step == Did::Revived)?;
    Some(format!("  from the fall to the proof: {seconds:.3} s"))
}

/// What is known of a request that an older mcell made.
fn of_record(told: &Told, now: Time) -> Vec<String> {
    let word = told.status.word().replace('_', " ");
    let mut lines = Vec::new();
    let mut line = |at: Option<Time>, text: String| {
        if let Some(at) = at {
            lines.push(format!("  {}  {text}", at.local(now)));
        }
    };
    let reason = shown(&told.reason);
    let by = shown(&told.requested_by);
    line(
        Some(told.requested_at),
        format!("asked for by {by}: {reason}"),
    );
    let from = match (told.incarnation, told.checkpoint) {
        (Some(life), Some(number)) => format!("incarnation {life} from checkpoint {number}"),
        (Some(life), None) => format!("incarnation {life} anew"),
        (None, _) => String::from("it"),
    };
    line(told.started_at, format!("{from} was started"));
    line(told.revived_at, String::from("it had proved that it lives"));
    if told.revived_at.is_none() {
        line(told.closed_at, format!("over: {word}"));
    }
    if let Some(why) = &told.why {
        lines.push(format!("  why: {}", shown(why)));
    }
    lines
}
